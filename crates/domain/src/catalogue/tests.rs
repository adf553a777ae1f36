use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::ids::{PersonId, VersionId};
use crate::law::Named;

/// A content without a fault, from which the tests of all rooms depart.
pub(crate) fn a_content() -> EntryContent {
    let contact = |name: &str| Contact {
        name: name.to_owned(),
        phone: "0375-1234567".to_owned(),
    };
    EntryContent {
        name: "村级行政区划".to_owned(),
        class_code: "307001".to_owned(),
        summary: "统计用区划代码和名称".to_owned(),
        format: ResourceFormat::Database,
        sharing_class: "unconditional".to_owned(),
        sharing_condition: None,
        legal_basis: None,
        modes: vec!["table".to_owned()],
        open: false,
        open_condition: None,
        update_cycle: UpdateCycle::Yearly,
        grade: 1,
        source_system: None,
        base_library: None,
        authorising_contact: contact("甲"),
        technical_contact: contact("乙"),
        related_codes: vec![],
        declared_unclassified: true,
        recipients: Vec::new(),
        purposes: Vec::new(),
        theme: None,
        items: vec![
            DataItem {
                key: true,
                nullable: false,
                check: Some(CheckKind::DivisionCode),
                ..an_item("code")
            },
            an_item("name"),
            DataItem {
                mask: Some(MaskKind::PersonName),
                ..an_item("head")
            },
            DataItem {
                data_type: DataType::Number,
                length: Some(10),
                scale: Some(2),
                ..an_item("area")
            },
        ],
    }
}

/// A nullable text item.
pub(crate) fn an_item(code: &str) -> DataItem {
    DataItem {
        name: format!("项 {code}"),
        code: code.to_owned(),
        data_type: DataType::Text,
        length: Some(50),
        scale: None,
        nullable: true,
        key: false,
        sensitivity: Sensitivity::General,
        mask: None,
        check: None,
        standard: None,
    }
}

fn rules() -> ClassRules {
    let class = |code: &str, needs_condition, needs_legal_basis| ClassRule {
        code: code.to_owned(),
        name: code.to_owned(),
        needs_condition,
        needs_legal_basis,
        requirements: Vec::new(),
        clause: Some("YC-25.1".to_owned()),
    };
    ClassRules {
        classes: vec![
            class("unconditional", false, false),
            class("conditional", true, true),
        ],
        modes: ["table", "file", "interface", "front_end_machine"]
            .map(str::to_owned)
            .to_vec(),
        ..ClassRules::default()
    }
}

fn faults(content: &EntryContent) -> Vec<String> {
    check_content(content, &rules())
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_good_content_has_no_fault() {
    assert_eq!(faults(&a_content()), [""; 0]);
}

#[test]
fn all_faults_are_reported_at_once_with_their_fields() {
    let nobody = Contact {
        name: " ".to_owned(),
        phone: String::new(),
    };
    let mut content = EntryContent {
        name: "  ".to_owned(),
        class_code: "999".to_owned(),
        summary: "长".repeat(2001),
        sharing_class: "conditional".to_owned(),
        modes: ["table", "table", "post", "file"]
            .map(str::to_owned)
            .to_vec(),
        open_condition: Some("给公众".to_owned()),
        grade: 5,
        authorising_contact: nobody,
        technical_contact: Contact {
            name: "乙".to_owned(),
            phone: "call me".to_owned(),
        },
        related_codes: ["307001/1", "x", "307001/1"].map(str::to_owned).to_vec(),
        declared_unclassified: false,
        recipients: Vec::new(),
        purposes: Vec::new(),
        theme: None,
        ..a_content()
    };
    content.items = vec![
        DataItem {
            name: String::new(),
            code: "9lives".to_owned(),
            ..an_item("a")
        },
        DataItem {
            code: "_seq".to_owned(),
            length: Some(0),
            ..an_item("b")
        },
        DataItem {
            data_type: DataType::Number,
            length: Some(39),
            ..an_item("c")
        },
        DataItem {
            data_type: DataType::Number,
            length: Some(4),
            scale: Some(5),
            ..an_item("d")
        },
        DataItem {
            scale: Some(2),
            ..an_item("e")
        },
        DataItem {
            key: true,
            mask: Some(MaskKind::Phone),
            ..an_item("f")
        },
        DataItem {
            data_type: DataType::Date,
            check: Some(CheckKind::IdNumber),
            ..an_item("g")
        },
        DataItem {
            standard: Some("\u{1}".to_owned()),
            ..an_item("h")
        },
        an_item("a"),
        an_item("h"),
    ];
    insta::assert_snapshot!(
        check_content(&content, &rules())
            .iter()
            .map(|fault| format!("{fault} [{}]", fault.clause.as_deref().unwrap_or("-")))
            .collect::<Vec<_>>()
            .join("\n")
    );
}

#[test]
fn formats_and_modes_have_to_go_together() {
    fn check(format: ResourceFormat, mode: &str, fits: bool) {
        let content = EntryContent {
            format,
            modes: vec![mode.to_owned()],
            ..a_content()
        };
        let misfit =
            faults(&content).contains(&"modes[0]: entry.mode_does_not_fit_format".to_owned());
        assert_eq!(!misfit, fits, "{format:?} {mode}");
    }
    check(ResourceFormat::Database, "table", true);
    check(ResourceFormat::Database, "interface", true);
    check(ResourceFormat::Database, "file", false);
    check(ResourceFormat::Spreadsheet, "file", true);
    check(ResourceFormat::Spreadsheet, "table", false);
    check(ResourceFormat::Interface, "interface", true);
    check(ResourceFormat::Interface, "table", false);
    check(ResourceFormat::Document, "interface", false);
    check(ResourceFormat::Image, "front_end_machine", true);
}

#[test]
fn structured_formats_need_items_and_tables_need_a_key() {
    let without_items = EntryContent {
        items: vec![],
        ..a_content()
    };
    assert_eq!(faults(&without_items), ["items: entry.no_items"]);
    let document = EntryContent {
        format: ResourceFormat::Document,
        modes: vec!["file".to_owned()],
        ..without_items
    };
    assert_eq!(faults(&document), [""; 0]);
    let without_key = EntryContent {
        items: vec![an_item("a")],
        ..a_content()
    };
    assert_eq!(faults(&without_key), ["items: entry.no_key_item"]);
    let interface = EntryContent {
        modes: vec!["interface".to_owned()],
        ..without_key
    };
    assert_eq!(faults(&interface), [""; 0]);
}

#[test]
fn an_unknown_class_is_the_only_fault_of_its_class() {
    let content = EntryContent {
        sharing_class: "secret".to_owned(),
        ..a_content()
    };
    assert_eq!(faults(&content), ["sharing_class: entry.class_unknown"]);
}

#[test]
fn too_many_items_are_one_fault() {
    let content = EntryContent {
        items: vec![an_item("a"); ITEMS_MAX + 1],
        ..a_content()
    };
    assert_eq!(faults(&content), ["items: entry.too_many_items"]);
}

proptest! {
    #[test]
    fn no_text_makes_the_check_panic(text in any::<String>(), number in any::<u32>(), grade in any::<u8>()) {
        let mut content = EntryContent { name: text.clone(), class_code: text.clone(), grade, ..a_content() };
        content.related_codes.push(text.clone());
        content.items.push(DataItem { length: Some(number), scale: Some(number), ..an_item(&text) });
        let _ = check_content(&content, &rules());
    }
}

// --- life cycle -----------------------------------------------------------------------------------

fn at(hour: i8) -> Timestamp {
    jiff::civil::date(2026, 9, 21)
        .at(hour, 0, 0, 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap()
        .timestamp()
}

fn person(id: &str) -> PersonId {
    PersonId::parse(id).unwrap()
}

#[test]
fn every_state_meets_every_step() {
    let states = [
        VersionState::Draft,
        VersionState::Submitted {
            at: at(1),
            by: person("officer"),
        },
        VersionState::Returned {
            at: at(2),
            by: person("reviewer"),
            reason: "补充摘要".to_owned(),
        },
        VersionState::Published {
            at: at(3),
            by: person("reviewer"),
        },
        VersionState::Superseded {
            published_at: at(3),
            at: at(4),
            by_version: VersionId::parse("v-2").unwrap(),
        },
    ];
    let mut table = Vec::new();
    for state in &states {
        let steps = [
            ("submit", state.clone().submit(at(9), person("officer"))),
            (
                "return_with",
                state.clone().return_with(at(9), person("reviewer"), "理由"),
            ),
            (
                "return_with nothing",
                state.clone().return_with(at(9), person("reviewer"), " "),
            ),
            ("publish", state.clone().publish(at(9), person("reviewer"))),
            (
                "supersede",
                state
                    .clone()
                    .supersede(at(9), VersionId::parse("v-3").unwrap()),
            ),
        ];
        for (step, result) in steps {
            let outcome = match result {
                Ok(next) => serde_json::to_string(&next).unwrap(),
                Err(error) => format!("refused: {} ({:?})", error.code(), error.kind()),
            };
            table.push(format!("{:<10} {step:<20} {outcome}", state.name()));
        }
        table.push(format!(
            "{:<10} may_edit={} is_public={}",
            state.name(),
            state.may_edit(),
            state.is_public()
        ));
        let stored = serde_json::to_string(state).unwrap();
        assert_eq!(
            serde_json::from_str::<VersionState>(&stored).unwrap(),
            *state
        );
    }
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn a_reason_has_a_limit() {
    let submitted = VersionState::Submitted {
        at: at(1),
        by: person("officer"),
    };
    let longest = "理".repeat(REASON_CHARS_MAX);
    assert!(
        submitted
            .clone()
            .return_with(at(2), person("reviewer"), &longest)
            .is_ok()
    );
    let error = submitted
        .return_with(at(2), person("reviewer"), &format!("{longest}由"))
        .unwrap_err();
    assert_eq!(error, VersionError::ReasonTooLong);
}

// --- difference -----------------------------------------------------------------------------------

#[test]
fn the_same_content_has_no_difference() {
    assert!(difference(&a_content(), &a_content()).is_empty());
}

#[test]
fn differences_are_named_field_by_field() {
    let older = a_content();
    let mut newer = EntryContent {
        name: "新名称".to_owned(),
        grade: 2,
        ..a_content()
    };
    newer.authorising_contact.phone = "0375-7654321".to_owned();
    newer.items.remove(1);
    newer.items[1].mask = None;
    newer.items[2].length = Some(8);
    newer.items.push(an_item("since"));
    let found = difference(&older, &newer);
    assert_eq!(found.unsettled_items(), ["name", "area"]);
    assert!(!found.items_reordered);
    insta::assert_snapshot!(serde_json::to_string_pretty(&found).unwrap());
}

#[test]
fn another_order_of_items_is_a_difference() {
    let mut newer = a_content();
    newer.items.swap(0, 1);
    let found = difference(&a_content(), &newer);
    assert!(found.items_reordered && !found.is_empty());
    assert!(found.items_changed.is_empty() && found.unsettled_items().is_empty());
}

fn one_class(requirement: Option<Stated>) -> ClassRules {
    ClassRules {
        classes: vec![ClassRule {
            code: "conditional".to_owned(),
            name: "有条件共享".to_owned(),
            needs_condition: false,
            needs_legal_basis: false,
            requirements: requirement
                .map(|what| Requirement {
                    what,
                    clause: "XY-8".to_owned(),
                })
                .into_iter()
                .collect(),
            clause: None,
        }],
        ..rules()
    }
}

fn fault_codes(content: &EntryContent, rules: &ClassRules) -> Vec<(String, &'static str)> {
    check_content(content, rules)
        .into_iter()
        .map(|fault| (fault.clause.unwrap_or_default(), fault.code))
        .collect()
}

/// Spec: TP-8b, YC-24, YJ-3.1.3a, YJ-3.1.3b.
#[test]
fn what_a_class_demands_is_named_with_its_clause() {
    let bare = EntryContent {
        sharing_class: "conditional".to_owned(),
        sharing_condition: None,
        ..a_content()
    };
    let cases = [
        (Stated::Condition, "entry.condition_missing"),
        (Stated::Recipients, "entry.recipients_missing"),
        (Stated::Purposes, "entry.purposes_missing"),
        (Stated::RecipientsOrCondition, "entry.recipients_missing"),
    ];
    for (what, code) in cases {
        assert_eq!(
            fault_codes(&bare, &one_class(Some(what))),
            [("XY-8".to_owned(), code)],
            "{what:?}"
        );
        let stated = EntryContent {
            sharing_condition: Some("签订协议".to_owned()),
            recipients: vec!["民政局".to_owned()],
            purposes: vec!["行政依据".to_owned()],
            ..bare.clone()
        };
        assert_eq!(fault_codes(&stated, &one_class(Some(what))), []);
    }
}

/// Spec: LY-2, YC-25.2, TP-9a, YJ-3.1.4.
#[test]
fn a_base_librarys_items_keep_its_class() {
    let locked = LibraryRule {
        code: "population".to_owned(),
        locked: Some(("unconditional".to_owned(), "XY-9".to_owned())),
    };
    let rules = ClassRules {
        libraries: vec![locked],
        hints: Vec::new(),
        library_required: Some("XY-2".to_owned()),
        ..one_class(None)
    };
    let in_library = |library: Option<&str>| EntryContent {
        sharing_class: "conditional".to_owned(),
        base_library: library.map(str::to_owned),
        ..a_content()
    };
    let codes = |library| fault_codes(&in_library(library), &rules);
    assert_eq!(
        codes(Some("population")),
        [("XY-9".to_owned(), "entry.class_locked")]
    );
    assert_eq!(codes(None), [("XY-2".to_owned(), "entry.library_missing")]);
    assert_eq!(
        codes(Some("weather")),
        [("XY-2".to_owned(), "entry.library_unknown")]
    );
}

/// Spec: LY-8.1.
#[test]
fn each_data_item_names_its_standard_where_that_is_asked() {
    let rules = ClassRules {
        standard_required: Some("XY-8.1".to_owned()),
        ..one_class(None)
    };
    let mut content = EntryContent {
        sharing_class: "conditional".to_owned(),
        ..a_content()
    };
    for item in &mut content.items {
        item.standard = Some("GB/T 2260".to_owned());
    }
    assert_eq!(fault_codes(&content, &rules), []);
    content.items[0].standard = None;
    assert_eq!(
        fault_codes(&content, &rules),
        [("XY-8.1".to_owned(), "item.standard_missing")]
    );
}

/// Spec: YJ-1.1, TP-9e, YC-25.2.
#[test]
fn only_a_pseudonym_masks_a_key_and_not_every_type_has_one() {
    let codes = |change: fn(&mut DataItem)| -> Vec<&str> {
        let mut content = a_content();
        change(&mut content.items[0]);
        let faults = check_content(&content, &rules());
        faults.iter().map(|fault| fault.code).collect()
    };
    assert_eq!(codes(|item| item.mask = Some(MaskKind::Pseudonym)), [""; 0]);
    assert_eq!(
        codes(|item| item.mask = Some(MaskKind::Phone)),
        ["item.key_masked"]
    );
    let unfit = codes(|item| {
        item.mask = Some(MaskKind::Pseudonym);
        item.check = None;
        item.length = None;
        item.data_type = DataType::DateTime;
    });
    assert_eq!(unfit, ["item.pseudonym_unfit"]);
}

#[test]
fn an_open_class_is_proposed_by_library_then_by_hint() {
    let hint = |class: &str, purpose: Option<&str>| ClassHint {
        class: class.to_owned(),
        purpose: purpose.map(str::to_owned),
        sensitive_only: false,
        named_recipients_only: purpose.is_some(),
        clause: format!("XY-{class}"),
    };
    let rules = ClassRules {
        libraries: vec![LibraryRule {
            code: "population".to_owned(),
            locked: Some(("locked".to_owned(), "XY-9".to_owned())),
        }],
        hints: vec![hint("joint", Some("并联审批")), hint("open", None)],
        ..one_class(None)
    };
    let plain = EntryContent {
        base_library: None,
        recipients: Vec::new(),
        purposes: Vec::new(),
        ..a_content()
    };
    let proposed = |content: &EntryContent, rules: &ClassRules| {
        propose_class(content, rules).map(|found| (found.class.to_owned(), found.clause.to_owned()))
    };
    let is = |class: &str, clause: &str| Some((class.to_owned(), clause.to_owned()));
    assert_eq!(proposed(&plain, &rules), is("open", "XY-open"));
    let for_approval = EntryContent {
        purposes: vec!["并联审批".to_owned()],
        ..plain.clone()
    };
    assert_eq!(
        proposed(&for_approval, &rules),
        is("open", "XY-open"),
        "it names nobody among whom it goes"
    );
    let named = EntryContent {
        recipients: vec!["税务局".to_owned()],
        ..for_approval
    };
    assert_eq!(proposed(&named, &rules), is("joint", "XY-joint"));
    let in_library = EntryContent {
        base_library: Some("population".to_owned()),
        ..named
    };
    assert_eq!(proposed(&in_library, &rules), is("locked", "XY-9"));
    assert_eq!(proposed(&plain, &one_class(None)), None);
}

#[test]
fn words_have_english_names_that_tell_them_apart() {
    fn check<W: Named + Copy>(all: &[W]) {
        let names: BTreeSet<&str> = all.iter().map(Named::name_en).collect();
        assert_eq!(names.len(), all.len(), "{names:?}");
        assert!(names.iter().all(|name| !name.is_empty() && name.is_ascii()));
    }
    check(ResourceFormat::ALL);
    check(UpdateCycle::ALL);
    check(DataType::ALL);
    check(Sensitivity::ALL);
    check(MaskKind::ALL);
    check(CheckKind::ALL);
}
