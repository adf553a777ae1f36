//! The whole road, walked through the API without a browser: described, published, found, requested,
//! decided in time, delivered exactly once, proven. Every step prints one line; every check must hold.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tongqu_domain::{catalogue::MaskKind, exchange::apply_mask};

use super::{
    client::Client,
    county::{
        CONDITIONAL_ENTRY, OPEN_ENTRY, PASSWORD, RETURNED_ENTRY, SECOND_VERSION_ENTRY,
        second_version,
    },
    seed::{self, CORRECTED, FAULTY, advance, department, store_path, text},
    start,
    store::{self, DIVISIONS_TOTAL, Division, TABLE},
};
use crate::{
    cli::{Served, print},
    features::catalogue::{template_options, workbook},
    platform::ledger,
};

/// How long a run may take before the story gives up.
const RUN_LIMIT: Duration = Duration::from_mins(2);

/// Walks the story in an empty folder. Exit code 0 only if every check held.
pub(super) async fn walk(data: &Path, port: u16, json: bool) -> anyhow::Result<ExitCode> {
    let served = start(data, port).await?;
    let mut told = Told {
        json,
        steps: 0,
        failed: 0,
    };
    let walked = Story::begin(&served, data).await?.walk(&mut told).await;
    served.stop().await;
    let proven = match walked {
        Ok(()) => prove(data, &mut told).await,
        Err(error) => Err(error),
    };
    if let Err(error) = &proven {
        told.fail(error)?;
    }
    told.finish()?;
    Ok(if told.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What has been printed so far.
struct Told {
    json: bool,
    steps: u32,
    failed: u32,
}

impl Told {
    /// Does a step and prints its line. A step that fails ends the story.
    async fn step<F: Future<Output = anyhow::Result<Value>>>(
        &mut self,
        name: &str,
        work: F,
    ) -> anyhow::Result<Value> {
        let began = Instant::now();
        let done = work.await.with_context(|| name.to_owned())?;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.steps += 1;
        if self.json {
            print(&format!(
                "{}\n",
                json!({ "step": name, "ok": true, "ms": ms, "facts": done })
            ))?;
        } else {
            print(&format!("ok   {name} ({ms} ms) {done}\n"))?;
        }
        Ok(done)
    }

    fn fail(&mut self, error: &anyhow::Error) -> anyhow::Result<()> {
        self.failed += 1;
        if self.json {
            print(&format!(
                "{}\n",
                json!({ "step": error.to_string(), "ok": false, "error": format!("{error:#}") })
            ))
        } else {
            print(&format!("FAIL {error:#}\n"))
        }
    }

    fn finish(&self) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        print(&format!(
            "{} steps held, {} failed\n",
            self.steps, self.failed
        ))
    }
}

/// The people of the story and where they work.
struct Story<'a> {
    served: &'a Served,
    data: &'a Path,
    source: PathBuf,
    target: PathBuf,
    statistics: Option<Client>,
    civil_affairs: Option<Client>,
    authority: Option<Client>,
    operator: Option<Client>,
}

impl<'a> Story<'a> {
    async fn begin(served: &'a Served, data: &'a Path) -> anyhow::Result<Self> {
        Ok(Self {
            served,
            data,
            source: store_path(data, department("统计局")),
            target: store_path(data, department("民政局")),
            statistics: None,
            civil_affairs: None,
            authority: None,
            operator: None,
        })
    }

    fn statistics(&self) -> anyhow::Result<&Client> {
        self.statistics
            .as_ref()
            .context("the statistics officer isn't signed in")
    }

    fn civil_affairs(&self) -> anyhow::Result<&Client> {
        self.civil_affairs
            .as_ref()
            .context("the civil affairs officer isn't signed in")
    }

    fn authority(&self) -> anyhow::Result<&Client> {
        self.authority
            .as_ref()
            .context("the authority isn't signed in")
    }

    fn operator(&self) -> anyhow::Result<&Client> {
        self.operator
            .as_ref()
            .context("the operator isn't signed in")
    }

    async fn walk(&mut self, told: &mut Told) -> anyhow::Result<()> {
        told.step("county.set_up", self.set_up()).await?;
        told.step("people.sign_in", self.sign_in()).await?;
        told.step(
            "catalogue.faults_come_back_in_their_cells",
            self.import_with_faults(),
        )
        .await?;
        told.step("catalogue.corrected_and_submitted", self.import_corrected())
            .await?;
        told.step("catalogue.one_returned_the_rest_published", self.review())
            .await?;
        told.step(
            "catalogue.second_version_first_stays_readable",
            self.publish_second_version(),
        )
        .await?;
        let open = told
            .step("catalogue.mounted_open_entry", self.mount(OPEN_ENTRY, 6))
            .await?;
        let conditional = told
            .step(
                "catalogue.mounted_conditional_entry",
                self.mount(CONDITIONAL_ENTRY, 4),
            )
            .await?;
        told.step("search.found_with_hits_marked", self.search())
            .await?;
        let open = text(&open, "entry_id")?;
        let conditional = text(&conditional, "entry_id")?;

        let request = told
            .step(
                "request.unconditional_filed_after_promise",
                self.file_open(&open),
            )
            .await?;
        let request = text(&request, "request_id")?;
        told.step(
            "exchange.open_entry_delivered",
            self.deliver(&request, &open),
        )
        .await?;
        told.step("exchange.only_granted_columns_and_rows", self.compare())
            .await?;

        let refused = told
            .step(
                "request.conditional_filed_over_the_holiday",
                self.file_conditional(&conditional),
            )
            .await?;
        let refused = text(&refused, "request_id")?;
        told.step("request.refused_with_reason_only", self.refuse(&refused))
            .await?;
        let approved = told
            .step(
                "request.asked_again_and_approved",
                self.ask_again(&conditional, &refused),
            )
            .await?;
        let approved = text(&approved, "request_id")?;
        told.step(
            "exchange.conditional_entry_delivered",
            self.deliver(&approved, &conditional),
        )
        .await?;

        told.step(
            "exchange.difference_found_exactly",
            self.change_and_run(&open),
        )
        .await?;
        told.step("exchange.target_equal_again", self.compare())
            .await?;
        told.step(
            "exchange.nothing_to_do_the_third_time",
            self.run_without_change(&open),
        )
        .await?;
        Ok(())
    }

    async fn set_up(&self) -> anyhow::Result<Value> {
        seed::county(self.served, self.data).await?;
        let rows = store::rows_total(&self.source)?;
        ensure!(rows == DIVISIONS_TOTAL, "the source has {rows} rows");
        Ok(json!({ "source_rows": rows }))
    }

    async fn sign_in(&mut self) -> anyhow::Result<Value> {
        let base = format!("http://{}", self.served.address);
        self.statistics = Some(Client::sign_in(&base, "tongji", PASSWORD).await?);
        self.civil_affairs = Some(Client::sign_in(&base, "minzheng", PASSWORD).await?);
        self.authority = Some(Client::sign_in(&base, "zhuguan", PASSWORD).await?);
        self.operator = Some(Client::sign_in(&base, "yunying", PASSWORD).await?);
        let platform = self.statistics()?.get("/platform").await?;
        ensure!(
            platform["today"] == "2026-09-21",
            "the demo doesn't begin on its day: {platform}"
        );
        Ok(json!({ "today": platform["today"] }))
    }

    async fn import_with_faults(&self) -> anyhow::Result<Value> {
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

    async fn import_corrected(&self) -> anyhow::Result<Value> {
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

    async fn review(&self) -> anyhow::Result<Value> {
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

    async fn publish_second_version(&self) -> anyhow::Result<Value> {
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

    async fn entry_id(&self, name: &str) -> anyhow::Result<String> {
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

    async fn mount(&self, name: &str, items: usize) -> anyhow::Result<Value> {
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

    async fn search(&self) -> anyhow::Result<Value> {
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

    async fn file_open(&self, entry_id: &str) -> anyhow::Result<Value> {
        let officer = self.civil_affairs()?;
        let today = advance(officer, 7).await?;
        ensure!(today == "2026-09-28", "today is {today}");
        let preview = officer
            .get(&format!("/requests/preview?entry_id={entry_id}"))
            .await?;
        let promised = &preview["modes"][0]["promises"];
        ensure!(
            promised[0]["due_on"] == "2026-10-08" && promised[0]["working_days"] == 3,
            "promised: {promised}"
        );
        let columns = json!(["code", "name", "area_code", "province_code"]);
        let own = self
            .statistics()?
            .ask(
                Method::POST,
                "/requests",
                Some(&form(entry_id, &preview, &columns)),
            )
            .await?;
        ensure!(
            !own.status.is_success(),
            "a department asked for its own data"
        );
        let strange = form(entry_id, &preview, &json!(["code", "salary"]));
        let refused = officer
            .ask(Method::POST, "/requests", Some(&strange))
            .await?;
        ensure!(
            refused.code() == "request.faulty",
            "a field that isn't in the entry: {}",
            refused.body
        );
        let filed = officer
            .post("/requests", form(entry_id, &preview, &columns))
            .await?;
        let step = open_step(&filed)?;
        ensure!(
            step["action"] == "deliver" && step["due_on"] == "2026-10-08",
            "the delivery is due: {step}"
        );
        ensure!(
            step["clause"]["id"] == "PDS-10.2a",
            "under {}",
            step["clause"]
        );
        ensure!(
            filed["grant"]["columns"].as_array().map_or(0, Vec::len) == 4,
            "no grant: {}",
            filed["grant"]
        );
        Ok(
            json!({ "request_id": filed["request_id"], "number": filed["number"], "due_on": step["due_on"] }),
        )
    }

    async fn deliver(&self, request_id: &str, entry_id: &str) -> anyhow::Result<Value> {
        let desk = self.operator()?.get("/desk").await?;
        let waits = desk["todo"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|t| t["subject_id"] == request_id);
        ensure!(waits, "the delivery isn't on the operator's desk");
        self.operator()?
            .press(&format!("/requests/{request_id}/delivery"))
            .await?;
        let run = self
            .wait_for_run(self.operator()?, entry_id, "delivery", 1)
            .await?;
        ensure!(
            run["counts"]["adds_up"] == true,
            "the counts don't add up: {}",
            run["counts"]
        );
        ensure!(
            run["receipt"]["equal"] == true,
            "the digests differ: {}",
            run["receipt"]
        );
        let request = self
            .civil_affairs()?
            .get(&format!("/requests/{request_id}"))
            .await?;
        ensure!(
            request["state"] == "completed",
            "the case is {}",
            request["state"]
        );
        Ok(json!({ "counts": run["counts"], "receipt": run["receipt"] }))
    }

    /// Compares the target with the source, apart from the product: the rows of the province, the granted
    /// columns, the name masked.
    async fn compare(&self) -> anyhow::Result<Value> {
        let mut expected = store::sound_rows(&self.source, "41")?;
        for row in &mut expected {
            row.name = apply_mask(MaskKind::PersonName, &row.name);
        }
        let delivered = store::delivered_rows(&self.target)?;
        let columns = store::columns(&self.target, TABLE)?;
        ensure!(
            columns == ["code", "name", "area_code", "province_code"],
            "the target has {columns:?}"
        );
        ensure!(
            delivered.iter().all(|d: &Division| d.province_code == "41"),
            "rows beyond the grant"
        );
        ensure!(
            delivered == expected,
            "{} rows delivered, {} expected",
            delivered.len(),
            expected.len()
        );
        ensure!(
            delivered.iter().all(|d| d.name.contains('*')),
            "a name isn't masked"
        );
        Ok(json!({ "rows": delivered.len(), "columns": columns }))
    }

    async fn file_conditional(&self, entry_id: &str) -> anyhow::Result<Value> {
        let officer = self.civil_affairs()?;
        let today = advance(officer, 1).await?;
        ensure!(today == "2026-09-29", "today is {today}");
        let preview = officer
            .get(&format!("/requests/preview?entry_id={entry_id}"))
            .await?;
        let promised = &preview["modes"][0]["promises"];
        // Five working days over the holiday with its make-up Saturday, then three more.
        ensure!(
            promised[0]["due_on"] == "2026-10-12",
            "the decision is promised: {promised}"
        );
        ensure!(
            promised[1]["due_on"] == "2026-10-15",
            "the delivery is promised: {promised}"
        );
        let columns = json!(["code", "street_code", "area_code", "province_code"]);
        let filed = officer
            .post("/requests", form(entry_id, &preview, &columns))
            .await?;
        let step = open_step(&filed)?;
        ensure!(
            step["action"] == "decide" && step["due_on"] == "2026-10-12",
            "the decision is due: {step}"
        );
        let desk = self.statistics()?.get("/desk").await?;
        let task = desk["todo"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|t| t["subject_id"] == filed["request_id"]);
        ensure!(
            task.is_some_and(|t| t["clock"]["kind"] == "on_time"),
            "no lamp on the provider's desk: {task:?}"
        );
        let notices = self.statistics()?.get("/notices").await?;
        ensure!(
            notices["items"][0]["kind"] == "request.filed",
            "the provider isn't told: {}",
            notices["items"][0]
        );
        Ok(json!({ "request_id": filed["request_id"], "due_on": step["due_on"] }))
    }

    async fn refuse(&self, request_id: &str) -> anyhow::Result<Value> {
        let path = format!("/requests/{request_id}/decision");
        let provider = self.statistics()?;
        let revision = provider.get(&format!("/requests/{request_id}")).await?["revision"].clone();
        let own = self
            .civil_affairs()?
            .ask(
                Method::POST,
                &path,
                Some(&json!({ "verdict": "approve", "revision": revision })),
            )
            .await?;
        ensure!(
            !own.status.is_success(),
            "the requester decided its own request"
        );
        let silent = json!({ "verdict": "refuse", "revision": revision });
        let silent = provider.ask(Method::POST, &path, Some(&silent)).await?;
        ensure!(
            silent.code() == "case.reason_required",
            "refused without a reason: {}",
            silent.body
        );
        ensure!(
            silent.body["clause"] == "PDS-10.2b",
            "without its clause: {}",
            silent.body
        );
        let body = json!({ "verdict": "refuse", "reason": "用途写得不具体，请说明用于哪项业务。", "revision": revision });
        let refused = provider.post(&path, body.clone()).await?;
        ensure!(
            refused["state"] == "refused",
            "the case is {}",
            refused["state"]
        );
        let again = provider.ask(Method::POST, &path, Some(&body)).await?;
        ensure!(!again.status.is_success(), "decided twice");
        Ok(json!({ "state": refused["state"], "twice": again.code() }))
    }

    async fn ask_again(&self, entry_id: &str, refused: &str) -> anyhow::Result<Value> {
        let officer = self.civil_affairs()?;
        let today = advance(officer, 1).await?;
        ensure!(today == "2026-09-30", "today is {today}");
        let preview = officer
            .get(&format!("/requests/preview?entry_id={entry_id}"))
            .await?;
        ensure!(
            preview["prefill"]["previous_request_id"] == refused,
            "the form isn't filled in from last time"
        );
        let mut body = form(entry_id, &preview, &preview["prefill"]["columns"]);
        body["purpose"] = json!("城乡低保对象居住地核对，按区县汇总。");
        body["previous_request_id"] = json!(refused);
        let filed = officer.post("/requests", body).await?;
        let step = open_step(&filed)?;
        ensure!(
            step["due_on"] == "2026-10-13",
            "the decision is due: {step}"
        );
        let id = text(&filed, "request_id")?;
        let today = advance(officer, 9).await?;
        ensure!(today == "2026-10-09", "today is {today}");
        let body = json!({ "verdict": "approve", "revision": filed["revision"] });
        let approved = self
            .statistics()?
            .post(&format!("/requests/{id}/decision"), body)
            .await?;
        let step = open_step(&approved)?;
        // Friday the 9th; Saturday the 10th is a make-up working day, so three working days end on Tuesday.
        ensure!(
            step["action"] == "deliver" && step["due_on"] == "2026-10-13",
            "the delivery is due: {step}"
        );
        ensure!(
            step["clause"]["id"] == "PDS-10.2c",
            "under {}",
            step["clause"]
        );
        Ok(json!({ "request_id": id, "decided": "approved", "deliver_by": step["due_on"] }))
    }

    async fn change_and_run(&self, entry_id: &str) -> anyhow::Result<Value> {
        let changed = self.statistics()?.press("/demo/source-change").await?;
        let expected = json!({ "updated": 1000, "inserted": 500, "deleted": 500, "malformed": 3 });
        ensure!(changed == expected, "the source changed by {changed}");
        self.run_again(entry_id).await?;
        let collection = self
            .wait_for_run(self.statistics()?, entry_id, "collection", 3)
            .await?;
        let counts = &collection["counts"];
        ensure!(
            counts["updated"] == 1000 && counts["inserted"] == 500,
            "found: {counts}"
        );
        ensure!(
            counts["deleted"] == 500 && counts["quarantined"] == 3,
            "found: {counts}"
        );
        ensure!(
            counts["adds_up"] == true,
            "the counts don't add up: {counts}"
        );
        let quarantine = collection["quarantine"]
            .as_array()
            .context("no quarantine")?;
        ensure!(
            quarantine.len() == 3,
            "{} rows in quarantine",
            quarantine.len()
        );
        ensure!(
            quarantine.iter().all(|q| q["column"] == "code"),
            "without their reason: {quarantine:?}"
        );
        let delivery = self
            .wait_for_run(self.statistics()?, entry_id, "delivery", 2)
            .await?;
        let counts_delivered = &delivery["counts"];
        ensure!(
            counts_delivered["updated"] == 500 && counts_delivered["inserted"] == 250,
            "{counts_delivered}"
        );
        ensure!(
            counts_delivered["deleted"] == 250,
            "delivered: {counts_delivered}"
        );
        ensure!(
            counts_delivered["adds_up"] == true,
            "the counts don't add up: {counts_delivered}"
        );
        ensure!(
            delivery["receipt"]["equal"] == true,
            "the digests differ: {}",
            delivery["receipt"]
        );
        Ok(json!({ "collected": counts, "delivered": counts_delivered }))
    }

    async fn run_without_change(&self, entry_id: &str) -> anyhow::Result<Value> {
        self.run_again(entry_id).await?;
        let delivery = self
            .wait_for_run(self.statistics()?, entry_id, "delivery", 3)
            .await?;
        ensure!(
            delivery["counts"]["read"] == 0,
            "something moved: {}",
            delivery["counts"]
        );
        ensure!(
            delivery["receipt"]["equal"] == true,
            "the digests differ: {}",
            delivery["receipt"]
        );
        Ok(json!({ "delivered": delivery["counts"] }))
    }

    async fn run_again(&self, entry_id: &str) -> anyhow::Result<()> {
        let runs = self
            .operator()?
            .get(&format!("/runs?entry_id={entry_id}&size=100"))
            .await?;
        let delivery = runs["items"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|r| r["kind"] == "delivery");
        let run_id = text(delivery.context("no delivery yet")?, "run_id")?;
        let run = self.operator()?.get(&format!("/runs/{run_id}")).await?;
        let subscription = text(&run, "subscription_id")?;
        self.operator()?
            .press(&format!("/subscriptions/{subscription}/runs"))
            .await?;
        Ok(())
    }

    /// Waits until an entry has `nth` finished runs of a kind and gives the newest in full.
    async fn wait_for_run(
        &self,
        viewer: &Client,
        entry_id: &str,
        kind: &str,
        nth: usize,
    ) -> anyhow::Result<Value> {
        let began = Instant::now();
        loop {
            let runs = viewer
                .get(&format!("/runs?entry_id={entry_id}&size=100"))
                .await?;
            let of_kind: Vec<&Value> = runs["items"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|r| r["kind"] == kind)
                .collect();
            let done = of_kind.iter().filter(|r| r["state"] == "succeeded").count();
            if let Some(failed) = of_kind.iter().find(|r| r["state"] == "failed") {
                let run = viewer
                    .get(&format!("/runs/{}", text(failed, "run_id")?))
                    .await?;
                bail!("a run failed: {}", run["failure"]);
            }
            if done >= nth && of_kind.len() == done {
                return viewer
                    .get(&format!("/runs/{}", text(of_kind[0], "run_id")?))
                    .await;
            }
            ensure!(
                began.elapsed() < RUN_LIMIT,
                "{kind} {nth} of {entry_id} didn't finish: {runs}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
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

/// The step that is open.
fn open_step(request: &Value) -> anyhow::Result<&Value> {
    let open = request["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|s| s["state"] == "open");
    open.with_context(|| format!("no step is open: {}", request["steps"]))
}

fn form(entry_id: &str, preview: &Value, columns: &Value) -> Value {
    json!({
        "entry_id": entry_id, "version_no": preview["version_no"], "mode": "table", "columns": columns,
        "condition": [{ "column": "province_code", "op": "eq", "values": ["41"] }],
        "purpose_kind": "data_check", "purpose": "婚姻登记地址规范化核对",
        "duty": "婚姻登记管理", "consumer_system": "婚姻登记系统", "term_months": 12,
    })
}

/// Checks the ledger when everything is closed: whole as it is, and not whole with one byte changed.
async fn prove(data: &Path, told: &mut Told) -> anyhow::Result<()> {
    told.step("ledger.whole", async {
        let report = ledger::verify(&data.join("ledger"), None)?;
        ensure!(
            report.is_whole(),
            "the ledger isn't whole: {:?}",
            report.faults.first()
        );
        ensure!(
            report.unsigned_records == 0 && report.heads > 0,
            "{} records aren't signed for",
            report.unsigned_records
        );
        Ok(json!({ "records": report.records, "heads": report.heads, "root": report.root }))
    })
    .await?;
    told.step("ledger.one_byte_changed_is_named", async {
        let copy = data.join("ledger-changed");
        std::fs::create_dir_all(&copy)?;
        for file in std::fs::read_dir(data.join("ledger"))? {
            let file = file?;
            std::fs::copy(file.path(), copy.join(file.file_name()))?;
        }
        let path = copy.join("records-000001.log");
        let mut bytes = std::fs::read(&path)?;
        let at = bytes.len() / 2;
        let record = bytes[..at].split(|b| *b == b'\n').count() - 1;
        bytes[at] ^= 1;
        std::fs::write(&path, bytes)?;
        let report = ledger::verify(&copy, None)?;
        std::fs::remove_dir_all(&copy)?;
        let place = format!("record {record}");
        ensure!(
            report.faults.iter().any(|f| f.place == place),
            "{place} isn't named: {:?}",
            report.faults
        );
        Ok(json!({ "named": place }))
    })
    .await?;
    Ok(())
}
