//! The stream of changes, as server-sent events. It carries topics and numbers only: what has changed is
//! read by the ordinary operations, with the rights of whoever reads.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use axum::{
    extract::Query,
    http::HeaderMap,
    response::{
        AppendHeaders, IntoResponse,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::time::{Interval, MissedTickBehavior, interval_at};
use utoipa::{IntoParams, ToSchema};

use crate::platform::{
    http::{ApiError, Ctx, Problem},
    live::{Listener, News, Topic},
    session::{token_hash, token_of},
};

/// After how many milliseconds a browser that lost the stream asks for it again.
const RETRY: Duration = Duration::from_secs(5);

/// What to hear of.
#[derive(Debug, Deserialize, IntoParams)]
pub struct LiveQuery {
    /// Topics, separated by commas; all of them if left out.
    pub topics: Option<String>,
}

/// The data of the event `changed`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedView {
    pub topic: Topic,
    /// Grows with every change of the topic.
    pub number: i64,
}

/// Follow what changes, as server-sent events: `changed` names a topic and a number; `resync` says that
/// anything may have changed; `beat` says that the stream is alive. It ends with the session.
#[utoipa::path(get, path = "/live", tag = "live", operation_id = "follow_changes", params(LiveQuery),
    responses((status = 200, body = ChangedView, content_type = "text/event-stream"),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub async fn follow_changes(
    ctx: Ctx,
    headers: HeaderMap,
    Query(query): Query<LiveQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let topics = wanted(query.topics.as_deref())?;
    let token = token_of(&headers).ok_or_else(|| ApiError::forbidden("session.required"))?;
    let listener = ctx.app.live.listen(&token_hash(&token))?;
    let beat = Duration::from_secs(ctx.app.config.live.heartbeat_s.max(1));
    let mut beats = interval_at(tokio::time::Instant::now() + beat, beat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stream = Stream {
        ctx,
        token,
        topics,
        listener,
        beats,
        greeted: false,
    };
    let events = stream::unfold(stream, async |mut stream| {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    // A proxy that gathers the events first would make them useless.
    Ok((
        AppendHeaders([("x-accel-buffering", "no")]),
        Sse::new(events),
    ))
}

fn wanted(topics: Option<&str>) -> Result<BTreeSet<Topic>, ApiError> {
    let Some(topics) = topics.filter(|topics| !topics.is_empty()) else {
        return Ok(Topic::ALL.iter().copied().collect());
    };
    topics
        .split(',')
        .map(|code| Topic::find(code.trim()))
        .collect::<Option<_>>()
        .ok_or_else(|| {
            ApiError::invalid("live.unknown_topic").field("topics", "live.unknown_topic")
        })
}

struct Stream {
    ctx: Ctx,
    token: String,
    topics: BTreeSet<Topic>,
    listener: Listener,
    beats: Interval,
    greeted: bool,
}

impl Stream {
    /// The next event; `None` ends the stream, with the session or with the node.
    async fn next(&mut self) -> Option<Event> {
        if !self.greeted {
            self.greeted = true;
            return Some(bare("beat").retry(RETRY));
        }
        loop {
            tokio::select! {
                heard = self.listener.next() => match heard? {
                    News::Everything => return Some(bare("resync")),
                    News::Changed { topic, number } if self.topics.contains(&topic) => {
                        let view = ChangedView { topic, number };
                        let data = serde_json::to_string(&view).expect("plain structures make JSON");
                        return Some(Event::default().event("changed").data(data));
                    }
                    News::Changed { .. } => {}
                },
                _at = self.beats.tick() => {
                    return self.is_signed_in().await.then(|| bare("beat"));
                }
            }
        }
    }

    /// Whether the session is still good. A registry that is away for a moment doesn't end it.
    async fn is_signed_in(&self) -> bool {
        let app = &self.ctx.app;
        let Ok(mut db) = app.registry.read().await else {
            return true;
        };
        let found = (app.find_actor)(&mut db, self.token.clone(), app.clock.now()).await;
        !matches!(found, Ok(None))
    }
}

/// An event that says all by its name. Browsers drop events without data.
fn bare(name: &str) -> Event {
    Event::default().event(name).data("{}")
}
