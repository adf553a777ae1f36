//! Departments and people from tables.

use std::io::Cursor;

use calamine::{Reader as _, Xlsx};
use rust_xlsxwriter::{Formula, Workbook};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, TestApp, faults};

const DEPARTMENTS: &str = "\
名称,简称,统一社会信用代码,行政区划代码,层级,单位性质,参照执行,上级部门,第一责任人,技术联系人,技术联系人电话
云溪县民政局,民政局,11410400005700030K,410400,本级,机关,,,钱大,周四,0375-7000004
石龙区民政局,,114104040057000575,410404,下一级,公用企业,是,云溪县民政局,,,
";

async fn import(app: &TestApp, what: &str, bytes: Vec<u8>) -> Reply {
    app.as_person("admin")
        .send(
            &format!("/{what}/import"),
            "application/octet-stream",
            bytes,
        )
        .await
}

async fn look(app: &TestApp, what: &str, text: &str) -> Reply {
    let path = format!("/{what}/import/preview");
    app.as_person("admin")
        .send(&path, "application/octet-stream", text.into())
        .await
}

async fn departments(app: &TestApp) -> Vec<Value> {
    let listed = app.as_person("admin").get("/departments").await.ok();
    listed["items"].as_array().unwrap().clone()
}

fn named<'a>(departments: &'a [Value], name: &str) -> &'a Value {
    departments
        .iter()
        .find(|d| d["name"] == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

/// The same table as a workbook, its codes typed as numbers where they can be.
fn workbook(text: &str) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (r, line) in (0_u32..).zip(text.lines()) {
        for (c, cell) in (0_u16..).zip(line.split(',')) {
            match cell.parse::<f64>() {
                Ok(number) if cell.len() < 10 => sheet.write_number(r, c, number).unwrap(),
                _ => sheet.write_string(r, c, cell).unwrap(),
            };
        }
    }
    workbook.save_to_buffer().unwrap()
}

#[tokio::test]
async fn a_table_of_departments_is_read_in_every_form_and_repeating_it_doubles_nothing() {
    let (gb, _, _) = encoding_rs::GB18030.encode(DEPARTMENTS);
    for bytes in [
        DEPARTMENTS.as_bytes().to_vec(),
        format!("\u{feff}{DEPARTMENTS}").into_bytes(),
        gb.into_owned(),
        workbook(DEPARTMENTS),
    ] {
        let app = TestApp::start().await;
        let before = departments(&app).await.len();
        let done = import(&app, "departments", bytes.clone()).await.ok();
        assert_eq!((&done["created"], &done["updated"]), (&json!(2), &json!(0)));
        let again = import(&app, "departments", bytes).await.ok();
        assert_eq!(
            (&again["created"], &again["updated"]),
            (&json!(0), &json!(2))
        );
        let listed = departments(&app).await;
        assert_eq!(listed.len(), before + 2);
        let (civil, county) = (
            named(&listed, "云溪县民政局"),
            named(&listed, "石龙区民政局"),
        );
        assert_eq!(
            (
                &county["superior_id"],
                &county["by_reference"],
                &county["kind"],
                &county["level"]
            ),
            (
                &civil["id"],
                &json!(true),
                &json!("utility"),
                &json!("county")
            )
        );
        let path = format!("/departments/{}", civil["id"].as_str().unwrap());
        let detail = app.as_person("admin").get(&path).await.ok();
        assert_eq!(detail["contacts"]["technical"]["phone"], "0375-7000004");
        app.finish().await;
    }
}

#[tokio::test]
async fn a_repeated_import_brings_up_to_date_and_leaves_what_is_empty() {
    let app = TestApp::start().await;
    import(&app, "departments", DEPARTMENTS.into()).await.ok();
    let changed = "名称,统一社会信用代码,行政区划代码,层级,分管领导\n\
                   云溪县民政局,11410400005700030K,410402,下一级,孙二\n";
    import(&app, "departments", changed.into()).await.ok();
    let listed = departments(&app).await;
    let civil = named(&listed, "云溪县民政局");
    assert_eq!(
        (&civil["division_code"], &civil["level"], &civil["kind"]),
        (&json!("410402"), &json!("county"), &json!("organ"))
    );
    let path = format!("/departments/{}", civil["id"].as_str().unwrap());
    let contacts = app.as_person("admin").get(&path).await.ok()["contacts"].clone();
    assert_eq!(
        (
            &contacts["first_responsible"]["name"],
            &contacts["leader_in_charge"]["name"]
        ),
        (&json!("钱大"), &json!("孙二"))
    );
    // A name has a history, so no table changes it.
    let renamed = changed.replace("云溪县民政局", "云溪县新民政局");
    let problem = import(&app, "departments", renamed.into())
        .await
        .refused(422, "directory.import_faulty");
    assert_eq!(faults(&problem), ["A2 名称: directory.import_name_differs"]);
    app.finish().await;
}

#[tokio::test]
async fn every_fault_of_a_table_is_told_in_its_cell_and_nothing_is_written() {
    let app = TestApp::start().await;
    let before = departments(&app).await;
    let faulty = "\
名称,统一社会信用代码,行政区划代码,层级,单位性质,参照执行,上级部门,技术联系人,技术联系人电话
云溪县民政局,11410400005700030K,410400,本级,机关,,,,
,11410400005700049X,99,别级,俱乐部,也许,没有的局,周四,
云溪县税务局,11410400005700030K,410400,本级,,,,,看门口
";
    let problem = import(&app, "departments", faulty.into())
        .await
        .refused(422, "directory.import_faulty");
    assert_eq!(
        faults(&problem),
        [
            "A3 名称: directory.import_cell_empty",
            "B3 统一社会信用代码: directory.credit_code",
            "C3 行政区划代码: directory.division_code",
            "D3 层级: directory.level",
            "E3 单位性质: directory.kind",
            "F3 参照执行: directory.import_yes_or_no",
            "I3 技术联系人电话: directory.phone_needed",
            "B4 统一社会信用代码: directory.import_repeated",
            "H4 技术联系人: directory.name",
            "I4 技术联系人电话: directory.phone",
        ]
    );
    assert!(
        problem["fields"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f["message"].as_str().unwrap().chars().count() > 5)
    );
    // A circle shows only once every row is in place, and goes back as a whole.
    let circle = "\
名称,统一社会信用代码,行政区划代码,层级,上级部门
云溪县民政局,11410400005700030K,410400,本级,石龙区民政局
石龙区民政局,114104040057000575,410404,下一级,云溪县民政局
";
    let problem = import(&app, "departments", circle.into())
        .await
        .refused(422, "directory.import_faulty");
    assert_eq!(
        faults(&problem),
        [
            "E2 上级部门: directory.superior",
            "E3 上级部门: directory.superior"
        ]
    );
    for (text, fault) in [
        ("名称,层级\nx,y\n", "directory.import_faulty"),
        (
            "名称,统一社会信用代码,行政区划代码,层级,颜色\nx,y,z,a,b\n",
            "directory.import_faulty",
        ),
        ("", "directory.import_empty"),
    ] {
        import(&app, "departments", text.into())
            .await
            .refused(422, fault);
    }
    import(&app, "departments", b"a\n\xff\xff".to_vec())
        .await
        .refused(422, "directory.import_encoding");
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 0, "名称").unwrap();
    sheet.write_formula(1, 0, Formula::new("=1+1")).unwrap();
    let problem = import(&app, "departments", workbook.save_to_buffer().unwrap())
        .await
        .refused(422, "directory.import_formula");
    assert_eq!(faults(&problem), ["A2: directory.import_formula"]);
    assert_eq!(departments(&app).await, before);
    app.as_person("security")
        .send(
            "/departments/import",
            "application/octet-stream",
            DEPARTMENTS.into(),
        )
        .await
        .refused(403, "access.no_post");
    app.finish().await;
}

/// What is looked at before an import says what is wrong or what would come of it, and writes nothing.
#[tokio::test]
async fn a_preview_tells_what_an_import_would_do_and_writes_nothing() {
    let app = TestApp::start().await;
    let before = departments(&app).await;
    let faulty = DEPARTMENTS.replace("下一级", "隔壁");
    let seen = look(&app, "departments", &faulty).await.ok();
    assert_eq!(seen["rows"], json!([]));
    let fault = &seen["faults"][0];
    assert_eq!(
        (&fault["cell"], &fault["column"], &fault["code"]),
        (&json!("E3"), &json!("层级"), &json!("directory.level"))
    );
    assert!(fault["message"].as_str().unwrap().chars().count() > 5);

    let seen = look(&app, "departments", DEPARTMENTS).await.ok();
    assert_eq!(seen["faults"], json!([]));
    assert_eq!(
        seen["rows"][1],
        json!({ "row": 3, "name": "石龙区民政局", "key": "114104040057000575", "is_new": true })
    );
    assert_eq!(departments(&app).await, before);
    let strangers = people(&app)
        .replace(",wang", "")
        .replace("11410400005700030K", "无此部门");
    let seen = look(&app, "people", &strangers).await.ok();
    assert_eq!(seen["faults"][0]["cell"], "C2");

    // What was looked at is what comes of it; the second time it brings up to date.
    import(&app, "departments", DEPARTMENTS.into()).await.ok();
    let seen = look(&app, "departments", DEPARTMENTS).await.ok();
    assert_eq!(seen["rows"][0]["is_new"], false);
    look(&app, "departments", "")
        .await
        .refused(422, "directory.import_empty");
    app.as_person("security")
        .send(
            "/people/import/preview",
            "application/octet-stream",
            people(&app).into(),
        )
        .await
        .refused(403, "access.no_post");
    app.finish().await;
}

#[tokio::test]
async fn the_templates_have_the_columns_that_are_read() {
    let app = TestApp::start().await;
    for (what, first) in [("departments", "名称"), ("people", "登录名")] {
        let reply = app
            .as_person("admin")
            .get(&format!("/{what}/template.xlsx"))
            .await;
        assert_eq!(reply.status, 200);
        let bytes = reply.bytes.clone();
        let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(&bytes)).unwrap();
        let sheet = workbook.worksheet_range_at(0).unwrap().unwrap();
        assert_eq!(sheet.get_value((0, 0)).unwrap().to_string(), first);
        // Sent back as it came, it is known and empty.
        import(&app, what, bytes)
            .await
            .refused(422, "directory.import_empty");
    }
    app.as_person("auditor")
        .get("/people/template.xlsx")
        .await
        .refused(403, "access.no_post");
    app.finish().await;
}

fn people(app: &TestApp) -> String {
    let civil = app.department_name("civil");
    format!(
        "登录名,姓名,部门,电话,外包人员,监管部门,合同单位\n\
         wang,王一,{civil},0375-7000009,,,\n\
         weihu,维护员,11410400005700030K,,是,{civil},云溪数科（虚构）有限公司\n"
    )
}

#[tokio::test]
async fn people_of_a_table_set_their_first_password_by_a_link_that_works_once() {
    let app = TestApp::start().await;
    let civil = app.department("civil").await;
    let done = import(&app, "people", people(&app).into()).await.ok();
    assert_eq!((&done["created"], &done["updated"]), (&json!(2), &json!(0)));
    let token = done["invitations"][0]["token"].as_str().unwrap().to_owned();
    assert_eq!(done["invitations"][0]["login_name"], "wang");
    let sign_in = |password: &str| json!({ "login_name": "wang", "password": password });
    for password in ["", PASSWORD] {
        app.as_guest()
            .post("/session", sign_in(password))
            .await
            .refused(422, "session.wrong_name_or_password");
    }
    let listed = app.as_person("admin").get("/people").await.ok();
    let items = listed["items"].as_array().unwrap();
    let find = |login: &str| items.iter().find(|p| p["login_name"] == login).unwrap();
    assert_eq!(
        (
            &find("wang")["invited"],
            &find("wang")["department_id"],
            &find("wang")["posts"]
        ),
        (&json!(true), &json!(civil), &json!([]))
    );
    assert_eq!(
        find("weihu")["contract_company"],
        "云溪数科（虚构）有限公司"
    );

    let accept = |token: &str, password: &str| json!({ "token": token, "password": password });
    let guest = || app.as_guest();
    guest()
        .post("/invitation", accept(&token, "short"))
        .await
        .refused(422, "directory.invalid");
    guest()
        .post("/invitation", accept("0000", PASSWORD))
        .await
        .refused(403, "session.invitation_over");
    // A new link ends the old one.
    let wang = find("wang")["id"].as_str().unwrap().to_owned();
    let path = format!("/people/{wang}/invitation");
    let renewed = app.as_person("admin").post(&path, json!({})).await.ok();
    guest()
        .post("/invitation", accept(&token, PASSWORD))
        .await
        .refused(403, "session.invitation_over");
    let token = renewed["token"].as_str().unwrap().to_owned();
    guest()
        .post("/invitation", accept(&token, PASSWORD))
        .await
        .ok();
    guest()
        .post("/invitation", accept(&token, "another-password-1"))
        .await
        .refused(403, "session.invitation_over");
    guest().post("/session", sign_in(PASSWORD)).await.ok();
    app.as_person("admin")
        .post(&path, json!({}))
        .await
        .refused(409, "directory.password_is_set");

    // The other link runs out by itself.
    let late = done["invitations"][1]["token"].as_str().unwrap();
    app.set_clock("2026-09-28T01:01:00Z").await;
    guest()
        .post("/invitation", accept(late, PASSWORD))
        .await
        .refused(403, "session.invitation_over");
    // Repeated, nobody is doubled and nobody loses the password.
    let again = import(&app, "people", people(&app).into()).await.ok();
    assert_eq!(
        (&again["created"], &again["updated"], &again["invitations"]),
        (&json!(0), &json!(2), &json!([]))
    );
    guest().post("/session", sign_in(PASSWORD)).await.ok();
    app.idle().await;
    assert!(!app.ledger_text().contains(&token));
    app.finish().await;
}

/// Somebody who is entered without a password gets a link too, and can't come in before it is used.
#[tokio::test]
async fn whoever_is_entered_without_a_password_is_invited() {
    let app = TestApp::start().await;
    let civil = app.department("civil").await;
    let body = json!({ "login_name": "new.one", "name": "新人", "department_id": civil });
    let made = app.as_person("admin").post("/people", body).await.ok();
    assert_eq!(made["invited"], true);
    app.as_guest()
        .post(
            "/session",
            json!({ "login_name": "new.one", "password": "" }),
        )
        .await
        .refused(422, "session.wrong_name_or_password");
    let path = format!("/people/{}/invitation", made["id"].as_str().unwrap());
    let link = app.as_person("admin").post(&path, json!({})).await.ok();
    let accepted = json!({ "token": link["token"], "password": PASSWORD });
    app.as_guest().post("/invitation", accepted).await.ok();
    app.as_guest()
        .post(
            "/session",
            json!({ "login_name": "new.one", "password": PASSWORD }),
        )
        .await
        .ok();
    // A password that is given is checked, an empty one too.
    let empty =
        json!({ "login_name": "new.two", "name": "新人", "department_id": civil, "password": "" });
    let problem = app
        .as_person("admin")
        .post("/people", empty)
        .await
        .refused(422, "directory.invalid");
    assert_eq!(faults(&problem), ["password: directory.password_short"]);
    app.finish().await;
}

/// YC-30 holds for tables too, and no table takes posts away.
#[tokio::test]
async fn yc_30_a_table_of_people_is_checked_like_a_form() {
    let app = TestApp::start().await;
    app.department("civil").await;
    app.person("stats").await;
    let (civil, stats) = (app.department_name("civil"), app.department_name("stats"));
    let faulty = format!(
        "登录名,姓名,部门,电话,外包人员,监管部门,合同单位\n\
         Wang,王一,{civil},,,,\n\
         weihu,维护员,没有的局,,是,,\n\
         weihu,,{stats},,或许,,\n\
         stats,统计专员,{civil},,,,\n"
    );
    let problem = import(&app, "people", faulty.into())
        .await
        .refused(422, "directory.import_faulty");
    assert_eq!(
        faults(&problem),
        [
            "A2 登录名: directory.login_name",
            "C3 部门: directory.import_department",
            "F3 监管部门: directory.supervising_department",
            "G3 合同单位: directory.contract_company",
            "A4 登录名: directory.import_repeated",
            "B4 姓名: directory.import_cell_empty",
            "E4 外包人员: directory.import_yes_or_no",
            "C5 部门: directory.import_posts_held",
        ]
    );
    let listed = app.as_person("admin").get("/people").await.ok();
    assert!(!listed.to_string().contains("weihu"));
    app.finish().await;
}
