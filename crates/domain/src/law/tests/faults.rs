//! One test per fault: a sound pack with one thing broken.

use super::*;

/// The faults of the invented pack after one replacement, as `code @ text of the reported line`.
fn broken(find: &str, replace: &str) -> Vec<(String, String)> {
    broken_pack(INVENTED, find, replace)
}

fn broken_pack(source: &str, find: &str, replace: &str) -> Vec<(String, String)> {
    assert!(source.contains(find), "the fixture has no {find}");
    let source = source.replacen(find, replace, 1);
    let faults = Pack::load(&source, "broken.toml").expect_err("the pack should be refused");
    faults
        .faults
        .iter()
        .map(|fault| {
            assert!(!fault.what.is_empty() && !fault.advice.is_empty());
            let line = usize::try_from(fault.line).unwrap();
            let text = source.lines().nth(line - 1).unwrap_or_default();
            (fault.code().to_owned(), text.trim().to_owned())
        })
        .collect()
}

const STEP: &str = "[[process.step]]";
const STEP_DECIDE: &str = STEP;

/// Exactly one fault, of this code, reported at the line with this text.
fn check(find: &str, replace: &str, code: &str, line: &str) {
    assert_eq!(broken(find, replace), [(code.to_owned(), line.to_owned())]);
}

#[test]
fn toml_that_is_none() {
    check(
        "schema = 1",
        "schema = = 1",
        "law.unreadable",
        "schema = = 1",
    );
}

#[test]
fn another_schema_version() {
    check("schema = 1", "schema = 2", "law.wrong_schema", "schema = 2");
    let faults = broken("schema = 1\n", "");
    assert_eq!(faults[0].0, "law.wrong_schema");
}

#[test]
fn an_unknown_key_with_the_one_that_was_meant() {
    check(
        "action = \"urge\"",
        "action = \"urge\"\ndeadlin = { working_days = 1 }",
        "law.unknown_key",
        "deadlin = { working_days = 1 }",
    );
    let source = INVENTED.replacen("action = \"urge\"", "action = \"urge\"\ndeadlin = 1", 1);
    let faults = Pack::load(&source, "broken.toml").unwrap_err();
    assert_eq!(faults.faults[0].advice, "did you mean deadline?");
    check(
        "name = \"禁止行为\"",
        "name = \"禁止行为\"\ncolour = 1",
        "law.unknown_key",
        "colour = 1",
    );
}

#[test]
fn something_is_missing() {
    check("title = \"虚构办法\"\n", "", "law.missing_key", "[pack]");
    check(
        "name = \"督促\"",
        "name = \" \"",
        "law.missing_key",
        "name = \" \"",
    );
    check(
        "topics = [\"agreement_filing\"]\n",
        "",
        "law.missing_key",
        "[[process]]",
    );
    let faults = broken_pack(PINGDINGSHAN_2020, "date = 2022-01-13\n", "");
    assert_eq!(
        faults,
        [(
            "law.missing_key".to_owned(),
            "[[pack.forwarded]]".to_owned()
        )]
    );
}

#[test]
fn a_value_of_the_wrong_type() {
    check(
        "title = \"虚构办法\"",
        "title = 7",
        "law.wrong_type",
        "title = 7",
    );
    check(
        "kind = \"duty\"",
        "kind = true",
        "law.wrong_type",
        "kind = true",
    );
}

#[test]
fn an_unknown_word() {
    check(
        "action = \"urge\"",
        "action = \"urg\"",
        "law.unknown_word",
        "action = \"urg\"",
    );
    check(
        "kind = \"duty\"",
        "kind = \"dutey\"",
        "law.unknown_word",
        "kind = \"dutey\"",
    );
    check(
        "posts = [\"authority\"]",
        "posts = [\"authority\", \"king\"]",
        "law.unknown_word",
        "posts = [\"authority\", \"king\"]",
    );
    check(
        "held_by = \"outside\"",
        "held_by = \"nobody\"",
        "law.unknown_word",
        "held_by = \"nobody\"",
    );
    check(
        "reason = { when = \"always\"",
        "reason = { when = \"never\"",
        "law.unknown_word",
        "reason = { when = \"never\", clause = \"XY-3\" }",
    );
}

#[test]
fn an_unknown_event() {
    check(
        "done_by = \"provider_urged\"",
        "done_by = \"provider_urgd\"",
        "law.unknown_event",
        "done_by = \"provider_urgd\"",
    );
    // A word of the language, but nothing in this process brings it about.
    check(
        "opens_on = \"application_received\"",
        "opens_on = \"application_forwarded\"",
        "law.unknown_event",
        STEP_DECIDE,
    );
    check(
        "from = \"application_received\"",
        "from = \"application_accepted\"",
        "law.unknown_event",
        STEP_DECIDE,
    );
}

#[test]
fn an_identifier_that_is_none() {
    check(
        "id = \"invented-1\"",
        "id = \"Invented 1\"",
        "law.bad_id",
        "id = \"Invented 1\"",
    );
    check(
        "clause = \"XY-3\"\n\n[[process.step]]",
        "clause = \"XY 3\"\n\n[[process.step]]",
        "law.bad_id",
        "clause = \"XY 3\"",
    );
    check(
        "\"XY-3\" = {",
        "\"article three\" = { place = \"三\", gist = \"三\" }\n\"XY-3\" = {",
        "law.bad_id",
        "\"article three\" = { place = \"三\", gist = \"三\" }",
    );
}

#[test]
fn the_same_thing_twice() {
    check(
        "id = \"keep_serving\"",
        "id = \"check\"",
        "law.duplicate",
        STEP,
    );
    check(
        "id = \"agreement\"",
        "id = \"correction\"",
        "law.duplicate",
        "[[process]]",
    );
    let role = "[[role]]\nid = \"citizen\"\nname = \"甲\"\nname_en = \"A\"\nheld_by = \"outside\"\nclause = \"XY-2\"\n";
    let twice = broken("[[fact]]", &format!("{role}\n[[fact]]"));
    assert_eq!(twice, [("law.duplicate".to_owned(), "[[role]]".to_owned())]);
}

#[test]
fn a_missing_clause() {
    check(
        "action = \"urge\"\nopens_on = \"correction_done\"\nwhen = { technical_cause = false }\ndone_by = \"provider_urged\"\nclause = \"XY-2\"",
        "action = \"urge\"\nopens_on = \"correction_done\"\nwhen = { technical_cause = false }\ndone_by = \"provider_urged\"",
        "law.missing_clause",
        STEP,
    );
    check(
        ", to = \"correction_done\", clause = \"XY-2\" }",
        ", to = \"correction_done\" }",
        "law.missing_clause",
        "deadline = { working_days = 10, from = \"correction_received\", to = \"correction_done\" }",
    );
}

#[test]
fn a_clause_that_is_not_listed() {
    check(
        "extends = { step = \"check\", working_days_max = 10, clause = \"XY-2\" }",
        "extends = { step = \"check\", working_days_max = 10, clause = \"XY-22\" }",
        "law.unknown_clause",
        "extends = { step = \"check\", working_days_max = 10, clause = \"XY-22\" }",
    );
    let foreign = broken(
        "\"XY-3\" = {",
        "\"ZZ-3\" = { place = \"三\", gist = \"三\" }\n\"XY-3\" = {",
    );
    assert_eq!(foreign[0].0, "law.unknown_clause");
}

#[test]
fn a_limit_that_cannot_be() {
    let line = |limit: &str| {
        format!(
            "deadline = {{ {limit}, from = \"correction_received\", to = \"correction_done\", clause = \"XY-2\" }}"
        )
    };
    let tenth = "deadline = { working_days = 10, from = \"correction_received\", to = \"correction_done\", clause = \"XY-2\" }";
    for limit in [
        "working_days = 0",
        "working_days = -3",
        "working_days = 100000",
        "months = 0",
        "working_days = 3, months = 1",
        "note_only = 1",
    ] {
        let faults = broken(tenth, &line(limit));
        assert_eq!(
            (faults[0].0.as_str(), faults[0].1.as_str()),
            ("law.bad_limit", line(limit).as_str()),
            "{limit}"
        );
    }
    assert_eq!(
        broken("working_days_max = 10", "working_days_max = 0")[0].0,
        "law.bad_limit"
    );
}

#[test]
fn a_limit_without_a_start() {
    let faults = broken(
        "deadline = { months = 1, from = \"application_received\",",
        "deadline = { months = 1,",
    );
    assert_eq!(
        faults,
        [(
            "law.missing_key".to_owned(),
            "deadline = { months = 1, to = \"decided\", clause = \"XY-3\" }".to_owned()
        )]
    );
}

#[test]
fn an_invalid_date() {
    check(
        "last_day = 2027-12-31",
        "last_day = \"2027-02-30\"",
        "law.bad_date",
        "validity = { first_day = 2026-01-01, last_day = \"2027-02-30\", clause = \"XY-1\" }",
    );
    check(
        "last_day = 2027-12-31",
        "last_day = 2025-12-31",
        "law.bad_date",
        "validity = { first_day = 2026-01-01, last_day = 2025-12-31, clause = \"XY-1\" }",
    );
    check(
        "due = { month = 1, day = 31,",
        "due = { month = 13, day = 31,",
        "law.bad_date",
        "due = { month = 13, day = 31, clause = \"XY-3\" }",
    );
    check(
        "number = \"虚〔2026〕1号\"",
        "number = \"虚〔2026〕1号\"\nissued_year = 20260",
        "law.bad_date",
        "issued_year = 20260",
    );
    // Without quotes TOML itself may refuse it; either way it is reported with its line.
    let faults = broken("last_day = 2027-12-31", "last_day = 2027-02-30");
    assert!(
        faults
            .iter()
            .any(
                |(code, line)| ["law.bad_date", "law.unreadable"].contains(&code.as_str())
                    && line.contains("2027-02-30")
            ),
        "{faults:?}"
    );
}

#[test]
fn an_unknown_role() {
    check(
        "consent_of = \"provider_head\"",
        "consent_of = \"provider_heads\"",
        "law.unknown_role",
        STEP,
    );
    check(
        "role = \"authority\"\naction = \"urge\"",
        "role = \"autority\"\naction = \"urge\"",
        "law.unknown_role",
        STEP,
    );
    check(
        "addressee = \"authority\"\ndue",
        "addressee = \"nobody\"\ndue",
        "law.unknown_role",
        "[[periodic]]",
    );
}

#[test]
fn an_unknown_step() {
    check(
        "after = \"sign\"",
        "after = \"signature\"",
        "law.unknown_step",
        STEP,
    );
    check(
        "extends = { step = \"check\"",
        "extends = { step = \"urge\"",
        "law.unknown_step",
        STEP,
    );
}

#[test]
fn an_unknown_fact_or_value() {
    check(
        "when = { technical_cause = false }",
        "when = { technical_couse = false }",
        "law.unknown_fact",
        STEP,
    );
    check(
        "when = { technical_cause = false }",
        "when = { technical_cause = \"no\" }",
        "law.unknown_fact",
        STEP,
    );
    check(
        "establishes = [\"technical_cause\"]",
        "establishes = [\"technical_cause\", \"serious\"]",
        "law.unknown_fact",
        STEP,
    );
    check(
        "from = \"step\"",
        "from = \"step\"\ndefault = \"maybe\"",
        "law.unknown_fact",
        "default = \"maybe\"",
    );
    let nobody_knows = broken("id = \"technical_cause\"\n", "id = \"weather\"\n");
    assert!(
        nobody_knows
            .iter()
            .all(|(code, _)| code == "law.unknown_fact"),
        "{nobody_knows:?}"
    );
    let untold = broken(
        "[[fact]]",
        "[[fact]]\nid = \"weather\"\nname = \"天气\"\nname_en = \"Weather\"\nfrom = \"platform\"\n\n[[fact]]",
    );
    assert_eq!(
        untold,
        [("law.unknown_fact".to_owned(), "[[fact]]".to_owned())]
    );
}

#[test]
fn steps_that_wait_for_each_other() {
    let faults = broken("after = \"decide\"", "after = [\"decide\", \"file\"]");
    assert_eq!(
        faults
            .iter()
            .map(|(code, _)| code.as_str())
            .collect::<Vec<_>>(),
        ["law.cycle", "law.cycle"]
    );
    assert_eq!(
        broken(
            "opens_on = \"correction_done\"",
            "opens_on = \"provider_urged\""
        )[0]
        .0,
        "law.cycle"
    );
    assert_eq!(
        broken("after = \"sign\"", "after = \"file\"")[0].0,
        "law.cycle"
    );
}

#[test]
fn a_step_that_can_never_open() {
    let waiting_for_the_stuck = broken(
        "opens_on = \"correction_done\"",
        "opens_on = \"grant_expired\"",
    );
    assert!(
        waiting_for_the_stuck
            .iter()
            .all(|(code, _)| code == "law.unreachable"),
        "{waiting_for_the_stuck:?}"
    );
    // A step behind a circle, itself not part of it.
    let behind = broken("after = \"decide\"", "after = [\"decide\", \"sign\"]");
    assert_eq!(
        behind
            .iter()
            .map(|(code, _)| code.as_str())
            .collect::<Vec<_>>(),
        ["law.cycle", "law.unreachable"]
    );
}

#[test]
fn a_step_that_nobody_can_take() {
    check(
        "posts = [\"authority\"]",
        "posts = []",
        "law.nobody_can_act",
        STEP,
    );
    let faults = broken("posts = [\"head\"]", "posts = []");
    assert_eq!(faults, [("law.nobody_can_act".to_owned(), STEP.to_owned())]);
}

const DECIDERS: &str = "[[list]]\nid = \"prohibited\"";

fn with_deciders(deciders: &str) -> Vec<(String, String)> {
    let facts = r#"
[[fact]]
id = "class"
name = "共享类型"
name_en = "Class"
from = "platform"
values = ["open", "closed"]

[[fact]]
id = "pooled"
name = "已归集"
name_en = "Pooled"
from = "platform"

[[sharing_class]]
code = "open"
name = "开"
name_en = "Open"
clause = "XY-1"

[[sharing_class]]
code = "closed"
name = "闭"
name_en = "Closed"
clause = "XY-1"
"#;
    broken(DECIDERS, &format!("{facts}\n{deciders}\n{DECIDERS}"))
}

#[test]
fn two_overlapping_deciders() {
    let same = with_deciders(
        "[[decider]]\nwhen = { class = \"open\" }\ndecides = \"platform\"\nclause = \"XY-1\"\n[[decider]]\nwhen = { class = \"open\" }\ndecides = \"provider\"\nclause = \"XY-1\"",
    );
    let codes: Vec<&str> = same.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["law.overlapping_deciders", "law.never_wins"]);
    let crossing = with_deciders(
        "[[decider]]\nwhen = { class = \"open\" }\ndecides = \"platform\"\nclause = \"XY-1\"\n[[decider]]\nwhen = { pooled = true }\ndecides = \"provider\"\nclause = \"XY-1\"",
    );
    assert_eq!(
        crossing,
        [(
            "law.overlapping_deciders".to_owned(),
            "[[decider]]".to_owned()
        )]
    );
}

#[test]
fn a_decider_that_never_wins() {
    let shadowed = with_deciders(
        "[[decider]]\nwhen = { class = [\"open\", \"closed\"] }\ndecides = \"platform\"\nprevails = true\nclause = \"XY-1\"\n[[decider]]\nwhen = { pooled = true }\ndecides = \"provider\"\nclause = \"XY-1\"",
    );
    assert_eq!(
        shadowed,
        [("law.never_wins".to_owned(), "[[decider]]".to_owned())]
    );
}

#[test]
fn two_processes_for_one_topic() {
    check(
        "topics = [\"agreement_filing\"]",
        "topics = [\"correction_by_citizen\"]",
        "law.overlapping_processes",
        "[[process]]",
    );
}

#[test]
fn contradictions() {
    let contradiction = |find: &str, replace: &str| {
        let faults = broken(find, replace);
        assert_eq!(
            faults.first().map(|(code, _)| code.as_str()),
            Some("law.contradiction"),
            "{replace}: {faults:?}"
        );
    };
    contradiction(
        "reason = { when = \"always\"",
        "reason = { when = \"on_nonacceptance\"",
    );
    contradiction(
        "done_by = \"provider_urged\"",
        "then = { refused = \"provider_urged\" }",
    );
    contradiction("to = \"decided\"", "to = \"answered\"");
    contradiction(
        "action = \"urge\"",
        "action = \"urge\"\non_overdue = { opens = \"agreement\", clause = \"XY-2\" }",
    );
    contradiction(
        "on_overdue = { finding = \"late_check\",",
        "on_overdue = { opens = \"agreement\", finding = \"late_check\",",
    );
    contradiction(
        "action = \"urge\"",
        "action = \"urge\"\npause = { clause = \"XY-2\" }",
    );
    contradiction("action = \"urge\"", "action = \"urge\"\nrepeats = true");
    contradiction(
        "action = \"urge\"",
        "action = \"decide\"\nkind = \"automatic\"",
    );
    contradiction(
        "topics = [\"agreement_filing\"]",
        "topics = [\"agreement_filing\"]\nstarts_on = \"decided\"",
    );
    contradiction(
        "topics = [\"agreement_filing\"]",
        "topics = [\"agreement_filing\"]\nopened_by = \"requester\"",
    );
    contradiction(
        "name_en = \"Propose\"",
        "name_en = \"Propose\"\nopens_on = \"decided\"",
    );
    contradiction(
        "name_en = \"Principal head\"",
        "name_en = \"Principal head\"\nbody = \"某局\"",
    );
}

#[test]
fn a_consequence_that_is_not_there() {
    check(
        "finding = \"late_check\"",
        "finding = \"late_chek\"",
        "law.unknown_word",
        STEP,
    );
    check(
        "on_overdue = { finding = \"late_check\"",
        "on_overdue = { opens = \"rectification\"",
        "law.unknown_step",
        STEP,
    );
}

#[test]
fn a_class_that_is_not_declared() {
    let source = PINGDINGSHAN_2020;
    let faults = broken_pack(
        source,
        "values = [\"unconditional\", \"conditional\"]",
        "values = [\"unconditional\", \"conditional\", \"secret\"]",
    );
    assert_eq!(
        faults,
        [("law.unknown_fact".to_owned(), "[[fact]]".to_owned())]
    );
}

#[test]
fn all_faults_come_at_once_in_the_order_of_the_lines() {
    let source = INVENTED
        .replacen("title = \"虚构办法\"\n", "", 1)
        .replacen("action = \"sign\"", "action = \"sgin\"", 1)
        .replacen("working_days = 10,", "working_days = 0,", 1)
        .replacen("consent_of = \"provider_head\"", "consent_of = \"king\"", 1)
        .replacen("name = \"年度报告\"", "nam = \"年度报告\"", 1);
    let faults = Pack::load(&source, "many.toml").unwrap_err();
    let codes: Vec<&str> = faults.faults.iter().map(PackFault::code).collect();
    assert!(faults.faults.is_sorted_by_key(|fault| fault.line));
    for code in [
        "law.missing_key",
        "law.bad_limit",
        "law.unknown_role",
        "law.unknown_word",
        "law.unknown_key",
    ] {
        assert!(codes.contains(&code), "{code} not in {codes:?}");
    }
    insta::assert_snapshot!(faults.to_string());
}

#[test]
fn ceilings_have_their_faults_too() {
    let source = "schema = 1\n[[ceiling]]\nid = \"x\"\ntopics = [\"t\"]\naction = \"decide\"\nworking_days = 0\nfrom = \"decided\"\nclauze = \"GL-1\"\n";
    let faults = Ceilings::load(source, "ceilings.toml", Unconfirmed::Leave).unwrap_err();
    let codes: Vec<&str> = faults.faults.iter().map(PackFault::code).collect();
    assert_eq!(
        codes,
        ["law.missing_clause", "law.bad_limit", "law.unknown_key"]
    );
}

#[test]
fn rubbish_never_panics() {
    for source in [
        "",
        "\u{0}",
        "[pack]\npack = 1",
        "[[pack]]\n",
        "process = 3",
        "[[process]]\nstep = 1\n[clauses]\nx = 1",
        "schema = 1\n[pack.jurisdiction]\n[[process]]\n[[process.step]]\n[[decider]]\n[[role]]\n[[fact]]\n[[list]]\n[[periodic]]\n",
    ] {
        assert!(Pack::load(source, "rubbish.toml").is_err());
    }
}

#[test]
fn no_pack_at_all() {
    let faults = Pack::load("schema = 1\n", "empty.toml").unwrap_err();
    assert_eq!(faults.faults[0].code(), "law.missing_key");
    assert!(
        faults
            .to_string()
            .starts_with("1 fault(s) in empty.toml\nempty.toml:1: ")
    );
}

/// What a bad pack is refused for: the code, the text of the line, and that file, line and advice are named.
#[test]
fn each_bad_pack_is_reported_with_file_line_and_advice() {
    let bad = [
        ("law.cycle", "after = \"sign\"", "after = \"file\""),
        (
            "law.unknown_event",
            "done_by = \"provider_urged\"",
            "done_by = \"provider_urgd\"",
        ),
        ("law.bad_limit", "working_days = 10,", "working_days = 0,"),
        (
            "law.missing_clause",
            ", to = \"correction_done\", clause = \"XY-2\" }",
            ", to = \"correction_done\" }",
        ),
        (
            "law.bad_date",
            "last_day = 2027-12-31",
            "last_day = 2025-12-31",
        ),
    ];
    for (code, find, replace) in bad {
        let source = INVENTED.replacen(find, replace, 1);
        let faults = Pack::load(&source, "county.toml").expect_err(code);
        let fault = faults
            .faults
            .iter()
            .find(|fault| fault.code() == code)
            .unwrap_or_else(|| panic!("{code} not in {faults}"));
        let line = usize::try_from(fault.line).unwrap();
        let near: Vec<&str> = source.lines().skip(line - 1).take(20).collect();
        assert!(
            near.join("\n").contains(replace),
            "{code}: line {line} is far from it"
        );
        assert!(fault.advice.len() > 5);
        let told = faults.to_string();
        assert!(told.contains(&format!("county.toml:{line}: ")), "{told}");
        assert!(told.contains(&fault.advice), "{told}");
    }
    let overlapping = YANJIN_2019.replacen(
        "[[decider]]\nwhen = { class = \"conditional\" }",
        "[[decider]]\nwhen = { class = \"conditional\" }\ndecides = \"platform\"\nclause = \"YJ-3.2.2\"\n\n[[decider]]\nwhen = { class = \"conditional\", mode = \"table\" }",
        1,
    );
    let faults = Pack::load(&overlapping, "county.toml").unwrap_err();
    let fault = &faults.faults[0];
    assert_eq!(fault.code(), "law.overlapping_deciders");
    assert!(fault.what.contains("line "), "both lines are named");
    let told = faults.to_string();
    assert!(
        told.contains(&format!("county.toml:{}: ", fault.line)),
        "{told}"
    );
}

/// The faults of Luyi's rules after one replacement.
fn broken_luyi(find: &str, replace: &str) -> Vec<String> {
    broken_pack(LUYI_2019, find, replace)
        .into_iter()
        .map(|(code, _)| code)
        .collect()
}

#[test]
fn an_order_sets_the_date_of_a_step_that_waits_for_one() {
    for other in ["circular", "order", "nothing"] {
        let codes = broken_luyi(
            "sets_due_of = \"correct\"",
            &format!("sets_due_of = \"{other}\""),
        );
        assert_eq!(codes, ["law.unknown_step"], "{other}");
    }
}

#[test]
fn a_role_that_nobody_declared_is_found_wherever_it_stands() {
    assert_eq!(
        broken_luyi("also = [\"provider\"]", "also = [\"provder\"]"),
        ["law.unknown_role"]
    );
    for (find, replace) in [
        ("decided_by = \"government\"", "decided_by = \"goverment\""),
        (
            "notify = [\"collector\", \"subscribers\"] },\n  { code = \"weekly\"",
            "notify = [\"colector\"] },\n  { code = \"weekly\"",
        ),
    ] {
        let codes: Vec<String> = broken_pack(CITY_TEMPLATE, find, replace)
            .into_iter()
            .map(|(code, _)| code)
            .collect();
        assert_eq!(codes, ["law.unknown_role"], "{replace}");
    }
    let entrusted = broken_pack(
        YICHUAN_2020,
        "with = [\"third_party_assessor\"]",
        "with = [\"third_party_assesor\"]",
    );
    assert_eq!(entrusted[0].0, "law.unknown_role");
}

#[test]
fn a_further_role_needs_posts_too() {
    assert_eq!(
        broken_luyi("also = [\"provider\"]", "also = [\"supervision\"]"),
        ["law.nobody_can_act"]
    );
}

#[test]
fn a_rank_is_a_number_from_one() {
    let faults = broken_pack(CITY_TEMPLATE, "order = 2", "order = 0");
    assert_eq!(faults[0].0, "law.bad_limit");
}

#[test]
fn an_approval_that_can_not_come() {
    let approval = |process: &str, until: &str| {
        let approval = format!(
            "[[approval]]\nact = \"publish\"\nprocess = \"{process}\"\nuntil = \"{until}\"\nclause = \"LY-4\"\n"
        );
        broken_luyi("[[decider]]", &format!("{approval}\n[[decider]]"))
    };
    assert_eq!(approval("nowhere", "decided"), ["law.unknown_step"]);
    assert_eq!(
        approval("external_release", "answered"),
        ["law.unknown_event"]
    );
}

#[test]
fn a_fact_that_no_case_can_show() {
    let shown = |by: &str| {
        broken_luyi(
            "shown_by = { process = \"agreement_filing\", event = \"filed\" }",
            by,
        )
    };
    assert_eq!(
        shown("shown_by = { process = \"nowhere\", event = \"filed\" }"),
        ["law.unknown_step"]
    );
    assert_eq!(
        shown("shown_by = { process = \"agreement_filing\", event = \"answered\" }"),
        ["law.unknown_event"]
    );
    assert_eq!(
        shown("from = \"form\"\nshown_by = { process = \"agreement_filing\", event = \"filed\" }")
            .len(),
        1,
        "given twice"
    );
    assert_eq!(shown(""), ["law.unknown_fact"], "nobody can tell it");
}
