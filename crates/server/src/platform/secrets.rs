//! Values that must never be printed, random bytes, and password hashes.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use rand::RngExt as _;

/// A text that prints as `***`.
#[derive(Clone, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself; take care where it goes.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// `N` random bytes as lower-case hex.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that draws random bytes"
)]
#[must_use]
pub fn random_hex<const N: usize>() -> String {
    let mut bytes = [0_u8; N];
    rand::rng().fill(&mut bytes[..]);
    hex::encode(bytes)
}

/// A number that nobody can foresee.
#[expect(
    clippy::disallowed_methods,
    reason = "beside random bytes the one place that draws at random"
)]
#[must_use]
pub fn random_number() -> u64 {
    rand::random()
}

/// Hashes a password with Argon2id at the library's recommended cost. Takes tens of milliseconds:
/// call it on a blocking thread.
#[must_use]
pub fn hash_password(password: &Secret) -> String {
    Argon2::default()
        .hash_password(password.reveal().as_bytes())
        .expect("Argon2id with default parameters accepts any password")
        .to_string()
}

/// Whether `password` is the one behind `hash`. A broken hash counts as no match.
#[must_use]
pub fn password_matches(password: &Secret, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|parsed| {
        Argon2::default()
            .verify_password(password.reveal().as_bytes(), &parsed)
            .is_ok()
    })
}

/// Writes a new file that nobody but the program's own user may read, and sees it onto the disk.
///
/// Errors: also if the file is there already.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_hash_only() {
        let hash = hash_password(&Secret::new("云溪 2026".into()));
        assert!(hash.starts_with("$argon2id$"));
        assert!(password_matches(&Secret::new("云溪 2026".into()), &hash));
        assert!(!password_matches(&Secret::new("云溪 2027".into()), &hash));
        assert!(!password_matches(
            &Secret::new("云溪 2026".into()),
            "broken"
        ));
    }

    #[test]
    fn secrets_print_as_stars() {
        assert_eq!(format!("{:?}", Secret::new("x".into())), "***");
    }
}
