//! The digest of a table, independent of the order of its rows.
//!
//! Each row is written in an unambiguous encoding and hashed with SHA-256; the hashes are added as
//! 256-bit numbers. So a table may be read in any order and in parallel parts, rows can be taken out
//! again, and a row that occurs twice counts twice. SHA-256 and not SM3 because the digest is taken
//! of every row of every run, and processors have instructions for it (six times as fast); the
//! ledger, where the national algorithm is asked for, hashes the digest again with SM3.
//!
//! The sum shows faults and lost or doubled rows beyond doubt. Against someone who may choose
//! millions of rows at will an added hash is weaker than a hash of the whole; receipts are no proof
//! against a provider forging its own data, which a digest couldn't be anyway.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::value::{ValueRef, normalise_decimal, scale_up};
use crate::kind::Kind;

/// The SHA-256 of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowHash(pub [u8; 32]);

impl RowHash {
    /// The hash of the row made of `values`, in the order of the columns.
    #[must_use]
    pub fn of(values: &[ValueRef<'_>]) -> Self {
        let mut hasher = RowHasher::new();
        for value in values {
            hasher.push(value);
        }
        hasher.finish()
    }
}

/// Hashes one row value by value, for rows that don't lie in one slice.
#[derive(Debug, Clone, Default)]
pub struct RowHasher {
    sha: Sha256,
}

impl RowHasher {
    /// Begins a row.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next value of the row.
    ///
    /// Encoding: one tag byte, then the value in a fixed number of bytes, or its length in 8 bytes
    /// and its bytes. No encoding is the beginning of another, so rows can't run into each other.
    pub fn push(&mut self, value: &ValueRef<'_>) {
        match *value {
            ValueRef::Null => self.sha.update([0]),
            ValueRef::Bool(flag) => self.sha.update([1, u8::from(flag)]),
            ValueRef::Int(number) => self.whole(number),
            ValueRef::UInt(number) => self.exact(i128::from(number), 0),
            ValueRef::Decimal { unscaled, scale } => self.exact(unscaled, scale),
            ValueRef::Float(number) => {
                self.eight_bytes(4, canonical_float(number).to_bits().to_le_bytes());
            }
            ValueRef::Text(text) => self.bytes(5, text.as_bytes()),
            ValueRef::Bytes(bytes) => self.bytes(6, bytes),
            ValueRef::Date(days) => self.eight_bytes(7, i64::from(days).to_le_bytes()),
            ValueRef::Time(micros) => self.eight_bytes(8, micros.to_le_bytes()),
            ValueRef::Timestamp(micros) => self.eight_bytes(9, micros.to_le_bytes()),
            ValueRef::Instant(micros) => self.eight_bytes(10, micros.to_le_bytes()),
        }
    }

    /// Ends the row.
    #[must_use]
    pub fn finish(self) -> RowHash {
        RowHash(self.sha.finalize().into())
    }

    fn whole(&mut self, number: i64) {
        self.eight_bytes(2, number.to_le_bytes());
    }

    /// Equal numbers get equal bytes: the short form whenever the number is whole and fits 64 bits,
    /// else its digits without trailing zeros.
    fn exact(&mut self, unscaled: i128, scale: i8) {
        let (digits, scale) = normalise_decimal(unscaled, scale);
        let short = if scale <= 0 {
            scale_up(digits, -scale).and_then(|n| i64::try_from(n).ok())
        } else {
            None
        };
        if let Some(number) = short {
            self.whole(number);
            return;
        }
        let mut encoded = [3_u8; 19];
        encoded[1..3].copy_from_slice(&scale.to_le_bytes());
        encoded[3..].copy_from_slice(&digits.to_le_bytes());
        self.sha.update(encoded);
    }

    fn eight_bytes(&mut self, tag: u8, bytes: [u8; 8]) {
        let mut encoded = [tag; 9];
        encoded[1..].copy_from_slice(&bytes);
        self.sha.update(encoded);
    }

    fn bytes(&mut self, tag: u8, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).expect("a slice is shorter than 2^64 bytes");
        self.eight_bytes(tag, length.to_le_bytes());
        self.sha.update(bytes);
    }
}

/// One not-a-number and one zero, as in the order of values.
fn canonical_float(number: f64) -> f64 {
    if number.is_nan() {
        f64::NAN
    } else if number == 0.0 {
        0.0
    } else {
        number
    }
}

/// The digest of a multiset of rows: how many there are, and the sum of their hashes modulo 2^256.
///
/// Digests form a group: merging is addition, removal its inverse, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "DigestText", into = "DigestText")]
pub struct TableDigest {
    rows: u64,
    /// The sum, least significant byte first.
    sum: [u8; 32],
}

impl TableDigest {
    /// The digest of no rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of rows in it.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Puts a row in.
    pub fn add_row(&mut self, values: &[ValueRef<'_>]) {
        self.add(&RowHash::of(values));
    }

    /// Takes a row out.
    pub fn remove_row(&mut self, values: &[ValueRef<'_>]) {
        self.remove(&RowHash::of(values));
    }

    /// Puts a hashed row in.
    pub fn add(&mut self, row: &RowHash) {
        *self = self.merge(&Self {
            rows: 1,
            sum: row.0,
        });
    }

    /// Takes a hashed row out.
    pub fn remove(&mut self, row: &RowHash) {
        *self = self.without(&Self {
            rows: 1,
            sum: row.0,
        });
    }

    /// The digest of the rows of both.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let (mine, theirs) = (limbs(&self.sum), limbs(&other.sum));
        let mut sum = [0_u64; 4];
        let mut carry = false;
        for i in 0..4 {
            (sum[i], carry) = add_with_carry(mine[i], theirs[i], carry);
        }
        Self {
            rows: self.rows.wrapping_add(other.rows),
            sum: bytes(&sum),
        }
    }

    /// The digest of the rows that remain when those of `other` are taken out.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let (mine, theirs) = (limbs(&self.sum), limbs(&other.sum));
        let mut sum = [0_u64; 4];
        let mut borrow = false;
        for i in 0..4 {
            (sum[i], borrow) = subtract_with_borrow(mine[i], theirs[i], borrow);
        }
        Self {
            rows: self.rows.wrapping_sub(other.rows),
            sum: bytes(&sum),
        }
    }

    /// The sum in 64 hexadecimal digits, most significant first.
    #[must_use]
    pub fn sum_hex(&self) -> String {
        let mut most_significant_first = self.sum;
        most_significant_first.reverse();
        hex::encode(most_significant_first)
    }

    /// Reads a digest from its parts, the inverse of [`TableDigest::rows`] and [`TableDigest::sum_hex`].
    ///
    /// Errors: [`InvalidDigest`] unless `sum_hex` is 64 lower-case hexadecimal digits.
    pub fn from_parts(rows: u64, sum_hex: &str) -> Result<Self, InvalidDigest> {
        let mut sum = [0_u8; 32];
        hex::decode_to_slice(sum_hex, &mut sum).map_err(|_| InvalidDigest)?;
        sum.reverse();
        let digest = Self { rows, sum };
        if digest.sum_hex() == sum_hex {
            Ok(digest)
        } else {
            Err(InvalidDigest)
        }
    }
}

impl fmt::Display for TableDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sum_hex())
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 lower-case hexadecimal digits")]
pub struct InvalidDigest;

impl InvalidDigest {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "digest.invalid"
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// The form in stores and interfaces.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestText {
    rows: u64,
    sum: String,
}

impl From<TableDigest> for DigestText {
    fn from(digest: TableDigest) -> Self {
        Self {
            rows: digest.rows,
            sum: digest.sum_hex(),
        }
    }
}

impl TryFrom<DigestText> for TableDigest {
    type Error = InvalidDigest;
    fn try_from(text: DigestText) -> Result<Self, InvalidDigest> {
        Self::from_parts(text.rows, &text.sum)
    }
}

fn add_with_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, over) = a.overflowing_add(b);
    let (sum, over_again) = sum.overflowing_add(u64::from(carry));
    (sum, over || over_again)
}

fn subtract_with_borrow(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (rest, under) = a.overflowing_sub(b);
    let (rest, under_again) = rest.overflowing_sub(u64::from(borrow));
    (rest, under || under_again)
}

fn limbs(bytes: &[u8; 32]) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_le_bytes(chunk.try_into().expect("chunks of 8 bytes"));
    }
    limbs
}

fn bytes(limbs: &[u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(limbs) {
        chunk.copy_from_slice(&limb.to_le_bytes());
    }
    bytes
}
