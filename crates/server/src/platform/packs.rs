//! Rule packs: built in from `regulations/`, added to or replaced from a configured folder, and kept in
//! the registry in every version that a case may have begun under.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use tongqu_domain::law::Pack;

use super::{
    db::{Registry, packs as store},
    evidence::Entry,
};

#[derive(rust_embed::RustEmbed)]
#[folder = "../../regulations"]
struct BuiltIn;

/// The packs of an installation.
#[derive(Debug)]
pub struct Packs {
    current: Vec<Arc<Pack>>,
    earlier: Vec<Arc<Pack>>,
}

impl Packs {
    /// Loads the built-in packs and those of `folder`; a pack with a known id replaces the built-in one.
    /// Every version is kept in the registry, because cases go on under the one they began under.
    ///
    /// Errors: all faults of a pack at once, with line and advice.
    pub async fn load(
        folder: &str,
        registry: &Registry,
        at: jiff::Timestamp,
    ) -> anyhow::Result<Self> {
        let mut current: Vec<(Arc<Pack>, String)> = Vec::new();
        for (name, source) in sources(folder)? {
            let pack = Pack::load(&source, &name).map_err(|faults| anyhow::anyhow!("{faults}"))?;
            current.retain(|(known, _)| known.meta.id != pack.meta.id);
            current.push((Arc::new(pack), source));
        }
        let mut earlier = Vec::new();
        for kept in store::all(&mut *registry.read().await?).await? {
            let is_current = |(pack, _): &(Arc<Pack>, String)| pack.version == kept.version;
            if !current.iter().any(is_current) {
                let name = format!("{} as kept in the registry", kept.id);
                let pack = Pack::load(&kept.source, &name)
                    .map_err(|faults| anyhow::anyhow!("{faults}"))?;
                earlier.push(Arc::new(pack));
            }
        }
        let mut tx = registry.begin(at).await?;
        let mut added = Vec::new();
        for (pack, source) in &current {
            if store::keep(&mut tx, pack.meta.id.as_str(), &pack.version, source).await? {
                added.push(pack.version.clone());
            }
        }
        if !added.is_empty() {
            tx.commit(Entry::by_platform("law.packs_loaded").with("versions", added.join(" ")))
                .await?;
        }
        Ok(Self {
            current: current.into_iter().map(|(pack, _)| pack).collect(),
            earlier,
        })
    }

    /// Every pack as new cases take it.
    #[must_use]
    pub fn current(&self) -> &[Arc<Pack>] {
        &self.current
    }

    /// The pack with this id, as new cases take it.
    ///
    /// Errors: a sentence naming the packs that are there.
    pub fn named(&self, id: &str) -> anyhow::Result<Arc<Pack>> {
        let Some(pack) = self.current.iter().find(|p| p.meta.id.as_str() == id) else {
            let there: Vec<&str> = self.current.iter().map(|p| p.meta.id.as_str()).collect();
            bail!(
                "[law] pack names {id}; these packs are there: {}",
                there.join(", ")
            );
        };
        Ok(pack.clone())
    }

    /// The pack that a case began under, in exactly that version.
    #[must_use]
    pub fn of_case(&self, id: &str, version: &str) -> Option<Arc<Pack>> {
        let mut all = self.current.iter().chain(&self.earlier);
        all.find(|p| p.meta.id.as_str() == id && p.version == version)
            .cloned()
    }
}

/// The built-in packs and those of `folder`, without a registry.
///
/// Errors: all faults of a pack at once, with line and advice.
pub fn read(folder: Option<&Path>) -> anyhow::Result<Vec<Pack>> {
    let folder = folder.map(|it| it.display().to_string());
    let mut packs: Vec<Pack> = Vec::new();
    for (name, source) in sources(&folder.unwrap_or_default())? {
        let pack = Pack::load(&source, &name)?;
        packs.retain(|known| known.meta.id != pack.meta.id);
        packs.push(pack);
    }
    Ok(packs)
}

fn sources(folder: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut sources = Vec::new();
    for name in BuiltIn::iter().filter(|n| n.ends_with(".toml")) {
        let file = BuiltIn::get(&name).context("a built-in pack is there")?;
        sources.push((name.to_string(), String::from_utf8(file.data.into_owned())?));
    }
    if !folder.is_empty() {
        for file in std::fs::read_dir(Path::new(folder))
            .with_context(|| format!("[law] packs_dir {folder}"))?
        {
            let path = file?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                sources.push((path.display().to_string(), std::fs::read_to_string(&path)?));
            }
        }
    }
    Ok(sources)
}
