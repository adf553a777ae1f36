//! A stream of changes, read as a browser reads it.

use std::time::Duration;

use serde_json::Value;

use super::{Caller, Reply, Who};

/// An event: its name and its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub event: String,
    pub data: Value,
}

/// An open stream of changes.
pub struct Stream {
    reply: reqwest::Response,
    text: String,
}

impl Caller<'_> {
    /// Opens the stream of changes; `Err` is the refusal.
    pub async fn listen(self, topics: &str) -> Result<Stream, Reply> {
        let path = format!("/live?topics={topics}");
        let Who::Person(login_name) = self.who else {
            return Err(self.get(&path).await);
        };
        let session = Box::pin(self.app.session_of(login_name)).await;
        let address = self.app.live.as_ref().expect("it runs").address;
        let mut request = reqwest::Client::builder()
            .build()
            .unwrap()
            .get(format!("http://{address}/api/v1{path}"))
            .header("accept", "text/event-stream")
            .header("cookie", format!("tongqu_session={session}"));
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let reply = request.send().await.unwrap();
        if !reply.status().is_success() {
            return Err(Reply::read("GET", &path, reply).await);
        }
        Ok(Stream {
            reply,
            text: String::new(),
        })
    }
}

impl Stream {
    pub fn header(&self, name: &str) -> &str {
        let value = self.reply.headers().get(name);
        value.and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The next event; `None` once the stream has ended.
    pub async fn next(&mut self) -> Option<Heard> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim().to_owned())
                };
                if let Some(name) = field("event:") {
                    let data = field("data:").unwrap_or_default();
                    let data = serde_json::from_str(&data).unwrap();
                    return Some(Heard { event: name, data });
                }
                continue;
            }
            let waited = tokio::time::timeout(Duration::from_secs(20), self.reply.chunk());
            match waited.await.expect("an event, or the end") {
                Ok(Some(bytes)) => self.text += std::str::from_utf8(&bytes).unwrap(),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}
