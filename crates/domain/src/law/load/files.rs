//! Many pack files together, so that a child finds its parent.

use toml::de::DeTable;

use super::fault::{FaultKind, PackFault, PackFaults};
use super::source::Source;
use super::{Part, load_parts};
use crate::law::pack::Pack;

/// A pack file as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFile {
    /// Its name, for messages.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// A pack with what is needed to have exactly it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedPack {
    /// The pack.
    pub pack: Pack,
    /// [`Pack::load`] reads this back to the same version, parents included.
    pub source: String,
}

/// Pack files among which parents are looked for.
#[derive(Debug, Clone, Default)]
pub struct PackFiles {
    files: Vec<Known>,
}

#[derive(Debug, Clone)]
struct Known {
    file: PackFile,
    /// As far as it can be read.
    id: Option<String>,
}

impl PackFiles {
    /// Adds a file. A pack with an id that is already there takes the earlier one's place.
    pub fn add(&mut self, file: PackFile) {
        let id = said(&file.text, "id").map(|(id, _)| id);
        self.files.retain(|known| id.is_none() || known.id != id);
        self.files.push(Known { file, id });
    }

    /// Reads and checks one pack file, with the parents it names.
    ///
    /// Errors: [`PackFaults`] with every fault, its file, its line and what to do about it.
    pub fn load(&self, file: &PackFile) -> Result<LoadedPack, PackFaults> {
        let line = self.line_of_descent(file)?;
        let parts: Vec<Part<'_>> = line
            .iter()
            .map(|file| Part {
                name: &file.name,
                text: &file.text,
            })
            .collect();
        load_parts(&parts)
    }

    /// Reads and checks all packs.
    ///
    /// Errors: the faults of every faulty file. What a child has from its parent isn't said twice.
    pub fn load_all(&self) -> Result<Vec<LoadedPack>, Vec<PackFaults>> {
        let mut packs = Vec::new();
        let mut faulty: Vec<PackFaults> = Vec::new();
        for known in &self.files {
            match self.load(&known.file) {
                Ok(pack) => packs.push(pack),
                Err(faults) => faulty.push(faults),
            }
        }
        if faulty.is_empty() {
            return Ok(packs);
        }
        let own: Vec<(String, PackFault)> = faulty
            .iter()
            .flat_map(|faults| {
                let own = faults.faults.iter().filter(|fault| fault.file.is_none());
                own.map(|fault| (faults.file.clone(), fault.clone()))
            })
            .collect();
        for faults in &mut faulty {
            faults.faults.retain(|fault| match &fault.file {
                None => true,
                Some(parent) => !own.iter().any(|(file, known)| {
                    file == parent && known.line == fault.line && known.what == fault.what
                }),
            });
        }
        faulty.retain(|faults| !faults.faults.is_empty());
        Err(faulty)
    }

    /// The file, its parent, the parent's parent and so on.
    fn line_of_descent<'a>(&'a self, file: &'a PackFile) -> Result<Vec<&'a PackFile>, PackFaults> {
        let mut line = vec![file];
        let mut ids: Vec<String> = said(&file.text, "id")
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        let mut youngest = file;
        while let Some((parent, at)) = said(&youngest.text, "inherits") {
            let found = self
                .files
                .iter()
                .find(|known| known.id.as_ref() == Some(&parent));
            let (kind, what, advice) = match found {
                Some(_) if ids.contains(&parent) => (
                    FaultKind::InheritanceCycle,
                    format!("{parent} inherits from itself"),
                    "take one of the links out".to_owned(),
                ),
                Some(found) => {
                    line.push(&found.file);
                    youngest = &found.file;
                    ids.push(parent);
                    continue;
                }
                None => (
                    FaultKind::UnknownParent,
                    format!("there is no pack {parent} to inherit from"),
                    format!("there are: {}", self.ids().join(", ")),
                ),
            };
            let fault = PackFault {
                file: (line.len() > 1).then(|| youngest.name.clone()),
                line: at,
                kind,
                what,
                advice,
            };
            return Err(PackFaults {
                file: file.name.clone(),
                faults: vec![fault],
            });
        }
        Ok(line)
    }

    fn ids(&self) -> Vec<&str> {
        self.files
            .iter()
            .filter_map(|known| known.id.as_deref())
            .collect()
    }
}

/// What a file says in `[pack]` under a key, and in which line; nothing if it can't be read that far.
pub(super) fn said(text: &str, key: &str) -> Option<(String, u32)> {
    let (lines_before, head) = pack_table(text);
    let (document, _) = DeTable::parse_recoverable(head);
    let pack = document.get_ref().get("pack")?.get_ref().as_table()?;
    let value = pack.get(key)?;
    let line = Source::new("", head).line_of(value.span().start);
    Some((value.get_ref().as_str()?.to_owned(), lines_before + line))
}

/// The part of a file that is `[pack]`, and how many lines stand before it: reading a whole file for
/// one key would double the time of a start. The whole file if it is written in another form.
fn pack_table(text: &str) -> (u32, &str) {
    let heading = |line: &str| line.starts_with("[pack]");
    let mut lines_before = 0;
    let mut begin = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        match begin {
            None if heading(line) => begin = Some(at),
            None => lines_before += 1,
            Some(begin) if line.starts_with('[') && !line.starts_with("[[pack.") => {
                return (lines_before, text.get(begin..at).unwrap_or(text));
            }
            Some(_) => {}
        }
        at += line.len();
    }
    match begin.and_then(|begin| text.get(begin..)) {
        Some(rest) => (lines_before, rest),
        None => (0, text),
    }
}
