//! The platform's end of a writing: sends frames, and keeps those that the agent hasn't said it has.

use std::collections::VecDeque;
use std::io;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use futures_util::{FutureExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::Method;
use hyper::body::{Frame, Incoming};
use tokio::sync::mpsc;

use super::Body;
use super::frames::{Piece, cut, is_last, numbered};
use super::line::{Line, broke};
use super::wire::Progress;
use crate::{BatchStream, Result};

/// Bytes that may be sent without the agent having said that they came.
const UNSEEN_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What was made of the changes and isn't safe with the agent yet.
struct Outbox {
    changes: BatchStream,
    unseen: VecDeque<Bytes>,
    unseen_bytes: usize,
    /// Number of the first of them.
    first: u64,
    /// The last frame has been made.
    whole: bool,
}

impl Outbox {
    fn is_done(&self) -> bool {
        self.whole && self.unseen.is_empty()
    }

    fn forget(&mut self, below: u64) {
        while self.first < below
            && let Some(payload) = self.unseen.pop_front()
        {
            self.unseen_bytes -= payload.len();
            self.first += 1;
        }
    }

    fn get(&self, number: u64) -> Option<&Bytes> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.unseen.get(place)
    }

    fn may_make(&self) -> bool {
        !self.whole && self.unseen_bytes < UNSEEN_BYTES_MAX
    }

    /// Makes frames of the next batch. May be dropped while it waits, without loss.
    async fn make(&mut self) {
        let pieces = match self.changes.next().await {
            Some(Ok(batch)) => cut(&batch).into_iter().map(Piece::Batch).collect(),
            Some(Err(error)) => vec![Piece::Failed(error)],
            None => vec![Piece::End],
        };
        for piece in pieces {
            let payload = piece.encode();
            self.whole |= is_last(&payload);
            self.unseen_bytes += payload.len();
            self.unseen.push_back(payload);
        }
    }
}

/// Sends all changes; returns when the agent has them, or they end in an error that it has.
///
/// Errors: `unreachable` when the line stays cut.
pub(super) async fn send(line: &Line, transfer: &str, changes: BatchStream) -> Result<()> {
    let mut outbox = Outbox {
        changes,
        unseen: VecDeque::new(),
        unseen_bytes: 0,
        first: 0,
        whole: false,
    };
    let mut is_first = true;
    while !outbox.is_done() {
        if !is_first {
            let path = format!("/transfers/{transfer}/progress");
            let progress: Progress = line.ask_again(&Method::GET, &path).await?;
            outbox.forget(progress.next);
        }
        is_first = false;
        // Broken: the next round asks how far it came.
        let _ = send_on_one_line(line, transfer, &mut outbox).await?;
    }
    Ok(())
}

async fn send_on_one_line(
    line: &Line,
    transfer: &str,
    outbox: &mut Outbox,
) -> Result<io::Result<()>> {
    let path = format!("/transfers/{transfer}/frames");
    // The body of a call that is repeated begins anew, so its sender is handed over from inside.
    let (hand_over, mut handed) = mpsc::unbounded_channel();
    let make = move || {
        let (sender, body) = channel();
        // The receiver lives beside the call.
        let _ = hand_over.send(sender);
        body
    };
    let answer = line.go_on(&Method::PUT, &path, &make).await?;
    let mut sender = None;
    while let Some(Some(newer)) = handed.recv().now_or_never() {
        sender = Some(newer);
    }
    let Some(sender) = sender else {
        return Ok(Err(io::ErrorKind::BrokenPipe.into()));
    };
    Ok(exchange(outbox, sender, answer.into_body()).await)
}

type Sender = mpsc::Sender<io::Result<Frame<Bytes>>>;

fn channel() -> (Sender, Body) {
    let (sender, receiver) = mpsc::channel(2);
    let frames = stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    });
    (sender, StreamBody::new(frames).boxed_unsync())
}

/// Sends and hears what has come, both at once.
async fn exchange(outbox: &mut Outbox, sender: Sender, mut answers: Incoming) -> io::Result<()> {
    let mut next = outbox.first;
    let mut heard = BytesMut::new();
    while !outbox.is_done() {
        let waiting = outbox.get(next).cloned();
        let (has_waiting, may_make) = (waiting.is_some(), outbox.may_make());
        tokio::select! {
            answer = answers.frame() => {
                let Some(answer) = answer else {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                };
                if let Ok(bytes) = answer.map_err(broke)?.into_data() {
                    heard.extend_from_slice(&bytes);
                }
                while heard.len() >= size_of::<u64>() {
                    let number = heard.split_to(size_of::<u64>());
                    let number = <[u8; 8]>::try_from(&number[..]).expect("eight bytes");
                    outbox.forget(u64::from_be_bytes(number));
                }
            }
            place = sender.reserve(), if has_waiting => {
                let place = place.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
                if let Some(payload) = waiting {
                    place.send(Ok(Frame::data(numbered(next, &payload))));
                    next += 1;
                }
            }
            () = outbox.make(), if may_make && !has_waiting => {}
        }
    }
    Ok(())
}
