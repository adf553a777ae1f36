//! Applying changes to a table behind ODBC: into a stage of the session's own, many rows with each call, then one
//! transaction.
//!
//! Where creating a table ends a transaction, what is missing is created before it: an apply that dies right after
//! leaves an empty table or column, which the next one finds and fills.

mod intake;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};

use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

use self::intake::Staged;
use super::catalog::{self, HeldColumn};
use super::dialect::Upsert;
use super::session::{Access, Session};
use super::{Place, on_thread};
use crate::apply::CONSUMER_CHARS_MAX;
use crate::batches::{Changes, fed};
use crate::rows::{OP_COLUMN, Op};
use crate::store::CURSOR_TABLE;
use crate::text::joined;
use crate::{AddColumns, Applied, ApplyMode, ApplyPlan, BatchStream, ConnectorError, Result};

const DOING: &str = "change the table";

pub(super) async fn apply(place: Place, plan: ApplyPlan, changes: BatchStream) -> Result<Applied> {
    plan.check()?;
    let own = place.clone();
    fed(changes, |changes| {
        on_thread(&place, move || {
            let session = Session::open(&own, Access::Write)?;
            let applying = Applying::new(&session, plan);
            let applied = applying.run(changes);
            if applied.is_err() {
                session.roll_back();
            }
            applying.drop_stage();
            applied
        })
    })
    .await
}

struct Applying<'a> {
    session: &'a Session,
    plan: ApplyPlan,
    /// The stage, as it stands in SQL.
    stage: String,
}

/// What the plan meets in the database.
#[derive(PartialEq, Eq)]
struct Target {
    exists: bool,
    /// What the table has for each column of the plan; `None` if it is to be added.
    columns: Vec<Option<HeldColumn>>,
}

impl<'a> Applying<'a> {
    fn new(session: &'a Session, plan: ApplyPlan) -> Self {
        let stage = session.dialect.stage(&own_name(&plan));
        Self {
            session,
            plan,
            stage,
        }
    }

    fn run(&self, mut changes: Changes) -> Result<Applied> {
        if let Some(reason) = self.session.dialect.refuses_writing() {
            return Err(ConnectorError::plan_invalid(
                &self.plan.table,
                format!("it can't be written to through ODBC: {reason}"),
            ));
        }
        if catalog::find_table(self.session, CURSOR_TABLE)?.is_some() {
            self.check_cursor()?;
        }
        let target = self.target()?;
        let declared = self.declared(&target)?;
        self.create_stage()?;
        let staged = self.take_in(&target, &mut changes)?;
        self.check_stage(&staged)?;
        self.create_cursor_table()?;
        if self.session.dialect.creates_outside() {
            self.create_what_is_missing(&target, &declared)?;
            self.session.commit(DOING, &self.plan.table)?;
        }
        self.move_cursor()?;
        if !self.session.dialect.creates_outside() {
            self.create_what_is_missing(&target, &declared)?;
        }
        if let Some(lock) = self.session.dialect.lock(&self.table()) {
            self.run_sql(&lock, "lock the table against other writers")?;
        }
        let applied = self.change_rows(&target, &staged)?;
        self.session
            .commit("make the change last", &self.plan.table)?;
        Ok(applied)
    }

    fn run_sql(&self, sql: &str, doing: &'static str) -> Result<()> {
        self.session.run(sql, doing, &self.plan.table)
    }

    fn change(&self, sql: &str) -> Result<u64> {
        self.session
            .change(sql, Vec::new(), DOING, &self.plan.table)
    }

    fn count(&self, sql: &str) -> Result<u64> {
        self.session.count(sql, "count its rows", &self.plan.table)
    }

    fn table(&self) -> String {
        self.session.quoted_table(&self.plan.table)
    }

    fn quoted(&self, name: &str) -> String {
        self.session.quoted(name)
    }

    /// Refuses early what the transaction would refuse late, where there is a table of cursors.
    fn check_cursor(&self) -> Result<()> {
        match self.session.cursor_there(&self.plan.consumer)? {
            Some(held) if self.plan.comes_too_late(held) => Err(self.backwards(held)),
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

    fn target(&self) -> Result<Target> {
        let table = &self.plan.table;
        for column in &self.plan.columns {
            self.session.check_name(table, &column.name)?;
        }
        let Some(found) = catalog::find_table(self.session, table)? else {
            return Ok(Target {
                exists: false,
                columns: self.plan.columns.iter().map(|_| None).collect(),
            });
        };
        if found.is_view {
            return Err(ConnectorError::plan_invalid(
                table,
                "it is a view, which can't be written",
            ));
        }
        let mut held = catalog::columns(self.session, table, &found)?;
        let columns = self.plan.columns.iter();
        let columns = columns
            .map(|column| self.held_for(column, &mut held))
            .collect::<Result<Vec<_>>>()?;
        let keys = catalog::unique_keys(self.session, table, &found)?;
        let is_key = |columns: &Vec<String>| {
            columns.len() == self.plan.key.len()
                && self.plan.key.iter().all(|name| columns.contains(name))
        };
        if !keys.iter().any(is_key) {
            return Err(ConnectorError::KeyMissing {
                table: table.clone(),
                key: self.plan.key_list(),
            });
        }
        Ok(Target {
            exists: true,
            columns,
        })
    }

    fn held_for(&self, column: &Column, held: &mut Vec<HeldColumn>) -> Result<Option<HeldColumn>> {
        let table = &self.plan.table;
        let Some(place) = held.iter().position(|held| held.name == column.name) else {
            let may_add =
                self.plan.add_columns == AddColumns::Allow && !self.plan.key.contains(&column.name);
            return if may_add {
                Ok(None)
            } else {
                Err(ConnectorError::ColumnMissing {
                    table: table.clone(),
                    column: column.name.clone(),
                })
            };
        };
        let found = held.swap_remove(place);
        let meaning = catalog::meaning(&found, table)?;
        let refused = |reason: String| ConnectorError::type_refused(table, &column.name, reason);
        if meaning.is_generated {
            let reason = "the database computes it itself, so nothing can be written there";
            return Err(refused(reason.to_owned()));
        }
        self.session
            .dialect
            .takes(meaning, column.column_type)
            .map_err(refused)?;
        Ok(Some(found))
    }

    fn is_key(&self, column: &Column) -> bool {
        self.plan.key.contains(&column.name)
    }

    /// The type of each column that we declare ourselves; of the others nothing.
    fn declared(&self, target: &Target) -> Result<Vec<String>> {
        let columns = self.plan.columns.iter().zip(&target.columns);
        let declared = columns.map(|(column, held)| match held {
            Some(_) => Ok(String::new()),
            None => self
                .session
                .dialect
                .declared(column.column_type, self.is_key(column))
                .map_err(|reason| self.refused(column, reason)),
        });
        declared.collect()
    }

    fn refused(&self, column: &Column, reason: String) -> ConnectorError {
        ConnectorError::type_refused(&self.plan.table, &column.name, reason)
    }

    /// The stage declares as we do, whatever the table has.
    fn create_stage(&self) -> Result<()> {
        let mut columns = Vec::with_capacity(self.plan.columns.len() + 1);
        for column in &self.plan.columns {
            let declared = self
                .session
                .dialect
                .staged(column.column_type, self.is_key(column))
                .map_err(|reason| self.refused(column, reason))?;
            columns.push(format!("{} {declared}", self.quoted(&column.name)));
        }
        columns.push(format!("{} SMALLINT NOT NULL", self.quoted(OP_COLUMN)));
        let sql = self
            .session
            .dialect
            .create_stage(&self.stage, &columns.join(", "));
        self.session.begin("create the stage")?;
        self.run_sql(&sql, "create the stage")
    }

    fn drop_stage(&self) {
        for statement in self.session.dialect.drop_stage(&self.stage) {
            if let Err(error) = self.run_sql(&statement, "drop the stage") {
                let store = self.session.shown();
                tracing::debug!(store, %error, "the stage is left behind");
            }
        }
    }

    /// Makes sure that everything arrived, and no key twice.
    fn check_stage(&self, staged: &Staged) -> Result<()> {
        let (stage, table) = (&self.stage, &self.plan.table);
        let key = self.key_columns();
        let arrived = self.count(&format!("SELECT COUNT(*) FROM {stage}"))?;
        if arrived != staged.upserts + staged.deletes {
            let reason = "the driver didn't bring all rows into the stage".to_owned();
            return Err(ConnectorError::Stopped { reason });
        }
        for statement in self.session.dialect.settle_stage(stage, &key) {
            self.run_sql(&statement, "index the stage")?;
        }
        let duplicates = self.count(&format!(
            "SELECT COALESCE(SUM(n - 1), 0) FROM (SELECT COUNT(*) AS n FROM {stage} GROUP BY {key} \
             HAVING COUNT(*) > 1) repeated"
        ))?;
        if duplicates > 0 {
            return Err(ConnectorError::KeyDuplicates {
                table: table.clone(),
                duplicates,
            });
        }
        self.session.commit("fill the stage", table)
    }

    /// In a transaction of its own, since all consumers share this table.
    fn create_cursor_table(&self) -> Result<()> {
        let doing = "create the table of cursors";
        if catalog::find_table(self.session, CURSOR_TABLE)?.is_none() {
            let dialect = self.session.dialect;
            let of = |column_type, is_key| {
                let declared = dialect.declared(column_type, is_key);
                declared.map_err(|reason| ConnectorError::type_refused(CURSOR_TABLE, "", reason))
            };
            let name = ColumnType::Text {
                chars_max: u32::try_from(CONSUMER_CHARS_MAX).ok(),
            };
            let text = ColumnType::Text { chars_max: None };
            let moment = dialect
                .declared(ColumnType::Instant, false)
                .or_else(|_| of(ColumnType::Timestamp, false))?;
            let sql = format!(
                "CREATE TABLE {} ({} {} NOT NULL PRIMARY KEY, {} {} NOT NULL, {} {} NOT NULL, {} {moment} NOT NULL){}",
                self.quoted(CURSOR_TABLE),
                self.quoted("consumer"),
                of(name, true)?,
                self.quoted("cursor"),
                of(ColumnType::Int64, false)?,
                self.quoted("run_id"),
                of(text, false)?,
                self.quoted("applied_at"),
                dialect.table_end()
            );
            if let Err(error) = self.run_sql(&sql, doing) {
                // Another may have created it meanwhile.
                self.session.roll_back();
                if catalog::find_table(self.session, CURSOR_TABLE)?.is_none() {
                    return Err(error);
                }
            }
        }
        self.session.commit(doing, CURSOR_TABLE)
    }

    /// Comes first in the transaction, because its row is the lock under which one consumer's appliers queue, and a
    /// write, since some databases let nobody write who has read what was changed meanwhile.
    fn move_cursor(&self) -> Result<()> {
        let plan = &self.plan;
        let before = if plan.advances { "<" } else { "<=" };
        if self.put_cursor(&plan.consumer, plan.cursor, Some(before))? == 0 {
            if let Some(held) = self.session.cursor_there(&plan.consumer)? {
                return Err(self.backwards(held));
            }
            self.make_cursor(&plan.consumer, plan.cursor)?;
        }
        for (name, cursor) in &plan.marks {
            if self.put_cursor(name, *cursor, None)? == 0 {
                self.make_cursor(name, *cursor)?;
            }
        }
        Ok(())
    }

    /// Sets a cursor that is there, if it is `before` the new place. Gives back how many were set.
    fn put_cursor(&self, name: &str, cursor: i64, before: Option<&str>) -> Result<u64> {
        let session = self.session;
        let (run, at) = (
            session.text_param(&self.plan.run_id)?,
            session.dialect.now(),
        );
        let place = session.param(ValueRef::Int(cursor), ColumnType::Int64)?;
        let consumer = session.text_param(name)?;
        let mut cells = vec![place.cell.clone(), run.cell, consumer.cell];
        let mut sql = format!(
            "UPDATE {} SET {} = {}, {} = {}, {} = {at} WHERE {} = {}",
            self.quoted(CURSOR_TABLE),
            self.quoted("cursor"),
            place.place,
            self.quoted("run_id"),
            run.place,
            self.quoted("applied_at"),
            self.quoted("consumer"),
            consumer.place
        );
        if let Some(before) = before {
            sql = format!(
                "{sql} AND {} {before} {}",
                self.quoted("cursor"),
                place.place
            );
            cells.push(place.cell);
        }
        session.change(&sql, cells, "move the cursor", CURSOR_TABLE)
    }

    fn make_cursor(&self, name: &str, cursor: i64) -> Result<()> {
        let session = self.session;
        let consumer = session.text_param(name)?;
        let place = session.param(ValueRef::Int(cursor), ColumnType::Int64)?;
        let run = session.text_param(&self.plan.run_id)?;
        let sql = format!(
            "INSERT INTO {} ({}, {}, {}, {}) VALUES ({}, {}, {}, {})",
            self.quoted(CURSOR_TABLE),
            self.quoted("consumer"),
            self.quoted("cursor"),
            self.quoted("run_id"),
            self.quoted("applied_at"),
            consumer.place,
            place.place,
            run.place,
            session.dialect.now()
        );
        let cells = vec![consumer.cell, place.cell, run.cell];
        let made = session.change(&sql, cells, "move the cursor", CURSOR_TABLE);
        match made {
            // Another one began at the same moment: who comes next goes on from there.
            Err(ConnectorError::KeyDuplicates { .. }) => {
                session.roll_back();
                let held = session.cursor_there(name)?;
                Err(self.backwards(held.unwrap_or(cursor)))
            }
            made => made.map(drop),
        }
    }

    /// Creates the table or its columns, if somebody hasn't altered it meanwhile.
    fn create_what_is_missing(&self, before: &Target, declared: &[String]) -> Result<()> {
        if self.target()? != *before {
            let reason = format!("table {} was altered meanwhile", self.plan.table);
            return Err(ConnectorError::Stopped { reason });
        }
        if !before.exists {
            return self.create_table(declared);
        }
        let columns = self.plan.columns.iter().zip(&before.columns).zip(declared);
        for ((column, held), declared) in columns {
            if held.is_none() {
                let definition = format!("{} {declared}", self.quoted(&column.name));
                let sql = self.session.dialect.add_column(&self.table(), &definition);
                self.run_sql(&sql, "add a column")?;
            }
        }
        Ok(())
    }

    fn create_table(&self, declared: &[String]) -> Result<()> {
        let columns = self.plan.columns.iter().zip(declared);
        let columns = joined(columns, ", ", |(column, declared)| {
            let constraint = if column.nullable { "" } else { " NOT NULL" };
            format!("{} {declared}{constraint}", self.quoted(&column.name))
        });
        let (table, key) = (self.table(), self.key_columns());
        let end = self.session.dialect.table_end();
        self.run_sql(
            &format!("CREATE TABLE {table} ({columns}, PRIMARY KEY ({key})){end}"),
            "create the table",
        )?;
        for name in &self.plan.index_on {
            let (_, plain) = self.session.parts(&self.plan.table);
            let index = self.quoted(&format!("{plain}_by_{name}"));
            let sql = format!("CREATE INDEX {index} ON {table} ({})", self.quoted(name));
            self.run_sql(&sql, "make an index")?;
        }
        Ok(())
    }

    fn change_rows(&self, target: &Target, staged: &Staged) -> Result<Applied> {
        let (table, stage, op) = (self.table(), &self.stage, self.quoted(OP_COLUMN));
        let op_is = |wanted: Op| format!("s.{op} = {}", wanted.code());
        let in_table = self.same_key(&table);
        let taken_out = if staged.deletes == 0 {
            0
        } else {
            self.change(&format!(
                "DELETE FROM {table} WHERE EXISTS (SELECT 1 FROM {stage} s WHERE {} AND {in_table})",
                op_is(Op::Delete)
            ))?
        };
        let superfluous = match self.plan.mode {
            ApplyMode::Upsert => 0,
            ApplyMode::ReplaceAll => self.change(&format!(
                "DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM {stage} s WHERE {} AND {in_table})",
                op_is(Op::Upsert)
            ))?,
        };
        let (same_key, differs) = (self.same_key("t"), self.differs(target));
        let met = format!(
            "FROM {stage} s JOIN {table} t ON {same_key} WHERE {}",
            op_is(Op::Upsert)
        );
        let there = self.count(&format!("SELECT COUNT(*) {met}"))?;
        let differing = if there == 0 {
            0
        } else {
            self.count(&format!("SELECT COUNT(*) {met} AND ({differs})"))?
        };
        let inserted = staged.upserts - there;
        if inserted + differing > 0 {
            let columns: Vec<String> = self
                .plan
                .columns
                .iter()
                .map(|c| self.quoted(&c.name))
                .collect();
            let key: Vec<String> = self.plan.key.iter().map(|name| self.quoted(name)).collect();
            let rows = format!(
                "{} AND NOT EXISTS (SELECT 1 FROM {table} t WHERE {same_key} AND NOT ({differs}))",
                op_is(Op::Upsert)
            );
            self.change(&self.session.dialect.upsert(&Upsert {
                table: &table,
                columns: &columns,
                key: &key,
                stage,
                rows: &rows,
                same_key: &same_key,
            }))?;
            self.refuse_other_results(&rows)?;
        }
        Ok(Applied {
            inserted,
            updated: differing,
            deleted: taken_out + superfluous,
            unchanged: there - differing + staged.deletes - taken_out,
        })
    }

    /// What the table holds now must be what was staged, whatever it makes of blanks, cases and roundings.
    fn refuse_other_results(&self, rows: &str) -> Result<()> {
        let other = self.count(&format!(
            "SELECT COUNT(*) FROM {} s WHERE {rows}",
            self.stage
        ))?;
        if other == 0 {
            return Ok(());
        }
        Err(ConnectorError::ValueRefused {
            table: self.plan.table.clone(),
            column: "(unknown)".to_owned(),
            reason: format!("in {other} row(s) the table would hold something else than was sent"),
        })
    }

    fn same_key(&self, table: &str) -> String {
        joined(&self.plan.key, " AND ", |name| {
            let name = self.quoted(name);
            format!("{table}.{name} = s.{name}")
        })
    }

    /// Whether a staged row differs from the table's. The key is compared too: where the table folds case, its
    /// spelling may have changed.
    fn differs(&self, target: &Target) -> String {
        let columns = self.plan.columns.iter().zip(&target.columns);
        joined(columns, " OR ", |(column, held)| {
            let held = held.as_ref().and_then(|held| held.meaning.as_ref().ok());
            let name = self.quoted(&column.name);
            self.session
                .dialect
                .differs(&name, held, column.column_type)
        })
    }

    fn key_columns(&self) -> String {
        joined(&self.plan.key, ", ", |name| self.quoted(name))
    }
}

/// A name for the stage that no other session has: some databases know temporary tables by one name for all.
fn own_name(plan: &ApplyPlan) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut hasher = DefaultHasher::new();
    (&plan.consumer, &plan.table).hash(&mut hasher);
    let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let hash = u32::try_from(hasher.finish() >> 32).unwrap_or(0);
    format!("tongqu_stage_{process:x}_{number:x}_{hash:x}")
}
