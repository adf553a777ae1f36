use std::collections::HashSet;

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;

fn statutory() -> Calendar {
    Calendar::statutory()
}

/// An independent reckoning: sets of days and a list of all working days, nothing shared with the
/// calendar but the text of the file.
struct Naive {
    working: Vec<Date>,
}

impl Naive {
    fn new() -> Self {
        let mut off = HashSet::new();
        let mut on = HashSet::new();
        for line in STATUTORY_CSV.lines().skip(1) {
            let mut cells = line.split(',');
            let day: Date = cells.next().unwrap().parse().unwrap();
            if cells.next() == Some("holiday") {
                off.insert(day)
            } else {
                on.insert(day)
            };
        }
        let working = date(2019, 1, 1)
            .series(jiff::Span::new().days(1))
            .take_while(|d| *d <= date(2026, 12, 31))
            .filter(|d| {
                let is_weekday = d.weekday().to_monday_one_offset() <= 5;
                on.contains(d) || (is_weekday && !off.contains(d))
            })
            .collect();
        Self { working }
    }

    /// The n-th working day after `start`, by position in the list.
    fn due(&self, start: Date, n: usize) -> Option<Date> {
        let after = self.working.partition_point(|d| *d <= start);
        self.working.get(after + n - 1).copied()
    }
}

#[test]
fn the_built_in_table_covers_2019_to_2026() {
    assert_eq!(statutory().years(), 2019..=2026);
}

#[test]
fn every_due_date_agrees_with_a_naive_reckoning() {
    let calendar = statutory();
    let naive = Naive::new();
    let mut checked = 0_u32;
    for start in date(2019, 1, 1)
        .series(jiff::Span::new().days(1))
        .take_while(|d| *d <= date(2026, 12, 31))
    {
        for n in 1_u32..=30 {
            let expected = naive
                .due(start, usize::try_from(n).unwrap())
                .ok_or(CalendarError::YearNotPublished { year: 2027 });
            assert_eq!(
                calendar.add_working_days(start, n),
                expected,
                "{start} + {n}"
            );
            checked += 1;
        }
    }
    assert_eq!(checked, 2922 * 30);
}

#[test]
fn the_national_day_of_2026() {
    let calendar = statutory();
    let table: Vec<String> = date(2026, 9, 19)
        .series(jiff::Span::new().days(1))
        .take(23)
        .map(|date| {
            let day = calendar.day(date).unwrap();
            let works = if day.kind.is_working() {
                "works"
            } else {
                "off"
            };
            let name = day.name.unwrap_or("-");
            format!("{date} {:?} {works} {:?} {name}", date.weekday(), day.kind)
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"));
    let off = (1..=7).all(|d| !calendar.is_working_day(date(2026, 10, d)).unwrap());
    assert!(off, "2026-10-01 to 07 are off");
    for make_up in [date(2026, 9, 20), date(2026, 10, 10)] {
        assert_eq!(calendar.day(make_up).unwrap().kind, DayKind::MakeUp);
    }
    assert_eq!(
        calendar.day(date(2026, 9, 25)).unwrap().name,
        Some("中秋节")
    );
}

#[test]
fn limits_over_the_national_day_of_2026() {
    fn check(start: Date, n: u32, due: Date) {
        assert_eq!(
            statutory().add_working_days(start, n),
            Ok(due),
            "{start} + {n}"
        );
    }
    check(date(2026, 9, 21), 3, date(2026, 9, 24));
    check(date(2026, 9, 21), 5, date(2026, 9, 29)); // over Mid-Autumn 09-25 and the weekend
    check(date(2026, 9, 30), 1, date(2026, 10, 8));
    check(date(2026, 9, 28), 5, date(2026, 10, 10)); // ends on a Saturday that is worked
    check(date(2026, 10, 3), 3, date(2026, 10, 10)); // begun within the holiday
    check(date(2026, 9, 20), 0, date(2026, 9, 20));
    check(date(2026, 10, 3), 0, date(2026, 10, 3)); // nothing to count, nothing to move
}

#[test]
fn outside_the_published_years_is_an_error_that_names_the_year() {
    let calendar = statutory();
    let in_2027 = CalendarError::YearNotPublished { year: 2027 };
    let in_2018 = CalendarError::YearNotPublished { year: 2018 };
    assert_eq!(
        calendar.is_working_day(date(2027, 1, 1)),
        Err(in_2027.clone())
    );
    assert_eq!(calendar.day(date(2018, 12, 31)).unwrap_err(), in_2018);
    assert_eq!(
        calendar.add_working_days(date(2026, 12, 31), 1),
        Err(in_2027.clone())
    );
    assert_eq!(
        calendar.add_working_days(date(2026, 1, 1), u32::MAX),
        Err(in_2027.clone())
    );
    assert_eq!(
        calendar.working_days_between(date(2026, 12, 1), date(2027, 1, 10)),
        Err(in_2027.clone())
    );
    assert_eq!(
        calendar.working_days_between(date(2019, 1, 1), date(2018, 1, 1)),
        Err(in_2018)
    );
    assert_eq!(
        calendar.add_working_days(Date::MAX, 1),
        Err(CalendarError::YearNotPublished { year: 9999 })
    );
    assert_eq!(in_2027.code(), "calendar.year_not_published");
    assert!(
        in_2027
            .to_string()
            .contains("load the State Council's holiday notice for 2027")
    );
}

#[test]
fn the_day_before_the_first_year_may_start_a_limit() {
    assert_eq!(
        statutory().add_working_days(date(2018, 12, 31), 1),
        Ok(date(2019, 1, 2))
    );
}

#[test]
fn a_file_reports_all_its_faults_with_their_lines() {
    let csv = "date,kind,name\n2026-10-01,holiday,国庆节\n# comment\n2026-13-01,holiday,x\n2026-10-02,feast,x\n2026-10-05,holiday,\n\
               2026-10-06,holiday\n2026-10-01,holiday,again\n2026-09-21,workday,国庆节\n20261007,holiday,国庆节\n";
    let CalendarError::Unreadable { faults } = Calendar::parse_csv(csv).unwrap_err() else {
        panic!("a fault list")
    };
    let seen: Vec<_> = faults.iter().map(|f| (f.line, f.kind)).collect();
    assert_eq!(
        seen,
        [
            (4, FaultKind::Date),
            (5, FaultKind::Kind),
            (6, FaultKind::Name),
            (7, FaultKind::Cells),
            (8, FaultKind::Twice),
            (9, FaultKind::WorkdayOnWeekday),
            (10, FaultKind::Date),
        ]
    );
}

#[test]
fn a_file_without_a_heading_or_a_year_is_refused() {
    fn check(csv: &str, line: usize, kind: FaultKind) {
        let error = Calendar::parse_csv(csv).unwrap_err();
        assert_eq!(
            error,
            CalendarError::Unreadable {
                faults: vec![CalendarFault { line, kind }]
            },
            "{csv:?}"
        );
        assert!(!error.to_string().is_empty());
    }
    check("", 1, FaultKind::Heading);
    check("2026-10-01,holiday,国庆节\n", 1, FaultKind::Heading);
    check("date,kind,name\n", 0, FaultKind::NoYear);
    check(
        "date,kind,name\n2026-12-27,workday,元旦\n",
        0,
        FaultKind::NoYear,
    );
    check(
        "date,kind,name,status\n2027-10-01,holiday,国庆节,maybe\n",
        2,
        FaultKind::Status,
    );
}

#[test]
fn provisional_days_do_not_publish_a_year() {
    let provisional = "date,kind,name,status\n2027-10-01,holiday,国庆节,statutory-weekday\n2026-10-01,holiday,国庆节,published\n";
    let calendar = Calendar::parse_csv(provisional).unwrap();
    assert_eq!(calendar.years(), 2026..=2026);
    assert!(calendar.day(date(2027, 10, 1)).is_err());
}

#[test]
fn a_later_notice_adds_its_year_and_the_december_before() {
    let notice = Calendar::parse_csv(
        "\u{feff}date,kind,name\r\n2026-12-27,workday,元旦\r\n2027-01-01,holiday,元旦\r\n2027-10-01,holiday,国庆节\r\n",
    )
    .unwrap();
    let before = statutory();
    let after = before.clone().with(notice);
    assert_eq!(after.years(), 2019..=2027);
    assert_eq!(
        before.day(date(2026, 12, 27)).unwrap().kind,
        DayKind::Weekend
    );
    assert_eq!(after.day(date(2026, 12, 27)).unwrap().kind, DayKind::MakeUp);
    assert_eq!(
        after.day(date(2026, 10, 1)).unwrap().kind,
        DayKind::Holiday,
        "2026 itself stays"
    );
    assert_eq!(
        after.add_working_days(date(2026, 12, 31), 1),
        Ok(date(2027, 1, 4))
    );
}

#[test]
fn a_corrected_notice_replaces_the_whole_year() {
    let corrected = Calendar::parse_csv("date,kind,name\n2026-10-01,holiday,国庆节\n").unwrap();
    let after = statutory().with(corrected);
    assert_eq!(after.day(date(2026, 10, 2)).unwrap().kind, DayKind::Working);
    assert_eq!(after.day(date(2025, 10, 2)).unwrap().kind, DayKind::Holiday);
}

proptest! {
    #[test]
    fn counting_undoes_adding(offset in 0_i64..2800, n in 0_u32..60) {
        let calendar = statutory();
        let start = date(2019, 1, 1).checked_add(jiff::Span::new().days(offset)).unwrap();
        let due = calendar.add_working_days(start, n).unwrap();
        prop_assert_eq!(calendar.working_days_between(start, due), Ok(i64::from(n)));
        prop_assert_eq!(calendar.working_days_between(due, start), Ok(-i64::from(n)));
        if n > 0 {
            prop_assert!(calendar.is_working_day(due).unwrap(), "a limit ends on a working day");
        }
    }

    #[test]
    fn a_longer_limit_never_ends_earlier(offset in 0_i64..2700, n in 0_u32..60) {
        let calendar = statutory();
        let start = date(2019, 1, 1).checked_add(jiff::Span::new().days(offset)).unwrap();
        prop_assert!(calendar.add_working_days(start, n).unwrap() < calendar.add_working_days(start, n + 1).unwrap());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(date,kind,name(,status)?\n)?[\\PC\n,#]{0,200}") {
        let _ = Calendar::parse_csv(&text);
    }
}
