//! Delivered exactly, again after the source has changed, and compared row by row.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tongqu_domain::{catalogue::MaskKind, exchange::apply_mask};

use super::{
    super::{
        client::Client,
        seed::text,
        store::{self, Division, TABLE},
    },
    Story,
};

/// How long a run may take before the story gives up.
const RUN_LIMIT: Duration = Duration::from_mins(2);

impl Story<'_> {
    pub(super) async fn deliver(&self, request_id: &str, entry_id: &str) -> anyhow::Result<Value> {
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
    pub(super) async fn compare(&self) -> anyhow::Result<Value> {
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

    pub(super) async fn change_and_run(&self, entry_id: &str) -> anyhow::Result<Value> {
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

    pub(super) async fn run_without_change(&self, entry_id: &str) -> anyhow::Result<Value> {
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

    pub(super) async fn run_again(&self, entry_id: &str) -> anyhow::Result<()> {
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
    pub(super) async fn wait_for_run(
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
