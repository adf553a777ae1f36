//! A store that is read and written no faster than its department allows.
//!
//! What passes is cut into pieces of a tenth of a second, and each piece waits until it has been paid for in time, so
//! that there is no burst, however large the batches are. All readings and writings of a store that share a [`Pace`]
//! share its rate. Batches are asked for so small that a database is waited for in fractions of a second at most, well
//! within the time after which one hangs up on a slow reader.
//!
//! While a piece waits, whoever reads keeps the snapshot that a reading has anyway. A store that is written to stages
//! what comes before it begins its transaction, except where it takes the first rows of an empty table straight in.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use tokio::time::{Duration, Instant};

use crate::batches::weight;
use crate::{
    Address, Applied, ApplyPlan, BatchStream, ChangeLog, KeyCheck, LogPosition, LogQuery, LogState,
    Query, RecordBatch, Result, Snapshot, Store, TableInfo,
};

/// What may pass in a second; at least one of both is set, or nothing is held up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// Rows a second; `None` is without limit.
    pub rows: Option<u64>,
    /// Bytes of values a second; `None` is without limit.
    pub bytes: Option<u64>,
}

impl Rate {
    /// Whether anything is held up.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.rows.is_some() || self.bytes.is_some()
    }

    /// How long it takes to pay for this.
    fn cost(&self, rows: u64, bytes: u64) -> Duration {
        let seconds = |amount: u64, rate: Option<u64>| {
            rate.map_or(Duration::ZERO, |rate| {
                let nanos = u128::from(amount) * 1_000_000_000 / u128::from(rate.max(1));
                Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            })
        };
        seconds(rows, self.rows).max(seconds(bytes, self.bytes))
    }

    /// The rows of a piece, by what rows have weighed.
    fn rows_of_piece(&self, rows: u64, bytes: u64) -> u64 {
        let by_rows = self.rows.map(|rate| rate / PIECES_A_SECOND);
        let by_bytes = self.bytes.map(|rate| {
            let piece = u128::from(rate / PIECES_A_SECOND) * u128::from(rows);
            u64::try_from(piece / u128::from(bytes.max(1))).unwrap_or(u64::MAX)
        });
        let least = by_rows.into_iter().chain(by_bytes).min();
        least.unwrap_or(u64::MAX).max(1)
    }
}

/// Pieces into which the work of a second is cut.
const PIECES_A_SECOND: u64 = 10;

/// A batch holds at most this part of a second: two may wait between a store and its reader while one is filled.
const BATCHES_A_SECOND: u64 = 4;

/// Clocks wake a little late, which shall not add up. More than this isn't made up for.
const LATENESS_FORGIVEN: Duration = Duration::from_millis(50);

/// The rate of a store, and until when it is used up.
#[derive(Debug)]
pub struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    rate: Rate,
    /// When the next piece may begin to be paid for; what lies idle isn't saved up.
    free_at: Option<Instant>,
}

impl Pace {
    /// A pace of this rate.
    #[must_use]
    pub fn new(rate: Rate) -> Arc<Self> {
        let state = State {
            rate,
            free_at: None,
        };
        Arc::new(Self(Mutex::new(state)))
    }

    /// Has another rate hold from the next piece on.
    pub fn set(&self, rate: Rate) {
        self.state().rate = rate;
    }

    fn rate(&self) -> Rate {
        self.state().rate
    }

    /// Pays for a piece; gives when it may pass.
    fn pay(&self, rows: u64, bytes: u64) -> Instant {
        let now = Instant::now();
        let mut state = self.state();
        let cost = state.rate.cost(rows, bytes);
        let earliest = now.checked_sub(LATENESS_FORGIVEN).unwrap_or(now);
        let begins = state.free_at.map_or(now, |free| free.max(earliest));
        let passes = begins.checked_add(cost).unwrap_or(begins);
        state.free_at = Some(passes);
        passes
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same batches in smaller pieces, none before its time.
pub fn paced(batches: BatchStream, pace: Arc<Pace>) -> BatchStream {
    let state = (batches, pace, None::<RecordBatch>);
    stream::unfold(state, |(mut batches, pace, left)| async move {
        let batch = match left {
            Some(batch) => batch,
            None => match batches.next().await? {
                Ok(batch) => batch,
                Err(error) => return Some((Err(error), (batches, pace, None))),
            },
        };
        let rate = pace.rate();
        if !rate.is_limited() || batch.num_rows() == 0 {
            return Some((Ok(batch), (batches, pace, None)));
        }
        let rows = rate.rows_of_piece(count(batch.num_rows()), weight(&batch));
        let rows = usize::try_from(rows)
            .unwrap_or(usize::MAX)
            .min(batch.num_rows());
        let piece = batch.slice(0, rows);
        let left = (rows < batch.num_rows()).then(|| batch.slice(rows, batch.num_rows() - rows));
        let passes = pace.pay(count(rows), weight(&piece));
        tokio::time::sleep_until(passes).await;
        Some((Ok(piece), (batches, pace, left)))
    })
    .boxed()
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// A store behind a pace.
#[derive(Debug)]
pub struct PacedStore {
    store: Arc<dyn Store>,
    pace: Arc<Pace>,
}

impl PacedStore {
    /// Puts `store` behind `pace`.
    #[must_use]
    pub fn of(store: Arc<dyn Store>, pace: Arc<Pace>) -> Arc<dyn Store> {
        Arc::new(Self { store, pace })
    }
}

#[async_trait]
impl Store for PacedStore {
    fn address(&self) -> &Address {
        self.store.address()
    }

    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }

    async fn tables(&self) -> Result<Vec<String>> {
        self.store.tables().await
    }

    async fn discover(&self, table: &str) -> Result<TableInfo> {
        self.store.discover(table).await
    }

    async fn check_key(&self, table: &str, key: &[String]) -> Result<KeyCheck> {
        self.store.check_key(table, key).await
    }

    async fn read(&self, mut query: Query) -> Result<BatchStream> {
        let rate = self.pace.rate();
        let part = |rate: u64| usize::try_from(rate / BATCHES_A_SECOND).unwrap_or(usize::MAX);
        if let Some(rows) = rate.rows {
            query.batch_rows_max = query.batch_rows_max.min(part(rows)).max(1);
        }
        if let Some(bytes) = rate.bytes {
            query.batch_bytes_max = query.batch_bytes_max.min(part(bytes)).max(1);
        }
        let batches = self.store.read(query).await?;
        Ok(paced(batches, self.pace.clone()))
    }

    /// Summing up reads every row as fast as the server can, so a store that is to be spared isn't summed up.
    async fn snapshot(&self, query: Query, key: &[String]) -> Result<Option<Box<dyn Snapshot>>> {
        if self.pace.rate().is_limited() {
            return Ok(None);
        }
        self.store.snapshot(query, key).await
    }

    fn prefers_key_order(&self) -> bool {
        self.store.prefers_key_order()
    }

    async fn apply(&self, plan: ApplyPlan, changes: BatchStream) -> Result<Applied> {
        let changes = paced(changes, self.pace.clone());
        self.store.apply(plan, changes).await
    }

    /// What the log sends isn't paced: a reader that lags behind has the provider keep what was sent.
    async fn open_log(
        &self,
        query: LogQuery,
        after: Option<LogPosition>,
    ) -> Result<Box<dyn ChangeLog>> {
        self.store.open_log(query, after).await
    }

    async fn check_log(&self, query: &LogQuery) -> Result<()> {
        self.store.check_log(query).await
    }

    async fn log_state(&self, consumer: &str) -> Result<LogState> {
        self.store.log_state(consumer).await
    }

    async fn drop_log(&self, consumer: &str) -> Result<()> {
        self.store.drop_log(consumer).await
    }

    async fn cursor(&self, consumer: &str) -> Result<Option<i64>> {
        self.store.cursor(consumer).await
    }

    async fn drop_consumer(&self, consumer: &str) -> Result<()> {
        self.store.drop_consumer(consumer).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;
    use tongqu_domain::exchange::{Column, ColumnType, ValueRef};

    use super::*;
    use crate::{ConnectorError, rows::BatchBuilder};

    fn batch(rows: usize, text: &str) -> RecordBatch {
        let columns = [Column {
            name: "text".to_owned(),
            column_type: ColumnType::Text { chars_max: None },
            nullable: false,
        }];
        let mut builder = BatchBuilder::new(&columns);
        for _ in 0..rows {
            builder.push_row(&[ValueRef::Text(text)]).unwrap();
        }
        builder.finish()
    }

    fn batches(of: Vec<RecordBatch>) -> BatchStream {
        stream::iter(of.into_iter().map(Ok)).boxed()
    }

    fn rows_a_second(rows: u64) -> Rate {
        Rate {
            rows: Some(rows),
            bytes: None,
        }
    }

    /// When each piece passed, in milliseconds, and its rows and bytes.
    async fn passed(stream: BatchStream) -> Vec<(u128, u64, u64)> {
        let begun = Instant::now();
        stream
            .map_ok(|piece| {
                let at = begun.elapsed().as_millis();
                (at, count(piece.num_rows()), weight(&piece))
            })
            .try_collect()
            .await
            .unwrap()
    }

    /// The most that passed within any second.
    fn most(pieces: &[(u128, u64, u64)], of: fn(&(u128, u64, u64)) -> u64) -> u64 {
        let within = |from: u128| {
            let some = pieces.iter().filter(|p| p.0 >= from && p.0 < from + 1000);
            some.map(of).sum()
        };
        pieces.iter().map(|p| within(p.0)).max().unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn rows_pass_at_their_rate_without_a_burst() {
        let stream = batches(vec![batch(700, "x"), batch(0, ""), batch(300, "x")]);
        let pieces = passed(paced(stream, Pace::new(rows_a_second(100)))).await;
        assert_eq!(pieces.iter().map(|p| p.1).sum::<u64>(), 1000);
        assert_eq!(
            pieces.last().unwrap().0,
            10_000,
            "1000 rows at 100 a second"
        );
        assert_eq!(most(&pieces, |p| p.1), 100, "never more within a second");
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_pass_at_their_rate_whatever_the_rows_weigh() {
        let (long, short) = ("長".repeat(200), "x");
        let stream = batches(vec![batch(100, &long), batch(1000, short)]);
        let rate = Rate {
            rows: None,
            bytes: Some(10_000),
        };
        let pieces = passed(paced(stream, Pace::new(rate))).await;
        assert_eq!(pieces.iter().map(|p| p.1).sum::<u64>(), 1100);
        let bytes: u64 = pieces.iter().map(|p| p.2).sum();
        let ms = u64::try_from(pieces.last().unwrap().0).unwrap();
        assert!(bytes > 60_000);
        assert!(ms.abs_diff(bytes / 10) < 20, "{bytes} bytes in {ms} ms");
        let most = most(&pieces, |p| p.2);
        assert!(most <= 11_000, "{most} bytes within a second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_that_weighs_more_than_a_second_waits_for_itself() {
        let stream = batches(vec![batch(2, &"x".repeat(50_000))]);
        let rate = Rate {
            rows: Some(1000),
            bytes: Some(10_000),
        };
        let pieces = passed(paced(stream, Pace::new(rate))).await;
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0].0 / 1000, 5);
        assert_eq!(pieces[1].0 / 1000, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn all_streams_of_a_store_share_its_rate() {
        let pace = Pace::new(rows_a_second(100));
        let one = passed(paced(batches(vec![batch(200, "x")]), pace.clone()));
        let other = passed(paced(batches(vec![batch(200, "x")]), pace));
        let (one, other) = tokio::join!(one, other);
        let mut both = [one, other].concat();
        both.sort_unstable();
        assert_eq!(both.last().unwrap().0, 4000);
        assert_eq!(most(&both, |p| p.1), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn what_lay_idle_is_not_saved_up_and_another_rate_holds_at_once() {
        let pace = Pace::new(rows_a_second(10));
        passed(paced(batches(vec![batch(1, "x")]), pace.clone())).await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        let pieces = passed(paced(batches(vec![batch(20, "x")]), pace.clone())).await;
        assert_eq!(pieces.last().unwrap().0, 1950);
        tokio::time::sleep(Duration::from_millis(50)).await;
        pace.set(rows_a_second(1000));
        let pieces = passed(paced(batches(vec![batch(1000, "x")]), pace.clone())).await;
        assert_eq!(pieces.last().unwrap().0, 950);
        pace.set(Rate::default());
        let pieces = passed(paced(batches(vec![batch(1000, "x")]), pace)).await;
        assert_eq!(
            pieces.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(),
            [(0, 1000)]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_passes_at_once() {
        let stopped = ConnectorError::Stopped {
            reason: "test".to_owned(),
        };
        let stream = stream::iter([Err(stopped)]).boxed();
        let mut stream = paced(stream, Pace::new(rows_a_second(1)));
        let begun = Instant::now();
        assert!(stream.next().await.unwrap().is_err());
        assert!(stream.next().await.is_none());
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
