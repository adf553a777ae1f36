//! A decision that grants a part of what was asked 部分同意: what may be taken away, what it needs, how it
//! looks afterwards.
//!
//! Spec: YC-24, PDS-7, PDS-10.2b.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tongqu_domain::{
    catalogue::{DataItem, MaskKind},
    law::{Outcome, ReasonPolicy, StepId},
    request::{GrantedPart, PartialApproval, check_part},
};
use utoipa::ToSchema;

use super::{
    read::columns,
    store::{self, Request},
    views::{ColumnView, TermView, condition_of, terms_of},
};
use crate::{
    features::catalogue::Version,
    platform::{
        db::Db,
        evidence::Entry,
        http::{ApiError, Language},
    },
};

/// How a decision is called that grants a part.
pub(super) fn outcome_name(language: Language) -> &'static str {
    match language {
        Language::Chinese => "部分同意",
        Language::English => "granted in part",
    }
}

/// What a decision takes away from a request; all of it left out: nothing.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PartBody {
    /// Data items that aren't granted, by their codes, each with the reason. An empty one stands for the reason
    /// of the decision.
    pub refused: BTreeMap<String, String>,
    /// A condition that has to hold besides the one that was asked for.
    pub condition: Vec<TermView>,
    /// Masks put on granted data items, by their codes, see `decision.items` of the request.
    pub masks: BTreeMap<String, String>,
    /// A shorter term, in calendar months.
    pub term_months: Option<u32>,
}

/// What the form of a decision offers.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionFormView {
    /// The data items that can still be granted.
    pub items: Vec<DecisionItemView>,
    /// The rows that can still be granted.
    pub condition: Vec<TermView>,
    /// The term that can still be granted; without end if absent.
    pub term_months: Option<u32>,
    /// Whether what isn't granted needs a reason.
    pub needs_reason: bool,
}

/// A data item that can be granted or not.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionItemView {
    pub code: String,
    pub name: String,
    /// Without it nothing can be delivered: it goes with the request or is refused with all of it.
    pub required: bool,
    /// How it is masked as things are.
    pub mask_name: Option<String>,
    /// Masks that can be put on.
    pub masks: Vec<MaskView>,
    /// Whether it is marked as sensitive.
    pub sensitive: bool,
}

/// A way of masking.
#[derive(Debug, Serialize, ToSchema)]
pub struct MaskView {
    pub code: String,
    pub name: String,
}

/// What a decision took away.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartView {
    /// The step in which it was decided.
    pub step_id: String,
    pub refused: Vec<RefusedItemView>,
    /// The condition that has to hold besides.
    pub condition: Vec<TermView>,
    /// Data items with the masks that were put on.
    pub masks: Vec<ColumnView>,
    pub term_months: Option<u32>,
    pub reason: Option<String>,
}

/// A data item that wasn't granted.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedItemView {
    pub code: String,
    pub name: String,
    pub reason: Option<String>,
}

/// What a decision takes away, checked; `None` if it is nothing.
///
/// Errors: `request.part_faulty` with every fault; `case.reason_required` where the regulation wants a reason
/// for what isn't granted.
pub(super) async fn read_part(
    db: &mut Db,
    body: PartBody,
    reason: Option<&str>,
    request: &Request,
    version: &Version,
    policy: Option<&ReasonPolicy>,
) -> Result<Option<PartialApproval>, ApiError> {
    let mut masks = BTreeMap::new();
    for (column, code) in body.masks {
        let kind = MaskKind::find(&code).ok_or_else(|| {
            ApiError::invalid("request.part_faulty").field("part.masks", "request.unknown_mask")
        })?;
        masks.insert(column, kind);
    }
    let part = PartialApproval {
        refused: body
            .refused
            .into_iter()
            .map(|(column, reason)| (column, reason.trim().to_owned()))
            .collect(),
        condition: condition_of(body.condition),
        masks,
        term_months: body.term_months,
        reason: reason.map(|text| text.trim().to_owned()),
    };
    if part.is_whole() {
        return Ok(None);
    }
    let items = &version.content.items;
    let before = granted_so_far(db, request, items).await?;
    let faults = check_part(&part, &request.content, &before, items);
    if !faults.is_empty() {
        let error = ApiError::invalid("request.part_faulty");
        return Err(faults
            .iter()
            .fold(error, |e, f| e.field(f.field.to_string(), f.code)));
    }
    let owed = policy.filter(|policy| policy.rule.demands(Outcome::Refused));
    let lacks = part.lacks_reason();
    if let (Some(policy), false) = (owed, lacks.is_empty()) {
        let error = ApiError::invalid("case.reason_required").under(Some(&policy.clause));
        return Err(lacks.iter().fold(error, |e, field| {
            e.field(field.to_string(), "case.reason_required")
        }));
    }
    Ok(Some(part))
}

/// What is left of a request by the decisions so far.
async fn granted_so_far(
    db: &mut Db,
    request: &Request,
    items: &[DataItem],
) -> Result<GrantedPart, ApiError> {
    let parts: Vec<PartialApproval> = store::parts_of(db, &request.id)
        .await?
        .into_iter()
        .map(|(_, part)| part)
        .collect();
    Ok(GrantedPart::of(&request.content, &parts, items))
}

/// What the form of a decision offers, for whoever may decide now.
pub(super) async fn decision_form(
    db: &mut Db,
    request: &Request,
    version: &Version,
    policy: Option<&ReasonPolicy>,
    language: Language,
) -> Result<DecisionFormView, ApiError> {
    let items = &version.content.items;
    let before = granted_so_far(db, request, items).await?;
    let item_of = |code: &String| items.iter().find(|item| item.code == *code);
    Ok(DecisionFormView {
        items: before
            .columns
            .iter()
            .filter_map(item_of)
            .map(|item| DecisionItemView {
                code: item.code.clone(),
                name: item.name.clone(),
                required: item.key && request.content.mode == "table",
                mask_name: before
                    .masks
                    .get(&item.code)
                    .map(|mask| language.name_of(mask)),
                masks: offered_masks(item, before.masks.get(&item.code).copied(), language),
                sensitive: item.sensitivity == tongqu_domain::catalogue::Sensitivity::Sensitive,
            })
            .collect(),
        condition: terms_of(&before.condition),
        term_months: before.term_months,
        needs_reason: policy.is_some_and(|policy| policy.rule.demands(Outcome::Refused)),
    })
}

/// A key shows itself or a pseudonym; a mask gives way only to the one that hides all.
fn offered_masks(item: &DataItem, present: Option<MaskKind>, language: Language) -> Vec<MaskView> {
    MaskKind::ALL
        .iter()
        .filter(|kind| {
            (!item.key || kind.keeps_apart())
                && kind.fits(item.data_type)
                && Some(**kind) != present
                && (present.is_none() || **kind == MaskKind::Hidden)
        })
        .map(|kind| MaskView {
            code: kind.code().to_owned(),
            name: language.name_of(kind),
        })
        .collect()
}

/// What the decisions on a request took away, in their order.
pub(super) async fn part_views(
    db: &mut Db,
    request: &Request,
    version: &Version,
    language: Language,
) -> Result<Vec<PartView>, ApiError> {
    let parts = store::parts_of(db, &request.id).await?;
    Ok(parts
        .into_iter()
        .map(|(step, part)| view(&step, &part, version, language))
        .collect())
}

fn view(step: &StepId, part: &PartialApproval, version: &Version, language: Language) -> PartView {
    let refused: Vec<String> = part.refused.keys().cloned().collect();
    let masked: Vec<String> = part.masks.keys().cloned().collect();
    PartView {
        step_id: step.to_string(),
        refused: columns(&refused, version, language, |_| None)
            .into_iter()
            .map(|column| RefusedItemView {
                reason: part.reason_of(&column.code).map(str::to_owned),
                code: column.code,
                name: column.name,
            })
            .collect(),
        condition: terms_of(&part.condition),
        masks: columns(&masked, version, language, |item| {
            part.masks.get(&item.code).copied()
        }),
        term_months: part.term_months,
        reason: part.reason.clone(),
    }
}

/// The evidence of what a decision took away. Conditions hold values, so only their columns are told.
pub(super) fn account(entry: Entry, part: &PartialApproval) -> Entry {
    let refused: Vec<&str> = part.refused.keys().map(String::as_str).collect();
    let narrowed: Vec<&str> = part
        .condition
        .terms()
        .iter()
        .map(|term| term.column.as_str())
        .collect();
    let masks: Vec<String> = part
        .masks
        .iter()
        .map(|(column, kind)| format!("{column}:{}", kind.code()))
        .collect();
    entry
        .with("in_part", true)
        .with("refused_columns", refused.join(" "))
        .with("narrowed_columns", narrowed.join(" "))
        .with("masks", masks.join(" "))
        .with("term_months", part.term_months)
}
