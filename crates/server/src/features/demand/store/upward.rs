//! Applications to resources of higher platforms.

use jiff::Timestamp;
use tongqu_domain::{
    demand::{Answer, ResourceLevel, UpwardState},
    ids::{DepartmentId, PersonId},
    time::instant_text,
};

use super::{changed_one, json, word};
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// An application upward.
#[derive(Debug, Clone)]
pub(in super::super) struct Upward {
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

pub(in super::super) async fn insert_upward(tx: &mut Tx, upward: &Upward) -> Result<(), DbError> {
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
pub(in super::super) async fn save_upward(tx: &mut Tx, upward: &Upward) -> Result<(), DbError> {
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

pub(in super::super) async fn find_upward(
    db: &mut Db,
    id: &str,
) -> Result<Option<Upward>, DbError> {
    sqlx::query(select_upward!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(db)
        .await?
        .map(|row| upward(&row))
        .transpose()
}

/// Applications upward, the newest first: all, or those in which a department takes part.
pub(in super::super) async fn upwards(
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
