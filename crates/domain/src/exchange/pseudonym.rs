//! Pseudonyms 假名: what stands for a value at one requester.
//!
//! HMAC-SM3 over the value, under a key that is derived from the platform's secret and the requester:
//! one requester gets the same pseudonym for the same value in every grant and every run, so that its own
//! tables join; two requesters get different ones, so that theirs don't. Who lacks the secret can neither
//! undo a pseudonym nor try values out. What it doesn't protect from is in
//! `docs/decisions/0006-pseudonyms-by-requester.md`.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sm3::Sm3;

use super::digest::RowHash;
use super::value::ValueRef;
use crate::ids::DepartmentId;

/// What every pseudonym begins with, so that nobody takes it for a number of the registry.
const MARK: &str = "PN";

/// Five bits each: 130 of the 256, beyond any chance that two values of a table get the same.
const DIGITS: usize = 26;

/// The length of every pseudonym in characters, all of them ASCII.
pub const PSEUDONYM_CHARS: usize = MARK.len() + DIGITS;

/// Crockford's base 32: digits and capitals without those that look like others. Capitals only, so that an
/// engine that doesn't tell capitals apart keeps pseudonyms apart.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

type HmacSm3 = Hmac<Sm3>;

/// The platform's secret behind all pseudonyms. It prints as `***`.
#[derive(Clone)]
pub struct PseudonymSecret(HmacSm3);

impl PseudonymSecret {
    /// The secret of 32 random bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(keyed(bytes))
    }

    /// Tells secrets apart without telling anything of them: 16 hex digits.
    #[must_use]
    pub fn id(&self) -> String {
        short_id(&self.0)
    }

    /// The key of one requester.
    #[must_use]
    pub fn key_of(&self, requester: &DepartmentId) -> PseudonymKey {
        let derived = mac_of(&self.0, &[b"requester:", requester.as_str().as_bytes()]);
        let mac = keyed(&derived);
        let id = short_id(&mac);
        PseudonymKey { mac, id }
    }
}

impl fmt::Debug for PseudonymSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The key under which one requester's pseudonyms are made. It prints as its id.
#[derive(Clone)]
pub struct PseudonymKey {
    mac: HmacSm3,
    id: String,
}

impl PseudonymKey {
    /// Tells keys apart without telling anything of them: 16 hex digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The pseudonym of a value; `None` for NULL.
    ///
    /// It is made of the value as people write it, so that a number and the text of the same digits get the
    /// same: departments keep one identifier as either. Different values of one column get different ones.
    #[must_use]
    pub fn pseudonym(&self, value: &ValueRef<'_>) -> Option<String> {
        if value.is_null() {
            return None;
        }
        let mac = match (value.as_text(), value.plain_text()) {
            (Some(text), _) => self.of_text(text),
            (None, Some(text)) => self.of_text(&text),
            // No grant lets this be pseudonymised; if it came here all the same, values would stay apart.
            (None, None) => mac_of(&self.mac, &[b"row:", &RowHash::of(&[*value]).0]),
        };
        Some(written(&mac))
    }

    fn of_text(&self, text: &str) -> [u8; 32] {
        mac_of(&self.mac, &[b"value:", text.as_bytes()])
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PseudonymKey({})", self.id)
    }
}

impl PartialEq for PseudonymKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for PseudonymKey {}

/// What a pseudonym looks like, of no value.
pub(super) fn pseudonym_form() -> String {
    format!("{MARK}{}", "*".repeat(DIGITS))
}

fn keyed(key: &[u8; 32]) -> HmacSm3 {
    HmacSm3::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn mac_of(key: &HmacSm3, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = key.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn short_id(key: &HmacSm3) -> String {
    hex::encode(&mac_of(key, &[b"id:"])[..8])
}

fn written(mac: &[u8; 32]) -> String {
    let mut text = String::with_capacity(PSEUDONYM_CHARS);
    text.push_str(MARK);
    for digit in 0..DIGITS {
        let bit = digit * 5;
        let pair = u16::from_be_bytes([mac[bit / 8], mac[bit / 8 + 1]]);
        let five = usize::from((pair >> (11 - bit % 8)) & 31);
        text.push(char::from(ALPHABET[five]));
    }
    text
}
