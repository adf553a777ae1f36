use jiff::civil::{Date, date};

use super::{Binding, DutyItem, FindingKind, Period, consequences, duty_items};
use crate::law::{Limit, LimitWord, Pack, PeriodicDuty, ProcessId, StepId};

fn pack() -> Pack {
    Pack::load(crate::law::PINGDINGSHAN_2020, "pingdingshan-2020.toml").unwrap()
}

fn duty(due: Limit) -> PeriodicDuty {
    PeriodicDuty {
        due,
        ..pack().periodic[0].clone()
    }
}

fn due_dates(items: &[DutyItem]) -> Vec<String> {
    items
        .iter()
        .map(|item| item.due_on.map_or("-".to_owned(), |d| d.to_string()))
        .collect()
}

const YEARS_END: Limit = Limit::AnnualDate { month: 1, day: 31 };

/// Spec: YC-39.
#[test]
fn yc_39_the_report_on_last_year_is_overdue_on_the_first_of_february() {
    let since = date(2025, 6, 1);
    let items = duty_items(&duty(YEARS_END), None, since, date(2026, 1, 31));
    assert_eq!(due_dates(&items), ["2026-01-31"]);
    assert_eq!(
        items[0].covers,
        Some((date(2025, 1, 1), date(2025, 12, 31)))
    );
    assert!(!items[0].is_overdue(date(2026, 1, 31)));
    assert!(items[0].is_overdue(date(2026, 2, 1)));
}

/// Spec: YJ-4.2.3.
#[test]
fn yj_4_2_3_the_fifth_of_january_is_in_time() {
    let limit = Limit::AnnualDate { month: 1, day: 5 };
    let items = duty_items(&duty(limit), None, date(2025, 6, 1), date(2026, 1, 6));
    assert!(!items[0].is_overdue(date(2026, 1, 5)));
    assert!(items[0].is_overdue(date(2026, 1, 6)));
}

#[test]
fn a_department_owes_nothing_that_was_due_before_it_came() {
    let items = duty_items(
        &duty(YEARS_END),
        None,
        date(2026, 9, 21),
        date(2026, 12, 31),
    );
    assert_eq!(items, []);
    let next = duty_items(&duty(YEARS_END), None, date(2026, 9, 21), date(2027, 1, 1));
    assert_eq!(due_dates(&next), ["2027-01-31"]);
}

/// Spec: LY-19.
#[test]
fn ly_19_a_period_that_nobody_set_has_no_date() {
    let periodic = duty(Limit::Word(LimitWord::Periodic));
    let items = duty_items(&periodic, None, date(2020, 1, 1), date(2026, 9, 21));
    assert_eq!(
        items,
        [DutyItem {
            covers: None,
            due_on: None
        }]
    );
    assert!(!items[0].is_overdue(date(2099, 1, 1)));
}

/// Spec: LY-19.
#[test]
fn ly_19_a_quarter_opens_its_report_when_it_closes() {
    let periodic = duty(Limit::Word(LimitWord::Periodic));
    let quarter = Some(Period {
        months: 3,
        first_day: date(2026, 1, 1),
    });
    let at = |today: Date| duty_items(&periodic, quarter, date(2020, 1, 1), today);
    assert_eq!(at(date(2026, 3, 31)), []);
    let first = at(date(2026, 4, 1));
    assert_eq!(
        first,
        [DutyItem {
            covers: Some((date(2026, 1, 1), date(2026, 3, 31))),
            due_on: Some(date(2026, 6, 30)),
        }]
    );
    // When the second one opens, the first one is overdue.
    assert_eq!(
        due_dates(&at(date(2026, 7, 1))),
        ["2026-06-30", "2026-09-30"]
    );
    assert!(first[0].is_overdue(date(2026, 7, 1)));
}

/// Spec: YC-38.
#[test]
fn yc_38_a_year_by_the_regulation_needs_no_setting() {
    let yearly = duty(Limit::Months(12));
    let items = duty_items(&yearly, None, date(2025, 6, 1), date(2026, 9, 21));
    assert_eq!(due_dates(&items), ["2026-12-31"]);
    assert_eq!(
        items[0].covers,
        Some((date(2025, 1, 1), date(2025, 12, 31)))
    );
}

/// Spec: PDS-22.2.
#[test]
fn pds_22_2_a_late_authorisation_comes_to_a_notice_and_a_late_delivery_to_a_reminder() {
    let pack = pack();
    let step = |process: &str, step: &str| {
        pack.process(&ProcessId::parse(process).unwrap())
            .unwrap()
            .step(&StepId::parse(step).unwrap())
            .unwrap()
            .clone()
    };
    let late = pack
        .processes
        .iter()
        .flat_map(|p| p.steps.iter().map(move |s| (p, s)))
        .find(|(_, s)| s.on_overdue.is_some())
        .unwrap();
    let decide = step(late.0.id.as_str(), late.1.id.as_str());
    let bound = consequences(&decide, Binding::Bound);
    assert_eq!(bound.kind, FindingKind::Notice);
    assert_eq!(
        bound.process,
        Some(ProcessId::parse("rectification").unwrap())
    );
    assert_eq!(bound.clause.as_str(), "PDS-22.2");
    let by_reference = consequences(&decide, Binding::ByReference);
    assert_eq!(by_reference.kind, FindingKind::Reminder);
    assert_eq!(by_reference.process, None);
    let deliver = late
        .0
        .steps
        .iter()
        .find(|s| s.on_overdue.is_none() && s.deadline.is_some())
        .unwrap();
    let reminded = consequences(deliver, Binding::Bound);
    assert_eq!(reminded.kind, FindingKind::Reminder);
    assert_eq!(reminded.clause, deliver.deadline.as_ref().unwrap().clause);
}
