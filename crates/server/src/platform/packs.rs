//! Rule packs: built in from `regulations/`, added to or replaced from a configured folder, and kept in
//! the registry in every version that a case may have begun under.
//!
//! Beside the packs a folder may hold `index.toml`, which names the pack to take where nothing else is
//! said, and `national-ceilings.toml`. All of it can be read anew while the platform runs; if anything
//! is wrong then, what was loaded before stays in force.

#[cfg(test)]
mod tests;

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::{Context as _, anyhow};
use jiff::civil::Date;
use serde::Deserialize;
use tongqu_domain::law::{
    Ceilings, Coverage, LoadedPack, Pack, PackFaults, PackFile, PackFiles, Standing, Unconfirmed,
};

use super::{
    config::{CeilingsInUse, Law},
    db::{DbError, Registry, packs as store},
    evidence::Entry,
};

/// Names the default pack.
const INDEX: &str = "index.toml";

/// Holds the national ceilings.
const CEILINGS: &str = "national-ceilings.toml";

#[derive(rust_embed::RustEmbed)]
#[folder = "../../regulations"]
struct BuiltIn;

/// The files of an installation: built in, and those of its folder over them.
#[derive(Debug, Default)]
pub struct Files {
    /// The packs.
    pub packs: PackFiles,
    index: Option<PackFile>,
    ceilings: Option<PackFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    #[serde(rename = "schema")]
    _schema: i64,
    default: String,
}

/// Why packs can't be taken into use.
#[derive(Debug, thiserror::Error)]
pub enum PacksError {
    /// Files are faulty; every fault of every file.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faulty(Vec<PackFaults>),
    /// A setting or the index names a pack that isn't there.
    #[error("{named_by} names the rule pack {pack}; these are there: {}", .known.join(", "))]
    UnknownDefault {
        /// The setting or file.
        named_by: String,
        /// The id.
        pack: String,
        /// The ids that are there.
        known: Vec<String>,
    },
    /// The folder or a file can't be read.
    #[error("{0:#}")]
    Unreadable(anyhow::Error),
    /// The registry can't keep the versions.
    #[error(transparent)]
    Registry(#[from] DbError),
}

/// The packs of an installation.
#[derive(Debug)]
pub struct Packs {
    law: Law,
    held: RwLock<Arc<Held>>,
}

#[derive(Debug)]
struct Held {
    current: Vec<Arc<Pack>>,
    earlier: Vec<Arc<Pack>>,
    default: Arc<Pack>,
    named_by: NamedBy,
}

/// What says which pack to take where nothing else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// `[law] pack`; nobody chooses another in the portal then.
    Configuration,
    /// The competent department chose it.
    Choice,
    /// Nobody chose yet: the default of `index.toml`.
    Index,
}

impl Packs {
    /// Loads the built-in packs and those of the folder; a pack with a known id replaces the built-in
    /// one. Every version is kept in the registry, because cases go on under the one they began under.
    ///
    /// Errors: [`PacksError`]; all faults at once, with line and advice.
    pub async fn load(
        law: &Law,
        registry: &Registry,
        at: jiff::Timestamp,
    ) -> Result<Self, PacksError> {
        let held = hold(law, registry, at).await?;
        Ok(Self {
            law: law.clone(),
            held: RwLock::new(Arc::new(held)),
        })
    }

    /// Reads all files anew and takes them into use for cases that begin from now on.
    ///
    /// Errors: [`PacksError`]; then everything stays as it was.
    pub async fn reload(&self, registry: &Registry, at: jiff::Timestamp) -> Result<(), PacksError> {
        let held = Arc::new(hold(&self.law, registry, at).await?);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(())
    }

    /// The packs for new cases, in their present versions.
    #[must_use]
    pub fn current(&self) -> Vec<Arc<Pack>> {
        self.held().current.clone()
    }

    /// The pack where nothing else is said: the configured one, else the default of the index.
    #[must_use]
    pub fn default_pack(&self) -> Arc<Pack> {
        self.held().default.clone()
    }

    /// What names [`Self::default_pack`].
    #[must_use]
    pub fn default_named_by(&self) -> NamedBy {
        self.held().named_by
    }

    /// Takes another pack where nothing else is said, if one was chosen at another node.
    ///
    /// Errors: [`PacksError`]; then everything stays as it was.
    pub async fn follow(&self, registry: &Registry, at: jiff::Timestamp) -> Result<(), PacksError> {
        let chosen = store::chosen(&mut *registry.read().await?).await?;
        let is_other = chosen.is_some_and(|id| self.default_pack().meta.id.as_str() != id);
        if is_other && self.default_named_by() != NamedBy::Configuration {
            return self.reload(registry, at).await;
        }
        Ok(())
    }

    /// The pack with this id, as new cases take it; `None` if there is none.
    #[must_use]
    pub fn named(&self, id: &str) -> Option<Arc<Pack>> {
        named(&self.held().current, id)
    }

    /// The pack for cases about data of a provider in this area (GB/T 2260 code), begun on `date`: the
    /// area's own, else one forwarded to it, else the default.
    ///
    /// One that has ended goes before the default only if its successor is set: a case can't be begun
    /// under it, and the refusal names the successor.
    ///
    /// Spec: PDS-25, PDS-26.
    #[must_use]
    pub fn for_division(&self, division: &str, date: Date) -> Arc<Pack> {
        let held = self.held();
        let bound = |standing: fn(Standing) -> bool| {
            let mut bound: Vec<(bool, &Arc<Pack>)> = held
                .current
                .iter()
                .filter(|pack| standing(pack.in_force_on(date)))
                .filter_map(|pack| match pack.covers(division)? {
                    Coverage::Own => Some((false, pack)),
                    Coverage::Forwarded(_) => Some((true, pack)),
                })
                .collect();
            bound.sort_by_key(|(forwarded, _)| *forwarded);
            bound.into_iter().map(|(_, pack)| pack).collect::<Vec<_>>()
        };
        let in_force = bound(|standing| standing == Standing::InForce);
        let ended = bound(|standing| matches!(standing, Standing::Ended { .. }));
        in_force
            .into_iter()
            .chain(
                ended
                    .into_iter()
                    .filter(|pack| pack.meta.successor.is_some()),
            )
            .next()
            .unwrap_or(&held.default)
            .clone()
    }

    /// The pack that a case began under, in exactly that version.
    #[must_use]
    pub fn of_case(&self, id: &str, version: &str) -> Option<Arc<Pack>> {
        let held = self.held();
        let mut all = held.current.iter().chain(&held.earlier);
        all.find(|p| p.meta.id.as_str() == id && p.version == version)
            .cloned()
    }

    fn held(&self) -> Arc<Held> {
        self.held
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Files {
    /// The built-in files and those of `folder`, which go before.
    ///
    /// Errors: a sentence naming the file that can't be read.
    pub fn read(folder: Option<&Path>) -> anyhow::Result<Self> {
        let mut files = Self::default();
        for name in BuiltIn::iter() {
            let file = BuiltIn::get(&name).context("a built-in file is there")?;
            if is_toml(Path::new(name.as_ref())) {
                files.add(PackFile {
                    name: name.to_string(),
                    text: String::from_utf8(file.data.into_owned())?,
                });
            }
        }
        if let Some(folder) = folder {
            let place = || format!("[law] packs_dir {}", folder.display());
            let mut paths = std::fs::read_dir(folder)
                .with_context(place)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
                .with_context(place)?;
            paths.sort();
            for path in paths.into_iter().filter(|path| is_toml(path)) {
                files.add(read_file(&path)?);
            }
        }
        Ok(files)
    }

    fn add(&mut self, file: PackFile) {
        match Path::new(&file.name).file_name().and_then(|n| n.to_str()) {
            Some(INDEX) => self.index = Some(file),
            Some(CEILINGS) => self.ceilings = Some(file),
            Some(_) | None => self.packs.add(file),
        }
    }

    /// The ceilings in use.
    ///
    /// Errors: all faults of the file.
    pub fn ceilings(&self, in_use: CeilingsInUse) -> Result<Ceilings, PackFaults> {
        let unconfirmed = match in_use {
            CeilingsInUse::Off => return Ok(Ceilings::default()),
            CeilingsInUse::Confirmed => Unconfirmed::Leave,
            CeilingsInUse::All => Unconfirmed::Use,
        };
        match &self.ceilings {
            Some(file) => Ceilings::load(&file.text, &file.name, unconfirmed),
            None => Ok(Ceilings::default()),
        }
    }

    /// What names the default pack, and its id. The configuration goes before what was `chosen` in the
    /// portal, so that an installation can always be opened again.
    fn default_id(
        &self,
        law: &Law,
        chosen: Option<String>,
    ) -> anyhow::Result<(NamedBy, String, String)> {
        if !law.pack.is_empty() {
            return Ok((
                NamedBy::Configuration,
                "[law] pack".to_owned(),
                law.pack.clone(),
            ));
        }
        if let Some(pack) = chosen {
            return Ok((
                NamedBy::Choice,
                "the choice of the competent department".to_owned(),
                pack,
            ));
        }
        let file = self
            .index
            .as_ref()
            .ok_or_else(|| anyhow!("{INDEX} is missing"))?;
        let index: Index = toml::from_str(&file.text).with_context(|| file.name.clone())?;
        Ok((NamedBy::Index, file.name.clone(), index.default))
    }
}

/// Whether a file holds ceilings rather than a pack.
#[must_use]
pub fn is_ceilings(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == CEILINGS)
}

/// Reads a file under the name by which it was asked for.
///
/// Errors: a sentence naming the file.
pub fn read_file(path: &Path) -> anyhow::Result<PackFile> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| name.clone())?;
    Ok(PackFile { name, text })
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "toml")
}

fn named(packs: &[Arc<Pack>], id: &str) -> Option<Arc<Pack>> {
    let mut packs = packs.iter();
    packs.find(|pack| pack.meta.id.as_str() == id).cloned()
}

async fn hold(law: &Law, registry: &Registry, at: jiff::Timestamp) -> Result<Held, PacksError> {
    let folder = (!law.packs_dir.is_empty()).then(|| Path::new(&law.packs_dir));
    let files = Files::read(folder).map_err(PacksError::Unreadable)?;
    let (loaded, ceilings) = match (files.packs.load_all(), files.ceilings(law.ceilings)) {
        (Ok(loaded), Ok(ceilings)) => (loaded, ceilings),
        (loaded, ceilings) => {
            let mut faulty = loaded.err().unwrap_or_default();
            faulty.extend(ceilings.err());
            return Err(PacksError::Faulty(faulty));
        }
    };
    let chosen = store::chosen(&mut *registry.read().await?).await?;
    let (by, named_by, default) = files
        .default_id(law, chosen)
        .map_err(PacksError::Unreadable)?;
    let current: Vec<Arc<Pack>> = loaded
        .iter()
        .map(|it| Arc::new(it.pack.clone().with_ceilings(ceilings.clone())))
        .collect();
    let Some(default) = named(&current, &default) else {
        return Err(PacksError::UnknownDefault {
            named_by,
            pack: default,
            known: current.iter().map(|it| it.meta.id.to_string()).collect(),
        });
    };
    let earlier = earlier(&loaded, &ceilings, registry).await?;
    keep(&loaded, registry, at).await?;
    Ok(Held {
        current,
        earlier,
        default,
        named_by: by,
    })
}

/// The versions that aren't in use for new cases any more.
async fn earlier(
    loaded: &[LoadedPack],
    ceilings: &Ceilings,
    registry: &Registry,
) -> Result<Vec<Arc<Pack>>, PacksError> {
    let mut earlier = Vec::new();
    for kept in store::all(&mut *registry.read().await?).await? {
        if loaded.iter().all(|it| it.pack.version != kept.version) {
            let name = format!("{} as kept in the registry", kept.id);
            let pack = Pack::load(&kept.source, &name)
                .map_err(|faults| PacksError::Faulty(vec![faults]))?;
            earlier.push(Arc::new(pack.with_ceilings(ceilings.clone())));
        }
    }
    Ok(earlier)
}

async fn keep(
    loaded: &[LoadedPack],
    registry: &Registry,
    at: jiff::Timestamp,
) -> Result<(), PacksError> {
    let mut tx = registry.begin(at).await?;
    let mut added = Vec::new();
    for LoadedPack { pack, source } in loaded {
        if store::keep(&mut tx, pack.meta.id.as_str(), &pack.version, source).await? {
            added.push(pack.version.clone());
        }
    }
    if !added.is_empty() {
        tx.commit(Entry::by_platform("law.packs_loaded").with("versions", added.join(" ")))
            .await?;
    }
    Ok(())
}
