//! The packs against tables that were set down by hand: nothing lost, nothing invented.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::*;
use crate::law::process::Step;

/// What was set down by hand, by pack.
const BY_HAND: &str = include_str!("processes.txt");

/// One step as it was set down.
struct Row<'a> {
    id: &'a str,
    roles: &'a str,
    clause: &'a str,
    said: BTreeMap<&'a str, &'a str>,
}

/// Process id and clause, with its steps.
type Rows<'a> = Vec<((&'a str, &'a str), Vec<Row<'a>>)>;

fn by_hand() -> Vec<(&'static str, Rows<'static>)> {
    let mut packs: Vec<(&str, Rows<'_>)> = Vec::new();
    for line in BY_HAND.lines() {
        if let Some(id) = line.strip_prefix("# ") {
            packs.push((id, Vec::new()));
        } else if let (Some((_, processes)), true) = (packs.last_mut(), line.contains(' ')) {
            let mut parts = line.trim().split("; ");
            let words: Vec<&str> = parts.next().unwrap().split(' ').collect();
            if line.starts_with(' ') {
                let said = parts
                    .map(|part| part.split_once('=').unwrap_or((part, "")))
                    .collect();
                processes.last_mut().unwrap().1.push(Row {
                    id: words[0],
                    roles: words[1],
                    clause: words[2],
                    said,
                });
            } else {
                processes.push(((words[0], words[1]), Vec::new()));
            }
        }
    }
    packs
}

/// The words under which nothing may be in the pack that isn't in the table.
const SILENT_UNLESS_SAID: &[&str] = &[
    "limit",
    "not_before",
    "reason",
    "form",
    "overdue",
    "consent",
    "extension",
    "grounds",
    "exceptions",
    "sets_due",
    "role_reading",
    "duty",
];

fn list<T: ToString>(items: &[T]) -> Option<String> {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    (!items.is_empty()).then(|| items.join(","))
}

fn limit_words(limit: Limit) -> String {
    match limit {
        Limit::WorkingDays(days) => format!("{days}wd"),
        Limit::Months(months) => format!("{months}mo"),
        Limit::AnnualDate { month, day } => format!("{month}-{day}"),
        Limit::Word(word) => word.code().to_owned(),
    }
}

/// What the pack says about a step, in the words of the table.
fn in_pack(step: &Step, word: &str) -> Option<String> {
    let event = |event: Option<Event>| event.map_or("-", Event::code).to_owned();
    match word {
        "limit" => step.deadline.as_ref().map(|limit| {
            let mut text = limit_words(limit.limit);
            write!(
                text,
                " {}>{} {}",
                event(limit.from),
                event(limit.to),
                limit.clause
            )
            .unwrap();
            if limit.from_is_reading {
                text.push_str(" reading");
            }
            text
        }),
        "not_before" => step.not_before.as_ref().map(|limit| {
            format!(
                "{} {} restart {}{} {}",
                limit_words(limit.limit),
                limit.from,
                event(limit.restart_on),
                if limit.restart_is_reading {
                    " reading"
                } else {
                    ""
                },
                limit.clause
            )
        }),
        "reason" => step
            .reason
            .as_ref()
            .map(|reason| reason.rule.code().to_owned()),
        "form" => step.form.as_ref().map(|form| {
            let mut text = form.name.clone();
            if form.written {
                text.push_str(" written");
            }
            if !form.seal_kinds.is_empty() {
                write!(text, " {}", form.seal_kinds.join("/")).unwrap();
            }
            if form.seal_is_reading {
                text.push_str(" reading");
            }
            text
        }),
        "overdue" => step.on_overdue.as_ref().map(|then| match &then.follow_up {
            FollowUp::Case(process) => process.to_string(),
            FollowUp::Finding(code) => format!("finding:{code}"),
        }),
        "consent" => step.consent_of.as_ref().map(ToString::to_string),
        "extension" => step
            .extends
            .as_ref()
            .map(|extension| extension.working_days_max.to_string()),
        "grounds" => {
            let grounds = step.grounds.iter();
            list(&grounds.map(|it| it.code.as_str()).collect::<Vec<_>>())
        }
        "exceptions" => {
            let exceptions = step.exceptions.iter();
            list(&exceptions.map(|it| it.code.as_str()).collect::<Vec<_>>())
        }
        "sets_due" => step.sets_due_of.as_ref().map(ToString::to_string),
        "with" => list(&step.with),
        "notify" => list(&step.notify),
        "to" => step.addressee.as_ref().map(ToString::to_string),
        "gate" => step.gate.clone(),
        "fields" => list(&step.fields),
        "target" => step.target.clone(),
        "role_reading" => step.role_is_reading.then(String::new),
        "may" => (step.kind == StepKind::Optional).then(String::new),
        "duty" => (step.kind == StepKind::Duty).then(String::new),
        "ours" => Some(String::new()),
        other => panic!("the table has a word that nobody knows: {other}"),
    }
}

/// Spec: LY-8.2, LY-11, LY-12, LY-13.1, LY-13.2, LY-15, LY-17.p2, LY-21.
/// Spec: YC-12.1, YC-14.1, YC-14.2, YC-19.2, YC-29.1, YC-29.2, YC-29.p3, YC-36, YC-40.
/// Spec: TP-7a, TP-12b, TP-15, TP-18, TP-21a, TP-21b, TP-25b, TP-26a.
/// Spec: YJ-3.1.1d, YJ-3.1.2b, YJ-3.2.2, YJ-3.2.3a, YJ-3.2.4, YJ-4.2.2.
#[test]
fn every_process_and_step_is_there_and_says_what_the_regulation_says() {
    let mut differences = Vec::new();
    let (mut processes_total, mut steps_total) = (0, 0);
    for (pack_id, processes) in by_hand() {
        let pack = regulation(pack_id);
        for ((process_id, process_clause), rows) in processes {
            processes_total += 1;
            let Some(process) = pack.process(&ProcessId::parse(process_id).unwrap()) else {
                differences.push(format!("{pack_id} lacks {process_id}"));
                continue;
            };
            if process.clause.as_str() != process_clause {
                differences.push(format!("{pack_id} {process_id}: {}", process.clause));
            }
            for row in &rows {
                steps_total += usize::from(!row.said.contains_key("ours"));
                let at = format!("{pack_id} {process_id}.{}", row.id);
                let Some(step) = process.step(&StepId::parse(row.id).unwrap()) else {
                    differences.push(format!("{at} is missing"));
                    continue;
                };
                let roles: Vec<&str> = step.takers().map(RoleId::as_str).collect();
                if roles.join("+") != row.roles || step.clause.as_str() != row.clause {
                    differences.push(format!("{at}: {} {}", roles.join("+"), step.clause));
                }
                let asked: BTreeSet<&str> =
                    row.said.keys().chain(SILENT_UNLESS_SAID).copied().collect();
                for word in asked {
                    let (said, found) = (row.said.get(word).copied(), in_pack(step, word));
                    if said != found.as_deref() {
                        differences.push(format!("{at} {word}: {found:?} instead of {said:?}"));
                    }
                }
            }
            // Steps of ours have no limit, no reason and no form: those would be law.
            for step in process
                .steps
                .iter()
                .filter(|step| !rows.iter().any(|row| row.id == step.id.as_str()))
            {
                for word in SILENT_UNLESS_SAID {
                    if let Some(found) = in_pack(step, word) {
                        differences.push(format!(
                            "{pack_id} {process_id}.{} is ours, but {word}: {found}",
                            step.id
                        ));
                    }
                }
            }
        }
    }
    // The reasons that a step of ours repeats from the clause it splits up.
    differences.retain(|line| !OF_ITS_CLAUSE.contains(&line.as_str()));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!((processes_total, steps_total), (47, 132));
}

/// Base library data are decided on by the platform, with the reason that the clause asks for.
const OF_ITS_CLAUSE: &[&str] = &[
    "pingdingshan-2020 table_file_subscription_city.decide_base_library is ours, but reason: on_refusal",
    "pingdingshan-2020 table_file_subscription_county.decide_base_library is ours, but reason: on_refusal",
];

/// The packs that answer a topic, each with its process: the rest are silent on it.
#[rustfmt::skip]
const TOPICS: &[(&str, [Option<&str>; 5])] = {
    const SUB: Option<&str> = Some("subscription");
    const COR: Option<&str> = Some("correction_by_department");
    const SUP: Option<&str> = Some("data_supply_after_change");
    &[
        ("table_file_subscription", [SUB, SUB, SUB, SUB, Some("table_file_subscription_city")]),
        ("table_file_subscription_county", [None, None, None, None, Some("table_file_subscription_county")]),
        ("interface_application", [SUB, SUB, SUB, SUB, Some("interface_application_city")]),
        ("interface_application_city", [SUB, SUB, SUB, SUB, Some("interface_application_city")]),
        ("interface_application_county", [None, None, None, None, Some("interface_application_county")]),
        ("cross_level_request", [None, None, None, None, Some("cross_level_request")]),
        ("catalogue_compile", [None, Some("catalogue_compile"), None, None, None]),
        ("classification", [None, None, Some("classification"), None, None]),
        ("catalogue_change", [Some("catalogue_change"), Some("catalogue_change"), None, Some("catalogue_change"), None]),
        ("data_supply_after_change", [SUP, SUP, SUP, SUP, SUP]),
        ("correction_by_department", [None, None, COR, COR, COR]),
        ("correction_by_citizen", [None, Some("correction_by_citizen"), None, None, None]),
        ("feedback", [None, None, Some("feedback"), COR, COR]),
        ("dispute", [None, Some("dispute"), None, Some("dispute"), Some("dispute")]),
        ("external_release", [Some("external_release"), None, Some("external_release"), None, None]),
        ("third_party_opening", [None, None, Some("third_party_opening"), None, None]),
        ("open_data_application", [None, None, Some("open_data_application"), None, None]),
        ("unused_authorisation_reclaim", [None, Some("grant_lifecycle"), None, None, Some("grant_lifecycle")]),
        ("rectification", [Some("rectification"), None, None, None, Some("rectification")]),
        ("project_check", [None, Some("project_check"), Some("project_check"), Some("project_check"), None]),
        ("agreement_filing", [Some("agreement_filing"), None, None, None, None]),
        ("access_method_filing", [Some("access_method_filing"), None, None, None, None]),
        ("uncollected_demand", [None, None, Some("uncollected_demand"), None, None]),
        ("vertical_backflow", [None, None, Some("vertical_backflow"), None, None]),
        ("development_activity", [None, None, Some("development_activity"), None, None]),
        ("sensitive_access", [None, None, Some("sensitive_access"), None, None]),
        ("steering_class", [Some("steering_class"), None, None, None, None]),
        ("steering_decision", [Some("steering_decision"), None, None, None, None]),
        ("fault_report", [Some("fault_report"), None, None, None, None]),
        ("security_incident", [None, Some("security_incident"), None, None, None]),
    ]
};

#[test]
fn a_topic_is_answered_by_the_packs_that_speak_of_it_and_by_no_other() {
    for (topic, expected) in TOPICS {
        for (id, expected) in REGULATIONS.iter().map(|(id, _)| *id).zip(expected) {
            let level = if topic.ends_with("_county") {
                "county"
            } else {
                "city"
            };
            let mode = if topic.starts_with("interface") {
                "interface"
            } else {
                "table"
            };
            let mut given = facts(&[("requester_level", level.into()), ("mode", mode.into())]);
            if topic.contains("reclaim") {
                given.insert("mode".to_owned(), "interface".into());
            }
            let pack = regulation(id);
            let found = pack
                .process_for(topic, &given)
                .map(|process| process.id.as_str());
            assert_eq!(found, *expected, "{id} {topic}");
        }
    }
    let known: BTreeSet<&str> = TOPICS.iter().map(|(topic, _)| *topic).collect();
    for (id, _) in REGULATIONS {
        for process in &regulation(id).processes {
            for topic in &process.topics {
                let own = process.id.as_str() == topic
                    || topic == "correction_by_department_interface"
                    || known.contains(topic.as_str());
                assert!(own, "{id}: {topic} is in no table");
            }
        }
    }
}

/// The lists, each with its codes and clause, and whether the regulation leaves it open.
#[rustfmt::skip]
const LISTS: &[(&str, &str, usize, &str)] = &[
    ("luyi-2019", "base_libraries", 4, "population legal_person economy geography"),
    ("luyi-2019", "population_themes", 9, "household_registration"),
    ("luyi-2019", "legal_person_sources", 13, "emergency_management"),
    ("luyi-2019", "economy_sources", 12, "financial_work"),
    ("luyi-2019", "data_item_table_fields", 6, "update_frequency"),
    ("luyi-2019", "supply_channels", 2, "file_upload front_end_machine_interface"),
    ("luyi-2019", "access_methods", 3, "web_access file_download front_end_machine_interface"),
    ("luyi-2019", "prohibited", 6, "abuse_of_library_information"),
    ("luyi-2019", "population_only_clauses", 6, "LY-8.2"),
    ("luyi-2019", "proactive_class_set_by", 3, "rule provider steering_group"),
    ("yichuan-2020", "base_libraries", 4, "natural_person legal_person geography electronic_licence"),
    ("yichuan-2020", "base_items_locked_unconditional", 4, "natural_person"),
    ("yichuan-2020", "catalogue_required_fields", 6, "security_level"),
    ("yichuan-2020", "legal_basis_kinds", 3, "law administrative_regulation central_policy"),
    ("yichuan-2020", "identifiers", 2, "id_document_number uscc"),
    ("yichuan-2020", "exchange_modes", 1, "interface"),
    ("yichuan-2020", "document_equals_original", 3, "licence"),
    ("yichuan-2020", "prohibited", 12, "late_catalogue_check_or_opening"),
    ("yichuan-2020", "by_reference_organisations", 14, "courts power_supply"),
    ("yichuan-2020", "excluded", 2, "state_secrets"),
    ("city-template", "base_libraries", 5, "real_estate"),
    ("city-template", "base_items_locked_unconditional", 4, "population legal_person geography electronic_licence"),
    ("city-template", "themes", 13, "stability"),
    ("city-template", "class_grounds", 3, "privacy business_secret sensitive_joint_management"),
    ("city-template", "use_purposes", 4, "administrative_basis work_reference data_check business_collaboration"),
    ("city-template", "exchange_modes", 4, "system_docking front_end_machine online_query batch_download"),
    ("city-template", "identifiers", 4, "id_document uscc business_licence coordinates_or_city_code"),
    ("city-template", "update_frequencies", 4, "realtime daily weekly monthly"),
    ("city-template", "open_classes", 3, "open_unconditional open_on_application not_open"),
    ("city-template", "credit_domains", 7, "traffic"),
    ("yanjin-2019", "base_libraries", 5, "social_credit"),
    ("yanjin-2019", "base_items_locked_unconditional", 5, "social_credit"),
    ("yanjin-2019", "themes", 10, "community_governance"),
    ("yanjin-2019", "catalogue_required_fields", 8, "sharing_mode"),
    ("yanjin-2019", "legal_basis_kinds", 3, "central_policy"),
    ("yanjin-2019", "use_purposes", 4, "data_check"),
    ("yanjin-2019", "update_frequencies", 1, "realtime"),
    ("pingdingshan-2020", "file_formats", 10, "wps doc xml txt docx html ppt et xls csv"),
    ("pingdingshan-2020", "contacts_published", 3, "authorising_staff"),
    ("pingdingshan-2020", "references", 4, "国办发〔2018〕45号"),
    ("pingdingshan-2020", "may_be_extended_by", 2, "departments districts"),
];

/// Spec: LY-3.1, LY-3.2, LY-3.3, YC-25.2, YC-44, TP-9a, TP-9b, TP-14, TP-16, YJ-3.1.4, YJ-3.1.5.
#[test]
fn every_list_is_there_with_all_its_items() {
    for (id, list, count, codes) in LISTS {
        let pack = regulation(id);
        let list = pack
            .list(list)
            .unwrap_or_else(|| panic!("{id} lacks the list {list}"));
        assert_eq!(list.items.len(), *count, "{id} {}", list.id);
        for code in codes.split(' ') {
            assert!(
                list.items.iter().any(|item| item.code == code),
                "{id} {}: {code}",
                list.id
            );
        }
    }
    let item = |pack: &str, list: &str, code: &str| {
        regulation(pack)
            .list(list)
            .unwrap()
            .items
            .iter()
            .find(|item| item.code == code)
            .cloned()
            .unwrap()
    };
    assert_eq!(
        item("city-template", "identifiers", "business_licence").order,
        Some(2)
    );
    let weekly: Vec<String> = item("city-template", "update_frequencies", "weekly")
        .notify
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(weekly, ["collector", "subscribers"]);
    let built_by_the_authority = regulation("yanjin-2019")
        .list("base_libraries")
        .unwrap()
        .items
        .iter()
        .filter(|item| item.marks.get("builder") == Some(&"authority".into()))
        .count();
    assert_eq!(
        built_by_the_authority, 3,
        "and two by their lead departments"
    );
}

/// Pack, duty, role, addressee, due, clause.
#[rustfmt::skip]
const PERIODIC: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("luyi-2019", "security_usage_report", "all_units", "authority", "periodic", "LY-19"),
    ("luyi-2019", "publish_data_item_table", "provider", "", "periodic", "LY-8.1"),
    ("yichuan-2020", "annual_report", "all_units", "authority", "1-31", "YC-39"),
    ("yichuan-2020", "annual_evaluation", "authority", "", "12mo", "YC-38"),
    ("yichuan-2020", "government_assessment", "government", "", "periodic", "YC-37"),
    ("yichuan-2020", "risk_assessment", "all_units", "", "periodic", "YC-35"),
    ("yichuan-2020", "emergency_drill", "all_units", "", "periodic", "YC-36"),
    ("yanjin-2019", "annual_report", "all_units", "authority", "1-5", "YJ-4.2.3"),
    ("yanjin-2019", "annual_evaluation", "authority", "", "12mo", "YJ-4.2.3"),
    ("pingdingshan-2020", "usage_statistics", "platform", "", "periodic", "PDS-22.1"),
];

/// Spec: LY-8.1, LY-19, YC-35, YC-37, YC-38, YC-39, YJ-4.2.3, PDS-22.1.
#[test]
fn what_comes_round_is_there_and_nothing_else() {
    let mut found = Vec::new();
    for (id, _) in REGULATIONS {
        for duty in &regulation(id).periodic {
            found.push((
                (*id).to_owned(),
                duty.id.clone(),
                duty.role.to_string(),
                duty.addressee
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                limit_words(duty.due),
                duty.due_clause.to_string(),
            ));
        }
    }
    let expected: Vec<_> = PERIODIC
        .iter()
        .map(|(pack, id, role, to, due, clause)| {
            let text = |text: &str| text.to_owned();
            (
                text(pack),
                text(id),
                text(role),
                text(to),
                text(due),
                text(clause),
            )
        })
        .collect();
    assert_eq!(found, expected);
}

/// Pack, facts, who decides, clause.
#[rustfmt::skip]
const DECIDERS: &[(&str, &str, &str, &str)] = &[
    ("luyi-2019", "class=proactive", "requester_self_service", "LY-10.1"),
    ("luyi-2019", "class=on_application", "provider", "LY-11"),
    ("luyi-2019", "class=on_application agreement=true", "parties_by_filed_agreement", "LY-12"),
    ("yichuan-2020", "class=unconditional", "platform", "YC-29.1"),
    ("yichuan-2020", "class=conditional", "provider", "YC-29.2"),
    ("yichuan-2020", "class=not_shared", "nobody_not_offered", "YC-24"),
    ("city-template", "class=unconditional", "requester_self_service", "TP-17"),
    ("city-template", "class=conditional conditions_met=true", "authority", "TP-18"),
    ("city-template", "class=conditional conditions_met=false", "authority_then_provider_consult", "TP-18"),
    ("city-template", "class=special designated_recipient=true", "authority", "TP-19"),
    ("city-template", "class=special", "nobody_not_offered", "TP-19"),
    ("yanjin-2019", "class=unconditional mode=interface param_control=true", "provider", "YJ-3.1.1c"),
    ("yanjin-2019", "class=unconditional mode=table param_control=true", "requester_self_service", "YJ-3.2.2"),
    ("yanjin-2019", "class=unconditional mode=interface", "requester_self_service", "YJ-3.2.2"),
    ("yanjin-2019", "class=conditional mode=interface", "provider", "YJ-3.2.2"),
    ("yanjin-2019", "class=not_shared mode=file", "nobody_not_offered", "YJ-3.1.3a"),
];

/// Spec: LY-10.1, LY-11, LY-12, YC-24, YC-29.1, YC-29.2, TP-17, TP-18, TP-19, YJ-3.1.1c, YJ-3.2.2.
#[test]
fn class_mode_and_flags_name_the_decider_in_every_pack() {
    for (id, given, decides, clause) in DECIDERS {
        let given: Facts = given
            .split(' ')
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                let value = match value {
                    "true" => true.into(),
                    "false" => false.into(),
                    code => code.into(),
                };
                (name.to_owned(), value)
            })
            .collect();
        let pack = regulation(id);
        let decider = pack.decider(&given).unwrap();
        assert_eq!(
            (decider.decides.code(), decider.clause.as_str()),
            (*decides, *clause),
            "{id} {given:?}"
        );
    }
}

/// Spec: LY-2, LY-24, YC-2, YC-46, TP-2, YJ-2.1, YJ-2.3, LY-17.1.
#[test]
fn every_pack_says_whose_it_is_where_it_holds_and_who_acts() {
    let expected = [
        ("luyi-2019", "鹿政数〔2019〕2号", "411628"),
        ("yichuan-2020", "伊政数〔2020〕9号", "410329"),
        ("city-template", "", ""),
        ("yanjin-2019", "延“放管服”办〔2019〕6号", "410726"),
        ("pingdingshan-2020", "平政务和大数据〔2020〕9号", "410400"),
    ];
    for (id, number, division) in expected {
        let meta = regulation(id).meta;
        assert_eq!(meta.id.as_str(), id);
        assert_eq!(meta.number.unwrap_or_default(), number);
        assert_eq!(meta.jurisdiction.division.unwrap_or_default(), division);
        assert_eq!(meta.template, number.is_empty());
        assert_eq!(meta.successor, None, "left to an administrator");
    }
    let body = |id: &str, role: &str| {
        regulation(id)
            .role(&RoleId::parse(role).unwrap())
            .unwrap()
            .body
            .clone()
            .unwrap_or_default()
    };
    assert_eq!(body("luyi-2019", "authority"), "鹿邑县大数据局");
    assert_eq!(
        body("luyi-2019", "platform"),
        body("luyi-2019", "authority"),
        "one body in two roles"
    );
    assert_eq!(
        body("luyi-2019", "steering_group"),
        "社会服务管理信息化建设小组"
    );
    assert_eq!(body("luyi-2019", "supervision"), "县监察部门");
    assert_eq!(
        body("yichuan-2020", "authority"),
        "伊川县政务服务和大数据管理局"
    );
    assert_eq!(body("city-template", "collector"), "市政务服务管理部门");
    assert_eq!(body("city-template", "legal_review"), "法制审核部门");
    assert_ne!(
        body("city-template", "collector"),
        body("city-template", "authority")
    );
    assert_eq!(
        body("yanjin-2019", "authority"),
        "延津县政务服务和大数据管理局"
    );
    assert_eq!(body("yanjin-2019", "platform"), "新乡太极公司");
}

/// Spec: YC-46, LY-24, TP-27.
#[test]
fn yichuan_ended_after_two_years_and_the_template_was_never_in_force() {
    let yichuan = regulation("yichuan-2020");
    assert_eq!(yichuan.in_force_on(day("2020-10-11")), Standing::NotInForce);
    assert_eq!(yichuan.in_force_on(day("2020-10-12")), Standing::InForce);
    assert_eq!(yichuan.in_force_on(day("2022-10-12")), Standing::InForce);
    let ended = Standing::Ended {
        last_day: day("2022-10-12"),
    };
    assert_eq!(yichuan.in_force_on(day("2022-10-13")), ended);
    assert!(yichuan.meta.last_day_is_reading);
    let template = regulation("city-template");
    assert_eq!(
        template.in_force_on(day("2026-06-01")),
        Standing::NotInForce
    );
    let luyi = regulation("luyi-2019");
    assert_eq!((luyi.meta.first_day, luyi.meta.last_day), (None, None));
    assert_eq!(luyi.in_force_on(day("2026-06-01")), Standing::InForce);
}

/// Spec: YC-24, YC-25.1, TP-8a, TP-8b, YJ-3.1.3a, YJ-3.1.3b, LY-10.1.
#[test]
fn the_classes_ask_for_what_the_regulation_asks_for() {
    let classes = |id: &str| -> Vec<(String, bool, bool, bool)> {
        regulation(id)
            .sharing_classes
            .iter()
            .map(|class| {
                (
                    class.code.clone(),
                    class.needs_condition,
                    class.needs_legal_basis,
                    class.needs_recipients,
                )
            })
            .collect()
    };
    let class =
        |code: &str, condition, basis, recipients| (code.to_owned(), condition, basis, recipients);
    assert_eq!(
        classes("luyi-2019"),
        [
            class("proactive", false, false, false),
            class("on_application", false, false, false)
        ]
    );
    assert_eq!(
        classes("yichuan-2020"),
        [
            class("unconditional", false, false, false),
            class("conditional", false, true, false),
            class("not_shared", false, true, false)
        ]
    );
    assert_eq!(
        classes("city-template"),
        [
            class("unconditional", false, false, false),
            class("conditional", true, false, false),
            class("special", false, true, true)
        ]
    );
    assert_eq!(
        classes("yanjin-2019"),
        [
            class("unconditional", false, false, false),
            class("conditional", true, false, false),
            class("not_shared", false, true, false)
        ],
        "unlike in Yichuan, conditional needs no basis in law"
    );
}

/// All that a pack names and the portal shows.
fn names(pack: &Pack) -> Vec<&dyn Named> {
    fn each<'a, N: Named + 'a>(all: impl IntoIterator<Item = &'a N>) -> Vec<&'a dyn Named> {
        all.into_iter().map(|one| one as &dyn Named).collect()
    }
    let steps = || pack.processes.iter().flat_map(|process| &process.steps);
    // What the engine settles by itself stands in no pack; the portal has words for it.
    let stated = pack.facts.iter().filter(|fact| fact.name != fact.id);
    // An entry that is only the number of a document has no name in any language.
    let items = pack.lists.iter().flat_map(|list| &list.items);
    let items = items.filter(|item| item.name != item.code);
    [
        vec![&pack.meta as &dyn Named],
        each(&pack.roles),
        each(stated),
        each(pack.sharing_classes()),
        each(pack.exchange_modes()),
        each(&pack.barred_grounds),
        each(&pack.periodic),
        each(&pack.lists),
        each(items),
        each(&pack.processes),
        each(steps()),
        each(steps().flat_map(|step| &step.grounds)),
        each(steps().flat_map(|step| &step.exceptions)),
        each(steps().filter_map(|step| step.form.as_ref())),
    ]
    .concat()
}

#[test]
fn everything_that_a_built_in_pack_names_has_an_english_name() {
    let is_english =
        |text: &str| !text.trim().is_empty() && text.chars().all(|sign| sign < '\u{2e80}');
    for (id, _) in REGULATIONS {
        let pack = regulation(id);
        let names = names(&pack);
        assert!(names.len() > 90, "{id} names {} things", names.len());
        for named in names {
            assert!(
                is_english(named.name_en()),
                "{id}: {} has no English name",
                named.name()
            );
        }
    }
}

/// A pack that was taken into use before such names were asked for still loads.
#[test]
fn a_ground_without_an_english_name_keeps_its_chinese_one() {
    let old = PINGDINGSHAN_2020.replace(r#"name_en = "Security risk", "#, "");
    assert_ne!(old, PINGDINGSHAN_2020);
    let pack = Pack::load(&old, "old.toml").unwrap_or_else(|faults| panic!("{faults}"));
    let mut steps = pack.processes.iter().flat_map(|process| &process.steps);
    let ground = steps
        .find_map(|step| step.grounds.iter().find(|it| it.code == "security_risk"))
        .unwrap();
    assert_eq!(ground.name_en, "存在安全风险");
}
