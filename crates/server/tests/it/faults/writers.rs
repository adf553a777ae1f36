//! Whoever works in a source while its rows are collected: small transactions one after the other, and one that
//! stays open for long and is committed late.
//!
//! Each transaction keeps the sum of the households of the rows in scope, and moves the version of one marked row
//! on. A target that holds half a transaction shows another sum; one that was thrown back shows an earlier version.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::RwLock, task::JoinHandle};

use super::{
    scene::{OF_THE_LONG_ONES, Resource, STABLE, code_of},
    sql::Session,
};
use crate::support::Random;

/// The writers of a scene. Held back while targets are compared with their sources.
pub struct Writers {
    gate: Arc<RwLock<()>>,
    stopped: Arc<AtomicBool>,
    committed: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Writers {
    /// Sets two writers to work in each source.
    pub fn start(resources: &[Resource], seed: u64) -> Self {
        let gate = Arc::new(RwLock::new(()));
        let stopped = Arc::new(AtomicBool::new(false));
        let committed = Arc::new(AtomicU64::new(0));
        let mut tasks = Vec::new();
        for resource in resources {
            let writer = |purpose: &str| Writer {
                url: resource.source.clone(),
                table: resource.table,
                random: Random::for_purpose(seed, &format!("{purpose} {}", resource.table)),
                gate: gate.clone(),
                stopped: stopped.clone(),
                committed: committed.clone(),
            };
            tasks.push(tokio::spawn(writer("short").write(Kind::Short)));
            tasks.push(tokio::spawn(writer("long").write(Kind::Long)));
        }
        Self {
            gate,
            stopped,
            committed,
            tasks,
        }
    }

    /// Holds back every commit as long as what is returned lives. A transaction may stay open meanwhile.
    pub async fn hold(&self) -> tokio::sync::OwnedRwLockWriteGuard<()> {
        self.gate.clone().write_owned().await
    }

    /// How many transactions were committed so far.
    pub fn committed(&self) -> u64 {
        self.committed.load(Ordering::Relaxed)
    }

    pub async fn stop(self) {
        self.stopped.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// The row that the `n`th transaction adds; two of three are in scope.
fn code_of_new(n: u32) -> String {
    code_of(STABLE + n * 2 + u32::from(n.is_multiple_of(3)))
}

const READ_COMMITTED: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

#[derive(Clone, Copy)]
enum Kind {
    Short,
    Long,
}

struct Writer {
    url: String,
    table: &'static str,
    random: Random,
    gate: Arc<RwLock<()>>,
    stopped: Arc<AtomicBool>,
    committed: Arc<AtomicU64>,
}

impl Writer {
    /// Writes until it is stopped; a server that is away is waited for.
    async fn write(mut self, kind: Kind) {
        let mut n = 0;
        while !self.stopped.load(Ordering::Relaxed) {
            let Ok(mut session) = Session::open(&self.url).await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            // So that MariaDB locks the rows themselves and not what lies between them.
            if !session.is_postgres() && session.run(READ_COMMITTED).await.is_err() {
                continue;
            }
            while !self.stopped.load(Ordering::Relaxed) {
                n += 1;
                let written = match kind {
                    Kind::Short => self.short(&mut session, n).await,
                    Kind::Long => self.long(&mut session, n).await,
                };
                if let Err(error) = written {
                    // Whether it was committed is read from the source itself.
                    tracing::debug!(error, "a writer was cut off");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    break;
                }
                self.committed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Some rows change, one comes, one that came earlier goes.
    async fn short(&mut self, session: &mut Session, n: u32) -> Result<(), String> {
        let gate = self.gate.clone();
        let guard = gate.read().await;
        let table = self.table;
        session.run("BEGIN").await?;
        // One way round, so that no two writers wait for each other.
        let (mut from, mut to) = (self.row_in_scope(), self.row_in_scope());
        if from > to {
            std::mem::swap(&mut from, &mut to);
        }
        let moved = self.random.below(9) + 1;
        for (row, sign) in [(from, '-'), (to, '+')] {
            let code = code_of(row);
            session
                .run(&format!(
                    "UPDATE {table} SET households = households {sign} {moved}, name = '第{row}村{n}改' \
                     WHERE code = '{code}'"
                ))
                .await?;
        }
        let new = code_of_new(n);
        session
            .run(&format!(
                "INSERT INTO {table} (code, name, parent_code, households, version) \
                 VALUES ('{new}', '新{n}村', '410402000', 0, {n})"
            ))
            .await?;
        if n > 40 {
            let gone = code_of_new(n - 40);
            session
                .run(&format!("DELETE FROM {table} WHERE code = '{gone}'"))
                .await?;
        }
        let marked = code_of(0);
        session
            .run(&format!(
                "UPDATE {table} SET version = version + 1 WHERE code = '{marked}'"
            ))
            .await?;
        session.run("COMMIT").await?;
        drop(guard);
        let pause = 20 + u64::from(self.random.below(60));
        tokio::time::sleep(Duration::from_millis(pause)).await;
        Ok(())
    }

    /// Rows that lie long in an open transaction.
    async fn long(&mut self, session: &mut Session, n: u32) -> Result<(), String> {
        let table = self.table;
        session.run("BEGIN").await?;
        let first = OF_THE_LONG_ONES + n % 100 * 20;
        for row in first..first + 20 {
            let code = code_of(row);
            session
                .run(&format!("DELETE FROM {table} WHERE code = '{code}'"))
                .await?;
            session
                .run(&format!(
                    "INSERT INTO {table} (code, name, parent_code, households, version) \
                     VALUES ('{code}', '迟{n}村', '410402000', 0, {n})"
                ))
                .await?;
        }
        let open = 500 + u64::from(self.random.below(4000));
        tokio::time::sleep(Duration::from_millis(open)).await;
        let guard = self.gate.read().await;
        session.run("COMMIT").await?;
        drop(guard);
        Ok(())
    }

    /// One of the rows that never go; every second one is in scope. The marked one is left alone.
    fn row_in_scope(&mut self) -> u32 {
        2 + self.random.below(STABLE / 2 - 1) * 2
    }
}
