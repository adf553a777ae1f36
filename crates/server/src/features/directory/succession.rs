//! Departments over time: renamed or merged, they keep their history.
//!
//! What lives on (people, posts, stores, catalogue entries, role bindings) moves to the successor in one
//! transaction. What is on record (cases, requests, grants, runs, evidence) keeps the department that acted,
//! and the successor answers for it: [`answers_for`].

use std::collections::BTreeMap;

use axum::{Json, extract::Path};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tongqu_domain::{
    access::{Action, Subject, Succession},
    ids::DepartmentId,
    time::china_date,
};
use utoipa::ToSchema;

use super::{
    departments::{Faults, active, naming, taken},
    read_department::{DepartmentDetail, detail},
    store::{self, Department, ExchangeStore, Merger},
};
use crate::platform::{
    db::{Db, DbError},
    http::{ApiError, Ctx, Problem, Reply, reply},
};

/// The longest ground of a change, in characters.
const BASIS_CHARS_MAX: usize = 200;

/// A name that a department no longer bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FormerName {
    /// The first day of the next name, in China Standard Time.
    pub until: Date,
    pub name: String,
    pub short_name: String,
    pub credit_code: String,
    /// The decision that the change rests on.
    pub basis: String,
}

/// A name that a department no longer bears.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormerNameView {
    /// The civil date from which the next name holds.
    pub until: String,
    pub name: String,
    pub short_name: String,
    pub credit_code: String,
    /// The decision that the change rests on.
    pub basis: String,
}

impl From<FormerName> for FormerNameView {
    fn from(former: FormerName) -> Self {
        Self {
            until: former.until.to_string(),
            name: former.name,
            short_name: former.short_name,
            credit_code: former.credit_code,
            basis: former.basis,
        }
    }
}

/// The department itself and all that were merged into it, directly or through others.
///
/// Whoever looks for the things of a department that are on record looks for those of all of them.
pub async fn answers_for(
    db: &mut Db,
    department: &DepartmentId,
) -> Result<Vec<DepartmentId>, DbError> {
    let mut answered = vec![department.clone()];
    let found = successions(db, std::slice::from_ref(department)).await?;
    answered.extend(found.into_iter().map(|s| s.gone));
    Ok(answered)
}

/// The departments that were merged into one of these, directly or through others.
pub async fn successions(
    db: &mut Db,
    departments: &[DepartmentId],
) -> Result<Vec<Succession>, DbError> {
    let mergers = store::mergers(db).await?;
    Ok(mergers
        .keys()
        .map(|gone| Succession {
            gone: gone.clone(),
            successor: last_of(gone, &mergers),
        })
        .filter(|s| departments.contains(&s.successor))
        .collect())
}

/// The department that answers for this one today: itself, unless it was merged.
pub async fn successor(db: &mut Db, department: &DepartmentId) -> Result<DepartmentId, DbError> {
    Ok(last_of(department, &store::mergers(db).await?))
}

/// The exchange stores of a department, or of the one that answers for it, oldest first.
pub async fn stores_of(
    db: &mut Db,
    department: &DepartmentId,
) -> Result<Vec<ExchangeStore>, DbError> {
    let owner = successor(db, department).await?;
    store::stores_of(db, &owner).await
}

fn last_of(
    department: &DepartmentId,
    mergers: &BTreeMap<DepartmentId, DepartmentId>,
) -> DepartmentId {
    // A department goes into an active one only, so the chain ends; the bound is for broken rows.
    let mut last = department;
    for _ in 0..=mergers.len() {
        match mergers.get(last) {
            Some(next) => last = next,
            None => break,
        }
    }
    last.clone()
}

/// The names of all departments, on whatever day.
#[derive(Debug)]
pub struct NamesOverTime {
    now: BTreeMap<String, String>,
    former: BTreeMap<String, Vec<FormerName>>,
}

impl NamesOverTime {
    /// The full name that a department bore on a day, in China Standard Time.
    #[must_use]
    pub fn on(&self, department_id: &str, day: Date) -> Option<&str> {
        match self.former_on(department_id, day) {
            Some(former) => Some(&former.name),
            None => self.now.get(department_id).map(String::as_str),
        }
    }

    fn former_on(&self, department_id: &str, day: Date) -> Option<&FormerName> {
        self.former
            .get(department_id)?
            .iter()
            .find(|former| day < former.until)
    }

    /// Gives a department the names and code of a day.
    pub(super) fn take_back(&self, department: &mut Department, day: Date) {
        if let Some(former) = self.former_on(department.id.as_str(), day) {
            department.name.clone_from(&former.name);
            department.short_name.clone_from(&former.short_name);
            department.credit_code.clone_from(&former.credit_code);
        }
    }
}

/// The names of all departments with their days, for records that show a name as it was.
pub async fn names_over_time(db: &mut Db) -> Result<NamesOverTime, DbError> {
    Ok(NamesOverTime {
        now: store::department_names(db).await?,
        former: store::former_names(db).await?,
    })
}

/// A new name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameBody {
    pub name: String,
    /// Name in lists; the full name if left empty.
    #[serde(default)]
    pub short_name: String,
    /// The new unified social credit code; left out, the old one stays.
    #[serde(default)]
    pub credit_code: Option<String>,
    /// The first day of the new name, `YYYY-MM-DD`, not in the future.
    pub from_date: String,
    /// The decision that it rests on, for example the number of a document.
    pub basis: String,
}

/// Checks the day and the ground of a change.
fn day_and_basis(
    from_date: &str,
    basis: &str,
    today: Date,
    last_change: Option<Date>,
    faults: &mut Faults,
) -> Option<Date> {
    let basis = basis.trim();
    if basis.is_empty() || basis.chars().count() > BASIS_CHARS_MAX {
        faults.add("basis", "directory.basis");
    }
    let Ok(day) = from_date.trim().parse::<Date>() else {
        faults.add("from_date", "directory.date");
        return None;
    };
    if day > today {
        faults.add("from_date", "directory.date_ahead");
    }
    if last_change.is_some_and(|last| day <= last) {
        faults.add("from_date", "directory.date_before_last_change");
    }
    Some(day)
}

/// The day of a department's last change of name.
async fn last_change(db: &mut Db, id: &DepartmentId) -> Result<Option<Date>, DbError> {
    let former = store::former_names(db).await?.remove(id.as_str());
    Ok(former.and_then(|names| names.last().map(|n| n.until)))
}

/// Give a department a new name. For system administrators. The old one is kept with its days, and records
/// of those days go on showing it.
#[utoipa::path(post, path = "/departments/{department_id}/rename", tag = "directory",
    operation_id = "rename_department", params(("department_id" = String, Path)), request_body = RenameBody,
    responses((status = 200, body = DepartmentDetail), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn rename_department(
    ctx: Ctx,
    Path(department_id): Path<String>,
    Json(body): Json<RenameBody>,
) -> Reply<DepartmentDetail> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let mut tx = ctx.begin().await?;
    let before = active(&mut tx, &department_id).await?;
    let mut faults = Faults::default();
    let credit_code = body.credit_code.as_deref().unwrap_or(&before.credit_code);
    let naming = naming(&body.name, &body.short_name, credit_code, &mut faults);
    let last = last_change(&mut tx, &before.id).await?;
    let day = day_and_basis(
        &body.from_date,
        &body.basis,
        china_date(ctx.now),
        last,
        &mut faults,
    );
    faults.check()?;
    let day = day.ok_or_else(|| ApiError::bug("a date without fault is a date"))?;
    let former = FormerName {
        until: day,
        name: before.name.clone(),
        short_name: before.short_name.clone(),
        credit_code: before.credit_code.clone(),
        basis: body.basis.trim().to_owned(),
    };
    let after = Department {
        name: naming.name,
        short_name: naming.short_name,
        credit_code: naming.credit_code,
        ..before
    };
    store::rename(&mut tx, &after, &former)
        .await
        .map_err(taken)?;
    tx.commit(
        ctx.did("directory.department_renamed")
            .on("department", &after.id)
            .with("from_name", former.name)
            .with("to_name", after.name.clone())
            .with("credit_code", after.credit_code.clone())
            .with("from_date", day.to_string())
            .with("basis", former.basis),
    )
    .await?;
    tell_others(&ctx).await;
    let mut db = ctx.read().await?;
    reply(detail(&ctx, &mut db, &after.id).await?)
}

/// Where a department goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeBody {
    /// The department that answers for it from then on.
    pub into: String,
    /// The first day of that, `YYYY-MM-DD`, not in the future.
    pub from_date: String,
    /// The decision that it rests on, for example the number of a document.
    pub basis: String,
}

/// Merge a department into another. For system administrators.
///
/// Its people, posts, exchange stores, catalogue entries and role bindings move to the successor. Cases,
/// requests, grants and records keep the old department; the successor answers for them.
#[utoipa::path(post, path = "/departments/{department_id}/merge", tag = "directory",
    operation_id = "merge_department", params(("department_id" = String, Path)), request_body = MergeBody,
    responses((status = 200, body = DepartmentDetail), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn merge_department(
    ctx: Ctx,
    Path(department_id): Path<String>,
    Json(body): Json<MergeBody>,
) -> Reply<DepartmentDetail> {
    ctx.must(Action::ManageDirectory, &Subject::Platform)?;
    let mut tx = ctx.begin().await?;
    let gone = active(&mut tx, &department_id).await?;
    let mut faults = Faults::default();
    let into = match DepartmentId::parse(&body.into) {
        Ok(id) => store::find_department(&mut tx, &id).await?,
        Err(_) => None,
    }
    .filter(|d| d.is_active() && d.id != gone.id);
    if into.is_none() {
        faults.add("into", "directory.successor");
    }
    let today = china_date(ctx.now);
    let last = last_change(&mut tx, &gone.id).await?;
    let day = day_and_basis(&body.from_date, &body.basis, today, last, &mut faults);
    faults.check()?;
    let (Some(into), Some(day)) = (into, day) else {
        return Err(ApiError::bug("what has no fault is there"));
    };
    let same = store::entries_in_both(&mut tx, &gone.id, &into.id).await?;
    if !same.is_empty() {
        return Err(ApiError::conflict("directory.entries_in_both").arg("names", same.join("、")));
    }
    let merger = Merger {
        into: into.id.clone(),
        on: day,
        basis: body.basis.trim().to_owned(),
    };
    store::merge(&mut tx, &gone.id, &merger, today).await?;
    tx.commit(
        ctx.did("directory.department_merged")
            .on("department", &gone.id)
            .with("into", into.id.as_str())
            .with("from_date", day.to_string())
            .with("basis", merger.basis),
    )
    .await?;
    tell_others(&ctx).await;
    let mut db = ctx.read().await?;
    reply(detail(&ctx, &mut db, &gone.id).await?)
}

/// Lets the rest of the platform follow. The change itself stands, so a failure is the log's business.
async fn tell_others(ctx: &Ctx) {
    if let Err(error) = (ctx.app.directory_changed)(ctx.app.clone()).await {
        tracing::error!(%error, "what follows a change of departments failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_holds_until_the_day_before_the_next() {
        let former = |until: &str, name: &str| FormerName {
            until: day(until),
            name: name.to_owned(),
            short_name: name.to_owned(),
            credit_code: String::new(),
            basis: String::new(),
        };
        let names = NamesOverTime {
            now: BTreeMap::from([
                ("d".to_owned(), "丙".to_owned()),
                ("e".to_owned(), "丁".to_owned()),
            ]),
            former: BTreeMap::from([(
                "d".to_owned(),
                vec![former("2019-03-01", "甲"), former("2024-01-01", "乙")],
            )]),
        };
        for (on, name) in [
            ("2019-02-28", "甲"),
            ("2019-03-01", "乙"),
            ("2023-12-31", "乙"),
            ("2024-01-01", "丙"),
        ] {
            assert_eq!(names.on("d", day(on)), Some(name), "{on}");
        }
        assert_eq!(names.on("e", day("2000-01-01")), Some("丁"));
        assert_eq!(names.on("f", day("2000-01-01")), None);
    }

    #[test]
    fn the_last_of_a_chain_answers() {
        let id = |text: &str| DepartmentId::parse(text).unwrap();
        let mergers = BTreeMap::from([(id("a"), id("b")), (id("b"), id("c")), (id("x"), id("c"))]);
        for gone in ["a", "b", "x", "c"] {
            assert_eq!(last_of(&id(gone), &mergers), id("c"));
        }
        // Broken rows end too.
        let circle = BTreeMap::from([(id("a"), id("b")), (id("b"), id("a"))]);
        last_of(&id("a"), &circle);
    }
}
