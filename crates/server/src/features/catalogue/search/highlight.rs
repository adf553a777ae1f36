//! Shows where a hit was hit: splits a text into marked and unmarked stretches.

use std::borrow::Cow;

use serde::Serialize;

use super::plan::{Asked, Piece, TYPO_CHARS_MIN};
use super::synonyms;
use super::text::{self, Script};

/// Longest excerpt of a summary, in characters.
const EXCERPT_CHARS_MAX: usize = 160;
/// Characters shown before the first mark of an excerpt.
const EXCERPT_LEAD_CHARS: usize = 24;
/// Longest text that is searched for marks, in characters; the rest is shown unmarked.
const MARKED_CHARS_MAX: usize = 6_000;

/// A stretch of text; `marked` is what was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// The stretch as written.
    pub text: String,
    /// Whether it was hit.
    pub marked: bool,
}

impl Segment {
    /// The text of all stretches together.
    #[must_use]
    pub fn plain(segments: &[Self]) -> String {
        segments
            .iter()
            .map(|segment| segment.text.as_str())
            .collect()
    }

    /// Whether any stretch is marked.
    #[must_use]
    pub fn any_marked(segments: &[Self]) -> bool {
        segments.iter().any(|segment| segment.marked)
    }
}

/// How loosely the hits of a page were found, and so how loosely they are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looseness {
    /// Characters, other names, pinyin, initials.
    Exact,
    /// Also what sounds alike or has one wrong character.
    Loose,
}

/// What to look for in texts.
#[derive(Debug, Default)]
pub(super) struct Needles {
    phrases: Vec<Vec<char>>,
    /// Syllables in a row, each one of several.
    sounds: Vec<Vec<Vec<String>>>,
    initials: Vec<Vec<char>>,
    /// Phrases of which one character may differ.
    nearly: Vec<Vec<char>>,
}

impl Needles {
    pub(super) fn new(asked: &Asked, looseness: Looseness) -> Self {
        let mut needles = Self::default();
        for part in &asked.parts {
            needles.phrases.push(part.run.chars.clone());
            if looseness == Looseness::Loose
                && part.run.script == Script::Han
                && part.run.chars.len() >= TYPO_CHARS_MIN
            {
                needles.nearly.push(part.run.chars.clone());
            }
            for piece in &part.pieces {
                needles.add(piece, looseness);
            }
        }
        needles
    }

    fn add(&mut self, piece: &Piece, looseness: Looseness) {
        match piece {
            Piece::Han {
                chars, synonyms, ..
            } => {
                self.phrases.push(chars.clone());
                self.phrases.extend(
                    synonyms
                        .iter()
                        .map(|other| other.chars().map(text::normal).collect()),
                );
                if looseness == Looseness::Loose && chars.len() > 1 {
                    self.sounds.push(text::sounds(chars));
                }
                if looseness == Looseness::Loose && chars.len() >= TYPO_CHARS_MIN {
                    self.nearly.push(chars.clone());
                }
            }
            Piece::Letters(letters) => {
                self.initials.push(letters.chars().collect());
                if looseness == Looseness::Loose {
                    self.phrases.extend(
                        synonyms::by_sound(letters)
                            .iter()
                            .map(|name| name.chars().map(text::normal).collect()),
                    );
                }
                for spelling in text::spellings(letters) {
                    let mut sounds: Vec<Vec<String>> = spelling
                        .whole
                        .iter()
                        .map(|s| self::heard(s, looseness))
                        .collect();
                    sounds.push(
                        text::syllables_from(&spelling.last)
                            .iter()
                            .flat_map(|end| self::heard(end, looseness))
                            .collect(),
                    );
                    self.sounds.push(sounds);
                }
            }
            Piece::Digits(_) => {}
        }
    }

    /// Splits a text at its marks.
    pub(super) fn mark(&self, written: &str) -> Vec<Segment> {
        let chars: Vec<char> = written.chars().collect();
        let marks = self.marks(&chars);
        split(&chars, &marks)
    }

    /// As `mark`, but a long text is cut to a stretch around its first mark.
    pub(super) fn excerpt(&self, written: &str) -> Vec<Segment> {
        let chars: Vec<char> = written
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let marks = self.marks(&chars);
        if chars.len() <= EXCERPT_CHARS_MAX {
            return split(&chars, &marks);
        }
        let first = marks.iter().position(|marked| *marked).unwrap_or(0);
        let start = first
            .saturating_sub(EXCERPT_LEAD_CHARS)
            .min(chars.len() - EXCERPT_CHARS_MAX);
        let end = start + EXCERPT_CHARS_MAX;
        let ellipsis = || Segment {
            text: "…".to_owned(),
            marked: false,
        };
        let mut segments = Vec::new();
        segments.extend((start > 0).then(ellipsis));
        segments.extend(split(&chars[start..end], &marks[start..end]));
        segments.extend((end < chars.len()).then(ellipsis));
        segments
    }

    fn marks(&self, chars: &[char]) -> Vec<bool> {
        let mut marks = vec![false; chars.len()];
        let searched = chars.len().min(MARKED_CHARS_MAX);
        let normal: Vec<char> = chars[..searched].iter().map(|c| text::normal(*c)).collect();
        for phrase in &self.phrases {
            mark_windows(&normal, phrase.len(), &mut marks, |window| window == phrase);
        }
        for phrase in &self.nearly {
            mark_windows(&normal, phrase.len(), &mut marks, |window| {
                window.iter().zip(phrase).filter(|(a, b)| a != b).count() == 1
            });
        }
        if !self.sounds.is_empty() || !self.initials.is_empty() {
            let readings: Vec<Cow<'static, [&'static str]>> =
                normal.iter().map(|c| text::readings(*c)).collect();
            for sounds in &self.sounds {
                mark_windows(&readings, sounds.len(), &mut marks, |window| {
                    window.iter().zip(sounds).all(|(here, wanted)| {
                        here.iter().any(|sound| wanted.iter().any(|w| w == sound))
                    })
                });
            }
            for letters in self.initials.iter().filter(|letters| letters.len() > 1) {
                mark_windows(&readings, letters.len(), &mut marks, |window| {
                    window
                        .iter()
                        .zip(letters)
                        .all(|(here, letter)| here.iter().any(|sound| sound.starts_with(*letter)))
                });
            }
        }
        marks
    }
}

fn heard(sound: &str, looseness: Looseness) -> Vec<String> {
    match looseness {
        Looseness::Exact => vec![sound.to_owned()],
        Looseness::Loose => text::similar_sounds(sound),
    }
}

fn mark_windows<T>(text: &[T], length: usize, marks: &mut [bool], is_hit: impl Fn(&[T]) -> bool) {
    if length == 0 {
        return;
    }
    for (at, window) in text.windows(length).enumerate() {
        if is_hit(window) {
            marks[at..at + length].fill(true);
        }
    }
}

fn split(chars: &[char], marks: &[bool]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for (c, marked) in chars.iter().zip(marks) {
        match segments.last_mut() {
            Some(last) if last.marked == *marked => last.text.push(*c),
            _ => segments.push(Segment {
                text: c.to_string(),
                marked: *marked,
            }),
        }
    }
    segments
}
