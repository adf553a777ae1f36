//! A decision that grants a part of what was asked.

use serde_json::{Value, json};

use crate::support::{TestApp, a_request, faults, village_rows, villages_entry};

/// A request of civil affairs for four columns of a conditional table that can be delivered.
async fn filed(app: &TestApp) -> Value {
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    app.store("civil").await;
    app.store("stats").await.sql(&village_rows(20));
    app.mount(&entry, "division_village").await;
    let mut body = a_request(&entry);
    body["columns"] = json!(["code", "name", "phone", "households"]);
    body["term_months"] = json!(12);
    app.as_person("civil").post("/requests", body).await.ok()
}

async fn try_part(
    app: &TestApp,
    request: &Value,
    reason: Value,
    part: Value,
) -> crate::support::Reply {
    let path = format!(
        "/requests/{}/decision",
        request["request_id"].as_str().unwrap()
    );
    let body = json!({
        "verdict": "approve", "reason": reason, "revision": request["revision"], "part": part,
    });
    app.as_person("stats").post(&path, body).await
}

/// What is not granted is not delivered, and everything else is as it was decided.
///
/// YC-24, PDS-10.2b
#[tokio::test]
async fn yc_24_a_delivery_carries_only_what_was_granted() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    let form = &app.request_seen_by("stats", &request).await["decision"];
    assert_eq!(
        (
            &form["items"][0]["required"],
            &form["needs_reason"],
            &form["term_months"]
        ),
        (&json!(true), &json!(true), &json!(12))
    );
    assert_eq!(
        form["items"][2]["masks"],
        json!([{ "code": "hidden", "name": "全部隐藏" }])
    );
    assert!(app.request_seen_by("civil", &request).await["decision"].is_null());
    let part = json!({
        "refused": { "households": "与救助审核无关" },
        "condition": [{ "column": "code", "op": "prefix", "values": ["41"] }],
        "masks": { "phone": "hidden", "name": "person_name" },
        "term_months": 6,
    });
    let decided = try_part(&app, &request, json!("先开放本省六个月"), part)
        .await
        .ok();
    let grant = &decided["grant"];
    assert_eq!(
        (&grant["valid_from"], &grant["valid_until"]),
        (&json!("2026-09-21"), &json!("2027-03-21"))
    );
    let granted: Vec<&str> = grant["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["code"].as_str().unwrap())
        .collect();
    assert_eq!(granted, ["code", "name", "phone"]);
    // The requester reads what it asked for, what it got, and why.
    let seen = app.request_seen_by("civil", &request).await;
    assert_eq!(seen["content"]["columns"].as_array().unwrap().len(), 4);
    let taken = &seen["parts"][0];
    assert_eq!(
        (
            &taken["refused"][0]["name"],
            &taken["refused"][0]["reason"],
            &taken["reason"]
        ),
        (
            &json!("户数"),
            &json!("与救助审核无关"),
            &json!("先开放本省六个月")
        )
    );
    let step = crate::support::step(&seen, taken["step_id"].as_str().unwrap());
    assert_eq!(
        (&step["outcome"], &step["outcome_name"]),
        (&json!("approved"), &json!("部分同意"))
    );
    app.deliver(request["request_id"].as_str().unwrap()).await;
    let target = app.store("civil").await;
    assert_eq!(
        target.rows(
            "SELECT name FROM pragma_table_info('division_village') WHERE name IN \
                     ('code', 'name', 'phone', 'households', 'parent_code') ORDER BY name"
        ),
        [["code"], ["name"], ["phone"]].map(|row| row.map(str::to_owned).to_vec())
    );
    assert_eq!(
        target.number("SELECT count(*) FROM division_village WHERE code NOT LIKE '41%'"),
        0
    );
    assert_eq!(target.number("SELECT count(*) FROM division_village"), 10);
    assert_eq!(
        target.rows("SELECT DISTINCT phone, substr(name, 1, 1) FROM division_village"),
        [["***".to_owned(), "第".to_owned()]]
    );
    assert_eq!(
        target.number("SELECT count(*) FROM division_village WHERE name LIKE '%村'"),
        0,
        "masked"
    );
    let record = app
        .as_person("auditor")
        .get(&format!(
            "/ledger/records?what=request.decided&subject_id={}",
            request["request_id"].as_str().unwrap()
        ))
        .await
        .ok();
    let record: Value =
        serde_json::from_str(record["items"][0]["record"].as_str().unwrap()).unwrap();
    let facts = &record["detail"];
    assert_eq!(
        (
            &facts["in_part"],
            &facts["refused_columns"],
            &facts["narrowed_columns"],
            &facts["term_months"]
        ),
        (
            &json!(true),
            &json!("households"),
            &json!("code"),
            &json!(6)
        ),
        "{record}"
    );
    app.finish().await;
}

/// PDS-10.2b
#[tokio::test]
async fn pds_10_2b_a_data_item_is_refused_with_a_reason() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    for (reason, part, field) in [
        (
            Value::Null,
            json!({ "refused": { "name": " " } }),
            "part.refused[0]",
        ),
        (json!(" "), json!({ "term_months": 1 }), "reason"),
    ] {
        let problem = try_part(&app, &request, reason, part).await;
        let problem = problem.refused(422, "case.reason_required");
        assert_eq!(problem["clause"], "PDS-10.2b");
        assert_eq!(faults(&problem), [format!("{field}: case.reason_required")]);
    }
    let now = app.request_seen_by("civil", &request).await;
    assert_eq!((&now["state"], &now["parts"]), (&json!("open"), &json!([])));
    // One reason may stand for all.
    let part = json!({ "refused": { "name": "" } });
    let decided = try_part(&app, &request, json!("超出履职范围"), part)
        .await
        .ok();
    assert_eq!(decided["parts"][0]["refused"][0]["reason"], "超出履职范围");
    app.finish().await;
}

#[tokio::test]
async fn a_part_never_widens_what_was_asked() {
    let app = TestApp::start().await;
    let request = filed(&app).await;
    let part = json!({
        "refused": { "code": "否", "parent_code": "否" },
        "masks": { "phone": "email", "code": "hidden" },
        "condition": [{ "column": "income", "op": "eq", "values": ["1"] }],
        "term_months": 24,
    });
    let problem = try_part(&app, &request, json!("理由"), part)
        .await
        .refused(422, "request.part_faulty");
    assert_eq!(
        faults(&problem),
        [
            "part.refused[0]: request.key_refused",
            "part.refused[1]: request.refused_not_asked",
            "part.condition[0]: condition.unknown_item",
            "part.masks: grant.mask_without_column",
            "part.masks: grant.mask_not_stricter",
            "part.term_months: request.term_not_shorter",
        ]
    );
    let unknown = json!({ "masks": { "name": "rot13" } });
    let problem = try_part(&app, &request, Value::Null, unknown)
        .await
        .refused(422, "request.part_faulty");
    assert_eq!(faults(&problem), ["part.masks: request.unknown_mask"]);
    // An empty part takes nothing away.
    let whole = try_part(&app, &request, Value::Null, json!({})).await.ok();
    assert_eq!(
        (
            &whole["parts"],
            whole["grant"]["columns"].as_array().unwrap().len()
        ),
        (&json!([]), 4)
    );
    app.finish().await;
}
