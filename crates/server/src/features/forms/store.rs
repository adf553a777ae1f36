//! All SQL of forms.

use tongqu_domain::ids::PersonId;

use crate::platform::db::{Db, DbError, RowExt as _};

/// Whoever fills a form in, as it names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applicant {
    pub name: String,
    /// Empty if the directory has none.
    pub phone: String,
}

/// Name and phone of a person; `None` if there is no such person.
pub async fn applicant(db: &mut Db, id: &PersonId) -> Result<Option<Applicant>, DbError> {
    sqlx::query("SELECT name, phone FROM people WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .map(|row| {
            Ok(Applicant {
                name: row.text("name")?,
                phone: row.opt_text("phone")?.unwrap_or_default(),
            })
        })
        .transpose()
}
