//! What earlier cases show: that something was agreed on, filed or approved between two departments.
//!
//! Nobody states such a thing; the case in which it happened is looked up. Spec: LY-12.

use tongqu_domain::{
    ids::DepartmentId,
    law::{Event, FactValue, Facts, Pack, ProcessId},
};

use super::store::{self, CaseLine, CaseRow};
use crate::{
    app::App,
    features::directory,
    platform::{db::Db, http::ApiError},
};

/// Between whom, and about what: kinds and ids of the things of which one is the subject.
pub struct Between<'a> {
    pub requester: Option<&'a DepartmentId>,
    pub provider: Option<&'a DepartmentId>,
    pub subjects: &'a [(&'a str, &'a str)],
}

/// The facts of a pack that earlier cases show or don't: each yes or no.
pub async fn shown_facts(
    app: &App,
    db: &mut Db,
    pack: &Pack,
    between: &Between<'_>,
) -> Result<Facts, ApiError> {
    let mut facts = Facts::new();
    for rule in &pack.facts {
        let Some(by) = &rule.shown_by else { continue };
        let shown = showing(app, db, &by.process, by.event, between)
            .await?
            .is_some();
        facts.insert(rule.id.clone(), FactValue::from(shown));
    }
    Ok(facts)
}

/// The newest case of a process between these departments that shows that `event` has happened, see
/// [`tongqu_domain::case::Case::shows`].
pub async fn showing(
    app: &App,
    db: &mut Db,
    process: &ProcessId,
    event: Event,
    between: &Between<'_>,
) -> Result<Option<CaseRow>, ApiError> {
    let requesters = answering(db, between.requester).await?;
    let providers = answering(db, between.provider).await?;
    let fits = |side: &str, wanted: &Option<Vec<DepartmentId>>| {
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted.iter().any(|id| id.as_str() == side))
    };
    for subject in between.subjects {
        for line in store::of_process_about(db, process, *subject).await? {
            let CaseLine {
                case_id,
                requester_department_id,
                provider_department_id,
                ..
            } = line;
            if !fits(&requester_department_id, &requesters)
                || !fits(&provider_department_id, &providers)
            {
                continue;
            }
            let row = store::find(db, app, &case_id).await?;
            if row.case.shows(event, &row.pack) {
                return Ok(Some(row));
            }
        }
    }
    Ok(None)
}

/// A department with those that were merged into it; `None` where it doesn't matter which it is.
async fn answering(
    db: &mut Db,
    department: Option<&DepartmentId>,
) -> Result<Option<Vec<DepartmentId>>, ApiError> {
    Ok(match department {
        Some(department) => Some(directory::answers_for(db, department).await?),
        None => None,
    })
}
