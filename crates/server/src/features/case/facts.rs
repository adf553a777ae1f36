//! Facts between the pack, which describes them, and people, who state them.

use std::collections::BTreeMap;

use serde::Serialize;
use tongqu_domain::law::{FactValue, Facts, Pack, words::FactSource};
use utoipa::ToSchema;

use crate::platform::http::Language;

/// A fact that is asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FactView {
    pub id: String,
    pub name: String,
    /// The values it can have: codes, or `true` and `false` for yes and no.
    pub values: Vec<String>,
}

/// The facts with these names, as a pack describes them.
#[must_use]
pub fn fact_views<'a>(
    names: impl IntoIterator<Item = &'a str>,
    pack: &Pack,
    language: Language,
) -> Vec<FactView> {
    names
        .into_iter()
        .filter_map(|name| pack.facts.iter().find(|rule| rule.id == name))
        .map(|rule| FactView {
            id: rule.id.clone(),
            name: language.name_of(rule),
            values: rule.values.iter().map(ToString::to_string).collect(),
        })
        .collect()
}

/// Facts as somebody writes them, with yes and no where the pack asks for yes or no.
#[must_use]
pub fn facts_of(written: &BTreeMap<String, String>, pack: &Pack) -> Facts {
    written
        .iter()
        .map(|(name, text)| {
            let is_yes_or_no = pack.facts.iter().any(|rule| {
                rule.id == *name && rule.values.iter().any(|v| matches!(v, FactValue::Bool(_)))
            });
            let value = match (is_yes_or_no, text.as_str()) {
                (true, "true") => FactValue::from(true),
                (true, "false") => FactValue::from(false),
                (_, code) => FactValue::from(code),
            };
            (name.clone(), value)
        })
        .collect()
}

/// The written facts that a form asks for. Nothing else is anybody's to state: nobody names himself a
/// recipient, or claims an agreement that isn't on file. Spec: TP-19, LY-12.
#[must_use]
pub fn facts_asked(written: &BTreeMap<String, String>, pack: &Pack) -> Facts {
    let mut facts = facts_of(written, pack);
    facts.retain(|name, _| {
        let mut rules = pack.facts.iter();
        rules.any(|rule| rule.id == *name && rule.source == FactSource::Form)
    });
    facts
}
