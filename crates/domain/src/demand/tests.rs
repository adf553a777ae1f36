use super::*;

fn department(id: &str) -> DepartmentId {
    DepartmentId::parse(id).unwrap()
}

fn content() -> DemandContent {
    DemandContent {
        title: "低保家庭名单".to_owned(),
        wanted: "姓名、住址".to_owned(),
        purpose: "核对补贴".to_owned(),
        duty: "发放取暖补贴".to_owned(),
        level: ResourceLevel::County,
        resource: None,
    }
}

#[test]
fn everything_that_is_missing_is_said_at_once() {
    assert_eq!(check_demand(&content(), ResourceLevel::County), []);
    let empty = DemandContent {
        title: " ".to_owned(),
        wanted: String::new(),
        purpose: "长".repeat(TEXT_CHARS_MAX + 1),
        duty: String::new(),
        level: ResourceLevel::Province,
        resource: Some(" ".to_owned()),
    };
    let codes: Vec<_> = check_demand(&empty, ResourceLevel::County)
        .iter()
        .map(|f| (f.field, f.code))
        .collect();
    assert_eq!(
        codes,
        [
            ("title", "demand.title_missing"),
            ("wanted", "demand.wanted_missing"),
            ("purpose", "demand.text_too_long"),
            ("duty", "demand.duty_missing"),
            ("resource", "demand.resource_missing"),
        ]
    );
}

#[test]
fn only_what_lies_above_the_platform_has_to_be_named() {
    let of = |level| DemandContent { level, ..content() };
    for (level, own, faults) in [
        (ResourceLevel::City, ResourceLevel::County, 1),
        (ResourceLevel::City, ResourceLevel::City, 0),
        (ResourceLevel::County, ResourceLevel::City, 0),
        (ResourceLevel::State, ResourceLevel::Province, 1),
    ] {
        assert_eq!(check_demand(&of(level), own).len(), faults, "{level} {own}");
    }
}

#[test]
fn a_refusal_needs_its_reason_and_a_pointer_its_entry() {
    let answer = |kind, text: &str, entry: Option<&str>| {
        check_answer(Answer {
            kind,
            text: text.to_owned(),
            entry: entry.map(|id| EntryId::parse(id).unwrap()),
            department: None,
        })
    };
    assert_eq!(
        answer(AnswerKind::Cannot, " ", None),
        Err(DemandError::ReasonMissing)
    );
    assert_eq!(
        answer(AnswerKind::InCatalogue, "", None),
        Err(DemandError::EntryMissing)
    );
    assert!(answer(AnswerKind::InCatalogue, "", Some("ent-1")).is_ok());
    // Only the answer that points to an entry keeps one.
    assert_eq!(
        answer(AnswerKind::WillProvide, "", Some("ent-1"))
            .unwrap()
            .entry,
        None
    );
    let long = "长".repeat(TEXT_CHARS_MAX + 1);
    assert_eq!(
        answer(AnswerKind::Cannot, &long, None),
        Err(DemandError::TextTooLong)
    );
}

#[test]
fn demands_for_one_thing_become_one_line() {
    let (civil, tax, stats) = (department("civil"), department("tax"), department("stats"));
    let entry = EntryId::parse("ent-1").unwrap();
    let demand = |requester, title, provider, entry| Stated {
        requester,
        title,
        provider,
        entry,
    };
    let groups = merge(&[
        demand(&civil, "企业名录", Some(&stats), None),
        demand(&civil, "区划代码", Some(&stats), Some(&entry)),
        demand(&tax, "企业 名录", Some(&stats), None),
        // The same words of another provider are another thing; the same entry under other words isn't.
        demand(&tax, "企业名录", Some(&civil), None),
        demand(&tax, "行政区划", Some(&stats), Some(&entry)),
    ]);
    assert_eq!(groups, vec![vec![0, 2], vec![1, 4], vec![3]]);
}

#[test]
fn a_resource_is_the_same_however_it_is_typed() {
    assert_eq!(resource_key(" 社保 缴费ＡＢ "), resource_key("社保缴费ab"));
    assert_ne!(resource_key("社保缴费"), resource_key("社保缴纳"));
}

#[test]
fn the_list_keeps_what_waits_and_what_was_promised() {
    assert!(is_on_list(DemandState::Open, None));
    assert!(is_on_list(
        DemandState::Answered,
        Some(AnswerKind::WillProvide)
    ));
    assert!(!is_on_list(
        DemandState::Answered,
        Some(AnswerKind::InCatalogue)
    ));
    assert!(!is_on_list(DemandState::Answered, Some(AnswerKind::Cannot)));
    assert!(!is_on_list(DemandState::Withdrawn, None));
}

#[test]
fn an_application_goes_upward_step_by_step() {
    let merged = UpwardState::Merged;
    assert_eq!(merged.answer(), Err(DemandError::WrongStep));
    let sent = merged.send().unwrap();
    assert_eq!(sent.send(), Err(DemandError::WrongStep));
    let answered = sent.answer().unwrap();
    assert_eq!(answered, UpwardState::Answered);
    assert_eq!(answered.answer(), Err(DemandError::WrongStep));
    assert_eq!(answered.send(), Err(DemandError::WrongStep));
}
