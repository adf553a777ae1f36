//! Straight into a table that has no rows yet, where nothing can be met: the shortest way there is.

use std::pin::Pin;

use futures_util::StreamExt;

use super::super::quoted_table;
use super::encode::{Encoder, Form};
use super::{Applying, Target};
use crate::{Applied, BatchStream, Result};

/// What became of beginning.
pub(super) enum Begun {
    /// The rows went straight into the table.
    Applied(Applied),
    /// The table isn't empty any more; nothing was touched, and the changes are all still there.
    Taken(BatchStream),
}

impl Applying {
    /// Whether the table is missing, or has all columns and no row.
    pub(super) async fn is_straight(&mut self, target: &Target) -> Result<bool> {
        if !target.exists {
            return Ok(true);
        }
        Ok(target.columns.iter().all(Option::is_some) && self.is_empty("").await?)
    }

    async fn is_empty(&mut self, locking: &str) -> Result<bool> {
        let table = quoted_table(&self.plan.table);
        let first = format!("SELECT 1 FROM {table} LIMIT 1{locking}");
        let found = self
            .session
            .rows(&first, (), "look for its first row", &self.plan.table)
            .await?;
        Ok(found.is_empty())
    }

    pub(super) async fn apply_straight(
        &mut self,
        target: &Target,
        declared: &[String],
        changes: BatchStream,
    ) -> Result<Begun> {
        // A stream that fails at once touches nothing, and one that is slow to begin locks nothing.
        let mut changes = changes.peekable();
        if let Some(Err(error)) = Pin::new(&mut changes).peek().await {
            return Err(error.clone());
        }
        self.prepare_tables(target, declared).await?;
        let begun = self.copy_straight(target, declared, changes.boxed()).await;
        if begun.is_err() {
            // The first error is what is told; a connection that broke has undone everything by itself.
            let _ = self.undo(target).await;
        }
        begun
    }

    /// Sends the changes into the table. Deletions find nothing to delete.
    async fn copy_straight(
        &mut self,
        target: &Target,
        declared: &[String],
        changes: BatchStream,
    ) -> Result<Begun> {
        self.begin_change().await?;
        // Where there is no row, this locks the gap in which all others would be inserted.
        if !self.is_empty(" FOR UPDATE").await? {
            self.run("ROLLBACK", "leave the table").await?;
            return Ok(Begun::Taken(changes));
        }
        let mut encoder = Encoder::new(&self.plan, target, declared, Form::Plain);
        let table = self.plan.table.clone();
        self.take_in(&table, &mut encoder, changes).await?;
        self.commit().await?;
        Ok(Begun::Applied(Applied {
            inserted: encoder.upserts,
            unchanged: encoder.deletes,
            ..Applied::default()
        }))
    }

    /// Leaves the database as it was: a table that was made for rows that then failed goes too, unless somebody else
    /// has put rows there.
    async fn undo(&mut self, before: &Target) -> Result<()> {
        self.run("ROLLBACK", "undo the change").await?;
        if before.exists {
            return Ok(());
        }
        let table = quoted_table(&self.plan.table);
        self.run(&format!("LOCK TABLES {table} WRITE"), "undo its creation")
            .await?;
        if self.is_empty("").await? {
            self.run(&format!("DROP TABLE {table}"), "undo its creation")
                .await?;
        }
        self.run("UNLOCK TABLES", "undo its creation").await
    }
}
