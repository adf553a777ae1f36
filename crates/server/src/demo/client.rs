//! A person at the API: signed in, asking as the portal asks.

use anyhow::{Context as _, bail};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::platform::http::outbound_client;

/// Somebody who talks to the API.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    cookie: String,
}

/// What the API answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Answer {
    /// The stable code of a refusal; empty for a success.
    pub(super) fn code(&self) -> &str {
        if self.status.is_success() {
            ""
        } else {
            self.body["code"].as_str().unwrap_or_default()
        }
    }
}

impl Client {
    /// Somebody without an account.
    pub(super) fn guest(base: &str) -> Self {
        Self {
            http: outbound_client(),
            base: format!("{base}/api/v1"),
            cookie: String::new(),
        }
    }

    /// Signs in.
    pub(super) async fn sign_in(
        base: &str,
        login_name: &str,
        password: &str,
    ) -> anyhow::Result<Self> {
        let mut client = Self::guest(base);
        let body = json!({ "login_name": login_name, "password": password });
        let reply = client
            .request(Method::POST, "/session")
            .json(&body)
            .send()
            .await?;
        let cookie = reply
            .headers()
            .get(header::SET_COOKIE)
            .and_then(|c| c.to_str().ok())
            .and_then(|c| c.split(';').next())
            .map(str::to_owned);
        if !reply.status().is_success() {
            bail!("{login_name} can't sign in: {}", reply.text().await?);
        }
        client.cookie = cookie.context("signing in gave no cookie")?;
        Ok(client)
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .header("x-requested-with", "tongqu")
            .header(header::COOKIE, &self.cookie)
    }

    /// Asks, and takes whatever is answered.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let request = self.request(method, path);
        let reply = match body {
            Some(body) => request.json(body),
            None => request,
        }
        .send()
        .await?;
        let status = reply.status();
        let text = reply.text().await?;
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text)?
        };
        Ok(Answer { status, body })
    }

    /// Asks, and takes nothing but success.
    async fn expect(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let answer = self.ask(method.clone(), path, body).await?;
        if !answer.status.is_success() {
            bail!("{method} {path}: {} {}", answer.status, answer.body);
        }
        Ok(answer.body)
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.expect(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.expect(Method::POST, path, Some(&body)).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.expect(Method::PUT, path, Some(&body)).await
    }

    /// Posts without a body.
    pub(super) async fn press(&self, path: &str) -> anyhow::Result<Value> {
        self.expect(Method::POST, path, None).await
    }

    /// Uploads a workbook.
    pub(super) async fn upload(&self, path: &str, bytes: Vec<u8>) -> anyhow::Result<Answer> {
        let reply = self.request(Method::POST, path).body(bytes).send().await?;
        Ok(Answer {
            status: reply.status(),
            body: reply.json().await?,
        })
    }

    /// Has something printed.
    pub(super) async fn print(&self, path: &str, body: &Value) -> anyhow::Result<Vec<u8>> {
        let reply = self.request(Method::POST, path).json(body).send().await?;
        if !reply.status().is_success() {
            bail!("POST {path}: {} {}", reply.status(), reply.text().await?);
        }
        Ok(reply.bytes().await?.to_vec())
    }

    /// Downloads a file.
    pub(super) async fn download(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        Ok(self
            .request(Method::GET, path)
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?
            .to_vec())
    }
}
