//! A store behind an agent whose line is cut, slow or dead, and an agent or a node that forgets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;
use tongqu_connectors::remote::{AgentStore, Host, Line, Spool};
use tongqu_connectors::rows::Rows;
use tongqu_connectors::{Address, BatchStream, ConnectorError, Query, Store, Value};

use crate::support::{Bench, place, places, plan, text, upsert_batch};

/// Bytes that pass before the line is cut the next time, and how often it was.
#[derive(Debug, Default)]
pub struct Fate {
    /// 0: it is never cut.
    bytes_between_cuts: AtomicU64,
    cuts: AtomicU64,
    /// Milliseconds for each piece of 16 KiB, either way.
    slowness: AtomicU64,
}

/// An agent beside a store, and the node that it is connected to, in this process.
pub struct Link {
    pub store: Arc<dyn Store>,
    host: Arc<Host>,
    line: Arc<Line>,
    spool: Arc<Spool>,
    fate: Arc<Fate>,
    calling: JoinHandle<()>,
    _dir: TempDir,
}

impl Link {
    pub async fn to(store: Arc<dyn Store>) -> Self {
        Self::with_spool(store, 64 << 20).await
    }

    async fn with_spool(store: Arc<dyn Store>, bytes_max: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(&dir.path().join("spool"), bytes_max).unwrap();
        let stores = BTreeMap::from([("own".to_owned(), store)]);
        let host = Host::new(stores, spool.clone(), Duration::from_mins(1));
        let line = Line::new("agt-1", "node-1", "s1", Duration::from_secs(20));
        let fate = Arc::new(Fate::default());
        let calling = tokio::spawn(call(host.clone(), line.clone(), fate.clone()));
        while line.welcome().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let address = Address::parse("agent://agt-1/own").unwrap();
        Self {
            store: AgentStore::of(address, line.clone()).unwrap(),
            host,
            line,
            spool,
            fate,
            calling,
            _dir: dir,
        }
    }

    fn cut_every(&self, bytes: u64) {
        self.fate.bytes_between_cuts.store(bytes, Ordering::SeqCst);
    }

    fn cuts(&self) -> u64 {
        self.fate.cuts.load(Ordering::SeqCst)
    }

    /// As when the agent dies and is started anew: it knows nothing of what was under way.
    async fn restart_agent(&mut self, store: Arc<dyn Store>) {
        self.calling.abort();
        let stores = BTreeMap::from([("own".to_owned(), store)]);
        self.host = Host::new(stores, self.spool.clone(), Duration::from_mins(1));
        let (host, line, fate) = (self.host.clone(), self.line.clone(), self.fate.clone());
        self.calling = tokio::spawn(call(host, line, fate));
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.calling.abort();
    }
}

/// Calls again whenever the line ends, as an agent does.
async fn call(host: Arc<Host>, line: Arc<Line>, fate: Arc<Fate>) {
    loop {
        let (agent, agent_end) = tokio::io::duplex(64 << 10);
        let (node_end, node) = tokio::io::duplex(64 << 10);
        tokio::select! {
            _ = host.clone().serve(agent) => {}
            _ = line.run(node) => {}
            () = wire(agent_end, node_end, fate.clone()) => {}
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Carries bytes both ways until fate cuts it.
async fn wire(one: DuplexStream, other: DuplexStream, fate: Arc<Fate>) {
    let passed = AtomicU64::new(0);
    let (one_out, one_in) = tokio::io::split(one);
    let (other_out, other_in) = tokio::io::split(other);
    tokio::select! {
        () = carry(one_out, other_in, &fate, &passed) => {}
        () = carry(other_out, one_in, &fate, &passed) => {}
    }
    fate.cuts.fetch_add(1, Ordering::SeqCst);
}

async fn carry(
    mut from: tokio::io::ReadHalf<DuplexStream>,
    mut to: tokio::io::WriteHalf<DuplexStream>,
    fate: &Fate,
    passed: &AtomicU64,
) {
    let mut piece = vec![0; 16 << 10];
    loop {
        let Ok(read @ 1..) = from.read(&mut piece).await else {
            return;
        };
        let before = passed.fetch_add(u64::try_from(read).unwrap(), Ordering::SeqCst);
        let limit = fate.bytes_between_cuts.load(Ordering::SeqCst);
        if limit > 0 && before > limit {
            return;
        }
        let slowness = fate.slowness.load(Ordering::SeqCst);
        if slowness > 0 {
            tokio::time::sleep(Duration::from_millis(slowness)).await;
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}

fn many(rows: i64) -> Vec<Vec<Value>> {
    rows_of(rows, 6)
}

/// Rows whose names have so many times 16 characters, which can't be made much smaller.
fn rows_of(rows: i64, words: u64) -> Vec<Vec<Value>> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{state:016x}")
    };
    let mut row = |n: i64| {
        let name: String = (0..words).map(|_| word()).collect();
        place(&format!("{n:08}"), &format!("衙{name}"), n)
    };
    (0..rows).map(&mut row).collect()
}

fn in_batches(rows: &[Vec<Value>], of: usize) -> BatchStream {
    let batches: Vec<_> = rows
        .chunks(of)
        .map(|rows| Ok(upsert_batch(&places(), rows)))
        .collect();
    stream::iter(batches).boxed()
}

fn whole() -> Query {
    Query::all("place", places()).ordered_by(&["id"])
}

async fn read_all(store: &dyn Store) -> Result<Vec<Vec<Value>>, ConnectorError> {
    crate::support::collect(store.read(whole()).await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_goes_on_where_its_line_was_cut() {
    let bench = Bench::sqlite().await;
    let rows = many(30_000);
    bench.apply(&plan(1), &rows).await.unwrap();
    let link = Link::to(bench.store.clone()).await;
    link.cut_every(700_000);
    assert!(
        read_all(&*link.store).await.unwrap() == rows,
        "other rows came"
    );
    assert!(link.cuts() >= 2, "{} cuts", link.cuts());
    link.cut_every(0);
    nothing_stays(&link).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writing_goes_on_where_its_line_was_cut() {
    let bench = Bench::sqlite().await;
    let rows = many(30_000);
    let link = Link::to(bench.store.clone()).await;
    link.cut_every(700_000);
    let applied = link.store.apply(plan(7), in_batches(&rows, 1000)).await;
    assert_eq!(applied.unwrap().inserted, 30_000);
    assert!(link.cuts() >= 2, "{} cuts", link.cuts());
    assert!(
        read_all(&*bench.store).await.unwrap() == rows,
        "other rows came"
    );
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(7));
    link.cut_every(0);
    nothing_stays(&link).await;
}

/// Waits until the agent has been told that everything is over.
async fn nothing_stays(link: &Link) {
    for _ in 0..200 {
        let state = link.host.state();
        if state.transfers == 0 && state.spool_bytes == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{:?}", link.host.state());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_larger_than_the_spool_passes_through_it() {
    let bench = Bench::sqlite().await;
    let rows = many(60_000);
    let link = Link::with_spool(bench.store.clone(), 2 << 20).await;
    let applied = link.store.apply(plan(1), in_batches(&rows, 5000)).await;
    assert_eq!(applied.unwrap().inserted, 60_000);
    let mut reading = link.store.read(whole()).await.unwrap();
    let mut most = 0;
    let mut read = 0;
    while let Some(batch) = reading.next().await {
        read += Rows::new(&batch.unwrap()).unwrap().len();
        tokio::time::sleep(Duration::from_millis(5)).await;
        most = most.max(link.spool.bytes());
    }
    assert_eq!(read, 60_000);
    assert!(
        most > 1 << 20 && most <= 3 << 20,
        "{most} bytes in the spool"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_waits_for_a_slow_line_without_a_transaction() {
    let bench = Bench::sqlite().await;
    bench
        .apply(&plan(1), &[place("a", "before", 1)])
        .await
        .unwrap();
    let link = Link::to(bench.store.clone()).await;
    link.fate.slowness.store(50, Ordering::SeqCst);
    let rows = many(10_000);
    let applying = tokio::spawn({
        let (store, changes) = (link.store.clone(), in_batches(&rows, 1000));
        async move { store.apply(plan(2), changes).await }
    });
    while link.spool.bytes() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Somebody else writes while the rows come in.
    bench.sql("UPDATE place SET size = 2 WHERE id = 'a'").await;
    assert!(!applying.is_finished());
    link.fate.slowness.store(0, Ordering::SeqCst);
    assert_eq!(applying.await.unwrap().unwrap().inserted, 10_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_was_started_anew_has_the_run_repeated() {
    let bench = Bench::sqlite().await;
    let rows = rows_of(20_000, 60);
    bench.apply(&plan(1), &rows).await.unwrap();
    let mut link = Link::with_spool(bench.store.clone(), 1 << 20).await;
    let mut reading = link.store.read(whole()).await.unwrap();
    reading.next().await.unwrap().unwrap();
    link.restart_agent(bench.store.clone()).await;
    let rest = reading
        .map_ok(|batch| batch.num_rows())
        .try_collect::<Vec<_>>();
    let error = rest.await.unwrap_err();
    assert_eq!(
        (error.code(), error.is_transient()),
        ("store.unreachable", true)
    );

    let (feed, fed) = tokio::sync::mpsc::channel(1);
    let changes = stream::unfold(fed, |mut fed| async { Some((fed.recv().await?, fed)) }).boxed();
    let applying = tokio::spawn({
        let store = link.store.clone();
        async move { store.apply(plan(2), changes).await }
    });
    feed.send(Ok(upsert_batch(&places(), &[place("new", "x", 1)])))
        .await
        .unwrap();
    while link.host.state().transfers == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    link.restart_agent(bench.store.clone()).await;
    let error = applying.await.unwrap().unwrap_err();
    assert_eq!(
        (error.code(), error.is_transient()),
        ("store.unreachable", true)
    );
    assert_eq!(bench.store.cursor("consumer").await.unwrap(), Some(1));
    let found = bench
        .query(whole().only(tongqu_connectors::Filter::eq("id", text("new"))))
        .await;
    assert!(found.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_start_of_the_node_began_is_given_up() {
    let bench = Bench::sqlite().await;
    bench.apply(&plan(1), &many(60_000)).await.unwrap();
    let link = Link::with_spool(bench.store.clone(), 1 << 20).await;
    let reading = link.store.read(whole()).await.unwrap();
    while link.host.state().spool_bytes == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (agent, node) = tokio::io::duplex(64 << 10);
    let serving = tokio::spawn(link.host.clone().serve(agent));
    let anew = Line::new("agt-1", "node-1", "s2", Duration::from_secs(1));
    let running = tokio::spawn({
        let anew = anew.clone();
        async move { anew.run(node).await }
    });
    nothing_stays(&link).await;
    drop(reading);
    serving.abort();
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_agent_a_store_is_soon_unreachable() {
    let line = Line::new("agt-1", "node-1", "s1", Duration::from_mins(1));
    let address = Address::parse("agent://agt-1/own").unwrap();
    let store = AgentStore::of(address, line).unwrap();
    let error = store.ping().await.unwrap_err();
    assert_eq!(error.code(), "store.unreachable");
    assert!(error.to_string().contains("agt-1"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_the_agent_does_not_have_is_missing() {
    let bench = Bench::sqlite().await;
    let link = Link::to(bench.store.clone()).await;
    let address = Address::parse("agent://agt-1/another").unwrap();
    let store = AgentStore::of(address, link.line.clone()).unwrap();
    assert_eq!(store.ping().await.unwrap_err().code(), "store.missing");
    assert_eq!(read_all(&*store).await.unwrap_err().code(), "store.missing");
    let applied = store.apply(plan(1), in_batches(&many(1), 1)).await;
    assert_eq!(applied.unwrap_err().code(), "store.missing");
}
