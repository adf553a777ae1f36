//! Inheritance and forwarding: what a child says, what it gets, and whose line a fault is in.

use super::super::pack::Coverage;
use super::*;

const PARENT: &str = "pingdingshan-2020";

/// A district that changes one value.
const CHILD: &str = "schema = 1

[pack]
id = \"district-2026\"
inherits = \"pingdingshan-2020\"
prefix = \"QX\"
clause = \"QX-meta\"
jurisdiction = { name = \"某区\", level = \"county\", division = \"410402\", clause = \"QX-1\" }

[clauses]
\"QX-meta\" = { place = \"发文信息\", gist = \"实施细则\" }
\"QX-1\" = { place = \"第一条\", gist = \"适用于全区\" }
\"QX-2\" = { place = \"第二条\", gist = \"提供方四个工作日内审批\" }

[[process]]
id = \"table_file_subscription_city\"

[[process.step]]
id = \"decide\"
deadline = { working_days = 4, clause = \"QX-2\" }
";

fn files(texts: &[(&str, &str)]) -> PackFiles {
    let mut files = PackFiles::default();
    for (name, text) in texts {
        files.add(PackFile {
            name: (*name).to_owned(),
            text: (*text).to_owned(),
        });
    }
    files
}

fn all(texts: &[(&str, &str)]) -> Result<Vec<LoadedPack>, Vec<String>> {
    files(texts).load_all().map_err(|faulty| {
        let lines = faulty.iter().flat_map(PackFaults::lines);
        lines
            .map(|line| line.split(';').next().unwrap_or_default().to_owned())
            .collect()
    })
}

fn family(child: &str) -> Result<(Pack, Pack), Vec<String>> {
    let packs = all(&[("child.toml", child), ("parent.toml", PINGDINGSHAN_2020)])?;
    let find = |is_child: bool| {
        let found = packs
            .iter()
            .find(|loaded| loaded.pack.meta.inherits.is_some() == is_child);
        found.unwrap().pack.clone()
    };
    Ok((find(true), find(false)))
}

/// The faults of a child after one replacement: `file:line: what`.
fn broken(find: &str, replace: &str) -> Vec<String> {
    assert!(CHILD.contains(find), "the fixture has no {find}");
    family(&CHILD.replacen(find, replace, 1)).expect_err("the child should be refused")
}

fn line_of(text: &str, wanted: &str) -> usize {
    let at = text.lines().position(|line| line.contains(wanted));
    at.unwrap_or_else(|| panic!("no line {wanted}")) + 1
}

/// Spec: PDS-25.
#[test]
fn pds_25_a_district_pack_that_sets_one_value_gets_all_others_from_the_city() {
    let (child, parent) = family(CHILD).unwrap();
    assert_eq!(child.meta.id.as_str(), "district-2026");
    assert_eq!(
        child.meta.inherits.as_ref().map(PackId::as_str),
        Some(PARENT)
    );
    assert_eq!(child.meta.title, parent.meta.title);
    assert_eq!(child.covers("410402"), Some(Coverage::Own));
    assert_eq!(child.covers("410404"), None, "forwarding isn't inherited");
    assert_eq!(parent.covers("410402"), None);

    // The child with the one value set back is the parent, but for the names and the lines.
    let mut expected = parent.clone();
    let process = expected
        .processes
        .iter_mut()
        .find(|process| process.id.as_str() == "table_file_subscription_city")
        .unwrap();
    let step = process
        .steps
        .iter_mut()
        .find(|step| step.id.as_str() == "decide")
        .unwrap();
    let deadline = step.deadline.as_mut().unwrap();
    assert_eq!(deadline.limit, Limit::WorkingDays(5));
    deadline.limit = Limit::WorkingDays(4);
    deadline.clause = ClauseId::parse("QX-2").unwrap();
    let content = |pack: &Pack| {
        let mut json = serde_json::to_value(pack).unwrap();
        forget_lines(&mut json);
        let whole = json.as_object_mut().unwrap();
        for key in ["meta", "version", "clauses"] {
            whole.remove(key);
        }
        json
    };
    assert_eq!(content(&child), content(&expected));
    assert_eq!(child.clauses.len(), parent.clauses.len() + 3);
}

fn forget_lines(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Object(map) => {
            map.remove("line");
            map.values_mut().for_each(forget_lines);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget_lines),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

/// Spec: PDS-26.
#[test]
fn pds_26_shilong_district_has_the_citys_rules_by_forwarding() {
    let packs = all(&[("parent.toml", PINGDINGSHAN_2020), ("child.toml", CHILD)]).unwrap();
    let covering: Vec<_> = packs
        .iter()
        .filter_map(|loaded| Some((loaded.pack.meta.id.as_str(), loaded.pack.covers("410404")?)))
        .collect();
    let [(PARENT, Coverage::Forwarded(forwarding))] = covering.as_slice() else {
        panic!("{covering:?}");
    };
    assert_eq!(forwarding.jurisdiction, "平顶山市石龙区");
    assert_eq!(forwarding.date, day("2022-01-13"));
}

#[test]
fn entries_can_be_added_and_taken_out() {
    let more = format!(
        "{CHILD}
[[process.step]]
id = \"deliver_unconditional\"
drop = true

[[process.step]]
id = \"check_again\"
name = \"复核\"
name_en = \"Check again\"
role = \"platform\"
action = \"answer\"
opens_on = \"decided\"
clause = \"QX-2\"

[[process]]
id = \"dispute\"
drop = true

[[role]]
id = \"platform\"
body = \"某区政务服务和大数据管理局\"

[[list]]
id = \"file_formats\"
items = [{{ code = \"ofd\" }}, {{ code = \"wps\", drop = true }}]
"
    );
    let (child, parent) = family(&more).unwrap();
    let steps = |pack: &Pack| -> Vec<String> {
        let id = ProcessId::parse("table_file_subscription_city").unwrap();
        let process = pack.process(&id).unwrap();
        process
            .steps
            .iter()
            .map(|step| step.id.to_string())
            .collect()
    };
    let mut expected = steps(&parent);
    expected.retain(|id| id != "deliver_unconditional");
    expected.push("check_again".to_owned());
    assert_eq!(steps(&child), expected);
    assert_eq!(child.processes.len(), parent.processes.len() - 1);
    let platform = RoleId::parse("platform").unwrap();
    assert_eq!(
        child.role(&platform).unwrap().body.as_deref(),
        Some("某区政务服务和大数据管理局")
    );
    assert_eq!(
        child.role(&platform).unwrap().posts,
        parent.role(&platform).unwrap().posts
    );
    let formats = |pack: &Pack| pack.list("file_formats").unwrap().items.len();
    assert_eq!(formats(&child), formats(&parent));
    assert_eq!(
        child
            .list("file_formats")
            .unwrap()
            .items
            .last()
            .unwrap()
            .code,
        "ofd"
    );
}

#[test]
fn a_limit_can_change_its_form() {
    // A limit that is a word is never overdue, so nothing can follow from that.
    let worded = CHILD.replacen("working_days = 4", "word = \"promptly\"", 1);
    let faults = family(&worded).unwrap_err();
    assert!(faults[0].contains("on_overdue"), "{faults:?}");
    let wanted = worded.replacen(
        "deadline = {",
        "without = [\"on_overdue\"]\ndeadline = {",
        1,
    );
    let (child, _) = family(&wanted).unwrap();
    let id = ProcessId::parse("table_file_subscription_city").unwrap();
    let step = StepId::parse("decide").unwrap();
    let deadline = child
        .process(&id)
        .unwrap()
        .step(&step)
        .unwrap()
        .deadline
        .clone()
        .unwrap();
    assert_eq!(deadline.limit, Limit::Word(LimitWord::Promptly));
    assert_eq!(deadline.from, Some(Event::ApplicationReceived));
}

#[test]
fn a_child_of_a_child_has_both_prefixes_at_hand() {
    let grandchild = "schema = 1
[pack]
id = \"street-2026\"
inherits = \"district-2026\"
prefix = \"JD\"
clause = \"QX-2\"
[clauses]
\"JD-1\" = { place = \"第一条\", gist = \"街道\" }
[[role]]
id = \"platform\"
clause = \"PDS-5.1\"
body = \"街道\"
";
    let texts = [
        ("grandchild.toml", grandchild),
        ("child.toml", CHILD),
        ("parent.toml", PINGDINGSHAN_2020),
    ];
    let packs = all(&texts).unwrap();
    let loaded = packs
        .iter()
        .find(|loaded| loaded.pack.meta.id.as_str() == "street-2026")
        .unwrap();
    assert_eq!(
        loaded.pack.meta.jurisdiction.division, None,
        "it has no place of its own"
    );
    let id = ProcessId::parse("table_file_subscription_city").unwrap();
    let step = StepId::parse("decide").unwrap();
    let deadline = loaded
        .pack
        .process(&id)
        .unwrap()
        .step(&step)
        .unwrap()
        .deadline
        .clone()
        .unwrap();
    assert_eq!(deadline.limit, Limit::WorkingDays(4));
    // What is kept brings exactly this version back.
    assert_eq!(Pack::load(&loaded.source, "kept").unwrap(), loaded.pack);
}

#[test]
fn the_version_covers_child_and_parent() {
    let version = |child: &str, parent: &str| {
        let packs = all(&[("child.toml", child), ("parent.toml", parent)]).unwrap();
        let child = packs
            .into_iter()
            .find(|loaded| loaded.pack.meta.inherits.is_some());
        child.unwrap().pack.version
    };
    let first = version(CHILD, PINGDINGSHAN_2020);
    assert_ne!(first, version(&format!("{CHILD}# x\n"), PINGDINGSHAN_2020));
    assert_ne!(first, version(CHILD, &format!("{PINGDINGSHAN_2020}# x\n")));
    assert_eq!(first, version(CHILD, PINGDINGSHAN_2020));
}

#[test]
fn a_template_can_be_made_a_rule_by_its_child() {
    let template = PINGDINGSHAN_2020.replacen(
        "prefix = \"PDS\"",
        "prefix = \"PDS\"\ntemplate = true\nsuccessor = \"other-2030\"",
        1,
    );
    let packs = all(&[("child.toml", CHILD), ("parent.toml", &template)]).unwrap();
    let child = &packs
        .iter()
        .find(|loaded| loaded.pack.meta.inherits.is_some())
        .unwrap()
        .pack;
    assert_eq!(child.in_force_on(day("2026-03-01")), Standing::InForce);
    assert_eq!(child.meta.successor, None);
}

#[test]
fn a_fault_of_the_child_is_in_the_childs_line() {
    let decide = line_of(CHILD, "id = \"decide\"") - 1;
    let limit = line_of(CHILD, "working_days = 4");
    assert_eq!(
        broken("deadline = {", "role = \"nobody\"\ndeadline = {"),
        [format!(
            "child.toml:{decide}: step table_file_subscription_city.decide: unknown role nobody"
        )]
    );
    assert_eq!(
        broken("working_days = 4", "working_days = 0"),
        [format!(
            "child.toml:{limit}: step table_file_subscription_city.decide, deadline: a limit of 0 working days"
        )]
    );
    assert_eq!(
        broken(", clause = \"QX-2\" }", " }"),
        [format!(
            "child.toml:{limit}: step table_file_subscription_city.decide, deadline: clause is missing"
        )]
    );
    assert_eq!(
        broken("id = \"decide\"", "id = \"decide\"\ndrop = 1"),
        [format!(
            "child.toml:{}: step table_file_subscription_city.decide: unknown key drop",
            decide + 2
        )]
    );
    assert_eq!(
        broken(
            "id = \"decide\"\ndeadline",
            "id = \"decided\"\ndrop = true\ndeadline"
        ),
        [format!(
            "child.toml:{decide}: drop: the parent has no decided"
        )]
    );
    assert_eq!(
        broken("deadline = {", "without = [\"form\"]\ndeadline = {"),
        [format!(
            "child.toml:{decide}: without: the parent's decide has no form"
        )]
    );
    assert_eq!(
        broken("schema = 1", "schema = = 1"),
        ["child.toml:1: extra `=`, expected nothing"]
    );
    let twice = format!("{CHILD}\n[[process.step]]\nid = \"decide\"\n");
    assert_eq!(
        family(&twice).unwrap_err(),
        [format!(
            "child.toml:{}: decide is given twice",
            twice.lines().count() - 1
        )]
    );
}

#[test]
fn a_fault_that_comes_from_the_parent_is_in_the_parents_line_and_said_once() {
    // The child takes away what a step of the parent waits for.
    let faults = broken(
        "deadline = { working_days = 4, clause = \"QX-2\" }",
        "drop = true\n[[process.step]]\nid = \"decide_base_library\"\ndrop = true\n[[process.step]]\nid = \"authorise\"\ndrop = true",
    );
    let line = line_of(PINGDINGSHAN_2020, "id = \"deliver_conditional\"") - 1;
    let fault = format!(
        "parent.toml:{line}: step table_file_subscription_city.deliver_conditional: no step of the process brings about authorisation_received"
    );
    assert_eq!(
        faults,
        [fault.clone(), fault],
        "for its start and for its limit"
    );
    let parent = PINGDINGSHAN_2020.replacen("working_days = 3", "working_days = 0", 1);
    let faults = all(&[("child.toml", CHILD), ("parent.toml", &parent)]).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("parent.toml:"), "{faults:?}");
}

#[test]
fn a_parent_must_be_there_and_come_first() {
    let line = line_of(CHILD, "inherits");
    let orphan = all(&[("child.toml", CHILD)]).unwrap_err();
    assert_eq!(
        orphan,
        [format!(
            "child.toml:{line}: there is no pack {PARENT} to inherit from"
        )]
    );
    let alone = Pack::load(CHILD, "child.toml").unwrap_err();
    assert!(
        alone
            .faults
            .iter()
            .any(|fault| fault.code() == "law.unknown_parent")
    );
    let circle = PINGDINGSHAN_2020.replacen(
        "prefix = \"PDS\"",
        "prefix = \"PDS\"\ninherits = \"district-2026\"",
        1,
    );
    let faults = all(&[("child.toml", CHILD), ("parent.toml", &circle)]).unwrap_err();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault.contains("inherits from itself"))
    );
    let itself = CHILD.replacen(PARENT, "district-2026", 1);
    let faults = all(&[("child.toml", &itself)]).unwrap_err();
    assert_eq!(
        faults,
        [format!(
            "child.toml:{line}: district-2026 inherits from itself"
        )]
    );
}

#[test]
fn a_later_file_takes_the_place_of_one_with_the_same_id() {
    let own = PINGDINGSHAN_2020.replacen(
        "平顶山市政务数据共享交换平台管理暂行办法\"",
        "本地版本\"",
        1,
    );
    let packs = all(&[
        ("parent.toml", PINGDINGSHAN_2020),
        ("own.toml", &own),
        ("child.toml", CHILD),
    ])
    .unwrap();
    assert_eq!(packs.len(), 2);
    assert!(
        packs
            .iter()
            .all(|loaded| loaded.pack.meta.title == "本地版本")
    );
}
