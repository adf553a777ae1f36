//! All SQL of requests and grants.

use jiff::{Timestamp, civil::Date};
use tongqu_domain::{
    grant::Grant,
    ids::{CaseId, DepartmentId, EntryId, GrantId, PersonId, RequestId},
    law::StepId,
    request::{PartialApproval, SharingRequest},
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
    /// The department that entered it, where it came on paper; `filed_by` works there.
    pub entered_by: Option<DepartmentId>,
    pub content: SharingRequest,
    pub created_at: Timestamp,
    /// Until when only the department that asks sees it; `None` once others do. It stays where it was taken
    /// back before.
    pub held_until: Option<Timestamp>,
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
        entered_by: row.opt_id("entered_by_department_id")?,
        content: row.json("content")?,
        created_at: row.instant("created_at")?,
        held_until: row.opt_instant("held_until")?,
    })
}

macro_rules! select_requests {
    ($rest:literal) => {
        concat!(
            "SELECT id, case_id, requester_department_id, provider_department_id, filed_by, \
             entered_by_department_id, content, created_at, held_until FROM sharing_requests ",
            $rest
        )
    };
}

pub(super) async fn insert_request(tx: &mut Tx, request: &Request) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO sharing_requests (id, case_id, entry_id, version_no, requester_department_id, \
         provider_department_id, filed_by, content, created_at, entered_by_department_id, held_until) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
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
    .bind(request.entered_by.as_ref().map(ToString::to_string))
    .bind(request.held_until.map(instant_text))
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

/// Requests that these departments have filed, newest first; at most one more than `size`. With `ended`, only those
/// whose case has ended, or hasn't.
pub async fn requests_of_department(
    db: &mut Db,
    departments: &[DepartmentId],
    ended: Option<bool>,
    cursor: Option<&str>,
    size: u32,
) -> Result<Vec<Request>, DbError> {
    let mut requests = Vec::new();
    for department in departments {
        let rows = sqlx::query(select_requests!(
            "WHERE requester_department_id = $1 AND ($2 = '' OR created_at || ' ' || id < $2) \
             AND ($4 < 0 OR $4 = (SELECT CASE WHEN c.ended_at IS NULL THEN 0 ELSE 1 END FROM cases c \
             WHERE c.id = case_id)) ORDER BY created_at DESC, id DESC LIMIT $3"
        ))
        .bind(department.as_str())
        .bind(cursor.unwrap_or_default())
        .bind(i64::from(size) + 1)
        .bind(ended.map_or(-1, i64::from))
        .fetch_all(&mut *db)
        .await?;
        for row in &rows {
            requests.push(request(row)?);
        }
    }
    requests.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    requests.truncate(
        usize::try_from(size)
            .unwrap_or(usize::MAX)
            .saturating_add(1),
    );
    Ok(requests)
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

/// Requests whose holding time is over by `now` and that weren't taken back; at most `limit`.
pub(super) async fn held_due(
    db: &mut Db,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Request>, DbError> {
    sqlx::query(select_requests!(
        "WHERE held_until <= $1 AND case_id IN (SELECT c.id FROM cases c WHERE c.ended_at IS NULL) \
         ORDER BY held_until, id LIMIT $2"
    ))
    .bind(instant_text(now))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(request)
    .collect()
}

/// Marks that others see a request; `false` if they did already.
pub(super) async fn unhold(tx: &mut Tx, id: &RequestId) -> Result<bool, DbError> {
    let marked = sqlx::query(
        "UPDATE sharing_requests SET held_until = NULL WHERE id = $1 AND held_until IS NOT NULL",
    )
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(marked.rows_affected() == 1)
}

/// Requests on an entry whose cases are open and that others see, oldest first.
pub(super) async fn open_requests_on_entry(
    db: &mut Db,
    entry_id: &EntryId,
) -> Result<Vec<Request>, DbError> {
    sqlx::query(select_requests!(
        "WHERE entry_id = $1 AND held_until IS NULL \
         AND case_id IN (SELECT c.id FROM cases c WHERE c.ended_at IS NULL) \
         ORDER BY created_at, id"
    ))
    .bind(entry_id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(request)
    .collect()
}

/// Keeps what a decision took away from a request.
pub(super) async fn insert_part(
    tx: &mut Tx,
    id: &RequestId,
    step: &StepId,
    part: &PartialApproval,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO partial_approvals (request_id, step_id, content, at) VALUES ($1, $2, $3, $4)",
    )
    .bind(id.as_str())
    .bind(step.as_str())
    .bind(json(part))
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What the decisions on a request took away, each with its step, in their order.
pub(super) async fn parts_of(
    db: &mut Db,
    id: &RequestId,
) -> Result<Vec<(StepId, PartialApproval)>, DbError> {
    sqlx::query(
        "SELECT step_id, content FROM partial_approvals WHERE request_id = $1 ORDER BY at, step_id",
    )
    .bind(id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        let step = StepId::parse(&row.text("step_id")?).map_err(|e| DbError::BrokenRow {
            column: "step_id",
            reason: e.to_string(),
        })?;
        Ok((step, row.json("content")?))
    })
    .collect()
}

pub(super) async fn insert_grant(tx: &mut Tx, grant: &Grant) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO grants (id, case_id, entry_id, requester_department_id, provider_department_id, state_code, \
         content, created_at, valid_until) VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, $8)",
    )
    .bind(grant.id.as_str())
    .bind(grant.case_id.as_str())
    .bind(grant.entry_id.as_str())
    .bind(grant.requester.as_str())
    .bind(grant.provider.as_str())
    .bind(json(grant))
    .bind(at)
    .bind(grant.valid_until.map(|day| day.to_string()))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves a grant whose state, term or scope has changed.
pub(super) async fn save_grant(tx: &mut Tx, grant: &Grant) -> Result<(), DbError> {
    sqlx::query("UPDATE grants SET state_code = $1, content = $2, valid_until = $3 WHERE id = $4")
        .bind(grant.state.name())
        .bind(json(grant))
        .bind(grant.valid_until.map(|day| day.to_string()))
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

/// Grants whose term is over by `today` and of which that wasn't noted yet; at most `limit`.
pub(super) async fn expired_unnoted(
    db: &mut Db,
    today: Date,
    limit: u32,
) -> Result<Vec<Grant>, DbError> {
    sqlx::query(
        "SELECT content FROM grants WHERE valid_until <= $1 AND expiry_noted_at IS NULL AND state_code <> 'ended' \
         ORDER BY valid_until, id LIMIT $2",
    )
    .bind(today.to_string())
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| row.json("content"))
    .collect()
}

/// Marks that the expiry of a grant was noted; `false` if it was already.
pub(super) async fn mark_expired(tx: &mut Tx, id: &GrantId) -> Result<bool, DbError> {
    let at = instant_text(tx.at());
    let marked = sqlx::query(
        "UPDATE grants SET expiry_noted_at = $1 WHERE id = $2 AND expiry_noted_at IS NULL",
    )
    .bind(at)
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(marked.rows_affected() == 1)
}

/// Active grants after `after` for which no reclaim is proposed, in the order of their ids; at most `limit`.
pub(super) async fn active_unproposed(
    db: &mut Db,
    after: &str,
    limit: u32,
) -> Result<Vec<Grant>, DbError> {
    sqlx::query(
        "SELECT content FROM grants WHERE state_code = 'active' AND reclaim_proposed_at IS NULL AND id > $1 \
         ORDER BY id LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| row.json("content"))
    .collect()
}

/// Marks that a reclaim is proposed; `false` if it was already.
pub(super) async fn mark_proposed(tx: &mut Tx, id: &GrantId) -> Result<bool, DbError> {
    let at = instant_text(tx.at());
    let marked = sqlx::query(
        "UPDATE grants SET reclaim_proposed_at = $1 WHERE id = $2 AND reclaim_proposed_at IS NULL",
    )
    .bind(at)
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(marked.rows_affected() == 1)
}

/// Takes a proposal back: the grant was used, or may not be reclaimed.
pub(super) async fn unmark_proposed(tx: &mut Tx, id: &GrantId) -> Result<(), DbError> {
    sqlx::query("UPDATE grants SET reclaim_proposed_at = NULL WHERE id = $1")
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Since when the reclaim of a grant is proposed; `None` if it isn't.
pub(super) async fn proposed_at(db: &mut Db, id: &GrantId) -> Result<Option<Timestamp>, DbError> {
    match sqlx::query("SELECT reclaim_proposed_at FROM grants WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
    {
        Some(row) => row.opt_instant("reclaim_proposed_at"),
        None => Ok(None),
    }
}

/// Grants of a department on an entry, newest first.
pub(super) async fn grants_held(
    db: &mut Db,
    requester: &DepartmentId,
    entry_id: &EntryId,
) -> Result<Vec<Grant>, DbError> {
    sqlx::query(
        "SELECT content FROM grants WHERE requester_department_id = $1 AND entry_id = $2 \
         ORDER BY created_at DESC, id DESC",
    )
    .bind(requester.as_str())
    .bind(entry_id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| row.json("content"))
    .collect()
}
