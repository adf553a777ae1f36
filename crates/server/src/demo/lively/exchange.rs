//! A month of exchange: tables that are mounted, change every day and are delivered, and two failures
//! with their cures.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    super::seed::text,
    Walk,
    store::{SourceTable, Unreachable},
};
use crate::platform::jobs;

/// How long the exchanges of a day may take.
const DAY_LIMIT: Duration = Duration::from_mins(2);
/// How often it is looked whether they are done.
const LOOK: Duration = Duration::from_millis(10);

/// The day on which the supplier of the register renames a column, and the entry and column concerned.
const COLUMN_LOST: (u32, &str, &str) = (15, "市场主体登记信息", "business_scope");
/// The day on which the line to a requester's store is cut, what is delivered then, and the store.
const LINE_CUT: (u32, &str, &str) = (22, "气象灾害预警信息", "emergency");

/// The mounted tables, and what moves them.
#[derive(Default)]
pub(super) struct Exchange {
    /// By name of the entry.
    tables: BTreeMap<String, SourceTable>,
    /// A subscription of each entry that is delivered, by name of the entry.
    pub(super) subscriptions: BTreeMap<String, String>,
    cut: Option<Unreachable>,
    started: usize,
}

impl Exchange {
    pub(super) fn started(&self) -> usize {
        self.started
    }
}

/// What has to be over before the walk goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    AllIsDone,
    /// One delivery fails and is tried again for as long as the line is cut.
    OneIsLeft,
}

impl Walk<'_> {
    /// Makes the tables in the departments' stores and mounts them.
    pub(super) async fn mount_tables(&mut self) -> anyhow::Result<()> {
        let today = self.today();
        for table in &self.county.tables {
            let entry = self.county.entry(&table.entry)?;
            let officer = self.officer_of(&entry.department)?;
            let path = self.store_of(&entry.department)?;
            let made = SourceTable::make(
                &path,
                &table.name,
                &entry.content.items,
                table.rows,
                &self.county.values,
                today,
            )?;
            let entry_id = self
                .shelves
                .entry_id(&table.entry)
                .context("it isn't published")?;
            let stores = officer.get("/stores").await?;
            let body = json!({ "store_id": text(&stores["items"][0], "id")?, "table": table.name });
            officer
                .put(&format!("/catalogue/entries/{entry_id}/mounting"), body)
                .await
                .with_context(|| format!("mounting {}", table.entry))?;
            self.exchange.tables.insert(table.entry.clone(), made);
        }
        self.wait(Until::AllIsDone).await
    }

    /// The file of a department's exchange store.
    fn store_of(&self, department: &str) -> anyhow::Result<std::path::PathBuf> {
        let new = self
            .county
            .departments
            .iter()
            .find(|d| d.short_name == department);
        let first = super::super::county::DEPARTMENTS
            .iter()
            .find(|d| d.short_name == department);
        let name = new
            .map(|d| d.store.as_str())
            .or_else(|| first.map(|d| d.store));
        let name = name.with_context(|| format!("{department} has no exchange store"))?;
        Ok(self.data.join("stores").join(format!("{name}.db")))
    }

    /// Lets the sources change and runs what is due on this day.
    pub(super) async fn exchange_day(&mut self, day: u32) -> anyhow::Result<()> {
        self.wait(Until::AllIsDone).await?;
        let today = self.today();
        let (lost_on, lost_in, column) = COLUMN_LOST;
        let (cut_on, cut_for, store) = LINE_CUT;
        if day == lost_on + 1 {
            self.table(lost_in)?.restore_column(column)?;
        }
        let mut due = Vec::new();
        for table in &self.county.tables {
            if let Some(subscription) = self.exchange.subscriptions.get(&table.entry)
                && day.is_multiple_of(table.every)
            {
                due.push((table.entry.clone(), subscription.clone()));
            }
        }
        for (entry, _) in &due {
            let table = self
                .exchange
                .tables
                .get_mut(entry)
                .context("no such table")?;
            table.day(day, today, &self.county.values)?;
        }
        if day == lost_on {
            self.table(lost_in)?.lose_column(column)?;
        }
        if day == cut_on {
            let path = self.data.join("stores").join(format!("{store}.db"));
            self.exchange.cut = Some(Unreachable::cut(&path)?);
        }
        for (_, subscription) in &due {
            self.session("yunying")?
                .press(&format!("/subscriptions/{subscription}/runs"))
                .await?;
        }
        self.exchange.started += due.len();
        if day == lost_on {
            self.wait(Until::AllIsDone).await?;
            return self.must_have_failed(lost_in).await;
        }
        if day == cut_on {
            self.wait(Until::OneIsLeft).await?;
            self.must_have_failed(cut_for).await?;
            // The line holds again the next morning, before anything else is tried.
            return Ok(());
        }
        self.wait(Until::AllIsDone).await
    }

    /// Repairs the line that was cut the day before.
    pub(super) fn mend_line(&mut self) -> anyhow::Result<()> {
        self.exchange.cut.take().map_or(Ok(()), Unreachable::mend)
    }

    fn table(&self, entry: &str) -> anyhow::Result<&SourceTable> {
        self.exchange
            .tables
            .get(entry)
            .with_context(|| format!("{entry} isn't mounted"))
    }

    async fn must_have_failed(&self, entry: &str) -> anyhow::Result<()> {
        let entry_id = self.shelves.entry_id(entry).context("it isn't published")?;
        let began = Instant::now();
        loop {
            let runs = self
                .session("yunying")?
                .get(&format!("/runs?entry_id={entry_id}&size=20"))
                .await?;
            let failed = |run: &Value| run["state"] == "failed";
            if runs["items"].as_array().into_iter().flatten().any(failed) {
                return Ok(());
            }
            ensure!(
                began.elapsed() < DAY_LIMIT,
                "no run of {entry} has failed: {runs}"
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn wait(&self, until: Until) -> anyhow::Result<()> {
        let left = match until {
            Until::AllIsDone => 0,
            Until::OneIsLeft => 1,
        };
        let began = Instant::now();
        loop {
            let mut db = self.served.app().registry.read().await?;
            let unfinished = jobs::unfinished(&mut db).await?;
            drop(db);
            if unfinished <= left {
                return Ok(());
            }
            ensure!(
                began.elapsed() < DAY_LIMIT,
                "{unfinished} exchanges don't come to an end"
            );
            tokio::time::sleep(LOOK).await;
        }
    }
}
