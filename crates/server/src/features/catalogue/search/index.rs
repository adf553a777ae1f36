//! The folder of the index: opening, writing, searching.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tantivy::directory::MmapDirectory;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::query::Query;
use tantivy::schema::{Field, Value};
use tantivy::{IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, Term};
use tongqu_domain::ids::EntryId;
use tongqu_domain::kind::Kind;

use super::collect::{Candidate, Collected, Page, Scoring};
use super::highlight::{Looseness, Needles, Segment};
use super::query::{self, Asked};
use super::schema::{Fields, SCHEMA_VERSION, split_item};
use super::{Doc, Hit, LIMIT_MAX, Matched, MatchedItem, OFFSET_MAX, SearchPage, SearchQuery};

/// Memory of the one writing thread, in bytes: the least tantivy accepts is 15 MB.
const WRITER_BYTES: usize = 30_000_000;
/// Data items named under a hit.
const MATCHED_ITEMS_MAX: usize = 20;
/// Written last, so that an index that was half built counts as none.
const MARKER: &str = "tongqu-schema-version";

/// The index can't be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The folder can't be read or written.
    #[error("the folder of the search index can't be used")]
    Folder(#[source] io::Error),
    /// The folder holds something else, which is left alone.
    #[error("the folder for the search index holds something else")]
    NotAnIndex,
    /// The search engine failed: disk full, files damaged.
    #[error("the search index failed")]
    Engine(#[source] tantivy::TantivyError),
    /// A stored document can't be read back.
    #[error("a document of the search index is damaged")]
    Damaged,
}

impl IndexError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder(_) => "search.folder",
            Self::NotAnIndex => "search.not_an_index",
            Self::Engine(_) => "search.engine",
            Self::Damaged => "search.damaged",
        }
    }

    /// Class of the error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Folder(_) | Self::Engine(_) | Self::NotAnIndex => Kind::Unavailable,
            Self::Damaged => Kind::Bug,
        }
    }
}

impl From<tantivy::TantivyError> for IndexError {
    fn from(error: tantivy::TantivyError) -> Self {
        Self::Engine(error)
    }
}

/// The search index. Share it behind an `Arc`; searching never waits for writing.
///
/// Calls block for a few milliseconds (writing: for a disk write), so run them where blocking is allowed.
pub struct Index {
    folder: PathBuf,
    fields: Fields,
    reader: IndexReader,
    writer: Mutex<IndexWriter>,
}

impl Index {
    /// Opens the index in a folder, or lays an empty one there if the folder is missing, empty, damaged or written
    /// under another [`SCHEMA_VERSION`]. Ask [`Index::is_fresh`] afterwards.
    ///
    /// Errors: [`IndexError::NotAnIndex`] if the folder holds other files; [`IndexError::Folder`];
    /// [`IndexError::Engine`] if another process writes to it.
    pub fn open(folder: &Path) -> Result<Self, IndexError> {
        fs::create_dir_all(folder).map_err(IndexError::Folder)?;
        let fields = Fields::new();
        if !is_marked(folder) {
            clear(folder)?;
        }
        let index = match open_or_create(folder, &fields) {
            Ok(index) => index,
            Err(error) => {
                tracing::warn!(%error, "the search index is damaged and will be rebuilt");
                clear(folder)?;
                open_or_create(folder, &fields)?
            }
        };
        let writer = index.writer_with_num_threads(1, WRITER_BYTES)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { folder: folder.to_owned(), fields, reader, writer: Mutex::new(writer) })
    }

    /// Whether the index was built to the end under this version of the program. If not, [`Index::rebuild`] it.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        is_marked(&self.folder)
    }

    /// Entries in the index, as last committed.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Replaces everything. Searches see the old content until it is done; if it fails, the old content stays.
    pub fn rebuild(&self, docs: impl IntoIterator<Item = Doc>) -> Result<(), IndexError> {
        let mut writer = self.writer();
        remove_marker(&self.folder)?;
        let written = (|| {
            writer.delete_all_documents()?;
            for doc in docs {
                writer.add_document(self.fields.document(&doc))?;
            }
            writer.commit()
        })();
        if let Err(error) = written {
            writer.rollback()?;
            return Err(error.into());
        }
        self.reader.reload()?;
        fs::write(self.folder.join(MARKER), SCHEMA_VERSION.to_string()).map_err(IndexError::Folder)
    }

    /// Puts an entry in, or replaces it; seen after [`Index::commit`].
    pub fn put(&self, doc: &Doc) -> Result<(), IndexError> {
        let document = self.fields.document(doc);
        let writer = self.writer();
        writer.delete_term(self.id_term(&doc.entry_id));
        writer.add_document(document)?;
        Ok(())
    }

    /// Takes an entry out; seen after [`Index::commit`]. Taking out what isn't there is no error.
    pub fn remove(&self, entry_id: &EntryId) {
        self.writer().delete_term(self.id_term(entry_id));
    }

    /// Writes what was put and removed to disk and shows it to the next search.
    pub fn commit(&self) -> Result<(), IndexError> {
        self.writer().commit()?;
        self.reader.reload()?;
        Ok(())
    }

    /// Finds entries. No text is an error; the limits of [`SearchQuery`] are applied silently.
    pub fn search(&self, query: &SearchQuery) -> Result<SearchPage, IndexError> {
        let started = Instant::now();
        let searcher = self.reader.searcher();
        let asked = Asked::parse(&query.text);
        let (matched, collected) = self.find(&searcher, query, &asked)?;
        let looseness = if matched == Matched::Exactly { Looseness::Exact } else { Looseness::Loose };
        let needles = Needles::new(&asked, looseness);
        let hits = collected
            .best
            .iter()
            .skip(query.offset.min(OFFSET_MAX))
            .map(|candidate| self.hit(&searcher, candidate, &needles))
            .collect::<Result<Vec<_>, _>>()?;
        let took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Ok(SearchPage { total: collected.total, took_us, matched, hits, facets: collected.facets })
    }

    /// Tries exactly, then alike, then in part, until something visible matches.
    fn find(&self, searcher: &Searcher, query: &SearchQuery, asked: &Asked) -> Result<(Matched, Collected), IndexError> {
        let visible = || query::visible(&query.labels, &self.fields);
        if asked.is_empty() {
            // Only what separates was typed (say `???`): there is nothing to find. Blank means everything.
            let is_blank = query.text.trim().is_empty();
            let wanted = if is_blank { visible() } else { query::visible(&[], &self.fields) };
            return Ok((Matched::Exactly, collect(searcher, &*wanted, query, Scoring::Even, &self.fields)?));
        }
        let mut collected =
            collect(searcher, &*query::both(asked.exact(&self.fields), visible()), query, Scoring::ByText, &self.fields)?;
        let mut matched = Matched::Exactly;
        if collected.matched == 0 {
            let similar = query::both(asked.similar(&self.fields), visible());
            collected = collect(searcher, &*similar, query, Scoring::ByText, &self.fields)?;
            matched = Matched::Similar;
        }
        if collected.matched == 0 {
            if let Some(partial) = asked.partial(&self.fields) {
                collected = collect(searcher, &*query::both(partial, visible()), query, Scoring::ByText, &self.fields)?;
                matched = Matched::Partly;
            }
        }
        if collected.matched == 0 {
            matched = Matched::Exactly;
        }
        Ok((matched, collected))
    }

    fn hit(&self, searcher: &Searcher, candidate: &Candidate, needles: &Needles) -> Result<Hit, IndexError> {
        let document: TantivyDocument = searcher.doc(candidate.address)?;
        let text = |field: Field| document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let kept = self.fields.kept;
        let mut matched_items = Vec::new();
        for stored in document.get_all(kept.item).filter_map(|value| value.as_str()) {
            let (name, code) = split_item(stored);
            let item = MatchedItem { name: needles.mark(name), code: needles.mark(code) };
            if Segment::any_marked(&item.name) || Segment::any_marked(&item.code) {
                matched_items.push(item);
            }
            if matched_items.len() == MATCHED_ITEMS_MAX {
                break;
            }
        }
        Ok(Hit {
            entry_id: EntryId::parse(&text(self.fields.id)).map_err(|_| IndexError::Damaged)?,
            score: candidate.score,
            name: needles.mark(&text(kept.name)),
            department: needles.mark(&text(kept.department)),
            summary: needles.excerpt(&text(kept.summary)),
            matched_items,
        })
    }

    fn id_term(&self, entry_id: &EntryId) -> Term {
        Term::from_field_text(self.fields.id, entry_id.as_str())
    }

    fn writer(&self) -> MutexGuard<'_, IndexWriter> {
        // A writer whose holder panicked is still whole: it holds operations, not half-changed state.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn collect(
    searcher: &Searcher,
    wanted: &dyn Query,
    query: &SearchQuery,
    scoring: Scoring,
    fields: &Fields,
) -> Result<Collected, IndexError> {
    let page = Page {
        filters: &query.filters,
        sort: query.sort,
        kept_max: query.offset.min(OFFSET_MAX) + query.limit.min(LIMIT_MAX),
        scoring,
    };
    let statistics = Statistics { searcher, fields, known: Mutex::new(HashMap::new()) };
    Ok(searcher.search_with_statistics_provider(wanted, &page, &statistics)?)
}

/// Makes a term equally rare in every text, so that only the weights decide between a match in the name and one
/// in the items: by itself a word that is common in names and rare in items would count more in the items.
struct Statistics<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    known: Mutex<HashMap<Term, u64>>,
}

impl Statistics<'_> {
    fn siblings(&self, field: Field) -> Vec<Field> {
        let (texts, sounds) = (self.fields.texts, self.fields.sounds);
        let groups: [&[Field]; 2] =
            [&[texts.name, texts.items, texts.department, texts.summary], &[sounds.name, sounds.items, sounds.department]];
        groups.iter().find(|group| group.contains(&field)).map_or_else(|| vec![field], |group| group.to_vec())
    }
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.searcher.total_num_tokens(field)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        self.searcher.total_num_docs()
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let siblings = self.siblings(term.field());
        let text = term.value().as_str().unwrap_or_default().to_owned();
        let shared = Term::from_field_text(siblings[0], &text);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frequency) = known.get(&shared) {
            return Ok(*frequency);
        }
        let mut highest = 0;
        for field in siblings {
            highest = highest.max(self.searcher.doc_freq(&Term::from_field_text(field, &text))?);
        }
        known.insert(shared, highest);
        Ok(highest)
    }
}

fn open_or_create(folder: &Path, fields: &Fields) -> Result<tantivy::Index, IndexError> {
    let directory = MmapDirectory::open(folder).map_err(tantivy::TantivyError::from)?;
    let builder = tantivy::Index::builder().schema(fields.schema.clone()).settings(IndexSettings::default());
    Ok(builder.open_or_create(directory)?)
}

fn is_marked(folder: &Path) -> bool {
    fs::read_to_string(folder.join(MARKER)).is_ok_and(|version| version == SCHEMA_VERSION.to_string())
}

fn remove_marker(folder: &Path) -> Result<(), IndexError> {
    match fs::remove_file(folder.join(MARKER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(IndexError::Folder(error)),
        _ => Ok(()),
    }
}

/// Empties a folder that holds an index, old or broken; a folder with anything else in it is left alone.
fn clear(folder: &Path) -> Result<(), IndexError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(IndexError::Folder)? {
        let entry = entry.map_err(IndexError::Folder)?;
        files.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    let is_index = files.is_empty() || files.iter().any(|(name, _)| name == "meta.json" || name == MARKER);
    if !is_index || files.iter().any(|(name, path)| !is_index_file(name) || path.is_dir()) {
        return Err(IndexError::NotAnIndex);
    }
    for (_, path) in files {
        fs::remove_file(path).map_err(IndexError::Folder)?;
    }
    Ok(())
}

fn is_index_file(name: &str) -> bool {
    let is_segment = name.split_once('.').is_some_and(|(id, _)| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    is_segment || matches!(name, "meta.json" | ".managed.json" | MARKER) || name.starts_with(".tantivy") || name.starts_with(".tmp")
}
