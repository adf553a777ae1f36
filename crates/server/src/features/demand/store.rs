//! All SQL of demands, county lists and applications upward.

mod lists;
mod upward;

pub(super) use lists::{DemandList, ListLine, Requester, find_list, insert_list, lines, lists};
pub(super) use upward::{Upward, find_upward, insert_upward, save_upward, upwards};

use jiff::Timestamp;
use serde::Serialize;
use tongqu_domain::{
    demand::{Answer, DemandContent, DemandState, ResourceLevel},
    ids::{DepartmentId, EntryId, PersonId},
    time::instant_text,
};

use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// A demand.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    pub id: String,
    pub number: String,
    pub requester: DepartmentId,
    pub receiver: DepartmentId,
    pub pack_id: String,
    pub pack_version: String,
    pub stated_by: PersonId,
    pub stated_at: Timestamp,
    pub content: DemandContent,
    pub resource_key: String,
    pub proposals: Vec<EntryId>,
    pub asked: Option<DepartmentId>,
    pub entry: Option<EntryId>,
    pub state: DemandState,
    pub answer: Option<Answer>,
    pub answered_at: Option<Timestamp>,
    pub application_id: Option<String>,
    pub revision: i64,
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("these structures make JSON")
}

fn word<T>(column: &'static str, code: &str, found: Option<T>) -> Result<T, DbError> {
    found.ok_or_else(|| DbError::BrokenRow {
        column,
        reason: format!("unknown word {code}"),
    })
}

fn demand(row: &sqlx::any::AnyRow) -> Result<Demand, DbError> {
    let state = row.text("state")?;
    Ok(Demand {
        id: row.text("id")?,
        number: row.text("number")?,
        requester: row.id("requester_id")?,
        receiver: row.id("receiver_id")?,
        pack_id: row.text("pack_id")?,
        pack_version: row.text("pack_version")?,
        stated_by: row.id("stated_by")?,
        stated_at: row.instant("stated_at")?,
        content: row.json("content")?,
        resource_key: row.text("resource_key")?,
        proposals: row.json("proposals")?,
        asked: row.opt_id("asked_id")?,
        entry: row.opt_id("entry_id")?,
        state: word("state", &state, DemandState::find(&state))?,
        answer: row.opt_json("answer")?,
        answered_at: row.opt_instant("answered_at")?,
        application_id: row.opt_text("application_id")?,
        revision: row.int("revision")?,
    })
}

macro_rules! select_demands {
    ($rest:literal) => {
        concat!(
            "SELECT id, number, requester_id, receiver_id, pack_id, pack_version, stated_by, stated_at, content, \
             resource_key, proposals, asked_id, entry_id, state, answer, answered_at, application_id, revision \
             FROM demands ",
            $rest
        )
    };
}

pub(super) async fn insert(tx: &mut Tx, demand: &Demand) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO demands (id, number, requester_id, receiver_id, pack_id, pack_version, stated_by, stated_at, \
         content, level, resource_key, proposals, asked_id, state, revision) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1)",
    )
    .bind(&demand.id)
    .bind(&demand.number)
    .bind(demand.requester.as_str())
    .bind(demand.receiver.as_str())
    .bind(&demand.pack_id)
    .bind(&demand.pack_version)
    .bind(demand.stated_by.as_str())
    .bind(instant_text(demand.stated_at))
    .bind(json(&demand.content))
    .bind(demand.content.level.code())
    .bind(&demand.resource_key)
    .bind(json(&demand.proposals))
    .bind(demand.asked.as_ref().map(ToString::to_string))
    .bind(demand.state.code())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves what can change of a demand.
///
/// Errors: [`DbError::Stale`] if somebody was faster.
pub(super) async fn save(tx: &mut Tx, demand: &Demand) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE demands SET asked_id = $1, entry_id = $2, state = $3, answer = $4, answered_at = $5, \
         application_id = $6, revision = revision + 1 WHERE id = $7 AND revision = $8",
    )
    .bind(demand.asked.as_ref().map(ToString::to_string))
    .bind(demand.entry.as_ref().map(ToString::to_string))
    .bind(demand.state.code())
    .bind(demand.answer.as_ref().map(json))
    .bind(demand.answered_at.map(instant_text))
    .bind(&demand.application_id)
    .bind(&demand.id)
    .bind(demand.revision)
    .execute(&mut **tx)
    .await?;
    changed_one(&done)
}

fn changed_one(done: &sqlx::any::AnyQueryResult) -> Result<(), DbError> {
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(DbError::Stale)
    }
}

pub(super) async fn find(db: &mut Db, id: &str) -> Result<Option<Demand>, DbError> {
    sqlx::query(select_demands!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(db)
        .await?
        .map(|row| demand(&row))
        .transpose()
}

/// Which side of a demand a list looks from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Those that a department stated.
    Requester,
    /// Those that it is asked for.
    Asked,
    /// Those that it received as the authority.
    Receiver,
    /// Those that it has to do with in any way.
    Any,
    /// All, whoever has to do with them.
    Everybody,
}

/// Which demands.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub side: Side,
    /// The departments on that side, see `directory::answers_for`.
    pub departments: &'a [DepartmentId],
    pub state: Option<DemandState>,
    /// `next_cursor` of the page before.
    pub cursor: Option<&'a str>,
}

/// The most departments that one answers for; further ones are left out.
const DEPARTMENTS_MAX: usize = 8;

/// Demands, the newest first.
pub(super) async fn list(
    db: &mut Db,
    wanted: &Wanted<'_>,
    size: u32,
) -> Result<Vec<Demand>, DbError> {
    let (at, id) = wanted
        .cursor
        .and_then(|cursor| cursor.split_once(' '))
        .unwrap_or(("9999", ""));
    // A fixed number of places, the spare ones empty: no department has an empty id.
    let places: Vec<String> = (0..DEPARTMENTS_MAX)
        .map(|at| {
            wanted
                .departments
                .get(at)
                .map_or(String::new(), ToString::to_string)
        })
        .collect();
    let text = match wanted.side {
        Side::Requester => select_demands!(
            "WHERE ($1 = '' OR state = $1) AND (stated_at, id) < ($2, $3) \
             AND requester_id IN ($5, $6, $7, $8, $9, $10, $11, $12) \
             ORDER BY stated_at DESC, id DESC LIMIT $4"
        ),
        Side::Asked => select_demands!(
            "WHERE ($1 = '' OR state = $1) AND (stated_at, id) < ($2, $3) \
             AND asked_id IN ($5, $6, $7, $8, $9, $10, $11, $12) \
             ORDER BY stated_at DESC, id DESC LIMIT $4"
        ),
        Side::Receiver => select_demands!(
            "WHERE ($1 = '' OR state = $1) AND (stated_at, id) < ($2, $3) \
             AND receiver_id IN ($5, $6, $7, $8, $9, $10, $11, $12) \
             ORDER BY stated_at DESC, id DESC LIMIT $4"
        ),
        Side::Any => select_demands!(
            "WHERE ($1 = '' OR state = $1) AND (stated_at, id) < ($2, $3) \
             AND (requester_id IN ($5, $6, $7, $8, $9, $10, $11, $12) \
             OR asked_id IN ($5, $6, $7, $8, $9, $10, $11, $12) \
             OR receiver_id IN ($5, $6, $7, $8, $9, $10, $11, $12)) \
             ORDER BY stated_at DESC, id DESC LIMIT $4"
        ),
        Side::Everybody => select_demands!(
            "WHERE ($1 = '' OR state = $1) AND (stated_at, id) < ($2, $3) \
             ORDER BY stated_at DESC, id DESC LIMIT $4"
        ),
    };
    let mut query = sqlx::query(text)
        .bind(wanted.state.map_or("", DemandState::code))
        .bind(at.to_owned())
        .bind(id.to_owned())
        .bind(i64::from(size) + 1);
    if wanted.side != Side::Everybody {
        for place in places {
            query = query.bind(place);
        }
    }
    query.fetch_all(db).await?.iter().map(demand).collect()
}

/// Every demand of a receiver that nobody withdrew, the oldest first; at most `limit`.
pub(super) async fn standing(
    db: &mut Db,
    receiver: &DepartmentId,
    limit: u32,
) -> Result<Vec<Demand>, DbError> {
    sqlx::query(select_demands!(
        "WHERE receiver_id = $1 AND state <> 'withdrawn' ORDER BY stated_at, id LIMIT $2"
    ))
    .bind(receiver.as_str())
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(demand)
    .collect()
}

/// The open demands of a receiver for one resource that aren't in an application yet, the oldest first.
pub(super) async fn for_resource(
    db: &mut Db,
    receiver: &DepartmentId,
    level: ResourceLevel,
    resource_key: &str,
    limit: u32,
) -> Result<Vec<Demand>, DbError> {
    sqlx::query(select_demands!(
        "WHERE receiver_id = $1 AND level = $2 AND resource_key = $3 AND state = 'open' \
         AND application_id IS NULL ORDER BY stated_at, id LIMIT $4"
    ))
    .bind(receiver.as_str())
    .bind(level.code())
    .bind(resource_key)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(demand)
    .collect()
}

/// The demands that went into an application, the oldest first.
pub(super) async fn of_application(db: &mut Db, id: &str) -> Result<Vec<Demand>, DbError> {
    sqlx::query(select_demands!(
        "WHERE application_id = $1 ORDER BY stated_at, id"
    ))
    .bind(id)
    .fetch_all(db)
    .await?
    .iter()
    .map(demand)
    .collect()
}
