//! Text to search terms: the same code cuts what is stored and what is asked, so that they meet.
//!
//! Two kinds of term stand for a stretch of Chinese characters:
//! - every single character and every pair of neighbours, so that any substring is found; pairs within a word of
//!   the dictionary count twice;
//! - its sounds: pairs of pinyin syllables, and chains of initials.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::{Bound, RangeInclusive};
use std::sync::OnceLock;

use jieba_rs::Jieba;
use pinyin::{ToPinyin, ToPinyinMulti};

/// Longest Latin or digit term kept, in characters; the rest of a longer run is not searched.
const LATIN_CHARS_MAX: usize = 40;
/// Readings kept per character, the common one first: enough for 行 (xing, hang), few enough for pairs.
const READINGS_MAX: usize = 3;
/// Letters in a chain of initials that is looked up in one piece.
pub(super) const INITIALS_MAX: usize = 4;
/// Longest beginning of initials kept for a data item or a department.
pub(super) const INITIALS_EDGE_MAX: usize = 8;

/// What a run is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// Chinese characters.
    Han,
    /// Letters of any other script.
    Letters,
    /// Digits.
    Digits,
}

/// A stretch of one script, normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// What it is written in.
    pub(super) script: Script,
    /// Its characters: lower case, half width.
    pub(super) chars: Vec<char>,
    /// Position of the first character in the text, in characters.
    pub(super) start: usize,
}

impl Run {
    /// The run as text.
    pub(super) fn text(&self) -> String {
        self.chars.iter().collect()
    }
}

/// One character in the form in which it is compared: full width becomes half width, upper case lower.
/// One in, one out, so that positions stay.
pub(super) fn normal(c: char) -> char {
    if matches!(c, '\u{4e00}'..='\u{9fff}') {
        return c;
    }
    let half = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    };
    let mut lower = half.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => half,
    }
}

fn script(c: char) -> Option<Script> {
    match c {
        '\u{3007}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Some(Script::Han),
        _ if c.is_ascii_digit() => Some(Script::Digits),
        _ if c.is_alphabetic() => Some(Script::Letters),
        _ if c.is_numeric() => Some(Script::Digits),
        _ => None,
    }
}

/// Cuts text into runs of one script; everything else separates.
pub(super) fn runs(text: &str, chars_max: usize) -> Vec<Run> {
    let mut found: Vec<Run> = Vec::new();
    let mut open = false;
    for (at, c) in text.chars().take(chars_max).map(normal).enumerate() {
        let Some(script) = script(c) else {
            open = false;
            continue;
        };
        match found.last_mut() {
            Some(run) if open && run.script == script => run.chars.push(c),
            _ => found.push(Run {
                script,
                chars: vec![c],
                start: at,
            }),
        }
        open = true;
    }
    for run in &mut found {
        if run.script != Script::Han {
            run.chars.truncate(LATIN_CHARS_MAX);
        }
    }
    found
}

/// Loads what is loaded at first use otherwise.
pub(super) fn load() {
    jieba();
    syllables();
    readings('一');
}

/// The dictionary, loaded at first use (about 0.2 s and 33 MB) and shared from then on.
pub(super) fn jieba() -> &'static Jieba {
    static JIEBA: OnceLock<Jieba> = OnceLock::new();
    JIEBA.get_or_init(|| {
        let mut jieba = Jieba::new();
        for phrase in super::synonyms::phrases() {
            jieba.add_word(phrase, None, None);
        }
        jieba
    })
}

/// The term of a whole name.
pub(super) fn whole_term(text: &str, chars_max: usize) -> Option<String> {
    let whole: String = runs(text, chars_max)
        .iter()
        .flat_map(|run| run.chars.iter())
        .collect();
    (!whole.is_empty()).then(|| format!("= {whole}"))
}

/// The pairs of neighbours; a single character stands for itself.
pub(super) fn pairs(chars: &[char]) -> Vec<String> {
    match chars {
        [] => Vec::new(),
        [single] => vec![single.to_string()],
        several => several
            .windows(2)
            .map(|pair| pair.iter().collect())
            .collect(),
    }
}

/// Whether single characters become terms of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// Singles and pairs: short texts.
    Singles,
    /// Pairs only: long texts, in which single characters say nothing.
    Pairs,
}

/// Gives the terms of a text, with repetitions, so that their frequency counts. A pair within a word of the dictionary
/// counts twice, so that a real word ranks above an accident of two neighbours (和服 in 产品和服务).
pub(super) fn each_term(text: &str, grain: Grain, chars_max: usize, mut take: impl FnMut(&str)) {
    // One room for all terms: a long entry has thousands.
    let mut term = String::new();
    let mut give = |chars: &[char]| {
        term.clear();
        term.extend(chars);
        take(&term);
    };
    for run in runs(text, chars_max) {
        let chars = &run.chars;
        if run.script != Script::Han {
            give(chars);
            continue;
        }
        if grain == Grain::Singles {
            chars.chunks(1).for_each(&mut give);
        }
        if chars.len() > 1 {
            chars.windows(2).for_each(&mut give);
        } else if grain == Grain::Pairs {
            give(chars);
        }
        let whole = run.text();
        let mut at = 0;
        for token in jieba().cut(&whole, false) {
            let length = token.word.chars().count();
            chars[at..at + length].windows(2).for_each(&mut give);
            at += length;
        }
    }
}

/// The sounds of each character, see [`readings`].
pub(super) fn sounds(chars: &[char]) -> Vec<Vec<String>> {
    let of_one = |c: &char| {
        readings(*c)
            .iter()
            .map(|sound| (*sound).to_owned())
            .collect()
    };
    chars.iter().map(of_one).collect()
}

/// The sounds of a character without tones, the most common first; `ü` is written `v` as on a keyboard.
pub(super) fn readings(c: char) -> Cow<'static, [&'static str]> {
    static COMMON: OnceLock<Vec<Vec<&'static str>>> = OnceLock::new();
    let common = COMMON.get_or_init(|| CHARACTERS.map(looked_up).collect());
    u32::from(c)
        .checked_sub(u32::from(*CHARACTERS.start()))
        .and_then(|at| common.get(usize::try_from(at).ok()?))
        .map_or_else(
            || Cow::Owned(looked_up(c)),
            |found| Cow::Borrowed(found.as_slice()),
        )
}

/// The characters whose sounds are looked up once for all.
const CHARACTERS: RangeInclusive<char> = '\u{4e00}'..='\u{9fff}';

fn looked_up(c: char) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    let common = c.to_pinyin().into_iter();
    let others = c.to_pinyin_multi().into_iter().flatten();
    for sound in common
        .chain(others)
        .map(|reading| keyboard(reading.plain()))
    {
        if found.len() < READINGS_MAX && is_syllable_shaped(sound) && !found.contains(&sound) {
            found.push(sound);
        }
    }
    found
}

fn keyboard(plain: &'static str) -> &'static str {
    match plain {
        "lü" => "lv",
        "nü" => "nv",
        "lüe" => "lve",
        "nüe" => "nve",
        other => other,
    }
}

/// Leaves out sounds such as `ng` and `ê`, which nobody types.
fn is_syllable_shaped(sound: &str) -> bool {
    sound.is_ascii()
        && sound
            .bytes()
            .any(|b| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'v'))
}

/// The term of two syllables in a row.
pub(super) fn syllable_pair(left: &str, right: &str) -> String {
    format!("{left} {right}")
}

/// The term of a chain of initials.
pub(super) fn initials_term(letters: &str) -> String {
    format!("~{letters}")
}

/// Where a chain of initials may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chains {
    /// Anywhere, up to [`INITIALS_MAX`] letters: names.
    Anywhere,
    /// At the beginning, up to [`INITIALS_EDGE_MAX`] letters: data items, departments.
    Beginning,
}

/// Collects the sounds of a text: syllables, pairs of syllables, chains of initials. Each once.
pub(super) fn add_sounds(
    text: &str,
    chains: Chains,
    chars_max: usize,
    found: &mut BTreeSet<String>,
) {
    for run in runs(text, chars_max) {
        if run.script != Script::Han {
            continue;
        }
        let sounds: Vec<Cow<'static, [&'static str]>> =
            run.chars.iter().map(|c| readings(*c)).collect();
        for (at, here) in sounds.iter().enumerate() {
            found.extend(here.iter().map(|sound| (*sound).to_owned()));
            for next in sounds.get(at + 1).into_iter().flat_map(|next| next.iter()) {
                found.extend(here.iter().map(|sound| syllable_pair(sound, next)));
            }
        }
        match chains {
            Chains::Anywhere => {
                for at in 0..sounds.len() {
                    add_chains(&sounds[at..], INITIALS_MAX, found);
                }
            }
            Chains::Beginning => add_chains(&sounds, INITIALS_EDGE_MAX, found),
        }
    }
}

/// Chains of initials from the first character on; a character with two initials (行: x, h) splits the chain,
/// at most into eight.
fn add_chains(
    sounds: &[Cow<'static, [&'static str]>],
    letters_max: usize,
    found: &mut BTreeSet<String>,
) {
    const CHAINS_MAX: usize = 8;
    let mut open = vec![String::new()];
    for here in sounds.iter().take(letters_max) {
        let letters: BTreeSet<&str> = here.iter().map(|sound| &sound[..1]).collect();
        if letters.is_empty() {
            break;
        }
        open = open
            .iter()
            .flat_map(|chain| letters.iter().map(move |letter| format!("{chain}{letter}")))
            .take(CHAINS_MAX)
            .collect();
        found.extend(open.iter().map(|chain| initials_term(chain)));
    }
}

/// Every syllable of the language as typed, sorted.
pub(super) fn syllables() -> &'static BTreeSet<&'static str> {
    static SYLLABLES: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    SYLLABLES.get_or_init(|| {
        // Common characters carry every syllable; rare ones would add sounds nobody types.
        ('\u{4e00}'..='\u{9fa5}')
            .filter_map(|c| c.to_pinyin())
            .map(|p| keyboard(p.plain()))
            .filter(|s| is_syllable_shaped(s))
            .collect()
    })
}

/// The syllables that begin with these letters.
pub(super) fn syllables_from(beginning: &str) -> Vec<&'static str> {
    syllables()
        .range::<str, _>((Bound::Included(beginning), Bound::Unbounded))
        .take_while(|s| s.starts_with(beginning))
        .copied()
        .collect()
}

/// A way to read typed letters as syllables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelling {
    /// The syllables typed in full, apart from the last.
    pub(super) whole: Vec<String>,
    /// The last piece, which may go on: all syllables that begin with it are meant.
    pub(super) last: String,
}

impl Spelling {
    /// Syllables, the last one included.
    pub(super) fn len(&self) -> usize {
        self.whole.len() + 1
    }
}

/// The ways to read letters as syllables, fewest syllables first, at most [`SPELLINGS_MAX`].
pub(super) fn spellings(letters: &str) -> Vec<Spelling> {
    if !letters.is_ascii() || letters.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut steps_left = SPELLING_STEPS_MAX;
    spell(letters, &mut Vec::new(), &mut found, &mut steps_left);
    found.sort_by_key(Spelling::len);
    found.truncate(SPELLINGS_MAX);
    found
}

/// Readings of one typed word that are looked up.
const SPELLINGS_MAX: usize = 4;
/// Bounds the search for readings, which is exponential for hostile input such as `aaaa...`.
const SPELLING_STEPS_MAX: usize = 2_000;

fn spell<'a>(
    rest: &'a str,
    before: &mut Vec<&'a str>,
    found: &mut Vec<Spelling>,
    steps_left: &mut usize,
) {
    if *steps_left == 0 {
        return;
    }
    *steps_left -= 1;
    if !syllables_from(rest).is_empty() {
        found.push(Spelling {
            whole: before.iter().map(|s| (*s).to_owned()).collect(),
            last: rest.to_owned(),
        });
    }
    for length in (1..=rest.len().min(6)).rev() {
        let (head, tail) = rest.split_at(length);
        if !tail.is_empty() && syllables().contains(head) {
            before.push(head);
            spell(tail, before, found, steps_left);
            before.pop();
        }
    }
}

/// Sounds that are easily taken for this one: zh/z, ch/c, sh/s, and n/ng at the end. The sound itself comes first.
pub(super) fn similar_sounds(sound: &str) -> Vec<String> {
    let bare = ["zh", "ch", "sh"]
        .iter()
        .find(|two| sound.starts_with(**two))
        .map(|two| format!("{}{}", &two[..1], &sound[2..]));
    let breathed = ["z", "c", "s"]
        .iter()
        .find(|one| sound.starts_with(**one) && !sound[1..].starts_with('h'))
        .map(|one| format!("{one}h{}", &sound[1..]));
    let mut found = vec![sound.to_owned()];
    found.extend(bare.or(breathed));
    let ends: Vec<String> = found
        .iter()
        .filter_map(|s| match s.strip_suffix("ng") {
            Some(stem) => Some(format!("{stem}n")),
            None => s.strip_suffix('n').map(|stem| format!("{stem}ng")),
        })
        .collect();
    found.extend(ends);
    found.retain(|s| s == sound || syllables().contains(s.as_str()));
    found
}
