//! Applying changes to a MySQL table, in one transaction: into a temporary stage and from there into the table, or,
//! where a consumer begins with an empty table, straight into it.
//!
//! DDL ends a transaction there, so what is missing is created before it.

mod encode;
mod intake;
mod staged;
mod straight;

use tongqu_domain::exchange::{Column, ColumnType};

use self::straight::Begun;
use super::catalog::{self, HeldColumn};
use super::types;
use super::{Locking, Session, quoted, quoted_table};
use crate::store::CURSOR_TABLE;
use crate::text::joined;
use crate::{AddColumns, Applied, ApplyPlan, BatchStream, ConnectorError, Result};

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
    let reached = applying.check_cursor(Locking::None).await?;
    let mut target = applying.target().await?;
    let declared = applying.declared()?;
    let mut changes = changes;
    // Whoever begins has nothing to compare with; only then is the table itself looked at.
    if reached.is_none() && applying.is_straight(&target).await? {
        changes = match applying.apply_straight(&target, &declared, changes).await? {
            Begun::Applied(applied) => return Ok(applied),
            Begun::Taken(changes) => {
                target = applying.target().await?;
                changes
            }
        };
    }
    applying.apply_staged(&target, &declared, changes).await
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
            Some(held) if self.plan.comes_too_late(held) => Err(ConnectorError::CursorBackwards {
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
        // Somebody may have altered or created the table meanwhile.
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

    /// Begins the transaction, in which the cursor moves first.
    async fn begin_change(&mut self) -> Result<()> {
        // Locking reads of this level keep what was looked at from changing before it is written.
        let level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
        self.run(level, "begin the change").await?;
        self.run("START TRANSACTION", "begin the change").await?;
        self.move_cursor().await
    }

    async fn commit(&mut self) -> Result<()> {
        self.run("COMMIT", "make the change last").await
    }

    /// Comes first, because its row is the lock under which one consumer's appliers queue. The row is made before it
    /// is read: reading for what isn't there would lock the gap around it, and hold up who begins beside.
    async fn move_cursor(&mut self) -> Result<()> {
        let plan = &self.plan;
        // A row that is made here is to be found behind where it is put next.
        let behind = plan.cursor.saturating_sub(1);
        let values = (plan.consumer.clone(), behind, plan.run_id.clone());
        let moving = (plan.cursor, plan.run_id.clone(), plan.consumer.clone());
        let make = format!(
            "INSERT INTO {CURSOR_TABLE} (consumer, `cursor`, run_id, applied_at) \
             VALUES (?, ?, ?, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE `cursor` = `cursor`"
        );
        self.session
            .execute(&make, values, "move the cursor", CURSOR_TABLE)
            .await?;
        self.check_cursor(Locking::ForUpdate).await?;
        let update = format!(
            "UPDATE {CURSOR_TABLE} SET `cursor` = ?, run_id = ?, applied_at = UTC_TIMESTAMP(6) WHERE consumer = ?"
        );
        self.session
            .execute(&update, moving, "move the cursor", CURSOR_TABLE)
            .await?;
        let mark = format!(
            "INSERT INTO {CURSOR_TABLE} (consumer, `cursor`, run_id, applied_at) VALUES (?, ?, ?, UTC_TIMESTAMP(6)) \
             ON DUPLICATE KEY UPDATE `cursor` = VALUES(`cursor`), run_id = VALUES(run_id), \
             applied_at = VALUES(applied_at)"
        );
        for (name, cursor) in &self.plan.marks {
            let values = (name.clone(), *cursor, self.plan.run_id.clone());
            self.session
                .execute(&mark, values, "move the cursor", CURSOR_TABLE)
                .await?;
        }
        Ok(())
    }

    fn key_columns(&self) -> String {
        joined(&self.plan.key, ", ", |name| quoted(name))
    }
}
