//! The platform's side of a line: calls that wait for a line that is cut to come back.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Duration, Instant, sleep, timeout_at};

use super::wire::{Hello, HostState, StoreFacts, Unread, Welcome, body, read, whole};
use super::{Body, LINE_WINDOW, SIGN_EVERY, SIGN_WITHIN, STREAM_WINDOW};
use crate::{ConnectorError, Result};

/// How long a call waits for an agent that isn't there when it begins: long enough for one that is just calling again.
const FIRST_WAIT: Duration = Duration::from_secs(3);

/// Between two attempts on a line that hasn't been given up yet.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// The way to one agent. Lines come and go; what is asked goes over the newest.
#[derive(Debug)]
pub struct Line {
    agent: String,
    hello: Hello,
    patience: Duration,
    transfers: AtomicU64,
    lines: AtomicU64,
    live: watch::Sender<Option<Live>>,
}

#[derive(Debug, Clone)]
struct Live {
    number: u64,
    sender: SendRequest<Body>,
    welcome: Arc<Welcome>,
}

/// Why a line ended.
#[derive(Debug, thiserror::Error)]
pub enum LineEnded {
    /// It was cut, or went dead.
    #[error("the line broke: {0}")]
    Broken(#[from] hyper::Error),
    /// The agent doesn't talk as it should.
    #[error("the agent's first answer isn't understood")]
    Unfit,
}

impl Line {
    /// The way to `agent`, asked by `node` since its start `session`. A call that was begun waits for up to
    /// `patience` when its line is cut.
    #[must_use]
    pub fn new(agent: &str, node: &str, session: &str, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            agent: agent.to_owned(),
            hello: Hello {
                node: node.to_owned(),
                session: session.to_owned(),
            },
            patience,
            transfers: AtomicU64::new(0),
            lines: AtomicU64::new(0),
            live: watch::Sender::new(None),
        })
    }

    /// Uses a line that the agent opened, until it ends.
    ///
    /// Errors: [`LineEnded`], if it didn't end in peace.
    pub async fn run(
        &self,
        line: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<(), LineEnded> {
        let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(LINE_WINDOW)
            .keep_alive_interval(SIGN_EVERY)
            .keep_alive_timeout(SIGN_WITHIN)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(line))
            .await?;
        let connection = tokio::spawn(connection);
        let cut = connection.abort_handle();
        let _cut_when_done = Cut(cut);
        let hello = request(&Method::POST, "/hello", body(&self.hello));
        let answer = sender.send_request(hello).await?;
        let welcome: Welcome = read(answer.into_body())
            .await
            .map_err(|_| LineEnded::Unfit)?;
        let number = self.lines.fetch_add(1, Ordering::Relaxed);
        self.live.send_replace(Some(Live {
            number,
            sender,
            welcome: Arc::new(welcome),
        }));
        // Whoever shuts the agent out drops this in the middle.
        let _in_use = InUse { way: self, number };
        let ended = connection.await;
        // Aborted or panicked: it has ended, and nothing is to be said about why.
        Ok(ended.unwrap_or(Ok(()))?)
    }

    /// What the agent said of itself, while it is there.
    #[must_use]
    pub fn welcome(&self) -> Option<Arc<Welcome>> {
        let live = self.live.borrow();
        live.as_ref().map(|live| live.welcome.clone())
    }

    pub(super) fn facts(&self, store: &str) -> Option<StoreFacts> {
        let welcome = self.welcome()?;
        welcome.stores.iter().find(|it| it.name == store).cloned()
    }

    /// How the agent is doing.
    ///
    /// Errors: `unreachable`.
    pub async fn state(&self) -> Result<HostState> {
        let answer = self.call(
            &Method::GET,
            "/state",
            &|| whole(bytes::Bytes::new()),
            FIRST_WAIT,
        );
        self.hear(answer.await?).await
    }

    /// A name for a reading or writing that no other has.
    pub(super) fn new_transfer(&self) -> String {
        let number = self.transfers.fetch_add(1, Ordering::Relaxed);
        format!("{}.{}.{number}", self.hello.node, self.hello.session)
    }

    /// Says something and reads the answer; both again if the line is cut.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        said: &impl Serialize,
    ) -> Result<T> {
        let said = super::wire::message(said);
        let mut wait = FIRST_WAIT;
        loop {
            let make = || whole(said.clone());
            let answer = self.call(&Method::POST, path, &make, wait).await?;
            match read(answer.into_body()).await {
                Ok(heard) => return Ok(heard),
                Err(Unread::Cut) => wait = self.patience,
                Err(Unread::Unfit) => return Err(self.unfit()),
            }
        }
    }

    /// Asks for the state of what was begun, and waits as long as a cut may last.
    pub(super) async fn ask_again<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<T> {
        loop {
            let answer = self
                .go_on(method, path, &|| whole(bytes::Bytes::new()))
                .await?;
            match read(answer.into_body()).await {
                Ok(heard) => return Ok(heard),
                Err(Unread::Cut) => {}
                Err(Unread::Unfit) => return Err(self.unfit()),
            }
        }
    }

    /// A call on behalf of what was begun: waits as long as a cut may last.
    pub(super) async fn go_on(
        &self,
        method: &Method,
        path: &str,
        make: &(dyn Fn() -> Body + Send + Sync),
    ) -> Result<Response<Incoming>> {
        self.call(method, path, make, self.patience).await
    }

    async fn call(
        &self,
        method: &Method,
        path: &str,
        make: &(dyn Fn() -> Body + Send + Sync),
        wait: Duration,
    ) -> Result<Response<Incoming>> {
        let mut until = Instant::now() + wait;
        loop {
            let mut live = self.live(until).await?;
            let answer = live
                .sender
                .send_request(request(method, path, make()))
                .await;
            match answer {
                Ok(answer) if answer.status() == StatusCode::OK => return Ok(answer),
                Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                    return Err(self.unreachable(
                        "it was started anew in the middle, and has forgotten what was under way",
                    ));
                }
                Ok(_) => return Err(self.unfit()),
                Err(error) => {
                    tracing::debug!(%error, agent = self.agent, "a call to an agent failed");
                    // The cut counts from when it was noticed.
                    until = until.max(Instant::now() + self.patience.min(wait));
                    self.wait_for_another(live.number, until).await;
                    if Instant::now() >= until {
                        return Err(self.unreachable("the line to it was cut"));
                    }
                }
            }
        }
    }

    /// The line in use.
    async fn live(&self, until: Instant) -> Result<Live> {
        let mut lines = self.live.subscribe();
        let found = timeout_at(until, lines.wait_for(Option::is_some)).await;
        match found {
            Ok(Ok(live)) => Ok(live.clone().expect("it was waited for")),
            Ok(Err(_)) | Err(_) => Err(self.unreachable("the agent isn't connected")),
        }
    }

    /// Waits for a line other than `number`, though not long: a call may fail on a line that lives.
    async fn wait_for_another(&self, number: u64, until: Instant) {
        let mut lines = self.live.subscribe();
        let is_other = |live: &Option<Live>| live.as_ref().is_some_and(|it| it.number != number);
        tokio::select! {
            // The sender lives as long as this.
            _ = lines.wait_for(is_other) => {}
            () = sleep(RETRY_AFTER) => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }

    async fn hear<T: DeserializeOwned>(&self, answer: Response<Incoming>) -> Result<T> {
        let heard = read(answer.into_body()).await;
        heard.map_err(|_| self.unfit())
    }

    pub(super) fn unreachable(&self, reason: &str) -> ConnectorError {
        ConnectorError::Unreachable {
            store: format!("the agent {}", self.agent),
            reason: reason.to_owned(),
        }
    }

    pub(super) fn unfit(&self) -> ConnectorError {
        self.unreachable(
            "its answer isn't understood; bring agent and platform to the same version",
        )
    }
}

/// A line that calls go over, until this is dropped.
struct InUse<'a> {
    way: &'a Line,
    number: u64,
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.way.live.send_if_modified(|live| {
            // Another may have come before this one was found to be dead.
            let is_ours = live.as_ref().is_some_and(|live| live.number == self.number);
            if is_ours {
                *live = None;
            }
            is_ours
        });
    }
}

/// Ends the task of a line when nobody waits for it any more.
struct Cut(tokio::task::AbortHandle);

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn request(method: &Method, path: &str, said: Body) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(format!("http://agent{path}"))
        .body(said)
        .expect("paths are made of plain names")
}

/// What a body ended with, if it broke.
pub(super) fn broke(error: hyper::Error) -> io::Error {
    io::Error::other(error)
}
