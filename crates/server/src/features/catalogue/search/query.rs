//! What was typed becomes a plan: what must be found, where it counts how much, and what to do when nothing is found.

use tantivy::Term;
use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use super::schema::Fields;
use super::text::{self, INITIALS_EDGE_MAX, INITIALS_MAX, Run, Script, Spelling};
use super::synonyms;

/// Longest part of what was typed that is looked up, in characters.
const QUERY_CHARS_MAX: usize = 64;
/// Most pieces that are looked up.
const PIECES_MAX: usize = 12;
/// Longest stretch of Chinese in which one wrong character is looked for: the work grows with its square.
const TYPO_CHARS_MAX: usize = 12;
/// Shortest stretch in which one wrong character is forgiven.
const TYPO_CHARS_MIN: usize = 4;
/// Shortest beginning of a code that is completed.
const PREFIX_CHARS_MIN: usize = 3;

/// What a match in each text is worth: the name weighs most, then data items, department, summary.
const NAME_WEIGHT: f32 = 8.0;
const ITEMS_WEIGHT: f32 = 3.0;
const DEPARTMENT_WEIGHT: f32 = 2.0;
const SUMMARY_WEIGHT: f32 = 1.0;
const CODES_WEIGHT: f32 = 3.0;
/// A whole word counts on top of its pairs.
const WORD_WEIGHT: f32 = 0.5;
/// Another name for the thing is worth less than the one that was typed.
const SYNONYM_WEIGHT: f32 = 0.6;
/// Sounds are worth less than characters, initials less than sounds.
const SOUND_WEIGHT: f32 = 0.8;
const INITIALS_WEIGHT: f32 = 0.5;
/// What was typed is the whole name.
const WHOLE_WEIGHT: f32 = 8.0;

/// Words that every second entry holds: they help to rank, but need not be there when others are.
const WEAK_WORDS: &[&str] = &["信息", "数据", "资源", "目录", "情况", "相关", "有关", "查询"];
/// Words that are not looked up at all when others are there.
const FILLER_WORDS: &[&str] = &["的", "和", "与", "及", "或", "等", "之", "在", "对", "了"];

/// What was typed, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The whole, without what separates.
    whole: Option<String>,
    /// Its runs, each cut into pieces.
    pub(super) parts: Vec<Part>,
}

/// One run and its pieces.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// As typed.
    pub(super) run: Run,
    /// Cut at words.
    pub(super) pieces: Vec<Piece>,
}

/// What must be found in one place.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// One or more Chinese characters in a row.
    Han {
        /// The characters.
        chars: Vec<char>,
        /// Other names of the same thing.
        synonyms: &'static [&'static str],
        /// Whether it is one of [`WEAK_WORDS`].
        weak: bool,
    },
    /// Letters: a word, a code, pinyin or initials.
    Letters(String),
    /// Digits: part of a code or a name.
    Digits(String),
}

impl Asked {
    /// Takes typed text apart. Any text will do; beyond 64 characters or 12 pieces the rest is left out.
    pub(super) fn parse(typed: &str) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut pieces_left = PIECES_MAX;
        for run in text::runs(typed, QUERY_CHARS_MAX) {
            let mut pieces = match run.script {
                Script::Han => han_pieces(&run.chars),
                Script::Letters => vec![Piece::Letters(run.text())],
                Script::Digits => vec![Piece::Digits(run.text())],
            };
            pieces.truncate(pieces_left);
            pieces_left -= pieces.len();
            if !pieces.is_empty() {
                parts.push(Part { run, pieces });
            }
        }
        Self { whole: text::whole_term(typed, QUERY_CHARS_MAX), parts }
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.parts.iter().flat_map(|part| part.pieces.iter())
    }

    /// Everything must be found as typed, or under another name, or by its pinyin.
    pub(super) fn exact(&self, fields: &Fields) -> Box<dyn Query> {
        let all_weak = self.pieces().all(Piece::is_weak);
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = self
            .pieces()
            .map(|piece| {
                let occur = if piece.is_weak() && !all_weak { Occur::Should } else { Occur::Must };
                (occur, piece.exact(fields))
            })
            .collect();
        clauses.extend(self.extras(fields));
        Box::new(BooleanQuery::new(clauses))
    }

    /// As `exact`, but each piece may sound alike or have one wrong character.
    pub(super) fn similar(&self, fields: &Fields) -> Box<dyn Query> {
        let clauses = self.parts.iter().map(|part| (Occur::Must, part.similar(fields))).collect();
        Box::new(BooleanQuery::new(clauses))
    }

    /// Half of the pieces, rounded up, must be found, alike or exactly; `None` if there is only one.
    pub(super) fn partial(&self, fields: &Fields) -> Option<Box<dyn Query>> {
        let clauses: Vec<(Occur, Box<dyn Query>)> =
            self.pieces().filter(|piece| !piece.is_weak()).map(|piece| (Occur::Should, piece.similar(fields))).collect();
        let needed = clauses.len().div_ceil(2);
        (clauses.len() > 1).then(|| Box::new(BooleanQuery::with_minimum_required_clauses(clauses, needed)) as Box<dyn Query>)
    }

    /// What lifts an entry without being needed: the whole name, or a whole run in the name.
    fn extras(&self, fields: &Fields) -> Vec<(Occur, Box<dyn Query>)> {
        let whole = self.whole.as_deref().map(|whole| boost(term(fields.texts.name, whole), WHOLE_WEIGHT));
        let runs = self.parts.iter().filter(|part| part.run.script == Script::Han && part.pieces.len() > 1).map(|part| {
            boost(all(text::pairs(&part.run.chars).iter().map(|pair| term(fields.texts.name, pair))), NAME_WEIGHT * WORD_WEIGHT)
        });
        whole.into_iter().chain(runs).map(|query| (Occur::Should, query)).collect()
    }
}

/// Cuts Chinese at known names and words; single characters stay with their neighbours, fillers go.
fn han_pieces(chars: &[char]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut plain: Vec<char> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if let Some((length, synonyms)) = synonyms::at_beginning(&chars[at..]) {
            pieces.extend(word_pieces(&plain));
            plain.clear();
            pieces.push(Piece::Han { chars: chars[at..at + length].to_vec(), synonyms, weak: false });
            at += length;
        } else {
            plain.push(chars[at]);
            at += 1;
        }
    }
    pieces.extend(word_pieces(&plain));
    pieces
}

fn word_pieces(chars: &[char]) -> Vec<Piece> {
    let run: String = chars.iter().collect();
    let words: Vec<&str> = text::jieba().cut(&run, false).into_iter().map(|token| token.word).collect();
    let has_words = words.iter().any(|word| word.chars().nth(1).is_some());
    let mut cut: Vec<Vec<char>> = Vec::new();
    // A single character joins the piece before it; at the beginning it waits for the one after it.
    let mut joins_next = false;
    for word in words {
        let word_chars: Vec<char> = word.chars().collect();
        if has_words && FILLER_WORDS.contains(&word) {
            joins_next = false;
            continue;
        }
        let single = word_chars.len() == 1;
        match cut.last_mut() {
            Some(last) if single || joins_next => last.extend(&word_chars),
            _ => cut.push(word_chars),
        }
        joins_next = single && cut.len() == 1 && (joins_next || cut[0].len() == 1);
    }
    cut.into_iter()
        .map(|chars| {
            let weak = WEAK_WORDS.contains(&chars.iter().collect::<String>().as_str());
            Piece::Han { chars, synonyms: &[], weak }
        })
        .collect()
}

impl Part {
    fn similar(&self, fields: &Fields) -> Box<dyn Query> {
        let all_weak = self.pieces.iter().all(Piece::is_weak);
        let needed = self.pieces.iter().filter(|piece| all_weak || !piece.is_weak());
        let mut ways: Vec<Box<dyn Query>> = vec![all(needed.map(|piece| piece.similar(fields)))];
        if self.run.script == Script::Han && self.pieces.len() > 1 {
            ways.extend(one_wrong(&self.run.chars, fields));
        }
        any(ways)
    }
}

impl Piece {
    fn is_weak(&self) -> bool {
        match self {
            Self::Han { weak, .. } => *weak,
            Self::Letters(_) | Self::Digits(_) => false,
        }
    }

    fn exact(&self, fields: &Fields) -> Box<dyn Query> {
        match self {
            Self::Han { chars, synonyms, .. } => {
                let mut ways = vec![han(chars, fields)];
                ways.extend(synonyms.iter().map(|other| boost(han(&other.chars().collect::<Vec<_>>(), fields), SYNONYM_WEIGHT)));
                any(ways)
            }
            Self::Letters(letters) => {
                let mut ways = latin(letters, fields);
                ways.extend(text::spellings(letters).iter().map(|spelling| spelled(spelling, fields)));
                ways.extend(initials(letters, fields));
                any(ways)
            }
            Self::Digits(digits) => any(latin(digits, fields)),
        }
    }

    fn similar(&self, fields: &Fields) -> Box<dyn Query> {
        let mut ways = vec![self.exact(fields)];
        match self {
            Self::Han { chars, .. } => {
                let sounds: Vec<Vec<String>> =
                    chars.iter().map(|c| text::readings(c.to_owned()).into_iter().map(str::to_owned).collect()).collect();
                ways.extend(sounding(&sounds, fields));
                ways.extend(one_wrong(chars, fields));
            }
            Self::Letters(letters) => {
                if letters.chars().count() >= TYPO_CHARS_MIN {
                    ways.push(boost(fuzzy(fields.codes, letters), CODES_WEIGHT));
                    ways.push(boost(fuzzy(fields.texts.name, letters), NAME_WEIGHT));
                }
                for spelling in text::spellings(letters) {
                    let mut sounds: Vec<Vec<String>> = spelling.whole.iter().map(|s| text::similar_sounds(s)).collect();
                    let ends = text::syllables_from(&spelling.last);
                    sounds.push(ends.iter().flat_map(|end| text::similar_sounds(end)).collect());
                    ways.extend(sounding(&sounds, fields));
                    ways.extend(one_wrong_sound(&sounds, fields));
                }
            }
            Self::Digits(_) => {}
        }
        any(ways)
    }
}

/// Characters in a row, in any of the texts.
fn han(chars: &[char], fields: &Fields) -> Box<dyn Query> {
    let texts = fields.texts;
    let places =
        [(texts.name, NAME_WEIGHT), (texts.items, ITEMS_WEIGHT), (texts.department, DEPARTMENT_WEIGHT), (texts.summary, SUMMARY_WEIGHT)];
    let word = (chars.len() > 1).then(|| text::word_term(&chars.iter().collect::<String>()));
    any(places.map(|(field, weight)| {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> =
            text::pairs(chars).iter().map(|pair| (Occur::Must, term(field, pair))).collect();
        clauses.extend(word.iter().map(|word| (Occur::Should, boost(term(field, word), WORD_WEIGHT))));
        boost(flat(clauses), weight)
    }))
}

/// Letters or digits as they stand, or as the beginning of a code or of a word in the name.
fn latin(run: &str, fields: &Fields) -> Vec<Box<dyn Query>> {
    let texts = fields.texts;
    let mut ways: Vec<Box<dyn Query>> = [
        (texts.name, NAME_WEIGHT),
        (texts.items, ITEMS_WEIGHT),
        (texts.department, DEPARTMENT_WEIGHT),
        (texts.summary, SUMMARY_WEIGHT),
        (fields.codes, CODES_WEIGHT),
    ]
    .into_iter()
    .map(|(field, weight)| boost(term(field, run), weight))
    .collect();
    if run.chars().count() >= PREFIX_CHARS_MIN {
        let beginning = |field| FuzzyTermQuery::new_prefix(Term::from_field_text(field, run), 0, true);
        ways.push(Box::new(beginning(fields.codes)));
        ways.push(boost(Box::new(beginning(texts.name)), 2.0));
    }
    ways
}

/// Letters read as syllables; the last one may be unfinished.
fn spelled(spelling: &Spelling, fields: &Fields) -> Box<dyn Query> {
    let mut sounds: Vec<Vec<String>> = spelling.whole.iter().map(|s| vec![s.clone()]).collect();
    sounds.push(text::syllables_from(&spelling.last).into_iter().map(str::to_owned).collect());
    any(sounding(&sounds, fields))
}

/// Syllables in a row, each one of several, in the name, the items or the department.
fn sounding(sounds: &[Vec<String>], fields: &Fields) -> Vec<Box<dyn Query>> {
    if sounds.is_empty() || sounds.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    sound_places(fields).map(|(field, weight)| boost(all(sound_clauses(sounds, field)), weight)).into()
}

fn sound_places(fields: &Fields) -> [(Field, f32); 3] {
    let sounds = fields.sounds;
    [
        (sounds.name, NAME_WEIGHT * SOUND_WEIGHT),
        (sounds.items, ITEMS_WEIGHT * SOUND_WEIGHT),
        (sounds.department, DEPARTMENT_WEIGHT * SOUND_WEIGHT),
    ]
}

fn sound_clauses(sounds: &[Vec<String>], field: Field) -> Vec<Box<dyn Query>> {
    match sounds {
        [] => Vec::new(),
        [only] => vec![any(only.iter().map(|sound| term(field, sound)))],
        several => several
            .windows(2)
            .map(|pair| {
                any(pair[0].iter().flat_map(|left| pair[1].iter().map(|right| term(field, &text::syllable_pair(left, right)))))
            })
            .collect(),
    }
}

/// A chain of initials in a name, or at the beginning of an item or department.
fn initials(letters: &str, fields: &Fields) -> Vec<Box<dyn Query>> {
    if !letters.bytes().all(|b| b.is_ascii_lowercase()) {
        return Vec::new();
    }
    let sounds = fields.sounds;
    let mut ways = Vec::new();
    let windows: Vec<&str> = match letters.len() {
        0..=INITIALS_MAX => vec![letters],
        longer => (0..=longer - INITIALS_MAX).map(|at| &letters[at..at + INITIALS_MAX]).collect(),
    };
    let chain = all(windows.into_iter().map(|window| term(sounds.name, &text::initials_term(window))));
    ways.push(boost(chain, NAME_WEIGHT * INITIALS_WEIGHT));
    if (2..=INITIALS_EDGE_MAX).contains(&letters.len()) {
        let edge = text::initials_term(letters);
        ways.push(boost(term(sounds.items, &edge), ITEMS_WEIGHT * INITIALS_WEIGHT));
        ways.push(boost(term(sounds.department, &edge), DEPARTMENT_WEIGHT * INITIALS_WEIGHT));
    }
    ways
}

/// One character of four or more is wrong, missing or too many: what stands left and right of it must be found in one text.
fn one_wrong(chars: &[char], fields: &Fields) -> Vec<Box<dyn Query>> {
    if !(TYPO_CHARS_MIN..=TYPO_CHARS_MAX).contains(&chars.len()) {
        return Vec::new();
    }
    let texts = fields.texts;
    let mut ways = Vec::new();
    for (field, weight) in [(texts.name, NAME_WEIGHT), (texts.items, ITEMS_WEIGHT), (texts.department, DEPARTMENT_WEIGHT)] {
        for wrong in 0..chars.len() {
            let around = text::pairs(&chars[..wrong]).into_iter().chain(text::pairs(&chars[wrong + 1..]));
            ways.push(boost(all(around.map(|pair| term(field, &pair))), weight));
        }
    }
    ways
}

/// As [`one_wrong`], over syllables.
fn one_wrong_sound(sounds: &[Vec<String>], fields: &Fields) -> Vec<Box<dyn Query>> {
    if !(TYPO_CHARS_MIN..=TYPO_CHARS_MAX).contains(&sounds.len()) {
        return Vec::new();
    }
    let (field, weight) = (fields.sounds.name, NAME_WEIGHT * SOUND_WEIGHT);
    (0..sounds.len())
        .map(|wrong| {
            let around = sound_clauses(&sounds[..wrong], field).into_iter().chain(sound_clauses(&sounds[wrong + 1..], field));
            boost(all(around), weight)
        })
        .collect()
}

/// Entries that carry one of the labels; adds nothing to the score.
pub(super) fn visible(labels: &[String], fields: &Fields) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(any(labels.iter().map(|label| term(fields.labels, label))), 0.0))
}

/// Both must hold.
pub(super) fn both(left: Box<dyn Query>, right: Box<dyn Query>) -> Box<dyn Query> {
    Box::new(BooleanQuery::new(vec![(Occur::Must, left), (Occur::Must, right)]))
}

fn term(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs))
}

fn fuzzy(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(FuzzyTermQuery::new(Term::from_field_text(field, text), 1, true))
}

fn boost(query: Box<dyn Query>, weight: f32) -> Box<dyn Query> {
    Box::new(BoostQuery::new(query, weight))
}

fn all(queries: impl IntoIterator<Item = Box<dyn Query>>) -> Box<dyn Query> {
    flat(queries.into_iter().map(|query| (Occur::Must, query)).collect())
}

fn any(queries: impl IntoIterator<Item = Box<dyn Query>>) -> Box<dyn Query> {
    flat(queries.into_iter().map(|query| (Occur::Should, query)).collect())
}

/// A single clause needs no bracket around it.
fn flat(mut clauses: Vec<(Occur, Box<dyn Query>)>) -> Box<dyn Query> {
    match clauses.len() {
        1 => clauses.remove(0).1,
        _ => Box::new(BooleanQuery::new(clauses)),
    }
}
