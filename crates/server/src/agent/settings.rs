//! Settings of an agent: one small file.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use tongqu_connectors::is_plain_name;

use crate::platform::{config::ConfigError, secrets::Secret};

/// Settings of an agent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `host:port` of every node of the platform; it calls all of them.
    pub hubs: Vec<String>,
    /// Where its key and certificate are kept, and what waits for the other side.
    pub data_dir: PathBuf,
    /// The most that may wait there, in MiB.
    #[serde(default = "spool_mb_max")]
    pub spool_mb_max: u64,
    /// What nobody asked about for so many hours is given up; a line may be cut for so long.
    #[serde(default = "cut_max_h")]
    pub cut_max_h: u64,
    /// The exchange stores, by the names under which the platform knows them.
    pub stores: BTreeMap<String, Secret>,
}

fn spool_mb_max() -> u64 {
    4096
}

fn cut_max_h() -> u64 {
    6
}

impl Settings {
    /// Reads the file.
    ///
    /// Errors: [`ConfigError`] naming the file and what is wrong in it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let faulty = |message: String| ConfigError::Faulty {
            path: path.to_owned(),
            message,
        };
        // The parser's words would quote the line, in which a password may stand.
        let settings: Self =
            toml::from_str(&text).map_err(|error| faulty(error.message().to_owned()))?;
        settings.check().map_err(faulty)?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        if self.hubs.is_empty() {
            return Err("hubs: name at least one host:port of the platform".to_owned());
        }
        if self.stores.is_empty() {
            return Err("[stores]: name at least one exchange store".to_owned());
        }
        for (name, url) in &self.stores {
            if !is_plain_name(name) {
                return Err(format!(
                    "[stores] {name}: a name has letters, digits, - and _, at most 64"
                ));
            }
            if let Err(error) = tongqu_connectors::open(url.reveal()) {
                return Err(format!("[stores] {name}: {error}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Settings, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.toml");
        std::fs::write(&path, text).unwrap();
        Settings::load(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let settings = load(
            "hubs = ['hub:8443']\ndata_dir = '/var/lib/agent'\n[stores]\ntax = 'sqlite:/data/tax.db'\n",
        )
        .unwrap();
        assert_eq!((settings.spool_mb_max, settings.cut_max_h), (4096, 6));
    }

    #[test]
    fn faults_are_named_without_passwords() {
        let base = "hubs = ['hub:8443']\ndata_dir = '/x'\n[stores]\n";
        for (text, named) in [
            (
                "hubs = []\ndata_dir = '/x'\n[stores]\na = 'sqlite:/x'\n".to_owned(),
                "hubs",
            ),
            (base.to_owned(), "[stores]"),
            (format!("{base}'a b' = 'sqlite:/x'\n"), "a b"),
            (format!("{base}tax = 'oracle://tax:s3cret@db'\n"), "tax"),
            (format!("{base}tax = 'agent://other/store'\n"), "tax"),
            (format!("{base}tax = 's3cret\n"), ""),
            (format!("port = 1\n{base}tax = 'sqlite:/x'\n"), "port"),
        ] {
            let error = load(&text).unwrap_err();
            assert!(error.contains(named), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
