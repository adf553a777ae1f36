//! From TOML to a [`Pack`], or to the list of everything that is wrong with it.
//!
//! Reading goes on after a fault, with an empty stand-in where something was required: the pack is
//! rejected anyway, and whoever wrote it wants to hear everything at once.

mod check;
mod fault;
mod files;
mod inherit;
mod parts;
mod source;
mod steps;
mod values;

pub use fault::{FaultKind, PackFault, PackFaults};
pub use files::{LoadedPack, PackFile, PackFiles};

use sm3::{Digest, Sm3};
use toml::de::DeTable;

use self::source::{Source, Table};
use super::ceiling::{Ceiling, Ceilings, Unconfirmed};
use super::pack::Pack;
use super::words::{Action, Event};

/// The schema version of pack files that this program reads.
const SCHEMA: i64 = 1;

/// Stands between a child and its parent in one text. TOML has no such character, so it can't be
/// mistaken for content.
const SEPARATOR: &str = "\n\u{1e}\n";

/// One file of a pack.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    name: &'a str,
    text: &'a str,
}

impl Pack {
    /// Reads and checks a whole pack. `file_name` is only for messages.
    ///
    /// The text is a file that inherits from nobody, or the [`LoadedPack::source`] of one that does.
    /// A child is loaded together with its parents by [`PackFiles`].
    ///
    /// Errors: [`PackFaults`] with every fault, its line and what to do about it.
    pub fn load(toml_source: &str, file_name: &str) -> Result<Self, PackFaults> {
        let parts: Vec<Part<'_>> = toml_source
            .split(SEPARATOR)
            .map(|text| Part {
                name: file_name,
                text,
            })
            .collect();
        load_parts(&parts).map(|loaded| loaded.pack)
    }
}

/// Reads a pack from its file and the files it inherits from, the child first.
fn load_parts(parts: &[Part<'_>]) -> Result<LoadedPack, PackFaults> {
    let texts: Vec<&str> = parts.iter().map(|part| part.text).collect();
    let joined = texts.join(SEPARATOR);
    let source = Source::of(parts, &joined);
    let is_whole = parts.len() > 1;
    let pack = read_document(&source, &texts, |document| {
        let pack = parts::read_pack(document, digest(&joined));
        if let Some(pack) = &pack {
            if let (Some(parent), false) = (&pack.meta.inherits, is_whole) {
                document.fault(
                    "pack",
                    FaultKind::UnknownParent,
                    format!("its parent {parent} isn't at hand"),
                    "put both into one folder, so that they are loaded together",
                );
            }
            check::check(&source, pack);
        }
        pack
    });
    let name = parts.first().map_or("", |part| part.name);
    finish(source, name, pack.flatten()).map(|pack| LoadedPack {
        pack,
        source: joined,
    })
}

impl Ceilings {
    /// Reads a file of national ceilings.
    ///
    /// Errors: [`PackFaults`] with every fault, its line and what to do about it.
    pub fn load(
        toml_source: &str,
        file_name: &str,
        unconfirmed: Unconfirmed,
    ) -> Result<Self, PackFaults> {
        let source = Source::new(file_name, toml_source);
        let ceilings = read_document(&source, &[toml_source], |document| {
            document
                .tables("ceiling")
                .into_iter()
                .map(read_ceiling)
                .collect::<Vec<_>>()
        });
        let list = finish(source, file_name, ceilings)?
            .into_iter()
            .filter(|ceiling| ceiling.confirmed || unconfirmed == Unconfirmed::Use)
            .collect();
        Ok(Self { list })
    }
}

/// The digest of a pack: SM3 over the bytes of its file and of those it inherits from, in hexadecimal.
fn digest(toml_source: &str) -> String {
    hex::encode(Sm3::digest(toml_source.as_bytes()))
}

/// Reads a document, laid over the ones it inherits from; `texts` begins with the child.
fn read_document<T>(
    source: &Source,
    texts: &[&str],
    read: impl FnOnce(&Table<'_>) -> T,
) -> Option<T> {
    let mut before = 0;
    let shifted: Vec<String> = texts
        .iter()
        .map(|text| {
            // Blanks in front shift every place in the text to where it stands in the whole.
            let shifted = format!("{}{text}", " ".repeat(before));
            before = shifted.len() + SEPARATOR.len();
            shifted
        })
        .collect();
    let documents: Vec<DeTable<'_>> = shifted
        .iter()
        .filter_map(|text| parse(source, text))
        .collect();
    if documents.len() < texts.len() {
        // What the parser made up for the broken lines would only bring on faults that aren't there.
        return None;
    }
    let merged = documents
        .into_iter()
        .rev()
        .reduce(|parent, child| inherit::overlay(source, parent, child))?;
    let document = Table::new(source, &merged, 0, "file");
    match document.integer_opt("schema") {
        Some(SCHEMA) => {}
        found => {
            let found = found.map_or("no".to_owned(), |version| version.to_string());
            document.fault(
                "schema",
                FaultKind::WrongSchema,
                format!("{found} schema version"),
                format!("write schema = {SCHEMA}"),
            );
        }
    }
    let value = read(&document);
    document.finish();
    Some(value)
}

fn parse<'a>(source: &Source, text: &'a str) -> Option<DeTable<'a>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut last_line = 0;
    for error in &errors {
        let line = error.span().map_or(1, |span| source.line_of(span.start));
        // One slip often confuses the parser several times on the same line.
        if line != last_line {
            source.fault(
                line,
                FaultKind::Unreadable,
                error.message().trim(),
                "mend the TOML syntax",
            );
        }
        last_line = line;
    }
    errors.is_empty().then(|| document.into_inner())
}

fn finish<T>(source: Source, file_name: &str, value: Option<T>) -> Result<T, PackFaults> {
    let faults = source.into_faults();
    match value {
        Some(value) if faults.is_empty() => Ok(value),
        Some(_) | None => Err(PackFaults {
            file: file_name.to_owned(),
            faults,
        }),
    }
}

fn read_ceiling(mut table: Table<'_>) -> Ceiling {
    table.rename(format!("ceiling {}", table.text("id")));
    let ceiling = Ceiling {
        id: table.text("id").to_owned(),
        topics: table
            .texts("topics")
            .into_iter()
            .map(|(topic, _)| topic.to_owned())
            .collect(),
        action: values::required_word(&table, "action", Action::ALL, Action::code, Action::Decide),
        when: values::condition(&table, "when"),
        working_days: values::count(&table, "working_days").unwrap_or(1),
        from: values::required_word(
            &table,
            "from",
            Event::ALL,
            Event::code,
            Event::ApplicationReceived,
        ),
        confirmed: table.flag("confirmed"),
        source: table.text_opt("source").map(str::to_owned),
        clause: values::clause(&table),
    };
    if !table.has("working_days") {
        table.missing("working_days");
    }
    table.finish();
    ceiling
}
