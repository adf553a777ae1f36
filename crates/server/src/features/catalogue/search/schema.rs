//! The fields of the index, and how an entry becomes one of its documents.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, STORED, STRING, Schema, SchemaBuilder, TextFieldIndexing,
    TextOptions,
};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::text::{self, Chains, Grain};
use super::{Doc, Facet};

/// Rises with every change of fields or terms; an index written under another number is rebuilt.
pub const SCHEMA_VERSION: u32 = 2;

/// Longest part of each text that is searched, in characters.
const NAME_CHARS_MAX: usize = 500;
const SUMMARY_CHARS_MAX: usize = 5_000;
/// Data items of one entry that are searched.
const ITEMS_MAX: usize = 2_000;
/// Parts the name of a data item from its code in the stored field.
const ITEM_SEPARATOR: char = '\t';

/// The four texts in which words are looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts {
    pub(super) name: Field,
    pub(super) items: Field,
    pub(super) department: Field,
    pub(super) summary: Field,
}

/// The three texts in which sounds are looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sounds {
    pub(super) name: Field,
    pub(super) items: Field,
    pub(super) department: Field,
}

/// What is kept as written, for highlighting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) name: Field,
    pub(super) summary: Field,
    pub(super) department: Field,
    /// One value per item: name, separator, code.
    pub(super) item: Field,
}

/// All fields.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    pub(super) id: Field,
    pub(super) texts: Texts,
    pub(super) sounds: Sounds,
    /// Codes of items and of the entry: exact and by their beginning.
    pub(super) codes: Field,
    pub(super) kept: Kept,
    facets: Vec<(Facet, Field)>,
    visible_to: Field,
    published_at: Field,
    tie: Field,
}

/// Name of the column with the time of publication.
pub(super) const PUBLISHED_AT: &str = "published_at";
/// Name of the column with the permission labels of an entry, sorted and joined: entries share few sets of them.
pub(super) const VISIBLE_TO: &str = "visible_to";
/// Joins labels; no label holds it.
pub(super) const LABEL_SEPARATOR: &str = "\u{1f}";
/// Name of the column that orders what is otherwise equal.
pub(super) const TIE: &str = "tie";

impl Fields {
    /// Lays the fields out; the same every time.
    pub(super) fn new() -> Self {
        let mut builder = SchemaBuilder::new();
        let b = &mut builder;
        let id = b.add_text_field("id", STRING | STORED);
        let texts = Texts {
            name: b.add_text_field("name", counted()),
            items: b.add_text_field("items", counted()),
            department: b.add_text_field("department", counted()),
            summary: b.add_text_field("summary", counted()),
        };
        let sounds = Sounds {
            name: b.add_text_field("name_sounds", counted()),
            items: b.add_text_field("items_sounds", counted()),
            department: b.add_text_field("department_sounds", counted()),
        };
        let codes = b.add_text_field("codes", counted());
        let kept = Kept {
            name: b.add_text_field("kept_name", STORED),
            summary: b.add_text_field("kept_summary", STORED),
            department: b.add_text_field("kept_department", STORED),
            item: b.add_text_field("kept_item", STORED),
        };
        let column = TextOptions::default().set_fast("raw");
        let facets = Facet::ALL
            .iter()
            .map(|facet| (*facet, b.add_text_field(facet.column(), column.clone())))
            .collect();
        let visible_to = b.add_text_field(VISIBLE_TO, column);
        let published_at = b.add_i64_field(PUBLISHED_AT, FAST);
        let tie = b.add_u64_field(TIE, FAST);
        Self {
            schema: builder.build(),
            id,
            texts,
            sounds,
            codes,
            kept,
            facets,
            visible_to,
            published_at,
            tie,
        }
    }

    /// The document of an entry; `memo` remembers what was cut for the entries before it.
    pub(super) fn document(&self, doc: &Doc, memo: &mut Memo) -> TantivyDocument {
        let mut out = TantivyDocument::new();
        out.add_text(self.id, doc.entry_id.as_str());

        memo.make_room();
        let mut name = terms(&doc.name, Grain::Singles, NAME_CHARS_MAX);
        if let Some(whole) = text::whole_term(&doc.name, NAME_CHARS_MAX) {
            add_term(&mut name, &whole);
        }
        let mut name_sounds = BTreeSet::new();
        text::add_sounds(
            &doc.name,
            Chains::Anywhere,
            NAME_CHARS_MAX,
            &mut name_sounds,
        );
        let mut departments = Gathered::default();
        memo.begin();
        for name in std::iter::once(&doc.department).chain(&doc.department_short) {
            memo.gather(name, &mut departments);
        }
        let mut items = Gathered::default();
        let mut codes = BTreeSet::new();
        let mut add_codes = |code: &str| {
            text::each_term(code, Grain::Singles, NAME_CHARS_MAX, |term| {
                if !codes.contains(term) {
                    codes.insert(term.to_owned());
                }
            });
        };
        add_codes(&doc.code);
        add_codes(&doc.class_code);
        memo.begin();
        for item in doc.items.iter().take(ITEMS_MAX) {
            memo.gather(&item.name, &mut items);
            add_codes(&item.code);
            out.add_text(
                self.kept.item,
                format!("{}{ITEM_SEPARATOR}{}", item.name, item.code),
            );
        }

        add_joined(&mut out, self.texts.name, name);
        add_joined(&mut out, self.texts.items, items.terms);
        add_joined(&mut out, self.texts.department, departments.terms);
        add_joined(
            &mut out,
            self.texts.summary,
            terms(&doc.summary, Grain::Pairs, SUMMARY_CHARS_MAX),
        );
        add_joined(&mut out, self.sounds.name, joined(name_sounds));
        add_joined(&mut out, self.sounds.items, items.sounds);
        add_joined(&mut out, self.sounds.department, departments.sounds);
        add_joined(&mut out, self.codes, joined(codes));

        let labels: BTreeSet<&str> = doc
            .visible_to
            .iter()
            .map(String::as_str)
            .filter(|label| is_label(label))
            .collect();
        if !labels.is_empty() {
            out.add_text(
                self.visible_to,
                labels.into_iter().collect::<Vec<_>>().join(LABEL_SEPARATOR),
            );
        }
        out.add_text(self.kept.name, &doc.name);
        out.add_text(self.kept.summary, &doc.summary);
        out.add_text(self.kept.department, &doc.department);
        for (facet, field) in &self.facets {
            for value in facet.values(doc) {
                out.add_text(*field, value);
            }
        }
        out.add_i64(self.published_at, doc.published_at);
        out.add_u64(self.tie, tie(doc.entry_id.as_str()));
        out
    }
}

/// Name and code of a stored item.
pub(super) fn split_item(stored: &str) -> (&str, &str) {
    stored.rsplit_once(ITEM_SEPARATOR).unwrap_or((stored, ""))
}

/// Terms with their frequency: enough to rank, no positions.
fn counted() -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(TERMS)
            .set_index_option(IndexRecordOption::WithFreqs),
    )
}

fn add_joined(out: &mut TantivyDocument, field: Field, joined: String) {
    if !joined.is_empty() {
        out.add_text(field, joined);
    }
}

fn add_term(joined: &mut String, term: &str) {
    joined.push_str(term);
    joined.push(TERM_END);
}

fn joined(terms: impl IntoIterator<Item = String>) -> String {
    let mut joined = String::new();
    for term in terms {
        add_term(&mut joined, &term);
    }
    joined
}

/// The terms of a text, joined.
fn terms(text: &str, grain: Grain, chars_max: usize) -> String {
    let mut joined = String::new();
    text::each_term(text, grain, chars_max, |term| add_term(&mut joined, term));
    joined
}

/// Texts that are remembered at most; then all are forgotten.
const MEMO_MAX: usize = 50_000;

/// What texts were cut into that many entries share: names of data items and departments.
#[derive(Default)]
pub(super) struct Memo {
    cut: HashMap<String, Arc<Cut>>,
    /// The number of each sound.
    numbers: HashMap<String, usize>,
    /// By number of the sound.
    sounds: Vec<Sound>,
    /// The number of the gathering that is under way.
    gathering: u64,
}

/// A sound, with its end, and the gathering that had it last: each is gathered once.
struct Sound {
    text: String,
    gathered: u64,
}

/// The terms of a text, each with its end, and the numbers of its sounds.
struct Cut {
    terms: String,
    sounds: Vec<usize>,
}

/// Terms and sounds of several texts, joined.
#[derive(Default)]
struct Gathered {
    terms: String,
    sounds: String,
}

impl Memo {
    /// Forgets everything when it has become too much. Not while gathering.
    fn make_room(&mut self) {
        if self.cut.len() > MEMO_MAX {
            *self = Self::default();
        }
    }

    /// Begins to gather.
    fn begin(&mut self) {
        self.gathering += 1;
    }

    /// Adds a text to what is gathered: all its terms, and the sounds that no text before it had.
    fn gather(&mut self, text: &str, gathered: &mut Gathered) {
        let cut = self.cut(text);
        gathered.terms.push_str(&cut.terms);
        for number in &cut.sounds {
            let sound = &mut self.sounds[*number];
            if sound.gathered != self.gathering {
                sound.gathered = self.gathering;
                gathered.sounds.push_str(&sound.text);
            }
        }
    }

    fn cut(&mut self, text: &str) -> Arc<Cut> {
        if let Some(cut) = self.cut.get(text) {
            return Arc::clone(cut);
        }
        let mut sounds = BTreeSet::new();
        text::add_sounds(text, Chains::Beginning, NAME_CHARS_MAX, &mut sounds);
        let cut = Arc::new(Cut {
            terms: terms(text, Grain::Singles, NAME_CHARS_MAX),
            sounds: sounds.into_iter().map(|sound| self.number(sound)).collect(),
        });
        self.cut.insert(text.to_owned(), Arc::clone(&cut));
        cut
    }

    fn number(&mut self, sound: String) -> usize {
        if let Some(number) = self.numbers.get(&sound) {
            return *number;
        }
        let number = self.sounds.len();
        self.sounds.push(Sound {
            text: format!("{sound}{TERM_END}"),
            gathered: 0,
        });
        self.numbers.insert(sound, number);
        number
    }
}

/// Ends each term in the text that is handed to the engine; no term holds it.
const TERM_END: char = '\u{1f}';

/// Name under which the engine knows [`Terms`].
const TERMS: &str = "terms";

/// Hands terms that were cut by `text` to the engine.
#[derive(Debug, Clone, Default)]
struct Terms {
    token: Token,
}

/// The terms of one text.
struct TermStream<'a> {
    rest: &'a str,
    token: &'a mut Token,
}

impl Tokenizer for Terms {
    type TokenStream<'a> = TermStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> TermStream<'a> {
        self.token.reset();
        TermStream {
            rest: text,
            token: &mut self.token,
        }
    }
}

impl TokenStream for TermStream<'_> {
    fn advance(&mut self) -> bool {
        let Some((term, rest)) = self.rest.split_once(TERM_END) else {
            return false;
        };
        self.rest = rest;
        self.token.position = self.token.position.wrapping_add(1);
        self.token.text.clear();
        self.token.text.push_str(term);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// What the engine needs to know of this module before it reads or writes.
pub(super) fn register(index: &tantivy::Index) {
    index.tokenizers().register(TERMS, Terms::default());
}

/// A label that can be joined with others. An entry without a sound label is seen by nobody.
fn is_label(label: &str) -> bool {
    !label.is_empty() && !label.contains(LABEL_SEPARATOR)
}

/// A number that depends on the identifier alone (FNV-1a), so that equal entries keep their order over commits.
fn tie(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
