//! Registries for store tests: embedded, and in a database of its own on a private PostgreSQL.

use jiff::Timestamp;
use sqlx::{Any, pool::PoolConnection};
use tongqu_connectors::testing;

use super::{Registry, Tx};
use crate::platform::evidence::Entry;

/// A migrated registry with nothing in it.
pub(crate) struct Bench {
    pub(crate) registry: Registry,
    // Goes with the bench, after the registry.
    _dir: Option<tempfile::TempDir>,
}

/// A Monday morning in China.
pub(crate) fn monday() -> Timestamp {
    "2026-09-21T01:00:00Z".parse().unwrap()
}

impl Bench {
    pub(crate) async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("registry.db").display());
        let registry = Registry::open(&url, 8).await.unwrap();
        Self {
            registry,
            _dir: Some(dir),
        }
    }

    pub(crate) async fn postgres() -> Self {
        let url = testing::postgres().fresh_database().unwrap();
        let registry = Registry::open(&url, 8).await.unwrap();
        Self {
            registry,
            _dir: None,
        }
    }

    /// A connection for reading.
    pub(crate) async fn read(&self) -> PoolConnection<Any> {
        self.registry.read().await.unwrap()
    }

    /// A write on Monday.
    pub(crate) async fn begin(&self) -> Tx {
        self.begin_at(monday()).await
    }

    /// A write at an instant.
    pub(crate) async fn begin_at(&self, at: Timestamp) -> Tx {
        self.registry.begin(at).await.unwrap()
    }

    /// Runs statements as they are, for what a test needs around its own rows.
    pub(crate) async fn sql(&self, sql: &'static str) {
        let mut tx = self.begin().await;
        sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap();
        commit(tx).await;
    }
}

/// Commits a write of a test.
pub(crate) async fn commit(tx: Tx) {
    tx.commit(Entry::by_platform("test.done")).await.unwrap();
}

/// Two departments and two people, for rows that refer to them.
pub(crate) const PARTIES: &str = "\
    INSERT INTO departments (id, name, short_name, credit_code, division_code, level, created_at) VALUES \
    ('dep-a', '统计局', '统计', 'A', '410400', 'city', '2026-09-21T01:00:00.000000Z'), \
    ('dep-b', '民政局', '民政', 'B', '410400', 'city', '2026-09-21T01:00:00.000000Z'); \
    INSERT INTO people (id, login_name, name, department_id, phone, password_hash, contractor, active, failures, \
    created_at) VALUES \
    ('per-a', 'a', '甲', 'dep-a', '', 'x', 0, 1, 0, '2026-09-21T01:00:00.000000Z'), \
    ('per-b', 'b', '乙', 'dep-b', '', 'x', 0, 1, 0, '2026-09-21T01:00:00.000000Z');";

/// Runs each of these functions on both engines, under its own name in `on_sqlite` and `on_postgres`.
macro_rules! store_suite {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::platform::db::testing::Bench::sqlite().await).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::platform::db::testing::Bench::postgres().await).await;
            })+
        }
    };
}
pub(crate) use store_suite;
