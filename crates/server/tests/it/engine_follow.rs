//! Following a provider's change log into the pool, on real servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use jiff::civil::date;
use tongqu::features::catalogue::{ItemColumn, Mounting};
use tongqu::features::exchange::engine::{
    Delivery, Followed, Follower, Limits, PoolTable, Reach, RunError, Side, Source, deliver,
    read_quarantine, reconcile, unfollow,
};
use tongqu_connectors::{
    Address, Applied, ApplyPlan, BatchStream, ConnectorError, KeyCheck, Query, Store, TableInfo,
    open, open_or_create, testing,
};
use tongqu_domain::exchange::Counts;
use tongqu_domain::ids::{EntryId, MountingId, StoreId};

use crate::engine::{grant, item};

const LIMITS: Limits = Limits {
    batch_rows_max: 500,
    batch_bytes_max: 1 << 20,
    quarantine_permille_max: 50,
};

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);

/// The provider's store with a table `person`, a pool, and the requester's store.
struct Road {
    provider: tokio_postgres::Client,
    source: Source,
    pool: Arc<dyn Store>,
    pool_client: tokio_postgres::Client,
    delivery: Delivery,
}

async fn client(url: &str) -> tokio_postgres::Client {
    let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.unwrap();
    tokio::spawn(connection);
    client
}

impl Road {
    async fn new() -> Self {
        let fresh = || testing::postgres().fresh_database().unwrap();
        let (provider_url, pool_url, requester_url) = (fresh(), fresh(), fresh());
        let provider = client(&provider_url).await;
        let table = "CREATE TABLE person (id varchar(20) PRIMARY KEY, name text)";
        provider.batch_execute(table).await.unwrap();
        let store = open(&provider_url).unwrap();
        let columns = store.discover("person").await.unwrap().columns;
        let items = vec![item("id"), item("name")];
        let mounting = Mounting {
            id: MountingId::parse("mounting-1").unwrap(),
            entry_id: EntryId::parse("entry-1").unwrap(),
            store_id: StoreId::parse("store-1").unwrap(),
            table: "person".to_owned(),
            columns: columns
                .into_iter()
                .map(|column| ItemColumn {
                    item: column.name.clone(),
                    column,
                })
                .collect(),
            key: vec!["id".to_owned()],
            pooled: false,
            rows_total: None,
            last_arrival_at: None,
        };
        let delivery = Delivery {
            table: PoolTable::of(&mounting, &items),
            items: items.clone(),
            grant: grant(&[]),
            pseudonyms: None,
            target: open(&requester_url).unwrap(),
            target_table: "person".to_owned(),
            consumer: "sub-1".to_owned(),
            compares: Reach::Changed,
        };
        Self {
            provider,
            source: Source {
                store,
                mounting,
                items,
                today: date(2026, 1, 1),
                watched: None,
            },
            pool: open(&pool_url).unwrap(),
            pool_client: client(&pool_url).await,
            delivery,
        }
    }

    async fn sql(&self, sql: &str) {
        self.provider.batch_execute(sql).await.unwrap();
    }

    async fn follower(&self) -> Follower {
        Follower::open(&self.source, &self.pool, "run", LIMITS)
            .await
            .unwrap()
            .0
    }

    /// What the pool holds, tombstones left out.
    async fn pooled(&self) -> String {
        let sql = format!(
            "SELECT COALESCE(string_agg(id || '=' || COALESCE(name, '-'), ' ' ORDER BY id), '') FROM {} WHERE _deleted = 0",
            self.delivery.table.name
        );
        self.pool_client.query_one(&sql, &[]).await.unwrap().get(0)
    }

    async fn faulty(&self) -> Vec<String> {
        let rows = read_quarantine(self.pool.as_ref(), &self.delivery.table, 100)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.key).collect()
    }

    /// Delivers, and compares the whole on both sides.
    async fn delivered(&self) -> u64 {
        let delivered = deliver(&self.delivery, &self.pool, "run", LIMITS)
            .await
            .unwrap();
        let whole = reconcile(&self.delivery, &self.pool, "run", LIMITS)
            .await
            .unwrap();
        assert_eq!(whole.differing, 0);
        delivered.counts.delivered
    }
}

/// The next step that took something over. Others may only move the position on, because tests beside this one
/// write into the same log.
async fn step(follower: &mut Follower) -> Followed {
    loop {
        let followed = follower.step(LONG, "run").await.unwrap().unwrap();
        if followed.transactions > 0 {
            return followed;
        }
    }
}

async fn is_quiet(follower: &mut Follower) -> bool {
    while let Some(followed) = follower.step(SHORT, "run").await.unwrap() {
        if followed.transactions > 0 {
            return false;
        }
    }
    true
}

/// Steps until so many transactions were taken over, and adds their counts.
async fn steps(follower: &mut Follower, transactions: u64) -> Counts {
    let (mut seen, mut counts) = (0, Counts::default());
    while seen < transactions {
        let followed = step(follower).await;
        seen += followed.transactions;
        counts = counts.merge(&followed.counts);
    }
    assert!(counts.adds_up());
    counts
}

fn counted(counts: Counts) -> [u64; 5] {
    let Counts {
        read,
        inserted,
        updated,
        deleted,
        unchanged,
        ..
    } = counts;
    [read, inserted, updated, deleted, unchanged]
}

/// Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn each_change_comes_into_the_pool_and_to_the_requester() {
    let road = Road::new().await;
    road.sql("INSERT INTO person VALUES ('1', 'a'), ('2', 'b'), ('3', 'c')")
        .await;
    let (mut follower, begun) = Follower::open(&road.source, &road.pool, "run", LIMITS)
        .await
        .unwrap();
    assert_eq!(begun.unwrap().counts.inserted, 3);
    assert_eq!(road.delivered().await, 3);

    road.sql(
        "BEGIN; INSERT INTO person VALUES ('4', 'd'); UPDATE person SET name = 'x' WHERE id = '1'; \
              UPDATE person SET id = '9' WHERE id = '2'; DELETE FROM person WHERE id = '3'; COMMIT",
    )
    .await;
    let first = step(&mut follower).await;
    assert_eq!(counted(first.counts), [3, 2, 1, 2, 0]);
    assert!(first.has_changes() && first.grown_by() == 0);
    assert_eq!(road.pooled().await, "1=x 4=d 9=b");
    assert_eq!(road.delivered().await, 5);

    // What changes nothing in the end isn't delivered again, and what came and went leaves no trace.
    road.sql("UPDATE person SET name = name; BEGIN; INSERT INTO person VALUES ('5', 'e'); DELETE FROM person WHERE id = '5'; COMMIT").await;
    let same = steps(&mut follower, 1).await;
    assert_eq!(same.delivered + same.deleted, 0);
    assert_eq!(road.delivered().await, 0);

    road.sql("BEGIN; TRUNCATE person; INSERT INTO person VALUES ('1', 'x'), ('7', 'g'); COMMIT")
        .await;
    let emptied = step(&mut follower).await;
    assert_eq!(counted(emptied.counts), [2, 2, 0, 3, 0]);
    assert_eq!(road.pooled().await, "1=x 7=g");
    road.delivered().await;
    road.sql("TRUNCATE person").await;
    step(&mut follower).await;
    assert_eq!(road.pooled().await, "");
    road.delivered().await;
}

/// Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_row_waits_aside_until_it_is_mended() {
    let road = Road::new().await;
    let long = "x".repeat(21);
    road.sql(&format!(
        "INSERT INTO person VALUES ('1', 'a'), ('2', '{long}')"
    ))
    .await;
    let lenient = Limits {
        quarantine_permille_max: 1000,
        ..LIMITS
    };
    let (mut follower, _) = Follower::open(&road.source, &road.pool, "run", lenient)
        .await
        .unwrap();
    assert_eq!(road.faulty().await, ["2"]);

    road.sql(&format!("UPDATE person SET name = '{long}' WHERE id = '1'; INSERT INTO person VALUES ('3', '{long}'), ('4', 'd')")).await;
    let counts = steps(&mut follower, 1).await;
    assert_eq!(
        (counts.read, counts.quarantined, counts.inserted),
        (3, 2, 1)
    );
    assert_eq!(road.faulty().await, ["2", "1", "3"]);
    assert_eq!(road.pooled().await, "1=a 4=d");

    road.sql("UPDATE person SET name = 'b' WHERE id = '2'; UPDATE person SET name = 'a' WHERE id = '1'; DELETE FROM person WHERE id = '3'").await;
    steps(&mut follower, 1).await;
    assert_eq!(road.faulty().await, Vec::<String>::new());
    assert_eq!(road.pooled().await, "1=a 2=b 4=d");

    // Past a share of many rows, the run stops and nothing of it is taken over.
    drop(follower);
    let mut follower = road.follower().await;
    road.sql(&format!("INSERT INTO person SELECT 'n' || n, CASE WHEN n % 10 = 0 THEN '{long}' ELSE 'n' END FROM generate_series(1, 12000) AS n")).await;
    let refused = follower.step(LONG, "run").await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.side()),
        ("exchange.too_many_faults", Side::Provider)
    );
    assert_eq!(road.pooled().await, "1=a 2=b 4=d");
}

/// Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_transaction_is_seen_whole_or_not_at_all() {
    let road = Road::new().await;
    let mut follower = road.follower().await;
    road.sql(
        "BEGIN; INSERT INTO person SELECT n::text, 'a' FROM generate_series(1, 10000) AS n; \
              UPDATE person SET name = 'b'; DELETE FROM person WHERE id LIKE '9%'; COMMIT",
    )
    .await;
    let followed = step(&mut follower).await;
    assert_eq!(
        (followed.transactions, counted(followed.counts)),
        (1, [8889, 8889, 0, 0, 0])
    );
    assert_eq!(road.delivered().await, 8889);
    // A whole table that is loaded anew within one transaction.
    road.sql("BEGIN; TRUNCATE person; INSERT INTO person SELECT n::text, 'c' FROM generate_series(5001, 11000) AS n; COMMIT").await;
    let followed = step(&mut follower).await;
    assert_eq!(counted(followed.counts), [6000, 6000, 0, 8889, 0]);
    road.delivered().await;
}

/// A pool that fails when it is told to.
#[derive(Debug)]
struct Failing {
    inner: Arc<dyn Store>,
    when: AtomicU8,
}

const BEFORE: u8 = 1;
const AFTER: u8 = 2;

#[async_trait::async_trait]
impl Store for Failing {
    fn address(&self) -> &Address {
        self.inner.address()
    }
    async fn ping(&self) -> Result<(), ConnectorError> {
        self.inner.ping().await
    }
    async fn tables(&self) -> Result<Vec<String>, ConnectorError> {
        self.inner.tables().await
    }
    async fn discover(&self, table: &str) -> Result<TableInfo, ConnectorError> {
        self.inner.discover(table).await
    }
    async fn check_key(&self, table: &str, key: &[String]) -> Result<KeyCheck, ConnectorError> {
        self.inner.check_key(table, key).await
    }
    async fn read(&self, query: Query) -> Result<BatchStream, ConnectorError> {
        self.inner.read(query).await
    }
    async fn apply(
        &self,
        plan: ApplyPlan,
        changes: BatchStream,
    ) -> Result<Applied, ConnectorError> {
        let gone = || ConnectorError::Unreachable {
            store: String::new(),
            reason: String::new(),
        };
        let when = self.when.swap(0, Ordering::SeqCst);
        if when == BEFORE {
            return Err(gone());
        }
        let applied = self.inner.apply(plan, changes).await?;
        if when == AFTER {
            Err(gone())
        } else {
            Ok(applied)
        }
    }
    async fn cursor(&self, consumer: &str) -> Result<Option<i64>, ConnectorError> {
        self.inner.cursor(consumer).await
    }
    async fn drop_consumer(&self, consumer: &str) -> Result<(), ConnectorError> {
        self.inner.drop_consumer(consumer).await
    }
}

/// Whether the pool's answer was lost before or after it had changed anything, the next follower brings each row
/// once. Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_dies_loses_and_repeats_nothing() {
    let road = Road::new().await;
    drop(road.follower().await);
    let failing = Arc::new(Failing {
        inner: Arc::clone(&road.pool),
        when: AtomicU8::new(0),
    });
    let pool: Arc<dyn Store> = failing.clone();
    for (n, when) in [BEFORE, AFTER, BEFORE, AFTER].into_iter().enumerate() {
        let (mut follower, begun) = Follower::open(&road.source, &pool, "run", LIMITS)
            .await
            .unwrap();
        assert!(begun.is_none());
        road.sql(&format!(
            "INSERT INTO person VALUES ('{n}', 'a'); UPDATE person SET name = 'b{n}'"
        ))
        .await;
        failing.when.store(when, Ordering::SeqCst);
        let error = follower.step(LONG, "run").await.unwrap_err();
        assert!(
            error.is_transient() && error.side() == Side::Platform,
            "{error}"
        );
        drop(follower);
        let mut follower = Follower::open(&road.source, &pool, "run", LIMITS)
            .await
            .unwrap()
            .0;
        if when == BEFORE {
            let again = step(&mut follower).await;
            assert_eq!(again.counts.inserted, 1);
        } else {
            // The pool has it already, and knows so.
            assert!(is_quiet(&mut follower).await);
        }
        road.delivered().await;
    }
    assert_eq!(road.pooled().await, "0=b3 1=b3 2=b3 3=b3");
}

/// Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_lost_is_healed_by_a_collection() {
    let road = Road::new().await;
    road.sql("INSERT INTO person VALUES ('1', 'a'), ('2', 'b')")
        .await;
    let mut follower = road.follower().await;
    road.sql("UPDATE person SET name = 'x' WHERE id = '1'")
        .await;
    step(&mut follower).await;
    drop(follower);
    // Whoever cleans up there takes the slot away; what changes then is in no log.
    let slot = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()";
    while road.provider.batch_execute(slot).await.is_err() {}
    road.sql("DELETE FROM person WHERE id = '2'; INSERT INTO person VALUES ('3', 'c')")
        .await;
    let (mut follower, begun) = Follower::open(&road.source, &road.pool, "run", LIMITS)
        .await
        .unwrap();
    let healed = begun.unwrap();
    assert_eq!(counted(healed.counts), [2, 1, 0, 1, 1]);
    road.sql("INSERT INTO person VALUES ('4', 'd')").await;
    step(&mut follower).await;
    assert_eq!(road.pooled().await, "1=x 3=c 4=d");
    drop(follower);
    while let Err(error) = unfollow(
        road.source.store.as_ref(),
        road.pool.as_ref(),
        road.delivery.table.consumer(),
    )
    .await
    {
        assert!(error.is_transient(), "{error}");
    }
    let left = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()";
    assert_eq!(
        road.provider
            .query_one(left, &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        0
    );
}

/// What the log says of a table that is no longer what was mounted. Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_altered_pauses_the_mounting() {
    let road = Road::new().await;
    let mut follower = road.follower().await;
    road.sql("ALTER TABLE person DROP name; INSERT INTO person VALUES ('1')")
        .await;
    let error = follower.step(LONG, "run").await.unwrap_err();
    assert!(
        error.is_schema_change() && error.column() == Some("name"),
        "{error}"
    );
    let error = Follower::open(&road.source, &road.pool, "run", LIMITS)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, RunError::ColumnGone { .. }), "{error}");
}

/// The pool may be any store. Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_in_a_file_follows_too() {
    let mut road = Road::new().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pool.db");
    road.pool = open_or_create(&format!("sqlite:{}", file.display())).unwrap();
    let mut follower = road.follower().await;
    road.sql("INSERT INTO person VALUES ('1', 'a'), ('2', 'b')")
        .await;
    step(&mut follower).await;
    road.sql("UPDATE person SET id = '3' WHERE id = '1'").await;
    let counts = steps(&mut follower, 1).await;
    assert_eq!(counted(counts), [1, 1, 0, 1, 0]);
    assert_eq!(road.delivered().await, 2);
}
