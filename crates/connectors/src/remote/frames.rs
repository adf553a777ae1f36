//! Batches cut into frames of bounded size, each with its number, and back.
//!
//! A frame is `number: u64, length: u32, payload`; a payload is `kind: u8, length before compression: u32, LZ4 block`.
//! Lengths are looked at before memory is taken for them, and what can't be read is an error and never a panic:
//! the other side is another department's machine.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::wire::message;
use super::{FRAME_ROWS_BYTES, MESSAGE_BYTES_MAX};
use crate::batches::weight;
use crate::query::BATCH_BYTES_LIMIT;
use crate::{ConnectorError, RecordBatch, Result};

/// A frame holds at most one batch of a single row beyond the limit of batches, and what Arrow adds.
const RAW_BYTES_MAX: usize = BATCH_BYTES_LIMIT * 2;
const HEADER: usize = 12;

/// What a frame tells.
#[derive(Debug)]
pub(super) enum Piece {
    Batch(RecordBatch),
    Failed(ConnectorError),
    /// Said aloud: a stream that merely stops was cut.
    End,
}

const BATCH: u8 = 0;
const FAILED: u8 = 1;
const END: u8 = 2;

/// Whether a payload is the last of its transfer.
pub(super) fn is_last(payload: &Bytes) -> bool {
    payload.first() != Some(&BATCH)
}

impl Piece {
    /// As a payload.
    pub(super) fn encode(&self) -> Bytes {
        match self {
            Self::Batch(batch) => packed(BATCH, &arrow(batch)),
            Self::Failed(error) => packed(FAILED, &message(error)),
            Self::End => packed(END, &[]),
        }
    }

    /// From a payload.
    ///
    /// Errors: [`ConnectorError::BatchInvalid`].
    pub(super) fn decode(payload: &Bytes) -> Result<Self> {
        let (kind, raw) = unpacked(payload)?;
        match kind {
            BATCH => batch_of(raw).map(Self::Batch),
            FAILED => {
                let error = ciborium::from_reader(raw.as_slice());
                error.map(Self::Failed).map_err(|_| unfit())
            }
            END => Ok(Self::End),
            _ => Err(unfit()),
        }
    }
}

fn unfit() -> ConnectorError {
    ConnectorError::BatchInvalid {
        reason: "what came over the agent's line can't be read; bring agent and platform to the same version"
            .to_owned(),
    }
}

fn packed(kind: u8, raw: &[u8]) -> Bytes {
    let block = lz4_flex::block::compress(raw);
    let mut payload = BytesMut::with_capacity(block.len() + 5);
    payload.put_u8(kind);
    payload.put_u32(u32::try_from(raw.len()).expect("batches are bounded far below"));
    payload.extend_from_slice(&block);
    payload.freeze()
}

fn unpacked(payload: &Bytes) -> Result<(u8, Vec<u8>)> {
    let mut rest = &payload[..];
    let kind = rest.try_get_u8().map_err(|_| unfit())?;
    let length = rest.try_get_u32().map_err(|_| unfit())? as usize;
    if length > RAW_BYTES_MAX {
        return Err(unfit());
    }
    let raw = lz4_flex::block::decompress(rest, length).map_err(|_| unfit())?;
    Ok((kind, raw))
}

fn arrow(batch: &RecordBatch) -> Vec<u8> {
    let written = StreamWriter::try_new(Vec::new(), &batch.schema()).and_then(|mut writer| {
        writer.write(batch)?;
        writer.into_inner()
    });
    written.expect("a batch of our own types is written to memory")
}

/// The decoder trusts the lengths inside a message and panics where they lie.
fn batch_of(raw: Vec<u8>) -> Result<RecordBatch> {
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        let mut decoder = StreamDecoder::new();
        let mut buffer = Buffer::from_vec(raw);
        decoder.decode(&mut buffer)
    }));
    match decoded {
        Ok(Ok(Some(batch))) => Ok(batch),
        Ok(Ok(None) | Err(_)) | Err(_) => Err(unfit()),
    }
}

/// The batch in pieces that fit a frame.
pub(super) fn cut(batch: &RecordBatch) -> Vec<RecordBatch> {
    let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
    let pieces = weight(batch)
        .div_ceil(FRAME_ROWS_BYTES)
        .clamp(1, rows.max(1));
    let of_piece = usize::try_from(rows.div_ceil(pieces))
        .unwrap_or(usize::MAX)
        .max(1);
    let cuts = (0..batch.num_rows().max(1)).step_by(of_piece);
    cuts.map(|from| batch.slice(from, of_piece.min(batch.num_rows() - from)))
        .collect()
}

/// A payload with its number, ready for the line.
pub(super) fn numbered(number: u64, payload: &Bytes) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEADER + payload.len());
    frame.put_u64(number);
    frame.put_u32(u32::try_from(payload.len()).expect("payloads are bounded far below"));
    frame.extend_from_slice(payload);
    frame.freeze()
}

/// Puts frames together from what comes in.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
    waiting: BytesMut,
}

impl FrameReader {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The next whole frame: its number and payload.
    ///
    /// Errors: [`ConnectorError::BatchInvalid`] if it is longer than any.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Bytes)>> {
        if self.waiting.len() < HEADER {
            return Ok(None);
        }
        let mut header = &self.waiting[..HEADER];
        let (number, length) = (header.get_u64(), header.get_u32() as usize);
        if length > RAW_BYTES_MAX + MESSAGE_BYTES_MAX {
            return Err(unfit());
        }
        if self.waiting.len() < HEADER + length {
            return Ok(None);
        }
        self.waiting.advance(HEADER);
        Ok(Some((number, self.waiting.split_to(length).freeze())))
    }
}

#[cfg(test)]
mod tests {
    use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

    use super::*;
    use crate::rows::{BatchBuilder, Rows};

    fn batch(rows: usize, bytes: usize) -> RecordBatch {
        let column = |name: &str, column_type| Column {
            name: name.to_owned(),
            column_type,
            nullable: false,
        };
        let chars_max = Some(9_999_999);
        let columns = [
            column("no", ColumnType::Int64),
            column("text", ColumnType::Text { chars_max }),
        ];
        let mut builder = BatchBuilder::new(&columns);
        let text = "𠮷".repeat(bytes / 4);
        for row in 0..rows {
            let no = ValueRef::Int(i64::try_from(row).unwrap());
            builder.push_row(&[no, ValueRef::Text(&text)]).unwrap();
        }
        builder.finish()
    }

    #[test]
    fn a_batch_comes_back_with_its_columns_and_rows() {
        for (rows, bytes) in [(0, 0), (1, 12), (3000, 1000), (3, 5_000_000)] {
            let sent = batch(rows, bytes);
            let pieces = cut(&sent);
            let mut arrived = Vec::new();
            for piece in &pieces {
                assert!(piece.num_rows() <= 1 || weight(piece) <= FRAME_ROWS_BYTES * 5 / 4);
                let Piece::Batch(piece) =
                    Piece::decode(&Piece::Batch(piece.clone()).encode()).unwrap()
                else {
                    panic!("it was a batch");
                };
                assert_eq!(piece.schema(), sent.schema(), "lengths of text included");
                let view = Rows::new(&piece).unwrap();
                arrived.extend((0..view.len()).map(|row| format!("{:?}", view.value(row, 0))));
            }
            let all: Vec<_> = (0..rows).map(|row| format!("Int({row})")).collect();
            assert_eq!(arrived, all);
        }
    }

    #[test]
    fn errors_come_back_as_they_were() {
        let said = ConnectorError::Timeout {
            store: "postgres://db/x".to_owned(),
            doing: "wait".into(),
            waited_ms: 7,
        };
        let payload = Piece::Failed(said.clone()).encode();
        assert!(is_last(&payload));
        let Piece::Failed(heard) = Piece::decode(&payload).unwrap() else {
            panic!("it was an error");
        };
        assert_eq!(heard, said);
    }

    #[test]
    fn frames_are_put_together_from_any_pieces() {
        let payload = Piece::Batch(batch(100, 40)).encode();
        let mut line = numbered(7, &payload).to_vec();
        line.extend_from_slice(&numbered(8, &Piece::End.encode()));
        let mut reader = FrameReader::default();
        let mut found = Vec::new();
        for bytes in line.chunks(5) {
            reader.feed(bytes);
            while let Some((number, payload)) = reader.next().unwrap() {
                found.push((number, is_last(&payload)));
            }
        }
        assert_eq!(found, [(7, false), (8, true)]);
    }

    #[test]
    fn whatever_comes_is_an_error_and_never_a_panic() {
        let good = Piece::Batch(batch(50, 40)).encode();
        let (kind, raw) = unpacked(&good).unwrap();
        for at in 0..raw.len() {
            for change in [0xFF, 0x80, 0x01] {
                let mut bad = raw.clone();
                bad[at] ^= change;
                // Some changes leave a batch that can be read.
                if let Ok(Piece::Batch(batch)) = Piece::decode(&packed(kind, &bad)) {
                    let _ = Rows::new(&batch);
                }
            }
        }
        let mut long = BytesMut::new();
        long.put_u8(BATCH);
        long.put_u32(u32::MAX);
        assert!(Piece::decode(&long.freeze()).is_err(), "no memory is taken");
        assert!(Piece::decode(&Bytes::new()).is_err());
        let mut reader = FrameReader::default();
        reader.feed(&[0xFF; HEADER]);
        assert!(reader.next().is_err());
    }
}
