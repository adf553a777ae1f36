//! Schema changes: forward only, same names for both engines, each applied once and recorded.

use jiff::Timestamp;
use sqlx::Row;

use super::{DbError, Engine, Registry};

struct Migration {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($name:literal) => {
        Migration {
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = &[
    migration!("0001_platform"),
    migration!("0002_features"),
    migration!("0003_one_at_a_time"),
    migration!("0004_cases"),
    migration!("0005_directory"),
    migration!("0006_supervision"),
    migration!("0007_attachments"),
    migration!("0008_lists"),
    migration!("0009_effects"),
    migration!("0010_duties"),
    migration!("0011_unlisted_tables"),
    migration!("0012_nodes"),
    migration!("0013_deciding"),
    migration!("0014_samples"),
    migration!("0015_reconciliations"),
    migration!("0016_schedules"),
    migration!("0017_throttle"),
    migration!("0018_watched_columns"),
    migration!("0019_change_logs"),
    migration!("0020_evidence_of_nodes"),
    migration!("0021_agents"),
];

pub(super) async fn run(registry: &Registry) -> Result<(), DbError> {
    let mut tx = registry.begin(Timestamp::UNIX_EPOCH).await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY)")
        .execute(&mut *tx)
        .await?;
    let rows = sqlx::query("SELECT name FROM schema_migrations")
        .fetch_all(&mut *tx)
        .await?;
    let applied: Vec<String> = rows
        .iter()
        .map(|r| r.try_get("name"))
        .collect::<Result<_, _>>()?;
    if let Some(unknown) = applied
        .iter()
        .find(|n| MIGRATIONS.iter().all(|m| m.name != n.as_str()))
    {
        return Err(DbError::FromTheFuture(unknown.clone()));
    }
    let missing: Vec<&Migration> = MIGRATIONS
        .iter()
        .filter(|m| !applied.iter().any(|n| n == m.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut names = Vec::new();
    for migration in missing {
        let ddl = match registry.engine() {
            Engine::Sqlite => migration.sqlite,
            Engine::Postgres => migration.postgres,
        };
        sqlx::raw_sql(ddl).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO schema_migrations (name) VALUES ($1)")
            .bind(migration.name)
            .execute(&mut *tx)
            .await?;
        names.push(migration.name);
    }
    tx.commit(
        crate::platform::evidence::Entry::by_platform("registry.migrated")
            .with("migrations", names.join(" ")),
    )
    .await
}
