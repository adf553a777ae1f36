//! SQL of departments: what they are, who answers there, names and mergers over time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use tongqu_domain::{ids::DepartmentId, time::instant_text};

use super::super::{
    contacts::{Contact, Duty},
    succession::FormerName,
};
use super::PLATFORM_DEPARTMENT;
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// A department as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    pub id: DepartmentId,
    pub name: String,
    pub short_name: String,
    pub credit_code: String,
    pub division_code: String,
    /// `province`, `city` or `county`.
    pub level: String,
    /// `organ`, `public_institution`, `social_organisation` or `utility`. Spec: YC-3, YC-44.
    pub kind: String,
    /// The regulation applies by reference only: its duties are advice, a missed date is a reminder and
    /// never a finding. Spec: YC-44.
    pub by_reference: bool,
    pub superior_id: Option<DepartmentId>,
    /// Set once the department is gone.
    pub merged: Option<Merger>,
}

impl Department {
    /// Whether it hasn't been merged into another.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.merged.is_none()
    }
}

/// Where a department went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merger {
    pub into: DepartmentId,
    /// The first day of the successor, in China Standard Time.
    pub on: Date,
    /// The decision that it rests on.
    pub basis: String,
}

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT id, name, short_name, credit_code, division_code, level, kind, by_reference, superior_id, \
             merged_into, merged_on, merge_basis FROM departments ",
            $tail
        )
    };
}

fn department(row: &sqlx::any::AnyRow) -> Result<Department, DbError> {
    let merged = match row.opt_id("merged_into")? {
        Some(into) => Some(Merger {
            into,
            on: row.parsed("merged_on")?,
            basis: row.text("merge_basis")?,
        }),
        None => None,
    };
    Ok(Department {
        id: row.id("id")?,
        name: row.text("name")?,
        short_name: row.text("short_name")?,
        credit_code: row.text("credit_code")?,
        division_code: row.text("division_code")?,
        level: row.text("level")?,
        kind: row.text("kind")?,
        by_reference: row.flag("by_reference")?,
        superior_id: row.opt_id("superior_id")?,
        merged,
    })
}

/// A department by its id.
pub async fn find_department(
    db: &mut Db,
    id: &DepartmentId,
) -> Result<Option<Department>, DbError> {
    sqlx::query(select!("WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(db)
        .await?
        .as_ref()
        .map(department)
        .transpose()
}

/// The departments to which the regulation applies by reference 参照执行: a missed date of theirs is a
/// reminder and nothing more. Spec: YC-44.
pub async fn departments_by_reference(db: &mut Db) -> Result<BTreeSet<DepartmentId>, DbError> {
    sqlx::query("SELECT id FROM departments WHERE by_reference = 1")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| row.id("id"))
        .collect()
}

/// All departments by name, also those that are gone.
pub(in super::super) async fn departments(db: &mut Db) -> Result<Vec<Department>, DbError> {
    sqlx::query(select!("ORDER BY name, id"))
        .fetch_all(db)
        .await?
        .iter()
        .map(department)
        .collect()
}

/// How many departments are connected.
pub async fn departments_count(db: &mut Db) -> Result<i64, DbError> {
    sqlx::query("SELECT COUNT(*) AS n FROM departments WHERE merged_into IS NULL")
        .fetch_one(db)
        .await?
        .int("n")
}

/// All departments, by id.
pub async fn departments_by_id(db: &mut Db) -> Result<BTreeMap<String, Department>, DbError> {
    Ok(departments(db)
        .await?
        .into_iter()
        .map(|d| (d.id.to_string(), d))
        .collect())
}

/// Full names of all departments, by id.
pub async fn department_names(db: &mut Db) -> Result<BTreeMap<String, String>, DbError> {
    Ok(departments(db)
        .await?
        .into_iter()
        .map(|d| (d.id.to_string(), d.name))
        .collect())
}

pub(in super::super) async fn insert_department(
    tx: &mut Tx,
    department: &Department,
) -> Result<(), DbError> {
    let at = instant_text(tx.at());
    sqlx::query(
        "INSERT INTO departments (id, name, short_name, credit_code, division_code, level, kind, by_reference, \
         superior_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(department.id.as_str())
    .bind(&department.name)
    .bind(&department.short_name)
    .bind(&department.credit_code)
    .bind(&department.division_code)
    .bind(&department.level)
    .bind(&department.kind)
    .bind(i64::from(department.by_reference))
    .bind(department.superior_id.as_ref().map(ToString::to_string))
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves everything but names, code and merger, which have a history of their own.
pub(in super::super) async fn save_department(
    tx: &mut Tx,
    department: &Department,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE departments SET division_code = $1, level = $2, kind = $3, by_reference = $4, superior_id = $5 \
         WHERE id = $6",
    )
    .bind(&department.division_code)
    .bind(&department.level)
    .bind(&department.kind)
    .bind(i64::from(department.by_reference))
    .bind(department.superior_id.as_ref().map(ToString::to_string))
    .bind(department.id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Who answers in the departments, by department.
pub(in super::super) async fn contacts(
    db: &mut Db,
) -> Result<BTreeMap<String, Vec<Contact>>, DbError> {
    let mut contacts: BTreeMap<String, Vec<Contact>> = BTreeMap::new();
    for row in sqlx::query("SELECT department_id, duty, name, phone FROM department_contacts")
        .fetch_all(db)
        .await?
    {
        let code = row.text("duty")?;
        let duty = Duty::find(&code).ok_or_else(|| DbError::BrokenRow {
            column: "duty",
            reason: format!("unknown duty {code}"),
        })?;
        contacts
            .entry(row.text("department_id")?)
            .or_default()
            .push(Contact {
                duty,
                name: row.text("name")?,
                phone: row.text("phone")?,
            });
    }
    for list in contacts.values_mut() {
        list.sort_by_key(|c| c.duty);
    }
    Ok(contacts)
}

/// Name and telephone of whoever answers for technical questions in a department, if it has named somebody.
pub async fn technical_contact(
    db: &mut Db,
    id: &DepartmentId,
) -> Result<Option<(String, String)>, DbError> {
    let row = sqlx::query(
        "SELECT name, phone FROM department_contacts WHERE department_id = $1 AND duty = $2",
    )
    .bind(id.as_str())
    .bind(Duty::Technical.code())
    .fetch_optional(db)
    .await?;
    row.map(|row| Ok((row.text("name")?, row.text("phone")?)))
        .transpose()
}

/// Puts these contacts in place of those there.
pub(in super::super) async fn replace_contacts(
    tx: &mut Tx,
    id: &DepartmentId,
    contacts: &[Contact],
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM department_contacts WHERE department_id = $1")
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    for contact in contacts {
        sqlx::query("INSERT INTO department_contacts (department_id, duty, name, phone) VALUES ($1, $2, $3, $4)")
            .bind(id.as_str())
            .bind(contact.duty.code())
            .bind(&contact.name)
            .bind(&contact.phone)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// The duties 职责 registered for a department, in its order.
pub async fn duties_of(db: &mut Db, id: &DepartmentId) -> Result<Vec<String>, DbError> {
    sqlx::query("SELECT duty FROM department_duties WHERE department_id = $1 ORDER BY position")
        .bind(id.as_str())
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| row.text("duty"))
        .collect()
}

/// Puts these duties in place of those there.
pub(in super::super) async fn replace_duties(
    tx: &mut Tx,
    id: &DepartmentId,
    duties: &[String],
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM department_duties WHERE department_id = $1")
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    for (position, duty) in (0_i64..).zip(duties) {
        sqlx::query(
            "INSERT INTO department_duties (department_id, position, duty) VALUES ($1, $2, $3)",
        )
        .bind(id.as_str())
        .bind(position)
        .bind(duty)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The names that departments no longer bear: by department, the oldest first.
pub(in super::super) async fn former_names(
    db: &mut Db,
) -> Result<BTreeMap<String, Vec<FormerName>>, DbError> {
    let mut names: BTreeMap<String, Vec<FormerName>> = BTreeMap::new();
    for row in sqlx::query(
        "SELECT department_id, until_date, name, short_name, credit_code, basis FROM department_names \
         ORDER BY department_id, until_date",
    )
    .fetch_all(db)
    .await?
    {
        names
            .entry(row.text("department_id")?)
            .or_default()
            .push(FormerName {
                until: row.parsed("until_date")?,
                name: row.text("name")?,
                short_name: row.text("short_name")?,
                credit_code: row.text("credit_code")?,
                basis: row.text("basis")?,
            });
    }
    Ok(names)
}

/// Gives a department its new name and code, and keeps the old ones.
pub(in super::super) async fn rename(
    tx: &mut Tx,
    renamed: &Department,
    former: &FormerName,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO department_names (department_id, until_date, name, short_name, credit_code, basis) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(renamed.id.as_str())
    .bind(former.until.to_string())
    .bind(&former.name)
    .bind(&former.short_name)
    .bind(&former.credit_code)
    .bind(&former.basis)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE departments SET name = $1, short_name = $2, credit_code = $3 WHERE id = $4",
    )
    .bind(&renamed.name)
    .bind(&renamed.short_name)
    .bind(&renamed.credit_code)
    .bind(renamed.id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Which department went into which, each one step.
pub(in super::super) async fn mergers(
    db: &mut Db,
) -> Result<BTreeMap<DepartmentId, DepartmentId>, DbError> {
    sqlx::query("SELECT id, merged_into FROM departments WHERE merged_into IS NOT NULL")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| Ok((row.id("id")?, row.id("merged_into")?)))
        .collect()
}

/// Names of catalogue entries that two departments both have.
pub(in super::super) async fn entries_in_both(
    db: &mut Db,
    one: &DepartmentId,
    other: &DepartmentId,
) -> Result<Vec<String>, DbError> {
    sqlx::query(
        "SELECT a.name FROM entries a JOIN entries b ON b.name = a.name \
         WHERE a.department_id = $1 AND b.department_id = $2 ORDER BY a.name",
    )
    .bind(one.as_str())
    .bind(other.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| row.text("name"))
    .collect()
}

/// What of a department lives on in its successor; `$1` is the successor, `$2` the one that is gone.
///
/// Cases, tasks, requests, grants, runs and evidence aren't among them: they are on record as they were, and
/// the successor answers for them.
const MOVES: &[&str] = &[
    "UPDATE posts SET department_id = $1 WHERE department_id = $2 AND NOT EXISTS (SELECT 1 FROM posts twin \
     WHERE twin.person_id = posts.person_id AND twin.role = posts.role AND twin.department_id = $1)",
    "UPDATE people SET department_id = $1 WHERE department_id = $2",
    "UPDATE people SET supervising_department_id = $1 WHERE supervising_department_id = $2",
    "UPDATE sessions SET department_id = $1 WHERE department_id = $2",
    "UPDATE stores SET department_id = $1 WHERE department_id = $2",
    "UPDATE entries SET department_id = $1 WHERE department_id = $2",
    "UPDATE role_bindings SET department_id = $1 WHERE department_id = $2",
    "UPDATE responsibility_lines SET department_id = $1 WHERE department_id = $2 AND until_no IS NULL",
    "UPDATE responsibility_settlements SET department_id = $1 WHERE department_id = $2 AND until_no IS NULL",
    "UPDATE departments SET superior_id = $1 WHERE superior_id = $2",
];

/// Lets a department end in another, with everything that lives on.
pub(in super::super) async fn merge(
    tx: &mut Tx,
    gone: &DepartmentId,
    merger: &Merger,
    today: Date,
) -> Result<(), DbError> {
    for statement in MOVES {
        sqlx::query(*statement)
            .bind(merger.into.as_str())
            .bind(gone.as_str())
            .execute(&mut **tx)
            .await?;
    }
    // What is left are posts that the same people hold in the successor already.
    sqlx::query("DELETE FROM posts WHERE department_id = $1")
        .bind(gone.as_str())
        .execute(&mut **tx)
        .await?;
    // Delegations that have ended or were revoked are history.
    sqlx::query(
        "UPDATE delegations SET department_id = $1 WHERE department_id = $2 AND last_day >= $3 AND revoked_at IS NULL",
    )
    .bind(merger.into.as_str())
    .bind(gone.as_str())
    .bind(today.to_string())
    .execute(&mut **tx)
    .await?;
    sqlx::query("UPDATE settings SET value = $1 WHERE name = $2 AND value = $3")
        .bind(merger.into.as_str())
        .bind(PLATFORM_DEPARTMENT)
        .bind(gone.as_str())
        .execute(&mut **tx)
        .await?;
    // The successor isn't below itself.
    sqlx::query("UPDATE departments SET superior_id = NULL WHERE id = $1 AND superior_id = $1")
        .bind(merger.into.as_str())
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "UPDATE departments SET merged_into = $1, merged_on = $2, merge_basis = $3 WHERE id = $4",
    )
    .bind(merger.into.as_str())
    .bind(merger.on.to_string())
    .bind(&merger.basis)
    .bind(gone.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
