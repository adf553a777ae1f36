//! All SQL of requests and grants.

use jiff::Timestamp;
use tongqu_domain::{
    grant::{Grant, GrantState},
    ids::{CaseId, DepartmentId, EntryId, GrantId, PersonId, RequestId},
    request::SharingRequest,
    time::instant_text,
};

use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// A request as stored.
#[derive(Debug, Clone)]
pub struct Request {
    pub id: RequestId,
    pub case_id: CaseId,
    pub requester: DepartmentId,
    pub provider: DepartmentId,
    pub filed_by: PersonId,
    pub content: SharingRequest,
    pub created_at: Timestamp,
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("domain structures make JSON")
}

fn request(row: &sqlx::any::AnyRow) -> Result<Request, DbError> {
    Ok(Request {
        id: row.id("id")?,
        case_id: row.id("case_id")?,
        requester: row.id("requester_department_id")?,
        provider: row.id("provider_department_id")?,
        filed_by: row.id("filed_by")?,
        content: row.json("content")?,
        created_at: row.instant("created_at")?,
    })
}

macro_rules! select_requests {
    ($rest:literal) => {
        concat!(
            "SELECT id, case_id, requester_department_id, provider_department_id, filed_by, content, created_at \
             FROM sharing_requests ",
            $rest
        )
    };
}

pub(super) async fn insert_request(tx: &mut Tx, request: &Request) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO sharing_requests (id, case_id, entry_id, version_no, requester_department_id, \
         provider_department_id, filed_by, content, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(request.id.as_str())
    .bind(request.case_id.as_str())
    .bind(request.content.entry_id.as_str())
    .bind(i64::from(request.content.version_no))
    .bind(request.requester.as_str())
    .bind(request.provider.as_str())
    .bind(request.filed_by.as_str())
    .bind(json(&request.content))
    .bind(instant_text(request.created_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A request by its id.
pub(super) async fn find_request(db: &mut Db, id: &RequestId) -> Result<Option<Request>, DbError> {
    sqlx::query(select_requests!("WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(request)
        .transpose()
}

/// The request behind a case.
pub async fn request_of_case(db: &mut Db, case_id: &CaseId) -> Result<Option<Request>, DbError> {
    sqlx::query(select_requests!("WHERE case_id = $1"))
        .bind(case_id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(request)
        .transpose()
}

/// Requests that a department has filed, newest first; one more than `size`.
pub async fn requests_of_department(
    db: &mut Db,
    department_id: &DepartmentId,
    cursor: Option<&str>,
    size: u32,
) -> Result<Vec<Request>, DbError> {
    sqlx::query(select_requests!(
        "WHERE requester_department_id = $1 AND ($2 = '' OR created_at || ' ' || id < $2) \
         ORDER BY created_at DESC, id DESC LIMIT $3"
    ))
    .bind(department_id.as_str())
    .bind(cursor.unwrap_or_default())
    .bind(i64::from(size) + 1)
    .fetch_all(db)
    .await?
    .iter()
    .map(request)
    .collect()
}

/// A department's requests on an entry, newest first.
pub async fn requests_on_entry(
    db: &mut Db,
    department_id: &DepartmentId,
    entry_id: &EntryId,
) -> Result<Vec<Request>, DbError> {
    sqlx::query(select_requests!(
        "WHERE requester_department_id = $1 AND entry_id = $2 ORDER BY created_at DESC, id DESC LIMIT 20"
    ))
    .bind(department_id.as_str())
    .bind(entry_id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(request)
    .collect()
}

/// Requests on an entry whose cases are open, oldest first.
pub(super) async fn open_requests_on_entry(
    db: &mut Db,
    entry_id: &EntryId,
) -> Result<Vec<Request>, DbError> {
    sqlx::query(select_requests!(
        "WHERE entry_id = $1 AND case_id IN (SELECT c.id FROM cases c WHERE c.ended_at IS NULL) \
         ORDER BY created_at, id"
    ))
    .bind(entry_id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(request)
    .collect()
}

pub(super) async fn insert_grant(tx: &mut Tx, grant: &Grant) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO grants (id, case_id, entry_id, requester_department_id, provider_department_id, state_code, \
         content, created_at) VALUES ($1, $2, $3, $4, $5, 'active', $6, $7)",
    )
    .bind(grant.id.as_str())
    .bind(grant.case_id.as_str())
    .bind(grant.entry_id.as_str())
    .bind(grant.requester.as_str())
    .bind(grant.provider.as_str())
    .bind(json(grant))
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves a grant whose state, term or scope has changed.
pub(super) async fn save_grant(tx: &mut Tx, grant: &Grant) -> Result<(), DbError> {
    let state = match &grant.state {
        GrantState::Active => "active",
        GrantState::Suspended { .. } => "suspended",
        GrantState::Ended { .. } => "ended",
    };
    sqlx::query("UPDATE grants SET state_code = $1, content = $2 WHERE id = $3")
        .bind(state)
        .bind(json(grant))
        .bind(grant.id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A grant by its id.
pub async fn find_grant(db: &mut Db, id: &GrantId) -> Result<Option<Grant>, DbError> {
    sqlx::query("SELECT content FROM grants WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .map(|row| row.json("content"))
        .transpose()
}

/// The grant that came of a case.
pub async fn grant_of_case(db: &mut Db, case_id: &CaseId) -> Result<Option<Grant>, DbError> {
    sqlx::query("SELECT content FROM grants WHERE case_id = $1")
        .bind(case_id.as_str())
        .fetch_optional(db)
        .await?
        .map(|row| row.json("content"))
        .transpose()
}

/// Departments that hold an active grant on an entry, with its purpose.
pub async fn users_of_entry(db: &mut Db, entry_id: &EntryId) -> Result<Vec<Grant>, DbError> {
    sqlx::query("SELECT content FROM grants WHERE entry_id = $1 AND state_code = 'active' ORDER BY created_at, id")
        .bind(entry_id.as_str())
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| row.json("content"))
        .collect()
}
