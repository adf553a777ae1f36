//! Time. The law and every record use [`Clock::now`]; leases and time-outs use [`Clock::wall`].
//!
//! The demo runs on its own clock, which begins on a chosen day and can be moved on by whole days,
//! so that a newcomer can watch deadlines pass. Leases must not jump with it, hence the two readings.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// A source of time.
#[derive(Debug)]
pub struct Clock {
    /// Seconds added to the machine's time; zero outside the demo.
    shift_s: AtomicI64,
    is_demo: bool,
}

impl Clock {
    /// The machine's own time.
    #[must_use]
    pub fn system() -> Self {
        Self {
            shift_s: AtomicI64::new(0),
            is_demo: false,
        }
    }

    /// A clock that reads `start` now and goes on from there.
    #[must_use]
    pub fn demo_from(start: Timestamp) -> Self {
        let clock = Self {
            shift_s: AtomicI64::new(0),
            is_demo: true,
        };
        clock.set(start);
        clock
    }

    /// Whether this is the movable clock of the demo.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.is_demo
    }

    /// The instant that the law and all records go by.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.wall() + SignedDuration::from_secs(self.shift_s.load(Ordering::Relaxed))
    }

    /// The machine's instant, for leases and time-outs only.
    #[expect(
        clippy::disallowed_methods,
        clippy::unused_self,
        reason = "the one place that reads the machine's clock"
    )]
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    /// How far the demo clock is shifted, in seconds; stored so that a restart goes on from there.
    #[must_use]
    pub fn shift_s(&self) -> i64 {
        self.shift_s.load(Ordering::Relaxed)
    }

    /// Goes on from a shift that was stored.
    pub fn restore_shift(&self, shift_s: i64) {
        self.shift_s.store(shift_s, Ordering::Relaxed);
    }

    /// The shift with which the clock would read `instant` now, in seconds.
    #[must_use]
    pub fn shift_to_s(&self, instant: Timestamp) -> i64 {
        instant.as_second() - self.wall().as_second()
    }

    /// Makes the clock read `instant` now. Only the demo has a use for it.
    pub fn set(&self, instant: Timestamp) {
        self.restore_shift(self.shift_to_s(instant));
    }
}
