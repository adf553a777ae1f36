//! The structure checks and the freshness of generated files, one count per check.

use anyhow::Result;

use super::Counts;
use crate::tidy;

/// Runs every structure check and prints what each found.
pub fn run() -> Result<Counts> {
    let tree = tidy::Tree::read()?;
    let mut counts = Counts::default();
    for check in tidy::CHECKS {
        let findings = (check.find)(&tree);
        println!(
            "{} {}",
            if findings.is_empty() { "ok" } else { "not ok" },
            check.rule
        );
        for finding in &findings {
            println!("   {finding}");
        }
        counts += if findings.is_empty() {
            Counts::PASSED
        } else {
            Counts::FAILED
        };
    }
    Ok(counts)
}
