//! What was typed becomes a plan: what must be found, where it counts how much, and what to do when nothing is found.

mod ways;

pub(super) use ways::{Group, Way};

use self::ways::{
    CODES_WEIGHT, NAME_WEIGHT, PREFIX_WEIGHT, initials, latin, one_wrong, one_wrong_sound,
};
use super::fillers;
use super::schema::Fields;
use super::synonyms;
use super::text::{self, Run, Script};

/// Longest part of what was typed that is looked up, in characters.
const QUERY_CHARS_MAX: usize = 64;
/// Most pieces that are looked up.
const PIECES_MAX: usize = 12;
/// Shortest stretch in which one wrong character is forgiven.
pub(super) const TYPO_CHARS_MIN: usize = 4;

/// Another name for the thing is worth less than the one that was typed.
const SYNONYM_WEIGHT: f32 = 0.6;
/// What was typed is the whole name.
const WHOLE_WEIGHT: f32 = 8.0;
/// Neighbouring words stand together in the name.
const TOGETHER_WEIGHT: f32 = 4.0;

/// Words that every second entry holds: they help to rank, but need not be there when others are.
const WEAK_WORDS: &[&str] = &[
    "信息", "数据", "资源", "目录", "情况", "相关", "有关", "查询",
];
/// Words that are not looked up at all when others are there.
const FILLER_WORDS: &[&str] = &[
    "的", "和", "与", "及", "或", "等", "之", "在", "对", "了", "有", "被", "是", "我", "吗", "呢",
    "查", "看", "找",
];

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
#[derive(Debug, Clone, PartialEq)]
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

/// What an entry must hold to match, and what lifts it.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) clauses: Vec<Clause>,
    /// Clauses that must be met.
    pub(super) needed: usize,
    /// Ways that add to the score of what matches anyway.
    pub(super) lifts: Vec<Way>,
}

/// One thing to find.
#[derive(Debug)]
pub(super) enum Clause {
    /// Counts towards the clauses needed: the best of several ways to find it.
    Any(Vec<Way>),
    /// As `Any`, or else all of these, each in the best of its ways: words typed without a gap, one of them mistyped.
    AnyOrAll(Vec<Way>, Vec<Vec<Way>>),
}

impl Asked {
    /// Takes typed text apart. Any text will do; beyond 64 characters or 12 pieces the rest is left out.
    pub(super) fn parse(typed: &str) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut pieces_left = PIECES_MAX;
        for run in meant(text::runs(typed, QUERY_CHARS_MAX)) {
            let pieces = match run.script {
                Script::Han => han_pieces(&run.chars),
                Script::Letters => vec![Piece::Letters(run.text())],
                Script::Digits => vec![Piece::Digits(run.text())],
            };
            // What is typed twice (2024年 2025年) need not be found twice.
            let is_new = |piece: &Piece| parts.iter().all(|part| !part.pieces.contains(piece));
            let mut pieces: Vec<Piece> = pieces.into_iter().filter(is_new).collect();
            pieces.truncate(pieces_left);
            pieces_left -= pieces.len();
            if !pieces.is_empty() {
                parts.push(Part { run, pieces });
            }
        }
        Self {
            whole: text::whole_term(typed, QUERY_CHARS_MAX),
            parts,
        }
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.parts.iter().flat_map(|part| part.pieces.iter())
    }

    /// Everything must be found as typed, or under another name, or by its pinyin or initials.
    pub(super) fn exact(&self, fields: &Fields) -> Plan {
        let all_weak = self.pieces().all(Piece::is_weak);
        let mut plan = Plan {
            lifts: self.lifts(fields),
            ..Plan::default()
        };
        for piece in self.pieces() {
            let ways = piece.exact(fields);
            if piece.is_weak() && !all_weak {
                plan.lifts.extend(ways);
            } else {
                plan.clauses.push(Clause::Any(ways));
            }
        }
        plan.needed = plan.clauses.len();
        plan
    }

    /// As `exact`, but each piece may sound alike or have one wrong character.
    pub(super) fn similar(&self, fields: &Fields) -> Plan {
        let clauses: Vec<Clause> = self.parts.iter().map(|part| part.similar(fields)).collect();
        Plan {
            needed: clauses.len(),
            clauses,
            lifts: Vec::new(),
        }
    }

    /// Half of the pieces, rounded up, must be found, alike or exactly; `None` if there is only one.
    pub(super) fn partial(&self, fields: &Fields) -> Option<Plan> {
        let clauses: Vec<Clause> = self
            .pieces()
            .filter(|piece| !piece.is_weak())
            .map(|piece| {
                // A single character sounds like something in every second entry.
                Clause::Any(if piece.is_single() {
                    piece.exact(fields)
                } else {
                    piece.similar(fields)
                })
            })
            .collect();
        let needed = clauses.len().div_ceil(2);
        (clauses.len() > 1).then_some(Plan {
            clauses,
            needed,
            lifts: Vec::new(),
        })
    }

    /// What lifts an entry without being needed: the whole name, or words together in the name as they were typed.
    fn lifts(&self, fields: &Fields) -> Vec<Way> {
        let name = |groups, weight| Way {
            groups,
            places: vec![(fields.texts.name, weight)],
        };
        let whole = self
            .whole
            .clone()
            .map(|whole| name(vec![Group::one(whole)], WHOLE_WEIGHT));
        let together = self
            .parts
            .iter()
            .filter(|part| part.run.script == Script::Han && part.pieces.len() > 1)
            .map(|part| name(Group::pairs(&part.run.chars), TOGETHER_WEIGHT));
        whole.into_iter().chain(together).collect()
    }
}

/// The runs without what is said around the thing that is looked for; all of them if there would be nothing left.
fn meant(runs: Vec<Run>) -> Vec<Run> {
    let mut left: Vec<Run> = Vec::new();
    for run in &runs {
        if run.script != Script::Han {
            left.push(run.clone());
            continue;
        }
        let mut at = 0;
        let mut open = false;
        while at < run.chars.len() {
            let filler = fillers::at_beginning(&run.chars[at..]);
            if filler > 0 {
                at += filler;
                open = false;
                continue;
            }
            match left.last_mut() {
                Some(last) if open => last.chars.push(run.chars[at]),
                _ => left.push(Run {
                    script: Script::Han,
                    chars: vec![run.chars[at]],
                    start: run.start + at,
                }),
            }
            open = true;
            at += 1;
        }
    }
    // A single character that is left between two of them is one as well: 了, 的, 有.
    let has_more = left
        .iter()
        .any(|run| run.script != Script::Han || run.chars.len() > 1);
    left.retain(|run| {
        !has_more
            || run.script != Script::Han
            || run.chars.len() > 1
            || runs
                .iter()
                .any(|whole| whole.start == run.start && whole.chars == run.chars)
    });
    if left.is_empty() { runs } else { left }
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
            pieces.push(Piece::Han {
                chars: chars[at..at + length].to_vec(),
                synonyms,
                weak: false,
            });
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
    let words: Vec<&str> = text::jieba()
        .cut(&run, false)
        .into_iter()
        .map(|token| token.word)
        .collect();
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
            Piece::Han {
                chars,
                synonyms: &[],
                weak,
            }
        })
        .collect()
}

impl Part {
    fn similar(&self, fields: &Fields) -> Clause {
        let all_weak = self.pieces.iter().all(Piece::is_weak);
        let mut each: Vec<Vec<Way>> = self
            .pieces
            .iter()
            .filter(|piece| all_weak || !piece.is_weak())
            .map(|piece| piece.similar(fields))
            .collect();
        match each.len() {
            1 => Clause::Any(each.remove(0)),
            _ => Clause::AnyOrAll(one_wrong(&self.run.chars, fields), each),
        }
    }
}

impl Piece {
    fn is_weak(&self) -> bool {
        match self {
            Self::Han { weak, .. } => *weak,
            Self::Letters(_) | Self::Digits(_) => false,
        }
    }

    fn is_single(&self) -> bool {
        match self {
            Self::Han { chars, .. } => chars.len() == 1,
            Self::Letters(_) | Self::Digits(_) => false,
        }
    }

    fn exact(&self, fields: &Fields) -> Vec<Way> {
        match self {
            Self::Han {
                chars, synonyms, ..
            } => {
                let typed: String = chars.iter().collect();
                let others = synonyms
                    .iter()
                    // Where the longer name stands, the one that was typed stands as well.
                    .filter(|other| !other.contains(&typed))
                    .map(|other| {
                        Way::texts(&other.chars().collect::<Vec<_>>(), SYNONYM_WEIGHT, fields)
                    });
                std::iter::once(Way::texts(chars, 1.0, fields))
                    .chain(others)
                    .collect()
            }
            Self::Letters(letters) => {
                let mut ways = latin(letters, fields);
                for spelling in text::spellings(letters) {
                    let mut sounds: Vec<Vec<String>> = spelling
                        .whole
                        .iter()
                        .map(|sound| vec![sound.clone()])
                        .collect();
                    sounds.push(
                        text::syllables_from(&spelling.last)
                            .into_iter()
                            .map(str::to_owned)
                            .collect(),
                    );
                    ways.extend(Way::sounds(&[&sounds], fields));
                }
                ways.extend(initials(letters, fields));
                ways
            }
            Self::Digits(digits) => latin(digits, fields),
        }
    }

    fn similar(&self, fields: &Fields) -> Vec<Way> {
        let mut ways = self.exact(fields);
        match self {
            Self::Han { chars, .. } => {
                let sounds = text::sounds(chars);
                ways.extend(Way::sounds(&[&sounds], fields));
                ways.extend(one_wrong(chars, fields));
            }
            Self::Letters(letters) => {
                ways.extend(synonyms::by_sound(letters).iter().map(|name| {
                    let chars: Vec<char> = name.chars().collect();
                    Way::texts(&chars, SYNONYM_WEIGHT, fields)
                }));
                if letters.chars().count() >= TYPO_CHARS_MIN {
                    let places = vec![
                        (fields.codes, CODES_WEIGHT * PREFIX_WEIGHT),
                        (fields.texts.name, NAME_WEIGHT * PREFIX_WEIGHT),
                    ];
                    ways.push(Way {
                        groups: vec![Group::Nearly(letters.clone())],
                        places,
                    });
                }
                for spelling in text::spellings(letters) {
                    let mut sounds: Vec<Vec<String>> = spelling
                        .whole
                        .iter()
                        .map(|sound| text::similar_sounds(sound))
                        .collect();
                    let ends = text::syllables_from(&spelling.last);
                    sounds.push(
                        ends.iter()
                            .flat_map(|end| text::similar_sounds(end))
                            .collect(),
                    );
                    ways.extend(Way::sounds(&[&sounds], fields));
                    ways.extend(one_wrong_sound(&sounds, fields));
                }
            }
            Self::Digits(_) => {}
        }
        ways
    }
}
