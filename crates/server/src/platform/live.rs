//! What has changed, told to whoever has a page open: a topic and a number, never data. Whoever hears of a
//! change reads again by the ordinary operations, so rights stay where they are.
//!
//! Topics come from the evidence that every write is committed with, and from nowhere else: no feature has to
//! remember to tell. One task of a node reads the outbox behind each commit. On PostgreSQL it also looks at
//! intervals, because other nodes write there too.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::sync::{broadcast, watch};
use tongqu_domain::kind::Kind;
use utoipa::ToSchema;

use super::{
    config,
    db::{DbError, Engine, Registry, outbox},
    http::ApiError,
};

/// Records read at once. More of them between two looks is a flood; then everybody reads everything again.
const RECORDS_MAX: i64 = 1000;

/// Between two looks, so that a burst of small writes is told as one change of its topic.
const PAUSE: Duration = Duration::from_millis(250);

/// PostgreSQL numbers records before they are committed, so a lower number may come to light after a higher
/// one. No write takes longer than this; until then lower numbers are looked for again.
const LATE_MAX: Duration = Duration::from_secs(10);

/// What a page may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    Calendar,
    Cases,
    Catalogue,
    Demands,
    Directory,
    Grants,
    Jobs,
    Law,
    Requests,
    Responsibility,
    Runs,
    Supervision,
}

impl Topic {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Calendar,
        Self::Cases,
        Self::Catalogue,
        Self::Demands,
        Self::Directory,
        Self::Grants,
        Self::Jobs,
        Self::Law,
        Self::Requests,
        Self::Responsibility,
        Self::Runs,
        Self::Supervision,
    ];

    /// The code in the interface.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Cases => "cases",
            Self::Catalogue => "catalogue",
            Self::Demands => "demands",
            Self::Directory => "directory",
            Self::Grants => "grants",
            Self::Jobs => "jobs",
            Self::Law => "law",
            Self::Requests => "requests",
            Self::Responsibility => "responsibility",
            Self::Runs => "runs",
            Self::Supervision => "supervision",
        }
    }

    /// The topic of a code.
    #[must_use]
    pub fn find(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|topic| topic.code() == code)
    }

    /// The topics that an act is about, by the noun that its name begins with (`request.filed`); `None` if
    /// the noun is unknown here, which a test keeps from happening.
    #[must_use]
    pub fn touched_by(what: &str) -> Option<&'static [Self]> {
        let noun = what.split('.').next().unwrap_or_default();
        let topics: &[Self] = match noun {
            "attachment" | "case" => &[Self::Cases],
            "calendar" => &[Self::Calendar, Self::Cases, Self::Requests],
            "catalogue" | "sample" => &[Self::Catalogue],
            "demand" => &[Self::Demands],
            // The clock of the demo moves every date.
            "demo" => Self::ALL,
            "agent" | "directory" => &[Self::Directory],
            "duty" | "supervision" => &[Self::Supervision],
            "exchange" => &[Self::Runs],
            "grant" => &[Self::Grants],
            "job" => &[Self::Jobs],
            "law" => &[Self::Law],
            "platform" | "registry" | "session" => &[],
            "request" => &[Self::Requests],
            "responsibility" => &[Self::Responsibility],
            _ => return None,
        };
        Some(topics)
    }
}

/// Something that listeners are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Something of this topic has changed; the number is that of the newest act and only ever grows.
    Changed { topic: Topic, number: i64 },
    /// More than can be told one by one: read everything again.
    Everything,
}

/// Whoever is told of changes.
#[derive(Debug)]
pub struct Live {
    news: broadcast::Sender<News>,
    /// Open streams by session, by the digest of its token.
    open: Mutex<BTreeMap<String, usize>>,
    closing: watch::Sender<bool>,
    limits: config::Live,
}

impl Live {
    /// Nobody listens yet.
    #[must_use]
    pub fn new(limits: &config::Live) -> Self {
        Self {
            news: broadcast::channel(limits.backlog_max.max(1)).0,
            open: Mutex::default(),
            closing: watch::Sender::new(false),
            limits: limits.clone(),
        }
    }

    /// Begins to listen in a session, named by the digest of its token.
    ///
    /// Errors: `live.too_many` beyond the limits of the session or the node.
    pub fn listen(self: &Arc<Self>, session: &str) -> Result<Listener, ApiError> {
        let mut open = self.open();
        let of_node: usize = open.values().sum();
        let of_session = open.get(session).copied().unwrap_or_default();
        if of_session >= self.limits.streams_per_session_max || of_node >= self.limits.streams_max {
            return Err(ApiError::new(Kind::TooMany, "live.too_many"));
        }
        *open.entry(session.to_owned()).or_default() += 1;
        drop(open);
        Ok(Listener {
            news: self.news.subscribe(),
            closing: self.closing.subscribe(),
            session: session.to_owned(),
            live: self.clone(),
        })
    }

    /// Ends all listening, because the node stops.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// How many streams are open on this node.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.open().values().sum()
    }

    fn tell(&self, news: News) {
        // Nobody listening is no fault.
        let _told = self.news.send(news);
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open stream; dropped, it makes room for another.
#[derive(Debug)]
pub struct Listener {
    news: broadcast::Receiver<News>,
    closing: watch::Receiver<bool>,
    session: String,
    live: Arc<Live>,
}

impl Listener {
    /// The next news; `None` once the node stops. Whoever was too slow for the backlog hears once that
    /// everything may have changed, whatever the number of news that were missed.
    pub async fn next(&mut self) -> Option<News> {
        tokio::select! {
            // A dropped sender means stop as well.
            _stopped = self.closing.wait_for(|closing| *closing) => None,
            heard = self.news.recv() => match heard {
                Ok(news) => Some(news),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.news = self.news.resubscribe();
                    Some(News::Everything)
                }
                Err(broadcast::error::RecvError::Closed) => None,
            },
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut open = self.live.open();
        if let Some(streams) = open.get_mut(&self.session) {
            *streams -= 1;
            if *streams == 0 {
                open.remove(&self.session);
            }
        }
    }
}

/// Which records have been told already.
#[derive(Debug, Default)]
struct Told {
    /// Everything up to here is told, or too old to come to light any more.
    floor: i64,
    /// What was told above the floor, and when.
    lately: BTreeMap<i64, Instant>,
}

impl Told {
    /// What is new among `records`: each topic once, with the number of its newest act.
    fn news(&mut self, records: &[(i64, String)], now: Instant) -> Vec<News> {
        let mut changed = BTreeMap::new();
        for (number, what) in records {
            let Entry::Vacant(place) = self.lately.entry(*number) else {
                continue;
            };
            place.insert(now);
            for topic in Topic::touched_by(what).unwrap_or(Topic::ALL) {
                changed.insert(*topic, *number);
            }
        }
        while let Some((number, at)) = self.lately.first_key_value() {
            if now.duration_since(*at) < LATE_MAX {
                break;
            }
            self.floor = *number;
            self.lately.pop_first();
        }
        changed
            .into_iter()
            .map(|(topic, number)| News::Changed { topic, number })
            .collect()
    }

    fn skip_to(&mut self, newest: i64) {
        self.floor = newest;
        self.lately.clear();
    }
}

/// Tells listeners what is committed, by this node and by others, until `stop` turns true.
pub async fn tell(registry: Arc<Registry>, live: Arc<Live>, mut stop: watch::Receiver<bool>) {
    let mut written = registry.written();
    let others_write = registry.engine() == Engine::Postgres;
    let interval = Duration::from_millis(live.limits.poll_ms.max(50));
    let mut told = Told::default();
    let mut known = false;
    while !*stop.borrow() {
        let looked = if known {
            look(&registry, &live, &mut told).await
        } else {
            newest(&registry).await.map(|newest| told.skip_to(newest))
        };
        match looked {
            Ok(()) => known = true,
            Err(error) => tracing::warn!(%error, "can't look for changes"),
        }
        tokio::time::sleep(PAUSE).await;
        tokio::select! {
            _written = written.changed() => {}
            () = tokio::time::sleep(interval), if others_write || !known => {}
            _stopped = stop.changed() => {}
        }
    }
    live.close();
}

async fn newest(registry: &Registry) -> Result<i64, DbError> {
    outbox::newest(&mut *registry.read().await?).await
}

async fn look(registry: &Registry, live: &Live, told: &mut Told) -> Result<(), DbError> {
    let mut db = registry.read().await?;
    let records = outbox::since(&mut db, told.floor, RECORDS_MAX).await?;
    if i64::try_from(records.len()).unwrap_or(i64::MAX) >= RECORDS_MAX {
        told.skip_to(outbox::newest(&mut db).await?);
        live.tell(News::Everything);
        return Ok(());
    }
    drop(db);
    for news in told.news(&records, Instant::now()) {
        live.tell(news);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(backlog_max: usize) -> Arc<Live> {
        let mut limits = config::Config::load(None).unwrap().live;
        limits.backlog_max = backlog_max;
        limits.streams_max = 3;
        limits.streams_per_session_max = 2;
        Arc::new(Live::new(&limits))
    }

    fn change(number: i64) -> News {
        News::Changed {
            topic: Topic::Runs,
            number,
        }
    }

    fn record(number: i64, what: &str) -> (i64, String) {
        (number, what.to_owned())
    }

    /// Every act that the ledger page has a word for belongs to a topic, or to none on purpose.
    #[test]
    fn every_act_has_its_topics() {
        let texts = include_str!("../../../../web/src/features/ledger/ledger.zh-CN.json");
        let texts: serde_json::Value = serde_json::from_str(texts).unwrap();
        let nouns: Vec<&String> = texts["what"].as_object().unwrap().keys().collect();
        assert!(nouns.len() > 12, "{nouns:?}");
        let unknown: Vec<_> = nouns
            .into_iter()
            .filter(|noun| Topic::touched_by(&format!("{noun}.x")).is_none())
            .collect();
        assert_eq!(unknown, Vec::<&String>::new(), "nouns without topics");
    }

    #[test]
    fn topics_are_found_by_their_codes() {
        for topic in Topic::ALL {
            assert_eq!(Topic::find(topic.code()), Some(*topic));
            assert_eq!(
                serde_json::to_value(topic).unwrap(),
                serde_json::json!(topic.code())
            );
        }
        assert_eq!(Topic::find("people"), None);
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_once_to_read_everything_again() {
        let live = live(4);
        let mut slow = live.listen("one").unwrap();
        for number in 0..1000 {
            live.tell(change(number));
        }
        assert_eq!(slow.next().await, Some(News::Everything));
        live.tell(change(1000));
        assert_eq!(slow.next().await, Some(change(1000)), "and then goes on");
    }

    #[tokio::test]
    async fn streams_are_limited_by_session_and_by_node_and_make_room_again() {
        let live = live(4);
        let first = live.listen("one").unwrap();
        let _second = live.listen("one").unwrap();
        assert_eq!(live.listen("one").unwrap_err().code(), "live.too_many");
        let _third = live.listen("two").unwrap();
        assert_eq!(live.listen("three").unwrap_err().code(), "live.too_many");
        drop(first);
        let _fourth = live.listen("one").unwrap();
        assert_eq!(live.streams(), 3);
    }

    #[tokio::test]
    async fn listening_ends_with_the_node() {
        let live = live(4);
        let mut listener = live.listen("one").unwrap();
        live.close();
        assert_eq!(listener.next().await, None);
        let mut late = live.listen("one").unwrap();
        assert_eq!(late.next().await, None);
    }

    #[test]
    fn a_burst_is_one_change_of_its_topic_and_nothing_is_told_twice() {
        let mut told = Told::default();
        let now = Instant::now();
        let records = [
            record(5, "exchange.delivered"),
            record(6, "exchange.collected"),
            record(7, "session.opened"),
        ];
        assert_eq!(told.news(&records, now), [change(6)]);
        assert_eq!(told.news(&records, now), []);
    }

    /// On PostgreSQL a record may come to light after one with a higher number.
    #[test]
    fn a_record_that_comes_to_light_late_is_told() {
        let mut told = Told::default();
        let start = Instant::now();
        let seventh = record(7, "exchange.delivered");
        assert_eq!(
            told.news(std::slice::from_ref(&seventh), start),
            [change(7)]
        );
        assert_eq!(told.floor, 0, "lower numbers may still come");
        let both = [record(6, "exchange.collected"), seventh];
        assert_eq!(
            told.news(&both, start + Duration::from_secs(2)),
            [change(6)]
        );
        told.news(&[], start + LATE_MAX + Duration::from_secs(3));
        assert_eq!((told.floor, told.lately.len()), (7, 0));
    }
}
