//! Places in the server's log as positions.
//!
//! A place is a file's number and an offset in it. That alone doesn't say which log is meant: after RESET MASTER, or
//! on a server that took over from another, files of the same numbers hold something else. So a position also has a
//! mark of the file, made of what its first event says of its making.

use tongqu_domain::exchange::{RowHash, ValueRef};

use crate::LogPosition;

/// Bits of a position for the mark, and for the offset: the server's protocol has no larger ones. A file that has
/// grown beyond holds a single large transaction and is followed by the next file at once.
const MARK_BITS: u32 = 11;
const OFFSET_BITS: u32 = 32;

/// The last file that fits a position, of which a cursor keeps 63 bits.
pub(super) const FILE_MAX: u32 = (1 << 20) - 1;

/// Where the events of a file begin.
pub(super) const FILE_BEGIN: u32 = 4;

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub file: u32,
    pub offset: u32,
    pub mark: u16,
}

impl Place {
    pub(super) fn position(self) -> LogPosition {
        let file = u64::from(self.file.min(FILE_MAX));
        let mark = u64::from(self.mark & ((1 << MARK_BITS) - 1));
        LogPosition(file << (OFFSET_BITS + MARK_BITS) | u64::from(self.offset) << MARK_BITS | mark)
    }

    pub(super) fn of(position: LogPosition) -> Self {
        let low = |number: u64, bits: u32| number & ((1 << bits) - 1);
        let part = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            file: part(position.0 >> (OFFSET_BITS + MARK_BITS)),
            offset: part(low(position.0 >> MARK_BITS, OFFSET_BITS)),
            mark: u16::try_from(low(position.0, MARK_BITS)).unwrap_or(u16::MAX),
        }
    }
}

/// The mark of a file that this server began at this second.
pub(super) fn mark(server_id: u32, begun: u32) -> u16 {
    let parts = [server_id, begun].map(|n| ValueRef::UInt(n.into()));
    let hash = RowHash::of(&parts).0;
    u16::from_be_bytes([hash[0], hash[1]]) & ((1 << MARK_BITS) - 1)
}

/// What files of the log are called before their numbers: `mysql-bin` of `mysql-bin.000007`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    base: String,
}

impl Names {
    /// From the name of any file, with its number; `None` if it has none.
    pub(super) fn of(file: &str) -> Option<(Self, u32)> {
        let (base, digits) = file.rsplit_once('.')?;
        let number = digits.parse().ok().filter(|n| *n <= FILE_MAX)?;
        let is_numbered = digits.bytes().all(|byte| byte.is_ascii_digit());
        let base = base.to_owned();
        is_numbered.then_some((Self { base }, number))
    }

    pub(super) fn file(&self, number: u32) -> String {
        format!("{}.{number:06}", self.base)
    }

    /// The number of the file that an event names after `current`. An event that the server makes up may have a
    /// checksum behind the name.
    pub(super) fn number_of(&self, named: &[u8], current: u32) -> Option<u32> {
        let begins = |number: u32| named.starts_with(self.file(number).as_bytes());
        if begins(current) {
            return Some(current);
        }
        if begins(current + 1) {
            return Some(current + 1);
        }
        let (names, number) = Self::of(std::str::from_utf8(named).ok()?)?;
        (names == *self).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_keep_the_order_of_places() {
        let place = |file, offset, mark| Place { file, offset, mark };
        let places = [
            place(1, 4, 2_047),
            place(1, u32::MAX, 0),
            place(2, 4, 7),
            place(2, 5, 7),
            place(FILE_MAX, u32::MAX, 2_047),
        ];
        for pair in places.windows(2) {
            assert!(pair[0].position() < pair[1].position(), "{pair:?}");
        }
        for place in places {
            assert_eq!(Place::of(place.position()), place);
            let kept = LogPosition::of_cursor(place.position().as_cursor());
            assert_eq!(kept, place.position());
        }
        assert_ne!(mark(1, 1_700_000_000), mark(1, 1_700_000_001));
        assert_ne!(mark(1, 1_700_000_000), mark(2, 1_700_000_000));
    }

    #[test]
    fn files_are_told_apart_by_their_numbers() {
        let (names, number) = Names::of("my.sql-bin.000009").unwrap();
        assert_eq!((number, names.file(10).as_str()), (9, "my.sql-bin.000010"));
        assert_eq!(names.number_of(b"my.sql-bin.000009", 9), Some(9));
        assert_eq!(
            names.number_of(b"my.sql-bin.000010\x01\x02\xff7", 9),
            Some(10)
        );
        assert_eq!(names.number_of(b"my.sql-bin.000042", 9), Some(42));
        assert_eq!(names.number_of(b"other.000010", 9), None);
        assert!(Names::of("binlog-000000.ibb").is_none());
        assert!(Names::of("bin.1048576").is_none());
    }
}
