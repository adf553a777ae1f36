//! One scenario, five regulations: the same entries, the same requests, the same error in the data, the
//! same quarrel. Who decides, by when, on what form, with which reason and what follows comes from the
//! rule pack; the table below says what each regulation has to make of it, and by which clause.

use serde_json::{Value, json};

use crate::support::{TestApp, step};

/// What the scenario has to come to under one regulation.
struct Law {
    /// What anybody may have, and what has to be decided on: sharing classes.
    classes: [&'static str; 2],
    /// The road to data that anybody may have.
    open: Vec<Turn>,
    /// A request that is refused.
    refused: Vec<Turn>,
    /// A request that is consented to.
    consented: Vec<Turn>,
    /// An error that a department finds; nothing where the regulation knows no such process.
    correction: Vec<Turn>,
    /// A quarrel about the refusal; nothing where the regulation knows no such process.
    dispute: Vec<Turn>,
}

/// A step, who takes it, and what the law says of it.
struct Turn {
    by: &'static str,
    step: &'static str,
    input: Value,
    /// The last day in time.
    due: Option<&'static str>,
    clause: &'static str,
    /// People who may not take it.
    not: &'static [&'static str],
    /// Code and clause with which it is refused.
    refused: Option<(&'static str, &'static str)>,
    /// Whose departments are told of it.
    tells: &'static [&'static str],
}

fn turn(by: &'static str, step: &'static str, clause: &'static str) -> Turn {
    Turn {
        by,
        step,
        input: json!({}),
        due: None,
        clause,
        not: &[],
        refused: None,
        tells: &[],
    }
}

impl Turn {
    fn due(self, on: &'static str) -> Self {
        Self {
            due: Some(on),
            ..self
        }
    }

    fn with(self, input: Value) -> Self {
        Self { input, ..self }
    }

    fn ends(self, outcome: &str) -> Self {
        self.with(json!({ "outcome": outcome }))
    }

    fn because(mut self, reason: &str) -> Self {
        self.input["reason"] = json!(reason);
        self
    }

    fn not(self, people: &'static [&'static str]) -> Self {
        Self {
            not: people,
            ..self
        }
    }

    fn refuses(self, code: &'static str, clause: &'static str) -> Self {
        Self {
            refused: Some((code, clause)),
            ..self
        }
    }

    fn tells(self, people: &'static [&'static str]) -> Self {
        Self {
            tells: people,
            ..self
        }
    }
}

/// Three, five and seven working days from Monday 2026-09-21 end on the 24th, on the 29th (after the
/// Mid-Autumn Festival) and on 8 October (after the National Day).
fn pingdingshan() -> Law {
    Law {
        classes: ["unconditional", "conditional"],
        open: vec![turn("operator", "deliver_unconditional", "PDS-10.2a").due("2026-09-24")],
        refused: vec![
            turn("stats", "decide", "PDS-10.2b")
                .due("2026-09-29")
                .not(&["operator", "authority", "civil_head", "tax"])
                .ends("refused")
                .refuses("case.reason_required", "PDS-10.2b"),
            turn("stats", "decide", "PDS-10.2b")
                .due("2026-09-29")
                .ends("refused")
                .because("超出履职范围"),
        ],
        consented: vec![
            turn("stats", "decide", "PDS-10.2b")
                .due("2026-09-29")
                .ends("approved"),
            turn("operator", "deliver_conditional", "PDS-10.2c").due("2026-09-24"),
        ],
        correction: vec![
            turn("civil", "report", "PDS-10.3")
                .due("2026-09-22")
                .tells(&["operator", "stats"]),
            turn("stats", "handle", "PDS-10.3")
                .due("2026-09-24")
                .not(&["operator", "tax"])
                .tells(&["civil"]),
        ],
        dispute: vec![
            turn("operator", "convene", "PDS-23")
                .not(&["stats"])
                .ends("not_agreed"),
            turn("operator", "escalate", "PDS-23"),
        ],
    }
}

/// Silent on corrections and disputes.
fn luyi() -> Law {
    Law {
        classes: ["proactive", "on_application"],
        open: vec![turn("civil", "self_service", "LY-10.1")],
        refused: vec![
            turn("stats", "decide", "LY-11")
                .due("2026-10-08")
                .not(&["operator", "authority", "tax"])
                .ends("refused")
                .refuses("case.reason_required", "LY-11"),
            turn("stats", "decide", "LY-11")
                .due("2026-10-08")
                .ends("refused")
                .because("超出履职范围"),
        ],
        consented: vec![
            turn("stats", "decide", "LY-11")
                .due("2026-10-08")
                .ends("approved")
                .refuses("case.reason_required", "LY-11"),
            turn("stats", "decide", "LY-11")
                .due("2026-10-08")
                .ends("approved")
                .because("社会救助确有需要"),
            turn("operator", "deliver", "LY-6.3"),
        ],
        correction: Vec::new(),
        dispute: Vec::new(),
    }
}

/// In force until 2022, so on another Monday: three and five working days from 2021-09-13 end on the
/// 16th and on Saturday the 18th, a make-up day. Only the person concerned asks for a correction.
fn yichuan() -> Law {
    let sealed = json!({ "form": { "seal_kind": "department_seal", "attachment_id": crate::support::UPLOAD } });
    Law {
        classes: ["unconditional", "conditional"],
        open: vec![turn("operator", "review_and_deliver", "YC-29.1").due("2021-09-16")],
        refused: vec![
            turn("civil", "form", "YC-29.2").refuses("case.form_required", "YC-29.2"),
            turn("civil", "form", "YC-29.2").with(sealed.clone()),
            turn("stats", "decide", "YC-29.2")
                .due("2021-09-18")
                .not(&["operator", "authority", "tax"])
                .ends("refused")
                .refuses("case.reason_required", "YC-29.2"),
            turn("stats", "decide", "YC-29.2")
                .due("2021-09-18")
                .ends("refused")
                .because("超出履职范围"),
        ],
        consented: vec![
            turn("civil", "form", "YC-29.2").with(sealed),
            turn("stats", "decide", "YC-29.2")
                .due("2021-09-18")
                .ends("approved"),
            turn("operator", "deliver", "YC-29.2").due("2021-09-16"),
        ],
        correction: Vec::new(),
        dispute: vec![
            turn("authority", "coordinate", "YC-27")
                .not(&["stats", "operator"])
                .ends("not_agreed")
                .tells(&["stats", "civil"]),
        ],
    }
}

/// The authority decides. No limit stands anywhere but for corrections, and disputes aren't treated.
fn city_template() -> Law {
    let met = |met: &str| json!({ "facts": { "conditions_met": met } });
    Law {
        classes: ["unconditional", "conditional"],
        open: vec![turn("civil", "self_service", "TP-17")],
        refused: vec![
            turn("authority", "judge_conditions", "TP-18")
                .not(&["stats", "operator"])
                .with(met("false")),
            turn("authority", "consult", "TP-18").ends("not_agreed"),
            turn("stats", "refuse", "TP-18")
                .not(&["authority"])
                .refuses("case.reason_required", "TP-18"),
            turn("stats", "refuse", "TP-18").because("涉及个人隐私，不符合共享条件"),
        ],
        consented: vec![
            turn("authority", "judge_conditions", "TP-18").with(met("true")),
            turn("authority", "approve", "TP-18")
                .not(&["stats", "operator"])
                .ends("approved")
                .tells(&["stats"]),
            turn("operator", "deliver", "TP-20b"),
        ],
        correction: vec![
            turn("civil", "report", "TP-21a").refuses("case.form_required", "TP-21a"),
            turn("civil", "report", "TP-21a")
                .with(json!({ "form": { "attachment_id": crate::support::UPLOAD } }))
                .tells(&["authority"]),
            turn("authority", "check", "TP-21a")
                .due("2026-09-29")
                .not(&["stats"])
                .with(json!({ "facts": { "technical_cause": "false" } })),
            turn("authority", "urge", "TP-21b").tells(&["stats"]),
            turn("stats", "provider_check", "TP-21b")
                .due("2026-09-24")
                .tells(&["service", "civil"]),
        ],
        dispute: Vec::new(),
    }
}

fn yanjin() -> Law {
    Law {
        classes: ["unconditional", "conditional"],
        open: vec![turn("civil", "self_service", "YJ-3.2.2")],
        refused: vec![
            turn("stats", "decide", "YJ-3.2.2")
                .due("2026-09-29")
                .not(&["operator", "authority", "tax"])
                .ends("refused")
                .refuses("case.reason_required", "YJ-3.2.2"),
            turn("stats", "decide", "YJ-3.2.2")
                .due("2026-09-29")
                .ends("refused")
                .because("超出履职范围"),
        ],
        consented: vec![
            turn("stats", "decide", "YJ-3.2.2")
                .due("2026-09-29")
                .ends("approved"),
            turn("operator", "deliver", "YJ-3.2.2").not(&["authority"]),
        ],
        correction: vec![
            turn("civil", "report", "YJ-3.2.3a").tells(&["authority", "stats"]),
            turn("stats", "check", "YJ-3.2.3a").tells(&["civil"]),
        ],
        dispute: vec![
            turn("authority", "convene", "YJ-3.2.4")
                .not(&["operator", "stats"])
                .ends("not_agreed")
                .tells(&["stats", "civil"]),
            turn("authority", "escalate", "YJ-3.2.4"),
        ],
    }
}

/// PDS-5.5, PDS-10.2a, PDS-10.2b, PDS-10.2c, PDS-10.3, PDS-23
#[tokio::test]
async fn one_scenario_under_the_rules_of_pingdingshan() {
    walk(TestApp::under_pingdingshan().await, pingdingshan()).await;
}

/// LY-10.1, LY-11
#[tokio::test]
async fn one_scenario_under_the_rules_of_luyi() {
    walk(TestApp::under_luyi().await, luyi()).await;
}

/// YC-29.1, YC-29.2, YC-27
#[tokio::test]
async fn one_scenario_under_the_rules_of_yichuan() {
    walk(TestApp::under_yichuan().await, yichuan()).await;
}

/// TP-17, TP-18, TP-21a, TP-21b
#[tokio::test]
async fn one_scenario_under_the_template_as_adopted() {
    walk(TestApp::under_the_template().await, city_template()).await;
}

/// YJ-3.2.2, YJ-3.2.3a, YJ-3.2.4
#[tokio::test]
async fn one_scenario_under_the_notice_of_yanjin() {
    walk(TestApp::under_yanjin().await, yanjin()).await;
}

async fn walk(app: TestApp, law: Law) {
    let [open, closed] = law.classes;
    let open = app.pooled("行政区划代码", open).await;
    let closed = app.pooled("行政区划联系电话", closed).await;

    let free = app.ask(&open).await;
    take_turns(&app, &free, &law.open).await;
    assert_eq!(app.case("civil", &free).await["state"], "completed");

    let refused = app.ask(&closed).await;
    take_turns(&app, &refused, &law.refused).await;
    let seen = app.request_of(&refused).await;
    assert_eq!(
        (&seen["state"], &seen["grant"]),
        (&json!("refused"), &Value::Null)
    );

    let granted = app.ask(&closed).await;
    take_turns(&app, &granted, &law.consented).await;
    assert_eq!(app.request_of(&granted).await["state"], "completed");
    let rows = app.store("civil").await;
    assert_eq!(rows.number("SELECT count(*) FROM division_village"), 20);

    let subject = json!({ "kind": "entry", "id": closed });
    begin_and_take(&app, "correction_by_department", subject, &law.correction).await;
    let subject = json!({ "kind": "request", "id": refused["request_id"] });
    begin_and_take(&app, "dispute", subject, &law.dispute).await;
    app.finish().await;
}

/// Begins a process and goes through it; where the regulation is silent there is none to begin.
async fn begin_and_take(app: &TestApp, process: &str, subject: Value, turns: &[Turn]) {
    let body = json!({ "process_id": process, "subject": subject });
    let begun = app.try_open("civil", body).await;
    if turns.is_empty() {
        begun.refused(422, "case.unknown_process");
        return;
    }
    let case = begun.ok();
    take_turns(app, &case, turns).await;
    assert_eq!(app.case("civil", &case).await["state"], "completed");
}

async fn take_turns(app: &TestApp, case: &Value, turns: &[Turn]) {
    for turn in turns {
        let name = turn.step;
        let now = app.case("operator", case).await;
        let open = step(&now, name);
        assert_eq!(open["state"], "open", "{name} in {now:#}");
        assert_eq!(open["due_on"], json!(turn.due), "{name}");
        assert_eq!(open["clause"]["id"], turn.clause, "{name}");
        for person in turn.not {
            let reply = app.try_take(person, case, name, turn.input.clone()).await;
            assert_eq!(reply.status, 403, "{name} by {person}: {}", reply.json());
        }
        if open["action"] == "deliver" {
            assert!(app.waits_for(turn.by, case).await, "{name} by {}", turn.by);
            app.delivered(case).await;
            continue;
        }
        let reply = app.try_take(turn.by, case, name, turn.input.clone()).await;
        if let Some((code, clause)) = turn.refused {
            assert_eq!(reply.refused(422, code)["clause"], clause, "{name}");
            continue;
        }
        reply.ok();
        for person in turn.tells {
            assert!(app.was_told(person, case).await, "{person} of {name}");
        }
    }
}
