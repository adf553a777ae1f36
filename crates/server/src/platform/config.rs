//! Settings: one struct per section of `config.default.toml`. Nothing else sees files or environment.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The documented defaults, compiled in and printed by `tongqu serve --print-config`.
pub const DEFAULTS: &str = include_str!("../../../../config.default.toml");

/// All settings of a node.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub stores: Stores,
    pub law: Law,
    pub session: Session,
    pub live: Live,
    pub node: Node,
    pub catalogue: Catalogue,
    pub request: Request,
    pub exchange: Exchange,
    pub agents: Agents,
    pub ledger: Ledger,
    pub forms: Forms,
}

/// Section `[server]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: std::net::SocketAddr,
    pub public_url: String,
    pub secure_cookies: bool,
    pub body_bytes_max: usize,
    pub request_timeout_s: u64,
}

/// Section `[stores]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stores {
    pub data_dir: PathBuf,
    pub registry_url: String,
    pub pool_url: String,
    pub readers_max: u32,
}

/// Section `[law]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Law {
    pub pack: String,
    pub packs_dir: String,
    pub ceilings: CeilingsInUse,
}

/// Which national ceilings lie over the limits of the packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CeilingsInUse {
    /// None.
    Off,
    /// Those whose value was found in a published source.
    Confirmed,
    /// All of them.
    All,
}

/// Section `[session]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    pub hours_max: i64,
    pub failures_max: i64,
    pub lock_minutes: i64,
    pub password_chars_min: usize,
}

/// Section `[live]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    pub streams_max: usize,
    pub streams_per_session_max: usize,
    pub backlog_max: usize,
    pub heartbeat_s: u64,
    pub poll_ms: u64,
}

/// Section `[node]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    pub heartbeat_s: u64,
    pub store_check_s: u64,
}

/// Section `[catalogue]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub import_entries_max: usize,
    pub import_items_max: usize,
    pub page_size_max: u32,
    pub sample_lines: usize,
    pub sample_rows_max: usize,
}

/// Section `[request]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub undo_minutes: u32,
    pub expiring_days: u32,
}

/// Section `[exchange]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub batch_rows_max: usize,
    pub batch_bytes_max: usize,
    pub quarantine_share_max_percent: u64,
    pub run_attempts_max: i64,
    pub retry_wait_ms: u64,
    pub lease_s: i64,
    pub reconcile_every_h: i64,
    pub workers: usize,
    pub standing_max: usize,
    pub span_idle_s: u64,
    pub span_max_s: u64,
    pub log_retained_mb_max: u64,
}

/// Section `[agents]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agents {
    pub listen: String,
    pub public_address: String,
    pub code_hours: i64,
    pub certificate_days: i64,
    pub patience_s: u64,
    pub lines_max: usize,
}

/// Section `[ledger]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    pub head_interval_ms: u64,
    pub batch_records_max: usize,
    pub segment_bytes_max: u64,
}

/// Section `[forms]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forms {
    pub attachment_bytes_max: usize,
}

/// Why a configuration can't be used; the text names the file and every faulty key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: can't be read: {source}")]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {message}")]
    Faulty { path: PathBuf, message: String },
}

impl Config {
    /// The defaults, overlaid by `file` if there is one.
    ///
    /// Errors: [`ConfigError`] naming the file and the key, for unknown keys as well.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut table: toml::Table = DEFAULTS
            .parse()
            .expect("config.default.toml is checked by a test");
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
            let faulty = |message: String| ConfigError::Faulty {
                path: path.to_owned(),
                message,
            };
            let own: toml::Table = text
                .parse()
                .map_err(|e: toml::de::Error| faulty(e.to_string()))?;
            overlay(&mut table, own);
            return table
                .try_into()
                .map_err(|e: toml::de::Error| faulty(e.to_string()));
        }
        Ok(table
            .try_into()
            .expect("config.default.toml is checked by a test"))
    }

    /// The folder for embedded stores, secrets and the ledger.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.stores.data_dir
    }

    /// The largest body of any operation, in bytes.
    #[must_use]
    pub fn any_body_bytes_max(&self) -> usize {
        self.server
            .body_bytes_max
            .max(self.forms.attachment_bytes_max)
    }

    /// The registry's address: the configured one, or SQLite in the data folder.
    #[must_use]
    pub fn registry_url(&self) -> String {
        embedded_or(
            &self.stores.registry_url,
            &self.stores.data_dir.join("registry.db"),
        )
    }

    /// The pool's address: the configured one, or SQLite in the data folder.
    #[must_use]
    pub fn pool_url(&self) -> String {
        embedded_or(&self.stores.pool_url, &self.stores.data_dir.join("pool.db"))
    }
}

fn embedded_or(url: &str, path: &Path) -> String {
    if url.is_empty() {
        format!("sqlite:{}", path.display())
    } else {
        url.to_owned()
    }
}

fn overlay(base: &mut toml::Table, own: toml::Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => overlay(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_complete_and_known() {
        let config = Config::load(None).unwrap();
        assert_eq!(
            config.law.pack, "",
            "the index of the packs names the default"
        );
        assert_eq!(config.law.ceilings, CeilingsInUse::Off);
    }

    #[test]
    fn an_unknown_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("site.toml");
        std::fs::write(&path, "[server]\nport = 1\n").unwrap();
        let error = Config::load(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("port"), "{error}");
    }
}
