//! Applying changes to a SQLite table: stage in the temporary database, then one transaction.
//!
//! The stage is filled without any lock on the file, however slow the stream is; the transaction
//! after it holds the write lock only while SQLite works.

use futures_util::StreamExt;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use tokio::sync::mpsc;
use tongqu_domain::exchange::ColumnType;
use tongqu_domain::exchange::diff::OrderGuard;

use super::catalog;
use super::{File, on_thread, quoted, types};
use crate::rows::{OP_COLUMN, Op, Rows};
use crate::store::CURSOR_TABLE;
use crate::text::joined;
use crate::{
    AddColumns, Applied, ApplyMode, ApplyPlan, BatchStream, ConnectorError, RecordBatch, Result,
};

const STAGE: &str = "temp._tongqu_stage";

/// The number of a row in the stage.
const ROW: &str = "_tongqu_row";

/// The index over the stage's key, made only when it is needed.
const STAGE_KEY: &str = "temp._tongqu_stage_key";

/// Staged rows that aren't in the table, or are there otherwise.
const DIFFERENCE: &str = "temp._tongqu_difference";

/// Batches that wait for the staging thread.
const BATCHES_WAITING_MAX: usize = 1;

pub(super) async fn apply(
    file: File,
    plan: ApplyPlan,
    mut changes: BatchStream,
) -> Result<Applied> {
    plan.check()?;
    let (sender, receiver) = mpsc::channel(BATCHES_WAITING_MAX);
    let thread_file = file.clone();
    let work = on_thread(&file, move || {
        Applying {
            file: thread_file,
            plan,
        }
        .run(receiver)
    });
    let feed = async move {
        while let Some(next) = changes.next().await {
            // A closed channel means that the thread has failed and tells why itself.
            if sender.send(Some(next)).await.is_err() {
                return;
            }
        }
        let _ = sender.send(None).await;
    };
    let mut work = std::pin::pin!(work);
    // A refusal is told at once, even if the stream would make us wait.
    tokio::select! {
        biased;
        applied = &mut work => applied,
        () = feed => work.await,
    }
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

/// What was staged.
#[derive(Default)]
struct Staged {
    upserts: u64,
    deletes: u64,
    /// Follows the keys as they come.
    order: OrderGuard,
    /// Whether some key came out of order. Until then no two can be alike, and none has to be looked up.
    is_unordered: bool,
}

impl Applying {
    /// `receiver` gives batches, then `None`; closed without it means that the caller went away.
    fn run(self, mut receiver: mpsc::Receiver<Option<Result<RecordBatch>>>) -> Result<Applied> {
        let mut connection = self.file.open_writer()?;
        self.check_cursor(&connection)?;
        let target = self.target(&connection)?;
        self.create_stage(&connection, &target)?;
        let staged = self.fill_stage(&mut connection, &mut receiver)?;
        self.index_stage(&connection, &target, &staged)?;
        self.transact(&mut connection, &target, &staged)
    }

    fn failed(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> ConnectorError {
        move |error| self.file.failure(doing, &self.plan.table, error)
    }

    fn table(&self) -> String {
        format!("main.{}", quoted(&self.plan.table))
    }

    /// Refuses early what the transaction would refuse late.
    fn check_cursor(&self, connection: &Connection) -> Result<()> {
        if !catalog::exists(connection, &self.file, CURSOR_TABLE)? {
            return Ok(());
        }
        let sql = format!("SELECT cursor FROM main.{CURSOR_TABLE} WHERE consumer = ?1");
        let held = connection
            .query_row(&sql, [&self.plan.consumer], |row| row.get(0))
            .optional();
        match held.map_err(self.failed("read a cursor"))? {
            Some(held) if held > self.plan.cursor => Err(self.backwards(held)),
            _ => Ok(()),
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

    fn create_stage(&self, connection: &Connection, target: &Target) -> Result<()> {
        let columns = joined(&self.plan.columns, ", ", |column| {
            let collation = self.plan.key.iter().position(|name| *name == column.name);
            let collation = collation.map_or(String::new(), |place| {
                format!(" COLLATE {}", target.key_collations[place])
            });
            format!(
                "{} {}{collation}",
                quoted(&column.name),
                types::declared(column.column_type)
            )
        });
        // Rows lie in the order in which they come: appending is all that has to be done for each.
        let sql = format!(
            "CREATE TABLE {STAGE} ({ROW} INTEGER PRIMARY KEY, {columns}, {OP_COLUMN} SMALLINT NOT NULL)"
        );
        connection
            .execute_batch(&sql)
            .map_err(self.failed("create the stage"))
    }

    fn fill_stage(
        &self,
        connection: &mut Connection,
        receiver: &mut mpsc::Receiver<Option<Result<RecordBatch>>>,
    ) -> Result<Staged> {
        let failed = self.failed("fill the stage");
        // A transaction on the temporary database alone: the file isn't locked.
        let transaction = connection.transaction().map_err(&failed)?;
        let mut staged = Staged::default();
        {
            let places = joined(0..=self.plan.columns.len(), ", ", |_| "?".to_owned());
            let columns = joined(&self.plan.columns, ", ", |column| quoted(&column.name));
            let sql = format!("INSERT INTO {STAGE} ({columns}, {OP_COLUMN}) VALUES ({places})");
            let mut insert = transaction.prepare(&sql).map_err(&failed)?;
            loop {
                match receiver.blocking_recv() {
                    Some(Some(batch)) => self.stage_batch(&mut insert, &batch?, &mut staged)?,
                    Some(None) => break,
                    None => {
                        return Err(ConnectorError::Stopped {
                            reason: "the caller went away".to_owned(),
                        });
                    }
                }
            }
        }
        transaction.commit().map_err(&failed)?;
        Ok(staged)
    }

    fn stage_batch(
        &self,
        insert: &mut rusqlite::Statement<'_>,
        batch: &RecordBatch,
        staged: &mut Staged,
    ) -> Result<()> {
        let rows = Rows::new(batch)?;
        rows.check_columns(&self.plan.columns)?;
        self.plan.check_key_values(&rows)?;
        let failed = self.failed("fill the stage");
        let key = self.plan.key_positions();
        let mut key_values = Vec::with_capacity(key.len());
        let mut scratch = String::new();
        for row in 0..rows.len() {
            if !staged.is_unordered {
                key_values.clear();
                key_values.extend(key.iter().map(|position| rows.value(row, *position)));
                staged.is_unordered = staged.order.admit(&key_values).is_err();
            }
            for (position, column) in self.plan.columns.iter().enumerate() {
                let value =
                    types::write(rows.value(row, position), column.column_type, &mut scratch)
                        .map_err(|found| {
                            ConnectorError::value_refused(
                                &self.plan.table,
                                &column.name,
                                column.column_type,
                                found,
                            )
                        })?;
                insert
                    .raw_bind_parameter(position + 1, value)
                    .map_err(&failed)?;
            }
            let op = rows.op(row);
            match op {
                Op::Upsert => staged.upserts += 1,
                Op::Delete => staged.deletes += 1,
            }
            insert
                .raw_bind_parameter(self.plan.columns.len() + 1, op.code())
                .map_err(&failed)?;
            insert.raw_execute().map_err(&failed)?;
        }
        Ok(())
    }

    /// Makes sure that no key was staged twice, as the table tells keys apart.
    fn index_stage(&self, connection: &Connection, target: &Target, staged: &Staged) -> Result<()> {
        let is_bytewise = target.key_collations.iter().all(|name| name == "BINARY");
        if is_bytewise && !staged.is_unordered {
            return Ok(());
        }
        let key = self.key_columns();
        let sql = format!("CREATE UNIQUE INDEX {STAGE_KEY} ON _tongqu_stage ({key})");
        let indexed = connection
            .execute_batch(&sql)
            .map_err(self.failed("check the stage's keys"));
        let Err(ConnectorError::KeyDuplicates { table, .. }) = indexed else {
            return indexed;
        };
        let sql =
            format!("SELECT sum(n - 1) FROM (SELECT count(*) AS n FROM {STAGE} GROUP BY {key})");
        let duplicates: i64 = connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(self.failed("count duplicate keys"))?;
        let duplicates = duplicates.unsigned_abs();
        Err(ConnectorError::KeyDuplicates { table, duplicates })
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
        if !target.exists {
            self.create_table(&transaction)?;
        }
        for position in target.missing {
            let column = &self.plan.columns[position];
            let (name, declared) = (quoted(&column.name), types::declared(column.column_type));
            let sql = format!("ALTER TABLE {} ADD COLUMN {name} {declared}", self.table());
            transaction.execute_batch(&sql).map_err(&failed)?;
        }
        let applied = self.change_rows(&transaction, staged)?;
        transaction.commit().map_err(&failed)?;
        Ok(applied)
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
        let values = (&self.plan.consumer, self.plan.cursor, &self.plan.run_id);
        transaction
            .execute(&upsert, values)
            .map(|_| ())
            .map_err(&failed)
    }

    fn create_table(&self, transaction: &Transaction<'_>) -> Result<()> {
        let columns = joined(&self.plan.columns, ", ", |column| {
            let constraint = if column.nullable { "" } else { " NOT NULL" };
            format!(
                "{} {}{constraint}",
                quoted(&column.name),
                types::declared(column.column_type)
            )
        });
        let indexes = joined(&self.plan.index_on, " ", |name| {
            let index = quoted(&format!("{}_by_{name}", self.plan.table));
            let (table, name) = (quoted(&self.plan.table), quoted(name));
            format!("CREATE INDEX main.{index} ON {table} ({name});")
        });
        // Without row numbers the table itself lies in key order: half the size, and the ordered
        // reading of the snapshot difference is a plain scan.
        let (table, key) = (self.table(), self.key_columns());
        let sql = format!(
            "CREATE TABLE {table} ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID; {indexes}"
        );
        transaction
            .execute_batch(&sql)
            .map_err(self.failed("create the table"))
    }

    fn change_rows(&self, transaction: &Transaction<'_>, staged: &Staged) -> Result<Applied> {
        let run = |sql: &str| {
            let changed = transaction
                .execute(sql, [])
                .map_err(self.failed("change the table"))?;
            Ok(u64::try_from(changed).expect("a count of rows"))
        };
        let count = |sql: &str| {
            let counted = transaction.query_row(sql, [], |row| row.get::<_, i64>(0));
            counted
                .map(i64::unsigned_abs)
                .map_err(self.failed("count its rows"))
        };
        let table = self.table();
        let taken_out = if staged.deletes == 0 {
            0
        } else {
            run(&self.delete())?
        };
        if count(&format!("SELECT NOT EXISTS (SELECT 1 FROM {table})"))? == 1 {
            let inserted = run(&self.first_insert(staged))?;
            return Ok(Applied {
                inserted,
                updated: 0,
                deleted: taken_out,
                unchanged: staged.deletes - taken_out,
            });
        }
        // One pass along both keys finds what there is to write, which mostly is little.
        transaction
            .execute_batch(&format!(
                "CREATE TABLE {DIFFERENCE} ({ROW} INTEGER PRIMARY KEY, is_new BOOLEAN NOT NULL)"
            ))
            .map_err(self.failed("compare the table with the stage"))?;
        let differing = run(&self.fill_difference())?;
        let inserted = count(&format!("SELECT count(*) FROM {DIFFERENCE} WHERE is_new"))?;
        let there = staged.upserts - inserted;
        let superfluous = match self.plan.mode {
            ApplyMode::Upsert => 0,
            // Counting is far cheaper than looking each row up in the stage.
            ApplyMode::ReplaceAll if count(&format!("SELECT count(*) FROM {table}"))? == there => 0,
            ApplyMode::ReplaceAll => {
                let key = self.key_columns();
                let sql =
                    format!("CREATE INDEX IF NOT EXISTS {STAGE_KEY} ON _tongqu_stage ({key})");
                transaction
                    .execute_batch(&sql)
                    .map_err(self.failed("index the stage"))?;
                run(&self.delete_unstaged())?
            }
        };
        if differing > 0 {
            run(&self.upsert())?;
        }
        Ok(Applied {
            inserted,
            updated: differing - inserted,
            deleted: taken_out + superfluous,
            unchanged: staged.upserts - differing + staged.deletes - taken_out,
        })
    }

    /// Equality of the two keys, under the table's collation.
    fn same_key(&self, left: &str, right: &str) -> String {
        joined(&self.plan.key, " AND ", |name| {
            let name = quoted(name);
            format!("{left}.{name} = {right}.{name}")
        })
    }

    fn delete(&self) -> String {
        let key = self.key_columns();
        format!(
            "DELETE FROM {} WHERE ({key}) IN (SELECT {key} FROM {STAGE} WHERE {OP_COLUMN} = {})",
            self.table(),
            Op::Delete.code()
        )
    }

    fn delete_unstaged(&self) -> String {
        format!(
            "DELETE FROM {} AS t WHERE NOT EXISTS \
             (SELECT 1 FROM {STAGE} AS s WHERE s.{OP_COLUMN} = {} AND {})",
            self.table(),
            Op::Upsert.code(),
            self.same_key("s", "t")
        )
    }

    fn first_insert(&self, staged: &Staged) -> String {
        let columns = joined(&self.plan.columns, ", ", |column| quoted(&column.name));
        let order = if staged.is_unordered {
            self.key_columns()
        } else {
            ROW.to_owned()
        };
        format!(
            "INSERT INTO {} ({columns}) SELECT {columns} FROM {STAGE} WHERE {OP_COLUMN} = {} ORDER BY {order}",
            self.table(),
            Op::Upsert.code(),
        )
    }

    fn fill_difference(&self) -> String {
        // The key is compared too: where the table matches keys without regard to case, the
        // spelling may have changed.
        let differs = joined(&self.plan.columns, " OR ", |column| {
            let name = quoted(&column.name);
            let collation = match column.column_type {
                ColumnType::Text { .. } => " COLLATE BINARY",
                _ => "",
            };
            format!("t.{name}{collation} IS NOT s.{name}")
        });
        let is_new = format!("t.{} IS NULL", quoted(&self.plan.key[0]));
        format!(
            "INSERT INTO {DIFFERENCE} SELECT s.{ROW}, {is_new} FROM {STAGE} AS s LEFT JOIN {} AS t ON {} \
             WHERE s.{OP_COLUMN} = {} AND ({is_new} OR {differs})",
            self.table(),
            self.same_key("t", "s"),
            Op::Upsert.code()
        )
    }

    fn upsert(&self) -> String {
        let columns = joined(&self.plan.columns, ", ", |column| quoted(&column.name));
        let staged = joined(&self.plan.columns, ", ", |column| {
            format!("s.{}", quoted(&column.name))
        });
        let set = joined(&self.plan.columns, ", ", |column| {
            format!("{0} = excluded.{0}", quoted(&column.name))
        });
        format!(
            "INSERT INTO {} ({columns}) SELECT {staged} FROM {DIFFERENCE} AS d CROSS JOIN {STAGE} AS s \
             WHERE s.{ROW} = d.{ROW} ON CONFLICT ({}) DO UPDATE SET {set}",
            self.table(),
            self.key_columns()
        )
    }

    fn key_columns(&self) -> String {
        joined(&self.plan.key, ", ", |name| quoted(name))
    }
}
