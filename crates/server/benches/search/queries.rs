//! What is typed: a fixed mixture of what officials type, from the words of the catalogue itself.

use std::collections::BTreeMap;

use pinyin::ToPinyin as _;
use tongqu::features::catalogue::search::{Facet, SearchQuery, Sort};

use super::entries::{BUREAUS, Draw, FORMS, ITEMS, OFFICERS, PUBLIC, entry};

/// What kind of typing a query stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A thing, or a thing and a form.
    Words,
    /// The first one to three characters of a thing, as they stand while somebody types.
    Unfinished,
    Pinyin,
    Initials,
    /// One wrong, missing or swapped character.
    Typo,
    /// A data item.
    Item,
    Department,
    /// A question in words.
    Question,
    /// Words that nothing has.
    Nothing,
    /// Nothing typed.
    Everything,
}

impl Kind {
    /// Every kind, with its share of the mixture.
    pub const ALL: &'static [(Self, usize)] = &[
        (Self::Words, 24),
        (Self::Unfinished, 12),
        (Self::Pinyin, 10),
        (Self::Initials, 10),
        (Self::Typo, 10),
        (Self::Item, 14),
        (Self::Department, 8),
        (Self::Question, 5),
        (Self::Nothing, 2),
        (Self::Everything, 5),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Unfinished => "unfinished",
            Self::Pinyin => "pinyin",
            Self::Initials => "initials",
            Self::Typo => "typo",
            Self::Item => "item",
            Self::Department => "department",
            Self::Question => "question",
            Self::Nothing => "nothing",
            Self::Everything => "everything",
        }
    }
}

/// A query of the mixture.
pub struct Asked {
    pub kind: Kind,
    pub query: SearchQuery,
}

/// `hundreds` times a hundred queries, the same every time.
pub fn mixture(hundreds: usize) -> Vec<Asked> {
    let mut draw = Draw::new(20_261_122);
    let mut found = Vec::new();
    for _ in 0..hundreds {
        for (kind, share) in Kind::ALL {
            for _ in 0..*share {
                let text = text(*kind, &mut draw);
                found.push(Asked {
                    kind: *kind,
                    query: asked(text, &mut draw),
                });
            }
        }
    }
    // So that neighbours don't warm each other's pages.
    for at in (1..found.len()).rev() {
        found.swap(at, draw.below(at + 1));
    }
    found
}

/// Who asks, with which filters.
fn asked(text: String, draw: &mut Draw) -> SearchQuery {
    let mut labels = vec![PUBLIC.to_owned()];
    // Every fourth is a guest; the others are officers of some department.
    if draw.below(4) > 0 {
        labels.push(OFFICERS.to_owned());
        labels.push(format!(
            "dept:dep-{:03}-{:02}",
            draw.below(120),
            draw.below(BUREAUS.len())
        ));
    }
    let mut filters = BTreeMap::new();
    match draw.below(5) {
        0 => {
            filters.insert(Facet::SharingClass, vec!["unconditional".to_owned()]);
        }
        1 => {
            filters.insert(Facet::Mode, vec!["interface".to_owned()]);
            filters.insert(Facet::Mounted, vec!["true".to_owned()]);
        }
        _ => {}
    }
    SearchQuery {
        text,
        filters,
        labels,
        sort: if draw.below(20) == 0 {
            Sort::PublishedAt
        } else {
            Sort::Relevance
        },
        offset: if draw.below(10) == 0 {
            10 * draw.below(20)
        } else {
            0
        },
        limit: 10,
    }
}

fn thing(draw: &mut Draw) -> &'static str {
    let bureau = draw.one(BUREAUS);
    bureau.things[draw.below(bureau.things.len())]
}

fn text(kind: Kind, draw: &mut Draw) -> String {
    match kind {
        Kind::Words => match draw.below(4) {
            0 => thing(draw).to_owned(),
            1 => format!("{}{}", thing(draw), draw.one(FORMS)),
            2 => format!("{} {}", thing(draw), draw.one(FORMS)),
            _ => format!(
                "{} {}",
                entry(draw.below(1_000_000)).name,
                draw.one(&["", "2024", "2025年"])
            ),
        },
        Kind::Unfinished => {
            let length = 1 + draw.below(3);
            thing(draw).chars().take(length).collect()
        }
        Kind::Pinyin => {
            let whole: Vec<&str> = syllables(thing(draw));
            let mut typed = whole.concat();
            // Half of them are still being typed.
            if draw.below(2) == 0 {
                typed.truncate(3 + draw.below(typed.len()));
            }
            typed
        }
        Kind::Initials => initials(thing(draw)),
        Kind::Typo => mistyped(thing(draw), draw),
        Kind::Item => {
            let bureau = draw.one(BUREAUS);
            match draw.below(4) {
                0 => draw.one(bureau.items).0.to_owned(),
                1 => draw.one(ITEMS).1.to_owned(),
                2 => format!("{} {}", thing(draw), draw.early(ITEMS).0),
                _ => draw.early(ITEMS).0.to_owned(),
            }
        }
        Kind::Department => match draw.below(3) {
            0 => draw.one(BUREAUS).name.to_owned(),
            1 => entry(draw.below(1_000_000)).department,
            _ => format!("{}{}", draw.one(BUREAUS).name, thing(draw)),
        },
        Kind::Question => {
            let about = thing(draw);
            match draw.below(4) {
                0 => format!("{about}在哪里查"),
                1 => format!("谁有{about}的信息"),
                2 => format!("哪个部门有{about}"),
                _ => format!("怎么查询{about}数据"),
            }
        }
        Kind::Nothing => format!(
            "{}{}",
            draw.one(&["魑魅", "饕餮", "zzqx", "囫囵吞枣"]),
            draw.below(10)
        ),
        Kind::Everything => String::new(),
    }
}

fn syllables(text: &str) -> Vec<&'static str> {
    text.chars()
        .filter_map(|c| c.to_pinyin())
        .map(pinyin::Pinyin::plain)
        .collect()
}

fn initials(text: &str) -> String {
    syllables(text).iter().map(|sound| &sound[..1]).collect()
}

fn mistyped(right: &str, draw: &mut Draw) -> String {
    let mut chars: Vec<char> = right.chars().collect();
    let at = draw.below(chars.len());
    match draw.below(3) {
        0 => chars[at] = *draw.one(&['政', '时', '工', '记', '任', '业', '其', '力']),
        1 if chars.len() > 3 => {
            chars.remove(at);
        }
        _ => {
            let next = (at + 1) % chars.len();
            chars.swap(at, next);
        }
    }
    chars.into_iter().collect()
}
