//! The folder of the index: opening, writing, searching.

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::Instant;

use tantivy::directory::MmapDirectory;
use tantivy::indexer::{LogMergePolicy, MergePolicy, NoMergePolicy};
use tantivy::schema::{Field, Value};
use tantivy::{
    IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, Term,
};
use tongqu_domain::ids::EntryId;
use tongqu_domain::kind::Kind;

use super::collect::{self, Candidate, Collected};
use super::evaluate::{Evaluator, Scratch};
use super::highlight::{Looseness, Needles, Segment};
use super::plan::{Asked, Plan};
use super::schema::{self, Fields, Memo, SCHEMA_VERSION, split_item};
use super::snapshot::Snapshot;
use super::text;
use super::{Doc, Hit, LIMIT_MAX, Matched, MatchedItem, OFFSET_MAX, SearchPage, SearchQuery, Sort};

/// Memory of each writing thread, in bytes: the least tantivy accepts is 15 MB. A thread that has nothing to write takes
/// none, and an entry that is put keeps one of them busy.
const WRITER_BYTES: usize = 30_000_000;
/// Most threads that write. Another one cuts the texts, and can't feed more.
const WRITERS_MAX: usize = 3;
/// Stored texts that are compressed together, in bytes: showing a hit unpacks one such block.
const KEPT_BLOCK_BYTES: usize = 4_096;
/// Segments of about a size that are merged into one: every search looks its terms up in each segment.
const SEGMENTS_MERGED: usize = 4;
/// The part of a segment that may be out of date before it is written anew.
const DELETED_RATIO_MAX: f32 = 0.2;
/// Rooms for scores kept for later searches; each takes 12 bytes per entry. More searches at once make their own.
const SCRATCHES_MAX: usize = 4;
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
    writing: Mutex<Writing>,
    /// The last commit, which searches read.
    snapshot: RwLock<Arc<Snapshot>>,
    /// Room that no search is using just now.
    scratches: Mutex<Vec<Scratch>>,
}

/// What writes.
struct Writing {
    engine: IndexWriter,
    /// Whether anything was put or removed since the last commit.
    has_news: bool,
    /// Digests of entries as they were put last: every run of an exchange puts its entry again, mostly as it was.
    put: HashMap<EntryId, u64>,
}

/// Entries of which digests are kept; then all are forgotten.
const DIGESTS_MAX: usize = 20_000;

/// Differs for different entries, apart from an accident of 1 in 2^64.
fn digest(doc: &Doc) -> u64 {
    let mut hasher = DefaultHasher::new();
    doc.hash(&mut hasher);
    hasher.finish()
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
        let writers =
            thread::available_parallelism().map_or(1, |cores| cores.get().min(WRITERS_MAX));
        let engine = index.writer_with_num_threads(writers, writers * WRITER_BYTES)?;
        engine.set_merge_policy(merging());
        let reader: IndexReader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        let snapshot = Snapshot::new(reader.searcher(), None)?;
        if snapshot.searcher.num_docs() > 0 {
            // The first search would have to wait for it.
            thread::spawn(text::load);
        }
        Ok(Self {
            folder: folder.to_owned(),
            fields,
            reader,
            writing: Mutex::new(Writing {
                engine,
                has_news: false,
                put: HashMap::new(),
            }),
            snapshot: RwLock::new(Arc::new(snapshot)),
            scratches: Mutex::new(Vec::new()),
        })
    }

    /// Whether the index was built to the end under this version of the program. If not, [`Index::rebuild`] it.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        is_marked(&self.folder)
    }

    /// Entries in the index, as last committed.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.snapshot().searcher.num_docs()
    }

    /// Replaces everything, what was put and not committed included. Searches see the old content until it is done;
    /// if it fails, the old content stays, but no longer counts as fresh.
    pub fn rebuild(&self, docs: impl IntoIterator<Item = Doc>) -> Result<(), IndexError> {
        let mut writing = self.writing();
        remove_marker(&self.folder)?;
        writing.engine.rollback()?;
        writing.has_news = false;
        writing.put.clear();
        let mut unfinished = Unfinished {
            writer: &mut writing.engine,
            is_done: false,
        };
        unfinished.writer.delete_all_documents()?;
        // All are joined in the end, once.
        unfinished.writer.set_merge_policy(Box::new(NoMergePolicy));
        let mut memo = Memo::default();
        for doc in docs {
            let document = self.fields.document(&doc, &mut memo);
            unfinished.writer.add_document(document)?;
        }
        unfinished.writer.commit()?;
        unfinished.is_done = true;
        Self::join(unfinished.writer)?;
        drop(unfinished);
        self.show(&writing)?;
        fs::write(self.folder.join(MARKER), SCHEMA_VERSION.to_string()).map_err(IndexError::Folder)
    }

    /// Makes one segment of all: every search looks its terms up in each segment.
    fn join(writer: &mut IndexWriter) -> Result<(), IndexError> {
        let segments = writer.index().searchable_segment_ids()?;
        // Merging may still be under way that began earlier. It isn't worth failing for: searches are only slower.
        if segments.len() > 1
            && let Err(error) = writer.merge(&segments).wait()
        {
            tracing::warn!(%error, "the segments of the search index can't be joined just now");
        }
        Ok(())
    }

    /// Puts an entry in, or replaces it; seen after [`Index::commit`].
    pub fn put(&self, doc: &Doc) -> Result<(), IndexError> {
        let digest = digest(doc);
        if self.writing().put.get(&doc.entry_id) == Some(&digest) {
            return Ok(());
        }
        // Cut before anybody has to wait.
        let document = self.fields.document(doc, &mut Memo::default());
        let mut writing = self.writing();
        writing.has_news = true;
        writing.put.remove(&doc.entry_id);
        writing.engine.delete_term(self.id_term(&doc.entry_id));
        writing.engine.add_document(document)?;
        if writing.put.len() >= DIGESTS_MAX {
            writing.put.clear();
        }
        writing.put.insert(doc.entry_id.clone(), digest);
        Ok(())
    }

    /// Takes an entry out; seen after [`Index::commit`]. Taking out what isn't there is no error.
    pub fn remove(&self, entry_id: &EntryId) {
        let mut writing = self.writing();
        writing.has_news = true;
        writing.put.remove(entry_id);
        writing.engine.delete_term(self.id_term(entry_id));
    }

    /// Writes what was put and removed to disk and shows it to the next search. Of several that wait for each other, the
    /// first one does it for all; without news nothing is written.
    pub fn commit(&self) -> Result<(), IndexError> {
        let mut writing = self.writing();
        if !writing.has_news {
            return Ok(());
        }
        if let Err(error) = writing.engine.commit() {
            // Who knows what has been written.
            writing.put.clear();
            return Err(error.into());
        }
        self.show(&writing)?;
        writing.has_news = false;
        Ok(())
    }

    /// Finds entries. No text is an error; the limits of [`SearchQuery`] are applied silently.
    pub fn search(&self, query: &SearchQuery) -> Result<SearchPage, IndexError> {
        let started = Instant::now();
        let snapshot = self.snapshot();
        let asked = Asked::parse(&query.text);
        let mut scratch = self.scratches().pop().unwrap_or_default();
        // After an error it may hold scores, and is left behind.
        let (matched, collected) = self.find(&snapshot, query, &asked, &mut scratch)?;
        let mut scratches = self.scratches();
        if scratches.len() < SCRATCHES_MAX {
            scratches.push(scratch);
        }
        drop(scratches);
        let looseness = if matched == Matched::Exactly {
            Looseness::Exact
        } else {
            Looseness::Loose
        };
        let needles = Needles::new(&asked, looseness);
        let hits = collected
            .best
            .iter()
            .skip(query.offset.min(OFFSET_MAX))
            .map(|candidate| self.hit(&snapshot.searcher, candidate, &needles))
            .collect::<Result<Vec<_>, _>>()?;
        let took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Ok(SearchPage {
            total: collected.total,
            took_us,
            matched,
            hits,
            facets: collected.facets,
        })
    }

    /// Tries exactly, then alike, then in part, until something visible matches.
    fn find(
        &self,
        snapshot: &Snapshot,
        query: &SearchQuery,
        asked: &Asked,
        scratch: &mut Scratch,
    ) -> Result<(Matched, Collected), IndexError> {
        let kept_max = query.offset.min(OFFSET_MAX) + query.limit.min(LIMIT_MAX);
        let seen = snapshot.seen(&query.labels);
        let mut evaluator = Evaluator::new(&snapshot.searcher, &seen, scratch);
        let mut collect = |mut plan: Plan| -> Result<Collected, IndexError> {
            if query.sort == Sort::PublishedAt {
                // Nobody asks what is better.
                plan.lifts.clear();
            }
            let matches = evaluator.run(&plan)?;
            Ok(collect::matching(&matches, snapshot, query, kept_max))
        };
        if asked.is_empty() && query.text.trim().is_empty() {
            return Ok((
                Matched::Exactly,
                collect::everything(snapshot, &seen, query, kept_max),
            ));
        }
        // If only what separates was typed (say `???`), the plan is empty and nothing matches.
        let exactly = collect(asked.exact(&self.fields))?;
        if exactly.matched > 0 {
            return Ok((Matched::Exactly, exactly));
        }
        let similar = collect(asked.similar(&self.fields))?;
        if similar.matched > 0 {
            return Ok((Matched::Similar, similar));
        }
        let partly = asked.partial(&self.fields).map(collect).transpose()?;
        Ok(match partly.filter(|partly| partly.matched > 0) {
            Some(partly) => (Matched::Partly, partly),
            None => (Matched::Exactly, exactly),
        })
    }

    fn hit(
        &self,
        searcher: &Searcher,
        candidate: &Candidate,
        needles: &Needles,
    ) -> Result<Hit, IndexError> {
        let document: TantivyDocument = searcher.doc(candidate.address)?;
        let text = |field: Field| {
            document
                .get_first(field)
                .and_then(|value| value.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let kept = self.fields.kept;
        let mut matched_items = Vec::new();
        for stored in document
            .get_all(kept.item)
            .filter_map(|value| value.as_str())
        {
            let (name, code) = split_item(stored);
            let item = MatchedItem {
                name: needles.mark(name),
                code: needles.mark(code),
            };
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

    /// Lets searches see the last commit. Takes the writer as a sign that nobody commits meanwhile.
    fn show(&self, _writing: &MutexGuard<'_, Writing>) -> Result<(), IndexError> {
        self.reader.reload()?;
        let before = self.snapshot();
        let after = Arc::new(Snapshot::new(self.reader.searcher(), Some(&before))?);
        *self
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner) = after;
        Ok(())
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn scratches(&self) -> MutexGuard<'_, Vec<Scratch>> {
        // Nobody panics while holding it.
        self.scratches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn id_term(&self, entry_id: &EntryId) -> Term {
        Term::from_field_text(self.fields.id, entry_id.as_str())
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        // A writer whose holder panicked is still whole: it holds operations, not half-changed state.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How segments are merged while entries come and go.
fn merging() -> Box<dyn MergePolicy> {
    let mut merging = LogMergePolicy::default();
    merging.set_min_num_segments(SEGMENTS_MERGED);
    merging.set_del_docs_ratio_before_merge(DELETED_RATIO_MAX);
    Box::new(merging)
}

/// Takes a rebuilding back that ends early, by an error or because the iterator of entries panics: half of the
/// entries must not be committed with whatever is put next.
struct Unfinished<'a> {
    writer: &'a mut IndexWriter,
    is_done: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.writer.set_merge_policy(merging());
        if !self.is_done
            && let Err(error) = self.writer.rollback()
        {
            tracing::error!(%error, "an unfinished rebuilding of the search index can't be taken back");
        }
    }
}

fn open_or_create(folder: &Path, fields: &Fields) -> Result<tantivy::Index, IndexError> {
    let directory = MmapDirectory::open(folder).map_err(tantivy::TantivyError::from)?;
    let builder = tantivy::Index::builder()
        .schema(fields.schema.clone())
        .settings(IndexSettings {
            docstore_blocksize: KEPT_BLOCK_BYTES,
            ..IndexSettings::default()
        });
    let index = builder.open_or_create(directory)?;
    schema::register(&index);
    Ok(index)
}

fn is_marked(folder: &Path) -> bool {
    fs::read_to_string(folder.join(MARKER))
        .is_ok_and(|version| version == SCHEMA_VERSION.to_string())
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
        files.push((
            entry.file_name().to_string_lossy().into_owned(),
            entry.path(),
        ));
    }
    let is_index = files.is_empty()
        || files
            .iter()
            .any(|(name, _)| name == "meta.json" || name == MARKER);
    if !is_index
        || files
            .iter()
            .any(|(name, path)| !is_index_file(name) || path.is_dir())
    {
        return Err(IndexError::NotAnIndex);
    }
    for (_, path) in files {
        fs::remove_file(path).map_err(IndexError::Folder)?;
    }
    Ok(())
}

fn is_index_file(name: &str) -> bool {
    let is_segment = name
        .split_once('.')
        .is_some_and(|(id, _)| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    is_segment
        || matches!(name, "meta.json" | ".managed.json" | MARKER)
        || name.starts_with(".tantivy")
        || name.starts_with(".tmp")
}
