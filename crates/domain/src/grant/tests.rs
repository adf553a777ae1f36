use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::catalogue::DataType;
use crate::catalogue::tests::a_content;
use crate::exchange::{ConditionOp, Term};

/// An active grant on `catalogue::tests::a_content` without a fault.
pub(crate) fn a_grant() -> Grant {
    let content = a_content();
    let columns: Vec<String> = ["code", "name", "head"].map(str::to_owned).to_vec();
    Grant {
        id: GrantId::parse("g-1").unwrap(),
        case_id: CaseId::parse("c-1").unwrap(),
        entry_id: EntryId::parse("e-1").unwrap(),
        version_no: 1,
        provider: DepartmentId::parse("statistics").unwrap(),
        requester: DepartmentId::parse("civil-affairs").unwrap(),
        condition: prefix("code", "41"),
        masks: default_masks(&columns, &content.items),
        columns,
        purpose: "核对村级名称".to_owned(),
        basis: "PDS-10.2b".to_owned(),
        valid_from: date(2026, 9, 21),
        valid_until: Some(date(2027, 9, 21)),
        state: GrantState::Active,
    }
}

fn prefix(column: &str, text: &str) -> RowCondition {
    RowCondition::new(vec![Term {
        column: column.to_owned(),
        op: ConditionOp::Prefix,
        values: vec![text.to_owned()],
    }])
}

fn at() -> Timestamp {
    "2026-10-08T01:00:00Z".parse().unwrap()
}

#[test]
fn every_state_meets_every_step() {
    let stopped = |ended: &str| match ended {
        "suspended" => GrantState::Suspended {
            ground: "超范围使用".to_owned(),
            at: at(),
            clause: None,
        },
        _ => GrantState::Ended {
            ground: "不再需要".to_owned(),
            at: at(),
            clause: None,
        },
    };
    let states = [GrantState::Active, stopped("suspended"), stopped("ended")];
    let mut table = Vec::new();
    for state in states {
        let grant = Grant { state, ..a_grant() };
        let fewer = Narrowing {
            columns: Some(vec!["code".to_owned()]),
            ..Narrowing::default()
        };
        let steps = [
            ("suspend", grant.clone().suspend("安全风险", at())),
            ("suspend without ground", grant.clone().suspend(" ", at())),
            ("resume", grant.clone().resume()),
            ("end", grant.clone().end("收回", at())),
            ("end without ground", grant.clone().end("", at())),
            ("narrow", grant.clone().narrow(&fewer)),
        ];
        for (step, result) in steps {
            let outcome = match result {
                Ok(next) => format!(
                    "{} {:?}",
                    serde_json::to_string(&next.state).unwrap(),
                    next.columns
                ),
                Err(error) => format!("refused: {} ({:?})", error.code(), error.kind()),
            };
            table.push(format!("{:<9} {step:<23} {outcome}", grant.state.name()));
        }
    }
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn a_grant_is_worth_something_within_its_term_only() {
    fn check(state: GrantState, day: jiff::civil::Date, expected: Standing) {
        let grant = Grant { state, ..a_grant() };
        assert_eq!(grant.standing_on(day), expected, "{day}");
        assert_eq!(grant.is_active_on(day), expected == Standing::InForce);
    }
    let suspended = || GrantState::Suspended {
        ground: "风险".to_owned(),
        at: at(),
        clause: None,
    };
    let ended = || GrantState::Ended {
        ground: "收回".to_owned(),
        at: at(),
        clause: None,
    };
    check(GrantState::Active, date(2026, 9, 20), Standing::NotYet);
    check(GrantState::Active, date(2026, 9, 21), Standing::InForce);
    check(GrantState::Active, date(2027, 9, 20), Standing::InForce);
    check(GrantState::Active, date(2027, 9, 21), Standing::Expired);
    check(suspended(), date(2026, 10, 8), Standing::Suspended);
    check(suspended(), date(2027, 9, 21), Standing::Expired);
    check(ended(), date(2026, 10, 8), Standing::Ended);
    check(ended(), date(2028, 1, 1), Standing::Ended);
    let open_ended = Grant {
        valid_until: None,
        ..a_grant()
    };
    assert!(open_ended.is_active_on(date(2099, 1, 1)));
}

#[test]
fn a_grant_knows_its_columns_and_masks() {
    let grant = a_grant();
    assert!(grant.covers("code") && !grant.covers("area") && !grant.covers(""));
    assert_eq!(grant.mask_of("head"), Some(MaskKind::PersonName));
    assert_eq!(grant.mask_of("name"), None);
}

#[test]
fn narrowing_takes_back_and_never_gives() {
    let narrowing = Narrowing {
        columns: Some(vec![
            "name".to_owned(),
            "code".to_owned(),
            "code".to_owned(),
        ]),
        condition: Some(prefix("code", "4104")),
        masks: BTreeMap::from([("name".to_owned(), MaskKind::Hidden)]),
        valid_until: Some(date(2026, 12, 31)),
    };
    let narrowed = a_grant().narrow(&narrowing).unwrap();
    assert_eq!(
        narrowed.columns,
        ["code", "name"],
        "in the old order, each once"
    );
    assert_eq!(
        narrowed.masks,
        BTreeMap::from([("name".to_owned(), MaskKind::Hidden)]),
        "the mask of head is gone"
    );
    assert_eq!(narrowed.condition.terms().len(), 2);
    assert_eq!(narrowed.valid_until, Some(date(2026, 12, 31)));
    assert_eq!(narrowed.state, GrantState::Active);
}

#[test]
fn a_widening_is_refused() {
    fn check(narrowing: &Narrowing, expected: &GrantError) {
        assert_eq!(
            a_grant().narrow(narrowing).as_ref(),
            Err(expected),
            "{narrowing:?}"
        );
    }
    let columns = |columns: &[&str]| Narrowing {
        columns: Some(columns.iter().map(|column| (*column).to_owned()).collect()),
        ..Narrowing::default()
    };
    let mask = |column: &str, mask| Narrowing {
        masks: BTreeMap::from([(column.to_owned(), mask)]),
        ..Narrowing::default()
    };
    let until = |valid_until| Narrowing {
        valid_until: Some(valid_until),
        ..Narrowing::default()
    };
    check(&columns(&["code", "area"]), &GrantError::ColumnsNotWithin);
    check(&columns(&[]), &GrantError::ColumnsNotWithin);
    check(
        &mask("area", MaskKind::Hidden),
        &GrantError::ColumnsNotWithin,
    );
    check(&mask("head", MaskKind::Plate), &GrantError::MaskNotStricter);
    check(&until(date(2027, 9, 22)), &GrantError::TermNotWithin);
    check(&until(date(2026, 9, 21)), &GrantError::TermNotWithin);
    assert!(a_grant().narrow(&mask("head", MaskKind::Hidden)).is_ok());
    assert!(
        a_grant()
            .narrow(&mask("head", MaskKind::PersonName))
            .is_ok()
    );
    assert!(
        a_grant()
            .narrow(&mask("name", MaskKind::PersonName))
            .is_ok()
    );
}

#[test]
fn a_ground_has_a_limit() {
    let longest = "由".repeat(GROUND_CHARS_MAX);
    assert!(a_grant().suspend(&longest, at()).is_ok());
    assert_eq!(
        a_grant().end(&format!("{longest}由"), at()),
        Err(GrantError::GroundTooLong)
    );
}

#[test]
fn terms_report_all_their_faults() {
    let content = a_content();
    assert_eq!(check_terms(&a_grant(), &content.items), []);
    let faulty = Grant {
        columns: ["code", "nope", "code"].map(str::to_owned).to_vec(),
        condition: prefix("nowhere", "41"),
        masks: BTreeMap::from([
            ("code".to_owned(), MaskKind::Hidden),
            ("area".to_owned(), MaskKind::Hidden),
        ]),
        purpose: " ".to_owned(),
        basis: String::new(),
        valid_until: Some(date(2026, 9, 21)),
        ..a_grant()
    };
    let seen: Vec<String> = check_terms(&faulty, &content.items)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        seen,
        [
            "columns[1]: grant.unknown_column",
            "columns[2]: grant.column_twice",
            "condition[0]: condition.unknown_item",
            "masks: grant.mask_without_column",
            "masks: grant.key_masked",
            "purpose: grant.purpose_missing",
            "basis: grant.basis_missing",
            "valid_until: grant.term_empty",
        ]
    );
    let empty = Grant {
        columns: vec![],
        masks: BTreeMap::new(),
        ..a_grant()
    };
    assert_eq!(
        check_terms(&empty, &content.items)[0].code,
        "grant.no_columns"
    );
}

/// Spec: YC-9.
#[test]
fn a_pseudonym_is_for_keys_too_and_tells_nothing_by_the_rows() {
    let mut items = a_content().items;
    let faults = |grant: &Grant, items: &[DataItem]| -> Vec<String> {
        let faults = check_terms(grant, items);
        faults.iter().map(ToString::to_string).collect()
    };
    let under = |condition: RowCondition| Grant {
        columns: ["code", "name", "area"].map(str::to_owned).to_vec(),
        masks: BTreeMap::from(["code", "area"].map(|c| (c.to_owned(), MaskKind::Pseudonym))),
        condition,
        ..a_grant()
    };
    assert_eq!(faults(&under(RowCondition::all_rows()), &items), [""; 0]);
    assert_eq!(faults(&under(prefix("name", "王")), &items), [""; 0]);
    assert_eq!(
        faults(&under(prefix("code", "410404001002")), &items),
        ["condition[0]: grant.condition_on_pseudonym"]
    );
    for unfit in [
        DataType::Float,
        DataType::DateTime,
        DataType::Boolean,
        DataType::Binary,
    ] {
        for item in items.iter_mut().filter(|item| item.code == "area") {
            item.data_type = unfit;
        }
        assert_eq!(
            faults(&under(RowCondition::all_rows()), &items),
            ["masks: grant.pseudonym_unfit"]
        );
    }
}

#[test]
fn a_grant_reads_back_from_its_stored_form() {
    let grant = Grant {
        state: GrantState::Suspended {
            ground: "风险".to_owned(),
            at: at(),
            clause: None,
        },
        ..a_grant()
    };
    let stored = serde_json::to_string(&grant).unwrap();
    assert_eq!(serde_json::from_str::<Grant>(&stored).unwrap(), grant);
    insta::assert_snapshot!(stored);
}
