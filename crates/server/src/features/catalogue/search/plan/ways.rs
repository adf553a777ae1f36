//! The ways in which a piece of what was typed may stand in an entry, and what each is worth.

use tantivy::schema::Field;

use super::super::schema::Fields;
use super::super::text::{self, INITIALS_EDGE_MAX, INITIALS_MAX};
use super::TYPO_CHARS_MIN;

/// Longest stretch in which one wrong character is looked for: the work grows with its square.
const TYPO_CHARS_MAX: usize = 12;
/// Shortest beginning of a code that is completed.
const PREFIX_CHARS_MIN: usize = 3;

/// What a match in each text is worth: the name weighs most, then data items, department, summary.
pub(super) const NAME_WEIGHT: f32 = 8.0;
const ITEMS_WEIGHT: f32 = 3.0;
const DEPARTMENT_WEIGHT: f32 = 2.0;
const SUMMARY_WEIGHT: f32 = 1.0;
pub(super) const CODES_WEIGHT: f32 = 3.0;
/// Sounds are worth less than characters, initials and unfinished words less than sounds.
const SOUND_WEIGHT: f32 = 0.8;
const INITIALS_WEIGHT: f32 = 0.5;
pub(super) const PREFIX_WEIGHT: f32 = 0.5;

/// A way to find something: all groups in one of the places. The places found add up.
#[derive(Debug, Clone)]
pub(in super::super) struct Way {
    pub(in super::super) groups: Vec<Group>,
    /// Field and what a match in it is worth.
    pub(in super::super) places: Vec<(Field, f32)>,
}

/// Terms of which one must be there.
#[derive(Debug, Clone)]
pub(in super::super) enum Group {
    /// Any of these.
    Terms(Vec<String>),
    /// Any that begins so.
    Beginning(String),
    /// Any within one change: a letter wrong, missing, too many, or two swapped.
    Nearly(String),
}

impl Way {
    /// Characters in a row, in any of the texts.
    pub(super) fn texts(chars: &[char], weight: f32, fields: &Fields) -> Self {
        let texts = fields.texts;
        let places = vec![
            (texts.name, NAME_WEIGHT * weight),
            (texts.items, ITEMS_WEIGHT * weight),
            (texts.department, DEPARTMENT_WEIGHT * weight),
            (texts.summary, SUMMARY_WEIGHT * weight),
        ];
        Self {
            groups: Group::pairs(chars),
            places,
        }
    }

    /// Stretches of syllables, each syllable one of several, in the name, the items or the department.
    pub(super) fn sounds(stretches: &[&[Vec<String>]], fields: &Fields) -> Option<Self> {
        if stretches
            .iter()
            .any(|sounds| sounds.iter().any(Vec::is_empty))
        {
            return None;
        }
        let sounds = fields.sounds;
        let places = vec![
            (sounds.name, NAME_WEIGHT * SOUND_WEIGHT),
            (sounds.items, ITEMS_WEIGHT * SOUND_WEIGHT),
            (sounds.department, DEPARTMENT_WEIGHT * SOUND_WEIGHT),
        ];
        let groups: Vec<Group> = stretches
            .iter()
            .flat_map(|sounds| Group::sounds(sounds))
            .collect();
        (!groups.is_empty()).then_some(Self { groups, places })
    }
}

impl Group {
    pub(super) fn one(term: String) -> Self {
        Self::Terms(vec![term])
    }

    pub(super) fn pairs(chars: &[char]) -> Vec<Self> {
        text::pairs(chars).into_iter().map(Self::one).collect()
    }

    pub(super) fn sounds(sounds: &[Vec<String>]) -> Vec<Self> {
        match sounds {
            [] => Vec::new(),
            [only] => vec![Self::Terms(only.clone())],
            several => several
                .windows(2)
                .map(|pair| {
                    let terms = pair[0].iter().flat_map(|left| {
                        pair[1].iter().map(|right| text::syllable_pair(left, right))
                    });
                    Self::Terms(terms.collect())
                })
                .collect(),
        }
    }
}

/// Letters or digits as they stand, or as the beginning of a code or of a word in the name.
pub(super) fn latin(run: &str, fields: &Fields) -> Vec<Way> {
    let texts = fields.texts;
    let places = vec![
        (texts.name, NAME_WEIGHT),
        (texts.items, ITEMS_WEIGHT),
        (texts.department, DEPARTMENT_WEIGHT),
        (texts.summary, SUMMARY_WEIGHT),
        (fields.codes, CODES_WEIGHT),
    ];
    let mut ways = vec![Way {
        groups: vec![Group::one(run.to_owned())],
        places,
    }];
    if run.chars().count() >= PREFIX_CHARS_MIN {
        let places = vec![
            (texts.name, NAME_WEIGHT * PREFIX_WEIGHT),
            (fields.codes, CODES_WEIGHT * PREFIX_WEIGHT),
        ];
        ways.push(Way {
            groups: vec![Group::Beginning(run.to_owned())],
            places,
        });
    }
    ways
}

/// A chain of initials in a name, or at the beginning of an item or department.
pub(super) fn initials(letters: &str, fields: &Fields) -> Vec<Way> {
    if !letters.bytes().all(|b| b.is_ascii_lowercase()) {
        return Vec::new();
    }
    let sounds = fields.sounds;
    let windows: Vec<&str> = match letters.len() {
        0..=INITIALS_MAX => vec![letters],
        longer => (0..=longer - INITIALS_MAX)
            .map(|at| &letters[at..at + INITIALS_MAX])
            .collect(),
    };
    let groups = windows
        .into_iter()
        .map(|window| Group::one(text::initials_term(window)))
        .collect();
    let mut ways = vec![Way {
        groups,
        places: vec![(sounds.name, NAME_WEIGHT * INITIALS_WEIGHT)],
    }];
    if (2..=INITIALS_EDGE_MAX).contains(&letters.len()) {
        let places = vec![
            (sounds.items, ITEMS_WEIGHT * INITIALS_WEIGHT),
            (sounds.department, DEPARTMENT_WEIGHT * INITIALS_WEIGHT),
        ];
        ways.push(Way {
            groups: vec![Group::one(text::initials_term(letters))],
            places,
        });
    }
    ways
}

/// One character of four or more is wrong, missing or too many: what stands left and right of it must be found in
/// one text.
pub(super) fn one_wrong(chars: &[char], fields: &Fields) -> Vec<Way> {
    if !(TYPO_CHARS_MIN..=TYPO_CHARS_MAX).contains(&chars.len()) {
        return Vec::new();
    }
    let texts = fields.texts;
    let places = vec![
        (texts.name, NAME_WEIGHT),
        (texts.items, ITEMS_WEIGHT),
        (texts.department, DEPARTMENT_WEIGHT),
    ];
    (0..chars.len())
        .map(|wrong| {
            let mut groups = Group::pairs(&chars[..wrong]);
            groups.extend(Group::pairs(&chars[wrong + 1..]));
            Way {
                groups,
                places: places.clone(),
            }
        })
        .collect()
}

/// As [`one_wrong`], over syllables.
pub(super) fn one_wrong_sound(sounds: &[Vec<String>], fields: &Fields) -> Vec<Way> {
    if !(TYPO_CHARS_MIN..=TYPO_CHARS_MAX).contains(&sounds.len()) {
        return Vec::new();
    }
    (0..sounds.len())
        .filter_map(|wrong| Way::sounds(&[&sounds[..wrong], &sounds[wrong + 1..]], fields))
        .collect()
}
