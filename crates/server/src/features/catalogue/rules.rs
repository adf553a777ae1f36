//! What the rule pack in force asks of an entry's content. Spec: LY-2, LY-8.1, YC-24, YC-25.1, YC-25.2,
//! TP-8b, TP-9a, YJ-3.1.3a, YJ-3.1.3b, YJ-3.1.4.

use std::collections::BTreeMap;

use tongqu_domain::{
    catalogue::{ClassHint, ClassRule, ClassRules, LibraryRule, Requirement, Stated},
    law::{CodeListItem, DecidedBy, FactValue, Facts, Pack, SharingClass},
};

/// The rules for a content under a pack.
#[must_use]
pub fn content_rules(pack: &Pack) -> ClassRules {
    let list = |id: &str| {
        pack.list(id)
            .map(|list| list.items.as_slice())
            .unwrap_or_default()
    };
    ClassRules {
        classes: pack
            .sharing_classes()
            .iter()
            .map(|class| class_rule(class, list("class_requirements")))
            .collect(),
        modes: pack
            .exchange_modes()
            .iter()
            .map(|m| m.code.clone())
            .collect(),
        libraries: list("base_libraries")
            .iter()
            .map(|library| LibraryRule {
                code: library.code.clone(),
                locked: list("base_items_locked_unconditional")
                    .iter()
                    .find(|locked| locked.code == library.code)
                    .and_then(|locked| Some((text(locked, "class")?, locked.clause.to_string()))),
            })
            .collect(),
        hints: list("class_hints").iter().filter_map(class_hint).collect(),
        library_required: list("scope")
            .iter()
            .find(|item| item.code == "base_libraries_only")
            .map(|item| item.clause.to_string()),
        standard_required: list("data_item_table_fields")
            .iter()
            .find(|item| item.code == "standard")
            .map(|item| item.clause.to_string()),
    }
}

/// A preferred class; its marks say for which entries.
fn class_hint(item: &CodeListItem) -> Option<ClassHint> {
    let is_set = |mark: &str| item.marks.get(mark) == Some(&FactValue::Bool(true));
    Some(ClassHint {
        class: text(item, "class")?,
        purpose: text(item, "purpose"),
        sensitive_only: is_set("sensitive"),
        named_recipients_only: is_set("named_recipients"),
        clause: item.clause.to_string(),
    })
}

/// The body to which the data belong, by the regulation. Spec: YC-4, YJ-4.2.1.
#[must_use]
pub fn data_owner(pack: &Pack) -> Option<&CodeListItem> {
    pack.list("data_owner")?.items.first()
}

/// The clauses that ask for fields of an entry, by the field. Spec: YC-11, YJ-3.1.2a.
#[must_use]
pub fn required_fields(pack: &Pack) -> BTreeMap<&'static str, String> {
    let Some(list) = pack.list("catalogue_required_fields") else {
        return BTreeMap::new();
    };
    list.items
        .iter()
        .filter_map(|item| Some((field_of(&item.code)?, item.clause.to_string())))
        .collect()
}

/// The field that a word of the list of required fields means.
fn field_of(code: &str) -> Option<&'static str> {
    match code {
        "type" => Some("class_code"),
        "format" => Some("format"),
        "sharing_attribute" | "sharing_class" => Some("sharing_class"),
        "sharing_mode" => Some("modes"),
        "open_attribute" => Some("open"),
        "security_level" => Some("grade"),
        "update_cycle" | "update_limit" => Some("update_cycle"),
        _ => None,
    }
}

/// Whether entries of a class may be asked for by those among whom they may go. Spec: YC-26, YJ-3.1.3a.
#[must_use]
pub fn is_offered(pack: &Pack, class: &str) -> bool {
    let facts = Facts::from([
        ("class".to_owned(), FactValue::from(class)),
        ("designated_recipient".to_owned(), FactValue::from(true)),
    ]);
    pack.decider(&facts)
        .is_none_or(|decider| decider.decides != DecidedBy::NobodyNotOffered)
}

fn class_rule(class: &SharingClass, required: &[CodeListItem]) -> ClassRule {
    let by_list = required
        .iter()
        .filter(|item| text(item, "class").as_deref() == Some(&class.code))
        .filter_map(|item| {
            Some(Requirement {
                what: stated(&item.code)?,
                clause: item.clause.to_string(),
            })
        });
    let recipients = class.needs_recipients.then(|| Requirement {
        what: Stated::Recipients,
        clause: class.clause.to_string(),
    });
    ClassRule {
        code: class.code.clone(),
        name: class.name.clone(),
        needs_condition: class.needs_condition,
        needs_legal_basis: class.needs_legal_basis,
        requirements: by_list.chain(recipients).collect(),
        clause: Some(class.clause.to_string()),
    }
}

/// What a word of the list of class requirements asks for.
fn stated(code: &str) -> Option<Stated> {
    match code {
        "conditions" | "reason" => Some(Stated::Condition),
        "scope" => Some(Stated::Recipients),
        "purposes" => Some(Stated::Purposes),
        "audience_or_subset" => Some(Stated::RecipientsOrCondition),
        _ => None,
    }
}

fn text(item: &CodeListItem, mark: &str) -> Option<String> {
    match item.marks.get(mark) {
        Some(FactValue::Text(text)) => Some(text.clone()),
        Some(FactValue::Bool(_)) | None => None,
    }
}
