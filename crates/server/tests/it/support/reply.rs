//! What came back, and short ways to say what a test expects of it.

use serde_json::Value;

/// A reply of the API.
pub struct Reply {
    /// Method and path of the request.
    pub asked: (String, String),
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Reply {
    pub(super) async fn read(method: &str, path: &str, response: reqwest::Response) -> Self {
        Self {
            asked: (method.to_owned(), path.to_owned()),
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            bytes: response.bytes().await.unwrap().to_vec(),
        }
    }

    /// The body as JSON; null if it has none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    }

    /// The body of a request that went well.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{} {} was answered {}: {}",
            self.asked.0,
            self.asked.1,
            self.status,
            String::from_utf8_lossy(&self.bytes)
        );
        self.json()
    }

    /// The problem of a request that was refused with this status and code.
    ///
    /// Every problem carries a sentence and a number to read over the phone, so that is checked here.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(
            (self.status, problem["code"].as_str().unwrap_or_default()),
            (status, code),
            "{} {} was answered {}",
            self.asked.0,
            self.asked.1,
            String::from_utf8_lossy(&self.bytes)
        );
        assert!(
            problem["message"]
                .as_str()
                .is_some_and(|m| !m.is_empty() && m != code),
            "no sentence in {problem}"
        );
        assert_eq!(
            problem["trace_id"].as_str().unwrap_or_default(),
            self.header("x-trace-id")
        );
        problem
    }
}

/// The codes of a problem's faulty fields, as `field: code`.
pub fn faults(problem: &Value) -> Vec<String> {
    problem["fields"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|f| {
            format!(
                "{}: {}",
                f["field"].as_str().unwrap(),
                f["code"].as_str().unwrap()
            )
        })
        .collect()
}
