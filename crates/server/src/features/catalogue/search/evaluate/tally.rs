//! Scores by entry, in arrays with a slot for each.

use tantivy::DocId;

/// A count as a number to reckon scores with; beyond 2^24 the last digits are lost, which no score notices.
#[expect(clippy::cast_precision_loss, reason = "scores are rough by nature")]
pub(super) fn precise(count: u64) -> f32 {
    count as f32
}

/// Scores by entry, and which entries have one. Emptied by `drain`.
#[derive(Default)]
pub(super) struct Tally {
    scores: Vec<f32>,
    bits: Vec<u64>,
}

impl Tally {
    /// Makes room for so many entries.
    pub(super) fn widen(&mut self, entries: usize) {
        if self.scores.len() < entries {
            self.scores.resize(entries, 0.0);
            self.bits.resize(entries.div_ceil(64), 0);
        }
    }

    pub(super) fn add(&mut self, doc: DocId, score: f32) {
        let at = index(doc);
        self.scores[at] += score;
        self.bits[at / 64] |= 1 << (at % 64);
    }

    pub(super) fn lift(&mut self, doc: DocId, score: f32) {
        let at = index(doc);
        self.scores[at] = self.scores[at].max(score);
        self.bits[at / 64] |= 1 << (at % 64);
    }

    /// Gives every entry with its score, in order, and starts anew.
    pub(super) fn drain(&mut self, mut take: impl FnMut(DocId, f32)) {
        for (word, bits) in self.bits.iter_mut().enumerate() {
            while *bits != 0 {
                let at = word * 64 + usize::try_from(bits.trailing_zeros()).unwrap_or(0);
                *bits &= *bits - 1;
                take(
                    DocId::try_from(at).unwrap_or(DocId::MAX),
                    std::mem::take(&mut self.scores[at]),
                );
            }
        }
    }

    pub(super) fn drained(&mut self) -> Vec<(DocId, f32)> {
        let held = self.bits.iter().map(|bits| bits.count_ones()).sum::<u32>();
        let mut all = Vec::with_capacity(index(held));
        self.drain(|doc, score| all.push((doc, score)));
        all
    }
}

pub(super) fn index(doc: DocId) -> usize {
    usize::try_from(doc).expect("a segment has fewer entries than an address space")
}
