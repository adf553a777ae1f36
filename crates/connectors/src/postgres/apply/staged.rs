//! By way of a temporary stage, where the changes meet what the table has.

use tongqu_domain::exchange::ColumnType;

use super::super::catalog::HeldColumn;
use super::super::types::{self, Native};
use super::super::{quoted, quoted_table};
use super::encode::{Encoder, Form};
use super::{Applying, Keys, Target};
use crate::rows::{OP_COLUMN, Op};
use crate::text::joined;
use crate::{Applied, ApplyMode, BatchStream, ConnectorError, Result};

const STAGE: &str = "pg_temp._tongqu_stage";

/// Staged rows whose key the table has, and whether they differ from the table's.
const MET: &str = "pg_temp._tongqu_met";

/// The number of a row in the stage.
const ROW: &str = "_tongqu_row";

impl Applying {
    pub(super) async fn apply_staged(
        &self,
        target: &Target,
        changes: BatchStream,
    ) -> Result<Applied> {
        self.create_stage(target).await?;
        let mut encoder = Encoder::new(&self.plan, target, Form::Staged);
        self.copy_in(STAGE, &mut encoder, changes).await?;
        self.index_stage().await?;
        encoder.refuse_changed_values()?;
        self.begin_change(target, Keys::AtOnce).await?;
        self.refuse_rewritten_texts(target).await?;
        let applied = self.change_rows(target, &encoder).await?;
        self.commit().await?;
        Ok(applied)
    }

    /// The stage compares text as the table does, so that joining them can use the table's index.
    async fn create_stage(&self, target: &Target) -> Result<()> {
        let columns = joined(
            self.plan.columns.iter().zip(&target.columns),
            ", ",
            |(column, held)| {
                let collation = self.collation(column, held.as_ref());
                format!(
                    "{} {}{collation}",
                    quoted(&column.name),
                    types::staged(column.column_type)
                )
            },
        );
        let sql = format!(
            "CREATE TEMPORARY TABLE _tongqu_stage \
             ({columns}, {OP_COLUMN} smallint NOT NULL, {ROW} bigint NOT NULL)"
        );
        self.run(&sql, "create the stage").await
    }

    /// The index finds duplicates and serves the joins; the server knows nothing yet of how many
    /// rows a new table has, so it is told.
    async fn index_stage(&self) -> Result<()> {
        let key = self.key_columns();
        let indexed = self
            .run(
                &format!("CREATE UNIQUE INDEX ON {STAGE} ({key})"),
                "check the stage's keys",
            )
            .await;
        if let Err(refused) = indexed {
            return Err(self.count_duplicates(refused, STAGE).await);
        }
        self.run(&format!("ANALYZE {STAGE}"), "look over the stage")
            .await
    }

    async fn change_rows(&self, target: &Target, staged: &Encoder<'_>) -> Result<Applied> {
        let table = quoted_table(&self.plan.table);
        let same_key = self.same_key(target);
        let staged_as = |op: Op| {
            format!(
                "SELECT 1 FROM {STAGE} AS s WHERE s.{OP_COLUMN} = {} AND {same_key}",
                op.code()
            )
        };
        let taken_out = if staged.deletes == 0 {
            0
        } else {
            let doomed = staged_as(Op::Delete);
            self.change(&format!("DELETE FROM {table} AS t WHERE EXISTS ({doomed})"))
                .await?
        };
        let superfluous = match self.plan.mode {
            ApplyMode::Upsert => 0,
            ApplyMode::ReplaceAll => {
                let kept = staged_as(Op::Upsert);
                self.change(&format!(
                    "DELETE FROM {table} AS t WHERE NOT EXISTS ({kept})"
                ))
                .await?
            }
        };
        // Rows that are there alike are found by reading: meeting them in the upsert would lock, and
        // so rewrite, each of them.
        self.run(&self.compare(target), "compare the table with the stage")
            .await?;
        let there = self.count(&format!("SELECT count(*) FROM {MET}")).await?;
        let alike = self
            .count(&format!("SELECT count(*) FROM {MET} WHERE NOT differs"))
            .await?;
        if staged.upserts > alike {
            self.change(&self.upsert(target)).await?;
            self.refuse_other_results(target).await?;
        }
        Ok(Applied {
            inserted: staged.upserts - there,
            updated: there - alike,
            deleted: taken_out + superfluous,
            unchanged: alike + staged.deletes - taken_out,
        })
    }

    /// A column of the stage as the table's type compares it: `char(n)` leaves blanks at the end
    /// aside, text doesn't.
    fn staged_side(held: Option<&HeldColumn>, name: &str) -> String {
        let name = quoted(name);
        match held.map(|held| (native(held), &held.declared)) {
            Some((Some(Native::Padded), _)) => format!("s.{name}::bpchar"),
            Some((Some(Native::ShownAsText), declared)) => format!("CAST(s.{name} AS {declared})"),
            _ => format!("s.{name}"),
        }
    }

    /// Where a type takes text and keeps something else of it, what was sent wouldn't be what is held.
    async fn refuse_rewritten_texts(&self, target: &Target) -> Result<()> {
        let columns = self.plan.columns.iter().zip(&target.columns);
        for (column, held) in columns {
            let Some(held) = held else { continue };
            if native(held) != Some(Native::ShownAsText) {
                continue;
            }
            let (name, cast) = (
                quoted(&column.name),
                Self::staged_side(Some(held), &column.name),
            );
            let sql = format!(
                "SELECT count(*) FROM {STAGE} AS s WHERE s.{OP_COLUMN} = {} \
                 AND {cast}::text COLLATE \"C\" IS DISTINCT FROM s.{name} COLLATE \"C\"",
                Op::Upsert.code()
            );
            let why = format!("{} would write it otherwise", held.declared);
            self.refuse_counted(&sql, &column.name, &why).await?;
        }
        Ok(())
    }

    /// What the server computes itself must be what was sent.
    async fn refuse_other_results(&self, target: &Target) -> Result<()> {
        let columns = self.plan.columns.iter().zip(&target.columns);
        let computed = columns.filter_map(|(column, held)| {
            let held = held.as_ref().filter(|held| held.is_generated)?;
            Some((column, held))
        });
        for (column, held) in computed {
            let (name, staged) = (
                quoted(&column.name),
                Self::staged_side(Some(held), &column.name),
            );
            let sql = format!(
                "SELECT count(*) FROM {STAGE} AS s JOIN {} AS t ON {} \
                 WHERE s.{OP_COLUMN} = {} AND t.{name} IS DISTINCT FROM {staged}",
                quoted_table(&self.plan.table),
                self.same_key(target),
                Op::Upsert.code()
            );
            let why = "it isn't what the database computes for it itself";
            self.refuse_counted(&sql, &column.name, why).await?;
        }
        Ok(())
    }

    /// Refuses a column if the query counts any rows.
    async fn refuse_counted(&self, sql: &str, column: &str, why: &str) -> Result<()> {
        let count = self.count(sql).await?;
        if count == 0 {
            return Ok(());
        }
        Err(ConnectorError::ValueRefused {
            table: self.plan.table.clone(),
            column: column.to_owned(),
            reason: format!("in {count} row(s) {why}"),
        })
    }

    pub(super) fn same_key(&self, target: &Target) -> String {
        joined(self.plan.key_positions(), " AND ", |position| {
            let name = &self.plan.columns[position].name;
            let staged = Self::staged_side(target.columns[position].as_ref(), name);
            format!("t.{} = {staged}", quoted(name))
        })
    }

    /// Whether a staged row differs from the table's. The key is compared too: where the table folds case, its
    /// spelling may have changed.
    pub(super) fn differs(&self, target: &Target) -> String {
        let columns = self.plan.columns.iter().zip(&target.columns);
        joined(columns, " OR ", |(column, held)| {
            let name = quoted(&column.name);
            let staged = Self::staged_side(held.as_ref(), &column.name);
            if held.as_ref().and_then(native) == Some(Native::ShownAsText) {
                return format!(
                    "t.{name}::text COLLATE \"C\" IS DISTINCT FROM s.{name} COLLATE \"C\""
                );
            }
            match column.column_type {
                ColumnType::Text { .. } => {
                    format!("t.{name} COLLATE \"C\" IS DISTINCT FROM {staged} COLLATE \"C\"")
                }
                _ => format!("t.{name} IS DISTINCT FROM {staged}"),
            }
        })
    }

    /// Notes which staged rows meet one of the table, and whether it differs.
    fn compare(&self, target: &Target) -> String {
        let differs = self.differs(target);
        format!(
            "CREATE TEMPORARY TABLE _tongqu_met AS SELECT s.{ROW}, ({differs}) AS differs \
             FROM {STAGE} AS s JOIN {} AS t ON {} WHERE s.{OP_COLUMN} = {}; ANALYZE {MET}",
            quoted_table(&self.plan.table),
            self.same_key(target),
            Op::Upsert.code()
        )
    }

    fn upsert(&self, target: &Target) -> String {
        let columns = self.plan.columns.iter().zip(&target.columns);
        // What the server computes itself is read back and compared like everything else.
        let written: Vec<_> = columns
            .filter(|(_, held)| !held.as_ref().is_some_and(|held| held.is_generated))
            .collect();
        let columns = joined(&written, ", ", |(column, _)| quoted(&column.name));
        let values = joined(&written, ", ", |(column, held)| {
            let native = held.as_ref().and_then(native);
            if native == Some(Native::ShownAsText) {
                Self::staged_side(held.as_ref(), &column.name)
            } else {
                format!("s.{}", quoted(&column.name))
            }
        });
        let set = joined(&written, ", ", |(column, _)| {
            format!("{0} = excluded.{0}", quoted(&column.name))
        });
        format!(
            "INSERT INTO {} AS t ({columns}) SELECT {values} FROM {STAGE} AS s \
             WHERE s.{OP_COLUMN} = {} AND NOT EXISTS \
             (SELECT 1 FROM {MET} AS m WHERE m.{ROW} = s.{ROW} AND NOT m.differs) \
             ON CONFLICT ({}) DO UPDATE SET {set}",
            quoted_table(&self.plan.table),
            Op::Upsert.code(),
            self.key_columns()
        )
    }
}

fn native(held: &HeldColumn) -> Option<Native> {
    held.meaning.as_ref().ok().map(|meaning| meaning.native)
}
