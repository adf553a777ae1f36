//! The engine by itself: what no path through the API leads to at will.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::date;
use tongqu::features::catalogue::{ItemColumn, Mounting};
use tongqu::features::exchange::engine::{
    Delivery, Limits, PoolTable, Reach, RunError, Side, Source, collect, deliver,
};
use tongqu_connectors::{Store, open, open_or_create};
use tongqu_domain::catalogue::{DataItem, DataType, MaskKind, Sensitivity};
use tongqu_domain::exchange::RowCondition;
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
    let store = open(&provider.url()).unwrap();
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
