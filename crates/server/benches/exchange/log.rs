//! The change log: how soon a commit at the provider is seen at the requester, by way of the pool, and how fast a
//! backlog of small transactions is caught up, beside PostgreSQL's own logical replication between the same servers.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value, json};
use tokio::sync::{RwLock, watch};
use tokio_postgres::{Client, NoTls};
use tongqu::features::exchange::engine::{Follower, KEYS_READ_BACK_MAX, deliver};

use crate::person::{self, People};
use crate::report::median;
use crate::road::{LIMITS, Road};
use crate::servers::{Servers, write_people};

const PEOPLE: u64 = 100_000;
/// Commits whose way is timed in each run, and how many there are in a second.
const COMMITS: usize = 500;
const COMMITS_EVERY: Duration = Duration::from_millis(20);
/// Transactions of a backlog, and over how many connections they are made.
const BACKLOG: usize = 100_000;
const WRITERS: usize = 4;

/// Milliseconds for half of the commits, for all but one in a hundred, and the backlog in multiples of native.
const P50_MAX: f64 = 20.0;
const P99_MAX: f64 = 100.0;
const CATCHUP_MAX: f64 = 2.0;

/// What was measured, run by run.
#[derive(Default)]
pub struct FollowedLog {
    /// Milliseconds of each commit.
    ours_ms: Vec<f64>,
    native_ms: Vec<f64>,
    /// Seconds of each backlog.
    ours_s: Vec<f64>,
    native_s: Vec<f64>,
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place among a few thousand"
    )]
    let place = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

impl FollowedLog {
    fn ratio(&self) -> f64 {
        median(&self.ours_s) / median(&self.native_s)
    }

    pub fn json(&self) -> Map<String, Value> {
        let rounded = |x: f64| (x * 1000.0).round() / 1000.0;
        let figures = json!({
            "log_p50_ms": rounded(quantile(&self.ours_ms, 0.5)),
            "log_p99_ms": rounded(quantile(&self.ours_ms, 0.99)),
            "log_native_p50_ms": rounded(quantile(&self.native_ms, 0.5)),
            "log_native_p99_ms": rounded(quantile(&self.native_ms, 0.99)),
            "log_catchup_s": rounded(median(&self.ours_s)),
            "log_catchup_ratio_to_native": rounded(self.ratio()),
        });
        figures.as_object().cloned().unwrap_or_default()
    }

    pub fn text(&self) -> String {
        let mut out = format!(
            "change log, PostgreSQL to pool to PostgreSQL; native: logical replication, no pool; {} runs\n",
            self.ours_s.len()
        );
        let mut line = |what: &str, native: f64, ours: f64, reached: bool, limit: String| {
            let verdict = if reached { "reached" } else { "missed" };
            let _ = writeln!(out, "{what:50} {native:8.2} {ours:8.2}  {limit} {verdict}");
        };
        for (what, share, most) in [("half", 0.5, P50_MAX), ("99 of 100", 0.99, P99_MAX)] {
            let (native, ours) = (
                quantile(&self.native_ms, share),
                quantile(&self.ours_ms, share),
            );
            let what = format!("commit to seen at 50 commits/s, {what}, ms");
            line(
                &what,
                native,
                ours,
                ours <= most,
                format!("<= {most:.0} ms"),
            );
        }
        let (native, ours) = (median(&self.native_s), median(&self.ours_s));
        let limit = format!("{:.2} x <= {CATCHUP_MAX:.2} x", self.ratio());
        let what = format!("{BACKLOG} single-row transactions caught up, s");
        line(&what, native, ours, self.ratio() <= CATCHUP_MAX, limit);
        out
    }
}

async fn client(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Both ways side by side: the requester's table that we fill, and a subscriber's that the server fills.
struct Both {
    road: Road,
    provider: String,
    requester: Arc<Client>,
    native: Arc<Client>,
    keys: Vec<String>,
}

/// Fills the provider's table and lets both ways come level, then times them in turn.
pub async fn measure(servers: &Servers, runs: u64) -> anyhow::Result<FollowedLog> {
    let both = Arc::new(Both::prepare(servers).await?);
    let (mut follower, _) =
        Follower::open(&both.road.source, &both.road.pool, "begin", LIMITS).await?;
    deliver(&both.road.delivery, &both.road.pool, "begin", LIMITS).await?;
    let mut measured = FollowedLog::default();
    for run in 0..runs {
        servers.settle_both()?;
        both.native_may_run(true).await?;
        measured
            .native_ms
            .extend(both.timed(&both.native, &format!("native-{run}")).await?);
        both.native_may_run(false).await?;
        let name = format!("ours-{run}");
        let timing = both.timed(&both.requester, &name);
        measured
            .ours_ms
            .extend(both.followed_until(&mut follower, timing).await?);
        drop(follower);

        both.write_backlog(&format!("backlog-{run}")).await?;
        servers.settle_both()?;
        let begun = Instant::now();
        both.native_may_run(true).await?;
        both.wait_for(&both.native, &format!("backlog-{run}"))
            .await?;
        measured.native_s.push(begun.elapsed().as_secs_f64());
        both.native_may_run(false).await?;
        servers.settle_both()?;
        let begun = Instant::now();
        follower = Follower::open(&both.road.source, &both.road.pool, "again", LIMITS)
            .await?
            .0;
        let mark = format!("backlog-{run}");
        let seen = both.wait_for(&both.requester, &mark);
        both.followed_until(&mut follower, seen).await?;
        measured.ours_s.push(begun.elapsed().as_secs_f64());
        drop(follower);
        both.compare().await?;
        follower = Follower::open(&both.road.source, &both.road.pool, "next", LIMITS)
            .await?
            .0;
    }
    Ok(measured)
}

impl Both {
    async fn prepare(servers: &Servers) -> anyhow::Result<Self> {
        let place = |server: &str, name: &str| format!("{server}{name}");
        let all = [
            (&servers.source, "log_provider"),
            (&servers.source, "log_pool"),
            (&servers.target, "log_requester"),
            (&servers.target, "log_native"),
        ];
        for (server, name) in all {
            servers.sql(&place(server, "tongqu"), &format!("CREATE DATABASE {name}"))?;
        }
        let [provider, pool, requester, native] = all.map(|(server, name)| place(server, name));
        let file = tempfile::NamedTempFile::new()?;
        write_people(file.path(), &mut People::new(7), PEOPLE, "+00")?;
        for database in [&provider, &native] {
            servers.sql(database, person::POSTGRES)?;
            let load = format!(
                "\\copy person from '{}'\nANALYZE person;\n",
                file.path().display()
            );
            servers.sql(database, &load)?;
        }
        servers.sql(&provider, "CREATE PUBLICATION native FOR TABLE person")?;
        // Slot and subscription apart: both in one statement would wait for themselves.
        servers.sql(
            &provider,
            "SELECT pg_create_logical_replication_slot('native', 'pgoutput')",
        )?;
        let subscribe = format!(
            "CREATE SUBSCRIPTION native CONNECTION '{provider}' PUBLICATION native \
             WITH (create_slot = false, slot_name = 'native', copy_data = false, enabled = false)"
        );
        servers.sql(&native, &subscribe)?;
        let road = Road::new(&provider, &pool, &requester).await?;
        let reader = client(&provider).await?;
        let keys = reader
            .query("SELECT id_card FROM person ORDER BY 1", &[])
            .await?;
        Ok(Self {
            road,
            requester: Arc::new(client(&requester).await?),
            native: Arc::new(client(&native).await?),
            keys: keys.iter().map(|row| row.get(0)).collect(),
            provider,
        })
    }

    /// Takes over what there is, and delivers it beside, as the server does, until `goal` is reached. The follower is
    /// to be opened anew afterwards.
    async fn followed_until<T: Send + 'static>(
        self: &Arc<Self>,
        follower: &mut Follower,
        goal: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let (moved, moves) = watch::channel(0);
        let gate = Arc::new(RwLock::new(()));
        let mut serving = tokio::spawn(Arc::clone(self).serve(moves, Arc::clone(&gate)));
        let following = async {
            let mut rows = 0;
            loop {
                let Some(batch) = follower.next(Duration::from_secs(1)).await? else {
                    continue;
                };
                let passing = gate.read().await;
                let followed = follower.take(batch, "follow").await?;
                drop(passing);
                let counts = followed.counts;
                ensure!(counts.quarantined == 0, "rows were set aside");
                rows += counts.delivered + counts.deleted;
                moved.send_replace(rows);
            }
        };
        let reached = tokio::select! {
            biased;
            reached = goal => reached,
            failed = following => failed,
            failed = &mut serving => failed?,
        };
        serving.abort();
        // A delivery that is under way ends with its connection.
        let _ended = serving.await;
        reached
    }

    /// Brings what was taken over; many rows while nothing else is.
    async fn serve<T: Send + 'static>(
        self: Arc<Self>,
        mut moves: watch::Receiver<u64>,
        gate: Arc<RwLock<()>>,
    ) -> anyhow::Result<T> {
        let mut served = 0;
        loop {
            moves.changed().await?;
            let rows = *moves.borrow_and_update();
            let are_many = rows - served > u64::try_from(KEYS_READ_BACK_MAX)?;
            let alone = if are_many {
                Some(gate.write().await)
            } else {
                None
            };
            deliver(&self.road.delivery, &self.road.pool, "follow", LIMITS).await?;
            drop(alone);
            served = rows;
        }
    }

    async fn native_may_run(&self, may: bool) -> anyhow::Result<()> {
        let what = if may { "ENABLE" } else { "DISABLE" };
        let sql = format!("ALTER SUBSCRIPTION native {what}");
        self.native.batch_execute(&sql).await?;
        let running = "SELECT count(*) FROM pg_stat_subscription WHERE subname = 'native' AND pid IS NOT NULL";
        while !may && self.native.query_one(running, &[]).await?.get::<_, i64>(0) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Commits single-row updates at an even pace, and gives for each the milliseconds from the end of its commit
    /// until it was seen through `seen_by`.
    async fn timed(&self, seen_by: &Arc<Client>, name: &str) -> anyhow::Result<Vec<f64>> {
        let writer = client(&self.provider).await?;
        let update = "UPDATE person SET remark = $2, updated_at = clock_timestamp() WHERE id_card = $1::text::bpchar";
        let update = writer.prepare(update).await?;
        // The way is level and warm before it is timed.
        let warm = format!("{name}-warm");
        writer.execute(&update, &[&self.keys[0], &warm]).await?;
        self.wait_for(seen_by, &warm).await?;
        let see = seen_by
            .prepare("SELECT remark FROM person WHERE id_card = $1")
            .await?;
        let mut ticks = tokio::time::interval(COMMITS_EVERY);
        let mut seeing = Vec::with_capacity(COMMITS);
        for (n, key) in self
            .keys
            .iter()
            .skip(1)
            .step_by(7)
            .take(COMMITS)
            .enumerate()
        {
            ticks.tick().await;
            let mark = format!("{name}-{n}");
            writer.execute(&update, &[key, &mark]).await?;
            let begun = Instant::now();
            let (client, see, key) = (Arc::clone(seen_by), see.clone(), key.clone());
            seeing.push(tokio::spawn(async move {
                loop {
                    let row = client.query_one(&see, &[&key]).await?;
                    if row.get::<_, Option<&str>>(0) == Some(mark.as_str()) {
                        return Ok::<_, tokio_postgres::Error>(begun.elapsed());
                    }
                    tokio::time::sleep(Duration::from_micros(500)).await;
                }
            }));
        }
        let mut times = Vec::with_capacity(COMMITS);
        for seen in seeing {
            times.push(seen.await??.as_secs_f64() * 1000.0);
        }
        Ok(times)
    }

    async fn is_seen(&self, by: &Client, mark: &str) -> anyhow::Result<bool> {
        let sql = "SELECT remark FROM person WHERE id_card = $1";
        let row = by.query_one(sql, &[&self.keys[0]]).await?;
        Ok(row.get::<_, Option<&str>>(0) == Some(mark))
    }

    async fn wait_for(&self, by: &Client, mark: &str) -> anyhow::Result<()> {
        while !self.is_seen(by, mark).await? {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Many single-row transactions, the last of which leaves a mark.
    async fn write_backlog(&self, mark: &str) -> anyhow::Result<()> {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let keys: Vec<String> = self
                .keys
                .iter()
                .skip(1 + writer)
                .step_by(WRITERS)
                .cloned()
                .collect();
            let client = client(&self.provider).await?;
            writers.spawn(async move {
                client.batch_execute("SET synchronous_commit = off").await?;
                let update = "UPDATE person SET household_id = coalesce(household_id, 0) + 1, \
                     updated_at = clock_timestamp() WHERE id_card = $1::text::bpchar";
                let update = client.prepare(update).await?;
                let count = BACKLOG / WRITERS;
                // A prime distance visits the keys in no order.
                let wild = (0..count).map(|n| &keys[n * 7919 % keys.len()]);
                for key in wild {
                    client.execute(&update, &[key]).await?;
                }
                Ok::<_, tokio_postgres::Error>(())
            });
        }
        while let Some(written) = writers.join_next().await {
            written??;
        }
        let client = client(&self.provider).await?;
        let sql = "UPDATE person SET remark = $2 WHERE id_card = $1::text::bpchar";
        client.execute(sql, &[&self.keys[0], &mark]).await?;
        Ok(())
    }

    /// Whether all three tables are alike, but for the masked column.
    async fn compare(&self) -> anyhow::Result<()> {
        let columns =
            "id_card::text, name, sex, birth, address, household_id, income, updated_at, remark";
        let sql = format!(
            "SELECT count(*) || ' ' || coalesce(sum(hashtextextended(ROW({columns})::text, 0)), 0) FROM person"
        );
        let provider = client(&self.provider).await?;
        let mut sums = Vec::new();
        for held in [&provider, &*self.requester, &*self.native] {
            held.batch_execute("SET timezone = 'UTC'").await?;
            sums.push(held.query_one(&sql, &[]).await?.get::<_, String>(0));
        }
        ensure!(sums[0] == sums[1], "the requester's table differs");
        let native = sums.get(2).context("three were summed")?;
        ensure!(sums[0] == *native, "the subscriber's table differs");
        Ok(())
    }
}
