//! Where the rows of each share of a table lie, as long as one view of it is open.

use std::collections::HashMap;
use std::fmt::Write as _;

use bytes::Buf as _;

/// More rows than were announced aren't noted, whatever the server believed.
const ROWS_MAX: usize = 8_000_000;

/// Dimensions, whether there are NULLs, type, length and first index of an array of one dimension.
const ARRAY_HEADER: usize = 20;

/// Bytes of a place as the server sends it.
const PLACE_BYTES: i32 = 6;

/// Block and number in the block of one row.
type Place = (u32, u16);

/// The places of all rows, by the numbers of their shares.
#[derive(Debug, Default)]
pub(super) struct Places {
    all: Vec<Place>,
    /// Where a share's places begin among all, and how many there are.
    of_share: HashMap<u32, (usize, usize)>,
}

impl Places {
    /// Notes the places of a share, as the server sends them (`tid[]`); `None` if they can't be read, or are too many.
    pub(super) fn add(&mut self, share: i64, told: &[u8]) -> Option<()> {
        let share = u32::try_from(share).ok()?;
        let begin = self.all.len();
        let mut rest = told.get(ARRAY_HEADER..)?;
        while !rest.is_empty() {
            if rest.try_get_i32().ok()? != PLACE_BYTES || self.all.len() == ROWS_MAX {
                return None;
            }
            let block = rest.try_get_u32().ok()?;
            self.all.push((block, rest.try_get_u16().ok()?));
        }
        self.of_share.insert(share, (begin, self.all.len() - begin));
        Some(())
    }

    /// The places of some shares as the text of an array's elements; `None` if they are more than `rows_max`.
    pub(super) fn of(&self, shares: &[u32], rows_max: usize) -> Option<String> {
        let mut text = String::new();
        let mut rows = 0;
        for (begin, count) in shares.iter().filter_map(|share| self.of_share.get(share)) {
            rows += count;
            if rows > rows_max {
                return None;
            }
            for (block, number) in &self.all[*begin..begin + count] {
                if !text.is_empty() {
                    text.push(',');
                }
                write!(text, "\"({block},{number})\"").expect("a text takes everything");
            }
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(places: &[Place]) -> Vec<u8> {
        let mut told = vec![0; ARRAY_HEADER];
        for (block, number) in places {
            told.extend_from_slice(&PLACE_BYTES.to_be_bytes());
            told.extend_from_slice(&block.to_be_bytes());
            told.extend_from_slice(&number.to_be_bytes());
        }
        told
    }

    #[test]
    fn the_places_of_some_shares_are_named() {
        let mut places = Places::default();
        places.add(7, &told(&[(0, 1), (70_000, 65_535)])).unwrap();
        places.add(9, &told(&[(3, 2)])).unwrap();
        assert_eq!(places.of(&[9, 8], 10).unwrap(), "\"(3,2)\"");
        assert_eq!(places.of(&[7], 2).unwrap(), "\"(0,1)\",\"(70000,65535)\"");
        assert_eq!(places.of(&[7, 9], 2), None, "too many");
        assert_eq!(places.of(&[], 2).unwrap(), "");
    }

    #[test]
    fn what_is_no_array_of_places_is_refused() {
        let good = told(&[(3, 2)]);
        for cut in 0..good.len() {
            let whole = Places::default().add(1, &good[..cut]);
            assert_eq!(whole.is_some(), cut == ARRAY_HEADER, "{cut} bytes");
        }
        assert!(Places::default().add(-1, &good).is_none());
    }
}
