//! The messages of the server's own output plugin, version 1 of its protocol: only committed transactions are
//! sent, each in one piece, in the order of their commits.

use bytes::{Buf, Bytes};

use crate::LogPosition;

/// A message, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Begin,
    Commit {
        /// The end of the transaction: what is confirmed.
        end: LogPosition,
    },
    Relation(Relation),
    Insert {
        table: u32,
        new: Tuple,
    },
    Update {
        table: u32,
        /// What the table's identity tells of the row as it was; nothing if that didn't change.
        old: Option<Tuple>,
        new: Tuple,
    },
    Delete {
        table: u32,
        old: Tuple,
    },
    Truncate {
        tables: Vec<u32>,
    },
    /// Nothing that concerns rows.
    Other,
}

/// What rows of a table look like from here on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Relation {
    pub table: u32,
    pub columns: Vec<RelationColumn>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RelationColumn {
    pub name: String,
    pub type_oid: u32,
    pub modifier: i32,
    /// Whether it is part of the table's identity.
    pub is_identity: bool,
}

/// A row: one cell for each column of its relation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tuple {
    pub cells: Vec<Cell>,
    /// Whether only the columns of the identity are told.
    pub key_only: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    /// A large value that lies apart and didn't change; it isn't sent.
    Unchanged,
    Binary(Bytes),
    /// The type has no binary form.
    Text,
}

/// The message's bytes can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

pub(super) fn parse(mut body: Bytes) -> Result<Message, Unreadable> {
    let rest = &mut body;
    Ok(match byte(rest)? {
        b'B' => Message::Begin,
        b'C' => {
            let _flags = byte(rest)?;
            let _commit = long(rest)?;
            let end = LogPosition(long(rest)?);
            Message::Commit { end }
        }
        b'R' => Message::Relation(relation(rest)?),
        b'I' => {
            let table = int(rest)?;
            expect(rest, b'N')?;
            let new = tuple(rest, false)?;
            Message::Insert { table, new }
        }
        b'U' => {
            let table = int(rest)?;
            let old = match byte(rest)? {
                kind @ (b'K' | b'O') => {
                    let old = tuple(rest, kind == b'K')?;
                    expect(rest, b'N')?;
                    Some(old)
                }
                b'N' => None,
                _ => return Err(Unreadable),
            };
            let new = tuple(rest, false)?;
            Message::Update { table, old, new }
        }
        b'D' => {
            let table = int(rest)?;
            let old = match byte(rest)? {
                kind @ (b'K' | b'O') => tuple(rest, kind == b'K')?,
                _ => return Err(Unreadable),
            };
            Message::Delete { table, old }
        }
        b'T' => {
            let count = int(rest)?;
            let _flags = byte(rest)?;
            let tables = (0..count).map(|_| int(rest)).collect::<Result<_, _>>()?;
            Message::Truncate { tables }
        }
        _ => Message::Other,
    })
}

fn relation(rest: &mut Bytes) -> Result<Relation, Unreadable> {
    let table = int(rest)?;
    let (_schema, _name) = (text(rest)?, text(rest)?);
    let _identity = byte(rest)?;
    let count = short(rest)?;
    let mut columns = Vec::with_capacity(count.into());
    for _ in 0..count {
        columns.push(RelationColumn {
            is_identity: byte(rest)? & 1 == 1,
            name: text(rest)?,
            type_oid: int(rest)?,
            modifier: int(rest)?.cast_signed(),
        });
    }
    Ok(Relation { table, columns })
}

fn tuple(rest: &mut Bytes, key_only: bool) -> Result<Tuple, Unreadable> {
    let count = short(rest)?;
    let mut cells = Vec::with_capacity(count.into());
    for _ in 0..count {
        cells.push(match byte(rest)? {
            b'n' => Cell::Null,
            b'u' => Cell::Unchanged,
            b'b' => Cell::Binary(sized(rest)?),
            b't' => {
                sized(rest)?;
                Cell::Text
            }
            _ => return Err(Unreadable),
        });
    }
    Ok(Tuple { cells, key_only })
}

fn expect(rest: &mut Bytes, tag: u8) -> Result<(), Unreadable> {
    if byte(rest)? == tag {
        Ok(())
    } else {
        Err(Unreadable)
    }
}

fn byte(rest: &mut Bytes) -> Result<u8, Unreadable> {
    rest.try_get_u8().map_err(|_| Unreadable)
}

fn short(rest: &mut Bytes) -> Result<u16, Unreadable> {
    rest.try_get_u16().map_err(|_| Unreadable)
}

fn int(rest: &mut Bytes) -> Result<u32, Unreadable> {
    rest.try_get_u32().map_err(|_| Unreadable)
}

fn long(rest: &mut Bytes) -> Result<u64, Unreadable> {
    rest.try_get_u64().map_err(|_| Unreadable)
}

fn sized(rest: &mut Bytes) -> Result<Bytes, Unreadable> {
    let length = usize::try_from(int(rest)?).map_err(|_| Unreadable)?;
    if rest.len() < length {
        return Err(Unreadable);
    }
    Ok(rest.split_to(length))
}

fn text(rest: &mut Bytes) -> Result<String, Unreadable> {
    let end = rest.iter().position(|byte| *byte == 0).ok_or(Unreadable)?;
    let text = rest.split_to(end);
    rest.advance(1);
    String::from_utf8(text.to_vec()).map_err(|_| Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_of_a_key_tells_both_rows() {
        let body = b"U\0\0\0\x07K\0\x02b\0\0\0\x01an N\0\x02b\0\0\0\x01bu";
        let body: Vec<u8> = body.iter().copied().filter(|byte| *byte != b' ').collect();
        let cell = |text: &'static [u8]| Cell::Binary(Bytes::from_static(text));
        let old = Tuple {
            cells: vec![cell(b"a"), Cell::Null],
            key_only: true,
        };
        let new = Tuple {
            cells: vec![cell(b"b"), Cell::Unchanged],
            key_only: false,
        };
        let update = Message::Update {
            table: 7,
            old: Some(old),
            new,
        };
        assert_eq!(parse(body.into()), Ok(update));
    }

    #[test]
    fn what_breaks_off_is_unreadable() {
        let whole = b"I\0\0\0\x07N\0\x01b\0\0\0\x02ab";
        assert!(parse(Bytes::from_static(whole)).is_ok());
        for end in 1..whole.len() {
            assert_eq!(parse(Bytes::from_static(&whole[..end])), Err(Unreadable));
        }
    }
}
