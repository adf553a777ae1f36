//! Begin a case of any process.

use std::sync::Arc;

use jiff::Timestamp;
use tongqu_domain::{
    access::Actor,
    case::{Case, Opening, Parties, StepInput},
    ids::{CaseId, DepartmentId},
    law::{Event, Facts, Holds, Pack, ProcessId},
    time::china_date,
};

use super::{refusal, store};
use crate::{
    app::App,
    features::directory,
    platform::{
        db::{Db, Tx},
        evidence::Entry,
        http::ApiError,
        secrets::random_hex,
    },
};

/// Prefix of the numbers of cases that aren't sharing requests.
const NUMBER_PREFIX: &str = "BJ";

/// What is needed to begin a case.
pub struct NewCase<'a> {
    pub pack: Arc<Pack>,
    pub process: ProcessId,
    pub parties: Parties,
    pub facts: Facts,
    pub previous_case: Option<CaseId>,
    /// Kind and id of the thing that it is about.
    pub subject: (&'static str, &'a str),
    /// What it is about, in a line.
    pub title: &'a str,
    /// Who begins it; `None`: the platform.
    pub actor: Option<Actor>,
    /// When the event happened that starts the process, for one that an event starts.
    pub began_at: Option<Timestamp>,
    /// What goes with the first step, for one that its first step starts.
    pub input: StepInput,
}

/// A case that has been begun and saved.
pub struct Begun {
    pub case: Case,
    pub number: String,
    pub pack: Arc<Pack>,
}

/// The regulation for new cases about a department's data: the one that the installation is set to, else
/// the one of the department's own area. A case keeps it for its whole life. Spec: PDS-25, PDS-26.
pub async fn pack_for(
    app: &App,
    db: &mut Db,
    provider: Option<&DepartmentId>,
    at: Timestamp,
) -> Result<Arc<Pack>, ApiError> {
    let is_set = !app.config.law.pack.is_empty();
    let Some(provider) = provider.filter(|_| !is_set) else {
        return Ok(app.pack());
    };
    let division = directory::find_department(db, provider)
        .await?
        .map(|department| department.division_code)
        .unwrap_or_default();
    Ok(app.packs.for_division(&division, china_date(at)))
}

/// A new identifier of a case.
#[must_use]
pub fn new_id() -> CaseId {
    CaseId::parse(&format!("cas-{}", random_hex::<8>())).expect("hex fits an identifier")
}

/// Who stands behind the roles of a pack in a case between these departments.
///
/// Errors: only the registry's; a role that nobody holds is the case engine's to refuse.
pub async fn parties(
    db: &mut Db,
    pack: &Pack,
    requester: Option<&DepartmentId>,
    provider: Option<&DepartmentId>,
) -> Result<Parties, ApiError> {
    let division = match requester {
        Some(id) => directory::find_department(db, id)
            .await?
            .map(|department| department.division_code),
        None => None,
    };
    Ok(Parties {
        requester: requester.cloned(),
        provider: provider.cloned(),
        filed_by: None,
        bound: directory::bound_roles(db, pack, division.as_deref()).await?,
    })
}

/// Begins a case and saves it, as part of the caller's write.
///
/// Errors: the case engine's refusal with its clause.
pub async fn begin(app: &App, tx: &mut Tx, new: NewCase<'_>) -> Result<Begun, ApiError> {
    let opening = Opening {
        id: new_id(),
        process: new.process,
        parties: new.parties,
        facts: new.facts,
        previous_case: new.previous_case,
        actor: new.actor,
        at: tx.at(),
        began_at: new.began_at,
        input: new.input,
    };
    let case = Case::open(opening, &new.pack, &app.calendar()).map_err(refusal)?;
    let number = store::next_number(tx, NUMBER_PREFIX).await?;
    store::save_new(
        tx,
        &number,
        new.subject,
        new.title,
        &case,
        &new.pack,
        &app.calendar(),
    )
    .await?;
    Ok(Begun {
        case,
        number,
        pack: new.pack,
    })
}

/// Begins every process of a pack that `event` starts and that fits the facts, in the name of the
/// platform: for example the one that accompanies a grant. Part of the caller's write.
pub async fn begin_on<'a>(
    app: &App,
    tx: &mut Tx,
    event: Event,
    new: impl Fn(ProcessId) -> NewCase<'a>,
    pack: &Pack,
    facts: &Facts,
) -> Result<Vec<Entry>, ApiError> {
    let mut entries = Vec::new();
    for process in &pack.processes {
        if process.starts_on != Some(event) || process.when.holds(facts) == Holds::No {
            continue;
        }
        let begun = begin(app, tx, new(process.id.clone())).await?;
        entries.push(opened(Entry::by_platform("case.opened"), &begun));
    }
    Ok(entries)
}

/// The evidence of a case that was begun.
#[must_use]
pub fn opened(entry: Entry, begun: &Begun) -> Entry {
    let head = begun.case.head();
    let clause = begun
        .pack
        .process(&head.process)
        .map(|process| process.clause.to_string());
    entry
        .on("case", &head.id)
        .with("number", begun.number.as_str())
        .with("process", head.process.as_str())
        .with("pack", head.pack.as_str())
        .with("pack_version", head.pack_version.as_str())
        .under(clause)
}
