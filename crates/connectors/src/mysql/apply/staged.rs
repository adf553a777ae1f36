//! By way of a temporary stage, where the changes meet what the table has.
//!
//! A statement may name a temporary table only once there: each statement below is written to that.

use tongqu_domain::exchange::ColumnType;

use super::super::{catalog, quoted, quoted_table};
use super::encode::{Encoder, Form};
use super::{Applying, Target};
use crate::rows::{OP_COLUMN, Op};
use crate::text::joined;
use crate::{Applied, ApplyMode, BatchStream, Result};

const STAGE: &str = "_tongqu_stage";

impl Applying {
    pub(super) async fn apply_staged(
        &mut self,
        target: &Target,
        declared: &[String],
        changes: BatchStream,
    ) -> Result<Applied> {
        self.create_stage(target, declared).await?;
        let mut encoder = Encoder::new(&self.plan, target, declared, Form::Staged);
        // Without a transaction each statement would wait for the temporary table's own commit.
        self.run("START TRANSACTION", "fill the stage").await?;
        self.take_in(STAGE, &mut encoder, changes).await?;
        self.run("COMMIT", "fill the stage").await?;
        self.prepare_tables(target, declared).await?;
        self.begin_change().await?;
        let target = self.target().await?;
        let applied = self.change_rows(&target, &encoder).await?;
        self.commit().await?;
        Ok(applied)
    }

    /// The stage's key compares as the table's does, so that joining them can use the table's index,
    /// and so that what the table would take for one key is found to be there twice.
    async fn create_stage(&mut self, target: &Target, declared: &[String]) -> Result<()> {
        let mut columns = Vec::with_capacity(declared.len());
        for ((column, held), declared) in
            self.plan.columns.iter().zip(&target.columns).zip(declared)
        {
            let name = quoted(&column.name);
            let is_key = self.plan.key.contains(&column.name);
            let constraint = if is_key {
                "NOT NULL"
            } else {
                "NULL DEFAULT NULL"
            };
            let is_text = matches!(column.column_type, ColumnType::Text { .. });
            let mut declared = match (held, is_key) {
                (Some(held), true) => held.declared.clone(),
                // Cutting off is looked for before, in one place for all texts.
                (_, false) if is_text => "LONGTEXT".to_owned(),
                _ => declared.clone(),
            };
            if let (Some(held), true) = (held, is_text)
                && let (Some(charset), Some(collation)) = (&held.charset, &held.collation)
            {
                declared = format!("{declared} CHARACTER SET {charset} COLLATE {collation}");
            }
            columns.push(format!("{name} {declared} {constraint}"));
        }
        let sql = format!(
            "CREATE TEMPORARY TABLE `{STAGE}` ({}, {OP_COLUMN} TINYINT NOT NULL, PRIMARY KEY ({})) \
             ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {}",
            columns.join(", "),
            self.key_columns(),
            self.collation
        );
        self.run(&sql, "create the stage").await
    }

    async fn change_rows(&mut self, target: &Target, staged: &Encoder) -> Result<Applied> {
        let table = quoted_table(&self.plan.table);
        let same_key = joined(&self.plan.key, " AND ", |name| {
            format!("t.{0} = s.{0}", quoted(name))
        });
        let first_key = quoted(&self.plan.key[0]);
        let (upsert, delete) = (Op::Upsert.code(), Op::Delete.code());
        let columns = joined(&self.plan.columns, ", ", |column| quoted(&column.name));

        let taken_out = if staged.deletes == 0 {
            0
        } else {
            let sql = format!(
                "DELETE t FROM {table} AS t JOIN `{STAGE}` AS s ON {same_key} WHERE s.{OP_COLUMN} = {delete}"
            );
            self.change(&sql).await?
        };
        let superfluous = match self.plan.mode {
            ApplyMode::Upsert => 0,
            ApplyMode::ReplaceAll => {
                let sql = format!(
                    "DELETE t FROM {table} AS t LEFT JOIN `{STAGE}` AS s ON {same_key} AND s.{OP_COLUMN} = {upsert} \
                     WHERE s.{first_key} IS NULL"
                );
                self.change(&sql).await?
            }
        };
        let (updated, inserted) = if staged.upserts == 0 {
            (0, 0)
        } else {
            let set = joined(&self.plan.columns, ", ", |column| {
                format!("t.{0} = s.{0}", quoted(&column.name))
            });
            let differs = self.differs(target);
            let updated = self
                .change(&format!(
                    "UPDATE {table} AS t JOIN `{STAGE}` AS s ON {same_key} SET {set} \
                     WHERE s.{OP_COLUMN} = {upsert} AND ({differs})"
                ))
                .await?;
            let new = joined(&self.plan.columns, ", ", |column| {
                format!("s.{}", quoted(&column.name))
            });
            let inserted = self
                .change(&format!(
                    "INSERT INTO {table} ({columns}) SELECT {new} FROM `{STAGE}` AS s LEFT JOIN {table} AS t ON {same_key} \
                     WHERE s.{OP_COLUMN} = {upsert} AND t.{first_key} IS NULL"
                ))
                .await?;
            (updated, inserted)
        };
        Ok(Applied {
            inserted,
            updated,
            deleted: taken_out + superfluous,
            unchanged: staged.upserts - updated - inserted + staged.deletes - taken_out,
        })
    }

    /// Whether a row differs, texts bytewise: a collation would take `a` and `A` for equal. The key
    /// is compared too, since its spelling may have changed.
    fn differs(&self, target: &Target) -> String {
        joined(
            self.plan.columns.iter().zip(&target.columns),
            " OR ",
            |(column, held)| {
                let name = quoted(&column.name);
                let side = |alias: &str| {
                    let expression = format!("{alias}.{name}");
                    held.as_ref().map_or(expression.clone(), |held| {
                        catalog::bytewise(held, &expression)
                    })
                };
                format!("NOT ({} <=> {})", side("t"), side("s"))
            },
        )
    }
}
