//! Calls that the platform itself makes: one client, with time-outs.

use std::time::Duration;

/// A connection that isn't up by then won't come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer that takes longer is none.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// A client for outgoing calls.
#[must_use]
pub fn outbound_client() -> reqwest::Client {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(ANSWER_TIMEOUT)
        .build()
        .expect("a client without TLS roots can always be built")
}
