//! What the server has to have for a log: settings and rights, tables that tell their keys, a publication that says
//! what is sent, and a slot that holds everything back until it is confirmed. Both are named after the consumer.

use std::str::FromStr;

use tokio_postgres::error::SqlState;
use tongqu_domain::exchange::{RowHash, ValueRef};

use super::super::catalog::{self, FoundTable};
use super::super::{Session, quoted, quoted_table};
use super::layout::{Form, called};
use crate::text::joined;
use crate::{ConnectorError, LogHealth, LogPosition, LogQuery, LogState, LogTable, Result};

/// The first version whose log tells values in their binary form: 14.
const VERSION_MIN: i32 = 140_000;

/// Characters of the consumer's name that stay readable in the slot's.
const READABLE_CHARS: usize = 32;

/// The name of a consumer's slot and publication: at most 56 bytes of `a-z0-9_`, as slots have to have. All databases
/// of a server share the names of slots.
pub(super) fn slot_name(database: &str, consumer: &str) -> String {
    let readable: String = consumer
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(READABLE_CHARS)
        .collect();
    // Two consumers may look alike after that.
    let hash = RowHash::of(&[ValueRef::Text(database), ValueRef::Text(consumer)]);
    let hash = joined(&hash.0[..8], "", |byte| format!("{byte:02x}"));
    format!("tongqu_{readable}_{hash}")
}

/// Refuses what can't be followed, and gives the tables' numbers in the server.
pub(super) async fn check(session: &Session, query: &LogQuery) -> Result<Vec<u32>> {
    check_server(session).await?;
    let mut oids = Vec::with_capacity(query.tables.len());
    for table in &query.tables {
        let found = catalog::require_table(session, &table.table).await?;
        check_table(session, table, &found).await?;
        oids.push(found.oid);
    }
    Ok(oids)
}

async fn check_server(session: &Session) -> Result<()> {
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('wal_level'),
                      (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)";
    let rows = session.rows(sql, &[], "look at its settings", "").await?;
    let (version, level): (i32, &str) = (rows[0].get(0), rows[0].get(1));
    if version < VERSION_MIN {
        return Err(unavailable(session, "it needs PostgreSQL 14 or later"));
    }
    if level != "logical" {
        let reason = format!("wal_level is {level}: set it to logical and restart the server");
        return Err(unavailable(session, &reason));
    }
    if rows[0].get::<_, Option<bool>>(2) != Some(true) {
        return Err(ConnectorError::PermissionMissing {
            store: session.store.clone(),
            table: "its change log".to_owned(),
            right: "read the change log (ALTER ROLE ... REPLICATION)".into(),
        });
    }
    Ok(())
}

pub(super) fn unavailable(session: &Session, reason: &str) -> ConnectorError {
    ConnectorError::LogUnavailable {
        store: session.store.clone(),
        reason: reason.to_owned(),
    }
}

async fn check_table(session: &Session, wanted: &LogTable, found: &FoundTable) -> Result<()> {
    let table = wanted.table.as_str();
    let refuse = |reason: &str| Err(unavailable(session, &format!("table {table} {reason}")));
    if !found.is_table {
        return refuse("is a view or lies elsewhere; only tables are logged");
    }
    let sql = "SELECT relpersistence::text, relkind::text, pg_catalog.row_security_active(oid),
                      EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
               FROM pg_catalog.pg_class c WHERE oid = $1";
    let rows = session
        .rows(sql, &[&found.oid], "look at a table", table)
        .await?;
    let row = rows.first().ok_or_else(|| ConnectorError::TableMissing {
        table: table.to_owned(),
    })?;
    let (persistence, kind): (&str, &str) = (row.get(0), row.get(1));
    let (hides_rows, has_children): (bool, bool) = (row.get(2), row.get(3));
    if persistence != "p" {
        return refuse("is unlogged or temporary");
    }
    if hides_rows {
        return refuse("hides rows from this account by row security, which the log doesn't");
    }
    if has_children && kind != "p" {
        return refuse("has tables that inherit from it");
    }
    check_columns(session, wanted, found).await?;
    check_identity(session, wanted, found, kind == "p").await
}

/// Each wanted column is there, and the log tells its values.
async fn check_columns(session: &Session, wanted: &LogTable, found: &FoundTable) -> Result<()> {
    let table = wanted.table.as_str();
    let sql = "SELECT a.attname::text, a.attgenerated <> '', COALESCE(b.typname, t.typname)::text,
                      COALESCE(b.typtype, t.typtype)::text
               FROM pg_catalog.pg_attribute a
               JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
               LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
               WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped";
    let doing = "look at how its log tells columns";
    let told = session.rows(sql, &[&found.oid], doing, table).await?;
    let held = catalog::columns(session, table, found).await?;
    for column in &wanted.columns {
        let refused = |reason: &str| ConnectorError::type_refused(table, &column.name, reason);
        let held = catalog::find(&held, table, &column.name)?;
        let Some(told) = told.iter().find(|row| row.get::<_, &str>(0) == column.name) else {
            continue;
        };
        if told.get(1) {
            let reason = "the database computes it itself, and the change log doesn't tell it";
            return Err(refused(reason));
        }
        let meaning = held.meaning.as_ref().map_err(|reason| refused(reason))?;
        let form = Form::of(meaning.native, called(told.get(2), told.get(3)));
        form.map_err(|reason| refused(&reason))?;
    }
    Ok(())
}

/// Updates and deletes tell the row's identity only: the key has to be part of it, in each partition.
async fn check_identity(
    session: &Session,
    wanted: &LogTable,
    found: &FoundTable,
    is_partitioned: bool,
) -> Result<()> {
    let sql = if is_partitioned {
        "SELECT relid::oid FROM pg_catalog.pg_partition_tree($1::oid) WHERE isleaf"
    } else {
        "SELECT $1::oid"
    };
    let doing = "look at what its changes tell";
    let rows = session
        .rows(sql, &[&found.oid], doing, &wanted.table)
        .await?;
    let parts: Vec<u32> = rows.iter().map(|row| row.get(0)).collect();
    let sql = "SELECT c.relreplident = 'f',
                      ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a
                              ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey::int2[])
                            WHERE i.indrelid = c.oid AND i.indisvalid
                              AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident
                                       ELSE false END)
               FROM pg_catalog.pg_class c WHERE c.oid = ANY($1)";
    let rows = session.rows(sql, &[&parts], doing, &wanted.table).await?;
    let tells_key = rows.iter().all(|row| {
        let (tells_all, identity): (bool, Vec<String>) = (row.get(0), row.get(1));
        tells_all || wanted.key.iter().all(|name| identity.contains(name))
    });
    if tells_key {
        return Ok(());
    }
    Err(ConnectorError::LogIdentity {
        table: wanted.table.clone(),
        key: wanted.key.join(", "),
    })
}

/// Makes publication and slot anew, and gives the position from which the slot holds changes back. The publication
/// comes first: the server looks it up as it was at each change.
pub(super) async fn create(session: &Session, slot: &str, query: &LogQuery) -> Result<LogPosition> {
    drop_both(session, slot).await?;
    let tables = joined(&query.tables, ", ", |table| quoted_table(&table.table));
    let publish = format!(
        "CREATE PUBLICATION {} FOR TABLE {tables} WITH (publish_via_partition_root = true)",
        quoted(slot)
    );
    let made = session.client.batch_execute(&publish).await;
    made.map_err(|error| match error.code().map(SqlState::code) {
        Some("42501") => ConnectorError::PermissionMissing {
            store: session.store.clone(),
            table: joined(&query.tables, ", ", |table| table.table.clone()),
            right: "publish it: own the table, and CREATE on the database".into(),
        },
        _ => session.failure("publish its tables", &query.tables[0].table, &error),
    })?;
    // It waits for the transactions that are open now, so that none is told in part.
    let sql = "SELECT lsn::text FROM pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput')";
    let rows = session.client.query(sql, &[&slot]).await;
    let rows = rows.map_err(|error| match error.code().map(SqlState::code) {
        Some("53400") => unavailable(
            session,
            "all its replication slots are taken: drop one, or raise max_replication_slots",
        ),
        _ => session.failure("hold its change log", "", &error),
    })?;
    position(rows.first().and_then(|row| row.get(0)))
        .ok_or_else(|| lost(session, slot, "it has no position"))
}

/// Refuses a slot that doesn't reach back to `after`, or a publication that no longer has just these tables.
pub(super) async fn check_reach(
    session: &Session,
    slot: &str,
    oids: &[u32],
    after: LogPosition,
) -> Result<()> {
    let state = state(session, slot).await?;
    if state.health == LogHealth::Lost {
        return Err(lost(
            session,
            slot,
            "the server deleted what was not confirmed",
        ));
    }
    if state.confirmed > after {
        return Err(lost(session, slot, "somebody else has read on in it"));
    }
    if published(session, slot).await? != oids.iter().copied().collect() {
        return Err(lost(session, slot, "it was made for other tables"));
    }
    Ok(())
}

async fn published(session: &Session, slot: &str) -> Result<std::collections::BTreeSet<u32>> {
    let sql = "SELECT r.prrelid FROM pg_catalog.pg_publication p
               JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid WHERE p.pubname::text = $1";
    let rows = session
        .rows(sql, &[&slot], "look at what is published", "")
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// How a slot stands.
///
/// Errors: `log_lost` if there is none, or if nothing is published for it any more.
pub(super) async fn state(session: &Session, slot: &str) -> Result<LogState> {
    let sql = "SELECT confirmed_flush_lsn::text, pg_catalog.pg_current_wal_lsn()::text,
                      pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::bigint,
                      wal_status, active
               FROM pg_catalog.pg_replication_slots
               WHERE slot_name::text = $1 AND plugin = 'pgoutput' AND database = current_database()";
    let rows = session
        .rows(sql, &[&slot], "look at its change log", "")
        .await?;
    let row = rows
        .first()
        .ok_or_else(|| lost(session, slot, "it is gone"))?;
    if published(session, slot).await?.is_empty() {
        return Err(lost(session, slot, "its tables are no longer published"));
    }
    let health = match row.get::<_, Option<&str>>(3) {
        Some("reserved") => LogHealth::Reserved,
        Some("extended") => LogHealth::Extended,
        Some("unreserved") => LogHealth::Endangered,
        _ => LogHealth::Lost,
    };
    let confirmed = position(row.get(0)).unwrap_or_default();
    let current = position(row.get(1)).unwrap_or_default();
    Ok(LogState {
        confirmed,
        current,
        lag_bytes: current.0.saturating_sub(confirmed.0),
        kept_for: None,
        retained_bytes: row
            .get::<_, Option<i64>>(2)
            .unwrap_or(0)
            .max(0)
            .unsigned_abs(),
        health,
        is_read: row.get(4),
    })
}

fn position(text: Option<&str>) -> Option<LogPosition> {
    LogPosition::from_str(text?).ok()
}

pub(super) fn lost(session: &Session, slot: &str, reason: &str) -> ConnectorError {
    ConnectorError::LogLost {
        store: session.store.clone(),
        log: slot.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Lets slot and publication go, whichever there is.
pub(super) async fn drop_both(session: &Session, slot: &str) -> Result<()> {
    let sql =
        "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots
               WHERE slot_name::text = $1 AND database = current_database()";
    if let Err(error) = session.client.query(sql, &[&slot]).await {
        return Err(match error.code().map(SqlState::code) {
            Some("55006") => ConnectorError::LogBusy {
                store: session.store.clone(),
                log: slot.to_owned(),
            },
            _ => session.failure("drop its change log", "", &error),
        });
    }
    let unpublish = format!("DROP PUBLICATION IF EXISTS {}", quoted(slot));
    session.run(&unpublish, "unpublish its tables", "").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_have_names_that_the_server_takes() {
        let long = "Res/人口-".repeat(40);
        for consumer in ["res_a", "res-a", "A", &long] {
            let name = slot_name("d", consumer);
            assert!(name.len() <= 63, "{name}");
            let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(name.chars().all(is_fit), "{name}");
        }
        assert_ne!(slot_name("d", "res_a"), slot_name("d", "res-a"));
        assert_ne!(slot_name("d", "res_a"), slot_name("e", "res_a"));
    }
}
