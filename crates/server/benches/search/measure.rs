//! Builds an index of one size and asks it, beside a plain scan for the typed text.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tongqu::features::catalogue::search::{Facet, Index, SearchQuery};

use super::{
    entries::entry,
    judged::Judgement,
    queries::{Asked, Kind, mixture},
};

/// Hundreds of queries in the mixture.
const HUNDREDS: usize = 5;
/// How often the mixture is run; the first round only warms up.
const ROUNDS: usize = 4;
/// Every so many queries, the scan runs beside the index.
const SCANNED_EVERY: usize = 20;
/// The slowest queries that are shown.
const SLOWEST: usize = 12;

/// The 99th percentile that a size has to keep under, in milliseconds.
pub fn target_ms(entries: usize) -> Option<f64> {
    match entries {
        0..=100_000 => Some(5.0),
        100_001..=1_000_000 => Some(25.0),
        _ => None,
    }
}

/// Times in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub count: usize,
    pub median: f64,
    pub p95: f64,
    pub p99: f64,
    pub worst: f64,
}

impl Times {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let percent = |percent: usize| {
            let at = (times.len() * percent).div_ceil(100).max(1) - 1;
            times.get(at).copied().unwrap_or(f64::NAN)
        };
        Self {
            count: times.len(),
            median: percent(50),
            p95: percent(95),
            p99: percent(99),
            worst: percent(100),
        }
    }

    fn json(self) -> Value {
        json!({
            "queries": self.count,
            "median_ms": round(self.median),
            "p95_ms": round(self.p95),
            "p99_ms": round(self.p99),
            "worst_ms": round(self.worst),
        })
    }

    fn line(self, name: &str) -> String {
        format!(
            "  {name:<12} {:>6}  {:>9.3}  {:>9.3}  {:>9.3}  {:>9.3}\n",
            self.count, self.median, self.p95, self.p99, self.worst
        )
    }
}

/// What was measured on one size.
pub struct Measured {
    entries: usize,
    build_s: f64,
    open_ms: f64,
    one_put_ms: f64,
    index_bytes: u64,
    memory: Memory,
    all: Times,
    /// Of the same searches: what they cost a processor.
    cpu: Times,
    by_kind: BTreeMap<Kind, Times>,
    per_second: f64,
    scan: Times,
    /// Of the queries that were also scanned: the index.
    beside_scan: Times,
    slowest: Vec<(f64, usize, String)>,
    load: Option<String>,
}

impl Measured {
    pub fn json(&self, judgement: &Judgement) -> Value {
        let kinds: serde_json::Map<String, Value> = self
            .by_kind
            .iter()
            .map(|(kind, times)| (kind.name().to_owned(), times.json()))
            .collect();
        json!({
            "benchmark": "search",
            "entries": self.entries,
            "all": self.all.json(),
            "processor": self.cpu.json(),
            "kinds": kinds,
            "queries_per_second": round(self.per_second),
            "substring_scan": self.scan.json(),
            "same_queries": self.beside_scan.json(),
            "judged_queries": judgement.ours.queries,
            "recall_at_5": round(judgement.ours.recall()),
            "mrr": round(judgement.ours.reciprocal_rank()),
            "substring_recall_at_5": round(judgement.plain.recall()),
            "substring_mrr": round(judgement.plain.reciprocal_rank()),
            "build_s": round(self.build_s),
            "open_ms": round(self.open_ms),
            "one_entry_ms": round(self.one_put_ms),
            "index_mb": round(precise(self.index_bytes) / 1e6),
            "build_peak_mb": self.memory.build_peak_mb,
            "held_mb": self.memory.held_mb,
            "load": self.load,
            "target_p99_ms": target_ms(self.entries),
            "held": self.held(),
        })
    }

    pub fn text(&self) -> String {
        let mut text = format!(
            "{} entries: built in {:.1} s, {:.0} MB, opened in {:.0} ms, one entry put and shown in {:.0} ms\n\
             \x20 memory: {} MB at most while building, {} MB held open apart from files, what the benchmark needs included\n\
             \x20 ms           queries    median        p95        p99      worst\n",
            self.entries,
            self.build_s,
            precise(self.index_bytes) / 1e6,
            self.open_ms,
            self.one_put_ms,
            self.memory
                .build_peak_mb
                .map_or("?".to_owned(), |mb| mb.to_string()),
            self.memory
                .held_mb
                .map_or("?".to_owned(), |mb| mb.to_string()),
        );
        text.push_str(&self.all.line("all"));
        text.push_str(&self.cpu.line("  processor"));
        for (kind, times) in &self.by_kind {
            text.push_str(&times.line(kind.name()));
        }
        text.push_str(&self.beside_scan.line("some of them"));
        text.push_str(&self.scan.line("  scanned"));
        let mut lines = vec![format!(
            "  {:.0} searches per second, one at a time",
            self.per_second
        )];
        for (ms, total, asked) in &self.slowest {
            lines.push(format!("  {ms:>8.3} ms for {total} hits: {asked}"));
        }
        if let Some(target) = target_ms(self.entries) {
            let held = if self.held() { "held" } else { "MISSED" };
            lines.push(format!("  target: p99 under {target} ms, {held}"));
        }
        if let Some(load) = &self.load {
            lines.push(format!("  load of the machine: {load}"));
        }
        text.push_str(&lines.join("\n"));
        text.push('\n');
        text
    }

    fn held(&self) -> bool {
        target_ms(self.entries).is_none_or(|target| self.all.p99 < target)
    }
}

/// Three digits behind the point.
fn round(n: f64) -> f64 {
    (n * 1000.0).round() / 1000.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a size to be read, not reckoned with"
)]
fn precise(bytes: u64) -> f64 {
    bytes as f64
}

/// Builds an index of so many entries and asks it.
///
/// With `kept`, the index of an earlier run in that folder is asked again.
pub fn measure(entries: usize, kept: Option<&Path>) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let path = kept.unwrap_or(folder.path()).join(entries.to_string());
    let index = Index::open(&path)?;
    let begun = Instant::now();
    if !index.is_fresh() {
        index.rebuild((0..entries).map(entry))?;
    }
    let build_s = begun.elapsed().as_secs_f64();
    let build_peak_mb = memory_mb("VmHWM:");
    let index_bytes = size(&path)?;
    drop(index);
    let begun = Instant::now();
    let index = Index::open(&path)?;
    let open_ms = begun.elapsed().as_secs_f64() * 1000.0;
    anyhow::ensure!(index.is_fresh(), "the index isn't whole");
    let memory = Memory {
        build_peak_mb,
        held_mb: memory_mb("RssAnon:"),
    };

    let asked = mixture(HUNDREDS);
    let (mut all, mut cpu) = (Vec::new(), Vec::new());
    let mut by_kind: BTreeMap<Kind, Vec<f64>> = BTreeMap::new();
    let mut best = vec![(f64::INFINITY, 0); asked.len()];
    for round in 0..ROUNDS {
        for (at, one) in asked.iter().enumerate() {
            let (ms, cpu_ms, total) = time(&index, &one.query)?;
            if round == 0 {
                continue;
            }
            all.push(ms);
            cpu.push(cpu_ms);
            by_kind.entry(one.kind).or_default().push(ms);
            if cpu_ms < best[at].0 {
                best[at] = (cpu_ms, total);
            }
        }
    }
    let spent_s: f64 = all.iter().sum::<f64>() / 1000.0;
    let per_second = precise(u64::try_from(all.len())?) / spent_s;
    let mut slowest: Vec<(f64, usize, String)> = best
        .iter()
        .zip(&asked)
        .map(|((ms, total), one)| (*ms, *total, shown(one)))
        .collect();
    slowest.sort_by(|a, b| b.0.total_cmp(&a.0));
    slowest.truncate(SLOWEST);
    let (scan, beside_scan) = scanned(&index, entries, &asked)?;
    let begun = Instant::now();
    index.put(&entry(0))?;
    index.commit()?;
    let one_put_ms = begun.elapsed().as_secs_f64() * 1000.0;
    Ok(Measured {
        entries,
        build_s,
        open_ms,
        one_put_ms,
        index_bytes,
        memory,
        all: Times::of(all),
        cpu: Times::of(cpu),
        by_kind: by_kind
            .into_iter()
            .map(|(kind, times)| (kind, Times::of(times)))
            .collect(),
        per_second,
        scan,
        beside_scan,
        slowest,
        load: fs::read_to_string("/proc/loadavg")
            .ok()
            .map(|text| text.trim().to_owned()),
    })
}

/// Memory of the process in megabytes, where the system tells.
#[derive(Debug, Clone, Copy)]
struct Memory {
    /// At most, until the index was built; pages of files count.
    build_peak_mb: Option<u64>,
    /// With the index open, before any search; pages of files don't count.
    held_mb: Option<u64>,
}

fn memory_mb(line: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes: u64 = status
        .lines()
        .find_map(|found| found.strip_prefix(line))?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()?;
    Some(kilobytes / 1000)
}

fn shown(asked: &Asked) -> String {
    let filters = asked
        .query
        .filters
        .keys()
        .map(|facet: &Facet| facet.column());
    format!(
        "{} `{}` {}",
        asked.kind.name(),
        asked.query.text,
        filters.collect::<Vec<_>>().join(", ")
    )
}

/// Wall clock and processor time of one search in milliseconds, and its hits.
fn time(index: &Index, query: &SearchQuery) -> anyhow::Result<(f64, f64, usize)> {
    let cpu = cpu_ms()?;
    let begun = Instant::now();
    let page = index.search(query)?;
    let wall = begun.elapsed().as_secs_f64() * 1000.0;
    Ok((wall, cpu_ms()? - cpu, page.total))
}

/// Time for which this thread has had a processor, in milliseconds: other work on the machine doesn't count.
fn cpu_ms() -> anyhow::Result<f64> {
    let spent = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(Duration::from(spent).as_secs_f64() * 1000.0)
}

/// A text with all that an entry says, and who sees it: what a plain `LIKE '%...%'` would read.
struct Flat {
    text: String,
    visible_to: Vec<String>,
}

/// The plain scan and the index over the same queries, one after the other.
fn scanned(index: &Index, entries: usize, asked: &[Asked]) -> anyhow::Result<(Times, Times)> {
    let flat: Vec<Flat> = (0..entries)
        .map(|number| {
            let doc = entry(number);
            let items: Vec<String> = doc
                .items
                .iter()
                .map(|item| format!("{} {}", item.name, item.code))
                .collect();
            Flat {
                text: [doc.name, doc.summary, doc.department, items.join(" ")].join("\n"),
                visible_to: doc.visible_to,
            }
        })
        .collect();
    let (mut plain, mut beside) = (Vec::new(), Vec::new());
    for one in asked.iter().step_by(SCANNED_EVERY) {
        let begun = Instant::now();
        let found = flat
            .iter()
            .filter(|flat| {
                flat.visible_to
                    .iter()
                    .any(|label| one.query.labels.contains(label))
            })
            .filter(|flat| {
                one.query
                    .text
                    .split(' ')
                    .all(|word| flat.text.contains(word))
            })
            .count();
        std::hint::black_box(found);
        plain.push(begun.elapsed().as_secs_f64() * 1000.0);
        beside.push(time(index, &one.query)?.0);
    }
    Ok((Times::of(plain), Times::of(beside)))
}

fn size(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for file in fs::read_dir(folder)? {
        bytes += file?.metadata()?.len();
    }
    Ok(bytes)
}
