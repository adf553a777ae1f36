//! Applying changes to a PostgreSQL table, in one transaction: COPY into a temporary stage and from there into the
//! table, or, where a consumer begins with an empty table, COPY straight into it. A handful of rows is bound to
//! statements instead, over a session that is kept.
//!
//! Neither `nextval()` nor MERGE is used, so that the same statements run where the table is
//! distributed over several servers (Citus).

mod encode;
mod short;
mod staged;
mod straight;

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use tokio_postgres::types::ToSql;
use tongqu_domain::exchange::{Column, ColumnType};

use self::encode::Encoder;
use self::short::{Gathered, Outcome};
use super::catalog::{self, HeldColumn};
use super::types;
use super::{NAME_BYTES_MAX, PostgresStore, Session, quoted, quoted_table};
use crate::rows::Rows;
use crate::store::CURSOR_TABLE;
use crate::text::joined;
use crate::{AddColumns, Applied, ApplyPlan, BatchStream, ConnectorError, Result};

/// Taken, with the table's own number, while a table is created, so that two appliers don't create the same one
/// at once. Any number that others are unlikely to use.
const CREATION_LOCK: i32 = 1_738_503_422;

struct Applying {
    session: Session,
    plan: ApplyPlan,
}

/// When a table that is created gets its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    AtOnce,
    /// When the rows are in: making an index of them all is much cheaper than adding each to one.
    Later,
}

/// What the plan meets in the database.
#[derive(PartialEq, Eq)]
struct Target {
    exists: bool,
    /// What the table has for each column of the plan; `None` if it is to be added.
    columns: Vec<Option<HeldColumn>>,
}

pub(super) async fn apply(
    store: &PostgresStore,
    plan: ApplyPlan,
    changes: BatchStream,
) -> Result<Applied> {
    let session = store.session().await?;
    let applying = Applying { session, plan };
    applying.check_names()?;
    let reached = applying.check_cursor().await?;
    let target = applying.target().await?;
    // Whoever begins has nothing to compare with; only then is the table itself looked at.
    if reached.is_none() && applying.fits_straight(&target) && applying.is_empty(&target).await? {
        // A stream that fails at once touches nothing, and one that is slow to begin locks nothing.
        let mut changes = changes.peekable();
        Pin::new(&mut changes).peek().await;
        if applying.begin_straight(&target).await? {
            return applying.copy_straight(&target, changes.boxed()).await;
        }
        return applying.apply_staged(&target, changes.boxed()).await;
    }
    if reached.is_none() || !applying.may_be_short(&target) {
        return applying.apply_staged(&target, changes).await;
    }
    let batches = match applying.gather(changes).await {
        Gathered::Many(changes) => return applying.apply_staged(&target, changes).await,
        Gathered::Few(batches) => batches,
    };
    match applying.apply_short(&target, &batches).await? {
        Outcome::Done(applied) => {
            store.kept.keep(applying.session);
            Ok(applied)
        }
        Outcome::Disturbed => {
            let changes = stream::iter(batches.into_iter().map(Ok)).boxed();
            applying.apply_staged(&target, changes).await
        }
    }
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

    /// Refuses early what the transaction would refuse late. Gives how far the consumer has come.
    async fn check_cursor(&self) -> Result<Option<i64>> {
        match self.session.cursor(&self.plan.consumer).await? {
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

    /// Key texts of our own tables lie in bytewise order, so that reading by key can use the index.
    fn new_collation(&self, column: &Column) -> &'static str {
        let is_text = matches!(column.column_type, ColumnType::Text { .. });
        if is_text && self.plan.key.contains(&column.name) {
            " COLLATE \"C\""
        } else {
            ""
        }
    }

    /// Begins the transaction: the cursor moves, the table is looked at again, and other writers are kept out.
    /// A table that is missing is created, with its keys if `keys` says so.
    async fn begin_change(&self, before: &Target, keys: Keys) -> Result<()> {
        self.create_cursor_table().await?;
        self.run("BEGIN", "begin the change").await?;
        self.move_cursor().await?;
        // Somebody may have altered the table meanwhile.
        let mut target = self.target().await?;
        if !target.exists {
            self.lock_creation(&self.plan.table).await?;
            target = self.target().await?;
        }
        if target != *before {
            let reason = format!("table {} was altered meanwhile", self.plan.table);
            return Err(ConnectorError::Stopped { reason });
        }
        if !target.exists {
            self.create_table().await?;
            if keys == Keys::AtOnce {
                self.create_keys().await?;
            }
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
            .await
    }

    async fn commit(&self) -> Result<()> {
        self.run("COMMIT", "make the change last").await
    }

    /// Holds back whoever would create the same table, until the transaction ends.
    async fn lock_creation(&self, table: &str) -> Result<()> {
        let sql = "SELECT pg_advisory_xact_lock($1, hashtext($2))";
        let doing = "wait for another creation of the table";
        self.session
            .execute(sql, &[&CREATION_LOCK, &table], doing, table)
            .await
            .map(drop)
    }

    /// In a transaction of its own: what one consumer brings may take long, and all share this table.
    async fn create_cursor_table(&self) -> Result<()> {
        if catalog::find_table(&self.session, CURSOR_TABLE)
            .await?
            .is_some()
        {
            return Ok(());
        }
        self.run("BEGIN", "create the table of cursors").await?;
        self.lock_creation(CURSOR_TABLE).await?;
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {CURSOR_TABLE} (consumer varchar(191) PRIMARY KEY, \
             cursor bigint NOT NULL, run_id text NOT NULL, applied_at timestamptz NOT NULL)"
        );
        self.run(&create, "create the table of cursors").await?;
        self.commit().await
    }

    /// Comes first, because its row is the lock under which one consumer's appliers queue.
    async fn move_cursor(&self) -> Result<()> {
        let before = if self.plan.advances { "<" } else { "<=" };
        let upsert = format!(
            "INSERT INTO {CURSOR_TABLE} AS c (consumer, cursor, run_id, applied_at) \
             VALUES ($1, $2, $3, now()) ON CONFLICT (consumer) DO UPDATE \
             SET cursor = excluded.cursor, run_id = excluded.run_id, applied_at = excluded.applied_at \
             WHERE c.cursor {before} excluded.cursor"
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
            return self.set_marks().await;
        }
        let held = self.session.cursor(&plan.consumer).await?;
        Err(self.backwards(held.unwrap_or(plan.cursor)))
    }

    async fn set_marks(&self) -> Result<()> {
        let upsert = format!(
            "INSERT INTO {CURSOR_TABLE} (consumer, cursor, run_id, applied_at) VALUES ($1, $2, $3, now()) \
             ON CONFLICT (consumer) DO UPDATE SET cursor = excluded.cursor, run_id = excluded.run_id, \
             applied_at = excluded.applied_at"
        );
        for (name, cursor) in &self.plan.marks {
            let values: [&(dyn ToSql + Sync); 3] = [name, cursor, &self.plan.run_id];
            self.session
                .execute(&upsert, &values, "move the cursor", CURSOR_TABLE)
                .await?;
        }
        Ok(())
    }

    async fn create_table(&self) -> Result<()> {
        let columns = joined(&self.plan.columns, ", ", |column| {
            let constraint = if column.nullable { "" } else { " NOT NULL" };
            let collation = self.new_collation(column);
            format!(
                "{} {}{collation}{constraint}",
                quoted(&column.name),
                types::declared(column.column_type)
            )
        });
        let table = quoted_table(&self.plan.table);
        self.run(
            &format!("CREATE TABLE {table} ({columns})"),
            "create the table",
        )
        .await
    }

    /// The key and the indexes of a table that was created.
    async fn create_keys(&self) -> Result<()> {
        let table = quoted_table(&self.plan.table);
        let key = self.key_columns();
        self.run(
            &format!("ALTER TABLE {table} ADD PRIMARY KEY ({key})"),
            "make its key",
        )
        .await?;
        for name in &self.plan.index_on {
            let plain = self.plan.table.rsplit('.').next().unwrap_or_default();
            let index = format!("{plain}_by_{name}");
            // Too long a name is left to the server, which then makes one of its own.
            let index = if index.len() <= NAME_BYTES_MAX {
                quoted(&index)
            } else {
                String::new()
            };
            let sql = format!("CREATE INDEX {index} ON {table} ({})", quoted(name));
            self.run(&sql, "make an index").await?;
        }
        Ok(())
    }

    /// Sends the changes into `into`, a table and its columns, in the form that `encoder` gives them.
    async fn copy_in(
        &self,
        into: &str,
        encoder: &mut Encoder<'_>,
        mut changes: BatchStream,
    ) -> Result<()> {
        let failed = |error| {
            self.session
                .failure("take in the rows", &self.plan.table, &error)
        };
        let sql = format!("COPY {into} FROM STDIN (FORMAT binary)");
        let sink = self.session.client.copy_in::<_, Bytes>(&sql).await;
        let mut sink = std::pin::pin!(sink.map_err(failed)?);
        while let Some(batch) = changes.next().await {
            let batch = batch?;
            {
                let rows = Rows::new(&batch)?;
                rows.check_columns(&self.plan.columns)?;
                self.plan.check_key_values(&rows)?;
            }
            let mut next = 0;
            while next < batch.num_rows() {
                next = encoder.encode(&batch, next)?;
                if let Some(chunk) = encoder.full_chunk() {
                    sink.feed(chunk).await.map_err(failed)?;
                }
            }
        }
        sink.send(encoder.last_chunk()).await.map_err(failed)?;
        sink.finish().await.map_err(failed)?;
        Ok(())
    }

    /// What a unique index said in general, with the number of rows of `table` that stand in its way.
    async fn count_duplicates(&self, refused: ConnectorError, table: &str) -> ConnectorError {
        let ConnectorError::KeyDuplicates { .. } = refused else {
            return refused;
        };
        let key = self.key_columns();
        let sql = format!(
            "SELECT COALESCE(sum(n - 1), 0)::bigint FROM (SELECT count(*) AS n FROM {table} GROUP BY {key}) AS keys"
        );
        match self.count(&sql).await {
            Ok(duplicates) => ConnectorError::KeyDuplicates {
                table: self.plan.table.clone(),
                duplicates,
            },
            Err(error) => error,
        }
    }

    fn key_columns(&self) -> String {
        joined(&self.plan.key, ", ", |name| quoted(name))
    }
}
