//! Which feature may use which: the only place where such a pair is allowed.

/// Every feature may use these.
pub const FOR_ALL: &[&str] = &["directory"];

/// May use every feature: it walks the whole product. Nobody may use it.
pub const USES_ALL: &str = "demo";

/// A feature and what it may use beside [`FOR_ALL`]. There are no cycles.
pub const PAIRS: &[(&str, &[&str])] = &[
    ("directory", &[]),
    ("session", &[]),
    ("ledger", &[]),
    // Tells that something has changed, never what; so it needs nobody.
    ("live", &[]),
    // Sets going what waited for an agent.
    ("agent", &["exchange"]),
    ("nodes", &[]),
    // Is told what the catalogue publishes, and knows nothing of it.
    ("responsibility", &[]),
    // Shows clauses as cases do.
    // What has to be determined before an entry is published is determined in a case.
    ("catalogue", &["case", "responsibility"]),
    // Uploads know the case they belong to by its id only; whoever takes one into a step names it.
    ("attachment", &[]),
    ("forms", &[]),
    // Looks whether there are entries yet.
    ("first_steps", &["catalogue"]),
    // Cases are carried by every process of a regulation and know none of them.
    ("case", &[]),
    // A holiday notice moves the dates of open steps, whatever they are about.
    ("calendar", &["case"]),
    // Shows clauses as cases do.
    ("law", &["case"]),
    // Proposes entries that match; shows clauses and takes numbers as cases do.
    ("demand", &["case", "catalogue"]),
    ("request", &["attachment", "case", "catalogue", "forms"]),
    // Lists grants with the steps that may be taken and what was delivered.
    ("grant", &["case", "catalogue", "exchange", "request"]),
    (
        "proceeding",
        &["attachment", "case", "catalogue", "request"],
    ),
    ("exchange", &["case", "catalogue", "request"]),
    // Reads what has arrived on the platform.
    ("sample", &["catalogue", "exchange"]),
    // Looks at cases of every kind; the notices that it sends may open one. Its day begins with the
    // grants whose term is over and those that lie unused.
    ("supervision", &["calendar", "case", "request"]),
    // Puts figures together that the others have stored, and stores none.
    ("stats", &["exchange", "supervision"]),
    // These two only show what the others publish, and write nothing of theirs.
    ("desk", &["case", "exchange", "request"]),
    (
        "home",
        &["case", "catalogue", "exchange", "ledger", "request"],
    ),
];

/// Whether `user` may use `used`; `None` if `user` has no line above.
pub fn may_use(user: &str, used: &str) -> Option<bool> {
    if user == used || user == USES_ALL {
        return Some(true);
    }
    let (_, allowed) = PAIRS.iter().find(|(feature, _)| *feature == user)?;
    Some(FOR_ALL.contains(&used) || allowed.contains(&used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_cycles() {
        fn reaches(from: &str, goal: &str, depth: usize) -> bool {
            let uses = PAIRS
                .iter()
                .find(|(feature, _)| *feature == from)
                .map_or(&[][..], |(_, uses)| uses);
            depth > 0
                && uses
                    .iter()
                    .any(|next| *next == goal || reaches(next, goal, depth - 1))
        }
        for (feature, uses) in PAIRS {
            assert!(
                !reaches(feature, feature, PAIRS.len()),
                "{feature} reaches itself"
            );
            assert!(!uses.contains(&USES_ALL), "nobody uses {USES_ALL}");
        }
        assert!(
            PAIRS
                .iter()
                .any(|(feature, uses)| FOR_ALL.contains(feature) && uses.is_empty())
        );
    }
}
