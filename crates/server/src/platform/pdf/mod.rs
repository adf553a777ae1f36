//! Forms on paper: an application form laid out as a PDF to be printed, stamped and scanned; and lists 清单.
//!
//! A4, a bordered table of what was filled in, lists, a statement, an area for the seal, and on each page
//! its number, the clause and a verification code by which the paper is held against the record. The
//! Chinese font is embedded, cut down to the characters used. Equal forms give equal bytes.
//! Spec: YC-29.2, PDS-12, PDS-13.

mod font;
mod layout;
mod wrap;
mod write;

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// How much of the digest the verification code shows, in hexadecimal digits.
const CODE_DIGITS: usize = 16;

/// What a paper is, in the words beside its date and its department.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody fills it in.
    Application,
    /// The platform draws it up from its records.
    List,
}

/// What a form says. All texts are printed as they are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Beside the date and the department; no part of what the verification code covers.
    #[serde(skip)]
    pub kind: Kind,
    /// Its name, for example 服务接口申请表.
    pub title: String,
    /// Its number; empty before the case has one. Number and dates aren't part of what the verification
    /// code covers, so that the paper stamped before filing has the code of the record made after it.
    #[serde(skip)]
    pub number: String,
    /// The day on which it was filled in, or drawn up.
    #[serde(skip)]
    pub date: Date,
    /// The department that fills it in, or for which it is drawn up.
    pub organisation: String,
    /// What was filled in, or what the list is of.
    pub rows: Vec<Row>,
    /// Lists and longer texts below.
    pub sections: Vec<Section>,
    /// Where the seal goes; `None` for a form that needs none.
    pub seal: Option<SealArea>,
    /// The clause it rests on, in words; empty where it rests on none.
    pub clause_text: String,
    /// When it was printed.
    #[serde(skip)]
    pub generated_at: Timestamp,
}

/// One line of what was filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub label: String,
    pub value: String,
}

impl Row {
    /// A line `label: value`.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
        }
    }
}

/// A part with a heading of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    pub heading: String,
    pub body: Body,
}

/// What stands below a heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Body {
    /// Running text; a line break begins a new paragraph.
    Text(String),
    /// A table whose head is repeated on every page it goes over.
    Table {
        columns: Vec<Column>,
        /// As many cells in each row as there are columns; missing ones stay empty.
        rows: Vec<Vec<String>>,
    },
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    pub name: String,
    /// Its share of the width, beside the shares of the others.
    pub share: u16,
}

/// The box in which people sign and the seal is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SealArea {
    /// Who states what, for example 申请单位意见.
    pub heading: String,
    /// What is signed for.
    pub statement: String,
    /// Whoever deals with the matter, for example 经办人.
    pub handler: String,
    /// Whoever answers for it, for example 单位负责人.
    pub leader: String,
    /// The words in the place of the seal, for example 加盖公章处; empty for signatures alone.
    pub seal: String,
}

/// Lays a form out as a PDF.
#[must_use]
pub fn render(form: &Form) -> Vec<u8> {
    let font = font::embedded();
    write::document(font, form, &layout::pages(font, form))
}

/// The code by which a printed form is held against the record: four groups of four hexadecimal digits
/// of the SHA-256 of what the form says. Another word anywhere in it gives another code.
#[must_use]
pub fn verification_code(form: &Form) -> String {
    let content = serde_json::to_vec(form).expect("texts make JSON");
    let digest = hex::encode_upper(Sha256::digest(content));
    let groups: Vec<&str> = (0..CODE_DIGITS)
        .step_by(4)
        .filter_map(|at| digest.get(at..at + 4))
        .collect();
    groups.join("-")
}

/// The characters of a form that the font lacks, in the order of their code points. They are printed as
/// 〓 and named below the form.
#[must_use]
pub fn missing_characters(form: &Form) -> Vec<char> {
    let font = font::embedded();
    let mut missing: Vec<char> = texts(form)
        .flat_map(|text| font::cleaned(text).chars().collect::<Vec<_>>())
        .filter(|sign| *sign != '\n' && !font.has(*sign))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

fn texts(form: &Form) -> impl Iterator<Item = &str> {
    let head = [
        &form.title,
        &form.number,
        &form.organisation,
        &form.clause_text,
    ];
    let rows = form.rows.iter().flat_map(|row| [&row.label, &row.value]);
    let sections = form.sections.iter().flat_map(|section| {
        let body: Vec<&String> = match &section.body {
            Body::Text(text) => vec![text],
            Body::Table { columns, rows } => columns
                .iter()
                .map(|column| &column.name)
                .chain(rows.iter().flatten())
                .collect(),
        };
        std::iter::once(&section.heading).chain(body)
    });
    let seal = form.seal.iter().flat_map(|seal| {
        [
            &seal.heading,
            &seal.statement,
            &seal.handler,
            &seal.leader,
            &seal.seal,
        ]
    });
    head.into_iter()
        .chain(rows)
        .chain(sections)
        .chain(seal)
        .map(String::as_str)
}
