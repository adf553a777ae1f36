//! What is printed of the story.

use std::time::Instant;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::print;

/// What has been printed so far.
pub(super) struct Told {
    pub json: bool,
    pub steps: u32,
    pub failed: u32,
}

impl Told {
    /// Does a step and prints its line. A step that fails ends the story.
    pub(super) async fn step<F: Future<Output = anyhow::Result<Value>>>(
        &mut self,
        name: &str,
        work: F,
    ) -> anyhow::Result<Value> {
        let began = Instant::now();
        let done = work.await.with_context(|| name.to_owned())?;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.steps += 1;
        if self.json {
            print(&format!(
                "{}\n",
                json!({ "step": name, "ok": true, "ms": ms, "facts": done })
            ))?;
        } else {
            print(&format!("ok   {name} ({ms} ms) {done}\n"))?;
        }
        Ok(done)
    }

    pub(super) fn fail(&mut self, error: &anyhow::Error) -> anyhow::Result<()> {
        self.failed += 1;
        if self.json {
            print(&format!(
                "{}\n",
                json!({ "step": error.to_string(), "ok": false, "error": format!("{error:#}") })
            ))
        } else {
            print(&format!("FAIL {error:#}\n"))
        }
    }

    pub(super) fn finish(&self) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        print(&format!(
            "{} steps held, {} failed\n",
            self.steps, self.failed
        ))
    }
}
