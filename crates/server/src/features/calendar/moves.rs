//! Which open steps move under another calendar, and moving them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tongqu_domain::{calendar::Calendar, ids::DepartmentId};

use super::store::{self, OpenCase, OpenStep};
use crate::{
    app::App,
    features::{
        case::refusal,
        directory::{self, Notice},
    },
    platform::{
        db::{Db, Tx},
        evidence::Entry,
        http::ApiError,
    },
};

/// Open steps read at once.
const PAGE_ROWS: u32 = 500;
/// Cases named in one record of evidence.
const CASES_IN_RECORD_MAX: usize = 500;

/// An open step whose date moves.
pub(super) struct Moved {
    pub step: OpenStep,
    pub step_name: String,
    pub after: Option<Date>,
}

/// The open steps whose date under `calendar` is another than the one saved, if days from `from` on differ.
pub(super) async fn moved(
    app: &App,
    db: &mut Db,
    calendar: &Calendar,
    from: Date,
) -> Result<Vec<Moved>, ApiError> {
    let mut moved = Vec::new();
    let mut after = String::new();
    loop {
        let cases = store::open_cases(db, app, &after, from, PAGE_ROWS).await?;
        let Some(last) = cases.last() else {
            return Ok(moved);
        };
        after = last.case.head().id.to_string();
        for open in cases {
            moved.extend(moved_in(app, open, calendar)?);
        }
    }
}

fn moved_in(app: &App, open: OpenCase, calendar: &Calendar) -> Result<Vec<Moved>, ApiError> {
    let views = open
        .case
        .steps(&open.pack, calendar, app.clock.now())
        .map_err(refusal)?;
    let view_of = |step: &OpenStep| {
        views
            .iter()
            .find(|v| v.id.as_str() == step.step_id && v.state.is_open())
    };
    Ok(open
        .steps
        .into_iter()
        .filter_map(|step| {
            let view = view_of(&step)?;
            (view.due_on != step.due_on).then(|| Moved {
                step_name: view.name.clone(),
                after: view.due_on,
                step,
            })
        })
        .collect())
}

/// Moves the dates, tells each department once, and gives the evidence of it.
pub(super) async fn save(
    tx: &mut Tx,
    moved: &[Moved],
    notice_no: i64,
    title: &str,
) -> Result<Vec<Entry>, ApiError> {
    let mut by_department: BTreeMap<&DepartmentId, Vec<&Moved>> = BTreeMap::new();
    let mut case_ids = Vec::new();
    for one in moved {
        if store::move_step(tx, &one.step, one.after).await? {
            case_ids.push(one.step.case_id.to_string());
            by_department
                .entry(&one.step.department_id)
                .or_default()
                .push(one);
        }
    }
    case_ids.dedup();
    for (department, theirs) in by_department {
        let first = theirs
            .first()
            .map_or(String::new(), |m| m.step.number.clone());
        let notice = Notice {
            to: department,
            kind: "calendar.dates_moved",
            subject: ("calendar", &notice_no.to_string()),
            facts: BTreeMap::from([
                ("title", title.to_owned()),
                ("steps", theirs.len().to_string()),
                ("number", first),
            ]),
        };
        directory::notify(tx, &notice).await?;
    }
    Ok(case_ids
        .chunks(CASES_IN_RECORD_MAX)
        .map(|ids| {
            Entry::by_platform("calendar.dates_moved")
                .on("calendar", notice_no)
                .with("cases", ids.len())
                .with("case_ids", ids.to_vec())
        })
        .collect())
}
