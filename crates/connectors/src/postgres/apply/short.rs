//! A handful of rows, bound to statements: no stage, nothing made or dropped, and other writers go on.
//!
//! What the stage's index finds is found here by comparing keys, so it is only for tables whose keys are equal just
//! when their bytes are. Rows that are met are locked before they are compared, so that the counts stay true; a row
//! that somebody else adds in that moment undoes it all, and the stage is taken instead.

use std::collections::HashSet;

use futures_util::StreamExt;
use tokio_postgres::types::ToSql;
use tongqu_domain::exchange::{Column, ColumnType, RowHash, ValueRef};

use super::super::binary::Typed;
use super::super::catalog::HeldColumn;
use super::super::types::{self, Native};
use super::super::{quoted, quoted_table};
use super::encode::{Encoder, Form};
use super::{Applying, Target};
use crate::rows::{Op, Rows};
use crate::text::joined;
use crate::{Applied, ApplyMode, BatchStream, ConnectorError, RecordBatch, Result};

/// Beyond so many rows the stage's COPY costs less.
const ROWS_MAX: usize = 128;

/// Values that a statement may bind, well below the protocol's 65,535.
const VALUES_MAX: usize = 30_000;

/// The changes, as far as they were looked at.
pub(super) enum Gathered {
    /// All of them.
    Few(Vec<RecordBatch>),
    /// They are more, or one of them is an error.
    Many(BatchStream),
}

/// What came of a short change.
pub(super) enum Outcome {
    Done(Applied),
    /// Somebody else was there; nothing was changed.
    Disturbed,
}

/// Whether rows tell their place in the changes, behind their columns.
#[derive(Clone, Copy)]
enum Numbered {
    Yes,
    No,
}

/// The column of that place.
const ROW: &str = "_tongqu_row";

/// A row of the changes.
#[derive(Clone, Copy)]
struct Place<'b> {
    rows: &'b Rows<'b>,
    row: usize,
}

impl Applying {
    /// Whether a few changes may take the short way into this table.
    pub(super) fn may_be_short(&self, target: &Target) -> bool {
        let is_exact = |held: &HeldColumn| {
            let Ok(meaning) = &held.meaning else {
                return false;
            };
            match meaning.column_type {
                ColumnType::Text { .. } => {
                    let collation = held.collation.as_deref();
                    let is_usual = collation == Some("pg_catalog.\"default\"");
                    meaning.native == Native::Text && (held.is_bytewise || is_usual)
                }
                _ => true,
            }
        };
        let is_written_plainly = |held: &HeldColumn| {
            let is_cast = held
                .meaning
                .as_ref()
                .is_ok_and(|meaning| meaning.native == Native::ShownAsText);
            !is_cast && !held.is_generated
        };
        let positions = self.plan.key_positions();
        target.exists
            && self.plan.mode == ApplyMode::Upsert
            && target
                .columns
                .iter()
                .all(|held| held.as_ref().is_some_and(is_written_plainly))
            && positions
                .iter()
                .all(|place| target.columns[*place].as_ref().is_some_and(is_exact))
    }

    /// Looks at the changes until they are too many.
    pub(super) async fn gather(&self, mut changes: BatchStream) -> Gathered {
        let most = ROWS_MAX.min(VALUES_MAX / (self.plan.columns.len() + 1));
        let (mut batches, mut rows) = (Vec::new(), 0);
        while let Some(batch) = changes.next().await {
            rows += batch.as_ref().map_or(0, RecordBatch::num_rows);
            let is_few = batch.is_ok() && rows <= most;
            batches.push(batch);
            if !is_few {
                let seen = futures_util::stream::iter(batches);
                return Gathered::Many(seen.chain(changes).boxed());
            }
        }
        Gathered::Few(batches.into_iter().flatten().collect())
    }

    /// Changes the table in one transaction.
    pub(super) async fn apply_short(
        &self,
        target: &Target,
        batches: &[RecordBatch],
    ) -> Result<Outcome> {
        let read: Vec<Rows<'_>> = batches.iter().map(Rows::new).collect::<Result<_>>()?;
        // Encoding them looks at every value, as on the way into the stage.
        let mut encoder = Encoder::new(&self.plan, target, Form::Staged);
        for (rows, batch) in read.iter().zip(batches) {
            rows.check_columns(&self.plan.columns)?;
            self.plan.check_key_values(rows)?;
            let mut next = 0;
            while next < rows.len() {
                next = encoder.encode(batch, next)?;
                let _looked_at = encoder.full_chunk();
            }
        }
        let places: Vec<Place<'_>> = read
            .iter()
            .flat_map(|rows| (0..rows.len()).map(move |row| Place { rows, row }))
            .collect();
        self.refuse_duplicates(&places)?;
        encoder.refuse_changed_values()?;

        self.run("BEGIN", "begin the change").await?;
        self.move_cursor().await?;
        if self.target().await? != *target {
            let reason = format!("table {} was altered meanwhile", self.plan.table);
            return Err(ConnectorError::Stopped { reason });
        }
        let changed = self.change_few(target, &places).await?;
        match changed {
            Outcome::Done(_) => self.commit().await?,
            Outcome::Disturbed => self.run("ROLLBACK", "leave the table").await?,
        }
        Ok(changed)
    }

    fn refuse_duplicates(&self, places: &[Place<'_>]) -> Result<()> {
        let key = self.plan.key_positions();
        let mut seen = HashSet::with_capacity(places.len());
        let mut duplicates = 0;
        for place in places {
            let values: Vec<ValueRef<'_>> = key.iter().map(|k| place.value(*k)).collect();
            duplicates += u64::from(!seen.insert(RowHash::of(&values)));
        }
        if duplicates == 0 {
            return Ok(());
        }
        Err(ConnectorError::KeyDuplicates {
            table: self.plan.table.clone(),
            duplicates,
        })
    }

    async fn change_few(&self, target: &Target, places: &[Place<'_>]) -> Result<Outcome> {
        let with = |op: Op| places.iter().copied().filter(move |place| place.op() == op);
        let (deletes, upserts): (Vec<_>, Vec<_>) =
            (with(Op::Delete).collect(), with(Op::Upsert).collect());
        let deleted = self.delete_few(target, &deletes).await?;
        let met = self.meet(target, &upserts).await?;
        let (mut new, mut altered, mut alike) = (Vec::new(), Vec::new(), 0);
        for (place, met) in upserts.iter().zip(met) {
            match met {
                None => new.push(*place),
                Some(true) => altered.push(*place),
                Some(false) => alike += 1,
            }
        }
        let (inserted, updated) = (count(&new), count(&altered));
        if self.update_few(target, &altered).await? != updated
            || self.insert_few(target, &new).await? != inserted
        {
            return Ok(Outcome::Disturbed);
        }
        Ok(Outcome::Done(Applied {
            inserted,
            updated,
            deleted,
            unchanged: alike + count(&deletes) - deleted,
        }))
    }

    async fn delete_few(&self, target: &Target, places: &[Place<'_>]) -> Result<u64> {
        let key = self.plan.key_positions();
        let (rows, values) = self.bound(target, places, &key, Numbered::No);
        let (table, names) = (quoted_table(&self.plan.table), self.names(&key));
        let same = self.same_key(target);
        let sql =
            format!("DELETE FROM {table} AS t USING (VALUES {rows}) AS s ({names}) WHERE {same}");
        self.change_bound(&sql, &values).await
    }

    /// For each row whether the table has its key, and if so, whether it differs.
    async fn meet(&self, target: &Target, places: &[Place<'_>]) -> Result<Vec<Option<bool>>> {
        let mut met = vec![None; places.len()];
        if places.is_empty() {
            return Ok(met);
        }
        let all: Vec<usize> = (0..self.plan.columns.len()).collect();
        let (rows, values) = self.bound(target, places, &all, Numbered::Yes);
        let sql = format!(
            "SELECT s.{ROW}, ({}) FROM (VALUES {rows}) AS s ({}, {ROW}) \
             JOIN {} AS t ON {} FOR UPDATE OF t",
            self.differs(target),
            self.names(&all),
            quoted_table(&self.plan.table),
            self.same_key(target)
        );
        let doing = "compare the table with the changes";
        let values = borrowed(&values);
        let found = self
            .session
            .rows(&sql, &values, doing, &self.plan.table)
            .await?;
        for row in found {
            let place = usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX);
            met[place] = Some(row.get(1));
        }
        Ok(met)
    }

    async fn update_few(&self, target: &Target, places: &[Place<'_>]) -> Result<u64> {
        let all: Vec<usize> = (0..self.plan.columns.len()).collect();
        let (rows, values) = self.bound(target, places, &all, Numbered::No);
        let set = joined(&self.plan.columns, ", ", |column| {
            format!("{0} = s.{0}", quoted(&column.name))
        });
        let sql = format!(
            "UPDATE {} AS t SET {set} FROM (VALUES {rows}) AS s ({}) WHERE {}",
            quoted_table(&self.plan.table),
            self.names(&all),
            self.same_key(target)
        );
        self.change_bound(&sql, &values).await
    }

    async fn insert_few(&self, target: &Target, places: &[Place<'_>]) -> Result<u64> {
        let all: Vec<usize> = (0..self.plan.columns.len()).collect();
        let (rows, values) = self.bound(target, places, &all, Numbered::No);
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {rows} ON CONFLICT ({}) DO NOTHING",
            quoted_table(&self.plan.table),
            self.names(&all),
            self.key_columns()
        );
        self.change_bound(&sql, &values).await
    }

    async fn change_bound(&self, sql: &str, values: &[Typed<'_>]) -> Result<u64> {
        if values.is_empty() {
            return Ok(0);
        }
        let values = borrowed(values);
        let (doing, table) = ("change the table", &self.plan.table);
        self.session.execute(sql, &values, doing, table).await
    }

    fn names(&self, columns: &[usize]) -> String {
        joined(columns, ", ", |place| {
            quoted(&self.plan.columns[*place].name)
        })
    }

    /// The rows as places of a statement, in the types and collations of the stage, and what they are bound to.
    fn bound<'b>(
        &self,
        target: &Target,
        places: &[Place<'b>],
        columns: &[usize],
        numbered: Numbered,
    ) -> (String, Vec<Typed<'b>>) {
        let casts: Vec<String> = columns
            .iter()
            .map(|position| {
                let (column, held) = (&self.plan.columns[*position], &target.columns[*position]);
                let cast = types::staged(column.column_type);
                format!("::{cast}{}", self.collation(column, held.as_ref()))
            })
            .collect();
        let rows = joined(0..places.len(), ", ", |n| {
            let first = n * columns.len() + 1;
            let row = joined((first..).zip(&casts), ", ", |(number, cast)| {
                format!("${number}{cast}")
            });
            match numbered {
                Numbered::Yes => format!("({row}, {n}::int)"),
                Numbered::No => format!("({row})"),
            }
        });
        let value = |place: &Place<'b>, position: usize| {
            let column_type = self.plan.columns[position].column_type;
            Typed(place.value(position), column_type)
        };
        let values = places
            .iter()
            .flat_map(|place| columns.iter().map(move |position| value(place, *position)));
        (rows, values.collect())
    }

    /// The collation in which the stage has a column, so that joining can use the table's index.
    pub(super) fn collation(&self, column: &Column, held: Option<&HeldColumn>) -> String {
        match (held, column.column_type) {
            (Some(held), ColumnType::Text { .. }) => held
                .collation
                .as_ref()
                .map_or(String::new(), |name| format!(" COLLATE {name}")),
            _ => self.new_collation(column).to_owned(),
        }
    }
}

impl<'b> Place<'b> {
    fn op(self) -> Op {
        self.rows.op(self.row)
    }

    fn value(self, column: usize) -> ValueRef<'b> {
        self.rows.value(self.row, column)
    }
}

fn count(places: &[Place<'_>]) -> u64 {
    u64::try_from(places.len()).expect("a handful")
}

fn borrowed<'v>(values: &'v [Typed<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}
