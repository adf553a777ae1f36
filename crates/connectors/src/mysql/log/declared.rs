//! What statements in the log do: transactions that begin and end, tables that are emptied or declared anew.

use super::MysqlLog;
use super::setup::{self, Known};
use super::statement::{self, Meaning, Name};
use crate::{ConnectorError, Result};

impl MysqlLog {
    /// Takes a statement over, given in the database `schema`.
    pub(super) async fn state(&mut self, schema: &str, sql: &str) -> Result<()> {
        let meaning = statement::meaning(sql);
        if self.is_settled {
            if !matches!(meaning, Meaning::Begin) {
                self.pass();
            }
            return Ok(());
        }
        let was_open = self.gatherer.is_open();
        match meaning {
            Meaning::Begin => self.open(),
            Meaning::Commit => return self.commit(),
            Meaning::Rollback if self.is_beyond => {
                return Err(self.lost("a transaction of more than 4 GB was taken back"));
            }
            Meaning::Rollback => {
                self.gatherer.take_open();
            }
            Meaning::RollbackTo => {
                let open = self.gatherer.open();
                self.is_torn |= open.is_some_and(|(fold, _)| !fold.is_empty());
            }
            Meaning::XaCommit(name) => {
                let coming = self.decided(name.as_ref()).ok_or_else(|| {
                    self.lost("it was prepared (XA) before the log was read, and committed now")
                })?;
                self.gatherer.put_open(coming);
                return self.commit();
            }
            Meaning::XaRollback(name) => {
                self.decided(name.as_ref());
            }
            Meaning::Truncate(name) => self.truncate(schema, &name),
            Meaning::Alter(_) | Meaning::Remake(_) | Meaning::DropDatabase(_)
                if self.is_declared() => {}
            Meaning::Alter(name) => self.alter(schema, &name).await?,
            Meaning::Remake(names) => self.remake(schema, &names).await?,
            Meaning::DropDatabase(name) => self.drop_database(&name).await?,
            Meaning::Change(names) => self.change(schema, &names)?,
            Meaning::Harmless => {}
        }
        if !was_open && !self.gatherer.is_open() {
            self.pass();
        }
        Ok(())
    }

    /// Whether the catalogue was looked at after what is declared here.
    fn is_declared(&self) -> bool {
        let settled = self.settled;
        settled.is_some_and(|settled| self.here() <= settled.declared)
    }

    pub(super) fn here(&self) -> (u32, u64) {
        (self.place.file, self.place.offset.into())
    }

    fn is_same(&self, one: &str, other: &str) -> bool {
        one == other || (self.folds_names && one.to_lowercase() == other.to_lowercase())
    }

    pub(super) fn table_of(&self, schema: &str, name: &Name) -> Option<usize> {
        let schema = name.schema.as_deref().unwrap_or(schema);
        self.known.iter().position(|known| {
            self.is_same(&known.schema, schema) && self.is_same(&known.table, &name.table)
        })
    }

    /// A statement that is a transaction by itself, unless one is open.
    fn truncate(&mut self, schema: &str, name: &Name) {
        let Some(table) = self.table_of(schema, name) else {
            return;
        };
        let is_alone = !self.gatherer.is_open();
        if is_alone {
            self.gatherer.begin();
        }
        if let Some((fold, _)) = self.gatherer.open() {
            fold.truncate(table);
        }
        if is_alone && !self.is_beyond {
            self.gatherer.end(self.place.position());
        }
    }

    /// A table is declared anew with the rows that it had.
    async fn alter(&mut self, schema: &str, name: &Name) -> Result<()> {
        let Some(table) = self.table_of(schema, name) else {
            return Ok(());
        };
        let now = self.look_again(table).await?;
        let wanted = &self.gatherer.decoder.query.tables[table];
        if now.wanted(wanted) != self.known[table].wanted(wanted) {
            return Err(self.remade(table));
        }
        self.known[table] = now;
        self.tables.retain(|_, followed| followed.table != table);
        Ok(())
    }

    /// What the catalogue has now, if it can still be followed.
    pub(super) async fn look_again(&self, table: usize) -> Result<Known> {
        let mut session = self.store.session().await?;
        let wanted = &self.gatherer.decoder.query.tables[table];
        setup::check_table(&self.store, &mut session, wanted).await
    }

    pub(super) fn remade(&self, table: usize) -> ConnectorError {
        let name = &self.gatherer.decoder.query.tables[table].table;
        self.lost(format!(
            "{name} was altered, by which its rows may have changed"
        ))
    }

    async fn remake(&mut self, schema: &str, names: &[Name]) -> Result<()> {
        let mut tables = names.iter().filter_map(|name| self.table_of(schema, name));
        let Some(table) = tables.next() else {
            return Ok(());
        };
        self.look_again(table).await?;
        Err(self.remade(table))
    }

    async fn drop_database(&mut self, name: &str) -> Result<()> {
        let mut known = self.known.iter();
        let Some(table) = known.position(|known| self.is_same(&known.schema, name)) else {
            return Ok(());
        };
        self.look_again(table).await?;
        Err(self.remade(table))
    }

    /// Rows were changed by a statement. What it did can't be told: perhaps to our tables, through a view or a trigger
    /// too, if it was given in their database or names it.
    fn change(&mut self, schema: &str, names: &[String]) -> Result<()> {
        let touches = |known: &Known| {
            let mut named = names.iter();
            self.is_same(&known.schema, schema)
                || named.any(|name| self.is_same(name, &known.schema))
        };
        if !self.known.iter().any(touches) {
            return Ok(());
        }
        Err(self.lost(
            "a session logged a statement instead of the rows that it changed: \
             have every session use binlog_format = ROW",
        ))
    }
}
