use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::catalogue::tests::a_content;
use crate::catalogue::{EntryContent, MaskKind, ResourceFormat};
use crate::exchange::{ConditionOp, Term};
use crate::grant::default_masks;

fn a_request() -> SharingRequest {
    SharingRequest {
        entry_id: EntryId::parse("e-1").unwrap(),
        version_no: 1,
        mode: "table".to_owned(),
        columns: ["code", "name"].map(str::to_owned).to_vec(),
        condition: serde_json::from_str(r#"[{"column":"code","op":"prefix","values":["41"]}]"#)
            .unwrap(),
        purpose: "核对村级名称".to_owned(),
        purpose_kind: PurposeKind::DataCheck,
        duty: "区划地名管理".to_owned(),
        consumer_system: String::new(),
        term_months: Some(12),
        undertakings: Vec::new(),
    }
}

fn faults(request: &SharingRequest, entry: &EntryContent) -> Vec<String> {
    check_request(request, entry)
        .iter()
        .map(|fault| format!("{fault} [{}]", fault.clause.unwrap_or("-")))
        .collect()
}

#[test]
fn a_good_request_has_no_fault() {
    assert_eq!(faults(&a_request(), &a_content()), [""; 0]);
    let without_end = SharingRequest {
        term_months: None,
        undertakings: Vec::new(),
        ..a_request()
    };
    assert_eq!(faults(&without_end, &a_content()), [""; 0]);
}

#[test]
fn all_faults_of_a_request_are_reported_at_once() {
    let request = SharingRequest {
        mode: "interface".to_owned(),
        columns: ["code", "secret", "code"].map(str::to_owned).to_vec(),
        condition: serde_json::from_str(r#"[{"column":"nope","op":"eq","values":["41"]}]"#)
            .unwrap(),
        purpose: " ".to_owned(),
        duty: "长".repeat(2001),
        term_months: Some(0),
        undertakings: Vec::new(),
        ..a_request()
    };
    assert_eq!(
        faults(&request, &a_content()),
        [
            "mode: request.mode_not_offered [-]",
            "columns[1]: request.field_not_in_entry [PDS-7]",
            "columns[2]: request.column_twice [-]",
            "condition[0]: condition.unknown_item [-]",
            "purpose: request.purpose_missing [TP-20a]",
            "duty: request.text_too_long [-]",
            "consumer_system: request.system_missing [PDS-19.1]",
            "term_months: request.term_out_of_range [PDS-19.2]",
        ]
    );
}

#[test]
fn a_duty_is_stated() {
    let request = SharingRequest {
        duty: "\n".to_owned(),
        ..a_request()
    };
    assert_eq!(
        faults(&request, &a_content()),
        ["duty: request.duty_missing [YC-41.4]"]
    );
}

#[test]
fn a_table_is_asked_for_with_its_key() {
    let request = SharingRequest {
        columns: vec!["name".to_owned()],
        ..a_request()
    };
    assert_eq!(
        faults(&request, &a_content()),
        ["columns: request.key_missing [-]"]
    );
    let nothing = SharingRequest {
        columns: vec![],
        ..a_request()
    };
    assert_eq!(
        faults(&nothing, &a_content()),
        ["columns: request.no_columns [PDS-7]"]
    );
}

#[test]
fn a_document_takes_no_columns() {
    let document = EntryContent {
        format: ResourceFormat::Document,
        modes: vec!["file".to_owned()],
        items: vec![],
        ..a_content()
    };
    let request = SharingRequest {
        mode: "file".to_owned(),
        columns: vec![],
        condition: RowCondition::all_rows(),
        ..a_request()
    };
    assert_eq!(faults(&request, &document), [""; 0]);
}

#[test]
fn a_term_has_a_limit() {
    let asks = |months| SharingRequest {
        term_months: Some(months),
        undertakings: Vec::new(),
        ..a_request()
    };
    assert_eq!(faults(&asks(TERM_MONTHS_MAX), &a_content()), [""; 0]);
    assert_eq!(faults(&asks(TERM_MONTHS_MAX + 1), &a_content()).len(), 1);
}

#[test]
fn purposes_are_found_by_code_and_label() {
    for kind in PurposeKind::ALL {
        assert_eq!(PurposeKind::find(kind.code()), Some(*kind));
        assert_eq!(PurposeKind::find(kind.label()), Some(*kind));
        assert_eq!(
            serde_json::to_string(kind).unwrap(),
            format!("\"{}\"", kind.code())
        );
    }
    assert_eq!(PurposeKind::find("other"), None);
}

/// YC-41.4, TP-5.4
#[test]
fn a_duty_fits_if_either_text_holds_the_other() {
    let registered = ["社会救助".to_owned(), "殡葬、地名管理工作".to_owned()];
    let fit = |stated| duty_fit(stated, &registered);
    assert_eq!(fit("《社会 救助》审核确认"), DutyFit::Matches);
    assert_eq!(fit("地名管理工作"), DutyFit::Matches, "part of one");
    assert_eq!(fit("地名"), DutyFit::NoMatch, "too short to say anything");
    assert_eq!(fit("税收征管"), DutyFit::NoMatch);
    assert_eq!(fit(""), DutyFit::NoMatch);
    assert_eq!(duty_fit("社会救助", &[]), DutyFit::NoneRegistered);
    assert_eq!(duty_fit("社会救助", &["、".to_owned()]), DutyFit::NoMatch);
}

// --- in part -------------------------------------------------------------------------------------

fn part_faults(part: &PartialApproval, request: &SharingRequest) -> Vec<String> {
    let items = a_content().items;
    let before = GrantedPart::of(request, &[], &items);
    check_part(part, request, &before, &items)
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn refusing(columns: &[&str], reason: &str) -> PartialApproval {
    PartialApproval {
        refused: columns
            .iter()
            .map(|column| ((*column).to_owned(), reason.to_owned()))
            .collect(),
        ..PartialApproval::default()
    }
}

/// YC-24
#[test]
fn yc_24_a_decision_may_grant_a_part() {
    let items = a_content().items;
    let part = PartialApproval {
        condition: serde_json::from_str(r#"[{"column":"name","op":"eq","values":["甲村"]}]"#)
            .unwrap(),
        term_months: Some(6),
        reason: Some("一期只开放甲村".to_owned()),
        ..refusing(&["name"], "与职责无关")
    };
    assert_eq!(part_faults(&part, &a_request()), [""; 0]);
    assert_eq!(part.lacks_reason(), []);
    let granted = GrantedPart::of(&a_request(), &[part], &items);
    assert_eq!(granted.columns, ["code"]);
    assert_eq!(granted.condition.terms().len(), 2, "both conditions hold");
    assert_eq!(granted.ends_on(date(2026, 9, 21)), Some(date(2027, 3, 21)));
}

/// PDS-10.2b
#[test]
fn pds_10_2b_what_is_not_granted_has_its_reason() {
    let lacks = |part: &PartialApproval| {
        let fields: Vec<String> = part
            .lacks_reason()
            .iter()
            .map(ToString::to_string)
            .collect();
        fields.join(" ")
    };
    assert_eq!(lacks(&refusing(&["name"], " ")), "part.refused[0]");
    let said = PartialApproval {
        reason: Some("超出履职范围".to_owned()),
        ..refusing(&["name"], "")
    };
    assert_eq!(lacks(&said), "");
    assert_eq!(said.reason_of("name"), Some("超出履职范围"));
    let shorter = PartialApproval {
        term_months: Some(1),
        ..PartialApproval::default()
    };
    assert_eq!(lacks(&shorter), "reason");
    let masked = PartialApproval {
        masks: BTreeMap::from([("name".to_owned(), MaskKind::Hidden)]),
        ..PartialApproval::default()
    };
    assert_eq!(lacks(&masked), "", "a mask owes no reason");
}

#[test]
fn all_faults_of_a_part_are_reported_at_once() {
    let masks = [("code", MaskKind::Hidden), ("secret", MaskKind::Hidden)];
    let part = PartialApproval {
        condition: serde_json::from_str(r#"[{"column":"nope","op":"eq","values":["1"]}]"#).unwrap(),
        masks: masks.map(|(column, mask)| (column.to_owned(), mask)).into(),
        term_months: Some(12),
        ..refusing(&["code", "name", "secret"], "理由")
    };
    assert_eq!(
        part_faults(&part, &a_request()),
        [
            "part.refused[0]: request.key_refused",
            "part.refused[2]: request.refused_not_asked",
            "part.refused: request.nothing_granted",
            "part.condition[0]: condition.unknown_item",
            "part.masks: grant.mask_without_column",
            "part.masks: grant.mask_without_column",
            "part.term_months: request.term_not_shorter",
        ]
    );
    let masked_key = PartialApproval {
        masks: BTreeMap::from([("code".to_owned(), MaskKind::Hidden)]),
        ..PartialApproval::default()
    };
    assert_eq!(
        part_faults(&masked_key, &a_request()),
        ["part.masks: grant.key_masked"]
    );
}

/// A pseudonym may be put on a key, and rows may not tell what is behind it.
#[test]
fn a_pseudonym_can_be_decided_on() {
    let part = |column: &str| PartialApproval {
        masks: BTreeMap::from([(column.to_owned(), MaskKind::Pseudonym)]),
        ..PartialApproval::default()
    };
    let asked = |condition: &str| SharingRequest {
        condition: serde_json::from_str(condition).unwrap(),
        ..a_request()
    };
    let by_code = r#"[{"column":"code","op":"eq","values":["410404001002"]}]"#;
    assert_eq!(part_faults(&part("code"), &asked("[]")), [""; 0]);
    assert_eq!(
        part_faults(&part("code"), &asked(by_code)),
        ["part.condition: grant.condition_on_pseudonym"]
    );
    let both = PartialApproval {
        condition: serde_json::from_str(by_code).unwrap(),
        ..part("code")
    };
    assert_eq!(
        part_faults(&both, &asked("[]")),
        ["part.condition: grant.condition_on_pseudonym"]
    );

    let mut content = a_content();
    content.items[0].mask = Some(MaskKind::Pseudonym);
    let faults: Vec<String> = check_request(&asked(by_code), &content)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(faults, ["condition[0]: grant.condition_on_pseudonym"]);
}

/// A mask of the entry gives way only to the one that hides all.
#[test]
fn a_mask_of_the_entry_is_only_made_stricter() {
    let asked = SharingRequest {
        columns: ["code", "head"].map(str::to_owned).to_vec(),
        ..a_request()
    };
    let items = a_content().items;
    let own = default_masks(&asked.columns, &items);
    let present = *own.get("head").expect("the head of a village is masked");
    let other = MaskKind::ALL
        .iter()
        .find(|kind| **kind != present && **kind != MaskKind::Hidden)
        .unwrap();
    let part = |mask| PartialApproval {
        masks: BTreeMap::from([("head".to_owned(), mask)]),
        ..PartialApproval::default()
    };
    assert_eq!(
        part_faults(&part(*other), &asked),
        ["part.masks: grant.mask_not_stricter"]
    );
    assert_eq!(part_faults(&part(MaskKind::Hidden), &asked), [""; 0]);
    let granted = |mask| GrantedPart::of(&asked, &[part(mask)], &items).masks;
    assert_eq!(granted(MaskKind::Hidden)["head"], MaskKind::Hidden);
    assert_eq!(
        granted(*other)["head"],
        present,
        "even unchecked, nothing is laid bare"
    );
}

fn any_part() -> impl Strategy<Value = PartialApproval> {
    let column = prop::sample::select(vec!["code", "name", "head", "secret"]);
    let mask = prop::sample::select(MaskKind::ALL.to_vec());
    (
        prop::collection::btree_map(column.clone().prop_map(str::to_owned), ".{0,3}", 0..4),
        prop::collection::btree_map(column.clone().prop_map(str::to_owned), mask, 0..4),
        prop::option::of(0_u32..240),
        prop::collection::vec((column, "[0-9]{1,3}"), 0..3),
    )
        .prop_map(|(refused, masks, term_months, terms)| PartialApproval {
            refused,
            masks,
            term_months,
            condition: RowCondition::new(
                terms
                    .into_iter()
                    .map(|(column, value)| Term {
                        column: column.to_owned(),
                        op: ConditionOp::Eq,
                        values: vec![value],
                    })
                    .collect(),
            ),
            reason: None,
        })
}

proptest! {
    /// PDS-7: whatever is decided, and however often, what is granted lies within what was asked.
    #[test]
    fn pds_7_nothing_is_granted_that_was_not_asked(
        parts in prop::collection::vec(any_part(), 0..4),
        months in prop::option::of(1_u32..=TERM_MONTHS_MAX),
    ) {
        let asked = SharingRequest {
            columns: ["code", "name", "head"].map(str::to_owned).to_vec(),
            term_months: months,
            ..a_request()
        };
        let items = a_content().items;
        let granted = GrantedPart::of(&asked, &parts, &items);
        prop_assert!(granted.columns.iter().all(|column| asked.columns.contains(column)));
        prop_assert!(asked.condition.terms().iter().all(|term| granted.condition.terms().contains(term)));
        if let Some(months) = months {
            prop_assert!(granted.term_months.is_some_and(|left| left <= months));
        }
        let own = default_masks(&asked.columns, &items);
        for column in &granted.columns {
            prop_assert!(parts.iter().all(|part| !part.refused.contains_key(column)));
            if let Some(present) = own.get(column) {
                let left = granted.masks.get(column);
                prop_assert!(left == Some(present) || left == Some(&MaskKind::Hidden));
            }
        }
        prop_assert!(granted.masks.keys().all(|column| granted.columns.contains(column)));
    }
}
