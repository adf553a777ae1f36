//! Applying changes to a PostgreSQL table: COPY into a temporary stage, then one transaction.
//!
//! Neither `nextval()` nor MERGE is used, so that the same statements run where the table is
//! distributed over several servers (Citus).

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use tongqu_domain::exchange::{Column, ColumnType};

use super::binary::{COPY_HEADER, COPY_TRAILER, write_field};
use super::catalog::{self, HeldColumn};
use super::types::{self, Native};
use super::{NAME_BYTES_MAX, Session, quoted, quoted_table};
use crate::rows::{OP_COLUMN, Op, Rows};
use crate::store::CURSOR_TABLE;
use crate::text::joined;
use crate::{
    AddColumns, Applied, ApplyMode, ApplyPlan, BatchStream, ConnectorError, RecordBatch, Result,
};

const STAGE: &str = "pg_temp._tongqu_stage";

/// Staged rows whose key the table has, and whether they differ from the table's.
const MET: &str = "pg_temp._tongqu_met";

/// The number of a row in the stage.
const ROW: &str = "_tongqu_row";

/// Bytes that are gathered before they go out: large enough that the socket is worked in few calls.
const CHUNK_BYTES: usize = 256 * 1024;

/// Taken while tables are created, so that two appliers don't create the same one at once. Any
/// number that others are unlikely to use.
const CREATION_LOCK: i64 = 7_466_732_651_946_010;

struct Applying {
    session: Session,
    plan: ApplyPlan,
}

/// What the plan meets in the database.
#[derive(PartialEq, Eq)]
struct Target {
    exists: bool,
    /// What the table has for each column of the plan; `None` if it is to be added.
    columns: Vec<Option<HeldColumn>>,
}

#[derive(Default)]
struct Staged {
    upserts: u64,
    deletes: u64,
}

pub(super) async fn apply(
    session: Session,
    plan: ApplyPlan,
    changes: BatchStream,
) -> Result<Applied> {
    let applying = Applying { session, plan };
    applying.check_names()?;
    applying.check_cursor().await?;
    let target = applying.target().await?;
    applying.create_stage(&target).await?;
    let staged = applying.fill_stage(changes).await?;
    applying.index_stage().await?;
    applying.check_values(&target).await?;
    applying.transact(&target, &staged).await
}

impl Applying {
    async fn run(&self, sql: &str, doing: &'static str) -> Result<()> {
        self.session.run(sql, doing, &self.plan.table).await
    }

    async fn change(&self, sql: &str) -> Result<u64> {
        self.session
            .execute(sql, &[], "change the table", &self.plan.table)
            .await
    }

    async fn count(&self, sql: &str) -> Result<u64> {
        self.session
            .count(sql, "count its rows", &self.plan.table)
            .await
    }

    fn check_names(&self) -> Result<()> {
        let names = self.plan.columns.iter().map(|column| column.name.as_str());
        let too_long = names
            .chain(
                self.plan
                    .table
                    .split_once('.')
                    .map_or([self.plan.table.as_str(), ""], |(a, b)| [a, b]),
            )
            .find(|name| name.len() > NAME_BYTES_MAX);
        match too_long {
            None => Ok(()),
            Some(name) => Err(ConnectorError::plan_invalid(
                &self.plan.table,
                format!(
                    "PostgreSQL takes names of at most {NAME_BYTES_MAX} bytes, {name} is longer"
                ),
            )),
        }
    }

    /// Refuses early what the transaction would refuse late.
    async fn check_cursor(&self) -> Result<()> {
        match self.session.cursor(&self.plan.consumer).await? {
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

    async fn target(&self) -> Result<Target> {
        let (session, table) = (&self.session, &self.plan.table);
        let Some(found) = catalog::find_table(session, table).await? else {
            let columns = self.plan.columns.iter().map(|_| None).collect();
            return Ok(Target {
                exists: false,
                columns,
            });
        };
        if !found.is_table {
            return Err(ConnectorError::plan_invalid(
                table,
                "it is a view, which can't be written",
            ));
        }
        let mut held = catalog::columns(session, table, &found).await?;
        let mut columns = Vec::with_capacity(self.plan.columns.len());
        for column in &self.plan.columns {
            let Some(place) = held.iter().position(|held| held.name == column.name) else {
                let may_add = self.plan.add_columns == AddColumns::Allow
                    && !self.plan.key.contains(&column.name);
                if may_add {
                    columns.push(None);
                    continue;
                }
                let (table, column) = (table.clone(), column.name.clone());
                return Err(ConnectorError::ColumnMissing { table, column });
            };
            let found = held.swap_remove(place);
            let taken = found.meaning.as_ref().map_err(Clone::clone);
            taken
                .and_then(|held| types::takes(held, column.column_type))
                .map_err(|reason| ConnectorError::type_refused(table, &column.name, reason))?;
            columns.push(Some(found));
        }
        let keys = catalog::unique_keys(session, table, &found).await?;
        let is_key = |columns: &Vec<String>| {
            columns.len() == self.plan.key.len()
                && self.plan.key.iter().all(|name| columns.contains(name))
        };
        if !keys.iter().any(|key| is_key(&key.columns)) {
            let (table, key) = (table.clone(), self.plan.key_list());
            return Err(ConnectorError::KeyMissing { table, key });
        }
        Ok(Target {
            exists: true,
            columns,
        })
    }

    /// The stage compares text as the table does, so that joining them can use the table's index.
    async fn create_stage(&self, target: &Target) -> Result<()> {
        let columns = joined(
            self.plan.columns.iter().zip(&target.columns),
            ", ",
            |(column, held)| {
                let collation = match (held, column.column_type) {
                    (Some(held), ColumnType::Text { .. }) => held
                        .collation
                        .as_ref()
                        .map_or(String::new(), |name| format!(" COLLATE {name}")),
                    _ => self.new_collation(column).to_owned(),
                };
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

    /// Key texts of our own tables lie in bytewise order, so that reading by key can use the index.
    fn new_collation(&self, column: &Column) -> &'static str {
        let is_text = matches!(column.column_type, ColumnType::Text { .. });
        if is_text && self.plan.key.contains(&column.name) {
            " COLLATE \"C\""
        } else {
            ""
        }
    }

    async fn fill_stage(&self, mut changes: BatchStream) -> Result<Staged> {
        let failed = |error| {
            self.session
                .failure("fill the stage", &self.plan.table, &error)
        };
        let sql = format!("COPY {STAGE} FROM STDIN (FORMAT binary)");
        let sink = self
            .session
            .client
            .copy_in::<_, Bytes>(&sql)
            .await
            .map_err(failed)?;
        let mut sink = std::pin::pin!(sink);
        let mut staged = Staged::default();
        let mut out = BytesMut::with_capacity(CHUNK_BYTES * 2);
        out.put_slice(COPY_HEADER);
        while let Some(batch) = changes.next().await {
            let batch = batch?;
            let rows = Rows::new(&batch)?;
            rows.check_columns(&self.plan.columns)?;
            self.plan.check_key_values(&rows)?;
            drop(rows);
            let mut next = 0;
            while next < batch.num_rows() {
                next = self.encode(&batch, next, &mut out, &mut staged)?;
                if out.len() >= CHUNK_BYTES {
                    sink.feed(out.split().freeze()).await.map_err(failed)?;
                }
            }
        }
        out.put_i16(COPY_TRAILER);
        sink.send(out.freeze()).await.map_err(failed)?;
        sink.finish().await.map_err(failed)?;
        Ok(staged)
    }

    /// Appends rows from `first` on until the chunk is full, and gives back where to go on.
    fn encode(
        &self,
        batch: &RecordBatch,
        first: usize,
        out: &mut BytesMut,
        staged: &mut Staged,
    ) -> Result<usize> {
        let rows = Rows::new(batch)?;
        let width = i16::try_from(self.plan.columns.len() + 2).map_err(|_| {
            ConnectorError::LimitPassed {
                what: "the number of columns",
                limit: 1_600,
            }
        })?;
        let mut row = first;
        while row < rows.len() && out.len() < CHUNK_BYTES {
            out.put_i16(width);
            for (position, column) in self.plan.columns.iter().enumerate() {
                let written = write_field(out, rows.value(row, position), column.column_type);
                written.map_err(|found| {
                    let (table, name) = (&self.plan.table, &column.name);
                    ConnectorError::value_refused(table, name, column.column_type, found)
                })?;
            }
            let op = rows.op(row);
            out.put_i32(2);
            out.put_i16(op.code().into());
            out.put_i32(8);
            out.put_u64(staged.upserts + staged.deletes);
            match op {
                Op::Upsert => staged.upserts += 1,
                Op::Delete => staged.deletes += 1,
            }
            row += 1;
        }
        Ok(row)
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
        if let Err(ConnectorError::KeyDuplicates { table, .. }) = indexed {
            let sql = format!(
                "SELECT COALESCE(sum(n - 1), 0)::bigint FROM (SELECT count(*) AS n FROM {STAGE} GROUP BY {key}) AS keys"
            );
            let duplicates = self.count(&sql).await?;
            return Err(ConnectorError::KeyDuplicates { table, duplicates });
        }
        indexed?;
        self.run(&format!("ANALYZE {STAGE}"), "look over the stage")
            .await
    }

    /// Counts what the table would cut, pad or round, and refuses it before the table is touched.
    async fn check_values(&self, target: &Target) -> Result<()> {
        for (column, held) in self.plan.columns.iter().zip(&target.columns) {
            let Some((changes, reason)) = narrowing(column, held.as_ref()) else {
                continue;
            };
            let upsert = Op::Upsert.code();
            let sql =
                format!("SELECT count(*) FROM {STAGE} WHERE {OP_COLUMN} = {upsert} AND {changes}");
            let refused = self.count(&sql).await?;
            if refused > 0 {
                return Err(ConnectorError::ValueRefused {
                    table: self.plan.table.clone(),
                    column: column.name.clone(),
                    reason: format!("in {refused} row(s) it {reason}"),
                });
            }
        }
        Ok(())
    }

    async fn transact(&self, before: &Target, staged: &Staged) -> Result<Applied> {
        self.run("BEGIN", "begin the change").await?;
        self.move_cursor().await?;
        // Somebody may have altered the table while the stage was filled.
        let mut target = self.target().await?;
        if !target.exists {
            self.lock_creation().await?;
            target = self.target().await?;
        }
        if target != *before {
            let reason = format!("table {} was altered meanwhile", self.plan.table);
            return Err(ConnectorError::Stopped { reason });
        }
        if !target.exists {
            self.create_table().await?;
        }
        let table = quoted_table(&self.plan.table);
        for (column, held) in self.plan.columns.iter().zip(&target.columns) {
            if target.exists && held.is_none() {
                let (name, declared) = (quoted(&column.name), types::declared(column.column_type));
                let sql = format!("ALTER TABLE {table} ADD COLUMN {name} {declared}");
                self.run(&sql, "add a column").await?;
            }
        }
        // Readers go on; another writer would make the counts untrue.
        let lock = format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
        self.run(&lock, "lock the table against other writers")
            .await?;
        let applied = self.change_rows(&target, staged).await?;
        self.run("COMMIT", "make the change last").await?;
        Ok(applied)
    }

    async fn lock_creation(&self) -> Result<()> {
        let sql = format!("SELECT pg_advisory_xact_lock({CREATION_LOCK})");
        self.run(&sql, "wait for another creation of tables").await
    }

    /// Comes first, because its row is the lock under which one consumer's appliers queue.
    async fn move_cursor(&self) -> Result<()> {
        if catalog::find_table(&self.session, CURSOR_TABLE)
            .await?
            .is_none()
        {
            self.lock_creation().await?;
            let create = format!(
                "CREATE TABLE IF NOT EXISTS {CURSOR_TABLE} (consumer varchar(191) PRIMARY KEY, \
                 cursor bigint NOT NULL, run_id text NOT NULL, applied_at timestamptz NOT NULL)"
            );
            self.run(&create, "create the table of cursors").await?;
        }
        let upsert = format!(
            "INSERT INTO {CURSOR_TABLE} AS c (consumer, cursor, run_id, applied_at) \
             VALUES ($1, $2, $3, now()) ON CONFLICT (consumer) DO UPDATE \
             SET cursor = excluded.cursor, run_id = excluded.run_id, applied_at = excluded.applied_at \
             WHERE c.cursor <= excluded.cursor"
        );
        let plan = &self.plan;
        let moved = self
            .session
            .execute(
                &upsert,
                &[&plan.consumer, &plan.cursor, &plan.run_id],
                "move the cursor",
                CURSOR_TABLE,
            )
            .await?;
        if moved == 1 {
            return Ok(());
        }
        let held = self.session.cursor(&plan.consumer).await?;
        Err(self.backwards(held.unwrap_or(plan.cursor)))
    }

    async fn create_table(&self) -> Result<()> {
        let table = quoted_table(&self.plan.table);
        let columns = joined(&self.plan.columns, ", ", |column| {
            let constraint = if column.nullable { "" } else { " NOT NULL" };
            let collation = self.new_collation(column);
            format!(
                "{} {}{collation}{constraint}",
                quoted(&column.name),
                types::declared(column.column_type)
            )
        });
        let indexes = joined(&self.plan.index_on, " ", |name| {
            let plain = self.plan.table.rsplit('.').next().unwrap_or_default();
            let index = format!("{plain}_by_{name}");
            // Too long a name is left to the server, which then makes one of its own.
            let index = if index.len() <= NAME_BYTES_MAX {
                quoted(&index)
            } else {
                String::new()
            };
            format!("CREATE INDEX {index} ON {table} ({});", quoted(name))
        });
        let key = self.key_columns();
        let sql = format!("CREATE TABLE {table} ({columns}, PRIMARY KEY ({key})); {indexes}");
        self.run(&sql, "create the table").await
    }

    async fn change_rows(&self, target: &Target, staged: &Staged) -> Result<Applied> {
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
            self.change(&self.upsert()).await?;
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
        let meaning = held.and_then(|held| held.meaning.as_ref().ok());
        let is_padded = meaning.is_some_and(|meaning| meaning.native == Native::Padded);
        let cast = if is_padded { "::bpchar" } else { "" };
        format!("s.{}{cast}", quoted(name))
    }

    fn same_key(&self, target: &Target) -> String {
        joined(self.plan.key_positions(), " AND ", |position| {
            let name = &self.plan.columns[position].name;
            let staged = Self::staged_side(target.columns[position].as_ref(), name);
            format!("t.{} = {staged}", quoted(name))
        })
    }

    /// Notes which staged rows meet one of the table, and whether it differs. The key is compared
    /// too: where the table folds case, its spelling may have changed.
    fn compare(&self, target: &Target) -> String {
        let columns = self.plan.columns.iter().zip(&target.columns);
        let differs = joined(columns, " OR ", |(column, held)| {
            let name = quoted(&column.name);
            let staged = Self::staged_side(held.as_ref(), &column.name);
            match column.column_type {
                ColumnType::Text { .. } => {
                    format!("t.{name} COLLATE \"C\" IS DISTINCT FROM {staged} COLLATE \"C\"")
                }
                _ => format!("t.{name} IS DISTINCT FROM {staged}"),
            }
        });
        format!(
            "CREATE TEMPORARY TABLE _tongqu_met AS SELECT s.{ROW}, ({differs}) AS differs \
             FROM {STAGE} AS s JOIN {} AS t ON {} WHERE s.{OP_COLUMN} = {}; ANALYZE {MET}",
            quoted_table(&self.plan.table),
            self.same_key(target),
            Op::Upsert.code()
        )
    }

    fn upsert(&self) -> String {
        let columns = joined(&self.plan.columns, ", ", |column| quoted(&column.name));
        let set = joined(&self.plan.columns, ", ", |column| {
            format!("{0} = excluded.{0}", quoted(&column.name))
        });
        format!(
            "INSERT INTO {} AS t ({columns}) SELECT {columns} FROM {STAGE} AS s \
             WHERE s.{OP_COLUMN} = {} AND NOT EXISTS \
             (SELECT 1 FROM {MET} AS m WHERE m.{ROW} = s.{ROW} AND NOT m.differs) \
             ON CONFLICT ({}) DO UPDATE SET {set}",
            quoted_table(&self.plan.table),
            Op::Upsert.code(),
            self.key_columns()
        )
    }

    fn key_columns(&self) -> String {
        joined(&self.plan.key, ", ", |name| quoted(name))
    }
}

/// Which staged values the table's column would change, as a condition, and in what way.
fn narrowing(column: &Column, held: Option<&HeldColumn>) -> Option<(String, String)> {
    let name = quoted(&column.name);
    let meaning = held.and_then(|held| held.meaning.as_ref().ok());
    let column_type = meaning.map_or(column.column_type, |meaning| meaning.column_type);
    if let Some(digits) = meaning.and_then(|meaning| meaning.second_digits) {
        let rounded = match column_type {
            ColumnType::Time => format!("{name}::time({digits})"),
            ColumnType::Instant => format!("{name}::timestamptz({digits})"),
            _ => format!("{name}::timestamp({digits})"),
        };
        let reason = format!("has more than the {digits} decimals of seconds that the table keeps");
        return Some((format!("{name} <> {rounded}"), reason));
    }
    let ColumnType::Text {
        chars_max: Some(chars_max),
    } = column_type
    else {
        return None;
    };
    if meaning.is_some_and(|meaning| meaning.native == Native::Padded) {
        let reason =
            format!("doesn't have the {chars_max} characters to which the table would pad it");
        return Some((format!("char_length({name}) <> {chars_max}"), reason));
    }
    let reason = format!("is longer than the {chars_max} characters of the column");
    Some((format!("char_length({name}) > {chars_max}"), reason))
}
