//! Forms and seals, on every pack of the repository.

use std::collections::BTreeSet;

use super::*;
use crate::case::check::check_form;
use crate::law::{
    Step,
    tests::{REGULATIONS, regulation},
};

/// Every step of every pack that asks for a form.
fn steps_with_a_form() -> Vec<Step> {
    let mut steps = Vec::new();
    for (id, _) in REGULATIONS {
        let all = regulation(id)
            .processes
            .into_iter()
            .flat_map(|process| process.steps);
        steps.extend(all.filter(|step| step.form.is_some()));
    }
    steps
}

fn handed_in(seal_kind: Option<&str>, file_digest: Option<&str>) -> FormGiven {
    FormGiven {
        seal_kind: seal_kind.map(str::to_owned),
        file_digest: file_digest.map(str::to_owned),
        attachment: None,
    }
}

/// The clause under which the form is refused; `None` if it is taken.
fn refused_under(step: &Step, form: Option<&FormGiven>) -> Option<String> {
    let refusal = check_form(step, form).err()?;
    assert_eq!(refusal.code(), "case.form_required");
    Some(refusal.clause().unwrap().to_string())
}

/// Spec: YC-29.2, PDS-12, PDS-13.
#[test]
fn yc_29_2_pds_12_pds_13_no_seal_no_submission() {
    let mut kinds = BTreeSet::new();
    for step in steps_with_a_form() {
        let policy = step.form.as_ref().unwrap();
        let clause = Some(policy.clause.to_string());
        let refused = |form: Option<FormGiven>| refused_under(&step, form.as_ref());
        if policy.seal_kinds.is_empty() {
            continue;
        }
        assert_eq!(refused(None), clause);
        assert_eq!(refused(Some(handed_in(None, None))), clause);
        assert_eq!(refused(Some(handed_in(None, Some("aa")))), clause);
        assert_eq!(
            refused(Some(handed_in(Some("handwritten"), Some("aa")))),
            clause
        );
        for kind in &policy.seal_kinds {
            // A seal is on a file; whoever only says that there is one has shown nothing.
            assert_eq!(refused(Some(handed_in(Some(kind), None))), clause, "{kind}");
            assert_eq!(
                refused(Some(handed_in(Some(kind), Some("aa")))),
                None,
                "{kind}"
            );
            kinds.insert(kind.clone());
        }
    }
    let known = [
        "department_seal",
        "electronic_seal_online",
        "scan_of_form",
        "scan_of_stamped_form",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), known);
}

/// Spec: TP-21a, LY-15.
#[test]
fn tp_21a_ly_15_what_has_to_be_in_writing_is_refused_without_a_file() {
    let mut clauses = BTreeSet::new();
    for step in steps_with_a_form() {
        let policy = step.form.as_ref().unwrap();
        if !policy.written || !policy.seal_kinds.is_empty() {
            continue;
        }
        let clause = policy.clause.to_string();
        assert_eq!(refused_under(&step, None), Some(clause.clone()));
        let online = handed_in(None, None);
        assert_eq!(refused_under(&step, Some(&online)), Some(clause.clone()));
        let on_paper = handed_in(None, Some("aa"));
        assert_eq!(refused_under(&step, Some(&on_paper)), None);
        clauses.insert(clause);
    }
    for clause in ["TP-21a", "LY-15"] {
        assert!(
            clauses.contains(clause),
            "{clause} asks for nothing in writing"
        );
    }
}

/// Spec: PDS-12.
#[test]
fn pds_12_neither_e_seal_nor_scan_blocks_and_the_file_stays_with_the_step() {
    let given = [("class", "conditional"), ("mode", "interface")];
    let file = |input| {
        let opening = Opening {
            input,
            ..opening("interface_application_city", &given, "2026-09-21")
        };
        Case::open(opening, pack(), calendar())
    };
    let without_file = StepInput {
        form: Some(handed_in(Some("electronic_seal_online"), None)),
        ..StepInput::default()
    };
    for input in [StepInput::default(), without_file] {
        let refused = file(input).unwrap_err();
        assert_eq!(
            (refused.code(), refused.clause().unwrap().as_str()),
            ("case.form_required", "PDS-12")
        );
    }
    let filed = file(sealed("scan_of_stamped_form")).unwrap();
    let form = filed.events()[0].form.as_ref().unwrap();
    assert_eq!(form.attachment, AttachmentId::parse("att-1").ok());
    assert!(form.file_digest.is_some());
}
