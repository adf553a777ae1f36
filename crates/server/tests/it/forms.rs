//! Attachments and printed application forms.

use serde_json::{Value, json};
use tongqu::{
    features::attachment::{AttachmentRow, take},
    platform::{evidence::Entry, http::ApiError},
};
use tongqu_domain::{
    catalogue::EntryContent,
    ids::{CaseId, DepartmentId},
};

use crate::support::{Reply, TestApp, a_request, pdf::Pdf, villages_entry};

const PDF: &[u8] =
    b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n";

fn a_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend(b"\x08\x02\0\0\0crc_\0\0\0\x04IDATdatacrc_\0\0\0\0IENDcrc_");
    bytes
}

/// A ZIP with one stored file.
fn a_zip(name: &str, flags: u8) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0".to_vec();
    bytes.extend([flags, 0]);
    bytes.extend([0; 18]);
    bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(name.as_bytes());
    let directory = bytes.len();
    bytes.extend(b"PK\x01\x02\x14\0\x14\0");
    bytes.extend([flags, 0]);
    bytes.extend([0; 18]);
    bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend(name.as_bytes());
    let size = bytes.len() - directory;
    bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    bytes.extend(u32::try_from(size).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(directory).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

async fn upload(app: &TestApp, person: &str, query: &str, bytes: Vec<u8>) -> Reply {
    let path = format!("/attachments?{query}");
    app.as_person(person)
        .send(&path, "application/octet-stream", bytes)
        .await
}

async fn a_scan(app: &TestApp, person: &str) -> Value {
    upload(app, person, "kind=sealed_form&name=scan.pdf", PDF.to_vec())
        .await
        .ok()
}

/// Spec: PDS-12.
#[tokio::test]
async fn pds_12_a_scan_is_kept_as_what_its_content_is() {
    let app = TestApp::start().await;
    // 盖章申请表.exe: the name is for people, the ending follows the content.
    let name = "%E7%9B%96%E7%AB%A0%E7%94%B3%E8%AF%B7%E8%A1%A8.exe";
    for (bytes, media_type, ending) in [
        (PDF.to_vec(), "application/pdf", "pdf"),
        (a_png(1240, 1754), "image/png", "png"),
        (a_zip("OFD.xml", 0), "application/ofd", "ofd"),
    ] {
        let query = format!("kind=sealed_form&name={name}");
        let kept = upload(&app, "civil", &query, bytes.clone()).await.ok();
        assert_eq!(
            (&kept["content_type"], &kept["name"], &kept["kind"]),
            (
                &json!(media_type),
                &json!(format!("盖章申请表.{ending}")),
                &json!("sealed_form")
            )
        );
        let path = format!("/attachments/{}", kept["attachment_id"].as_str().unwrap());
        let file = app.as_person("civil").get(&path).await;
        assert_eq!((file.status, &file.bytes), (200, &bytes));
        assert_eq!(file.header("content-type"), media_type);
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        let disposition = file.header("content-disposition");
        assert!(
            disposition.starts_with("attachment; ")
                && disposition.ends_with(&format!("{}.{ending}", name.trim_end_matches(".exe"))),
            "{disposition}"
        );
        let info = app
            .as_person("civil")
            .get(&format!("{path}/info"))
            .await
            .ok();
        assert_eq!(info, kept);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_file_that_nobody_could_read_is_refused() {
    let app = TestApp::start_with(|config| config.forms.attachment_bytes_max = 4096).await;
    let encrypted = String::from_utf8(PDF.to_vec())
        .unwrap()
        .replace("/Root", "/Encrypt 3 0 R/Root");
    for (bytes, code) in [
        (Vec::new(), "attachment.empty"),
        (b"MZ\x90\0 not a form".to_vec(), "attachment.type_not_taken"),
        (a_zip("word/document.xml", 0), "attachment.type_not_taken"),
        (PDF[..PDF.len() - 7].to_vec(), "attachment.pdf_broken"),
        (encrypted.into_bytes(), "attachment.pdf_encrypted"),
        (a_png(1240, 1754)[..40].to_vec(), "attachment.image_broken"),
        (a_png(299, 1754), "attachment.image_small"),
        (a_zip("OFD.xml", 1), "attachment.ofd_encrypted"),
        (a_zip("OFD.xml", 0)[..40].to_vec(), "attachment.ofd_broken"),
        (vec![b' '; 4097], "attachment.too_large"),
    ] {
        upload(&app, "civil", "kind=sealed_form", bytes)
            .await
            .refused(422, code);
    }
    upload(&app, "civil", "kind=holiday_photo", PDF.to_vec())
        .await
        .refused(422, "attachment.kind_unknown");
    upload(&app, "auditor", "kind=sealed_form", PDF.to_vec())
        .await
        .refused(403, "access.no_post");
    app.finish().await;
}

async fn take_in(
    app: &TestApp,
    attachment: &Value,
    case_id: &str,
    department: &str,
) -> Result<AttachmentRow, ApiError> {
    let department = DepartmentId::parse(&app.department(department).await).unwrap();
    let case_id = CaseId::parse(case_id).unwrap();
    let mut tx = app
        .app()
        .registry
        .begin(app.app().clock.now())
        .await
        .unwrap();
    let id = attachment["attachment_id"].as_str().unwrap();
    let row = take(&mut tx, id, &case_id, &department).await?;
    tx.commit(Entry::by_platform("case.opened")).await.unwrap();
    Ok(row)
}

/// Spec: PDS-12, PDS-13.
#[tokio::test]
async fn an_upload_is_taken_by_one_case_of_its_own_department() {
    taken_once(TestApp::start().await).await;
}

#[tokio::test]
async fn an_upload_is_taken_by_one_case_of_its_own_department_in_postgres() {
    taken_once(TestApp::on_postgres().await).await;
}

async fn taken_once(app: TestApp) {
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let file = || async {
        let filed = app
            .as_person("civil")
            .post("/requests", a_request(&entry))
            .await
            .ok();
        filed["case_id"].as_str().unwrap().to_owned()
    };
    let (case_id, other_case) = (file().await, file().await);
    let scan = a_scan(&app, "civil").await;
    let path = format!("/attachments/{}", scan["attachment_id"].as_str().unwrap());
    let open = |person: &'static str| app.as_person(person).get(&path);

    assert_eq!(open("civil_head").await.status, 200);
    for stranger in ["stats", "tax", "operator"] {
        open(stranger).await.refused(404, "attachment.not_found");
    }
    let stolen = take_in(&app, &scan, &case_id, "tax").await.unwrap_err();
    assert_eq!(stolen.code(), "attachment.not_found");

    let row = take_in(&app, &scan, &case_id, "civil").await.unwrap();
    let form = row.form_given(Some("scan_of_stamped_form".to_owned()));
    assert_eq!(form.file_digest.as_deref(), scan["digest"].as_str());
    for again in [&case_id, &other_case] {
        let twice = take_in(&app, &scan, again, "civil").await.unwrap_err();
        assert_eq!(twice.code(), "attachment.already_used");
    }
    for party in ["civil", "stats", "operator", "authority"] {
        assert_eq!(open(party).await.status, 200, "{party}");
    }
    open("tax").await.refused(403, "access.other_department");
    open("auditor").await.refused(403, "access.no_post");
    app.finish().await;
}

/// An entry that is had through an interface.
fn interface_entry(name: &str) -> EntryContent {
    EntryContent {
        modes: vec!["interface".to_owned()],
        ..villages_entry(name, "conditional")
    }
}

async fn print(app: &TestApp, person: &str, request: Value) -> Pdf {
    let paper = app
        .as_person(person)
        .post("/requests/form.pdf", request)
        .await;
    assert_eq!(
        (paper.status, paper.header("content-type")),
        (200, "application/pdf"),
        "{}",
        String::from_utf8_lossy(&paper.bytes)
    );
    Pdf::read(&paper.bytes)
}

/// Spec: PDS-12.
#[tokio::test]
async fn pds_12_the_form_of_an_interface_application_is_printed_with_its_place_for_the_seal() {
    let app = TestApp::start().await;
    let entry = app.published_entry(&interface_entry("行政区划代码")).await;
    let mut request = a_request(&entry);
    request["mode"] = json!("interface");
    request["term_months"] = json!(12);
    request["condition"] = json!([{ "column": "code", "op": "prefix", "values": ["4104"] }]);
    let text = print(&app, "civil", request.clone()).await.text();
    for expected in [
        "服务接口申请表",
        "填报单位：云溪县民政局",
        "11410400005700030K",
        "民政专员",
        "云溪县统计局",
        "行政区划代码",
        "307001/",
        "区划代码以“4104”开头",
        "行政依据",
        "核对最低生活保障对象的所在村",
        "社会救助审核确认",
        "社会救助系统",
        "12 个月",
        "区划名称",
        "加盖公章处",
        "经办人（签字）：",
        "第十二条",
    ] {
        assert!(text.contains(expected), "{expected} isn't in {text}");
    }
    assert!(!text.contains("编号："), "{text}");
    // What couldn't be filed isn't printed either.
    request["purpose"] = json!(" ");
    app.as_person("civil")
        .post("/requests/form.pdf", request)
        .await
        .refused(422, "request.faulty");
    app.finish().await;
}

fn code_of(text: &str) -> String {
    let rest = text.split("校验码 ").nth(1).unwrap();
    rest.chars().take_while(|sign| *sign != '　').collect()
}

/// The stamped paper and the record made of it later bear one code. Spec: PDS-12, PDS-13.
#[tokio::test]
async fn the_paper_printed_before_filing_has_the_code_of_the_record() {
    let app = TestApp::start().await;
    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let paper = print(&app, "civil", a_request(&entry)).await.text();
    app.set_clock("2026-09-22T02:00:00Z").await;
    let filed = app
        .as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let path = format!(
        "/requests/{}/form.pdf",
        filed["request_id"].as_str().unwrap()
    );
    for reader in ["civil", "stats", "operator"] {
        let reply = app.as_person(reader).get(&path).await;
        assert_eq!(reply.status, 200, "{reader}");
        let text = Pdf::read(&reply.bytes).text();
        assert!(text.contains(filed["number"].as_str().unwrap()), "{text}");
        assert!(text.contains("填表日期：2026年9月22日"), "{text}");
        assert_eq!(code_of(&text), code_of(&paper));
    }
    app.as_person("tax")
        .get(&path)
        .await
        .refused(403, "access.other_department");
    let mut other = a_request(&entry);
    other["duty"] = json!("其他职责");
    let other = print(&app, "civil", other).await.text();
    assert_ne!(code_of(&other), code_of(&paper));
    app.finish().await;
}

/// Spec: YC-29.2.
#[tokio::test]
async fn yc_29_2_the_county_has_its_own_form_from_the_same_code() {
    let app = TestApp::start_with(|config| config.law.pack = "yichuan-2020".to_owned()).await;
    let content = EntryContent {
        legal_basis: Some("《行政区划管理条例》第六条".to_owned()),
        ..villages_entry("行政区划代码", "conditional")
    };
    let entry = app.published_entry(&content).await;
    let text = print(&app, "civil", a_request(&entry)).await.text();
    for expected in ["伊川县政务数据共享需求单", "加盖公章处", "第二十九条"] {
        assert!(text.contains(expected), "{expected} isn't in {text}");
    }
    app.finish().await;
}

async fn printed_list(app: &TestApp, person: &str, query: &str) -> (Vec<u8>, Pdf) {
    // The browser may well speak English; the paper doesn't.
    let reply = app
        .as_person(person)
        .in_english()
        .get(&format!("/requests/list.pdf{query}"))
        .await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "application/pdf")
    );
    let pdf = Pdf::read(&reply.bytes);
    (reply.bytes, pdf)
}

#[tokio::test]
async fn a_department_prints_the_list_of_its_requests() {
    listed_on_paper(TestApp::start().await).await;
}

#[tokio::test]
async fn a_department_prints_the_list_of_its_requests_in_postgres() {
    listed_on_paper(TestApp::on_postgres().await).await;
}

async fn listed_on_paper(app: TestApp) {
    let (_, empty) = printed_list(&app, "civil", "").await;
    let text = empty.text();
    assert!(text.contains("没有符合条件的申请"), "{text}");
    assert!(text.contains("0 件"), "{text}");

    let entry = app
        .published_entry(&villages_entry("行政区划代码", "conditional"))
        .await;
    let file = |person: &'static str| {
        let request = a_request(&entry);
        let app = &app;
        async move { app.as_person(person).post("/requests", request).await.ok() }
    };
    let (kept, taken_back) = (file("civil").await, file("civil").await);
    let foreign = file("tax").await;
    app.as_person("civil")
        .post(
            &format!(
                "/requests/{}/withdrawal",
                taken_back["request_id"].as_str().unwrap()
            ),
            json!({ "reason": "重复提交" }),
        )
        .await
        .ok();
    let number = |request: &Value| request["number"].as_str().unwrap().to_owned();
    let (kept, taken_back, foreign) = (number(&kept), number(&taken_back), number(&foreign));

    let found = |query: &'static str| {
        let app = &app;
        async move {
            let (_, pdf) = printed_list(app, "civil", query).await;
            pdf.text()
        }
    };
    let all = found("").await;
    for expected in [
        "数据共享申请清单",
        "单位：云溪县民政局",
        "制表日期：",
        "2 件",
        "行政区划代码",
        "云溪县统计局",
        "办理中",
        "已撤回",
        "承诺日期",
        &kept,
        &taken_back,
        "第 1 页　共 1 页",
    ] {
        assert!(all.contains(expected), "{expected} isn't in {all}");
    }
    // What another department asks for isn't on it.
    assert!(!all.contains(&foreign), "{all}");
    let open = found("?state=open").await;
    assert!(
        open.contains(&kept) && !open.contains(&taken_back),
        "{open}"
    );
    let ended = found("?state=ended").await;
    assert!(
        ended.contains(&taken_back) && !ended.contains(&kept),
        "{ended}"
    );
    // The page lists the same under the same filter.
    let listed = app
        .as_person("civil")
        .get("/requests?state=ended")
        .await
        .ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["number"], json!(taken_back));

    for path in ["/requests", "/requests/list.pdf"] {
        app.as_person("auditor")
            .get(path)
            .await
            .refused(403, "access.no_post");
        app.as_person("civil")
            .get(&format!("{path}?state=lost"))
            .await
            .refused(422, "request.unknown_filter");
    }
    app.finish().await;
}

/// Names as people really write them, and as they had better not.
#[tokio::test]
async fn long_and_hostile_names_stay_in_their_cells_and_the_list_goes_over_pages() {
    let app = TestApp::start().await;
    let long = "云溪县农村最低生活保障对象家庭成员与经济状况核对结果".repeat(4);
    let hostile = "<img src=x onerror=alert(1)>😀反转(ET)\\Tj";
    let mut ids = Vec::new();
    for name in [long.as_str(), hostile] {
        ids.push(
            app.published_entry(&villages_entry(name, "conditional"))
                .await,
        );
    }
    for n in 0..24 {
        app.as_person("civil")
            .post("/requests", a_request(&ids[n % ids.len()]))
            .await
            .ok();
    }
    let (_, pdf) = printed_list(&app, "civil", "").await;
    let pages = pdf.pages();
    assert!(pages.len() > 2, "{} pages", pages.len());
    for (at, page) in pages.iter().enumerate() {
        let footer = format!("第 {} 页　共 {} 页", at + 1, pages.len());
        assert!(page.contains(&footer), "{footer} isn't in {page:?}");
        assert!(page.contains(&"办到哪里".to_owned()), "{page:?}");
    }
    let text: String = pages.concat().concat();
    // The name is cut into lines, and none of its characters is lost.
    assert!(text.contains(&long), "{text}");
    assert!(text.contains("<img"), "{text}");
    assert!(text.contains("〓反转(ET)\\Tj"), "{text}");
    assert!(text.contains("缺字：U+1F600"), "{text}");
    app.finish().await;
}
