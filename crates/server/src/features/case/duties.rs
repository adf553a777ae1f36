//! Duties that hold for everybody while a case is open: business goes on as usual while data are checked.
//!
//! They bind more departments than the parties of the case; whoever works with the data is told.
//! Spec: YC-19.3, YJ-3.2.3b.

use serde::Serialize;
use tongqu_domain::{
    case::Case,
    law::{Pack, Step, StepKind},
};
use utoipa::ToSchema;

use super::{CaseRow, ClauseView, clause_view, store};
use crate::{
    app::App,
    platform::{
        db::Db,
        http::{ApiError, Language},
    },
};

/// A duty because of an open case, as whoever has to observe it sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DutyNoticeView {
    /// What is to be done, for example that business goes on as usual.
    pub name: String,
    /// Whose duty it is.
    pub role_name: String,
    /// The open case: its number and process.
    pub number: String,
    pub process_name: String,
    /// Instant since when it holds.
    pub since: String,
    pub clause: ClauseView,
}

/// The steps of a case that are duties and hold now.
#[must_use]
pub fn open_duties<'a>(case: &Case, pack: &'a Pack) -> Vec<&'a Step> {
    let Some(process) = pack.process(&case.head().process) else {
        return Vec::new();
    };
    case.open_steps()
        .filter_map(|id| process.step(id))
        .filter(|step| step.kind == StepKind::Duty)
        .collect()
}

/// The duties that hold because of open cases about a thing.
pub async fn duties_about(
    db: &mut Db,
    app: &App,
    subject: (&str, &str),
    language: Language,
) -> Result<Vec<DutyNoticeView>, ApiError> {
    let mut views = Vec::new();
    for line in store::open_about(db, subject).await? {
        let has_duties = app
            .packs
            .of_case(&line.pack_id, &line.pack_version)
            .is_some_and(|pack| {
                let process = pack.process(&line.process_id);
                process.is_some_and(|it| it.steps.iter().any(|s| s.kind == StepKind::Duty))
            });
        if has_duties {
            let row = store::find(db, app, &line.case_id).await?;
            views.extend(notices(&row, language));
        }
    }
    Ok(views)
}

fn notices(row: &CaseRow, language: Language) -> Vec<DutyNoticeView> {
    let pack = &row.pack;
    let process = pack.process(&row.case.head().process);
    open_duties(&row.case, pack)
        .into_iter()
        .map(|step| DutyNoticeView {
            name: language.name_of(step),
            role_name: pack
                .role(&step.role)
                .map(|role| language.name_of(role))
                .unwrap_or_default(),
            number: row.number.clone(),
            process_name: process.map(|it| language.name_of(it)).unwrap_or_default(),
            since: row.case.head().opened_at.to_string(),
            clause: clause_view(&step.clause, pack),
        })
        .collect()
}
