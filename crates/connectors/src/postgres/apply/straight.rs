//! Straight into a table that has no rows yet, where nothing can be met: the shortest way there is.

use tongqu_domain::exchange::ColumnType;

use super::super::types::Native;
use super::super::{quoted, quoted_table};
use super::encode::{Encoder, Form};
use super::{Applying, Keys, Target};
use crate::text::joined;
use crate::{Applied, BatchStream, ConnectorError, Result};

impl Applying {
    /// Whether the bytes of each column are those that its column in the table takes.
    pub(super) fn fits_straight(&self, target: &Target) -> bool {
        let columns = self.plan.columns.iter().zip(&target.columns);
        let mut columns = columns.map(|(column, held)| (column.column_type, held));
        columns.all(|(offered, held)| {
            let Some(held) = held else {
                return !target.exists;
            };
            let must_be_cast =
                matches!(&held.meaning, Ok(meaning) if meaning.native == Native::ShownAsText);
            if must_be_cast || held.is_generated {
                return false;
            }
            let held = held.meaning.as_ref().map(|meaning| meaning.column_type);
            match (held, offered) {
                (Ok(ColumnType::Text { .. }), ColumnType::Text { .. }) => true,
                (held, offered) => held == Ok(offered),
            }
        })
    }

    pub(super) async fn is_empty(&self, target: &Target) -> Result<bool> {
        if !target.exists {
            return Ok(true);
        }
        let table = quoted_table(&self.plan.table);
        let found = format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1) AS first");
        Ok(self.count(&found).await? == 0)
    }

    /// Begins the transaction with the table to ourselves, unless somebody has filled it meanwhile.
    pub(super) async fn begin_straight(&self, target: &Target) -> Result<bool> {
        self.begin_change(target, Keys::Later).await?;
        let is_ours = self.is_empty(target).await?;
        if !is_ours {
            self.run("ROLLBACK", "leave the table").await?;
        }
        Ok(is_ours)
    }

    /// Sends the changes into the table. Deletions find nothing to delete.
    pub(super) async fn copy_straight(
        &self,
        target: &Target,
        changes: BatchStream,
    ) -> Result<Applied> {
        let mut encoder = Encoder::new(&self.plan, target, Form::Plain);
        let columns = joined(&self.plan.columns, ", ", |column| quoted(&column.name));
        let into = format!("{} ({columns})", quoted_table(&self.plan.table));
        let copied = self.copy_in(&into, &mut encoder, changes).await;
        // The server may have met such a value before, and doesn't tell its column.
        encoder.refuse_changed_values()?;
        copied?;
        if !target.exists {
            self.make_keys().await?;
            self.look_over_indexed().await?;
        }
        self.commit().await?;
        Ok(Applied {
            inserted: encoder.upserts,
            unchanged: encoder.deletes,
            ..Applied::default()
        })
    }

    /// Makes the keys over the rows that are in, and counts those that stand in the way.
    async fn make_keys(&self) -> Result<()> {
        self.run("SAVEPOINT keys", "make its keys").await?;
        let made = self.create_keys().await;
        if let Err(refused @ ConnectorError::KeyDuplicates { .. }) = made {
            self.run("ROLLBACK TO keys", "make its keys").await?;
            let table = quoted_table(&self.plan.table);
            return Err(self.count_duplicates(refused, &table).await);
        }
        made
    }

    /// Tells the server how the indexed columns are filled: until it looks for itself it would rather read the whole
    /// table than use the index.
    async fn look_over_indexed(&self) -> Result<()> {
        if self.plan.index_on.is_empty() {
            return Ok(());
        }
        let columns = joined(&self.plan.index_on, ", ", |name| quoted(name));
        let table = quoted_table(&self.plan.table);
        self.run(
            &format!("ANALYZE {table} ({columns})"),
            "look over its indexes",
        )
        .await
    }
}
