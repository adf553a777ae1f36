//! The agent's side: answers what the platform asks of the stores beside it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Duration, timeout};

use super::frames::{FrameReader, Piece, cut, is_last, numbered};
use super::spool::{Spool, SpoolFault};
use super::transfers::{Transfer, Transfers};
use super::wire::{
    Answer, Ask, Hello, HostState, Progress, StoreFacts, Unread, Welcome, body, read,
};
use super::{Body, LINE_WINDOW, SIGN_EVERY, SIGN_WITHIN, STREAM_WINDOW};
use crate::batches::pipe;
use crate::{ApplyPlan, BatchStream, ConnectorError, Query, Result, Store};

/// How long the outcome of a writing is waited for in one call.
const OUTCOME_WAIT: Duration = Duration::from_secs(20);

/// Calls that a line may have at the same time.
const CALLS_MAX: u32 = 256;

/// The stores beside an agent, and what is under way with them.
pub struct Host {
    stores: BTreeMap<String, Arc<dyn Store>>,
    transfers: Transfers,
    kept_for: Duration,
}

impl Host {
    /// Offers `stores` by their names. What nobody asks about for `kept_for` is given up.
    #[must_use]
    pub fn new(
        stores: BTreeMap<String, Arc<dyn Store>>,
        spool: Arc<Spool>,
        kept_for: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            stores,
            transfers: Transfers::new(spool),
            kept_for,
        })
    }

    /// Answers on a line until it ends. Other lines may be answered at the same time.
    ///
    /// Errors: why it ended, if not in peace.
    pub async fn serve(
        self: Arc<Self>,
        line: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> std::result::Result<(), hyper::Error> {
        let service = service_fn(move |request| {
            let host = self.clone();
            async move { Ok::<_, Infallible>(host.answer(request).await) }
        });
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(LINE_WINDOW)
            .max_concurrent_streams(CALLS_MAX)
            .keep_alive_interval(SIGN_EVERY)
            .keep_alive_timeout(SIGN_WITHIN)
            .serve_connection(TokioIo::new(line), service)
            .await
    }

    /// Gives up what nobody came back to. To be called now and then.
    pub fn tidy(&self) {
        self.transfers.end_forgotten(self.kept_for);
    }

    /// How the agent is doing.
    #[must_use]
    pub fn state(&self) -> HostState {
        HostState {
            spool_bytes: self.transfers.spool().bytes(),
            spool_bytes_max: self.transfers.spool().bytes_max(),
            transfers: u64::try_from(self.transfers.count()).unwrap_or(u64::MAX),
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let (head, said) = request.into_parts();
        let path: Vec<&str> = head.uri.path().split('/').skip(1).collect();
        let answered = match (head.method.as_str(), path.as_slice()) {
            ("POST", ["hello"]) => self.welcome(said).await,
            ("GET", ["state"]) => Ok(told(&self.state())),
            ("POST", ["stores", store, "ask"]) => self.ask(store, said).await,
            ("POST", ["stores", store, "read", name]) => self.read(store, name, said).await,
            ("POST", ["stores", store, "apply", name]) => self.apply(store, name, said).await,
            (method, ["transfers", name, rest @ ..]) => match self.transfers.find(name) {
                Some(transfer) => self.go_on(transfer, method, name, rest, said).await,
                None => Err(StatusCode::NOT_FOUND),
            },
            _ => Err(StatusCode::BAD_REQUEST),
        };
        answered.unwrap_or_else(|status| {
            let mut response = Response::new(super::wire::whole(Bytes::new()));
            *response.status_mut() = status;
            response
        })
    }

    async fn welcome(&self, said: Incoming) -> Answered {
        let hello: Hello = read(said).await?;
        self.transfers.end_earlier(&hello);
        let facts = |(name, store): (&String, &Arc<dyn Store>)| StoreFacts {
            name: name.clone(),
            engine: store.address().engine().to_owned(),
            prefers_key_order: store.prefers_key_order(),
        };
        Ok(told(&Welcome {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            stores: self.stores.iter().map(facts).collect(),
        }))
    }

    fn store(&self, name: &str) -> Result<&Arc<dyn Store>> {
        self.stores
            .get(name)
            .ok_or_else(|| ConnectorError::StoreMissing {
                store: format!("the store {name} beside the agent"),
            })
    }

    async fn ask(&self, store: &str, said: Incoming) -> Answered {
        let ask: Ask = read(said).await?;
        let answer = match self.store(store) {
            Err(error) => Err(error),
            Ok(store) => match ask {
                Ask::Ping => store.ping().await.map(|()| Answer::Done),
                Ask::Tables => store.tables().await.map(Answer::Tables),
                Ask::Discover { table } => store.discover(&table).await.map(Answer::Table),
                Ask::CheckKey { table, key } => {
                    store.check_key(&table, &key).await.map(Answer::Key)
                }
                Ask::Cursor { consumer } => store.cursor(&consumer).await.map(Answer::Cursor),
                Ask::DropConsumer { consumer } => {
                    store.drop_consumer(&consumer).await.map(|()| Answer::Done)
                }
            },
        };
        Ok(told(&answer))
    }

    /// Begins a reading, unless it has begun: the line may have been cut before the first answer.
    async fn read(&self, store: &str, name: &str, said: Incoming) -> Answered {
        let query: Query = read(said).await?;
        let store = match self.store(store) {
            Ok(store) => store.clone(),
            Err(error) => return Ok(told(&Err::<(), _>(error))),
        };
        if self.transfers.find(name).is_some() {
            return Ok(told(&Ok::<_, ConnectorError>(())));
        }
        let batches = match store.read(query).await {
            Ok(batches) => batches,
            Err(error) => return Ok(told(&Err::<(), _>(error))),
        };
        let (transfer, is_new) = self.transfers.begin(name);
        if is_new {
            let filling = tokio::spawn(fill(Arc::downgrade(&transfer), batches));
            transfer.depends_on(filling.abort_handle());
        }
        Ok(told(&Ok::<_, ConnectorError>(())))
    }

    /// Begins a writing. It waits for its rows until they are all here, or until the spool is full.
    async fn apply(&self, store: &str, name: &str, said: Incoming) -> Answered {
        let plan: ApplyPlan = read(said).await?;
        let store = match self.store(store) {
            Ok(store) => store.clone(),
            Err(error) => return Ok(told(&Err::<(), _>(error))),
        };
        let (transfer, is_new) = self.transfers.begin(name);
        if is_new {
            let waiting = Arc::downgrade(&transfer);
            let changes = changes(Arc::downgrade(&transfer), store.address().to_string());
            let applying = tokio::spawn(async move {
                let done = store.apply(plan, changes).await;
                if let Some(transfer) = waiting.upgrade() {
                    transfer.touch();
                    transfer.outcome.send_replace(Some(done));
                    transfer.queue.give_up();
                }
            });
            transfer.depends_on(applying.abort_handle());
        }
        Ok(told(&Ok::<_, ConnectorError>(())))
    }

    async fn go_on(
        &self,
        transfer: Arc<Transfer>,
        method: &str,
        name: &str,
        rest: &[&str],
        said: Incoming,
    ) -> Answered {
        let number = |text: &str| text.parse::<u64>().map_err(|_| StatusCode::BAD_REQUEST);
        match (method, rest) {
            ("GET", ["frames", from]) => {
                let from = number(from)?;
                transfer.queue.forget(from);
                Ok(Response::new(frames(transfer, from)))
            }
            ("PUT", ["frames"]) => Ok(Response::new(taking_in(transfer, said))),
            ("POST", ["seen", below]) => {
                transfer.queue.forget(number(below)?);
                Ok(told(&()))
            }
            ("GET", ["progress"]) => Ok(told(&Progress {
                next: transfer.queue.next(),
            })),
            ("GET", ["outcome"]) => {
                let mut outcome = transfer.outcome.subscribe();
                let waited = timeout(OUTCOME_WAIT, outcome.wait_for(Option::is_some)).await;
                let outcome = match waited {
                    Ok(Ok(outcome)) => outcome.clone(),
                    Ok(Err(_)) | Err(_) => None,
                };
                transfer.touch();
                Ok(told(&outcome))
            }
            ("DELETE", []) => {
                self.transfers.end(name);
                Ok(told(&()))
            }
            _ => Err(StatusCode::BAD_REQUEST),
        }
    }
}

type Answered = std::result::Result<Response<Body>, StatusCode>;

impl From<Unread> for StatusCode {
    fn from(_: Unread) -> Self {
        Self::BAD_REQUEST
    }
}

fn told<T: Serialize>(said: &T) -> Response<Body> {
    Response::new(body(said))
}

/// Runs a reading into its transfer, at the pace of the database as long as the spool has room.
async fn fill(transfer: std::sync::Weak<Transfer>, mut batches: BatchStream) {
    loop {
        let next = batches.next().await;
        let Some(transfer) = transfer.upgrade() else {
            return;
        };
        let (pieces, ends) = match next {
            Some(Ok(batch)) => (cut(&batch).into_iter().map(Piece::Batch).collect(), false),
            Some(Err(error)) => (vec![Piece::Failed(error)], true),
            None => (vec![Piece::End], true),
        };
        for piece in pieces {
            match transfer.queue.push(piece.encode()).await {
                Ok(()) => {}
                Err(SpoolFault::Dropped) => return,
                Err(SpoolFault::Disk(error)) => return fail(&transfer, &error).await,
            }
        }
        if ends {
            return;
        }
    }
}

/// Has the reader know that the spool's disk refused its rows. Said in memory, since the disk is what is wrong.
async fn fail(transfer: &Transfer, error: &io::Error) {
    tracing::error!(%error, "the spool can't be written");
    let failed = Piece::Failed(disk_fault(error)).encode();
    // Given up by the reader: nobody is left to tell.
    let _ = transfer.queue.push(failed).await;
}

fn disk_fault(error: &io::Error) -> ConnectorError {
    let store = "the agent's spool".to_owned();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ConnectorError::SpaceLacking { store }
        }
        _ => ConnectorError::Unreachable {
            store,
            reason: error.kind().to_string(),
        },
    }
}

/// What a writing reads: the frames of its transfer, once it is worth beginning.
fn changes(transfer: std::sync::Weak<Transfer>, store: String) -> BatchStream {
    let (feeder, stream) = pipe(store, ());
    tokio::spawn(async move {
        let outcome = feed(&transfer, &feeder).await;
        // Whoever stopped reading needs no end.
        if let Ok(outcome) = outcome {
            feeder.end(outcome).await;
        }
    });
    stream
}

/// Gives the frames to the writer. `Err` if it reads no more.
async fn feed(
    transfer: &std::sync::Weak<Transfer>,
    feeder: &crate::batches::Feeder,
) -> std::result::Result<Result<()>, crate::batches::ReaderGone> {
    let given_up = || ConnectorError::Stopped {
        reason: "the platform gave the delivery up".to_owned(),
    };
    let Some(held) = transfer.upgrade() else {
        return Ok(Err(given_up()));
    };
    held.queue.is_worth_taking().await;
    for number in 0.. {
        let payload = match held.queue.take(number).await {
            Ok(Some(payload)) => payload,
            Ok(None) => return Ok(Err(given_up())),
            Err(error) => return Ok(Err(disk_fault(&error))),
        };
        match Piece::decode(&payload) {
            Ok(Piece::Batch(batch)) => feeder.give(batch).await?,
            Ok(Piece::Failed(error)) | Err(error) => return Ok(Err(error)),
            Ok(Piece::End) => return Ok(Ok(())),
        }
        held.queue.forget(number + 1);
    }
    Ok(Err(given_up()))
}

/// The frames from `from` on, as they come.
fn frames(transfer: Arc<Transfer>, from: u64) -> Body {
    let state = Some((transfer, from));
    let frames = stream::unfold(state, |state| async move {
        let (transfer, number) = state?;
        transfer.touch();
        let payload = match transfer.queue.take(number).await {
            Ok(payload) => payload?,
            Err(error) => return Some((Err(error), None)),
        };
        let frame = Frame::data(numbered(number, &payload));
        let next = (!is_last(&payload)).then(|| (transfer, number + 1));
        Some((Ok(frame), next))
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Takes frames in, and says for each that it is here.
fn taking_in(transfer: Arc<Transfer>, said: Incoming) -> Body {
    let (tell, told) = mpsc::channel::<io::Result<u64>>(16);
    tokio::spawn(async move {
        if let Err(error) = take_in(&transfer, said, &tell).await {
            // The line is gone, and with it whoever would hear.
            let _ = tell.send(Err(error)).await;
        }
    });
    let acknowledged = stream::unfold(told, |mut told| async move {
        let next = told.recv().await?;
        let frame = next.map(|number| Frame::data(Bytes::copy_from_slice(&number.to_be_bytes())));
        Some((frame, told))
    });
    StreamBody::new(acknowledged).boxed_unsync()
}

async fn take_in(
    transfer: &Transfer,
    mut said: Incoming,
    tell: &mpsc::Sender<io::Result<u64>>,
) -> io::Result<()> {
    let mut reader = FrameReader::default();
    while let Some(frame) = said.frame().await {
        let Ok(bytes) = frame.map_err(io::Error::other)?.into_data() else {
            continue;
        };
        reader.feed(&bytes);
        while let Some((number, payload)) = reader.next().map_err(io::Error::other)? {
            transfer.touch();
            transfer.take_in(number, payload).await?;
            // Nobody listens any more: the frames that are here stay, and the rest comes on another line.
            if tell.send(Ok(number + 1)).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
