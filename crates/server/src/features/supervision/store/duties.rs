//! Who owes reports, how long their periods are, and what was handed in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use tongqu_domain::{ids::DepartmentId, supervision::Period, time::instant_text};

use super::broken;
use crate::platform::db::{Db, DbError, RowExt as _, Tx};

/// Every department with the instant since which it is there.
pub async fn departments(db: &mut Db) -> Result<Vec<(DepartmentId, Timestamp)>, DbError> {
    sqlx::query("SELECT id, created_at FROM departments ORDER BY id")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| Ok((row.id("id")?, row.instant("created_at")?)))
        .collect()
}

/// Departments with a published entry.
pub async fn providers(db: &mut Db) -> Result<BTreeSet<String>, DbError> {
    sqlx::query("SELECT DISTINCT department_id FROM entries WHERE active_no IS NOT NULL")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| row.text("department_id"))
        .collect()
}

/// Departments that were ever granted something.
pub async fn requesters(db: &mut Db) -> Result<BTreeSet<String>, DbError> {
    sqlx::query("SELECT DISTINCT requester_department_id AS id FROM grants")
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| row.text("id"))
        .collect()
}

/// The periods that were set for the duties of a pack, by duty.
pub async fn periods(db: &mut Db, pack_id: &str) -> Result<BTreeMap<String, Period>, DbError> {
    sqlx::query("SELECT duty_id, months, first_day FROM duty_periods WHERE pack_id = $1")
        .bind(pack_id)
        .fetch_all(db)
        .await?
        .iter()
        .map(|row| {
            let months =
                u32::try_from(row.int("months")?).map_err(|error| broken("months", error))?;
            let first_day = row.parsed("first_day")?;
            Ok((row.text("duty_id")?, Period { months, first_day }))
        })
        .collect()
}

/// Sets the period of a duty in place of the one before.
pub async fn set_period(
    tx: &mut Tx,
    pack_id: &str,
    duty_id: &str,
    period: Period,
    person_id: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO duty_periods (pack_id, duty_id, months, first_day, set_by) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (pack_id, duty_id) DO UPDATE SET months = excluded.months, first_day = excluded.first_day, \
         set_by = excluded.set_by",
    )
    .bind(pack_id)
    .bind(duty_id)
    .bind(i64::from(period.months))
    .bind(period.first_day.to_string())
    .bind(person_id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Which occasion of a duty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owing {
    pub duty_id: String,
    pub department_id: String,
    /// The first civil date reported on; empty where no period is known.
    pub period_from: String,
}

/// What was handed in.
#[derive(Debug, Clone)]
pub struct Report {
    pub period_to: String,
    pub due_on: Option<Date>,
    pub text: String,
    pub figures: BTreeMap<String, i64>,
    pub submitted_by: String,
    pub submitted_at: Timestamp,
}

/// Everything that was handed in under a pack, of one department or of all if `department_id` is empty.
/// Where there is no period, the last one counts.
pub async fn reports(
    db: &mut Db,
    pack_id: &str,
    department_id: &str,
) -> Result<BTreeMap<Owing, Report>, DbError> {
    sqlx::query(
        "SELECT duty_id, department_id, period_from, period_to, due_on, text, figures, submitted_by, submitted_at \
         FROM duty_reports WHERE pack_id = $1 AND ($2 = '' OR department_id = $2) ORDER BY submitted_at, id",
    )
    .bind(pack_id)
    .bind(department_id)
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| {
        let owing = Owing {
            duty_id: row.text("duty_id")?,
            department_id: row.text("department_id")?,
            period_from: row.text("period_from")?,
        };
        let report = Report {
            period_to: row.text("period_to")?,
            due_on: row.opt_date("due_on")?,
            text: row.text("text")?,
            figures: row.json("figures")?,
            submitted_by: row.text("submitted_by")?,
            submitted_at: row.instant("submitted_at")?,
        };
        Ok((owing, report))
    })
    .collect()
}

/// Keeps a report.
///
/// Errors: a unique violation if the period was reported on already.
pub async fn insert_report(
    tx: &mut Tx,
    id: &str,
    pack_id: &str,
    owing: &Owing,
    report: &Report,
) -> Result<(), DbError> {
    let figures = serde_json::to_string(&report.figures).expect("numbers by name make JSON");
    sqlx::query(
        "INSERT INTO duty_reports (id, pack_id, duty_id, department_id, period_from, period_to, due_on, text, figures, \
         submitted_by, submitted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(id)
    .bind(pack_id)
    .bind(&owing.duty_id)
    .bind(&owing.department_id)
    .bind(&owing.period_from)
    .bind(&report.period_to)
    .bind(report.due_on.map(|d| d.to_string()))
    .bind(&report.text)
    .bind(figures)
    .bind(&report.submitted_by)
    .bind(instant_text(report.submitted_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
