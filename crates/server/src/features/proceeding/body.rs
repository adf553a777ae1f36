//! What somebody hands in with a step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tongqu_domain::{
    case::{FormGiven, StepInput},
    law::{Outcome, Pack},
};
use utoipa::ToSchema;

use crate::{
    features::{attachment::FormBody, case::facts_of},
    platform::http::ApiError,
};

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 2000;

/// What goes with a step.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepBody {
    /// How the step ends, for example `approved`; left out for a step that ends in one way only.
    pub outcome: Option<String>,
    /// The reason in words.
    pub reason: Option<String>,
    /// Code of a ground, where the regulation lists them.
    pub ground: Option<String>,
    /// Facts that the step establishes: codes, or `true` or `false`.
    pub facts: BTreeMap<String, String>,
    pub form: Option<FormBody>,
    /// By how many working days a limit is prolonged, for a step that does.
    pub extra_working_days: Option<u32>,
    /// The last day that an order sets for what it demands: a civil date.
    pub orders_due_on: Option<String>,
}

impl StepBody {
    /// The same in the words of the case engine.
    ///
    /// Errors: `case.outcome_not_offered` for a word that isn't an outcome, `request.text_too_long`.
    pub(super) fn into_input(
        self,
        pack: &Pack,
        form: Option<FormGiven>,
    ) -> Result<StepInput, ApiError> {
        let outcome = match self.outcome.as_deref() {
            None => None,
            Some(code) => Some(Outcome::find(code).ok_or_else(|| {
                ApiError::invalid("case.outcome_not_offered")
                    .field("outcome", "case.outcome_not_offered")
            })?),
        };
        let reason = checked_reason(self.reason)?;
        let orders_due_on = match self.orders_due_on.as_deref() {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                ApiError::invalid("case.due_date_invalid")
                    .field("orders_due_on", "case.due_date_invalid")
            })?),
        };
        Ok(StepInput {
            orders_due_on,
            outcome,
            reason,
            ground: self.ground,
            form,
            facts: facts_of(&self.facts, pack),
            consent: None,
            extra_working_days: self.extra_working_days,
        })
    }
}

/// A reason that isn't too long.
///
/// Errors: `request.text_too_long`.
pub(super) fn checked_reason(reason: Option<String>) -> Result<Option<String>, ApiError> {
    let chars = reason.as_ref().map_or(0, |text| text.chars().count());
    if chars > REASON_CHARS_MAX {
        return Err(
            ApiError::invalid("request.text_too_long").field("reason", "request.text_too_long")
        );
    }
    Ok(reason)
}
