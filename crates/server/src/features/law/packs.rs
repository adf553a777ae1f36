//! Regulations as they are loaded: where they apply, since when, and what they lay down.

use axum::extract::Path;
use serde::Serialize;
use tongqu_domain::{
    law::{Deadline, Limit, Pack, Process, Standing, Step, due::events_of},
    time::china_date,
};
use utoipa::ToSchema;

use super::choose;
use crate::{
    features::case::{ClauseView, FactView, clause_view, fact_views},
    platform::http::{ApiError, Ctx, Language, Page, Problem, Reply, reply},
};

/// A regulation.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackLineView {
    pub id: String,
    pub title: String,
    pub issuer: Option<String>,
    /// 发文字号.
    pub number: Option<String>,
    /// Where it applies.
    pub jurisdiction: String,
    /// `in_force`, `not_in_force` (a template, or not issued yet) or `ended`.
    pub standing: &'static str,
    /// Civil dates, where they are stated.
    pub first_day: Option<String>,
    pub last_day: Option<String>,
    /// The year of issue, where the day isn't stated.
    pub issued_year: Option<i16>,
    /// The regulation that an administrator set for the time after the last day.
    pub successor: Option<String>,
    /// Whether new cases of this platform begin under it.
    pub is_default: bool,
    pub processes: Vec<ProcessLineView>,
}

/// A process, as far as reckoning a date needs it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcessLineView {
    pub id: String,
    pub name: String,
    pub facts: Vec<FactView>,
    /// The events that open or end a step or start a clock.
    pub events: Vec<EventNameView>,
}

/// An event of the law.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventNameView {
    pub code: String,
    pub name: String,
}

/// A regulation in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackView {
    pub pack: PackLineView,
    pub version: String,
    pub validity_clause: Option<ClauseView>,
    pub roles: Vec<RoleView>,
    pub sharing_classes: Vec<NamedView>,
    pub deciders: Vec<DeciderView>,
    pub processes: Vec<ProcessTextView>,
    pub periodic: Vec<PeriodicView>,
    pub lists: Vec<ListView>,
    /// Who put it on without change, and where.
    pub forwarded: Vec<String>,
    /// What the viewer may do with it: `choose`.
    pub actions: Vec<&'static str>,
}

/// A role of the regulation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PackRoleView)]
pub struct RoleView {
    pub id: String,
    pub name: String,
    pub body: Option<String>,
    pub clause: ClauseView,
}

/// Something with a code, a name and a clause.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedView {
    pub code: String,
    pub name: String,
    pub clause: ClauseView,
}

/// A rule on who decides.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeciderView {
    /// When it applies, for example `class=conditional, mode=table|file`.
    pub when: String,
    pub decides: String,
    pub clause: ClauseView,
}

/// A process with its steps.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcessTextView {
    pub id: String,
    pub name: String,
    pub clause: ClauseView,
    pub steps: Vec<StepTextView>,
}

/// A step as the regulation lays it down.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepTextView {
    pub id: String,
    pub name: String,
    pub role_name: String,
    /// `required`, `automatic`, `optional` or `duty`, in words.
    pub kind_name: String,
    /// The limit in words; absent where the regulation sets none.
    pub limit: Option<String>,
    /// The event that it counts from, in words.
    pub counted_from: Option<String>,
    /// The regulation doesn't state that event; it is a reading.
    pub from_is_reading: bool,
    pub reason_rule: Option<String>,
    pub form: Option<String>,
    pub clause: ClauseView,
}

/// Something that comes round.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeriodicView {
    pub id: String,
    pub name: String,
    pub role_name: String,
    pub limit: String,
    pub clause: ClauseView,
}

/// A list of the regulation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListView {
    pub id: String,
    pub name: String,
    pub open_ended: bool,
    pub items: Vec<NamedView>,
    pub clause: ClauseView,
}

/// Regulations that are loaded, the one in force for new cases first.
#[utoipa::path(get, path = "/law/packs", tag = "law", operation_id = "list_packs",
    responses((status = 200, body = Page<PackLineView>), (status = 401, body = Problem)))]
pub async fn list_packs(ctx: Ctx) -> Reply<Page<PackLineView>> {
    let mut items: Vec<PackLineView> = ctx
        .app
        .packs
        .current()
        .iter()
        .map(|pack| line(&ctx, pack))
        .collect();
    items.sort_by_key(|line| (!line.is_default, line.id.clone()));
    reply(Page {
        items,
        next_cursor: None,
    })
}

/// A regulation in full, each point with its clause.
#[utoipa::path(get, path = "/law/packs/{pack_id}", tag = "law", operation_id = "read_pack",
    params(("pack_id" = String, Path)),
    responses((status = 200, body = PackView), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn read_pack(ctx: Ctx, Path(pack_id): Path<String>) -> Reply<PackView> {
    let pack = ctx
        .app
        .packs
        .named(&pack_id)
        .ok_or_else(|| ApiError::not_found("law.pack_not_found"))?;
    let language = ctx.language;
    let named = |code: &str, name: String, clause| NamedView {
        code: code.to_owned(),
        name,
        clause: clause_view(clause, &pack),
    };
    reply(PackView {
        version: pack.version.clone(),
        validity_clause: pack
            .meta
            .validity_clause
            .as_ref()
            .map(|clause| clause_view(clause, &pack)),
        roles: pack
            .roles
            .iter()
            .map(|role| RoleView {
                id: role.id.to_string(),
                name: language.name_of(role),
                body: role.body.clone(),
                clause: clause_view(&role.clause, &pack),
            })
            .collect(),
        sharing_classes: pack
            .sharing_classes
            .iter()
            .map(|class| named(&class.code, language.name_of(class), &class.clause))
            .collect(),
        deciders: pack
            .deciders
            .iter()
            .map(|decider| DeciderView {
                when: decider.when.in_words(),
                decides: language.name_of(&decider.decides),
                clause: clause_view(&decider.clause, &pack),
            })
            .collect(),
        processes: pack
            .processes
            .iter()
            .map(|process| process_text(process, &pack, language))
            .collect(),
        periodic: pack
            .periodic
            .iter()
            .map(|duty| PeriodicView {
                id: duty.id.clone(),
                name: language.name_of(duty),
                role_name: role_name(&pack, &duty.role, language),
                limit: limit_text(duty.due, language),
                clause: clause_view(&duty.due_clause, &pack),
            })
            .collect(),
        lists: pack
            .lists
            .iter()
            .map(|list| ListView {
                id: list.id.clone(),
                name: language.name_of(list),
                open_ended: list.open_ended,
                items: list
                    .items
                    .iter()
                    .map(|item| named(&item.code, language.name_of(item), &item.clause))
                    .collect(),
                clause: clause_view(&list.clause, &pack),
            })
            .collect(),
        forwarded: pack
            .meta
            .forwarded
            .iter()
            .map(|it| format!("{}（{}，{}）", it.jurisdiction, it.number, it.date))
            .collect(),
        actions: if choose::may_choose(&ctx, &pack).is_ok() {
            vec!["choose"]
        } else {
            Vec::new()
        },
        pack: line(&ctx, &pack),
    })
}

pub(super) fn line(ctx: &Ctx, pack: &Pack) -> PackLineView {
    let meta = &pack.meta;
    PackLineView {
        id: meta.id.to_string(),
        title: ctx.language.name_of(meta),
        issuer: meta.issuer.clone(),
        number: meta.number.clone(),
        jurisdiction: meta.jurisdiction.name.clone(),
        standing: match pack.in_force_on(china_date(ctx.now)) {
            Standing::InForce => "in_force",
            Standing::NotInForce => "not_in_force",
            Standing::Ended { .. } => "ended",
        },
        first_day: meta.first_day.map(|day| day.to_string()),
        last_day: meta.last_day.map(|day| day.to_string()),
        issued_year: meta.issued_year,
        successor: meta.successor.as_ref().map(ToString::to_string),
        is_default: meta.id == ctx.app.pack().meta.id,
        processes: pack
            .processes
            .iter()
            .map(|process| process_line(process, pack, ctx.language))
            .collect(),
    }
}

fn process_line(process: &Process, pack: &Pack, language: Language) -> ProcessLineView {
    let mut facts: Vec<&str> = process.asked_facts().collect();
    facts.sort_unstable();
    facts.dedup();
    ProcessLineView {
        id: process.id.to_string(),
        name: language.name_of(process),
        facts: fact_views(facts, pack, language),
        events: events_of(process)
            .into_iter()
            .map(|event| EventNameView {
                code: event.code().to_owned(),
                name: language.name_of(&event),
            })
            .collect(),
    }
}

fn process_text(process: &Process, pack: &Pack, language: Language) -> ProcessTextView {
    ProcessTextView {
        id: process.id.to_string(),
        name: language.name_of(process),
        clause: clause_view(&process.clause, pack),
        steps: process
            .steps
            .iter()
            .map(|step| step_text(step, pack, language))
            .collect(),
    }
}

fn step_text(step: &Step, pack: &Pack, language: Language) -> StepTextView {
    let deadline: Option<&Deadline> = step.deadline.as_ref();
    StepTextView {
        id: step.id.to_string(),
        name: language.name_of(step),
        role_name: role_name(pack, &step.role, language),
        kind_name: language.name_of(&step.kind),
        limit: deadline.map(|deadline| limit_text(deadline.limit, language)),
        counted_from: deadline
            .and_then(|deadline| deadline.from)
            .map(|event| language.name_of(&event)),
        from_is_reading: deadline.is_some_and(|deadline| deadline.from_is_reading),
        reason_rule: step.reason.as_ref().map(|r| language.name_of(&r.rule)),
        form: step.form.as_ref().map(|form| language.name_of(form)),
        clause: clause_view(
            deadline.map_or(&step.clause, |deadline| &deadline.clause),
            pack,
        ),
    }
}

fn role_name(pack: &Pack, id: &tongqu_domain::law::RoleId, language: Language) -> String {
    pack.role(id)
        .map(|role| language.name_of(role))
        .unwrap_or_default()
}

/// A limit in words.
fn limit_text(limit: Limit, language: Language) -> String {
    match language {
        Language::Chinese => match limit {
            Limit::WorkingDays(days) => format!("{days}个工作日"),
            Limit::Months(months) => format!("{months}个月"),
            Limit::AnnualDate { month, day } => format!("每年{month}月{day}日前"),
            Limit::Word(word) => word.label().to_owned(),
        },
        Language::English => match limit {
            Limit::WorkingDays(days) => counted(days, "working day"),
            Limit::Months(months) => counted(months, "month"),
            Limit::AnnualDate { month, day } => format!("each year by {month:02}-{day:02}"),
            Limit::Word(word) => word.label_en().to_owned(),
        },
    }
}

/// So many of something, in English.
fn counted(number: u32, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    }
}
