//! All SQL of attachments.

use jiff::Timestamp;
use tongqu_domain::{
    case::{CaseHead, FormGiven, Parties},
    ids::{AttachmentId, CaseId, DepartmentId, PersonId},
    time::instant_text,
};

use super::views::AttachmentKind;
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// An attachment as stored.
#[derive(Debug, Clone)]
pub struct AttachmentRow {
    pub id: AttachmentId,
    /// SHA-256 of the bytes, under which they are kept.
    pub digest: String,
    pub kind: AttachmentKind,
    pub name: String,
    pub content_type: String,
    pub bytes: u64,
    /// Whose upload it is.
    pub department_id: DepartmentId,
    pub uploaded_by: PersonId,
    pub at: Timestamp,
    /// The case that has taken it.
    pub used_by_case: Option<CaseId>,
}

impl AttachmentRow {
    /// The form that it is, as a step of a case takes it, with the kind of seal that is stated for it.
    #[must_use]
    pub fn form_given(&self, seal_kind: Option<String>) -> FormGiven {
        FormGiven {
            seal_kind,
            file_digest: Some(self.digest.clone()),
            attachment: Some(self.id.clone()),
        }
    }
}

fn attachment(row: &sqlx::any::AnyRow) -> Result<AttachmentRow, DbError> {
    let broken = |column, reason: String| DbError::BrokenRow { column, reason };
    let kind = row.text("kind")?;
    Ok(AttachmentRow {
        id: row.id("id")?,
        digest: row.text("digest")?,
        kind: AttachmentKind::find(&kind).ok_or_else(|| broken("kind", kind))?,
        name: row.text("name")?,
        content_type: row.text("content_type")?,
        bytes: u64::try_from(row.int("bytes")?).map_err(|e| broken("bytes", e.to_string()))?,
        department_id: row.id("department_id")?,
        uploaded_by: row.id("uploaded_by")?,
        at: row.instant("at")?,
        used_by_case: row.opt_id("used_by_case")?,
    })
}

macro_rules! select_attachments {
    ($rest:literal) => {
        concat!(
            "SELECT id, digest, kind, name, content_type, bytes, department_id, uploaded_by, at, used_by_case \
             FROM attachments ",
            $rest
        )
    };
}

pub(super) async fn insert(tx: &mut Tx, row: &AttachmentRow) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO attachments (id, digest, kind, name, content_type, bytes, department_id, uploaded_by, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(row.id.as_str())
    .bind(&row.digest)
    .bind(row.kind.code())
    .bind(&row.name)
    .bind(&row.content_type)
    .bind(i64::try_from(row.bytes).unwrap_or(i64::MAX))
    .bind(row.department_id.as_str())
    .bind(row.uploaded_by.as_str())
    .bind(instant_text(row.at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An attachment by its id.
pub async fn find(db: &mut Db, id: &AttachmentId) -> Result<Option<AttachmentRow>, DbError> {
    sqlx::query(select_attachments!("WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(attachment)
        .transpose()
}

/// The attachments of a case, oldest first.
pub async fn of_case(db: &mut Db, case_id: &CaseId) -> Result<Vec<AttachmentRow>, DbError> {
    sqlx::query(select_attachments!(
        "WHERE used_by_case = $1 ORDER BY at, id"
    ))
    .bind(case_id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(attachment)
    .collect()
}

/// Binds an attachment to a case; `false` if one has it already.
pub(super) async fn bind(
    tx: &mut Tx,
    id: &AttachmentId,
    case_id: &CaseId,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE attachments SET used_by_case = $1 WHERE id = $2 AND used_by_case IS NULL",
    )
    .bind(case_id.as_str())
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Between whom a case is; `None` if there is no such case.
pub(super) async fn parties_of(db: &mut Db, case_id: &CaseId) -> Result<Option<Parties>, DbError> {
    sqlx::query("SELECT opening FROM cases WHERE id = $1")
        .bind(case_id.as_str())
        .fetch_optional(db)
        .await?
        .map(|row| row.json::<CaseHead>("opening").map(|head| head.parties))
        .transpose()
}
