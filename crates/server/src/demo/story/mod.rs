//! The whole road, walked through the API without a browser: described, published, found, requested,
//! decided in time, delivered exactly once, proven. Every step prints one line; every check must hold.

mod catalogue;
mod exchange;
mod proof;
mod request;
mod told;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use self::{proof::prove, told::Told};
use super::{
    Options,
    client::Client,
    county::{CONDITIONAL_ENTRY, OPEN_ENTRY, PASSWORD},
    seed::{self, department, store_path, text},
    start,
    store::{self, DIVISIONS_TOTAL},
};
use crate::cli::Served;

/// Walks the story in an empty folder. Exit code 0 only if every check held.
pub(super) async fn walk(data: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let served = start(data, options).await?;
    let mut told = Told {
        json: options.json,
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
}
