//! Session cookies: made, read, ended. Who is behind one is the directory's business.

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};

use super::secrets::random_hex;

const COOKIE: &str = "tongqu_session";

/// A new session token: 32 random bytes as hex. Only its digest is stored.
#[must_use]
pub fn new_token() -> String {
    random_hex::<32>()
}

/// What is stored of a token.
#[must_use]
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// The session token that a request carries.
#[must_use]
pub fn token_of(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, token)| token.to_owned())
}

/// The header that hands `token` to the browser until `max_age_s` has passed; zero ends it.
#[must_use]
pub fn cookie(token: &str, max_age_s: i64, over_tls: Tls) -> HeaderValue {
    let secure = match over_tls {
        Tls::Yes => "; Secure",
        Tls::No => "",
    };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}")
        .parse()
        .expect("a cookie of hex and fixed words is a valid header")
}

/// Whether browsers reach the portal over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    Yes,
    No,
}

impl From<bool> for Tls {
    fn from(secure_cookies: bool) -> Self {
        if secure_cookies { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            "a=1; tongqu_session=abc; b=2".parse().unwrap(),
        );
        assert_eq!(token_of(&headers).as_deref(), Some("abc"));
    }
}
