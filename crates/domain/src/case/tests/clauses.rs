//! The given/when/then of the clauses, on the compiled-in pack.

use super::*;

const CONDITIONAL_TABLE: &[(&str, &str)] = &[("class", "conditional"), ("mode", "table")];
const CONDITIONAL_INTERFACE: &[(&str, &str)] = &[("class", "conditional"), ("mode", "interface")];

/// Spec: PDS-2.
#[test]
fn pds_2_the_three_roles_exist() {
    let pack = pack();
    for role in ["platform", "provider", "requester"] {
        assert!(pack.role(&RoleId::parse(role).unwrap()).is_some(), "{role}");
    }
}

/// Spec: PDS-5.5.
#[test]
fn pds_5_5_an_unconditional_entry_that_is_not_pooled_is_supplied_by_the_provider_first() {
    let opening = opening(
        "table_file_subscription_city",
        &[
            ("class", "unconditional"),
            ("mode", "table"),
            ("pooled", "false"),
        ],
        "2026-09-21",
    );
    let case = Case::open(opening, pack(), calendar()).unwrap();
    assert_eq!(
        case.open_steps().map(StepId::as_str).collect::<Vec<_>>(),
        ["supply"]
    );
    let supply = view(&case, "supply", "2026-12-01");
    assert_eq!(
        (supply.due_on, supply.clock),
        (None, Clock::NoLimit),
        "no limit is stated"
    );
    assert_eq!(supply.department, Some(department("statistics")));
    assert_eq!(
        due(&case, "deliver_unconditional").as_deref(),
        Some("2026-09-24")
    );
    assert_eq!(
        code(take(
            &case,
            operator(),
            "deliver_unconditional",
            StepInput::default(),
            "2026-09-22"
        )),
        "case.step_not_open"
    );

    let case = take(
        &case,
        provider(),
        "supply",
        StepInput::default(),
        "2026-09-22",
    )
    .unwrap();
    let case = take(
        &case,
        operator(),
        "deliver_unconditional",
        StepInput::default(),
        "2026-09-23",
    )
    .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
}

/// Spec: PDS-5.5.
#[test]
fn pds_5_5_base_library_data_are_authorised_by_the_platform() {
    let given = [
        ("class", "conditional"),
        ("mode", "table"),
        ("base_library", "true"),
    ];
    let decider = pack();
    let decider = decider.decider(&facts(&given)).unwrap();
    assert_eq!(
        (decider.decides.code(), decider.clause.as_str()),
        ("platform", "PDS-5.5")
    );
    let case = Case::open(
        opening("table_file_subscription_city", &given, "2026-09-21"),
        pack(),
        calendar(),
    )
    .unwrap();
    assert_eq!(
        code(take(
            &case,
            provider(),
            "decide_base_library",
            ending(Outcome::Approved),
            "2026-09-22"
        )),
        "case.wrong_actor"
    );
    let case = take(
        &case,
        authority(),
        "decide_base_library",
        ending(Outcome::Approved),
        "2026-09-22",
    )
    .unwrap();
    assert_eq!(
        due(&case, "deliver_conditional").as_deref(),
        Some("2026-09-28")
    );
}

/// Spec: PDS-6.2, PDS-10.2b, PDS-14.2, PDS-16.
#[test]
fn pds_6_2_class_mode_and_flags_name_the_decider() {
    let pack = pack();
    let check = |given: &[(&str, &str)], expected: Option<(&str, &str)>| {
        let decider = pack.decider(&facts(given));
        assert_eq!(
            decider.map(|decider| (decider.decides.code(), decider.clause.as_str())),
            expected,
            "{given:?}"
        );
    };
    let after_check = "provider_after_platform_check";
    check(CONDITIONAL_TABLE, Some(("provider", "PDS-10.2b")));
    check(
        &[("class", "unconditional"), ("mode", "file")],
        Some(("platform", "PDS-5.5")),
    );
    check(
        &[
            ("class", "unconditional"),
            ("mode", "file"),
            ("pooled", "false"),
        ],
        None,
    );
    check(CONDITIONAL_INTERFACE, Some((after_check, "PDS-6.2")));
    check(
        &[
            ("class", "unconditional"),
            ("mode", "interface"),
            ("param_control", "true"),
        ],
        Some((after_check, "PDS-6.2")),
    );
    check(
        &[
            ("class", "unconditional"),
            ("mode", "interface"),
            ("direct_authorisation", "true"),
        ],
        Some(("platform", "PDS-16")),
    );
    check(
        &[("class", "unconditional"), ("mode", "interface")],
        Some((after_check, "PDS-14.2")),
    );
}

/// Spec: PDS-6.3.
#[test]
fn pds_6_3_the_contacts_to_publish_come_from_the_pack() {
    let pack = pack();
    let contacts: Vec<&str> = pack
        .list("contacts_published")
        .unwrap()
        .items
        .iter()
        .map(|item| item.code.as_str())
        .collect();
    assert_eq!(
        contacts,
        [
            "authorising_staff",
            "technical_support_staff",
            "contact_details"
        ]
    );
}

/// Spec: PDS-8.1, PDS-8.2, PDS-8.3.
#[test]
fn pds_8_2_the_modes_and_file_formats_come_from_the_pack() {
    let pack = pack();
    let modes: Vec<&str> = pack
        .exchange_modes()
        .iter()
        .map(|mode| mode.name.as_str())
        .collect();
    assert_eq!(modes, ["库表", "文件", "服务接口"]);
    let formats = pack.list("file_formats").unwrap();
    let has = |code: &str| formats.items.iter().any(|item| item.code == code);
    assert!(has("et") && !has("exe") && formats.open_ended);
}

/// Spec: PDS-9, PDS-17.
#[test]
fn pds_9_the_clock_runs_from_the_online_record() {
    // Late in the evening in China it is still the 21st, although the 22nd has not begun in UTC either;
    // just after midnight in China it is the 22nd, while UTC says 21st.
    let late = Opening {
        at: "2026-09-21T23:59:59+08:00".parse().unwrap(),
        ..opening(
            "table_file_subscription_city",
            CONDITIONAL_TABLE,
            "2026-09-21",
        )
    };
    let early = Opening {
        at: "2026-09-22T00:00:01+08:00".parse().unwrap(),
        ..late.clone()
    };
    let due_of =
        |opening| due(&Case::open(opening, pack(), calendar()).unwrap(), "decide").unwrap();
    assert_eq!(due_of(late), "2026-09-29");
    assert_eq!(due_of(early), "2026-09-30");
}

/// Spec: PDS-10.1.
#[test]
fn pds_10_1_the_provider_is_notified_with_the_same_time_stamp() {
    let case = table_request("conditional", "2026-09-21");
    let [applied, notified] = case.events() else {
        panic!("{:?}", case.events())
    };
    assert_eq!(notified.step, Some(step("notify_provider")));
    assert_eq!(applied.at, notified.at);
    assert_eq!(notified.by, None, "the platform does it by itself");
}

/// Spec: PDS-10.2a.
#[test]
fn pds_10_2a_delivery_is_overdue_after_the_third_working_day() {
    let case = table_request("unconditional", "2026-09-21");
    let clock = |on: &str| view(&case, "deliver_unconditional", on).clock;
    assert_eq!(clock("2026-09-21"), Clock::OnTime { left: 3 });
    assert_eq!(clock("2026-09-22"), Clock::OnTime { left: 2 });
    assert_eq!(clock("2026-09-23"), Clock::DueSoon { left: 1 });
    assert_eq!(clock("2026-09-24"), Clock::DueToday);
    // 25-27 September 2026 is the Mid-Autumn holiday; the 28th is the next working day.
    assert_eq!(clock("2026-09-25"), Clock::Overdue { by: 0 });
    assert_eq!(clock("2026-09-28"), Clock::Overdue { by: 1 });
}

/// Spec: PDS-10.2b.
#[test]
fn pds_10_2b_refusal_without_reason_is_rejected() {
    let case = table_request("conditional", "2026-09-21");
    for blank in ["", "  \n"] {
        let refused = take(&case, provider(), "decide", refusal(blank), "2026-09-22").unwrap_err();
        assert_eq!(refused.code(), "case.reason_required");
        assert_eq!(refused.clause().unwrap().as_str(), "PDS-10.2b");
    }
    assert!(
        take(
            &case,
            provider(),
            "decide",
            ending(Outcome::Approved),
            "2026-09-22"
        )
        .is_ok()
    );
    let case = take(
        &case,
        provider(),
        "decide",
        refusal("超出履职范围"),
        "2026-09-22",
    )
    .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Refused));
    assert_eq!(
        case.events().last().unwrap().reason.as_deref(),
        Some("超出履职范围")
    );
}

/// Spec: PDS-10.2b.
#[test]
fn pds_10_2b_the_decision_authorises_the_platform_in_the_same_moment() {
    let case = table_request("conditional", "2026-09-21");
    let case = take(
        &case,
        provider(),
        "decide",
        ending(Outcome::Approved),
        "2026-09-28",
    )
    .unwrap();
    let [.., decided, authorised] = case.events() else {
        panic!()
    };
    assert_eq!(authorised.step, Some(step("authorise")));
    assert_eq!(decided.at, authorised.at);
    assert_eq!(
        case.open_steps().map(StepId::as_str).collect::<Vec<_>>(),
        ["deliver_conditional"]
    );
}

/// Spec: PDS-10.2c.
#[test]
fn pds_10_2c_authorised_on_friday_is_due_on_wednesday() {
    let case = table_request("conditional", "2026-10-12");
    let case = take(
        &case,
        provider(),
        "decide",
        ending(Outcome::Approved),
        "2026-10-16",
    )
    .unwrap();
    assert_eq!(day("2026-10-16").weekday(), jiff::civil::Weekday::Friday);
    assert_eq!(
        due(&case, "deliver_conditional").as_deref(),
        Some("2026-10-21")
    );
}

/// Spec: PDS-10.3, PDS-11.3.
#[test]
fn pds_10_3_both_clocks_of_a_correction() {
    for level in ["city", "county"] {
        let opening = Opening {
            began_at: Some(morning("2026-09-14")),
            ..opening(
                "correction_by_department",
                &[("mode", "table"), ("requester_level", level)],
                "2026-09-16",
            )
        };
        let case = Case::open(opening, pack(), calendar()).unwrap();
        assert_eq!(
            view(&case, "report", "2026-09-16").clock,
            Clock::Overdue { by: 1 }
        );
        let case = take(
            &case,
            requester(),
            "report",
            StepInput::default(),
            "2026-09-16",
        )
        .unwrap();
        let reported = view(&case, "report", "2026-09-30");
        assert_eq!(
            reported.clock,
            Clock::Done {
                in_time: Some(false)
            }
        );
        // Three working days from Wednesday: Thursday, Friday, and Sunday the 20th, worked for the holiday.
        let handle = view(&case, "handle", "2026-09-16");
        assert_eq!(handle.due_on, Some(day("2026-09-20")));
        assert!(
            handle.from_is_reading,
            "the start of the provider's limit isn't stated"
        );
        let process = pack();
        let report = process
            .process(&case.head().process)
            .unwrap()
            .step(&step("report"))
            .unwrap()
            .clone();
        assert_eq!(report.addressee.unwrap().as_str(), "provider");
        assert_eq!(report.notify[0].as_str(), "platform");
    }
}

/// Spec: PDS-11.1.
#[test]
fn pds_11_1_a_county_department_subscribes_on_the_city_site_without_a_county_check() {
    let given = [
        ("class", "conditional"),
        ("mode", "table"),
        ("requester_level", "county"),
    ];
    let pack = pack();
    let process = pack
        .process_for("table_file_subscription", &facts(&given))
        .unwrap();
    assert_eq!(process.id.as_str(), "table_file_subscription_county");
    let case = Case::open(
        opening(process.id.as_str(), &given, "2026-09-21"),
        pack,
        calendar(),
    )
    .unwrap();
    assert_eq!(
        case.open_steps().map(StepId::as_str).collect::<Vec<_>>(),
        ["decide"]
    );
}

/// Spec: PDS-11.2.
#[test]
fn pds_11_2_county_limits_equal_the_city_ones_and_data_go_to_the_county_store() {
    let given = [
        ("class", "conditional"),
        ("mode", "table"),
        ("requester_level", "county"),
    ];
    let pack = pack();
    let case = Case::open(
        opening("table_file_subscription_county", &given, "2026-09-21"),
        pack,
        calendar(),
    )
    .unwrap();
    assert_eq!(due(&case, "decide").as_deref(), Some("2026-09-29"));
    assert_eq!(
        take(&case, provider(), "decide", refusal(" "), "2026-09-22")
            .unwrap_err()
            .clause()
            .unwrap()
            .as_str(),
        "PDS-11.2"
    );
    let case = take(
        &case,
        provider(),
        "decide",
        ending(Outcome::Approved),
        "2026-09-29",
    )
    .unwrap();
    assert_eq!(
        due(&case, "deliver_conditional").as_deref(),
        Some("2026-10-09")
    );
    let process = pack.process(&case.head().process).unwrap();
    for id in ["deliver_unconditional", "deliver_conditional"] {
        assert_eq!(
            process.step(&step(id)).unwrap().target.as_deref(),
            Some("county_front_end_store")
        );
    }
}

/// Spec: PDS-12.
#[test]
fn pds_12_an_interface_application_without_seal_is_blocked() {
    for input in [StepInput::default(), sealed("handwritten")] {
        let opening = Opening {
            input,
            ..opening(
                "interface_application_city",
                CONDITIONAL_INTERFACE,
                "2026-09-21",
            )
        };
        let refused = Case::open(opening, pack(), calendar()).unwrap_err();
        assert_eq!(
            (refused.code(), refused.clause().unwrap().as_str()),
            ("case.form_required", "PDS-12")
        );
    }
    for seal in ["electronic_seal_online", "scan_of_stamped_form"] {
        let opening = Opening {
            input: sealed(seal),
            ..opening(
                "interface_application_city",
                CONDITIONAL_INTERFACE,
                "2026-09-21",
            )
        };
        assert!(Case::open(opening, pack(), calendar()).is_ok());
    }
}

/// Spec: PDS-13.
#[test]
fn pds_13_a_county_department_cannot_file_an_interface_application_to_the_city() {
    let given = [
        ("class", "conditional"),
        ("mode", "interface"),
        ("requester_level", "county"),
    ];
    let direct = Opening {
        input: sealed("scan_of_stamped_form"),
        ..opening("interface_application_city", &given, "2026-09-21")
    };
    assert_eq!(
        code(Case::open(direct, pack(), calendar())),
        "case.wrong_process"
    );

    let through_county = Opening {
        input: sealed("scan_of_form"),
        ..opening("interface_application_county", &given, "2026-09-21")
    };
    let case = Case::open(through_county, pack(), calendar()).unwrap();
    assert_eq!(
        view(&case, "county_review", "2026-12-01").clock,
        Clock::NoLimit
    );
    let case = take(
        &case,
        county_authority(),
        "county_review",
        ending(Outcome::Accepted),
        "2026-09-22",
    )
    .unwrap();
    let case = take(
        &case,
        county_authority(),
        "file_upward",
        StepInput::default(),
        "2026-09-23",
    )
    .unwrap();
    // The city's limit runs from the filing upward, not from the department's application.
    assert_eq!(
        due(&case, "compliance_check").as_deref(),
        Some("2026-09-29")
    );
}

/// Spec: PDS-14.1.
#[test]
fn pds_14_1_non_acceptance_needs_a_reason() {
    let case = interface_request(CONDITIONAL_INTERFACE, "2026-09-21");
    assert_eq!(
        due(&case, "compliance_check").as_deref(),
        Some("2026-09-24")
    );
    let silent = take(
        &case,
        operator(),
        "compliance_check",
        ending(Outcome::NotAccepted),
        "2026-09-22",
    );
    assert_eq!(code(silent), "case.reason_required");
    let input = StepInput {
        reason: Some("申请表未盖章".to_owned()),
        ..ending(Outcome::NotAccepted)
    };
    let case = take(&case, operator(), "compliance_check", input, "2026-09-22").unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::NotAccepted));
}

/// Spec: PDS-14.2, PDS-15.1, PDS-15.2.
#[test]
fn pds_14_2_acceptance_forwards_and_starts_the_providers_clock() {
    let case = interface_request(CONDITIONAL_INTERFACE, "2026-09-21");
    let case = take(
        &case,
        operator(),
        "compliance_check",
        ending(Outcome::Accepted),
        "2026-09-23",
    )
    .unwrap();
    assert_eq!(
        case.open_steps().map(StepId::as_str).collect::<Vec<_>>(),
        ["decide"]
    );
    assert_eq!(due(&case, "decide").as_deref(), Some("2026-10-08"));
    let process = pack();
    let consequence = process
        .process(&case.head().process)
        .unwrap()
        .step(&step("decide"))
        .unwrap()
        .clone()
        .on_overdue
        .unwrap();
    assert_eq!(consequence.clause.as_str(), "PDS-22.2");
    assert_eq!(
        view(&case, "decide", "2026-10-09").clock,
        Clock::Overdue { by: 1 }
    );

    let case = take(
        &case,
        provider(),
        "decide",
        ending(Outcome::Approved),
        "2026-09-24",
    )
    .unwrap();
    assert_eq!(due(&case, "answer").as_deref(), Some("2026-09-28"));
    assert_eq!(
        view(&case, "answer", "2026-09-29").clock,
        Clock::Overdue { by: 1 }
    );
    let case = take(
        &case,
        operator(),
        "answer",
        StepInput::default(),
        "2026-09-28",
    )
    .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
}

/// Spec: PDS-16.
#[test]
fn pds_16_a_directly_authorised_interface_has_no_provider_step() {
    let given = [
        ("class", "unconditional"),
        ("mode", "interface"),
        ("direct_authorisation", "true"),
    ];
    let case = interface_request(&given, "2026-09-21");
    let case = take(
        &case,
        operator(),
        "compliance_check",
        ending(Outcome::Accepted),
        "2026-09-22",
    )
    .unwrap();
    assert_eq!(
        case.open_steps().map(StepId::as_str).collect::<Vec<_>>(),
        ["authorise_directly"]
    );
    assert_eq!(
        due(&case, "authorise_directly").as_deref(),
        Some("2026-09-28")
    );
    assert_eq!(
        *case.step_state(&step("decide")).unwrap(),
        StepState::Skipped
    );
    assert_eq!(
        code(take(
            &case,
            authority(),
            "authorise_directly",
            refusal(""),
            "2026-09-22"
        )),
        "case.reason_required"
    );
}

/// Spec: PDS-17.
#[test]
fn pds_17_no_paper_is_no_ground() {
    let case = table_request("conditional", "2026-09-21");
    let input = StepInput {
        ground: Some("no_paper_application_received".to_owned()),
        ..refusal("未收到纸质申请")
    };
    let refused = take(&case, provider(), "decide", input, "2026-09-22").unwrap_err();
    assert_eq!(
        (refused.code(), refused.clause().unwrap().as_str()),
        ("case.ground_not_allowed", "PDS-17")
    );
}

/// Spec: PDS-18, PDS-5.6.
#[test]
fn pds_18_a_cross_level_request_is_merged_and_filed_upward_without_a_limit() {
    let case = Case::open(
        opening("cross_level_request", &[], "2026-09-21"),
        pack(),
        calendar(),
    )
    .unwrap();
    assert_eq!(view(&case, "merge", "2027-09-21").clock, Clock::NoLimit);
    let case = take(
        &case,
        operator(),
        "merge",
        StepInput::default(),
        "2026-09-22",
    )
    .unwrap();
    let case = take(
        &case,
        operator(),
        "file_upward",
        StepInput::default(),
        "2026-09-22",
    )
    .unwrap();
    assert_eq!(case.outcome(), Some(CaseOutcome::Completed));
}

fn grant_case(on: &str) -> Case {
    let opening = Opening {
        actor: None,
        began_at: Some(morning(on)),
        ..opening("grant_lifecycle", &[("class", "conditional")], on)
    };
    Case::open(opening, pack(), calendar()).unwrap()
}

/// Spec: PDS-19.1.
#[test]
fn pds_19_1_suspension_needs_a_ground_of_the_regulation() {
    let case = grant_case("2026-03-02");
    let suspend = |ground: Option<&str>| StepInput {
        ground: ground.map(str::to_owned),
        ..ending(Outcome::Suspended)
    };
    assert_eq!(
        code(take(
            &case,
            provider(),
            "suspend_or_end",
            suspend(None),
            "2026-03-03"
        )),
        "case.ground_required"
    );
    assert_eq!(
        code(take(
            &case,
            provider(),
            "suspend_or_end",
            suspend(Some("dislike")),
            "2026-03-03"
        )),
        "case.ground_not_allowed"
    );
    let case = take(
        &case,
        provider(),
        "suspend_or_end",
        suspend(Some("over_scope")),
        "2026-03-03",
    )
    .unwrap();
    assert!(!case.is_ended(), "a suspended grant lives on");
    let end = StepInput {
        ground: Some("violation".to_owned()),
        ..ending(Outcome::Ended)
    };
    let case = take(&case, provider(), "suspend_or_end", end, "2026-03-04").unwrap();
    assert!(case.is_ended());
}

/// Spec: PDS-19.2.
#[test]
fn pds_19_2_an_unused_grant_may_be_reclaimed_after_three_months_and_use_starts_them_again() {
    let case = grant_case("2026-03-02");
    let reclaim =
        |case: &Case, on: &str| take(case, provider(), "reclaim_unused", StepInput::default(), on);
    let early = reclaim(&case, "2026-06-02").unwrap_err();
    assert_eq!(
        (early.code(), early.clause().unwrap().as_str()),
        ("case.too_early", "PDS-19.2")
    );
    assert!(reclaim(&case, "2026-06-03").unwrap().is_ended());

    let used = case
        .note(
            crate::law::Event::LastUsed,
            morning("2026-04-10"),
            pack(),
            calendar(),
        )
        .unwrap();
    assert_eq!(code(reclaim(&used, "2026-07-10")), "case.too_early");
    assert_eq!(
        view(&used, "reclaim_unused", "2026-04-10").earliest_on,
        Some(day("2026-07-11"))
    );
    assert!(reclaim(&used, "2026-07-11").is_ok());

    // Nothing is renewed before the term is over.
    assert_eq!(
        code(take(
            &case,
            requester(),
            "renew",
            StepInput::default(),
            "2026-04-01"
        )),
        "case.step_not_open"
    );
    let expired = case
        .note(
            crate::law::Event::GrantExpired,
            morning("2026-05-01"),
            pack(),
            calendar(),
        )
        .unwrap();
    assert!(
        take(
            &expired,
            requester(),
            "renew",
            StepInput::default(),
            "2026-05-02"
        )
        .unwrap()
        .is_ended()
    );
}

/// Spec: PDS-20.
#[test]
fn pds_20_an_interface_correction_ages_and_is_never_overdue() {
    let opening = Opening {
        began_at: Some(morning("2026-03-02")),
        ..opening(
            "correction_by_department_interface",
            &[("mode", "interface")],
            "2026-03-02",
        )
    };
    let case = Case::open(opening, pack(), calendar()).unwrap();
    let case = take(
        &case,
        requester(),
        "report",
        StepInput::default(),
        "2026-03-03",
    )
    .unwrap();
    let check = view(&case, "check", "2026-09-03");
    assert_eq!(check.due_on, None);
    assert_eq!(
        check.clock,
        Clock::Word {
            word: crate::law::LimitWord::Promptly,
            age_days: 184
        }
    );
}

/// Spec: PDS-22.1.
#[test]
fn pds_22_1_usage_statistics_come_round_without_a_number() {
    let pack = pack();
    let [statistics] = pack.periodic.as_slice() else {
        panic!()
    };
    assert_eq!(
        statistics.due,
        crate::law::Limit::Word(crate::law::LimitWord::Periodic)
    );
    assert_eq!(statistics.covers, ["table", "file", "interface"]);
}

/// Spec: PDS-22.2.
#[test]
fn pds_22_2_a_late_decision_leads_to_a_notice_and_late_delivery_does_not() {
    let pack = pack();
    let with_consequence: Vec<String> = pack
        .processes
        .iter()
        .flat_map(|process| process.steps.iter().map(move |step| (process, step)))
        .filter(|(_, step)| step.on_overdue.is_some())
        .map(|(process, step)| format!("{}.{}", process.id, step.id))
        .collect();
    assert_eq!(
        with_consequence,
        [
            "table_file_subscription_city.decide",
            "table_file_subscription_county.decide",
            "interface_application_city.decide",
            "interface_application_city.authorise_directly",
            "interface_application_county.decide",
            "interface_application_county.authorise_directly",
        ]
    );
    // The platform itself prepares the notice; a person of the platform unit sends it.
    let opening = Opening {
        actor: None,
        began_at: Some(morning("2026-09-30")),
        ..opening("rectification", &[], "2026-09-30")
    };
    let case = Case::open(opening, pack, calendar()).unwrap();
    assert!(!case.is_ended());
    assert!(
        take(
            &case,
            operator(),
            "notify",
            StepInput::default(),
            "2026-10-08"
        )
        .unwrap()
        .is_ended()
    );
}

/// Spec: PDS-23.
#[test]
fn pds_23_no_agreement_goes_to_the_government() {
    let open = || {
        let opening = Opening {
            began_at: Some(morning("2026-09-21")),
            ..opening("dispute", &[], "2026-09-21")
        };
        Case::open(opening, pack(), calendar()).unwrap()
    };
    let agreed = take(
        &open(),
        authority(),
        "convene",
        ending(Outcome::Agreed),
        "2026-09-22",
    )
    .unwrap();
    assert_eq!(agreed.outcome(), Some(CaseOutcome::Completed));
    let apart = take(
        &open(),
        authority(),
        "convene",
        ending(Outcome::NotAgreed),
        "2026-09-22",
    )
    .unwrap();
    assert_eq!(
        apart.open_steps().map(StepId::as_str).collect::<Vec<_>>(),
        ["escalate"]
    );
    assert!(
        take(
            &apart,
            authority(),
            "escalate",
            StepInput::default(),
            "2026-09-23"
        )
        .unwrap()
        .is_ended()
    );
}

/// Spec: PDS-26.
#[test]
fn pds_26_the_pack_is_in_force_without_end_and_forwarded_to_shilong() {
    use crate::law::{Coverage, Standing};
    let pack = pack();
    assert_eq!(pack.in_force_on(day("2019-12-31")), Standing::NotInForce);
    assert_eq!(pack.in_force_on(day("2020-01-01")), Standing::InForce);
    assert_eq!(pack.in_force_on(day("2099-12-31")), Standing::InForce);
    assert_eq!(pack.covers("410400"), Some(Coverage::Own));
    assert_eq!(pack.covers("410403"), None);
    let Some(Coverage::Forwarded(forwarded)) = pack.covers("410404") else {
        panic!()
    };
    assert_eq!(forwarded.date, day("2022-01-13"));
}
