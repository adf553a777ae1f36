//! `tongqu agent`.

use std::{path::Path, process::ExitCode, sync::Arc};

use tokio::sync::watch;

use super::serve::{runtime, stop_signal};
use crate::{
    agent::{Settings, enrol, run},
    platform::clock::Clock,
};

/// Enrols if there is a code, else works until asked to stop.
pub(super) fn agent(config: &Path, code: Option<&str>) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(config)?;
    let clock = Arc::new(Clock::system());
    runtime()?.block_on(async {
        if let Some(code) = code {
            let agent = enrol(&settings, code, &clock).await?;
            super::print(&format!(
                "This is agent {agent} now. Start it without --enrol; its stores are agent://{agent}/NAME to the \
                 platform.\n"
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        let (stop, stopping) = watch::channel(false);
        let running = tokio::spawn(run(settings, clock, stopping));
        tokio::pin!(running);
        tokio::select! {
            ended = &mut running => ended??,
            () = stop_signal() => {
                // No receiver left means that it has ended already.
                let _ended = stop.send(true);
                running.await??;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
