//! The stream of changes: who hears what, how it ends, and that nothing on the way gathers or cuts it.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::sync::watch;
use tongqu::platform::{
    config::Config,
    db::Registry,
    evidence::Entry,
    live::{self, Live, News, Topic},
};
use tongqu_connectors::testing;

use crate::support::{START, TestApp, a_request, an_entry};

#[tokio::test]
async fn whoever_listens_is_told_the_topic_and_no_data() {
    let app = TestApp::start().await;
    tells_the_topic(app).await;
}

#[tokio::test]
async fn whoever_listens_is_told_the_topic_and_no_data_on_postgres() {
    let app = TestApp::on_postgres().await;
    tells_the_topic(app).await;
}

async fn tells_the_topic(app: TestApp) {
    let entry = app.published_entry(&an_entry("人口数")).await;
    app.idle().await;
    let mut stream = app.as_person("tax").listen("requests").await.ok().unwrap();
    assert_eq!(stream.next().await.unwrap().event, "beat");

    app.as_person("civil")
        .post("/requests", a_request(&entry))
        .await
        .ok();
    let heard = stream.next().await.unwrap();
    assert_eq!(heard.event, "changed");
    let number = heard.data["number"].as_i64().unwrap();
    assert_eq!(heard.data, json!({ "topic": "requests", "number": number }));

    // A draft is none of this listener's topics; the next request is.
    app.draft("stats", &an_entry("从业人员数")).await;
    let mut again = a_request(&entry);
    again["purpose"] = json!("另一用途");
    app.as_person("tax").post("/requests", again).await.ok();
    let heard = stream.next().await.unwrap();
    assert_eq!(heard.data["topic"], "requests");
    assert!(heard.data["number"].as_i64().unwrap() > number);
    app.finish().await;
}

#[tokio::test]
async fn a_stream_is_for_known_topics_and_signed_in_people() {
    let app = TestApp::start().await;
    let Err(refused) = app.as_person("admin").listen("requests,secrets").await else {
        panic!("it listens to an unknown topic");
    };
    refused.refused(422, "live.unknown_topic");
    app.as_guest()
        .get("/live?topics=requests")
        .await
        .refused(401, "session.required");
    app.finish().await;
}

#[tokio::test]
async fn a_session_opens_so_many_streams_and_no_more() {
    let app = TestApp::start_with(|config| config.live.streams_per_session_max = 1).await;
    let first = app.as_person("admin").listen("").await.ok().unwrap();
    let Err(refused) = app.as_person("admin").listen("").await else {
        panic!("a stream beyond the limit");
    };
    refused.refused(429, "live.too_many");
    let _of_somebody_else = app.as_person("stats").listen("").await.ok().unwrap();
    drop(first);
    // The server notices that a browser has gone when it next writes to it.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while app.as_person("admin").listen("").await.is_err() {
        assert!(
            std::time::Instant::now() < deadline,
            "a closed stream still counts"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    app.finish().await;
}

/// Neither the time limit of requests nor the compression touches the stream, and its beats come one by one.
#[tokio::test]
async fn a_stream_is_neither_cut_nor_gathered_on_its_way() {
    let app = TestApp::start_with(|config| {
        config.server.request_timeout_s = 1;
        config.live.heartbeat_s = 1;
    })
    .await;
    let caller = app
        .as_person("admin")
        .with("accept-encoding", "gzip, br, zstd");
    let mut stream = caller.listen("runs").await.ok().unwrap();
    assert_eq!(stream.header("content-type"), "text/event-stream");
    assert_eq!(stream.header("content-encoding"), "");
    assert_eq!(stream.header("cache-control"), "no-cache");
    let begun = std::time::Instant::now();
    for _ in 0..4 {
        assert_eq!(stream.next().await.unwrap().event, "beat");
    }
    let took = begun.elapsed();
    assert!(
        took > Duration::from_millis(2500),
        "three beats took {took:?}"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let app = TestApp::start_with(|config| config.live.heartbeat_s = 1).await;
    let mut stream = app.as_person("stats").listen("runs").await.ok().unwrap();
    assert_eq!(stream.next().await.unwrap().event, "beat");
    // A session lasts a working day of eight hours.
    app.set_clock("2026-09-21T09:30:00Z").await;
    while let Some(heard) = stream.next().await {
        assert!(heard.event != "changed", "{heard:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_stream_ends_when_the_node_stops() {
    let app = TestApp::start().await;
    let mut stream = app.as_person("admin").listen("").await.ok().unwrap();
    assert_eq!(stream.next().await.unwrap().event, "beat");
    app.finish().await;
    while stream.next().await.is_some() {}
}

/// Two nodes on one registry: what one commits is told by the other.
#[tokio::test]
async fn a_change_by_another_node_is_told_too() {
    let url = testing::postgres().fresh_database().unwrap();
    let limits = Config::load(None).unwrap().live;
    let (here, there) = (
        Registry::open(&url, 2).await.unwrap(),
        Arc::new(Registry::open(&url, 2).await.unwrap()),
    );
    let live = Arc::new(Live::new(&limits));
    let (stop, stopping) = watch::channel(false);
    let telling = tokio::spawn(live::tell(there.clone(), live.clone(), stopping));
    let mut listener = live.listen("one").unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;

    let tx = here.begin(START.parse().unwrap()).await.unwrap();
    tx.commit(Entry::by_platform("exchange.collected").on("run", "run-1"))
        .await
        .unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(10), listener.next());
    let heard = heard.await.expect("the other node tells it");
    assert!(
        matches!(
            heard,
            Some(News::Changed {
                topic: Topic::Runs,
                ..
            })
        ),
        "{heard:?}"
    );
    stop.send(true).unwrap();
    telling.await.unwrap();
    here.close().await;
    there.close().await;
}
