//! Both engines grow by the same steps.

use super::{Finding, Tree, ending};

const FOLDERS: [&str; 2] = [
    "crates/server/migrations/sqlite/",
    "crates/server/migrations/postgres/",
];

/// Migrations that one engine has and the other has not, or whose names don't say their order.
pub fn unpaired(tree: &Tree) -> Vec<Finding> {
    let names = |folder: &str| -> Vec<&str> {
        tree.texts
            .iter()
            .filter_map(|(path, _)| path.strip_prefix(folder))
            .collect()
    };
    let mut findings = Vec::new();
    for (here, there) in [(FOLDERS[0], FOLDERS[1]), (FOLDERS[1], FOLDERS[0])] {
        let others = names(there);
        for name in names(here) {
            let path = format!("{here}{name}");
            if !others.contains(&name) {
                findings.push(Finding::new(&path, 0, "a migration for one engine only", format!("write {there}{name} too; where the engine needs nothing, a comment says why")));
            }
            let numbered = name.len() > 9
                && name.as_bytes()[..4].iter().all(u8::is_ascii_digit)
                && name.as_bytes()[4] == b'_';
            if !numbered || ending(name) != "sql" {
                findings.push(Finding::new(
                    &path,
                    0,
                    "a migration without its place in the order",
                    "name it `0012_what_it_does.sql`",
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_needs_its_twin_and_its_number() {
        let tree = Tree::of(&[
            ("crates/server/migrations/sqlite/0001_catalogue.sql", ""),
            ("crates/server/migrations/postgres/0001_catalogue.sql", ""),
            ("crates/server/migrations/sqlite/0002_requests.sql", ""),
            ("crates/server/migrations/postgres/update_db.sql", ""),
        ]);
        let found: Vec<String> = unpaired(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(
            found,
            [
                "crates/server/migrations/sqlite/0002_requests.sql",
                "crates/server/migrations/postgres/update_db.sql",
                "crates/server/migrations/postgres/update_db.sql"
            ]
        );
    }
}
