//! From TOML to a [`Pack`], or to the list of everything that is wrong with it.
//!
//! Reading goes on after a fault, with an empty stand-in where something was required: the pack is
//! rejected anyway, and whoever wrote it wants to hear everything at once.

mod check;
mod fault;
mod parts;
mod source;
mod steps;

pub use fault::{FaultKind, PackFault, PackFaults};

use sm3::{Digest, Sm3};
use toml::de::DeTable;

use self::source::{Source, Table};
use super::ceiling::{Ceiling, Ceilings, Unconfirmed};
use super::pack::Pack;
use super::words::{Action, Event};

/// The schema version of pack files that this program reads.
const SCHEMA: i64 = 1;

impl Pack {
    /// Reads and checks a whole pack. `file_name` is only for messages.
    ///
    /// Errors: [`PackFaults`] with every fault, its line and what to do about it.
    pub fn load(toml_source: &str, file_name: &str) -> Result<Self, PackFaults> {
        let source = Source::new(toml_source);
        let pack = read_document(&source, toml_source, |document| {
            let pack = parts::read_pack(document, digest(toml_source));
            if let Some(pack) = &pack {
                check::check(&source, pack);
            }
            pack
        });
        finish(source, file_name, pack.flatten())
    }
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
        let source = Source::new(toml_source);
        let ceilings = read_document(&source, toml_source, |document| {
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

/// The digest of a pack file: SM3 over its bytes, in hexadecimal.
fn digest(toml_source: &str) -> String {
    hex::encode(Sm3::digest(toml_source.as_bytes()))
}

fn read_document<T>(source: &Source, text: &str, read: impl FnOnce(&Table<'_>) -> T) -> Option<T> {
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
    if !errors.is_empty() {
        // What the parser made up for the broken lines would only bring on faults that aren't there.
        return None;
    }
    let document = Table::new(source, document.get_ref(), 0, "file");
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
        action: parts::required_word(&table, "action", Action::ALL, Action::code, Action::Decide),
        when: parts::condition(&table, "when"),
        working_days: parts::count(&table, "working_days").unwrap_or(1),
        from: parts::required_word(
            &table,
            "from",
            Event::ALL,
            Event::code,
            Event::ApplicationReceived,
        ),
        confirmed: table.flag("confirmed"),
        clause: parts::clause(&table),
    };
    if !table.has("working_days") {
        table.missing("working_days");
    }
    table.finish();
    ceiling
}
