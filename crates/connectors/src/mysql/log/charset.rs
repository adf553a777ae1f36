//! Character sets of columns: the log has texts in them, reading a table gives UTF-8.
//!
//! Which character a code stands for is asked of the server itself, once for each set, so that a text comes exactly as
//! reading gives it: tables of sets like GBK differ between programs.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::Session;
use crate::Result;

/// In the place of a character: the set has none there.
const NONE: u32 = u32::MAX;

#[derive(Clone)]
pub(super) enum Charset {
    Utf8,
    /// Two or four bytes each, the greater first or last.
    Utf16 {
        is_little: bool,
    },
    Utf32,
    /// Codes of one byte and of two: characters by their codes.
    Table {
        name: String,
        table: Arc<Table>,
    },
}

pub(super) struct Table {
    single: Vec<u32>,
    double: Vec<u32>,
}

impl std::fmt::Debug for Charset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "utf8",
            Self::Utf16 { .. } => "utf16",
            Self::Utf32 => "utf32",
            Self::Table { name, .. } => name,
        })
    }
}

impl PartialEq for Charset {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Utf8, Self::Utf8) | (Self::Utf32, Self::Utf32) => true,
            (Self::Utf16 { is_little: one }, Self::Utf16 { is_little: two }) => one == two,
            (Self::Table { name: one, .. }, Self::Table { name: two, .. }) => one == two,
            _ => false,
        }
    }
}

const NO_TEXT: &str = "text that is none in its character set";

impl Charset {
    /// The set of this name; `None` where its texts are to be read from the table instead.
    pub(super) async fn load(session: &mut Session, name: &str) -> Result<Option<Self>> {
        Ok(match name {
            "utf8mb4" | "utf8mb3" | "utf8" => Some(Self::Utf8),
            "utf16" | "ucs2" => Some(Self::Utf16 { is_little: false }),
            "utf16le" => Some(Self::Utf16 { is_little: true }),
            "utf32" => Some(Self::Utf32),
            _ => Table::load(session, name).await?.map(|table| Self::Table {
                name: name.to_owned(),
                table: Arc::new(table),
            }),
        })
    }

    pub(super) fn decode<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, str>, &'static str> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes)
                .map(Cow::Borrowed)
                .map_err(|_| NO_TEXT),
            Self::Utf16 { is_little } => {
                let (pairs, odd) = bytes.as_chunks::<2>();
                let unit = |pair: &[u8; 2]| {
                    if *is_little {
                        u16::from_le_bytes(*pair)
                    } else {
                        u16::from_be_bytes(*pair)
                    }
                };
                let text = char::decode_utf16(pairs.iter().map(unit)).collect::<Result<_, _>>();
                text.ok()
                    .filter(|_| odd.is_empty())
                    .map(Cow::Owned)
                    .ok_or(NO_TEXT)
            }
            Self::Utf32 => {
                let (codes, odd) = bytes.as_chunks::<4>();
                let text = codes
                    .iter()
                    .map(|code| char::from_u32(u32::from_be_bytes(*code)));
                let text: Option<String> = text.collect();
                text.filter(|_| odd.is_empty())
                    .map(Cow::Owned)
                    .ok_or(NO_TEXT)
            }
            Self::Table { table, .. } => table.decode(bytes).map(Cow::Owned).ok_or(NO_TEXT),
        }
    }
}

impl Table {
    /// `None` if the set has codes of more than two bytes.
    async fn load(session: &mut Session, name: &str) -> Result<Option<Self>> {
        let doing = "look at a character set";
        let sql = "SELECT c.MAXLEN FROM information_schema.CHARACTER_SETS c WHERE c.CHARACTER_SET_NAME = ?";
        let rows = session.rows(sql, (name,), doing, "").await?;
        let length: Option<u64> = rows.first().and_then(|row| row.get(0));
        let is_plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let Some(length) = length.filter(|length| *length <= 2 && is_plain) else {
            return Ok(None);
        };
        let single = characters(session, name, (0..=255).map(|byte| vec![byte])).await?;
        let mut double = Vec::new();
        if length == 2 {
            double.reserve_exact(1 << 16);
            for lead in 0..=255_u8 {
                if single[usize::from(lead)] != NONE {
                    double.resize(double.len() + 256, NONE);
                    continue;
                }
                let codes = (0..=255).map(|trail| vec![lead, trail]);
                double.extend(characters(session, name, codes).await?);
            }
        }
        Ok(Some(Self { single, double }))
    }

    fn decode(&self, bytes: &[u8]) -> Option<String> {
        let mut text = String::with_capacity(bytes.len() * 2);
        let mut rest = bytes.iter().map(|byte| usize::from(*byte));
        while let Some(byte) = rest.next() {
            let code = match self.single[byte] {
                NONE => *self.double.get(byte * 256 + rest.next()?)?,
                code => code,
            };
            text.push(char::from_u32(code)?);
        }
        Some(text)
    }
}

/// What each of these codes stands for, as the server has it.
async fn characters(
    session: &mut Session,
    name: &str,
    codes: impl Iterator<Item = Vec<u8>>,
) -> Result<Vec<u32>> {
    // Asked one beside the other: a code that is none spoils no other.
    let codes: Vec<Vec<u8>> = codes.collect();
    let one = |code: &Vec<u8>| {
        let hex = crate::text::joined(code, "", |byte| format!("{byte:02x}"));
        format!(
            "HEX(CONVERT(CONVERT(x'{hex}' USING {name}) USING utf32)), HEX(CONVERT(x'{hex}' USING {name}))"
        )
    };
    let sql = format!("SELECT {}", crate::text::joined(&codes, ", ", one));
    let rows = session
        .rows(&sql, (), "look at a character set", "")
        .await?;
    let row = rows.first();
    let text_at = |place: usize| row.and_then(|row| row.get_opt::<String, _>(place)?.ok());
    let found = codes.iter().enumerate().map(|(place, code)| {
        let hex = crate::text::joined(code, "", |byte| format!("{byte:02X}"));
        let (character, kept) = (text_at(2 * place), text_at(2 * place + 1));
        // What is no code of the set is changed when it is taken for one.
        let character = character.filter(|text| text.len() == 8 && kept == Some(hex));
        character
            .and_then(|text| u32::from_str_radix(&text, 16).ok())
            .filter(|code| char::from_u32(*code).is_some())
            .unwrap_or(NONE)
    });
    Ok(found.collect())
}
