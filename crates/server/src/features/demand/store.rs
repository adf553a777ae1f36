//! All SQL of demands, county lists and applications upward.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    demand::{Answer, DemandContent, DemandState, ResourceLevel, UpwardState},
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

/// A county list.
#[derive(Debug, Clone)]
pub(super) struct DemandList {
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
pub(super) struct ListLine {
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
pub(super) struct Requester {
    pub department_id: String,
    pub department_name: String,
    pub demand_id: String,
    pub number: String,
    pub purpose: String,
}

/// An application upward.
#[derive(Debug, Clone)]
pub(super) struct Upward {
    pub id: String,
    pub number: String,
    pub applicant: DepartmentId,
    pub level: ResourceLevel,
    pub resource: String,
    pub state: UpwardState,
    pub merged_by: PersonId,
    pub merged_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub sent_reference: Option<String>,
    pub answered_at: Option<Timestamp>,
    pub answer_reference: Option<String>,
    pub answer: Option<Answer>,
    pub clause: Option<String>,
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

pub(super) async fn insert_list(
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
pub(super) async fn lists(
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

pub(super) async fn find_list(db: &mut Db, id: &str) -> Result<Option<DemandList>, DbError> {
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
pub(super) async fn lines(
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

fn upward(row: &sqlx::any::AnyRow) -> Result<Upward, DbError> {
    let (level, state) = (row.text("level")?, row.text("state")?);
    Ok(Upward {
        id: row.text("id")?,
        number: row.text("number")?,
        applicant: row.id("applicant_id")?,
        level: word("level", &level, ResourceLevel::find(&level))?,
        resource: row.text("resource")?,
        state: word("state", &state, UpwardState::find(&state))?,
        merged_by: row.id("merged_by")?,
        merged_at: row.instant("merged_at")?,
        sent_at: row.opt_instant("sent_at")?,
        sent_reference: row.opt_text("sent_reference")?,
        answered_at: row.opt_instant("answered_at")?,
        answer_reference: row.opt_text("answer_reference")?,
        answer: row.opt_json("answer")?,
        clause: row.opt_text("clause")?,
        revision: row.int("revision")?,
    })
}

macro_rules! select_upward {
    ($rest:literal) => {
        concat!(
            "SELECT id, number, applicant_id, level, resource, state, merged_by, merged_at, sent_at, \
             sent_reference, answered_at, answer_reference, answer, clause, revision FROM upward_applications ",
            $rest
        )
    };
}

pub(super) async fn insert_upward(tx: &mut Tx, upward: &Upward) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO upward_applications (id, number, applicant_id, level, resource, state, merged_by, merged_at, \
         clause, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)",
    )
    .bind(&upward.id)
    .bind(&upward.number)
    .bind(upward.applicant.as_str())
    .bind(upward.level.code())
    .bind(&upward.resource)
    .bind(upward.state.code())
    .bind(upward.merged_by.as_str())
    .bind(instant_text(upward.merged_at))
    .bind(&upward.clause)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves what can change of an application upward.
///
/// Errors: [`DbError::Stale`] if somebody was faster.
pub(super) async fn save_upward(tx: &mut Tx, upward: &Upward) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE upward_applications SET state = $1, sent_at = $2, sent_reference = $3, answered_at = $4, \
         answer_reference = $5, answer = $6, revision = revision + 1 WHERE id = $7 AND revision = $8",
    )
    .bind(upward.state.code())
    .bind(upward.sent_at.map(instant_text))
    .bind(&upward.sent_reference)
    .bind(upward.answered_at.map(instant_text))
    .bind(&upward.answer_reference)
    .bind(upward.answer.as_ref().map(json))
    .bind(&upward.id)
    .bind(upward.revision)
    .execute(&mut **tx)
    .await?;
    changed_one(&done)
}

pub(super) async fn find_upward(db: &mut Db, id: &str) -> Result<Option<Upward>, DbError> {
    sqlx::query(select_upward!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(db)
        .await?
        .map(|row| upward(&row))
        .transpose()
}

/// Applications upward, the newest first: all, or those in which a department takes part.
pub(super) async fn upwards(
    db: &mut Db,
    of: Option<&DepartmentId>,
    cursor: Option<&str>,
    size: u32,
) -> Result<Vec<Upward>, DbError> {
    let (at, id) = cursor
        .and_then(|cursor| cursor.split_once(' '))
        .unwrap_or(("9999", ""));
    sqlx::query(select_upward!(
        "WHERE ($1 = '' OR applicant_id = $1 OR EXISTS (SELECT 1 FROM demands d \
         WHERE d.application_id = upward_applications.id AND d.requester_id = $1)) \
         AND (merged_at, id) < ($2, $3) ORDER BY merged_at DESC, id DESC LIMIT $4"
    ))
    .bind(of.map_or(String::new(), ToString::to_string))
    .bind(at)
    .bind(id)
    .bind(i64::from(size) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(upward)
    .collect()
}
