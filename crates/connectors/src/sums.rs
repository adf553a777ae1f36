//! Comparing two stores without sending their rows: each sums up its rows in shares, and only the shares whose sums
//! differ are read.
//!
//! A row belongs to a share by the hash of its key, and a share's sum is made of 64-bit hashes of whole rows. A change
//! stays unseen with a probability of 2^-64; it would be seen as soon as another row of its share changes.

use async_trait::async_trait;

use crate::{BatchStream, Result};

/// How few and how many shares a table is dealt into, as powers of two.
const BITS: std::ops::RangeInclusive<u8> = 4..=18;

/// Rows that a share should have: few enough that one change makes few rows be read.
const ROWS_OF_A_SHARE: u64 = 4;

/// How many bits number the shares of a table of about so many rows.
#[must_use]
pub fn share_bits(rows: u64) -> u8 {
    let shares = (rows / ROWS_OF_A_SHARE).max(1);
    let bits = u8::try_from(shares.ilog2()).unwrap_or(u8::MAX);
    bits.clamp(*BITS.start(), *BITS.end())
}

/// One consistent view of a query's rows, in which they can be summed up before they are read.
#[async_trait]
pub trait Snapshot: Send {
    /// The sums of its rows, dealt by the hash of their key into two to the power of `bits` shares.
    ///
    /// Errors: as [`crate::Store::read`].
    async fn sums(&mut self, bits: u8) -> Result<Sums>;

    /// Reads its rows in the query's order: all, or those of some shares.
    ///
    /// Errors: as [`crate::Store::read`].
    async fn read(self: Box<Self>, only: Option<&Differing>) -> Result<BatchStream>;
}

/// Count and sum of the rows of one share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// How many rows.
    pub rows: u64,
    /// Their hashes, put together whatever their order.
    pub sum: i64,
}

/// The sums of all shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    method: String,
    shares: Vec<Share>,
}

impl Sums {
    /// Sums made by `method`: those of two stores can be compared only if it is the same.
    pub(crate) fn new(method: String, bits: u8) -> Self {
        Self {
            method,
            shares: vec![Share::default(); 1 << bits],
        }
    }

    /// Notes a share; a number beyond the shares isn't one of ours.
    pub(crate) fn set(&mut self, number: usize, share: Share) {
        if let Some(place) = self.shares.get_mut(number) {
            *place = share;
        }
    }

    /// Rows in all shares.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.shares.iter().map(|share| share.rows).sum()
    }

    /// The shares in which two stores differ; `None` if their sums can't be compared.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Option<Differing> {
        if self.method != other.method || self.shares.len() != other.shares.len() {
            return None;
        }
        let mut differing = Differing {
            bits: self.shares.len().ilog2(),
            numbers: Vec::new(),
            rows: 0,
            rows_alike: 0,
        };
        for (number, (ours, theirs)) in (0..).zip(self.shares.iter().zip(&other.shares)) {
            if ours == theirs {
                differing.rows_alike += ours.rows;
            } else {
                differing.numbers.push(number);
                differing.rows += ours.rows.max(theirs.rows);
            }
        }
        Some(differing)
    }
}

/// Shares in which two stores differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    bits: u32,
    numbers: Vec<u32>,
    rows: u64,
    rows_alike: u64,
}

impl Differing {
    /// Rows in these shares, in the store that has more.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows in all other shares, which both stores have alike.
    #[must_use]
    pub fn rows_alike(&self) -> u64 {
        self.rows_alike
    }

    /// The bits of a key's hash that number its share.
    pub(crate) fn mask(&self) -> u32 {
        (1 << self.bits) - 1
    }

    pub(crate) fn numbers(&self) -> &[u32] {
        &self.numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(shares: &[(u64, i64)]) -> Sums {
        let mut sums = Sums::new("m".to_owned(), 2);
        for (number, (rows, sum)) in shares.iter().enumerate() {
            let (rows, sum) = (*rows, *sum);
            sums.set(number, Share { rows, sum });
        }
        sums
    }

    #[test]
    fn shares_differ_by_count_or_sum() {
        let ours = sums(&[(1, 7), (2, 8), (0, 0), (5, 1)]);
        let theirs = sums(&[(1, 7), (3, 8), (0, 0), (5, 2)]);
        let differing = ours.differing(&theirs).unwrap();
        assert_eq!(differing.numbers(), [1, 3]);
        assert_eq!((differing.rows(), differing.rows_alike()), (8, 1));
        assert_eq!(differing.mask(), 3);
    }

    #[test]
    fn sums_of_another_making_are_not_compared() {
        let mut other = sums(&[(1, 7)]);
        other.method = "n".to_owned();
        assert_eq!(sums(&[(1, 7)]).differing(&other), None);
        assert_eq!(
            sums(&[(1, 7)]).differing(&Sums::new("m".to_owned(), 3)),
            None
        );
    }

    #[test]
    fn shares_grow_with_the_table() {
        assert_eq!(
            [0, 1_000, 1_000_000, u64::MAX].map(share_bits),
            [4, 7, 17, 18]
        );
    }
}
