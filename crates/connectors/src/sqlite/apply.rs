//! Applying changes to a SQLite table: stage in the temporary database, then one transaction.
//!
//! The stage is filled without any lock on the file, however slow the stream is; the transaction
//! after it holds the write lock only while SQLite works. Where a consumer begins with an empty table, and for as long
//! as keys come in order, the stage is the table itself as it will be, which the transaction takes over as it lies.

mod intake;
mod staged;
mod straight;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use self::intake::{Shape, Staged};
use super::catalog;
use super::{File, on_thread, quoted, types};
use crate::batches::{Changes, fed};
use crate::store::CURSOR_TABLE;
use crate::text::joined;
use crate::{AddColumns, Applied, ApplyPlan, BatchStream, ConnectorError, Result};

pub(super) async fn apply(file: File, plan: ApplyPlan, changes: BatchStream) -> Result<Applied> {
    plan.check()?;
    let thread_file = file.clone();
    fed(changes, |changes| {
        on_thread(&file, move || {
            Applying {
                file: thread_file,
                plan,
            }
            .run(changes)
        })
    })
    .await
}

struct Applying {
    file: File,
    plan: ApplyPlan,
}

/// What the plan meets in the file.
#[derive(PartialEq, Eq)]
struct Target {
    exists: bool,
    /// Columns of the plan that the table lacks, to be added.
    missing: Vec<usize>,
    /// The collation of each key column in the unique index by which rows are matched.
    key_collations: Vec<String>,
}

impl Applying {
    fn run(self, mut changes: Changes) -> Result<Applied> {
        let mut connection = self.file.open_writer()?;
        let reached = self.check_cursor(&connection)?;
        let target = self.target(&connection)?;
        // Whoever begins has nothing to compare with; only then is the table itself looked at.
        let is_straight = reached.is_none() && self.is_straight(&connection, &target)?;
        let shape = if is_straight {
            self.create_first(&connection)?;
            Shape::Table
        } else {
            self.create_stage(&connection, &target)?;
            Shape::Changes
        };
        let staged = self.take_in(&mut connection, &target, shape, &mut changes)?;
        if staged.shape == Shape::Changes {
            self.index_stage(&connection, &target, &staged)?;
        }
        let applied = self.transact(&mut connection, &target, &staged)?;
        self.file.let_readers_go_on(&connection);
        Ok(applied)
    }

    fn failed(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> ConnectorError {
        move |error| self.file.failure(doing, &self.plan.table, error)
    }

    fn table(&self) -> String {
        format!("main.{}", quoted(&self.plan.table))
    }

    /// Refuses early what the transaction would refuse late. Gives how far the consumer has come.
    fn check_cursor(&self, connection: &Connection) -> Result<Option<i64>> {
        if !catalog::exists(connection, &self.file, CURSOR_TABLE)? {
            return Ok(None);
        }
        let sql = format!("SELECT cursor FROM main.{CURSOR_TABLE} WHERE consumer = ?1");
        let held = connection
            .query_row(&sql, [&self.plan.consumer], |row| row.get(0))
            .optional();
        match held.map_err(self.failed("read a cursor"))? {
            Some(held) if self.plan.comes_too_late(held) => Err(self.backwards(held)),
            reached => Ok(reached),
        }
    }

    fn backwards(&self, held: i64) -> ConnectorError {
        ConnectorError::CursorBackwards {
            consumer: self.plan.consumer.clone(),
            held,
            offered: self.plan.cursor,
        }
    }

    fn target(&self, connection: &Connection) -> Result<Target> {
        let table = &self.plan.table;
        let held = catalog::columns(connection, &self.file, table)?;
        if held.is_empty() {
            let key_collations = vec!["BINARY".to_owned(); self.plan.key.len()];
            return Ok(Target {
                exists: false,
                missing: Vec::new(),
                key_collations,
            });
        }
        let mut missing = Vec::new();
        for (position, column) in self.plan.columns.iter().enumerate() {
            let found = match catalog::find(&held, table, &column.name) {
                Ok(found) => found,
                Err(_)
                    if self.plan.add_columns == AddColumns::Allow
                        && !self.plan.key.contains(&column.name) =>
                {
                    missing.push(position);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if found.is_generated {
                let reason = "the database computes it itself, so nothing can be written there";
                return Err(ConnectorError::type_refused(table, &column.name, reason));
            }
            let carried = found
                .meaning
                .clone()
                .and_then(|held| types::carries(held, column.column_type));
            carried.map_err(|reason| ConnectorError::type_refused(table, &column.name, reason))?;
        }
        let key_collations = self.key_collations(connection)?;
        Ok(Target {
            exists: true,
            missing,
            key_collations,
        })
    }

    /// Looks for a unique index over exactly the key columns, the table's own row number included.
    fn key_collations(&self, connection: &Connection) -> Result<Vec<String>> {
        let (table, key) = (&self.plan.table, &self.plan.key);
        let missing = || ConnectorError::KeyMissing {
            table: table.clone(),
            key: self.plan.key_list(),
        };
        let list = || {
            let sql = "SELECT l.name, i.name, i.coll FROM pragma_index_list(?1) AS l
                       JOIN pragma_index_xinfo(l.name) AS i WHERE l.\"unique\" AND NOT l.partial AND i.key
                       ORDER BY l.seq, i.seqno";
            let mut statement = connection.prepare(sql)?;
            let rows =
                statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<rusqlite::Result<Vec<(String, Option<String>, String)>>>()
        };
        let entries = list().map_err(self.failed("look for its keys"))?;
        let indexes = entries.chunk_by(|a, b| a.0 == b.0);
        for index in indexes.filter(|index| index.len() == key.len()) {
            let collation = |name: &String| {
                let held = |column: &Option<String>| {
                    column
                        .as_ref()
                        .is_some_and(|c| c.eq_ignore_ascii_case(name))
                };
                index
                    .iter()
                    .find(|(_, column, _)| held(column))
                    .map(|(_, _, collation)| collation.clone())
            };
            if let Some(collations) = key.iter().map(collation).collect::<Option<Vec<_>>>() {
                let is_known = |collation: &String| {
                    ["BINARY", "NOCASE", "RTRIM"].contains(&collation.as_str())
                };
                return if collations.iter().all(is_known) {
                    Ok(collations)
                } else {
                    Err(missing())
                };
            }
        }
        // `INTEGER PRIMARY KEY` has no index of its own.
        let sql =
            "SELECT count(*), min(name), min(upper(type)) FROM pragma_table_xinfo(?1) WHERE pk > 0";
        let row_number = connection.query_row(sql, [table], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, Option<String>>(2)?,
            ))
        });
        match (
            row_number.map_err(self.failed("look for its keys"))?,
            key.as_slice(),
        ) {
            ((1, Some(name), Some(declared)), [only])
                if declared == "INTEGER" && name.eq_ignore_ascii_case(only) =>
            {
                Ok(vec!["BINARY".to_owned()])
            }
            _ => Err(missing()),
        }
    }

    fn transact(
        &self,
        connection: &mut Connection,
        before: &Target,
        staged: &Staged,
    ) -> Result<Applied> {
        let failed = self.failed("change the table");
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(&failed)?;
        // Somebody may have altered the table while the stage was filled.
        let target = self.target(&transaction)?;
        if target != *before {
            return Err(ConnectorError::Stopped {
                reason: format!("table {} was altered meanwhile", self.plan.table),
            });
        }
        self.move_cursor(&transaction)?;
        let applied = if self.can_take_over(&transaction, &target, staged)? {
            self.take_over(&transaction, &target, staged)?
        } else {
            self.prepare_table(&transaction, &target)?;
            self.change_rows(&transaction, staged)?
        };
        transaction.commit().map_err(&failed)?;
        Ok(applied)
    }

    /// Creates what is missing.
    fn prepare_table(&self, transaction: &Transaction<'_>, target: &Target) -> Result<()> {
        if !target.exists {
            self.create_table(transaction, &self.table())?;
            self.create_indexes(transaction)?;
        }
        let failed = self.failed("add a column");
        for position in &target.missing {
            let column = &self.plan.columns[*position];
            let (name, declared) = (quoted(&column.name), types::declared(column.column_type));
            let sql = format!("ALTER TABLE {} ADD COLUMN {name} {declared}", self.table());
            transaction.execute_batch(&sql).map_err(&failed)?;
        }
        Ok(())
    }

    fn move_cursor(&self, transaction: &Transaction<'_>) -> Result<()> {
        let failed = self.failed("move the cursor");
        let create = format!(
            "CREATE TABLE IF NOT EXISTS main.{CURSOR_TABLE} (consumer VARCHAR(191) NOT NULL PRIMARY KEY, \
             cursor BIGINT NOT NULL, run_id TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL) WITHOUT ROWID"
        );
        transaction.execute_batch(&create).map_err(&failed)?;
        self.check_cursor(transaction)?;
        let upsert = format!(
            "INSERT INTO main.{CURSOR_TABLE} VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')) \
             ON CONFLICT (consumer) DO UPDATE SET cursor = excluded.cursor, run_id = excluded.run_id, \
             applied_at = excluded.applied_at"
        );
        let own = [(&self.plan.consumer, self.plan.cursor)];
        let marks = self.plan.marks.iter().map(|(name, cursor)| (name, *cursor));
        for (name, cursor) in own.into_iter().chain(marks) {
            transaction
                .execute(&upsert, (name, cursor, &self.plan.run_id))
                .map_err(&failed)?;
        }
        Ok(())
    }

    /// Without row numbers the table itself lies in key order: half the size, and the ordered reading of the snapshot
    /// difference is a plain scan.
    fn create_table(&self, connection: &Connection, table: &str) -> Result<()> {
        let columns = joined(&self.plan.columns, ", ", |column| {
            let constraint = if column.nullable { "" } else { " NOT NULL" };
            format!(
                "{} {}{constraint}",
                quoted(&column.name),
                types::declared(column.column_type)
            )
        });
        let key = self.key_columns();
        let sql = format!("CREATE TABLE {table} ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID");
        connection
            .execute_batch(&sql)
            .map_err(self.failed("create the table"))
    }

    fn create_indexes(&self, connection: &Connection) -> Result<()> {
        let indexes = joined(&self.plan.index_on, " ", |name| {
            let index = quoted(&format!("{}_by_{name}", self.plan.table));
            let (table, name) = (quoted(&self.plan.table), quoted(name));
            format!("CREATE INDEX main.{index} ON {table} ({name});")
        });
        connection
            .execute_batch(&indexes)
            .map_err(self.failed("make an index"))
    }

    fn key_columns(&self) -> String {
        joined(&self.plan.key, ", ", |name| quoted(name))
    }
}
