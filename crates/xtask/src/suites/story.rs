//! The story of the demo county, walked without a browser through the same API as the portal.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::Counts;
use crate::proc::{self, Output};

/// The story has to end long before this; the limit only keeps a hung one from holding up the run.
const LIMIT: Duration = Duration::from_mins(10);

/// Walks the story in an empty folder and counts its steps.
pub fn run(binary: &Path, scratch: &Path) -> Result<Counts> {
    let mut tongqu = Command::new(binary);
    tongqu
        .args(["demo", "--headless", "--json", "--data"])
        .arg(scratch.join("story"));
    let outcome = proc::run(&mut tongqu, Output::Tee, Some(LIMIT))?;
    let counts = read_steps(&outcome.stdout).under_status(outcome.ok());
    if !outcome.ok() {
        println!("the story {}", outcome.describe());
    }
    Ok(counts)
}

/// Counts the lines `{"step": ..., "ok": true|false, ...}`. Other lines are not steps; a step that
/// doesn't say `"ok": true` has failed.
fn read_steps(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines() {
        let Ok(Value::Object(step)) = serde_json::from_str(line) else {
            continue;
        };
        if step.contains_key("step") {
            counts += if step.get("ok") == Some(&Value::Bool(true)) {
                Counts::PASSED
            } else {
                Counts::FAILED
            };
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_without_ok_has_failed() {
        let text = "{\"step\":\"publish\",\"ok\":true}\nstarting\n{\"step\":\"run\",\"ok\":false}\n{\"step\":\"verify\"}\n{\"note\":1}\n";
        assert_eq!(
            read_steps(text),
            Counts {
                passed: 1,
                failed: 2
            }
        );
    }
}
