use super::*;
use crate::calendar::Calendar;

fn pingdingshan() -> Pack {
    Pack::load(PINGDINGSHAN_2020, "pingdingshan-2020.toml")
        .unwrap_or_else(|faults| panic!("{faults}"))
}

fn invented() -> Pack {
    Pack::load(INVENTED, "invented.toml").unwrap_or_else(|faults| panic!("{faults}"))
}

/// Spec: PDS-2, PDS-26.
#[test]
fn the_compiled_in_pack_loads() {
    let pack = pingdingshan();
    assert_eq!(
        pack.meta.number.as_deref(),
        Some("平政务和大数据〔2020〕9号")
    );
    assert_eq!(pack.meta.jurisdiction.name, "平顶山市");
    assert_eq!(pack.processes.len(), 11);
    let steps: usize = pack
        .processes
        .iter()
        .map(|process| process.steps.len())
        .sum();
    assert_eq!(
        steps, 44,
        "39 of the regulation, supply and base library for city and county, and resuming a service"
    );
}

#[test]
fn the_version_is_the_digest_of_the_content() {
    let pack = pingdingshan();
    assert_eq!(pack.version.len(), 64);
    let touched = format!("{PINGDINGSHAN_2020}\n# a comment\n");
    assert_ne!(
        Pack::load(&touched, "touched.toml").unwrap().version,
        pack.version
    );
}

#[test]
fn a_topic_has_one_process_under_the_facts_or_none() {
    let pack = pingdingshan();
    let find = |topic: &str, given: &[(&str, FactValue)]| {
        pack.process_for(topic, &facts(given))
            .map(|process| process.id.as_str())
    };
    assert_eq!(
        find("table_file_subscription", &[]),
        Some("table_file_subscription_city")
    );
    assert_eq!(
        find(
            "table_file_subscription",
            &[("requester_level", "county".into())]
        ),
        Some("table_file_subscription_county")
    );
    assert_eq!(
        find("table_file_subscription_county", &[]),
        Some("table_file_subscription_county")
    );
    assert_eq!(
        find("table_file_subscription", &[("mode", "interface".into())]),
        None
    );
    assert_eq!(
        find("correction_by_department", &[("mode", "interface".into())]),
        Some("correction_by_department_interface")
    );
    // Silence stays silent.
    assert_eq!(find("correction_by_citizen", &[]), None);
    assert_eq!(find("catalogue_change", &[]), None);
}

#[test]
fn every_step_of_the_pack_has_somebody_or_is_automatic() {
    let pack = pingdingshan();
    for process in &pack.processes {
        for step in &process.steps {
            let role = pack.role(&step.role).unwrap();
            assert!(
                step.kind == StepKind::Automatic || !role.posts.is_empty(),
                "{}.{}",
                process.id,
                step.id
            );
        }
    }
}

#[test]
fn every_listed_clause_has_a_place_and_a_gist() {
    for note in pingdingshan().clauses {
        assert!(
            !note.place.is_empty() && !note.gist.is_empty(),
            "{}",
            note.id
        );
    }
}

#[test]
fn a_pack_is_in_force_from_its_first_to_its_last_day() {
    let pack = invented();
    assert_eq!(pack.in_force_on(day("2025-12-31")), Standing::NotInForce);
    assert_eq!(pack.in_force_on(day("2026-01-01")), Standing::InForce);
    assert_eq!(pack.in_force_on(day("2027-12-31")), Standing::InForce);
    assert_eq!(
        pack.in_force_on(day("2028-01-01")),
        Standing::Ended {
            last_day: day("2027-12-31")
        }
    );
}

#[test]
fn a_template_is_never_in_force_and_needs_no_issuer() {
    let source = INVENTED.replace(
        "issuer = \"虚构局\"\nnumber = \"虚〔2026〕1号\"",
        "template = true",
    );
    let pack = Pack::load(&source, "template.toml").unwrap();
    assert_eq!(pack.in_force_on(day("2026-06-01")), Standing::NotInForce);
    assert_eq!(pack.meta.issuer, None);
}

#[test]
fn limits_end_where_they_should() {
    let calendar = Calendar::statutory();
    let last = |limit: Limit, start: &str| limit.last_day(day(start), &calendar).unwrap();
    assert_eq!(
        last(Limit::WorkingDays(3), "2026-09-24"),
        Some(day("2026-09-30"))
    );
    assert_eq!(
        last(Limit::Months(3), "2026-11-30"),
        Some(day("2027-02-28"))
    );
    assert_eq!(
        last(Limit::Months(1), "2026-01-31"),
        Some(day("2026-02-28"))
    );
    let annual = Limit::AnnualDate { month: 1, day: 31 };
    assert_eq!(last(annual, "2026-01-31"), Some(day("2026-01-31")));
    assert_eq!(last(annual, "2026-02-01"), Some(day("2027-01-31")));
    assert_eq!(
        last(Limit::AnnualDate { month: 2, day: 29 }, "2026-01-01"),
        Some(day("2026-02-28"))
    );
    assert_eq!(last(Limit::Word(LimitWord::Promptly), "2026-01-01"), None);
    assert_eq!(
        Limit::WorkingDays(5)
            .last_day(day("2026-12-30"), &calendar)
            .unwrap_err()
            .code(),
        "calendar.year_not_published"
    );
}

#[test]
fn what_comes_round_can_have_a_date() {
    let pack = invented();
    assert_eq!(
        pack.periodic[0].due,
        Limit::AnnualDate { month: 1, day: 31 }
    );
}

#[test]
fn a_fact_can_be_implied_by_others() {
    let source = PINGDINGSHAN_2020.replace(
        "name_en = \"Interface authorised by the platform directly\"\n",
        "name_en = \"Interface authorised by the platform directly\"\nimplied_by = [{ class = \"unconditional\", param_control = false, mode = \"interface\" }]\n",
    );
    assert_ne!(source, PINGDINGSHAN_2020);
    let pack = Pack::load(&source, "implied.toml").unwrap();
    let given = facts(&[
        ("class", "unconditional".into()),
        ("mode", "interface".into()),
    ]);
    assert_eq!(pack.decider(&given).unwrap().decides, DecidedBy::Platform);
}

#[test]
fn a_condition_knows_what_it_covers() {
    let condition = |pairs: &[(&str, &[&str])]| {
        Condition(
            pairs
                .iter()
                .map(|(name, values)| {
                    (
                        (*name).to_owned(),
                        values.iter().map(|v| FactValue::from(*v)).collect(),
                    )
                })
                .collect(),
        )
    };
    let tables = condition(&[("mode", &["table", "file"])]);
    let conditional_table = condition(&[("mode", &["table"]), ("class", &["conditional"])]);
    assert!(conditional_table.is_within(&tables) && !tables.is_within(&conditional_table));
    assert!(tables.overlaps(&conditional_table));
    assert!(!tables.overlaps(&condition(&[("mode", &["interface"])])));
    assert_eq!(
        conditional_table.holds(&facts(&[("mode", "table".into())])),
        Holds::NotYetKnown
    );
    assert_eq!(
        conditional_table.holds(&facts(&[("mode", "file".into())])),
        Holds::No
    );
    assert_eq!(Condition::default().holds(&Facts::new()), Holds::Yes);
    assert_eq!(
        conditional_table.in_words(),
        "class=conditional, mode=table"
    );
}
