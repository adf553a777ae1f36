//! Faults while rows move: the real program and real servers are killed at random moments, disks fill up, the clock
//! jumps, rows and columns break, two hubs work on one registry. After each fault each target equals what its source
//! holds in the scope of the grant, the platform's counts are true, and the ledger is whole; all of it is looked at
//! over connections of the suite's own. Spec: PDS-8.1, PDS-10.2a, PDS-21.1.
//!
//! The moments come from a seed, which is printed at the start and with each failure. `TONGQU_FAULT_SEED` sets it,
//! `TONGQU_FAULT_ROUNDS` how often each fault happens; `cargo xtask faults --rounds 100 --seed N` does both.
#![expect(
    clippy::print_stdout,
    reason = "whoever sees a test fail wants to know its seed and what was done"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "how long the suite goes on comes from its environment"
)]

mod agents;
mod broken;
mod clock;
mod full;
mod hubs;
mod killed;
mod scene;
mod sql;
mod verdict;
mod writers;

use crate::support::Random;

/// How often each fault happens where nobody says otherwise.
const ROUNDS: u32 = 4;

/// How often a fault happens, and when.
struct Rounds {
    count: u32,
    seed: u64,
    random: Random,
}

impl Rounds {
    /// The rounds of one fault; prints its seed.
    fn of(fault: &str) -> Self {
        let number = |name| std::env::var(name).ok()?.parse().ok();
        let seed = number("TONGQU_FAULT_SEED")
            .unwrap_or_else(|| tongqu::platform::secrets::random_number() >> 32);
        let count = number("TONGQU_FAULT_ROUNDS").and_then(|count| u32::try_from(count).ok());
        let count = count.unwrap_or(ROUNDS);
        println!("{fault}: {count} rounds, TONGQU_FAULT_SEED={seed}");
        Self {
            count,
            seed,
            random: Random::for_purpose(seed, fault),
        }
    }
}
