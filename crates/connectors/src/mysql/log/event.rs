//! Events of the log, as far as they matter here: MySQL's and MariaDB's, also those that MariaDB compresses one by one.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

/// No event says more: a row has at most 1 GB at the server, and an update has it twice.
const EVENT_BYTES_MAX: usize = 1 << 31;

/// MariaDB's group is one event that ends by itself.
const STANDALONE: u8 = 1;

/// Bytes of a GTID event behind which MySQL 8 tells when the transaction was committed.
const GTID_BYTES: usize = 42;
/// Above these bits of the time is a flag.
const COMMITTED_MASK: u64 = (1 << 55) - 1;

/// Stands for no table: an event that only ends a statement.
pub(super) const NO_TABLE: u64 = 0x00FF_FFFF;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// The file goes on in another.
    Rotate {
        file: &'a [u8],
    },
    /// The first of a file.
    Format,
    /// A transaction begins.
    Begin {
        /// When it was committed, in microseconds since 1970, if that is told.
        committed: Option<u64>,
        /// Whether it is one event, or begins with a statement of its own.
        is_alone: bool,
    },
    Statement {
        schema: &'a [u8],
        sql: std::borrow::Cow<'a, [u8]>,
    },
    /// Rows of this table come.
    Table {
        id: u64,
        body: &'a [u8],
    },
    Rows(RowsEvent<'a>),
    /// The transaction is committed.
    Commit,
    /// The transaction is prepared under this name, to be committed by another statement.
    Prepare {
        name: XaName,
    },
    /// Changes were lost before they came into the log.
    Incident,
    /// Something that changes rows in a way that isn't read here.
    Unreadable(&'static str),
    /// Nothing that concerns rows.
    Other,
    /// Of a newer server, and perhaps with rows.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowsKind {
    Insert,
    Update,
    Delete,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct RowsEvent<'a> {
    pub kind: RowsKind,
    pub table: u64,
    /// How many columns the table had.
    pub width: usize,
    /// Which of them are told; with an update, of the row as it was.
    pub columns: &'a [u8],
    /// Of the row as it is, with an update.
    pub columns_after: &'a [u8],
    pub rows: std::borrow::Cow<'a, [u8]>,
}

/// What an XA transaction is called: format, and both parts of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct XaName {
    pub format: u32,
    pub parts: [Vec<u8>; 2],
}

/// The event's bytes can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

type Parsed<T> = Result<T, Unreadable>;

/// The bytes that are left of an event.
pub(super) struct Rest<'a>(pub &'a [u8]);

impl<'a> Rest<'a> {
    pub(super) fn take(&mut self, count: usize) -> Parsed<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(Unreadable)?;
        self.0 = tail;
        Ok(head)
    }

    /// A number of up to eight bytes, the least first.
    pub(super) fn number(&mut self, bytes: usize) -> Parsed<u64> {
        Ok(little(self.take(bytes)?))
    }

    pub(super) fn size(&mut self, bytes: usize) -> Parsed<usize> {
        usize::try_from(self.number(bytes)?).map_err(|_| Unreadable)
    }

    /// A number in the protocol's packed form.
    pub(super) fn packed(&mut self) -> Parsed<usize> {
        match self.size(1)? {
            small @ 0..=250 => Ok(small),
            252 => self.size(2),
            253 => self.size(3),
            254 => self.size(8),
            _ => Err(Unreadable),
        }
    }
}

/// A number of up to eight bytes, the least first.
pub(super) fn little(bytes: &[u8]) -> u64 {
    let shifted = bytes.iter().rev();
    shifted.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Reads the body of an event of this type, without header and checksum.
pub(super) fn parse(kind: u8, body: &[u8]) -> Parsed<Event<'_>> {
    let mut rest = Rest(body);
    Ok(match kind {
        2 => statement(rest, false)?,
        4 => {
            rest.take(8)?;
            Event::Rotate { file: rest.0 }
        }
        15 => Event::Format,
        16 => Event::Commit,
        // A statement over a file that was sent: behind its own numbers the same as others.
        18 => loaded(rest)?,
        19 => {
            let id = rest.number(6)?;
            rest.take(2)?;
            Event::Table { id, body: rest.0 }
        }
        20..=22 => Event::Unreadable("it is in the form of a server before version 5.1.18"),
        23 | 30 => rows(RowsKind::Insert, rest, kind == 30, false)?,
        24 | 31 => rows(RowsKind::Update, rest, kind == 31, false)?,
        25 | 32 => rows(RowsKind::Delete, rest, kind == 32, false)?,
        26 => Event::Incident,
        33 | 34 | 42 => gtid(kind, body),
        38 => prepare(rest)?,
        39 => Event::Unreadable(
            "parts of JSON values were logged alone: set binlog_row_value_options to nothing",
        ),
        40 => Event::Unreadable(
            "transactions are compressed: set binlog_transaction_compression to OFF",
        ),
        162 => {
            let flags = body.get(12).ok_or(Unreadable)?;
            Event::Begin {
                committed: None,
                is_alone: flags & STANDALONE != 0,
            }
        }
        165 => statement(rest, true)?,
        166 | 169 => rows(RowsKind::Insert, rest, kind == 169, true)?,
        167 | 170 => rows(RowsKind::Update, rest, kind == 170, true)?,
        168 | 171 => rows(RowsKind::Delete, rest, kind == 171, true)?,
        // Ends of files, variables and files of statements, heartbeats, what a server says of itself, and notes.
        1 | 3 | 5 | 9 | 11 | 13 | 14 | 17 | 27..=29 | 35..=37 | 41 | 160 | 161 | 163 | 164 => {
            Event::Other
        }
        _ => Event::Unknown,
    })
}

/// MySQL's mark before a transaction. Its beginning is a statement of its own.
fn gtid(kind: u8, body: &[u8]) -> Event<'_> {
    let time = body.get(GTID_BYTES..GTID_BYTES + 7).filter(|_| kind != 42);
    match time {
        Some(time) => Event::Begin {
            committed: Some(little(time) & COMMITTED_MASK),
            is_alone: true,
        },
        None => Event::Begin {
            committed: None,
            is_alone: true,
        },
    }
}

fn statement(mut rest: Rest<'_>, is_compressed: bool) -> Parsed<Event<'_>> {
    rest.take(8)?;
    let schema = rest.size(1)?;
    rest.take(2)?;
    let variables = rest.size(2)?;
    rest.take(variables)?;
    text(rest, schema, is_compressed)
}

fn loaded(mut rest: Rest<'_>) -> Parsed<Event<'_>> {
    rest.take(8)?;
    let schema = rest.size(1)?;
    rest.take(2)?;
    let variables = rest.size(2)?;
    rest.take(13)?;
    rest.take(variables)?;
    text(rest, schema, false)
}

fn text(mut rest: Rest<'_>, schema: usize, is_compressed: bool) -> Parsed<Event<'_>> {
    let schema = rest.take(schema)?;
    rest.take(1)?;
    let sql = if is_compressed {
        inflated(rest.0)?.into()
    } else {
        rest.0.into()
    };
    Ok(Event::Statement { schema, sql })
}

fn rows(
    kind: RowsKind,
    mut rest: Rest<'_>,
    has_extra: bool,
    is_compressed: bool,
) -> Parsed<Event<'_>> {
    let table = rest.number(6)?;
    rest.take(2)?;
    if has_extra {
        let extra = rest.size(2)?;
        rest.take(extra.checked_sub(2).ok_or(Unreadable)?)?;
    }
    let width = rest.packed()?;
    let columns = rest.take(width.div_ceil(8))?;
    let columns_after = if kind == RowsKind::Update {
        rest.take(width.div_ceil(8))?
    } else {
        columns
    };
    let rows = if is_compressed {
        inflated(rest.0)?.into()
    } else {
        rest.0.into()
    };
    Ok(Event::Rows(RowsEvent {
        kind,
        table,
        width,
        columns,
        columns_after,
        rows,
    }))
}

/// MariaDB's compressed part: how it is compressed, how long it was, and the rest.
fn inflated(bytes: &[u8]) -> Parsed<Vec<u8>> {
    let mut rest = Rest(bytes);
    let head = rest.size(1)?;
    let is_zlib = head & 0xF0 == 0x80;
    let length = rest.take(head & 7)?;
    let length = length
        .iter()
        .try_fold(0_usize, |n, byte| {
            n.checked_mul(256)?.checked_add((*byte).into())
        })
        .filter(|length| is_zlib && *length <= EVENT_BYTES_MAX)
        .ok_or(Unreadable)?;
    let mut out = Vec::with_capacity(length.min(1 << 20));
    let limit = u64::try_from(length).map_err(|_| Unreadable)? + 1;
    let read = ZlibDecoder::new(rest.0).take(limit).read_to_end(&mut out);
    if read.is_err() || out.len() != length {
        return Err(Unreadable);
    }
    Ok(out)
}

fn prepare(mut rest: Rest<'_>) -> Parsed<Event<'_>> {
    let is_whole = rest.number(1)? != 0;
    let format = u32::try_from(rest.number(4)?).map_err(|_| Unreadable)?;
    let (first, second) = (rest.size(4)?, rest.size(4)?);
    let parts = [rest.take(first)?.to_vec(), rest.take(second)?.to_vec()];
    if is_whole {
        return Ok(Event::Commit);
    }
    let name = XaName { format, parts };
    Ok(Event::Prepare { name })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    #[test]
    fn rows_are_found_behind_their_columns() {
        let mut body = b"\x07\0\0\0\0\0\x01\0\x02\x03\x03".to_vec();
        body.extend_from_slice(b"rest");
        let Event::Rows(update) = parse(24, &body).unwrap() else {
            panic!("rows are expected");
        };
        assert_eq!(
            (update.kind, update.table, update.width),
            (RowsKind::Update, 7, 2)
        );
        assert_eq!((update.columns, update.columns_after), (&[3][..], &[3][..]));
        assert_eq!(&update.rows[..], b"rest");
        for end in 0..11 {
            assert_eq!(parse(24, &body[..end]), Err(Unreadable));
        }
    }

    #[test]
    fn compressed_rows_are_the_same() {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&[5; 300]).unwrap();
        let mut body = b"\x07\0\0\0\0\0\x01\0\x01\x01\x82\x01\x2c".to_vec();
        body.extend(packed.finish().unwrap());
        let Event::Rows(insert) = parse(166, &body).unwrap() else {
            panic!("rows are expected");
        };
        assert_eq!(&insert.rows[..], &[5; 300]);
        body[12] = 0x2d;
        assert_eq!(parse(166, &body), Err(Unreadable));
    }

    #[test]
    fn what_is_not_known_is_not_taken_for_nothing() {
        assert_eq!(parse(27, b""), Ok(Event::Other));
        assert_eq!(parse(172, b""), Ok(Event::Unknown));
        assert!(matches!(parse(40, b""), Ok(Event::Unreadable(_))));
    }

    #[test]
    fn mysql_tells_when_a_transaction_was_committed() {
        let mut body = vec![0; GTID_BYTES];
        let untold = Event::Begin {
            committed: None,
            is_alone: true,
        };
        assert_eq!(parse(34, &body), Ok(untold));
        body.extend_from_slice(&(1_790_000_000_000_000_u64 + (1 << 55)).to_le_bytes()[..7]);
        let begin = Event::Begin {
            committed: Some(1_790_000_000_000_000),
            is_alone: true,
        };
        assert_eq!(parse(33, &body), Ok(begin));
    }
}
