//! Instants, civil dates and the one time zone of the law.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// China Standard Time, UTC+8 without daylight saving: the zone in which the law counts its days.
#[must_use]
pub fn china() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

/// The civil date in China Standard Time on which `instant` falls.
#[must_use]
pub fn china_date(instant: Timestamp) -> Date {
    instant.to_zoned(china()).date()
}

/// The instant at which `date` begins in China Standard Time.
///
/// Errors: only for dates at the very ends of what can be written, thousands of years away.
pub fn china_midnight(date: Date) -> Result<Timestamp, jiff::Error> {
    date.to_zoned(china()).map(|zoned| zoned.timestamp())
}

/// The agreed text form of an instant in every store: UTC, six decimals, `Z`, so that text order is
/// time order. Example: `2026-09-21T01:02:03.000000Z`.
#[must_use]
pub fn instant_text(instant: Timestamp) -> String {
    format!("{instant:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_in_china_belongs_to_the_next_utc_evening() {
        let late: Timestamp = "2026-09-30T16:00:00Z".parse().unwrap();
        assert_eq!(china_date(late), jiff::civil::date(2026, 10, 1));
    }

    #[test]
    fn a_date_begins_on_the_utc_evening_before() {
        let begins = china_midnight(jiff::civil::date(2026, 10, 1)).unwrap();
        assert_eq!(begins, "2026-09-30T16:00:00Z".parse().unwrap());
        assert_eq!(china_date(begins), jiff::civil::date(2026, 10, 1));
    }

    #[test]
    fn instants_are_stored_with_six_decimals() {
        let whole: Timestamp = "2026-09-21T01:02:03Z".parse().unwrap();
        assert_eq!(instant_text(whole), "2026-09-21T01:02:03.000000Z");
    }
}
