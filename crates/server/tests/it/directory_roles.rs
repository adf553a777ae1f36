//! Role bindings: which department stands behind a role of the regulation.

use serde_json::{Value, json};
use tongqu::features::directory::bound_roles;

use crate::support::{TestApp, faults};

/// The department behind a role for a requester of a division, as new cases take it.
async fn behind(app: &TestApp, role: &str, division: Option<&str>) -> String {
    let mut db = app.app().registry.read().await.unwrap();
    let roles = bound_roles(&mut db, &app.app().pack(), division)
        .await
        .unwrap();
    let found = roles.into_iter().find(|(id, _)| id.as_str() == role);
    found
        .unwrap_or_else(|| panic!("{role} is nobody's"))
        .1
        .to_string()
}

async fn role(app: &TestApp, id: &str) -> Value {
    let roles = app.as_person("stats").get("/law/roles").await.ok();
    let mut items = roles["items"].as_array().unwrap().iter();
    items.find(|r| r["id"] == id).unwrap().clone()
}

/// PDS-5.1: platform unit and authority are one body; where nothing is bound, it is the platform's department.
#[tokio::test]
async fn pds_5_1_platform_unit_and_authority_are_one_body_until_bound_apart() {
    let app = TestApp::start().await;
    let (bigdata, civil, tax) = (
        app.department("bigdata").await,
        app.department("civil").await,
        app.department("tax").await,
    );
    assert_eq!(role(&app, "authority").await["because"], "platform");
    for id in ["authority", "platform", "county_authority"] {
        assert_eq!(behind(&app, id, None).await, bigdata);
    }
    let bind = |department: &Value| json!({ "department_id": department });
    let admin = || app.as_person("admin");
    let bound = admin()
        .put("/law/roles/platform", bind(&json!(civil)))
        .await
        .ok();
    assert_eq!(
        (&bound["because"], &bound["department_id"]),
        (&json!("bound"), &json!(civil))
    );
    // The regulation names one body for both, so one binding serves both; county authorities are others.
    assert_eq!(behind(&app, "authority", None).await, civil);
    let authority = role(&app, "authority").await;
    assert_eq!(
        (&authority["because"], &authority["department_name"]),
        (&json!("same_body"), &json!(app.department_name("civil")))
    );
    assert_eq!(behind(&app, "county_authority", None).await, bigdata);

    admin()
        .put("/law/roles/authority", bind(&json!(tax)))
        .await
        .ok();
    assert_eq!(behind(&app, "authority", None).await, tax);
    assert_eq!(behind(&app, "platform", None).await, civil);
    for id in ["authority", "platform"] {
        admin()
            .put(&format!("/law/roles/{id}"), bind(&Value::Null))
            .await
            .ok();
        assert_eq!(role(&app, id).await["bindings"], json!([]));
    }
    assert_eq!(behind(&app, "authority", None).await, bigdata);
    app.idle().await;
    assert!(app.ledger_text().contains("directory.role_bound"));
    app.finish().await;
}

/// PDS-13: a county's applications go through the authority of that county.
#[tokio::test]
async fn pds_13_a_county_authority_serves_its_own_county() {
    let app = TestApp::start().await;
    let (bigdata, county, tax) = (
        app.department("bigdata").await,
        app.department("county").await,
        app.department("tax").await,
    );
    let bind = |department: &str, division: &str| json!({ "department_id": department, "division_code": division });
    let put = |body: Value| {
        app.as_person("admin")
            .put("/law/roles/county_authority", body)
    };
    put(bind(&county, "410404")).await.ok();
    let behind = |division: Option<&'static str>| behind(&app, "county_authority", division);
    assert_eq!(behind(Some("410404")).await, county);
    assert_eq!(behind(Some("410404001000")).await, county, "a town of it");
    for elsewhere in [Some("410403"), Some("410400"), None] {
        assert_eq!(behind(elsewhere).await, bigdata);
    }
    // One for the whole city stands behind every county that has none of its own.
    put(bind(&tax, "410400")).await.ok();
    assert_eq!(behind(Some("410403")).await, tax);
    assert_eq!(behind(Some("410404")).await, county);
    assert_eq!(behind(Some("410500")).await, bigdata);
    app.finish().await;
}

#[tokio::test]
async fn roles_are_bound_by_the_system_administrator_and_only_roles_that_can_be() {
    let app = TestApp::start().await;
    let tax = app.department("tax").await;
    let body = json!({ "department_id": tax });
    for person in ["security", "auditor", "authority", "stats"] {
        app.as_person(person)
            .put("/law/roles/authority", body.clone())
            .await
            .refused(403, "access.no_post");
    }
    let admin = || app.as_person("admin");
    // The provider is whoever's data they are, and the government isn't on the platform.
    for id in ["provider", "government", "emperor"] {
        admin()
            .put(&format!("/law/roles/{id}"), body.clone())
            .await
            .refused(404, "directory.role_not_bound");
    }
    for (body, fault) in [
        (
            json!({ "department_id": "dep-none" }),
            "department_id: directory.department_id",
        ),
        (
            json!({ "department_id": tax, "division_code": "99" }),
            "division_code: directory.division_code",
        ),
    ] {
        let problem = admin().put("/law/roles/authority", body).await;
        assert_eq!(faults(&problem.refused(422, "directory.invalid")), [fault]);
    }
    assert_eq!(role(&app, "authority").await["bindings"], json!([]));
    app.finish().await;
}
