//! What the rule pack in force asks of a request beside its fields.

use serde::Serialize;
use tongqu_domain::{
    catalogue::EntryContent,
    codes::{DivisionCode, DivisionLevel},
    law::{CodeListItem, DecidedBy, FactValue, Facts, Pack},
    request::duty_fit,
};
use utoipa::ToSchema;

use crate::{
    features::{
        case::{ClauseView, clause_view},
        directory::Department,
    },
    platform::http::{ApiError, Language},
};

/// Something that the requester promises with the request, in the words of the regulation.
#[derive(Debug, Serialize, ToSchema)]
pub struct UndertakingView {
    pub text: String,
    pub clause: ClauseView,
}

/// What the pack has requesters promise. Spec: LY-16.1, LY-16.2, YC-41.5, YC-42.4, TP-22b, YJ-4.1.3, PDS-19.1.
pub(super) fn undertakings(pack: &Pack) -> &[CodeListItem] {
    items(pack, "undertakings")
}

pub(super) fn undertaking_views(pack: &Pack, language: Language) -> Vec<UndertakingView> {
    undertakings(pack)
        .iter()
        .map(|it| UndertakingView {
            text: language.name_of(it),
            clause: clause_view(&it.clause, pack),
        })
        .collect()
}

/// Whether the requester has accepted what the pack has it promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promised {
    Yes,
    No,
}

/// The clauses of what has been promised, each once.
///
/// Errors: `request.undertakings_missing`, if the pack asks for a promise and there is none.
pub(super) fn promised(pack: &Pack, promised: Promised) -> Result<Vec<String>, ApiError> {
    let mut clauses: Vec<String> = undertakings(pack)
        .iter()
        .map(|it| it.clause.to_string())
        .collect();
    clauses.dedup();
    match (clauses.first(), promised) {
        (Some(first), Promised::No) => Err(ApiError::invalid("request.undertakings_missing")
            .field("undertaken", "request.undertakings_missing")
            .under(Some(first))),
        (Some(_), Promised::Yes) | (None, Promised::Yes | Promised::No) => Ok(clauses),
    }
}

/// Goes on only if the requester is one of those to whom the regulation lets data go at all.
///
/// Errors: `request.outside_audience`. Spec: TP-22a.
pub(super) fn check_audience(
    pack: &Pack,
    requester: &Department,
    provider: &Department,
) -> Result<(), ApiError> {
    let division = |of: &Department| DivisionCode::parse(&of.division_code).map_err(ApiError::bug);
    for limit in items(pack, "audience") {
        let level = match limit.marks.get("level") {
            Some(FactValue::Text(word)) => DivisionLevel::find(word),
            Some(FactValue::Bool(_)) | None => None,
        };
        let Some(level) = level else { continue };
        if !division(requester)?.shares(level, &division(provider)?) {
            return Err(ApiError::forbidden("request.outside_audience")
                .arg("audience", &limit.name)
                .under(Some(limit.clause.to_string())));
        }
    }
    Ok(())
}

/// Goes on only if somebody weighs the request, or the entry goes to this department too.
///
/// Where nobody decides, the departments that an entry names would otherwise bind nobody.
/// Errors: `request.not_a_recipient`. Spec: TP-9e.
pub(super) fn check_recipient(
    pack: &Pack,
    facts: &Facts,
    content: &EntryContent,
    requester: &Department,
) -> Result<(), ApiError> {
    if content.recipients.is_empty() || is_recipient(content, requester) {
        return Ok(());
    }
    let Some(decider) = pack.decider(facts) else {
        return Ok(());
    };
    match decider.decides {
        DecidedBy::RequesterSelfService | DecidedBy::Platform => {
            Err(ApiError::forbidden("request.not_a_recipient")
                .under(Some(decider.clause.to_string())))
        }
        DecidedBy::Provider
        | DecidedBy::ProviderAfterPlatformCheck
        | DecidedBy::Authority
        | DecidedBy::AuthorityThenProviderConsult
        | DecidedBy::PartiesByFiledAgreement
        | DecidedBy::NobodyNotOffered => Ok(()),
    }
}

/// Whether an entry names the department among those to which it goes.
pub(super) fn is_recipient(content: &EntryContent, department: &Department) -> bool {
    content
        .recipients
        .iter()
        .any(|name| *name == department.name || *name == department.short_name)
}

/// How the duty that a request cites stands to the duties registered for the department.
#[derive(Debug, Serialize, ToSchema)]
pub struct DutyFitView {
    /// `matches`, `no_match` or `none_registered`.
    pub code: &'static str,
    /// The duties that are registered.
    pub registered: Vec<String>,
    pub clause: ClauseView,
}

/// What whoever decides is told about the duty; `None` where the regulation asks for no such check.
/// Spec: YC-41.4, TP-5.4, LY-5.2.
pub(super) fn duty_fit_view(
    pack: &Pack,
    stated: &str,
    registered: Vec<String>,
) -> Option<DutyFitView> {
    let rule = items(pack, "duty_check").first()?;
    Some(DutyFitView {
        code: duty_fit(stated, &registered).code(),
        registered,
        clause: clause_view(&rule.clause, pack),
    })
}

fn items<'a>(pack: &'a Pack, list: &str) -> &'a [CodeListItem] {
    pack.list(list)
        .map(|list| list.items.as_slice())
        .unwrap_or_default()
}
