//! What the regulation in force lets somebody begin.

use serde::Serialize;
use tongqu_domain::{
    access::{Action, StepSubject, Subject},
    law::{self, HeldBy, Pack, Process, RoleId, words::FactSource},
};
use utoipa::ToSchema;

use crate::{
    features::{
        case::{ClauseView, FactView, FormView, clause_view, fact_views, form_view},
        request,
    },
    platform::http::{Ctx, Page, Problem, Reply, reply},
};

/// A process of the regulation in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcessView {
    pub id: String,
    pub name: String,
    /// The topics that it answers, for example `dispute`.
    pub topics: Vec<String>,
    pub clause: ClauseView,
    /// Whether it begins with something that happened (its instant is asked for) rather than with a step.
    pub starts_on: Option<String>,
    /// The event in words, for a process that one starts.
    pub starts_on_name: Option<String>,
    /// What it may be about or what sets it off, where the regulation lists it: codes.
    pub subjects: Vec<String>,
    /// What the form has to ask, beside what the platform knows.
    pub facts: Vec<FactView>,
    /// The form that goes with the first step.
    pub form: Option<FormView>,
    /// Names of all its steps, in order.
    pub steps: Vec<String>,
    /// Whether the viewer may begin it as a case; a sharing request has an operation of its own.
    pub may_open: bool,
}

/// Processes of the regulation in force.
#[utoipa::path(get, path = "/processes", tag = "case", operation_id = "list_processes",
    responses((status = 200, body = Page<ProcessView>), (status = 401, body = Problem)))]
pub async fn list_processes(ctx: Ctx) -> Reply<Page<ProcessView>> {
    let pack = &ctx.app.pack();
    reply(Page {
        items: pack
            .processes
            .iter()
            .map(|process| process_view(&ctx, process, pack))
            .collect(),
        next_cursor: None,
    })
}

fn process_view(ctx: &Ctx, process: &Process, pack: &Pack) -> ProcessView {
    let form_facts = process.asked_facts().filter(|name| {
        pack.facts
            .iter()
            .any(|rule| rule.id == *name && rule.source == FactSource::Form)
    });
    let mut asked: Vec<&str> = form_facts.collect();
    asked.sort_unstable();
    asked.dedup();
    ProcessView {
        id: process.id.to_string(),
        name: ctx.language.name_of(process),
        topics: process.topics.clone(),
        clause: clause_view(&process.clause, pack),
        starts_on: process.starts_on.map(|event| event.code().to_owned()),
        starts_on_name: process.starts_on.map(|event| ctx.language.name_of(&event)),
        subjects: process.subjects.clone(),
        facts: fact_views(asked, pack, ctx.language),
        form: process
            .steps
            .first()
            .filter(|_| process.starts_on.is_none())
            .and_then(|step| form_view(step, pack, ctx.language)),
        steps: process
            .steps
            .iter()
            .map(|step| ctx.language.name_of(step))
            .collect(),
        may_open: !request::is_sharing_request(process) && may_open(ctx, process, pack),
    }
}

/// Whether the viewer holds a post of a role that may begin the process. Whether it fits the thing that
/// it is to be about is seen when it is begun.
fn may_open(ctx: &Ctx, process: &Process, pack: &Pack) -> bool {
    let roles: Vec<&RoleId> = match process.starts_on {
        Some(_) => process.opened_by.iter().collect(),
        None => process
            .steps
            .iter()
            .map(|step| &step.role)
            .take(1)
            .collect(),
    };
    roles
        .into_iter()
        .filter_map(|id| pack.role(id))
        .any(|role| {
            let own = matches!(role.held_by, HeldBy::Requester | HeldBy::Provider);
            ctx.may(
                Action::TakeStep,
                &Subject::Step(StepSubject {
                    department: own.then(|| ctx.department()),
                    posts: &role.posts,
                    action: law::Action::File,
                    filed_by: None,
                }),
            )
        })
}
