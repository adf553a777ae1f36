//! Described, published, found.

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    super::{
        county::{OPEN_ENTRY, RETURNED_ENTRY, SECOND_VERSION_ENTRY, second_version},
        seed::{CORRECTED, FAULTY, text},
        store::{DIVISIONS_TOTAL, TABLE},
    },
    Story,
};
use crate::features::catalogue::{template_options, workbook};

impl Story<'_> {
    pub(super) async fn import_with_faults(&self) -> anyhow::Result<Value> {
        let bytes = std::fs::read(self.data.join("templates").join(FAULTY))?;
        let answer = self
            .statistics()?
            .upload("/catalogue/imports", bytes)
            .await?;
        ensure!(answer.status.is_success(), "{}", answer.body);
        let entries = answer.body["entries"].as_array().context("no entries")?;
        let faulty = entries.iter().filter(|e| e["outcome"] == "faulty").count();
        ensure!(
            entries.len() == 12 && faulty == 2,
            "{} entries, {faulty} faulty",
            entries.len()
        );
        let cells: Vec<String> = answer.body["faults"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|f| {
                format!(
                    "{}!{}",
                    f["sheet"].as_str().unwrap_or_default(),
                    f["cell"].as_str().unwrap_or_default()
                )
            })
            .collect();
        ensure!(
            cells.len() >= 3,
            "faults without their cells: {}",
            answer.body["faults"]
        );
        let id = text(&answer.body, "import_id")?;
        let marked = self
            .statistics()?
            .download(&format!("/catalogue/imports/{id}/workbook"))
            .await?;
        ensure!(
            marked.starts_with(b"PK"),
            "the marked workbook is no workbook"
        );
        Ok(json!({ "entries": entries.len(), "faulty": faulty, "cells": cells }))
    }

    pub(super) async fn import_corrected(&self) -> anyhow::Result<Value> {
        let bytes = std::fs::read(self.data.join("templates").join(CORRECTED))?;
        let answer = self
            .statistics()?
            .upload("/catalogue/imports", bytes)
            .await?;
        ensure!(
            answer.body["faults_total"] == 0,
            "still faulty: {}",
            answer.body["faults"]
        );
        let entries = answer.body["entries"].as_array().context("no entries")?;
        ensure!(entries.len() == 12, "{} entries", entries.len());
        for entry in entries {
            let id = text(entry, "version_id")?;
            self.statistics()?
                .press(&format!("/catalogue/versions/{id}/submission"))
                .await?;
        }
        Ok(json!({ "submitted": entries.len() }))
    }

    pub(super) async fn review(&self) -> anyhow::Result<Value> {
        let queue = self.authority()?.get("/catalogue/reviews?size=100").await?;
        let lines = queue["items"].as_array().context("no queue")?;
        ensure!(lines.len() == 12, "{} versions await review", lines.len());
        let (mut published, mut returned) = (0, 0);
        for line in lines {
            let id = text(line, "version_id")?;
            if line["name"] == RETURNED_ENTRY {
                let path = format!("/catalogue/versions/{id}/return");
                let silent = self
                    .authority()?
                    .ask(Method::POST, &path, Some(&json!({ "reason": " " })))
                    .await?;
                ensure!(!silent.status.is_success(), "returned without a reason");
                self.authority()?
                    .post(&path, json!({ "reason": "请补充指标口径说明后再报。" }))
                    .await?;
                returned += 1;
            } else {
                self.authority()?
                    .press(&format!("/catalogue/versions/{id}/publication"))
                    .await?;
                published += 1;
            }
        }
        let own = self.statistics()?.get("/catalogue/own?size=100").await?;
        let back = own["items"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|l| l["name"] == RETURNED_ENTRY);
        ensure!(
            back.is_some_and(|l| l["state"]["reason"].is_string()),
            "the reason didn't reach the department"
        );
        Ok(json!({ "published": published, "returned": returned }))
    }

    pub(super) async fn publish_second_version(&self) -> anyhow::Result<Value> {
        let options = template_options(&self.served.app().pack());
        let bytes = workbook::filled(&options, &[second_version()])?;
        let answer = self
            .statistics()?
            .upload("/catalogue/imports", bytes)
            .await?;
        let line = &answer.body["entries"][0];
        ensure!(
            line["version_no"] == 2,
            "no second version: {}",
            answer.body
        );
        let id = text(line, "version_id")?;
        self.statistics()?
            .press(&format!("/catalogue/versions/{id}/submission"))
            .await?;
        let published = self
            .authority()?
            .press(&format!("/catalogue/versions/{id}/publication"))
            .await?;
        let entry = text(&published, "entry_id")?;
        let active = self
            .civil_affairs()?
            .get(&format!("/catalogue/entries/{entry}"))
            .await?;
        let first = self
            .civil_affairs()?
            .get(&format!("/catalogue/entries/{entry}?version=1"))
            .await?;
        let items = |view: &Value| view["content"]["items"].as_array().map_or(0, Vec::len);
        ensure!(
            active["version_no"] == 2 && items(&active) == 3,
            "the second version isn't the active one"
        );
        ensure!(
            first["version_no"] == 1 && items(&first) == 2,
            "the first version can't be read any more"
        );
        ensure!(
            first["state"]["code"] == "superseded",
            "the first version isn't marked as superseded"
        );
        let diff = self
            .civil_affairs()?
            .get(&format!("/catalogue/entries/{entry}/diff?from=1&to=2"))
            .await?;
        ensure!(
            diff["items"][0]["change"] == "added",
            "the difference doesn't show the item: {diff}"
        );
        Ok(json!({ "entry": SECOND_VERSION_ENTRY, "active": 2, "readable": [1, 2] }))
    }

    pub(super) async fn entry_id(&self, name: &str) -> anyhow::Result<String> {
        let own = self.statistics()?.get("/catalogue/own?size=100").await?;
        let line = own["items"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|l| l["name"] == name);
        text(
            line.with_context(|| format!("{name} isn't in the catalogue"))?,
            "entry_id",
        )
    }

    pub(super) async fn mount(&self, name: &str, items: usize) -> anyhow::Result<Value> {
        let entry_id = self.entry_id(name).await?;
        let stores = self.statistics()?.get("/stores").await?;
        let store_id = text(&stores["items"][0], "id")?;
        let tables = self
            .statistics()?
            .get(&format!("/stores/{store_id}/tables"))
            .await?;
        ensure!(
            tables["items"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|t| t == TABLE),
            "the table isn't discovered"
        );
        let preview = self
            .statistics()?
            .get(&format!(
                "/catalogue/entries/{entry_id}/mounting/preview?store_id={store_id}&table={TABLE}"
            ))
            .await?;
        ensure!(
            preview["key"] == json!(["code"]),
            "the key isn't discovered: {}",
            preview["key"]
        );
        let matched = preview["columns"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|c| c["item_code"].is_string())
            .count();
        ensure!(matched == items, "{matched} columns match the data items");
        let body = json!({ "store_id": store_id, "table": TABLE });
        self.statistics()?
            .put(&format!("/catalogue/entries/{entry_id}/mounting"), body)
            .await?;
        let run = self
            .wait_for_run(self.statistics()?, &entry_id, "collection", 1)
            .await?;
        ensure!(
            run["counts"]["read"] == DIVISIONS_TOTAL,
            "the collection read {}",
            run["counts"]["read"]
        );
        ensure!(
            run["counts"]["adds_up"] == true,
            "the counts don't add up: {}",
            run["counts"]
        );
        Ok(json!({ "entry_id": entry_id, "matched": matched, "collected": run["counts"]["read"] }))
    }

    pub(super) async fn search(&self) -> anyhow::Result<Value> {
        let found = self
            .civil_affairs()?
            .get("/catalogue/entries?q=行政区划")
            .await?;
        let hit = found["items"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|i| joined(&i["name"]) == OPEN_ENTRY)
            .context("the entry isn't found")?;
        let marked: String = hit["name"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|s| s["hit"] == true)
            .filter_map(|s| s["text"].as_str())
            .collect();
        ensure!(
            marked.contains("行政区划"),
            "the hit isn't marked: {}",
            hit["name"]
        );
        ensure!(hit["may_request"] == true, "the officer may not ask for it");
        Ok(json!({ "total": found["total"], "marked": marked, "took_us": found["took_us"] }))
    }
}

/// The pieces of a marked text, put together.
fn joined(segments: &Value) -> String {
    segments
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|s| s["text"].as_str())
        .collect()
}
