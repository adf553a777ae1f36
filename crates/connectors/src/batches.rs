//! Streams of batches with backpressure, and the pipe through which a store feeds one.

use std::future::Future;

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc;

use crate::{ConnectorError, RecordBatch, Result};

/// Batches in order, bounded in rows and bytes; the reader's pace is the store's pace.
pub type BatchStream = BoxStream<'static, Result<RecordBatch>>;

/// Batches that may wait between a store and its reader: one to be taken while one is filled.
const BATCHES_WAITING_MAX: usize = 2;

/// Batches that wait for a writing thread.
const CHANGES_WAITING_MAX: usize = 1;

/// What a writing thread takes in: batches, then `None`. Closed without it means that the caller went away.
pub(crate) type Changes = mpsc::Receiver<Option<Result<RecordBatch>>>;

/// Feeds `changes` to a thread that `work` begins. What the thread refuses is told at once, even if the stream would make
/// us wait.
pub(crate) async fn fed<T, F>(
    mut changes: BatchStream,
    work: impl FnOnce(Changes) -> F,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let (sender, receiver) = mpsc::channel(CHANGES_WAITING_MAX);
    let feed = async move {
        while let Some(next) = changes.next().await {
            // A closed channel means that the thread has failed and tells why itself.
            if sender.send(Some(next)).await.is_err() {
                return;
            }
        }
        let _ = sender.send(None).await;
    };
    let mut work = std::pin::pin!(work(receiver));
    tokio::select! {
        biased;
        done = &mut work => done,
        () = feed => work.await,
    }
}

/// A stream of this one batch.
#[must_use]
pub fn one_batch(batch: RecordBatch) -> BatchStream {
    stream::iter([Ok(batch)]).boxed()
}

/// Bytes of the values of a batch, without what a slice leaves out.
pub(crate) fn weight(batch: &RecordBatch) -> u64 {
    let columns = batch.columns().iter();
    let bytes = columns.map(|column| column.to_data().get_slice_memory_size().unwrap_or(0));
    bytes
        .map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX))
        .sum()
}

/// What goes through the pipe. The end is said aloud: a feeder that dies without a word must not
/// look like one that has finished, since the reader may delete what it didn't get.
enum Piece {
    Batch(RecordBatch),
    Failed(ConnectorError),
    End,
}

/// The feeding end of a pipe.
pub(crate) struct Feeder(mpsc::Sender<Piece>);

/// The reader went away; the feeder should stop at once.
pub(crate) struct ReaderGone;

impl Feeder {
    pub(crate) async fn give(&self, batch: RecordBatch) -> Result<(), ReaderGone> {
        self.0
            .send(Piece::Batch(batch))
            .await
            .map_err(|_| ReaderGone)
    }

    /// As [`Feeder::give`], from a thread that may block.
    pub(crate) fn give_blocking(&self, batch: RecordBatch) -> Result<(), ReaderGone> {
        self.0
            .blocking_send(Piece::Batch(batch))
            .map_err(|_| ReaderGone)
    }

    /// Returns once nobody reads any more.
    pub(crate) async fn reader_gone(&self) {
        self.0.closed().await;
    }

    /// Ends the stream, well or not.
    pub(crate) async fn end(self, outcome: Result<()>) {
        let _ = self.0.send(last_piece(outcome)).await;
    }

    /// As [`Feeder::end`], from a thread that may block.
    pub(crate) fn end_blocking(self, outcome: Result<()>) {
        let _ = self.0.blocking_send(last_piece(outcome));
    }
}

fn last_piece(outcome: Result<()>) -> Piece {
    match outcome {
        Ok(()) => Piece::End,
        Err(error) => Piece::Failed(error),
    }
}

/// A pipe out of `store`. `guard` lives as long as the stream: dropping it tells the feeder to stop.
pub(crate) fn pipe<G: Send + 'static>(store: String, guard: G) -> (Feeder, BatchStream) {
    let (sender, receiver) = mpsc::channel(BATCHES_WAITING_MAX);
    let state = Some((receiver, store, guard));
    let stream = stream::unfold(state, |state| async move {
        let (mut receiver, store, guard) = state?;
        match receiver.recv().await {
            Some(Piece::Batch(batch)) => Some((Ok(batch), Some((receiver, store, guard)))),
            Some(Piece::Failed(error)) => Some((Err(error), None)),
            Some(Piece::End) => None,
            None => Some((Err(ConnectorError::Interrupted { store }), None)),
        }
    });
    (Feeder(sender), stream.boxed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_feeder_that_dies_is_not_an_end() {
        let (feeder, mut stream) = pipe("sqlite:a.db".to_owned(), ());
        drop(feeder);
        assert_eq!(
            stream.next().await.unwrap().unwrap_err().code(),
            "store.interrupted"
        );
        assert!(stream.next().await.is_none());

        let (feeder, mut stream) = pipe("sqlite:a.db".to_owned(), ());
        feeder.end(Ok(())).await;
        assert!(stream.next().await.is_none());
    }
}
