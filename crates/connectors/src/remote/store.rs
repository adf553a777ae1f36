//! A store behind an agent, as any other store.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use http_body_util::BodyExt as _;
use hyper::Method;
use hyper::body::Incoming;
use tokio::task::JoinHandle;

use super::frames::{FrameReader, Piece};
use super::line::Line;
use super::sending::send;
use super::wire::{Answer, Ask, whole};
use crate::{
    Address, Applied, ApplyPlan, BatchStream, ConnectorError, KeyCheck, Query, Result, Store,
    TableInfo,
};

/// One store beside an agent.
#[derive(Debug)]
pub struct AgentStore {
    address: Address,
    name: String,
    line: Arc<Line>,
}

impl AgentStore {
    /// The store at `address`, which is `agent://AGENT/STORE`, over the way to that agent.
    ///
    /// Errors: `address_invalid` if it isn't one.
    pub fn of(address: Address, line: Arc<Line>) -> Result<Arc<dyn Store>> {
        let Some((_, name)) = address.behind_agent() else {
            return Err(ConnectorError::AddressInvalid {
                reason: "it names no store of an agent".to_owned(),
            });
        };
        let name = name.to_owned();
        Ok(Arc::new(Self {
            address,
            name,
            line,
        }))
    }

    async fn ask(&self, ask: Ask) -> Result<Answer> {
        let path = format!("/stores/{}/ask", self.name);
        self.line.ask::<Result<Answer>>(&path, &ask).await?
    }

    fn unfit<T>(&self) -> Result<T> {
        Err(self.line.unfit())
    }
}

#[async_trait]
impl Store for AgentStore {
    fn address(&self) -> &Address {
        &self.address
    }

    async fn ping(&self) -> Result<()> {
        match self.ask(Ask::Ping).await? {
            Answer::Done => Ok(()),
            _ => self.unfit(),
        }
    }

    async fn tables(&self) -> Result<Vec<String>> {
        match self.ask(Ask::Tables).await? {
            Answer::Tables(tables) => Ok(tables),
            _ => self.unfit(),
        }
    }

    async fn discover(&self, table: &str) -> Result<TableInfo> {
        let table = table.to_owned();
        match self.ask(Ask::Discover { table }).await? {
            Answer::Table(info) => Ok(info),
            _ => self.unfit(),
        }
    }

    async fn check_key(&self, table: &str, key: &[String]) -> Result<KeyCheck> {
        let (table, key) = (table.to_owned(), key.to_vec());
        match self.ask(Ask::CheckKey { table, key }).await? {
            Answer::Key(check) => Ok(check),
            _ => self.unfit(),
        }
    }

    async fn read(&self, query: Query) -> Result<BatchStream> {
        let transfer = Begun::new(&self.line);
        let path = format!("/stores/{}/read/{}", self.name, transfer.name);
        self.line.ask::<Result<()>>(&path, &query).await??;
        Ok(Reading::stream(transfer, self.address.to_string()))
    }

    fn prefers_key_order(&self) -> bool {
        let facts = self.line.facts(&self.name);
        facts.is_some_and(|facts| facts.prefers_key_order)
    }

    async fn apply(&self, plan: ApplyPlan, changes: BatchStream) -> Result<Applied> {
        let transfer = Begun::new(&self.line);
        let path = format!("/stores/{}/apply/{}", self.name, transfer.name);
        self.line.ask::<Result<()>>(&path, &plan).await??;
        let sending = send(&self.line, &transfer.name, changes);
        let outcome = self.outcome(&transfer.name);
        tokio::pin!(sending, outcome);
        tokio::select! {
            // A refusal doesn't wait for the last row.
            applied = &mut outcome => return applied,
            sent = &mut sending => sent?,
        }
        outcome.await
    }

    async fn cursor(&self, consumer: &str) -> Result<Option<i64>> {
        let consumer = consumer.to_owned();
        match self.ask(Ask::Cursor { consumer }).await? {
            Answer::Cursor(cursor) => Ok(cursor),
            _ => self.unfit(),
        }
    }

    async fn drop_consumer(&self, consumer: &str) -> Result<()> {
        let consumer = consumer.to_owned();
        match self.ask(Ask::DropConsumer { consumer }).await? {
            Answer::Done => Ok(()),
            _ => self.unfit(),
        }
    }

    fn no_log(&self) -> ConnectorError {
        ConnectorError::LogUnavailable {
            store: self.address.to_string(),
            reason: "a change log isn't read through an agent".to_owned(),
        }
    }
}

impl AgentStore {
    async fn outcome(&self, transfer: &str) -> Result<Applied> {
        let path = format!("/transfers/{transfer}/outcome");
        loop {
            let told: Option<Result<Applied>> = self.line.ask_again(&Method::GET, &path).await?;
            if let Some(outcome) = told {
                return outcome;
            }
        }
    }
}

/// A transfer that the agent knows of; told to end it when this is dropped.
struct Begun {
    line: Arc<Line>,
    name: String,
}

impl Begun {
    fn new(line: &Arc<Line>) -> Self {
        Self {
            line: line.clone(),
            name: line.new_transfer(),
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (line, path) = (self.line.clone(), format!("/transfers/{}", self.name));
        runtime.spawn(async move {
            // An agent that can't be told gives it up by itself.
            let _ = line
                .go_on(&Method::DELETE, &path, &|| whole(Bytes::new()))
                .await;
        });
    }
}

/// The platform's end of a reading.
struct Reading {
    transfer: Begun,
    store: String,
    next: u64,
    open: Option<(Incoming, FrameReader)>,
    /// All frames below were told to be seen.
    told: u64,
    telling: Option<JoinHandle<()>>,
}

impl Reading {
    fn stream(transfer: Begun, store: String) -> BatchStream {
        let reading = Self {
            transfer,
            store,
            next: 0,
            open: None,
            told: 0,
            telling: None,
        };
        let batches = stream::unfold(Some(reading), |reading| async move {
            let mut reading = reading?;
            let piece = match reading.payload().await {
                Ok(payload) => Piece::decode(&payload),
                Err(error) => Err(error),
            };
            match piece {
                Ok(Piece::Batch(batch)) => Some((Ok(batch), Some(reading))),
                Ok(Piece::Failed(error)) | Err(error) => Some((Err(error), None)),
                Ok(Piece::End) => None,
            }
        });
        batches.boxed()
    }

    /// The next frame, over as many lines as it takes.
    async fn payload(&mut self) -> Result<Bytes> {
        loop {
            let (body, reader) = if let Some(open) = &mut self.open {
                open
            } else {
                let path = format!("/transfers/{}/frames/{}", self.transfer.name, self.next);
                let (line, empty) = (&self.transfer.line, || whole(Bytes::new()));
                let answer = line.go_on(&Method::GET, &path, &empty).await?;
                self.open
                    .insert((answer.into_body(), FrameReader::default()))
            };
            if let Some((number, payload)) = reader.next()? {
                if number != self.next {
                    let store = self.store.clone();
                    return Err(ConnectorError::Interrupted { store });
                }
                self.next += 1;
                return Ok(payload);
            }
            // The agent may wait for room, so what has come is told before more is waited for.
            if self.told < self.next && self.telling.is_none() {
                self.told = self.next;
                self.telling = Some(tell_seen(&self.transfer, self.next));
            }
            let told = async {
                // However it goes: it is told again with the next ones.
                if let Some(telling) = &mut self.telling {
                    let _ = telling.await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                frame = body.frame() => match frame {
                    Some(Ok(frame)) => {
                        if let Ok(bytes) = frame.into_data() {
                            reader.feed(&bytes);
                        }
                    }
                    // Cut, or ended without an end: what is missing is asked for again.
                    Some(Err(_)) | None => self.open = None,
                },
                () = told => self.telling = None,
            }
        }
    }
}

/// Has the agent forget all frames below `number`.
fn tell_seen(transfer: &Begun, number: u64) -> JoinHandle<()> {
    let line = transfer.line.clone();
    let path = format!("/transfers/{}/seen/{number}", transfer.name);
    tokio::spawn(async move {
        let told = line.go_on(&Method::POST, &path, &|| whole(Bytes::new()));
        if let Err(error) = told.await {
            tracing::debug!(%error, "an agent couldn't be told what came");
        }
    })
}
