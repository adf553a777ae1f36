//! What the server has to have for a log: settings, rights, and tables whose changes it tells. It holds nothing back
//! for a reader; its own rules decide what it deletes.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Error, Row};

use super::super::catalog::{self, number_at, text_at};
use super::super::types;
use super::super::{MysqlStore, Session};
use super::charset::Charset;
use super::form::{Declared, Kind};
use super::place::{FILE_BEGIN, Names, Place};
use crate::{ConnectorError, LogTable, Result};

/// Where a right is missed by name.
const TELL: &str = "REPLICATION CLIENT (MariaDB: BINLOG MONITOR)";
pub(super) const SEND: &str = "read the change log (GRANT REPLICATION SLAVE ON *.*)";

/// Where MySQL doesn't tell which place of the log its tables show, what was committed this long before is taken to
/// be in them: longer than a commit waits for a semi-synchronous replica.
const SETTLED_AFTER_S: u64 = 60;

/// The server's settings, by name.
pub(super) struct Settings(Vec<(String, String)>);

impl Settings {
    pub(super) async fn load(session: &mut Session) -> Result<Self> {
        let sql = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'binlog_row_image', \
             'binlog_row_value_options', 'binlog_transaction_compression', 'log_slave_updates', \
             'log_replica_updates', 'lower_case_table_names', 'expire_logs_days', \
             'binlog_expire_logs_seconds', 'server_id', 'wsrep_on', 'version')";
        let rows = show(session, sql).await?;
        let pair = |row: &Row| Some((text_at(row, 0)?, text_at(row, 1).unwrap_or_default()));
        Ok(Self(rows.iter().filter_map(pair).collect()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn is_on(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value == "ON" || value == "1")
    }

    pub(super) fn is_mariadb(&self) -> bool {
        self.get("version")
            .is_some_and(|version| version.contains("MariaDB"))
    }

    pub(super) fn folds_names(&self) -> bool {
        self.get("lower_case_table_names").is_some_and(|n| n != "0")
    }

    /// After which time the server deletes a file; `None` if it doesn't.
    fn kept_for(&self) -> Option<Duration> {
        let number = |name| self.get(name)?.parse::<f64>().ok();
        let days = number("expire_logs_days").unwrap_or(0.0) * 86_400.0;
        let seconds = number("binlog_expire_logs_seconds").filter(|seconds| *seconds > 0.0);
        let seconds = seconds.unwrap_or(days);
        (seconds > 0.0).then(|| Duration::from_secs_f64(seconds))
    }
}

async fn show(session: &mut Session, sql: &str) -> Result<Vec<Row>> {
    let rows = session.conn.query(sql).await;
    rows.map_err(|error| session.failure("look at its change log", "", &error))
}

pub(super) fn unavailable(session: &Session, reason: impl Into<String>) -> ConnectorError {
    ConnectorError::LogUnavailable {
        store: session.store.clone(),
        reason: reason.into(),
    }
}

pub(super) fn permission(store: &str, right: &'static str) -> ConnectorError {
    ConnectorError::PermissionMissing {
        store: store.to_owned(),
        table: "its change log".to_owned(),
        right: right.into(),
    }
}

/// Refuses a server whose log doesn't tell every change of every row.
pub(super) async fn check_server(session: &mut Session, settings: &Settings) -> Result<()> {
    if !settings.is_on("log_bin") {
        let reason = "log_bin is off: switch the binary log on and restart the server";
        return Err(unavailable(session, reason));
    }
    for (name, good) in [
        ("binlog_format", &["ROW"][..]),
        ("binlog_row_image", &["FULL", "FULL_NODUP"]),
        ("binlog_row_value_options", &[""]),
        ("binlog_transaction_compression", &["OFF", "0"]),
    ] {
        let is_good = |value: &str| good.iter().any(|good| value.eq_ignore_ascii_case(good));
        if let Some(value) = settings.get(name).filter(|value| !is_good(value)) {
            let wanted = if good[0].is_empty() { "''" } else { good[0] };
            let reason = format!(
                "{name} is {value}: set it to {wanted}, and let the applications connect anew"
            );
            return Err(unavailable(session, reason));
        }
    }
    let logs_all = settings.is_on("log_slave_updates") || settings.is_on("log_replica_updates");
    if !logs_all && is_fed_by_others(session, settings).await? {
        let reason = "it takes changes over from another server without logging them: \
             set log_slave_updates to ON, or follow that server";
        return Err(unavailable(session, reason));
    }
    Ok(())
}

async fn is_fed_by_others(session: &mut Session, settings: &Settings) -> Result<bool> {
    let rows = show(session, "SHOW GLOBAL STATUS LIKE 'Slave_running'").await?;
    let is_replica = rows
        .first()
        .is_some_and(|row| text_at(row, 1).is_some_and(|value| value == "ON"));
    Ok(is_replica || settings.is_on("wsrep_on"))
}

/// Where the server writes its log.
pub(super) struct Written {
    pub names: Names,
    pub file: u32,
    pub offset: u64,
    /// Databases that are logged alone, or not at all.
    only: Vec<String>,
    never: Vec<String>,
}

pub(super) async fn written(session: &mut Session) -> Result<Written> {
    // MySQL 8.4 knows the first alone, older servers the second.
    let mut said = session.conn.query("SHOW BINARY LOG STATUS").await;
    if matches!(&said, Err(Error::Server(error)) if error.code == 1064) {
        said = session.conn.query("SHOW MASTER STATUS").await;
    }
    let rows: Vec<Row> = said.map_err(|error| denied(session, &error))?;
    let row = rows
        .first()
        .ok_or_else(|| unavailable(session, "the server writes no binary log"))?;
    let file = text_at(row, 0).unwrap_or_default();
    let numbered = Names::of(&file).ok_or_else(|| {
        let reason = "the files of its log are not numbered up to 1048575: run RESET MASTER";
        unavailable(session, reason)
    })?;
    let list = |place| {
        let text = text_at(row, place).unwrap_or_default();
        let names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    };
    Ok(Written {
        names: numbered.0,
        file: numbered.1,
        offset: number_at(row, 1).unwrap_or(0),
        only: list(2),
        never: list(3),
    })
}

fn denied(session: &Session, error: &Error) -> ConnectorError {
    match error {
        Error::Server(said) if matches!(said.code, 1227 | 1142 | 1044) => {
            permission(&session.store, TELL)
        }
        error => session.failure("look at its change log", "", error),
    }
}

impl Written {
    /// Refuses a database of which the server logs nothing.
    pub(super) fn check_database(&self, session: &Session, database: &str) -> Result<()> {
        let has = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case(database));
        if (self.only.is_empty() || has(&self.only)) && !has(&self.never) {
            return Ok(());
        }
        let reason = format!(
            "binlog_do_db or binlog_ignore_db leaves {database} out of it: change them and restart the server"
        );
        Err(unavailable(session, reason))
    }
}

/// The files of the log that are there: number and size.
pub(super) async fn files(session: &mut Session, names: &Names) -> Result<Vec<(u32, u64)>> {
    let rows: Vec<Row> = match session.conn.query("SHOW BINARY LOGS").await {
        Ok(rows) => rows,
        Err(error) => return Err(denied(session, &error)),
    };
    let file = |row: &Row| {
        let (of, number) = Names::of(&text_at(row, 0)?)?;
        (of == *names).then_some((number, number_at(row, 1)?))
    };
    Ok(rows.iter().filter_map(file).collect())
}

/// What stands in the log behind the place from which it is read, and is known to be in the tables already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settled {
    /// What was committed before, in microseconds since 1970.
    pub rows: u64,
    /// Up to this file and offset, what was declared: the catalogue was looked at later.
    pub declared: (u32, u64),
}

/// From where a new log is to be read, and what is passed over there.
///
/// A commit stands in the log a moment before others see it. MariaDB tells the place that its tables show. MySQL
/// doesn't; there the file is read from its beginning, to which no commit is left open, and what is older than a
/// while is passed over. So a row may show a state from within that while before it shows its last one.
pub(super) async fn begin(
    session: &mut Session,
    settings: &Settings,
    written: &Written,
    known: &[Known],
) -> Result<(Place, Option<Settled>)> {
    let place = |file, offset| Place {
        file,
        offset,
        mark: 0,
    };
    if settings.is_mariadb() {
        show(session, "START TRANSACTION WITH CONSISTENT SNAPSHOT").await?;
        let rows = show(session, "SHOW STATUS LIKE 'binlog_snapshot_%'").await?;
        show(session, "COMMIT").await?;
        let value = |name: &str| {
            let is_it = |row: &&Row| text_at(row, 0).is_some_and(|n| n.eq_ignore_ascii_case(name));
            rows.iter().find(is_it).and_then(|row| text_at(row, 1))
        };
        let file = value("Binlog_snapshot_file").and_then(|file| Names::of(&file));
        let offset = value("Binlog_snapshot_position").and_then(|n| n.parse().ok());
        if let (Some((_, file)), Some(offset)) = (file, offset) {
            return Ok((place(file, offset), None));
        }
    }
    // Who declares a table waits for all that change its rows.
    let made = known.iter().map(|table| table.made).max().unwrap_or(0);
    let settled = now(session).await?.saturating_sub(SETTLED_AFTER_S);
    let settled = Settled {
        rows: settled.max(made) * 1_000_000,
        declared: (written.file, written.offset),
    };
    Ok((place(written.file, FILE_BEGIN), Some(settled)))
}

/// The server's clock, in seconds since 1970.
pub(super) async fn now(session: &mut Session) -> Result<u64> {
    let rows = show(session, "SELECT UNIX_TIMESTAMP()").await?;
    Ok(rows.first().and_then(|row| number_at(row, 0)).unwrap_or(0))
}

/// How much of the log lies behind a place, and how long the server keeps it.
pub(super) struct Behind {
    pub bytes: u64,
    pub is_there: bool,
    pub kept_for: Option<Duration>,
    /// Less than a quarter of the time is left.
    pub is_endangered: bool,
}

/// `changed` is the second, since 1970, of the last change that was read.
pub(super) async fn behind(
    session: &mut Session,
    settings: &Settings,
    written: &Written,
    from: Place,
    changed: u64,
) -> Result<Behind> {
    let files = files(session, &written.names).await?;
    let size = |(number, size): &(u32, u64)| match number.cmp(&from.file) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => size.saturating_sub(from.offset.into()),
        std::cmp::Ordering::Greater => *size,
    };
    let mut behind = Behind {
        bytes: files.iter().map(size).sum(),
        is_there: files.iter().any(|(number, _)| *number == from.file),
        kept_for: None,
        is_endangered: false,
    };
    // The file that is written isn't deleted.
    if let Some(kept_for) = settings.kept_for().filter(|_| from.file != written.file) {
        let age = Duration::from_secs(now(session).await?.saturating_sub(changed));
        let left = kept_for.saturating_sub(age);
        behind.kept_for = Some(left);
        behind.is_endangered = left < kept_for / 4;
    }
    Ok(behind)
}

/// A table as the catalogue has it now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub schema: String,
    pub table: String,
    pub columns: Vec<Declared>,
    /// The second, since 1970, in which it was made or altered.
    pub made: u64,
}

impl Known {
    /// The wanted columns alone, by which it is seen whether they are still declared as they were.
    pub(super) fn wanted<'a>(&'a self, wanted: &LogTable) -> Vec<Option<&'a Declared>> {
        let columns = wanted.columns.iter();
        columns
            .map(|column| self.column(&column.name).map(|(_, held)| held))
            .collect()
    }

    /// The column of this name and its place. MySQL takes names of columns without regard to case.
    pub(super) fn column(&self, name: &str) -> Option<(usize, &Declared)> {
        let wanted = name.to_lowercase();
        let mut columns = self.columns.iter().enumerate();
        columns.find(|(_, column)| column.name.to_lowercase() == wanted)
    }
}

/// Refuses what can't be followed, and gives what the table looks like.
pub(super) async fn check_table(
    store: &MysqlStore,
    session: &mut Session,
    wanted: &LogTable,
) -> Result<Known> {
    let table = wanted.table.as_str();
    let known = known(store, session, table).await?;
    for column in &wanted.columns {
        let Some((_, held)) = known.column(&column.name) else {
            return Err(ConnectorError::ColumnMissing {
                table: table.to_owned(),
                column: column.name.clone(),
            });
        };
        let refused = |reason| ConnectorError::type_refused(table, &column.name, reason);
        let meaning = held
            .meaning
            .as_ref()
            .map_err(|reason| refused(reason.clone()))?;
        types::gives(meaning.column_type, column.column_type).map_err(refused)?;
        let kind = held.kind().map_err(refused)?;
        if kind == Kind::Again && wanted.key.contains(&column.name) {
            let reason =
                "the change log has it in a form of its own, by which rows can't be told apart";
            return Err(refused(reason.to_owned()));
        }
    }
    check_key(session, wanted).await?;
    check_cascades(session, &known, table).await?;
    Ok(known)
}

/// The catalogue's table, if its changes are logged at all.
async fn known(store: &MysqlStore, session: &mut Session, table: &str) -> Result<Known> {
    let found = catalog::require_table(session, table).await?;
    if found.is_view || found.kind != "BASE TABLE" {
        let reason = format!("{table} is no plain table, and only tables are logged");
        return Err(unavailable(session, reason));
    }
    if !found.is_transactional {
        return Err(ConnectorError::NotTransactional {
            table: table.to_owned(),
            engine: found.engine,
        });
    }
    let (schema, name) = catalog::parts(table);
    let schema = schema.or(store.opts.db_name()).unwrap_or_default();
    let doing = "look at a table";
    let sql = "SELECT CAST(COALESCE(UNIX_TIMESTAMP(t.CREATE_TIME), 0) AS UNSIGNED) \
               FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = ? AND t.TABLE_NAME = ?";
    let rows = session.rows(sql, (schema, name), doing, table).await?;
    let made = rows.first().and_then(|row| number_at(row, 0)).unwrap_or(0);
    let sql = "SELECT c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.CHARACTER_OCTET_LENGTH, \
                      c.CHARACTER_SET_NAME, c.EXTRA \
               FROM information_schema.COLUMNS c WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ? \
               ORDER BY c.ORDINAL_POSITION";
    let rows = session.rows(sql, (schema, name), doing, table).await?;
    let held = catalog::columns(session, table).await?;
    let mut columns = Vec::with_capacity(rows.len());
    for (row, held) in rows.iter().zip(held) {
        let charset = match text_at(row, 4) {
            Some(name) => Charset::load(session, &name).await?,
            None => None,
        };
        columns.push(Declared {
            name: text_at(row, 0).unwrap_or_default(),
            type_name: text_at(row, 1).unwrap_or_default().to_lowercase(),
            whole: text_at(row, 2).unwrap_or_default(),
            bytes_max: number_at(row, 3),
            charset,
            meaning: held.meaning,
            is_virtual: held.is_generated
                && text_at(row, 5).is_some_and(|extra| extra.to_uppercase().contains("VIRTUAL")),
        });
    }
    Ok(Known {
        schema: schema.to_owned(),
        table: name.to_owned(),
        columns,
        made,
    })
}

/// Rows are told by whole images; the key only has to tell them apart at the source too.
async fn check_key(session: &mut Session, wanted: &LogTable) -> Result<()> {
    let keys = catalog::unique_keys(session, &wanted.table).await?;
    let has = |name: &String| {
        let mut key = wanted.key.iter();
        key.any(|part| part.to_lowercase() == name.to_lowercase())
    };
    if keys.iter().any(|key| key.columns.iter().all(has)) {
        return Ok(());
    }
    Err(ConnectorError::KeyMissing {
        table: wanted.table.clone(),
        key: wanted.key.join(", "),
    })
}

/// What a foreign key changes by itself, the engine does below the log.
async fn check_cascades(session: &mut Session, known: &Known, table: &str) -> Result<()> {
    let sql = "SELECT r.CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS r \
               WHERE r.CONSTRAINT_SCHEMA = ? AND r.TABLE_NAME = ? \
                 AND (r.DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
                      OR r.UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))";
    let names = (known.schema.as_str(), known.table.as_str());
    let rows = session
        .rows(sql, names, "look at its foreign keys", table)
        .await?;
    let Some(name) = rows.first().and_then(|row| text_at(row, 0)) else {
        return Ok(());
    };
    let reason = format!(
        "the foreign key {name} changes or deletes rows of {table} by itself, which the log doesn't tell: \
         declare it without CASCADE or SET NULL, or compare the table instead"
    );
    Err(unavailable(session, reason))
}
