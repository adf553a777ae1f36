//! Platforms under each regulation, and short ways through its processes.

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use tongqu_domain::{
    catalogue::{DataItem, EntryContent},
    law::Pack,
};

use super::{Clock, Reply, START, TestApp, a_request, nothing, village_rows, villages_entry};

/// A Monday morning in China while the rules of Yichuan County were in force; the Saturday after it is
/// a make-up day, the Monday and the Tuesday after that are the Mid-Autumn Festival of 2021.
const START_2021: &str = "2021-09-13T01:00:00Z";

/// Id of the pack with which a city adopts the template.
const ADOPTED: &str = "yunxi-city";

/// A built-in pack as it stands in the repository.
fn built_in(id: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../regulations")
        .join(format!("{id}.toml"));
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

impl TestApp {
    /// A platform whose rule pack is `pack` and whose clock begins at `instant`.
    pub async fn under(pack: &str, instant: &str) -> Self {
        let clock = Clock::demo_from(instant.parse().unwrap());
        let app = Self::start_on(clock, |config| pack.clone_into(&mut config.law.pack)).await;
        app.set_up().await;
        app
    }

    /// A platform under the rule pack `id`, written anew from the one in the repository.
    pub async fn under_a_changed(
        id: &str,
        instant: &str,
        change: impl Fn(String) -> String,
    ) -> Self {
        Self::under_own(change(built_in(id)), instant).await
    }

    /// A platform under a rule pack of its own.
    pub async fn under_own(text: String, instant: &str) -> Self {
        let clock = Clock::demo_from(instant.parse().unwrap());
        let named = text
            .lines()
            .find_map(|line| line.strip_prefix("id = \""))
            .and_then(|rest| rest.strip_suffix('"'))
            .expect("a pack has an id")
            .to_owned();
        let app = Self::start_on(clock, |config| {
            let folder = config.stores.data_dir.with_file_name("packs");
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("changed.toml"), &text).unwrap();
            config.law.packs_dir = folder.display().to_string();
            config.law.pack = named;
        })
        .await;
        app.set_up().await;
        app
    }

    /// Under the rules of Pingdingshan City.
    pub async fn under_pingdingshan() -> Self {
        Self::under("pingdingshan-2020", START).await
    }

    /// Under the rules of Luyi County.
    pub async fn under_luyi() -> Self {
        Self::under("luyi-2019", START).await
    }

    /// Under the notice of Yanjin County.
    pub async fn under_yanjin() -> Self {
        Self::under("yanjin-2019", START).await
    }

    /// Under the rules of Yichuan County, in the year in which they were in force.
    pub async fn under_yichuan() -> Self {
        Self::under("yichuan-2020", START_2021).await
    }

    /// Under the template as a city has adopted it: its file with an issuer and a number of its own.
    pub async fn under_the_template() -> Self {
        let app = Self::under_a_changed("city-template", START, |text| {
            let adopted = text
                .replace("id = \"city-template\"", &format!("id = \"{ADOPTED}\""))
                .replace(
                    "template = true",
                    "issuer = \"云溪市人民政府办公室\"\nnumber = \"云政办〔2026〕1号\"",
                );
            assert_ne!(adopted, text);
            adopted
        })
        .await;
        // The template tells four bodies apart; platform and authority stay with the platform's own.
        app.bind("collector", "service").await;
        app.bind("legal_review", "justice").await;
        app
    }

    /// Binds a role of the regulation to a department.
    pub async fn bind(&self, role: &str, department: &str) {
        let body = json!({ "department_id": self.department(department).await });
        self.as_person("admin")
            .put(&format!("/law/roles/{role}"), body)
            .await
            .ok();
    }

    /// The rule pack in force.
    pub fn pack(&self) -> Arc<Pack> {
        self.app().pack()
    }

    /// An entry with rows behind it that fits the pack in force: it states what its class asks for.
    pub fn content(&self, name: &str, class: &str) -> EntryContent {
        let pack = self.pack();
        let rule = pack
            .sharing_classes()
            .iter()
            .find(|c| c.code == class)
            .unwrap_or_else(|| panic!("{} has no class {class}", pack.meta.id));
        let only_libraries = pack
            .list("scope")
            .is_some_and(|list| list.items.iter().any(|i| i.code == "base_libraries_only"));
        let open = pack.sharing_classes()[0].code == class;
        let recipients = if open {
            Vec::new()
        } else {
            vec![self.department_name("civil").to_owned()]
        };
        let content = villages_entry(name, class);
        EntryContent {
            sharing_condition: (!open).then(|| "仅限履行职责使用".to_owned()),
            legal_basis: rule
                .needs_legal_basis
                .then(|| "《中华人民共和国统计法》第二十五条".to_owned()),
            recipients,
            purposes: if open {
                Vec::new()
            } else {
                vec!["行政依据".to_owned()]
            },
            base_library: only_libraries.then(|| "geography".to_owned()),
            items: content
                .items
                .into_iter()
                .map(|item| DataItem {
                    standard: Some("GB/T 10114".to_owned()),
                    ..item
                })
                .collect(),
            ..content
        }
    }

    /// Publishes an entry of a class of the pack in force; gives its id.
    pub async fn published(&self, name: &str, class: &str) -> String {
        self.published_entry(&self.content(name, class)).await
    }

    /// Publishes an entry of a class that is offered as a service interface too.
    pub async fn published_interface(&self, name: &str, class: &str) -> String {
        self.published_entry(&EntryContent {
            modes: vec!["interface".to_owned()],
            ..self.content(name, class)
        })
        .await
    }

    /// Publishes an entry of a class and mounts it to a table of 20 rows that the platform holds already.
    pub async fn pooled(&self, name: &str, class: &str) -> String {
        let entry = self.published(name, class).await;
        let source = self.store("stats").await;
        if source.number("SELECT count(*) FROM sqlite_master WHERE name = 'division_village'") == 0
        {
            source.sql(&village_rows(20));
        }
        self.store("civil").await;
        self.mount(&entry, "division_village").await;
        entry
    }

    /// A request of the civil affairs bureau on an entry.
    pub async fn ask(&self, entry: &str) -> Value {
        self.as_person("civil")
            .post("/requests", a_request(entry))
            .await
            .ok()
    }

    /// Tries to fetch what was asked for without anybody's help.
    pub async fn try_fetch(&self, person: &str, request: &Value) -> Reply {
        let id = request["request_id"].as_str().expect("a request");
        let path = format!("/requests/{id}/delivery");
        let reply = self.as_person(person).post(&path, nothing()).await;
        self.idle().await;
        reply
    }

    /// A request of the civil affairs bureau for a service interface.
    pub async fn ask_for_interface(&self, entry: &str, more: Value) -> Reply {
        let mut body = a_request(entry);
        body["mode"] = json!("interface");
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        self.as_person("civil").post("/requests", body).await
    }

    /// Tries to begin a case.
    pub async fn try_open(&self, person: &str, body: Value) -> Reply {
        self.as_person(person).post("/cases", body).await
    }

    /// Begins a case about a thing; gives the case.
    pub async fn open_about(&self, person: &str, process: &str, subject: (&str, &str)) -> Value {
        let body = json!({
            "process_id": process,
            "subject": { "kind": subject.0, "id": subject.1 },
            "title": format!("{process}的办件"),
        });
        self.try_open(person, body).await.ok()
    }

    /// Reads a case, or the case of a request, as somebody who may.
    pub async fn case(&self, person: &str, case: &Value) -> Value {
        let id = case["case_id"].as_str().expect("a case");
        self.as_person(person)
            .get(&format!("/cases/{id}"))
            .await
            .ok()
    }

    /// Tries to take a step of a case as it stands.
    pub async fn try_take(&self, person: &str, case: &Value, step: &str, input: Value) -> Reply {
        let now = self.case("operator", case).await;
        let body = json!({ "input": input, "revision": now["revision"] });
        let id = case["case_id"].as_str().expect("a case");
        self.as_person(person)
            .post(&format!("/cases/{id}/steps/{step}"), body)
            .await
    }

    /// Takes a step of a case; gives the case.
    pub async fn take(&self, person: &str, case: &Value, step: &str, input: Value) -> Value {
        self.try_take(person, case, step, input).await.ok()
    }

    /// A step in which somebody decides, with a reason.
    pub async fn decide(&self, person: &str, case: &Value, step: &str, outcome: &str) -> Value {
        let input = json!({ "outcome": outcome, "reason": "履行职责需要" });
        self.take(person, case, step, input).await
    }

    /// Whether the department of a person was told of something in this case or request.
    pub async fn was_told(&self, person: &str, about: &Value) -> bool {
        let notices = self.as_person(person).get("/notices?size=100").await.ok();
        notices["items"].as_array().unwrap().iter().any(|notice| {
            [&about["case_id"], &about["request_id"]].contains(&&notice["subject_id"])
        })
    }

    /// Whether a case waits on the desk of a person who may go on with it.
    pub async fn waits_for(&self, person: &str, case: &Value) -> bool {
        let desk = self.as_person(person).get("/desk").await.ok();
        desk["todo"]
            .as_array()
            .unwrap()
            .iter()
            .any(|task| task["case_id"] == case["case_id"] && task["may_take"] == true)
    }

    /// Delivers a request and waits until the rows have arrived; gives the request as it stands then.
    pub async fn delivered(&self, request: &Value) -> Value {
        self.deliver(request["request_id"].as_str().expect("a request"))
            .await;
        self.request_of(request).await
    }

    /// A request as it stands.
    pub async fn request_of(&self, request: &Value) -> Value {
        self.request_seen_by("operator", request).await
    }

    /// A request as a person sees it.
    pub async fn request_seen_by(&self, person: &str, request: &Value) -> Value {
        let id = request["request_id"].as_str().expect("a request");
        self.as_person(person)
            .get(&format!("/requests/{id}"))
            .await
            .ok()
    }

    /// The grant that came of a request, as it is stored.
    pub async fn grant(&self, request: &Value) -> tongqu_domain::grant::Grant {
        let id = request["case_id"].as_str().expect("a request");
        let id = tongqu_domain::ids::CaseId::parse(id).unwrap();
        let mut db = self.app().registry.read().await.unwrap();
        tongqu::features::request::grant_of_case(&mut db, &id)
            .await
            .unwrap()
            .expect("a grant came of it")
    }

    /// The standing case that accompanies the grant of a request.
    pub async fn life_of(&self, request: &Value) -> Value {
        let grant = self.grant(request).await;
        let cases = self
            .as_person("operator")
            .get(&format!(
                "/cases?scope=all&subject_kind=grant&subject_id={}",
                grant.id
            ))
            .await
            .ok();
        cases["items"][0].clone()
    }

    /// Urges a step of a case.
    pub async fn urge(&self, person: &str, case: &Value, step: &str) -> Value {
        let id = case["case_id"].as_str().expect("a case");
        self.as_person(person)
            .post(&format!("/cases/{id}/steps/{step}/urging"), nothing())
            .await
            .ok()
    }
}

/// A step of a case or request as it is shown.
#[track_caller]
pub fn step<'a>(case: &'a Value, id: &str) -> &'a Value {
    case["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["id"] == id)
        .unwrap_or_else(|| panic!("no step {id} in {case:#}"))
}

/// Whether a case shows a duty with this clause.
pub fn duty(case: &Value, clause: &str) -> bool {
    case["duties"]
        .as_array()
        .unwrap()
        .iter()
        .any(|duty| duty["clause"]["id"] == clause)
}

/// Whether an entry is offered to whoever reads it.
pub fn may_request(entry: &Value) -> bool {
    entry["actions"]
        .as_array()
        .unwrap()
        .contains(&json!("request"))
}
