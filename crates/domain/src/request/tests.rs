use super::*;
use crate::catalogue::tests::a_content;
use crate::catalogue::{EntryContent, ResourceFormat};

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
