//! When a resource is collected by itself: five fields of cron, by the clock of China.

use cronexpr::Crontab;
use jiff::{SignedDuration, Timestamp};

use crate::catalogue::UpdateCycle;
use crate::kind::Kind;

/// Nothing is collected more often: a snapshot is read whole each time.
const INTERVAL_MIN: SignedDuration = SignedDuration::from_mins(5);

/// The most characters of a schedule.
const CHARS_MAX: usize = 100;

/// Times that are looked at to see how often it comes.
const LOOKED_AT: usize = 50;

/// A schedule that says when.
#[derive(Debug, Clone)]
pub struct Schedule {
    text: String,
    crontab: Crontab,
}

/// Why a text isn't a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ScheduleFault {
    /// Not five fields of cron.
    #[error("it isn't minute, hour, day, month and weekday")]
    Unreadable,
    /// More often than every five minutes.
    #[error("it comes more often than every five minutes")]
    TooOften,
    /// A day that doesn't exist.
    #[error("its time never comes")]
    Never,
}

impl ScheduleFault {
    /// The stable code of the fault.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "schedule.unreadable",
            Self::TooOften => "schedule.too_often",
            Self::Never => "schedule.never",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Unreadable | Self::TooOften | Self::Never => Kind::Invalid,
        }
    }
}

impl Schedule {
    /// Reads minute, hour, day of the month, month and weekday.
    ///
    /// Errors: every [`ScheduleFault`], judged by the times that follow `now`.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, ScheduleFault> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != 5 || text.len() > CHARS_MAX {
            return Err(ScheduleFault::Unreadable);
        }
        let text = fields.join(" ");
        let crontab = cronexpr::parse_crontab(&format!("{text} +08:00"))
            .map_err(|_| ScheduleFault::Unreadable)?;
        let schedule = Self { text, crontab };
        let following = schedule.following(now, LOOKED_AT);
        if following.is_empty() {
            return Err(ScheduleFault::Never);
        }
        let comes_too_soon = |pair: &[Timestamp]| pair[1].duration_since(pair[0]) < INTERVAL_MIN;
        if following.windows(2).any(comes_too_soon) {
            return Err(ScheduleFault::TooOften);
        }
        Ok(schedule)
    }

    /// The five fields, one blank between them.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The next time after `instant`, if there is one.
    #[must_use]
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        let next = self.crontab.find_next(instant).ok()?;
        Some(next.timestamp())
    }

    /// The next times after `instant`, at most `count`.
    #[must_use]
    pub fn following(&self, instant: Timestamp, count: usize) -> Vec<Timestamp> {
        let next = |after: &Timestamp| self.next_after(*after);
        std::iter::successors(next(&instant), next)
            .take(count)
            .collect()
    }

    /// What suits a resource that is updated in this cycle, in five fields; `None` where nothing is known.
    /// Nights are quiet, and the first of a month is when the month before is complete.
    #[must_use]
    pub fn suggested(cycle: UpdateCycle) -> Option<&'static str> {
        match cycle {
            UpdateCycle::Realtime => Some("*/10 * * * *"),
            UpdateCycle::Daily => Some("0 2 * * *"),
            UpdateCycle::Weekly => Some("0 2 * * 1"),
            UpdateCycle::Monthly => Some("0 2 1 * *"),
            UpdateCycle::Quarterly => Some("0 2 1 1,4,7,10 *"),
            UpdateCycle::Yearly => Some("0 2 1 1 *"),
            UpdateCycle::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-09-30T15:59:00Z".parse().unwrap()
    }

    fn fault(text: &str) -> ScheduleFault {
        Schedule::parse(text, now()).unwrap_err()
    }

    #[test]
    fn times_are_those_of_china() {
        let nightly = Schedule::parse(" 30  2 * *  1 ", now()).unwrap();
        assert_eq!(nightly.text(), "30 2 * * 1");
        let following: Vec<String> = nightly
            .following(now(), 2)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(following, ["2026-10-04T18:30:00Z", "2026-10-11T18:30:00Z"]);
        assert_eq!(
            Schedule::parse("0 0 1 * *", now())
                .unwrap()
                .next_after(now()),
            Some("2026-09-30T16:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn what_says_no_time_or_too_many_is_refused() {
        for text in [
            "",
            "* * *",
            "0 2 * * 1 UTC",
            "0 25 * * *",
            "@daily",
            "x 2 * * *",
        ] {
            assert_eq!(fault(text), ScheduleFault::Unreadable, "{text}");
        }
        assert_eq!(fault("0 2 30 2 *"), ScheduleFault::Never);
        assert_eq!(fault("* * * * *"), ScheduleFault::TooOften);
        assert_eq!(fault("0,4 3 * * *"), ScheduleFault::TooOften);
        assert!(Schedule::parse("*/5 * * * *", now()).is_ok());
    }

    #[test]
    fn every_suggestion_is_a_schedule() {
        let suggested: Vec<&str> = UpdateCycle::ALL
            .iter()
            .filter_map(|cycle| Schedule::suggested(*cycle))
            .collect();
        assert_eq!(suggested.len(), UpdateCycle::ALL.len() - 1);
        for text in suggested {
            assert!(Schedule::parse(text, now()).is_ok(), "{text}");
        }
    }
}
