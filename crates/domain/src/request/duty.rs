//! Whether the duty that a request cites is one that the department has.

/// How a stated duty 职责 stands to the registered ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DutyFit {
    /// It names a registered duty, or part of one.
    Matches,
    /// None of the registered duties is in it.
    NoMatch,
    /// The department has none registered, so nothing can be said.
    NoneRegistered,
}

impl DutyFit {
    /// The code in interfaces.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::NoMatch => "no_match",
            Self::NoneRegistered => "none_registered",
        }
    }
}

/// Shorter texts say too little to be taken for part of a duty.
const PART_CHARS_MIN: usize = 4;

/// Compares the `stated` duty with the `registered` ones, whatever the spaces and marks between words.
///
/// It is a hint for whoever decides and decides nothing: duties are written freely on both sides.
/// Spec: YC-41.4, TP-5.4, LY-5.2.
#[must_use]
pub fn duty_fit(stated: &str, registered: &[String]) -> DutyFit {
    if registered.is_empty() {
        return DutyFit::NoneRegistered;
    }
    let stated = words_only(stated);
    let is_part = stated.chars().count() >= PART_CHARS_MIN;
    let fits = registered.iter().map(|duty| words_only(duty)).any(|duty| {
        !duty.is_empty() && (stated.contains(&duty) || (is_part && duty.contains(&stated)))
    });
    if fits {
        DutyFit::Matches
    } else {
        DutyFit::NoMatch
    }
}

fn words_only(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
