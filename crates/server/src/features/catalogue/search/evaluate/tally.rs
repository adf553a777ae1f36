//! Scores by entry, in arrays with a slot for each.

use tantivy::DocId;

/// A count as a number to reckon scores with; beyond 2^24 the last digits are lost, which no score notices.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "scores are rough by nature")]
pub(super) fn precise(count: u64) -> f32 {
    count as f32
}

/// Entries whose marks share a word.
const BITS: usize = 64;

/// Scores by entry, and which entries have one. Emptied by `drain`.
#[derive(Default)]
pub(super) struct Tally {
    scores: Vec<f32>,
    bits: Vec<u64>,
    /// A bit for each word of `bits` that isn't empty: most searches find few entries among many.
    words: Vec<u64>,
}

impl Tally {
    /// Makes room for so many entries.
    pub(super) fn widen(&mut self, entries: usize) {
        if self.scores.len() < entries {
            self.scores.resize(entries.next_multiple_of(BITS), 0.0);
            self.bits.resize(entries.div_ceil(BITS), 0);
            self.words.resize(entries.div_ceil(BITS * BITS), 0);
        }
    }

    #[inline]
    pub(super) fn add(&mut self, doc: DocId, score: f32) {
        let at = index(doc);
        self.scores[at] += score;
        self.mark(at);
    }

    #[inline]
    pub(super) fn lift(&mut self, doc: DocId, score: f32) {
        let at = index(doc);
        self.scores[at] = self.scores[at].max(score);
        self.mark(at);
    }

    #[inline]
    fn mark(&mut self, at: usize) {
        let bits = &mut self.bits[at / BITS];
        if *bits == 0 {
            self.words[at / BITS / BITS] |= 1 << (at / BITS % BITS);
        }
        *bits |= 1 << (at % BITS);
    }

    /// Gives every entry with its score, in order, and starts anew.
    pub(super) fn drain(&mut self, mut take: impl FnMut(DocId, f32)) {
        let (scores, _) = self.scores.as_chunks_mut::<BITS>();
        for (first, words) in (0..).step_by(BITS).zip(&mut self.words) {
            each_bit(std::mem::take(words), |word| {
                let word = first + word;
                let scores = &mut scores[word];
                let start = DocId::try_from(word * BITS).unwrap_or(DocId::MAX);
                each_bit(std::mem::take(&mut self.bits[word]), |at| {
                    let doc = start + DocId::try_from(at).unwrap_or(0);
                    take(doc, std::mem::take(&mut scores[at % BITS]));
                });
            });
        }
    }

    pub(super) fn drained(&mut self) -> Vec<(DocId, f32)> {
        let mut held = 0;
        for (first, words) in (0..).step_by(BITS).zip(&self.words) {
            each_bit(*words, |word| held += self.bits[first + word].count_ones());
        }
        let mut all = Vec::with_capacity(index(held));
        self.drain(|doc, score| all.push((doc, score)));
        all
    }
}

/// Gives the positions of the bits that are set.
#[inline]
fn each_bit(mut bits: u64, mut take: impl FnMut(usize)) {
    while bits != 0 {
        take(usize::try_from(bits.trailing_zeros()).unwrap_or(0));
        bits &= bits - 1;
    }
}

/// How often a term stands in the text of each entry. Emptied by `clear` or `drain`.
#[derive(Default)]
pub(super) struct Repetitions {
    /// By entry; more than 255 are 255, which no score notices.
    counts: Vec<u8>,
    /// The entries that have any, as long as they are few; beyond that the counts are gone through.
    marked: Vec<DocId>,
}

impl Repetitions {
    /// Makes room for so many entries.
    pub(super) fn widen(&mut self, entries: usize) {
        if self.counts.len() < entries {
            self.counts.resize(entries.next_multiple_of(WORD), 0);
        }
    }

    #[inline]
    pub(super) fn lift(&mut self, doc: DocId, repetitions: u32) {
        let count = &mut self.counts[index(doc)];
        *count = (*count).max(u8::try_from(repetitions).unwrap_or(u8::MAX));
        if self.marked.len() < self.counts.len() / FEW {
            self.marked.push(doc);
        }
    }

    #[inline]
    pub(super) fn of(&self, doc: DocId) -> u32 {
        u32::from(self.counts[index(doc)])
    }

    #[inline]
    fn are_few(&self) -> bool {
        self.marked.len() < self.counts.len() / FEW
    }

    pub(super) fn clear(&mut self) {
        if self.are_few() {
            for doc in &self.marked {
                self.counts[index(*doc)] = 0;
            }
        } else {
            self.counts.fill(0);
        }
        self.marked.clear();
    }

    /// Gives every entry that has any, in order, and starts anew.
    pub(super) fn drain(&mut self, mut take: impl FnMut(DocId, u32)) {
        if self.are_few() {
            self.marked.sort_unstable();
            for doc in &self.marked {
                let count = std::mem::take(&mut self.counts[index(*doc)]);
                // An entry that has several of the terms is marked several times.
                if count > 0 {
                    take(*doc, u32::from(count));
                }
            }
        } else {
            for (word, counts) in (0..).step_by(WORD).zip(self.counts.chunks_exact_mut(WORD)) {
                if counts.iter().all(|count| *count == 0) {
                    continue;
                }
                for (doc, count) in (word..).zip(counts) {
                    if *count > 0 {
                        take(doc, u32::from(std::mem::take(count)));
                    }
                }
            }
        }
        self.marked.clear();
    }
}

/// Counts that are gone through at once.
const WORD: usize = 8;
/// Entries are few if they are fewer than one in so many.
const FEW: usize = 64;

#[inline]
pub(super) fn index(doc: DocId) -> usize {
    usize::try_from(doc).expect("a segment has fewer entries than an address space")
}
