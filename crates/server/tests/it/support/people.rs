//! Who works where: departments and people come into being when a test first needs them.

use serde_json::{Value, json};

use super::{PASSWORD, TestApp};

/// Short name, full name, credit code, level. Invented, with sound check characters.
const DEPARTMENTS: &[(&str, &str, &str, &str)] = &[
    (
        "bigdata",
        "云溪县政务服务和大数据管理局",
        "11410400005700014X",
        "city",
    ),
    ("stats", "云溪县统计局", "11410400005700022Q", "city"),
    ("civil", "云溪县民政局", "11410400005700030K", "city"),
    ("tax", "云溪县税务局", "11410400005700049G", "city"),
    ("county", "石龙区民政局", "114104040057000575", "county"),
    ("justice", "云溪县司法局", "114104000057000656", "city"),
    (
        "service",
        "云溪县政务服务中心",
        "114104000057000731",
        "city",
    ),
    (
        "county_data",
        "石龙区大数据中心",
        "11410404005700081M",
        "county",
    ),
];

/// Login name, name, department, posts, and whether the person works for a contractor.
const PEOPLE: &[(&str, &str, &str, &[&str], bool)] = &[
    ("security", "安全员", "bigdata", &["security_admin"], false),
    ("auditor", "审计员", "bigdata", &["auditor"], false),
    ("authority", "审核员", "bigdata", &["authority"], false),
    ("authority2", "审核员乙", "bigdata", &["authority"], false),
    ("operator", "运营员", "bigdata", &["operator"], false),
    (
        "contractor",
        "驻场运维",
        "bigdata",
        &["operator", "authority"],
        true,
    ),
    (
        "bigdata_officer",
        "大数据局专员",
        "bigdata",
        &["data_officer"],
        false,
    ),
    (
        "both",
        "身兼两职",
        "bigdata",
        &["data_officer", "authority"],
        false,
    ),
    ("leader", "分管领导", "bigdata", &["leader"], false),
    (
        "supervisor",
        "网信监督员",
        "bigdata",
        &["supervisor"],
        false,
    ),
    ("stats", "统计专员", "stats", &["data_officer"], false),
    ("stats2", "统计专员乙", "stats", &["data_officer"], false),
    ("stats_head", "统计局长", "stats", &["head"], false),
    (
        "stats_contractor",
        "统计外包",
        "stats",
        &["data_officer"],
        true,
    ),
    ("civil", "民政专员", "civil", &["data_officer"], false),
    ("civil_head", "民政局长", "civil", &["head"], false),
    ("tax", "税务专员", "tax", &["data_officer"], false),
    ("county", "区民政专员", "county", &["data_officer"], false),
    ("justice", "法制审核员", "justice", &["data_officer"], false),
    (
        "service",
        "政务服务专员",
        "service",
        &["data_officer"],
        false,
    ),
    (
        "county_authority",
        "区主管审核员",
        "county_data",
        &["county_authority"],
        false,
    ),
    // Whoever the data are about; the account stands in a department only because every account does.
    ("citizen", "当事人", "civil", &["citizen"], false),
];

/// The first administrator.
const ADMIN: &str = "admin";

fn department_body(short: &str) -> Value {
    let (_, name, credit_code, level) = DEPARTMENTS
        .iter()
        .find(|d| d.0 == short)
        .unwrap_or_else(|| panic!("no department {short}"));
    let division_code = &credit_code[2..8];
    json!({ "name": name, "credit_code": credit_code, "division_code": division_code, "level": level })
}

impl TestApp {
    /// What the one-time link is used for: the platform's name, its department, its first administrator.
    pub fn set_up_body(&self) -> Value {
        let token = self
            .app()
            .setup_token
            .lock()
            .unwrap()
            .clone()
            .unwrap_or_default();
        json!({
            "token": token,
            "platform_name": "云溪县政务数据共享交换平台",
            "department": department_body("bigdata"),
            "login_name": ADMIN,
            "name": "系统员",
            "phone": "0375-7000001",
            "password": PASSWORD,
        })
    }

    pub(super) async fn set_up(&self) {
        let made = self
            .as_guest()
            .post("/setup", self.set_up_body())
            .await
            .ok();
        let mut known = self.known.lock().await;
        known.departments.insert(
            "bigdata".to_owned(),
            made["department_id"].as_str().unwrap().to_owned(),
        );
        known.people.insert(
            ADMIN.to_owned(),
            made["person_id"].as_str().unwrap().to_owned(),
        );
    }

    /// The id of a department by its short name.
    pub async fn department(&self, short: &str) -> String {
        if let Some(id) = self.known.lock().await.departments.get(short) {
            return id.clone();
        }
        let made = self
            .as_person(ADMIN)
            .post("/departments", department_body(short))
            .await
            .ok();
        let id = made["id"].as_str().unwrap().to_owned();
        self.known
            .lock()
            .await
            .departments
            .insert(short.to_owned(), id.clone());
        id
    }

    /// Puts a department's duties in place of those registered.
    pub async fn register_duties(&self, short: &str, duties: &[&str]) {
        self.edit_department(short, json!({ "duties": duties }))
            .await;
    }

    /// Names whoever answers first for a department.
    pub async fn name_first_responsible(&self, short: &str, name: &str) {
        let contact = json!({ "name": name, "phone": "0375-7000009" });
        let contacts = json!({ "first_responsible": contact });
        self.edit_department(short, json!({ "contacts": contacts }))
            .await;
    }

    /// Moves a department to another division.
    pub async fn move_department(&self, short: &str, division_code: &str) {
        self.edit_department(short, json!({ "division_code": division_code }))
            .await;
    }

    async fn edit_department(&self, short: &str, change: Value) {
        let path = format!("/departments/{}", self.department(short).await);
        let now = self.as_person(ADMIN).get(&path).await.ok();
        let mut body = json!({});
        for key in [
            "division_code",
            "level",
            "kind",
            "by_reference",
            "superior_id",
        ] {
            body[key] = now[key].clone();
        }
        for (key, value) in change.as_object().expect("an object") {
            body[key] = value.clone();
        }
        self.as_person(ADMIN).put(&path, body).await.ok();
    }

    /// The full name of a department by its short name.
    pub fn department_name(&self, short: &str) -> &'static str {
        DEPARTMENTS
            .iter()
            .find(|d| d.0 == short)
            .unwrap_or_else(|| panic!("no department {short}"))
            .1
    }

    /// The id of a person by the login name.
    pub async fn person(&self, login_name: &str) -> String {
        if let Some(id) = self.known.lock().await.people.get(login_name) {
            return id.clone();
        }
        let (_, name, department, posts, contractor) = PEOPLE
            .iter()
            .find(|p| p.0 == login_name)
            .unwrap_or_else(|| panic!("nobody is called {login_name}"));
        let department_id = self.department(department).await;
        // The system administrator names the first security administrator, who then gives all posts.
        // Whoever works for a contractor is watched over by the department.
        let (supervisor, company) = if *contractor {
            (Some(&department_id), "云溪数科（虚构）有限公司")
        } else {
            (None, "")
        };
        let first_posts: &[&str] = if login_name == "security" { posts } else { &[] };
        let body = json!({
            "login_name": login_name, "name": name, "phone": "0375-7000002", "department_id": department_id,
            "posts": first_posts, "contractor": contractor, "supervising_department_id": supervisor,
            "contract_company": company, "password": PASSWORD,
        });
        let made = self.as_person(ADMIN).post("/people", body).await.ok();
        let id = made["id"].as_str().unwrap().to_owned();
        if first_posts.is_empty() {
            let posts = json!({ "posts": posts });
            self.as_person("security")
                .put(&format!("/people/{id}/posts"), posts)
                .await
                .ok();
        }
        self.known
            .lock()
            .await
            .people
            .insert(login_name.to_owned(), id.clone());
        id
    }

    /// The session of a person, opened if there is none.
    pub(super) async fn session_of(&self, login_name: &str) -> String {
        if let Some(session) = self.known.lock().await.sessions.get(login_name) {
            return session.clone();
        }
        // The administrator is there from the start; asking for the others makes them.
        if login_name != ADMIN {
            self.person(login_name).await;
        }
        let session = self.sign_in(login_name).await;
        self.known
            .lock()
            .await
            .sessions
            .insert(login_name.to_owned(), session.clone());
        session
    }

    /// Signs a person in and gives the session's token.
    pub async fn sign_in(&self, login_name: &str) -> String {
        let body = json!({ "login_name": login_name, "password": PASSWORD });
        let reply = self.as_guest().post("/session", body).await;
        let cookie = reply.header("set-cookie").to_owned();
        reply.ok();
        let (_, rest) = cookie
            .split_once("tongqu_session=")
            .expect("a session cookie");
        rest.split(';').next().unwrap().to_owned()
    }
}
