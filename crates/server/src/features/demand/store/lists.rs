//! County lists of demands, and their lines.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tongqu_domain::{demand::ResourceLevel, ids::DepartmentId, time::instant_text};

use super::json;
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// A county list.
#[derive(Debug, Clone)]
pub(in super::super) struct DemandList {
    pub id: String,
    pub receiver: DepartmentId,
    pub no: i64,
    pub demands_count: i64,
    pub lines_count: i64,
    pub made_by: String,
    pub made_at: Timestamp,
    pub clause: Option<String>,
}

/// A line of a county list, as it was when the list was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct ListLine {
    pub title: String,
    pub wanted: String,
    pub level: ResourceLevel,
    pub provider_id: Option<String>,
    pub provider_name: Option<String>,
    pub entry_id: Option<String>,
    pub entry_name: Option<String>,
    pub requesters: Vec<Requester>,
}

/// A department that needs what stands in a line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct Requester {
    pub department_id: String,
    pub department_name: String,
    pub demand_id: String,
    pub number: String,
    pub purpose: String,
}

fn demand_list(row: &sqlx::any::AnyRow) -> Result<DemandList, DbError> {
    Ok(DemandList {
        id: row.text("id")?,
        receiver: row.id("receiver_id")?,
        no: row.int("no")?,
        demands_count: row.int("demands_count")?,
        lines_count: row.int("lines_count")?,
        made_by: row.text("made_by")?,
        made_at: row.instant("made_at")?,
        clause: row.opt_text("clause")?,
    })
}

/// Lines entered in one statement: their three columns stay far below what an engine takes.
const LINES_AT_ONCE: usize = 200;

pub(in super::super) async fn insert_list(
    tx: &mut Tx,
    list: &DemandList,
    lines: &[ListLine],
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO demand_lists (id, receiver_id, no, demands_count, lines_count, made_by, made_at, clause) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&list.id)
    .bind(list.receiver.as_str())
    .bind(list.no)
    .bind(list.demands_count)
    .bind(list.lines_count)
    .bind(&list.made_by)
    .bind(instant_text(list.made_at))
    .bind(&list.clause)
    .execute(&mut **tx)
    .await?;
    let mut no: i64 = 0;
    for some in lines.chunks(LINES_AT_ONCE) {
        let marks: Vec<String> = (0..some.len())
            .map(|row| format!("($1, ${}, ${})", row * 2 + 2, row * 2 + 3))
            .collect();
        let text = format!(
            "INSERT INTO demand_list_lines (list_id, no, line) VALUES {}",
            marks.join(", ")
        );
        // Nothing but numbered placeholders is put into the text.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(list.id.clone());
        for line in some {
            no += 1;
            query = query.bind(no).bind(json(line));
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// County lists, the newest first; of one authority, or of all.
pub(in super::super) async fn lists(
    db: &mut Db,
    receiver: Option<&DepartmentId>,
    cursor: Option<&str>,
    size: u32,
) -> Result<Vec<DemandList>, DbError> {
    let (at, id) = cursor
        .and_then(|cursor| cursor.split_once(' '))
        .unwrap_or(("9999", ""));
    sqlx::query(
        "SELECT id, receiver_id, no, demands_count, lines_count, made_by, made_at, clause FROM demand_lists \
         WHERE ($1 = '' OR receiver_id = $1) AND (made_at, id) < ($2, $3) ORDER BY made_at DESC, id DESC LIMIT $4",
    )
    .bind(receiver.map_or(String::new(), ToString::to_string))
    .bind(at)
    .bind(id)
    .bind(i64::from(size) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(demand_list)
    .collect()
}

pub(in super::super) async fn find_list(
    db: &mut Db,
    id: &str,
) -> Result<Option<DemandList>, DbError> {
    sqlx::query(
        "SELECT id, receiver_id, no, demands_count, lines_count, made_by, made_at, clause FROM demand_lists \
         WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(db)
    .await?
    .map(|row| demand_list(&row))
    .transpose()
}

/// Lines of a list after number `after`, with their numbers; at most `limit`.
pub(in super::super) async fn lines(
    db: &mut Db,
    list_id: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, ListLine)>, DbError> {
    sqlx::query(
        "SELECT no, line FROM demand_list_lines WHERE list_id = $1 AND no > $2 ORDER BY no LIMIT $3",
    )
    .bind(list_id)
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((row.int("no")?, row.json("line")?)))
    .collect()
}
