//! The county that lives: a month of it, walked day by day through the REST API as its people would.
//!
//! What happens is data (see the files beside this one); this room knows only how to do such things.
//! Foreign databases are written directly, the platform never.

mod catalogue;
mod data;
mod deals;
mod exchange;
mod numbers;
mod people;
mod store;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp, civil::Date};
use tongqu_domain::time::china_date;

use self::{catalogue::Shelves, data::County, deals::Begun, exchange::Exchange};
use super::{SignIn, client::Client, seed};
use crate::{
    cli::{Served, print},
    platform::config::Config,
};

/// How many days of the county's life lie behind a newcomer.
const DAYS: u32 = 35;

/// The folder with the county's own rules, below its data.
const RULES_DIR: &str = "rules";

/// When the month begins, for a demo that begins at this instant.
pub(super) fn begins_at(demo: Timestamp) -> Timestamp {
    demo - SignedDuration::from_hours(24 * i64::from(DAYS))
}

/// Puts the county's own rules into force, unless the settings name others.
pub(super) fn put_rules(config: &mut Config, data: &Path) -> anyhow::Result<()> {
    if !config.law.pack.is_empty() || !config.law.packs_dir.is_empty() {
        return Ok(());
    }
    let dir = data.join(RULES_DIR);
    std::fs::create_dir_all(&dir)?;
    std::fs::write(dir.join("county.toml"), data::RULES)?;
    let rules: toml::Table = toml::from_str(data::RULES)?;
    let id = rules["pack"]["id"]
        .as_str()
        .context("the county's rules have no id")?;
    id.clone_into(&mut config.law.pack);
    config.law.packs_dir = dir.display().to_string();
    Ok(())
}

/// Whether the county in this folder is the one that lives.
pub(super) fn lies_in(data: &Path) -> bool {
    data.join(RULES_DIR).exists()
}

/// The data officers of the departments beyond those of the small county.
pub(super) fn officers() -> anyhow::Result<Vec<SignIn>> {
    let departments = County::read()?.departments;
    Ok(departments
        .into_iter()
        .map(|d| SignIn {
            role: "data_officer".to_owned(),
            department: d.short_name,
            person: d.officer,
            login: d.login,
        })
        .collect())
}

/// Whether progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Told,
    Silent,
}

/// The county while it is walked.
struct Walk<'a> {
    served: &'a Served,
    data: PathBuf,
    county: County,
    /// Everybody's session, by login name.
    sessions: BTreeMap<String, Client>,
    /// Ids of the departments, by short name.
    departments: BTreeMap<String, String>,
    /// Short name of everybody's department, by login name.
    works_in: BTreeMap<String, String>,
    shelves: Shelves,
    /// What became of each deal, in the order of the story.
    begun: Vec<Option<Begun>>,
    exchange: Exchange,
    progress: Progress,
    started: Instant,
}

/// Walks the month. The small county must have been made.
pub(super) async fn live(served: &Served, data: &Path, progress: Progress) -> anyhow::Result<()> {
    let county = County::read()?;
    let mut walk = Walk {
        served,
        data: data.to_owned(),
        begun: vec![None; county.deals.len()],
        shelves: Shelves::plan(&county),
        county,
        sessions: BTreeMap::new(),
        departments: BTreeMap::new(),
        works_in: BTreeMap::new(),
        exchange: Exchange::default(),
        progress,
        started: Instant::now(),
    };
    walk.settle_people().await?;
    walk.say(&format!(
        "{} departments, {} people",
        walk.departments.len(),
        walk.sessions.len()
    ))?;
    for day in 0..=DAYS {
        if day > 0 {
            seed::advance(walk.session("yunying")?, 1).await?;
        }
        walk.day(day)
            .await
            .with_context(|| format!("on day {day}, {}", walk.today()))?;
        if day % 7 == 0 {
            walk.say(&format!("{}: {}", walk.today(), walk.account()))?;
        }
    }
    Ok(())
}

impl Walk<'_> {
    async fn day(&mut self, day: u32) -> anyhow::Result<()> {
        if self.served.app().calendar().is_working_day(self.today())? {
            self.catalogue_day(day).await?;
            if day == 0 {
                self.mount_tables().await?;
            }
            self.deals_day(day).await?;
        }
        self.exchange_day(day).await
    }

    fn today(&self) -> Date {
        china_date(self.served.app().clock.now())
    }

    fn session(&self, login: &str) -> anyhow::Result<&Client> {
        let found = self.sessions.get(login);
        found.with_context(|| format!("nobody signs in as {login}"))
    }

    /// The data officer of a department.
    fn officer_of(&self, department: &str) -> anyhow::Result<&Client> {
        let login = people::officer(&self.county, department)
            .with_context(|| format!("{department} has no data officer"))?;
        self.session(&login)
    }

    fn account(&self) -> String {
        format!(
            "{} entries published, {} new versions, {} cases and demands, {} exchanges",
            self.shelves.published(),
            self.shelves.later_versions(),
            self.begun.iter().flatten().count(),
            self.exchange.started()
        )
    }

    fn say(&self, what: &str) -> anyhow::Result<()> {
        match self.progress {
            Progress::Silent => Ok(()),
            Progress::Told => print(&format!(
                "  [{:5.1} s] {what}\n",
                self.started.elapsed().as_secs_f64()
            )),
        }
    }
}
