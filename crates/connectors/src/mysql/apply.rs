//! Applying changes to a MySQL table: multi-row inserts into a temporary stage, then one transaction.
//!
//! A statement may name a temporary table only once there, and DDL ends a transaction: each
//! statement below is written to that.

use futures_util::StreamExt;
use mysql_async::{Params, Value as Stored};
use tongqu_domain::exchange::{Column, ColumnType};

use super::catalog::{self, HeldColumn};
use super::types::{self, Limits};
use super::{Locking, Session, quoted, quoted_table};
use crate::rows::{OP_COLUMN, Op, Rows};
use crate::store::CURSOR_TABLE;
use crate::text::joined;
use crate::{
    AddColumns, Applied, ApplyMode, ApplyPlan, BatchStream, ConnectorError, RecordBatch, Result,
};

const STAGE: &str = "`_tongqu_stage`";

/// Values of one statement: the protocol counts them in 16 bits.
const VALUES_MAX: usize = 65_535;

/// Rows of one statement: beyond it the round trips hardly count any more.
const ROWS_MAX: usize = 1_000;

/// Bytes of one statement, well below what servers accept in a packet by default (4 MiB and more).
const BYTES_MAX: usize = 1024 * 1024;

struct Applying {
    session: Session,
    plan: ApplyPlan,
    /// The collation of texts in tables that we create.
    collation: String,
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

/// Rows on their way to the stage.
#[derive(Default)]
struct Pending {
    values: Vec<Stored>,
    rows: usize,
    bytes: usize,
}

pub(super) async fn apply(
    mut session: Session,
    plan: ApplyPlan,
    changes: BatchStream,
) -> Result<Applied> {
    let collation = best_collation(&mut session).await?;
    let mut applying = Applying {
        session,
        plan,
        collation,
    };
    applying.check_cursor(Locking::None).await?;
    let target = applying.target().await?;
    let declared = applying.declared()?;
    applying.create_stage(&target, &declared).await?;
    let limits = applying.limits(&target, &declared);
    let staged = applying.fill_stage(changes, &limits).await?;
    applying.prepare_tables(&target, &declared).await?;
    applying.transact(&staged).await
}

async fn best_collation(session: &mut Session) -> Result<String> {
    let sql = "SELECT CAST(c.COLLATION_NAME AS CHAR) FROM information_schema.COLLATIONS c \
               WHERE c.COLLATION_NAME IN (?, ?, ?)";
    let rows = session
        .rows(
            sql,
            <(&str, &str, &str)>::from(catalog::COLLATIONS),
            "look for its collations",
            "",
        )
        .await?;
    let known: Vec<String> = rows.iter().filter_map(|row| row.get(0)).collect();
    let best = catalog::COLLATIONS
        .into_iter()
        .find(|name| known.iter().any(|known| known == name));
    Ok(best.unwrap_or("utf8mb4_bin").to_owned())
}

impl Applying {
    async fn run(&mut self, sql: &str, doing: &'static str) -> Result<()> {
        self.session.run(sql, doing, &self.plan.table).await
    }

    async fn change(&mut self, sql: &str) -> Result<u64> {
        self.session
            .execute(sql, (), "change the table", &self.plan.table)
            .await
    }

    async fn check_cursor(&mut self, locking: Locking) -> Result<Option<i64>> {
        match self.session.cursor(&self.plan.consumer, locking).await? {
            Some(held) if held > self.plan.cursor => Err(ConnectorError::CursorBackwards {
                consumer: self.plan.consumer.clone(),
                held,
                offered: self.plan.cursor,
            }),
            held => Ok(held),
        }
    }

    async fn target(&mut self) -> Result<Target> {
        let table = self.plan.table.clone();
        let Some(found) = catalog::find_table(&mut self.session, &table).await? else {
            let columns = self.plan.columns.iter().map(|_| None).collect();
            return Ok(Target {
                exists: false,
                columns,
            });
        };
        if found.is_view {
            return Err(ConnectorError::plan_invalid(
                &table,
                "it is a view, which can't be written",
            ));
        }
        if !found.is_transactional {
            return Err(ConnectorError::NotTransactional {
                table,
                engine: found.engine,
            });
        }
        let held = catalog::columns(&mut self.session, &table).await?;
        let mut columns = Vec::with_capacity(self.plan.columns.len());
        let mut held: Vec<Option<HeldColumn>> = held.into_iter().map(Some).collect();
        for column in &self.plan.columns {
            columns.push(self.held_for(column, &mut held)?);
        }
        let keys = catalog::unique_keys(&mut self.session, &table).await?;
        let is_key = |columns: &Vec<String>| {
            let has = |name: &String| {
                columns
                    .iter()
                    .any(|c| c.to_lowercase() == name.to_lowercase())
            };
            columns.len() == self.plan.key.len() && self.plan.key.iter().all(has)
        };
        if !keys.iter().any(|key| is_key(&key.columns)) {
            return Err(ConnectorError::KeyMissing {
                table,
                key: self.plan.key_list(),
            });
        }
        Ok(Target {
            exists: true,
            columns,
        })
    }

    fn held_for(
        &self,
        column: &Column,
        held: &mut [Option<HeldColumn>],
    ) -> Result<Option<HeldColumn>> {
        let table = &self.plan.table;
        let wanted = column.name.to_lowercase();
        let is_wanted = |held: &Option<HeldColumn>| {
            held.as_ref()
                .is_some_and(|h| h.name.to_lowercase() == wanted)
        };
        let Some(found) = held
            .iter_mut()
            .find(|held| is_wanted(held))
            .and_then(Option::take)
        else {
            let may_add =
                self.plan.add_columns == AddColumns::Allow && !self.plan.key.contains(&column.name);
            if may_add {
                return Ok(None);
            }
            let (table, column) = (table.clone(), column.name.clone());
            return Err(ConnectorError::ColumnMissing { table, column });
        };
        if found.is_generated {
            let reason = "the database computes it itself, so nothing can be written there";
            return Err(ConnectorError::type_refused(table, &column.name, reason));
        }
        let meaning = found.meaning.as_ref().map_err(Clone::clone);
        meaning
            .and_then(|held| types::takes(held, column.column_type))
            .map_err(|reason| ConnectorError::type_refused(table, &column.name, reason))?;
        Ok(Some(found))
    }

    /// The type of each column where we declare it ourselves.
    fn declared(&self) -> Result<Vec<String>> {
        let is_key = |column: &&Column| self.plan.key.contains(&column.name);
        let is_long = |column: &&Column| {
            matches!(
                column.column_type,
                ColumnType::Text { .. } | ColumnType::Bytes
            )
        };
        let texts = self
            .plan
            .columns
            .iter()
            .filter(is_key)
            .filter(is_long)
            .count();
        let texts = u32::try_from(texts).expect("a key has few columns");
        let declared = self.plan.columns.iter().map(|column| {
            if is_key(&column) {
                types::declared_key(column.column_type, texts).map_err(|reason| {
                    ConnectorError::type_refused(&self.plan.table, &column.name, reason)
                })
            } else {
                Ok(types::declared(column.column_type))
            }
        });
        declared.collect()
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
            "CREATE TEMPORARY TABLE {STAGE} ({}, {OP_COLUMN} TINYINT NOT NULL, PRIMARY KEY ({})) \
             ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {}",
            columns.join(", "),
            self.key_columns(),
            self.collation
        );
        self.run(&sql, "create the stage").await
    }

    /// What each column of the table would change in a value without a word.
    fn limits(&self, target: &Target, declared: &[String]) -> Vec<Limits> {
        let held = target.columns.iter().zip(declared).map(|(held, declared)| {
            let meaning = held.as_ref().and_then(|held| held.meaning.as_ref().ok());
            meaning.map_or_else(|| types::limits_of(declared), |meaning| meaning.limits)
        });
        held.collect()
    }

    async fn fill_stage(&mut self, mut changes: BatchStream, limits: &[Limits]) -> Result<Staged> {
        let mut staged = Staged::default();
        let mut pending = Pending::default();
        // Without a transaction each statement would wait for the temporary table's own commit.
        self.run("START TRANSACTION", "fill the stage").await?;
        while let Some(batch) = changes.next().await {
            let batch = batch?;
            let mut next = 0;
            {
                let rows = Rows::new(&batch)?;
                rows.check_columns(&self.plan.columns)?;
                self.plan.check_key_values(&rows)?;
            }
            while next < batch.num_rows() {
                next = self.take_rows(&batch, next, limits, &mut pending, &mut staged)?;
                if self.is_full(&pending) {
                    self.insert(&mut pending).await?;
                }
            }
        }
        if pending.rows > 0 {
            self.insert(&mut pending).await?;
        }
        self.run("COMMIT", "fill the stage").await?;
        Ok(staged)
    }

    fn is_full(&self, pending: &Pending) -> bool {
        let width = self.plan.columns.len() + 1;
        pending.rows >= ROWS_MAX.min(VALUES_MAX / width) || pending.bytes >= BYTES_MAX
    }

    /// Takes rows from `first` on until the statement is full, and gives back where to go on.
    fn take_rows(
        &self,
        batch: &RecordBatch,
        first: usize,
        limits: &[Limits],
        pending: &mut Pending,
        staged: &mut Staged,
    ) -> Result<usize> {
        let rows = Rows::new(batch)?;
        let mut row = first;
        while row < rows.len() && !self.is_full(pending) {
            let op = rows.op(row);
            match op {
                Op::Upsert => staged.upserts += 1,
                Op::Delete => staged.deletes += 1,
            }
            for (position, (column, limits)) in self.plan.columns.iter().zip(limits).enumerate() {
                let value = rows.value(row, position);
                let refused = |reason: String| ConnectorError::ValueRefused {
                    table: self.plan.table.clone(),
                    column: column.name.clone(),
                    reason,
                };
                if let Some(reason) = limits.refusal(value) {
                    return Err(refused(reason));
                }
                let bound =
                    types::bound(value).map_err(|found| refused(format!("it is {found}")))?;
                pending.bytes += if let Stored::Bytes(bytes) = &bound {
                    bytes.len()
                } else {
                    0
                };
                pending.values.push(bound);
            }
            pending.values.push(Stored::Int(op.code().into()));
            pending.rows += 1;
            row += 1;
        }
        Ok(row)
    }

    async fn insert(&mut self, pending: &mut Pending) -> Result<()> {
        let pending = std::mem::take(pending);
        let row = format!(
            "({})",
            joined(0..=self.plan.columns.len(), ",", |_| "?".to_owned())
        );
        let rows = joined(0..pending.rows, ",", |_| row.clone());
        let sql = format!("INSERT INTO {STAGE} VALUES {rows}");
        let values = Params::Positional(pending.values);
        self.session
            .execute(&sql, values, "fill the stage", &self.plan.table)
            .await
            .map(|_| ())
    }

    /// Creates what is missing. Since DDL ends transactions, an apply that dies right after leaves
    /// an empty table or column, which the next one finds and fills.
    async fn prepare_tables(&mut self, before: &Target, declared: &[String]) -> Result<()> {
        if catalog::find_table(&mut self.session, CURSOR_TABLE)
            .await?
            .is_none()
        {
            let sql = format!(
                "CREATE TABLE IF NOT EXISTS {CURSOR_TABLE} (consumer VARCHAR(191) NOT NULL PRIMARY KEY, \
                 `cursor` BIGINT NOT NULL, run_id LONGTEXT NOT NULL, applied_at DATETIME(6) NOT NULL) \
                 ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {}",
                self.collation
            );
            self.run(&sql, "create the table of cursors").await?;
        }
        let table = quoted_table(&self.plan.table);
        if before.exists {
            for ((column, held), declared) in self
                .plan
                .columns
                .clone()
                .iter()
                .zip(&before.columns)
                .zip(declared)
            {
                if held.is_none() {
                    let definition = self.definition(column, declared, "NULL DEFAULT NULL");
                    self.run(
                        &format!("ALTER TABLE {table} ADD COLUMN {definition}"),
                        "add a column",
                    )
                    .await?;
                }
            }
        } else {
            let sql = self.creation(&table, declared);
            self.run(&sql, "create the table").await?;
        }
        // Somebody may have altered or created the table while the stage was filled.
        let now = self.target().await?;
        let was_altered = now
            .columns
            .iter()
            .zip(&before.columns)
            .any(|(now, before)| before.is_some() && now != before);
        if was_altered {
            let reason = format!("table {} was altered meanwhile", self.plan.table);
            return Err(ConnectorError::Stopped { reason });
        }
        Ok(())
    }

    fn definition(&self, column: &Column, declared: &str, constraint: &str) -> String {
        let collation = match column.column_type {
            ColumnType::Text { .. } => format!(" CHARACTER SET utf8mb4 COLLATE {}", self.collation),
            _ => String::new(),
        };
        format!(
            "{} {declared}{collation} {constraint}",
            quoted(&column.name)
        )
    }

    fn creation(&self, table: &str, declared: &[String]) -> String {
        let columns = joined(
            self.plan.columns.iter().zip(declared),
            ", ",
            |(column, declared)| {
                // Without a default a TIMESTAMP would get one of the server's own, which changes it.
                let constraint = match (column.nullable, column.column_type) {
                    (true, _) => "NULL DEFAULT NULL",
                    (false, ColumnType::Instant) => "NOT NULL DEFAULT '1970-01-01 00:00:01'",
                    (false, _) => "NOT NULL",
                };
                self.definition(column, declared, constraint)
            },
        );
        let indexes = joined(&self.plan.index_on, "", |name| {
            let plain = self.plan.table.rsplit('.').next().unwrap_or_default();
            let index = format!("{plain}_by_{name}");
            // Too long a name is left to the server, which then makes one of its own.
            let index = if index.chars().count() <= 64 {
                quoted(&index)
            } else {
                String::new()
            };
            format!(", INDEX {index} ({})", quoted(name))
        });
        format!(
            "CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({}){indexes}) \
             ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {}",
            self.key_columns(),
            self.collation
        )
    }

    async fn transact(&mut self, staged: &Staged) -> Result<Applied> {
        // Locking reads of this level keep what was looked at from changing before it is written.
        self.run(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "begin the change",
        )
        .await?;
        self.run("START TRANSACTION", "begin the change").await?;
        self.move_cursor().await?;
        let target = self.target().await?;
        let applied = self.change_rows(&target, staged).await?;
        self.run("COMMIT", "make the change last").await?;
        Ok(applied)
    }

    /// Comes first, because its row is the lock under which one consumer's appliers queue.
    async fn move_cursor(&mut self) -> Result<()> {
        self.check_cursor(Locking::ForUpdate).await?;
        let sql = format!(
            "INSERT INTO {CURSOR_TABLE} (consumer, `cursor`, run_id, applied_at) \
             VALUES (?, ?, ?, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE \
             `cursor` = VALUES(`cursor`), run_id = VALUES(run_id), applied_at = VALUES(applied_at)"
        );
        let plan = &self.plan;
        let values = (plan.consumer.clone(), plan.cursor, plan.run_id.clone());
        self.session
            .execute(&sql, values, "move the cursor", CURSOR_TABLE)
            .await
            .map(|_| ())
    }

    async fn change_rows(&mut self, target: &Target, staged: &Staged) -> Result<Applied> {
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
                "DELETE t FROM {table} AS t JOIN {STAGE} AS s ON {same_key} WHERE s.{OP_COLUMN} = {delete}"
            );
            self.change(&sql).await?
        };
        let superfluous = match self.plan.mode {
            ApplyMode::Upsert => 0,
            ApplyMode::ReplaceAll => {
                let sql = format!(
                    "DELETE t FROM {table} AS t LEFT JOIN {STAGE} AS s ON {same_key} AND s.{OP_COLUMN} = {upsert} \
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
                    "UPDATE {table} AS t JOIN {STAGE} AS s ON {same_key} SET {set} \
                     WHERE s.{OP_COLUMN} = {upsert} AND ({differs})"
                ))
                .await?;
            let new = joined(&self.plan.columns, ", ", |column| {
                format!("s.{}", quoted(&column.name))
            });
            let inserted = self
                .change(&format!(
                    "INSERT INTO {table} ({columns}) SELECT {new} FROM {STAGE} AS s LEFT JOIN {table} AS t ON {same_key} \
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

    fn key_columns(&self) -> String {
        joined(&self.plan.key, ", ", |name| quoted(name))
    }
}
