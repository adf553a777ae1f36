//! Requested, refused, asked again, decided in time.

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    super::seed::{advance, text},
    Story,
};

impl Story<'_> {
    pub(super) async fn file_open(&self, entry_id: &str) -> anyhow::Result<Value> {
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

    pub(super) async fn file_conditional(&self, entry_id: &str) -> anyhow::Result<Value> {
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

    pub(super) async fn refuse(&self, request_id: &str) -> anyhow::Result<Value> {
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

    pub(super) async fn ask_again(&self, entry_id: &str, refused: &str) -> anyhow::Result<Value> {
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
        "duty": "婚姻登记管理", "consumer_system": "婚姻登记系统", "term_months": 12, "undertaken": true,
    })
}
