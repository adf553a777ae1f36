//! The road itself, as the product's own engine walks it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use jiff::civil::Date;
use tongqu::features::catalogue::{ItemColumn, Mounting};
use tongqu::features::exchange::engine::{
    Delivery, Limits, PoolTable, Reach, Source, Watched, collect, collect_since, deliver,
};
use tongqu_connectors::{ApplyPlan, Query, Store, open};
use tongqu_domain::catalogue::{CheckKind, DataItem, DataType, MaskKind, Sensitivity};
use tongqu_domain::exchange::{Counts, RowCondition};
use tongqu_domain::grant::{Grant, GrantState};
use tongqu_domain::ids::{CaseId, DepartmentId, EntryId, GrantId, MountingId, StoreId};

use crate::peers;
use crate::person::{self, Changes, People};
use crate::report::Measured;
use crate::servers::{Servers, write_people};

/// The product's own settings.
pub const LIMITS: Limits = Limits {
    batch_rows_max: 8_192,
    batch_bytes_max: 8 * 1024 * 1024,
    quarantine_permille_max: 10,
};
const TODAY: Date = Date::constant(2026, 1, 1);
/// The column that grows with every change.
const STAMP: &str = "updated_at";
/// The column that is masked on the way.
const MASKED: &str = "phone";

/// Fills the provider's table, then walks each road in every run, so that a busy moment hits all alike.
pub async fn measure(servers: &Servers, rows: u64, runs: u64) -> anyhow::Result<Measured> {
    servers.create_databases()?;
    servers.sql(&servers.provider(), person::POSTGRES)?;
    let indexed = "CREATE INDEX ON person (updated_at)";
    servers.sql(&servers.provider(), indexed)?;
    let mut people = People::new(7);
    let file = tempfile::NamedTempFile::new()?;
    write_people(file.path(), &mut people, rows, "+00")?;
    servers.load(file.path())?;
    drop(file);

    let mut road = Road::new(&servers.provider(), &servers.pool(), &servers.requester()).await?;
    let mut measured = Measured {
        rows,
        raw: Vec::new(),
        last_hop: Vec::new(),
        collection: Vec::new(),
        delivery: Vec::new(),
        difference: Vec::new(),
        watermark: Vec::new(),
        hub_rss_mb: 0.0,
        peers: peers::installed(),
    };
    forget_peak()?;
    let before = peak_mb()?;
    for run in 0..runs {
        servers.clear(&servers.requester())?;
        servers.sql(&servers.requester(), person::POSTGRES)?;
        servers.settle()?;
        measured.raw.push(servers.raw_pipe()?);
        road.compare(servers)?;
        for peer in &mut measured.peers {
            peer.run(servers, count_of(servers)?)?;
        }

        servers.clear(&servers.pool())?;
        servers.clear(&servers.requester())?;
        servers.settle()?;
        road.saw(None);
        let begun = Instant::now();
        let collected =
            collect(&road.source, &road.pool, &format!("collect-{run}"), LIMITS).await?;
        measured.collection.push(begun.elapsed().as_secs_f64());
        road.saw(collected.seen);
        ensure!(
            collected.counts.quarantined == 0,
            "{} rows were set aside",
            collected.counts.quarantined
        );
        servers.settle()?;
        let begun = Instant::now();
        deliver(
            &road.delivery,
            &road.pool,
            &format!("deliver-{run}"),
            LIMITS,
        )
        .await?;
        measured.delivery.push(begun.elapsed().as_secs_f64());
        road.compare(servers)?;

        servers.sql(
            &servers.provider(),
            &person::changes(&mut people, rows, 2 * run, person::ALL),
        )?;
        servers.settle()?;
        let begun = Instant::now();
        let collected = collect(&road.source, &road.pool, &format!("again-{run}"), LIMITS).await?;
        let delivered =
            deliver(&road.delivery, &road.pool, &format!("again-{run}"), LIMITS).await?;
        measured.difference.push(begun.elapsed().as_secs_f64());
        all_found(&collected.counts, &delivered.counts, person::ALL)?;
        road.compare(servers)?;

        let stamped = person::changes(&mut people, rows, 2 * run + 1, person::STAMPED);
        servers.sql(&servers.provider(), &stamped)?;
        servers.settle()?;
        let from = collected.seen.context("no stamp was seen")?;
        let begun = Instant::now();
        let (source, run_id) = (&road.source, format!("since-{run}"));
        let collected = collect_since(source, &road.pool, &run_id, LIMITS, from).await?;
        let delivered = deliver(&road.delivery, &road.pool, &run_id, LIMITS).await?;
        measured.watermark.push(begun.elapsed().as_secs_f64());
        all_found(&collected.counts, &delivered.counts, person::STAMPED)?;
        road.compare(servers)?;

        servers.clear(&servers.requester())?;
        servers.settle()?;
        let begun = Instant::now();
        road.last_hop(&format!("hop-{run}")).await?;
        measured.last_hop.push(begun.elapsed().as_secs_f64());
    }
    measured.hub_rss_mb = peak_mb()? - before;
    Ok(measured)
}

/// Rows of the provider's table, to which each run adds some.
fn count_of(servers: &Servers) -> anyhow::Result<u64> {
    let count = servers.value(&servers.provider(), "SELECT count(*) FROM person")?;
    Ok(count.parse()?)
}

fn all_found(collected: &Counts, delivered: &Counts, made: Changes) -> anyhow::Result<()> {
    for counts in [collected, delivered] {
        ensure!(
            (counts.updated, counts.inserted, counts.deleted)
                == (made.updated, made.inserted, made.deleted),
            "other changes were found: {counts:?}"
        );
    }
    Ok(())
}

/// A register of persons on its way from a provider's table to a requester's.
pub struct Road {
    pub source: Source,
    pub pool: Arc<dyn Store>,
    pub delivery: Delivery,
}

impl Road {
    pub async fn new(provider: &str, pool: &str, requester: &str) -> anyhow::Result<Self> {
        let provider = open(provider)?;
        let found = provider.discover("person").await?;
        ensure!(
            found.refused.is_empty(),
            "columns are refused: {:?}",
            found.refused
        );
        let mounting = Mounting {
            id: MountingId::parse("mounting-person")?,
            entry_id: EntryId::parse("entry-person")?,
            store_id: StoreId::parse("store-provider")?,
            table: "person".to_owned(),
            columns: found
                .columns
                .iter()
                .map(|column| ItemColumn {
                    item: column.name.clone(),
                    column: column.clone(),
                })
                .collect(),
            key: found.key.clone(),
            pooled: false,
            rows_total: None,
            last_arrival_at: None,
        };
        let items = items();
        let table = PoolTable::of(&mounting, &items);
        let delivery = Delivery {
            table,
            grant: grant(&items)?,
            pseudonyms: None,
            items: items.clone(),
            target: open(requester)?,
            target_table: "person".to_owned(),
            consumer: "subscription-person".to_owned(),
            compares: Reach::Changed,
        };
        Ok(Self {
            source: Source {
                store: provider,
                mounting,
                items,
                today: TODAY,
                // The first comparison sees every stamp; none of them is of the future here.
                watched: Some(Watched {
                    column: STAMP.to_owned(),
                    seen: None,
                    highest: i64::MAX,
                }),
            },
            pool: open(pool)?,
            delivery,
        })
    }

    /// Notes the highest stamp that a collection has seen.
    fn saw(&mut self, seen: Option<i64>) {
        if let Some(watched) = &mut self.source.watched {
            watched.seen = seen;
        }
    }

    /// Pool to requester and nothing else: what other tools do.
    async fn last_hop(&self, run_id: &str) -> anyhow::Result<()> {
        let table = &self.delivery.table;
        let mut query = Query::all(&table.name, table.columns.clone());
        query.batch_rows_max = LIMITS.batch_rows_max;
        query.batch_bytes_max = LIMITS.batch_bytes_max;
        let rows = self.pool.read(query).await?;
        let plan = ApplyPlan::new(
            "person",
            table.columns.clone(),
            &table.key,
            "hop",
            1,
            run_id,
        );
        self.delivery.target.apply(plan, rows).await?;
        Ok(())
    }

    /// Whether the requester holds what the provider has, but for the masked column. By the servers themselves.
    #[expect(clippy::unused_self, reason = "it compares what this road has moved")]
    fn compare(&self, servers: &Servers) -> anyhow::Result<()> {
        let columns = "id_card::text, name, sex, birth, ethnicity, address, marital, household_id, income, updated_at, remark";
        let sql = format!(
            "SELECT count(*) || ' ' || coalesce(sum(hashtextextended(ROW({columns})::text, 0)), 0) FROM person"
        );
        let sql = format!("SET timezone = 'UTC'; {sql}");
        let (theirs, ours) = (
            servers.value(&servers.provider(), &sql)?,
            servers.value(&servers.requester(), &sql)?,
        );
        ensure!(
            theirs == ours,
            "the requester holds {ours}, the provider {theirs}"
        );
        Ok(())
    }
}

fn items() -> Vec<DataItem> {
    let item = |code: &str, data_type, length, scale| DataItem {
        name: code.to_owned(),
        code: code.to_owned(),
        data_type,
        length,
        scale,
        nullable: !matches!(code, "id_card" | "name" | "updated_at"),
        key: code == "id_card",
        sensitivity: Sensitivity::General,
        mask: None,
        check: (code == "id_card").then_some(CheckKind::IdNumber),
        standard: None,
    };
    vec![
        item("id_card", DataType::Text, Some(18), None),
        item("name", DataType::Text, Some(40), None),
        item("sex", DataType::Integer, None, None),
        item("birth", DataType::Date, None, None),
        item("ethnicity", DataType::Text, Some(20), None),
        item("address", DataType::Text, Some(100), None),
        item(MASKED, DataType::Text, Some(20), None),
        item("marital", DataType::Integer, None, None),
        item("household_id", DataType::Integer, None, None),
        item("income", DataType::Number, Some(12), Some(2)),
        item("updated_at", DataType::DateTime, None, None),
        item("remark", DataType::Memo, None, None),
    ]
}

fn grant(items: &[DataItem]) -> anyhow::Result<Grant> {
    Ok(Grant {
        id: GrantId::parse("grant-person")?,
        case_id: CaseId::parse("case-person")?,
        entry_id: EntryId::parse("entry-person")?,
        version_no: 1,
        provider: DepartmentId::parse("provider")?,
        requester: DepartmentId::parse("requester")?,
        columns: items.iter().map(|item| item.code.clone()).collect(),
        condition: RowCondition::all_rows(),
        masks: BTreeMap::from([(MASKED.to_owned(), MaskKind::Phone)]),
        purpose: "measuring".to_owned(),
        basis: "measuring".to_owned(),
        valid_from: TODAY,
        valid_until: None,
        state: GrantState::Active,
    })
}

/// Begins the peak of memory anew.
fn forget_peak() -> anyhow::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5").context("can't reset the peak of memory")
}

fn peak_mb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.split_whitespace().next());
    let kb: f64 = kb.context("the system tells no peak of memory")?.parse()?;
    Ok(kb / 1024.0)
}
