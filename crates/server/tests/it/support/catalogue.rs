//! Entries: what they say, and the short ways from a workbook to a published entry.

use serde_json::{Value, json};
use tongqu::features::catalogue::workbook::{self, Choice, TemplateOptions, Unclassed};
use tongqu_domain::catalogue::{
    CheckKind, Contact, DataItem, DataType, EntryContent, MaskKind, ResourceFormat, Sensitivity,
    UpdateCycle,
};
use tongqu_domain::law::{BarredAct, FactValue, Facts, HandedIn};

use super::{TestApp, nothing};

/// A text item that may be empty.
pub fn an_item(name: &str, code: &str) -> DataItem {
    DataItem {
        name: name.to_owned(),
        code: code.to_owned(),
        data_type: DataType::Text,
        length: Some(60),
        scale: None,
        nullable: true,
        key: false,
        sensitivity: Sensitivity::General,
        mask: None,
        check: None,
        standard: None,
    }
}

/// An unconditional entry of the statistics bureau with a key and a name.
pub fn an_entry(name: &str) -> EntryContent {
    EntryContent {
        name: name.to_owned(),
        class_code: "307001".to_owned(),
        summary: format!("{name}，每年更新。"),
        format: ResourceFormat::Database,
        sharing_class: "unconditional".to_owned(),
        sharing_condition: None,
        legal_basis: None,
        modes: vec!["table".to_owned()],
        open: false,
        open_condition: None,
        update_cycle: UpdateCycle::Yearly,
        grade: 2,
        source_system: Some("统计联网直报".to_owned()),
        base_library: None,
        authorising_contact: Contact {
            name: "王授权".to_owned(),
            phone: "0375-7000003".to_owned(),
        },
        technical_contact: Contact {
            name: "李技术".to_owned(),
            phone: "0375-7000004".to_owned(),
        },
        related_codes: Vec::new(),
        declared_unclassified: true,
        recipients: vec!["云溪县民政局".to_owned()],
        purposes: vec!["行政依据".to_owned()],
        theme: None,
        items: vec![
            DataItem {
                length: Some(12),
                nullable: false,
                key: true,
                ..an_item("代码", "code")
            },
            DataItem {
                nullable: false,
                ..an_item("名称", "name")
            },
        ],
    }
}

/// The entry behind the table of [`super::village_rows`], one of its items masked.
pub fn villages_entry(name: &str, sharing_class: &str) -> EntryContent {
    EntryContent {
        sharing_class: sharing_class.to_owned(),
        sharing_condition: (sharing_class == "conditional").then(|| "仅限履行职责使用".to_owned()),
        summary: "县级以下村级行政区划代码与名称，来自统计用区划代码。".to_owned(),
        items: vec![
            DataItem {
                length: Some(12),
                nullable: false,
                key: true,
                check: Some(CheckKind::DivisionCode),
                ..an_item("区划代码", "code")
            },
            DataItem {
                nullable: false,
                ..an_item("区划名称", "name")
            },
            DataItem {
                length: Some(9),
                nullable: false,
                ..an_item("上级代码", "parent_code")
            },
            DataItem {
                length: Some(20),
                sensitivity: Sensitivity::Sensitive,
                mask: Some(MaskKind::Phone),
                ..an_item("联系电话", "phone")
            },
            DataItem {
                data_type: DataType::Integer,
                length: None,
                ..an_item("户数", "households")
            },
        ],
        ..an_entry(name)
    }
}

impl TestApp {
    /// What the rule pack in force lets a department choose from.
    pub fn template_options(&self) -> TemplateOptions {
        let pack = &self.app().pack();
        let choice = |code: &str, name: &str| Choice {
            code: code.to_owned(),
            name: name.to_owned(),
        };
        TemplateOptions {
            unclassed: Unclassed::default(),
            sharing_classes: pack
                .sharing_classes()
                .iter()
                .map(|c| choice(&c.code, &c.name))
                .collect(),
            modes: pack
                .exchange_modes()
                .iter()
                .map(|m| choice(&m.code, &m.name))
                .collect(),
            base_libraries: pack.list("base_libraries").map_or_else(Vec::new, |list| {
                list.items
                    .iter()
                    .map(|i| choice(&i.code, &i.name))
                    .collect()
            }),
        }
    }

    /// The template with these entries filled in.
    pub fn workbook(&self, entries: &[EntryContent]) -> Vec<u8> {
        workbook::filled(&self.template_options(), entries).unwrap()
    }

    /// Imports an entry as a draft; gives its version id.
    pub async fn draft(&self, officer: &str, content: &EntryContent) -> String {
        let workbook = self.workbook(std::slice::from_ref(content));
        let imported = self.as_person(officer).upload(workbook).await.ok();
        imported["entries"][0]["version_id"]
            .as_str()
            .unwrap_or_else(|| panic!("not kept: {imported}"))
            .to_owned()
    }

    /// Imports and submits an entry; gives its version id.
    pub async fn submit(&self, officer: &str, content: &EntryContent) -> String {
        let version_id = self.draft(officer, content).await;
        self.as_person(officer)
            .post(
                &format!("/catalogue/versions/{version_id}/submission"),
                nothing(),
            )
            .await
            .ok();
        version_id
    }

    /// Imports, submits and publishes an entry; gives the published version.
    pub async fn publish(&self, officer: &str, content: &EntryContent) -> Value {
        let version_id = self.submit(officer, content).await;
        self.classify_if_asked(officer, content).await;
        let path = format!("/catalogue/versions/{version_id}/publication");
        self.as_person(self.reviewer())
            .post(&path, nothing())
            .await
            .ok()
    }

    /// Has the class of a submitted entry determined, where the rule pack asks for it before publishing.
    pub async fn classify_if_asked(&self, officer: &str, content: &EntryContent) {
        let class = FactValue::from(content.sharing_class.as_str());
        let in_library = FactValue::from(content.base_library.is_some());
        let facts = Facts::from([
            ("class".to_owned(), class),
            ("base_library".to_owned(), in_library),
        ]);
        let pack = self.app().pack();
        if pack.meta.template {
            return;
        }
        if pack
            .approvals_for(BarredAct::Publish, &facts)
            .next()
            .is_none()
        {
            return;
        }
        let own = self
            .as_person(officer)
            .get("/catalogue/own?size=100")
            .await
            .ok();
        let lines = own["items"].as_array().unwrap();
        let line = lines
            .iter()
            .find(|line| line["name"] == content.name.as_str());
        let entry = line.expect("it was submitted")["entry_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let case = self
            .open_about(officer, "classification", ("entry", &entry))
            .await;
        if content.sharing_class == "special" {
            self.take(officer, &case, "special_by_provider", nothing())
                .await;
            let accept = json!({ "outcome": "accepted" });
            self.take("authority", &case, "special_review", accept)
                .await;
            return;
        }
        self.take(officer, &case, "provider_opinion", nothing())
            .await;
        self.take("justice", &case, "legal_opinion", nothing())
            .await;
        let class = json!({ "facts": { "determined_class": content.sharing_class } });
        self.take("authority", &case, "conditional_or_not", class)
            .await;
    }

    /// Who publishes what departments submit, under the pack in force.
    fn reviewer(&self) -> &'static str {
        match self.pack().receiver(HandedIn::Catalogue) {
            Some(receiver) if receiver.role.as_str() == "collector" => "service",
            Some(_) | None => "authority",
        }
    }

    /// Publishes an entry of the statistics bureau; gives its id.
    pub async fn published_entry(&self, content: &EntryContent) -> String {
        self.publish("stats", content).await["entry_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}
