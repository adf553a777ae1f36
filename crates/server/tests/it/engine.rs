//! The engine by itself: what no path through the API leads to at will.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::date;
use tongqu::features::catalogue::{ItemColumn, Mounting};
use tongqu::features::exchange::engine::{
    Delivery, Limits, PoolTable, Reach, RunError, Side, Source, Watched, collect, collect_since,
    deliver, read_quarantine,
};
use tongqu_connectors::{Store, open, open_or_create};
use tongqu_domain::catalogue::{DataItem, DataType, MaskKind, Sensitivity};
use tongqu_domain::exchange::{Measure, RowCondition};
use tongqu_domain::grant::{Grant, GrantState};
use tongqu_domain::ids::{CaseId, DepartmentId, EntryId, GrantId, MountingId, StoreId};

use crate::support::ExchangeDb;

const LIMITS: Limits = Limits {
    batch_rows_max: 2,
    batch_bytes_max: 1 << 20,
    quarantine_permille_max: 50,
};

pub fn item(code: &str) -> DataItem {
    DataItem {
        name: code.to_owned(),
        code: code.to_owned(),
        data_type: DataType::Text,
        length: Some(20),
        scale: None,
        nullable: code != "id",
        key: code == "id",
        sensitivity: Sensitivity::General,
        mask: None,
        check: None,
        standard: None,
    }
}

/// A table `person` of two columns that declares no key.
async fn source(provider: &ExchangeDb) -> Source {
    provider.sql("CREATE TABLE person (id VARCHAR(20) NOT NULL, name VARCHAR(20))");
    source_of(open(&provider.url()).unwrap()).await
}

/// The table `person` of a store.
async fn source_of(store: Arc<dyn Store>) -> Source {
    let columns = store.discover("person").await.unwrap().columns;
    Source {
        store,
        mounting: Mounting {
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
        },
        items: vec![item("id"), item("name")],
        today: date(2026, 1, 1),
        watched: None,
    }
}

fn stores(dir: &Path) -> (ExchangeDb, Arc<dyn Store>, ExchangeDb) {
    let pool = ExchangeDb::at(&dir.join("pool.db"));
    let opened = open_or_create(&pool.url()).unwrap();
    (ExchangeDb::at(&dir.join("provider.db")), opened, pool)
}

/// The first collection doesn't sort and later ones do; both find a key that comes twice, wherever it stands, and
/// leave the pool as it was. Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_comes_twice_is_the_providers_to_mend() {
    let dir = tempfile::tempdir().unwrap();
    let (provider, pool, _) = stores(dir.path());
    let source = source(&provider).await;
    let twice = |error: RunError| {
        assert_eq!(
            (error.code(), error.side()),
            ("exchange.duplicate_key", Side::Provider)
        );
    };

    provider.sql(
        "INSERT INTO person VALUES ('3', 'c'), ('1', 'a'), ('2', 'b'), ('4', 'd'), ('3', 'again')",
    );
    twice(collect(&source, &pool, "run-1", LIMITS).await.unwrap_err());

    provider.sql("DELETE FROM person WHERE name = 'again'");
    let first = collect(&source, &pool, "run-2", LIMITS).await.unwrap();
    assert_eq!((first.counts.inserted, first.live_rows), (4, 4));

    provider.sql("INSERT INTO person VALUES ('1', 'again')");
    twice(collect(&source, &pool, "run-3", LIMITS).await.unwrap_err());

    provider.sql("DELETE FROM person WHERE id = '1'; INSERT INTO person VALUES ('0', 'new')");
    let then = collect(&source, &pool, "run-4", LIMITS).await.unwrap();
    let counts = then.counts;
    assert_eq!(
        (
            counts.inserted,
            counts.updated,
            counts.deleted,
            counts.unchanged
        ),
        (1, 0, 1, 3)
    );
}

pub fn grant(masks: &[(&str, MaskKind)]) -> Grant {
    Grant {
        id: GrantId::parse("grant-1").unwrap(),
        case_id: CaseId::parse("case-1").unwrap(),
        entry_id: EntryId::parse("entry-1").unwrap(),
        version_no: 1,
        provider: DepartmentId::parse("provider").unwrap(),
        requester: DepartmentId::parse("requester").unwrap(),
        columns: vec!["id".to_owned(), "name".to_owned()],
        condition: RowCondition::all_rows(),
        masks: masks
            .iter()
            .map(|(item, mask)| ((*item).to_owned(), *mask))
            .collect(),
        purpose: "p".to_owned(),
        basis: "b".to_owned(),
        valid_from: date(2026, 1, 1),
        valid_until: None,
        state: GrantState::Active,
    }
}

/// Rows that didn't change are delivered again when they are to be masked otherwise. Spec: YC-9.
#[tokio::test(flavor = "multi_thread")]
async fn another_mask_begins_the_delivery_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (provider, pool, _) = stores(dir.path());
    let source = source(&provider).await;
    provider.sql("INSERT INTO person VALUES ('1', '王小明'), ('2', '李雷')");
    collect(&source, &pool, "run-1", LIMITS).await.unwrap();
    let requester = ExchangeDb::at(&dir.path().join("requester.db"));
    let mut delivery = Delivery {
        table: PoolTable::of(&source.mounting, &source.items),
        items: source.items.clone(),
        grant: grant(&[]),
        pseudonyms: None,
        target: open_or_create(&requester.url()).unwrap(),
        target_table: "person".to_owned(),
        consumer: "sub-1".to_owned(),
        compares: Reach::Changed,
    };
    let names = || {
        requester
            .rows("SELECT name FROM person ORDER BY id")
            .concat()
    };
    let plain = deliver(&delivery, &pool, "run-2", LIMITS).await.unwrap();
    assert_eq!(
        (plain.reach, names()),
        (Reach::Whole, vec!["王小明".to_owned(), "李雷".to_owned()])
    );
    let again = deliver(&delivery, &pool, "run-3", LIMITS).await.unwrap();
    assert_eq!((again.reach, again.held.rows()), (Reach::Changed, 0));

    delivery.grant = grant(&[("name", MaskKind::PersonName)]);
    let masked = deliver(&delivery, &pool, "run-4", LIMITS).await.unwrap();
    assert_eq!(
        (masked.reach, names()),
        (Reach::Whole, vec!["王**".to_owned(), "李*".to_owned()])
    );
}

/// A pool whose rows are all gone is begun anew without losing count of what was before.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_empty_meanwhile_is_collected_again() {
    let dir = tempfile::tempdir().unwrap();
    let (provider, pool, pool_file) = stores(dir.path());
    let source = source(&provider).await;
    provider.sql("INSERT INTO person VALUES ('2', 'b'), ('1', 'a')");
    collect(&source, &pool, "run-1", LIMITS).await.unwrap();
    provider.sql("DELETE FROM person");
    let emptied = collect(&source, &pool, "run-2", LIMITS).await.unwrap();
    assert_eq!((emptied.counts.deleted, emptied.live_rows), (2, 0));
    provider.sql("INSERT INTO person VALUES ('3', 'c'), ('1', 'a')");
    let again = collect(&source, &pool, "run-3", LIMITS).await.unwrap();
    assert_eq!((again.counts.inserted, again.live_rows), (2, 2));
    let table = PoolTable::of(&source.mounting, &source.items).name;
    assert_eq!(
        pool_file.rows(&format!("SELECT id, _deleted FROM {table} ORDER BY id")),
        [["1", "0"], ["2", "1"], ["3", "0"]]
    );
}

async fn run_sql(client: &tokio_postgres::Client, sql: &str) {
    client.batch_execute(sql).await.unwrap();
}

/// A table that is large enough to be summed up first: only what differs is read, and still every change is found and
/// every row counted; where much has changed, everything is read. Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn large_tables_are_summed_up_before_they_are_read() {
    let server = tongqu_connectors::testing::postgres();
    let (provider, pool) = (
        server.fresh_database().unwrap(),
        server.fresh_database().unwrap(),
    );
    let (client, connection) = tokio_postgres::connect(&provider, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    run_sql(
        &client,
        "CREATE TABLE person (id char(6) PRIMARY KEY, name varchar(20)); \
         INSERT INTO person SELECT 'p' || i, 'n' || i FROM generate_series(10001, 40000) AS i; ANALYZE person",
    )
    .await;
    let source = source_of(open(&provider).unwrap()).await;
    let pool = open(&pool).unwrap();
    let limits = Limits {
        batch_rows_max: 1_000,
        ..LIMITS
    };
    let counts = async |run: &str| {
        let collected = collect(&source, &pool, run, limits).await.unwrap();
        let counts = collected.counts;
        assert!(counts.adds_up(), "{counts:?}");
        (
            [
                counts.read,
                counts.inserted,
                counts.updated,
                counts.deleted,
                counts.quarantined,
            ],
            collected.live_rows,
        )
    };
    assert_eq!(counts("run-1").await, ([30_000, 30_000, 0, 0, 0], 30_000));
    assert_eq!(counts("run-2").await, ([30_000, 0, 0, 0, 0], 30_000));

    run_sql(
        &client,
        "UPDATE person SET name = CASE id WHEN 'p10005' THEN 'n10006' ELSE 'n10005' END WHERE id IN ('p10005', 'p10006'); \
         UPDATE person SET name = NULL WHERE id = 'p20000'; DELETE FROM person WHERE id IN ('p30001', 'p30002'); \
         INSERT INTO person VALUES ('q', 'new'), ('q1', 'new'), ('q2', 'new'); \
         ALTER TABLE person ALTER name TYPE varchar(40); \
         UPDATE person SET name = repeat('x', 21) WHERE id = 'p40000'",
    )
    .await;
    let mut source = source_of(open(&provider).unwrap()).await;
    source.mounting.id = MountingId::parse("mounting-1").unwrap();
    let collected = collect(&source, &pool, "run-3", limits).await.unwrap();
    let found = collected.counts;
    assert_eq!(
        [
            found.read,
            found.inserted,
            found.updated,
            found.deleted,
            found.quarantined,
        ],
        [30_001, 3, 3, 2, 1]
    );
    assert!(found.adds_up());
    assert_eq!(
        collected.live_rows, 30_001,
        "the faulty row keeps its last good state"
    );

    run_sql(&client, "UPDATE person SET name = upper(name)").await;
    let collected = collect(&source, &pool, "run-4", limits).await.unwrap();
    let found = collected.counts;
    assert_eq!(
        (found.read, found.updated, found.quarantined),
        (30_001, 29_999, 1)
    );
}

fn watching(source: &mut Source, seen: Option<i64>, now: &str) {
    let now = now.parse().unwrap();
    source.watched = Some(Watched {
        column: "seq".to_owned(),
        seen,
        highest: Measure::Numbers.highest_at(now),
    });
}

/// Changes that the watched column tells are found without comparing the whole; what it doesn't tell is found when the
/// whole is compared. Rows in quarantine that weren't looked at stay there. Spec: PDS-8.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_watched_column_tells_what_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (provider, pool, pool_file) = stores(dir.path());
    provider.sql(
        "CREATE TABLE person (id VARCHAR(20) NOT NULL, name VARCHAR(40), seq INTEGER); \
         INSERT INTO person VALUES ('1', 'a', 1), ('2', 'b', 2), ('3', 'c', 3), ('4', 'd', NULL), \
         ('5', 'far too long for the data item', 4)",
    );
    let mut source = source_of(open(&provider.url()).unwrap()).await;
    source.items.push(DataItem {
        data_type: DataType::Integer,
        length: None,
        ..item("seq")
    });
    let faults = Limits {
        quarantine_permille_max: 500,
        ..LIMITS
    };
    watching(&mut source, None, "2026-01-01T00:00:00Z");
    let first = collect(&source, &pool, "run-1", faults).await.unwrap();
    assert_eq!(
        (first.counts.inserted, first.counts.quarantined, first.seen),
        (4, 1, Some(4))
    );

    provider.sql(
        "UPDATE person SET name = 'bb', seq = 5 WHERE id = '2'; INSERT INTO person VALUES ('6', 'f', 6); \
         INSERT INTO person VALUES ('7', 'also far too long for the item', 7); \
         UPDATE person SET name = 'unseen' WHERE id = '1'; DELETE FROM person WHERE id = '3'",
    );
    watching(&mut source, first.seen, "2026-01-01T00:00:00Z");
    source.mounting.rows_total = Some(4);
    let since = collect_since(&source, &pool, "run-2", faults, 5)
        .await
        .unwrap();
    let counts = since.counts;
    assert_eq!(
        (
            counts.read,
            counts.inserted,
            counts.updated,
            counts.deleted,
            counts.quarantined
        ),
        (3, 1, 1, 0, 1)
    );
    assert_eq!((since.live_rows, since.seen), (5, Some(7)));
    let table = PoolTable::of(&source.mounting, &source.items);
    let quarantined = async || {
        let rows = read_quarantine(pool.as_ref(), &table, 10).await.unwrap();
        rows.into_iter().map(|row| row.key).collect::<Vec<_>>()
    };
    assert_eq!(quarantined().await, ["5", "7"]);

    provider.sql("UPDATE person SET name = 'short', seq = 8 WHERE id = '7'");
    let mended = collect_since(&source, &pool, "run-3", faults, 8)
        .await
        .unwrap();
    assert_eq!((mended.counts.inserted, mended.seen), (1, Some(8)));
    assert_eq!(quarantined().await, ["5"]);
    // Read again within an overlap, nothing is changed.
    let again = collect_since(&source, &pool, "run-4", faults, 5)
        .await
        .unwrap();
    assert_eq!((again.counts.read, again.counts.unchanged), (3, 3));

    let whole = collect(&source, &pool, "run-5", faults).await.unwrap();
    assert_eq!((whole.counts.updated, whole.counts.deleted), (1, 1));
    assert_eq!(
        pool_file.rows(&format!(
            "SELECT id, name FROM {} WHERE _deleted = 0 ORDER BY id",
            table.name
        )),
        [
            ["1", "unseen"],
            ["2", "bb"],
            ["4", "d"],
            ["6", "f"],
            ["7", "short"]
        ]
    );
}
