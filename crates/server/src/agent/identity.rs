//! Who an agent is: its key, its certificate and the authority that it trusts, in one private file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};

use crate::platform::{agents::Issued, secrets::write_private};

/// A third of its term is left for getting another one.
const RENEWED_AFTER: (i64, i64) = (2, 3);

/// Who an agent is. Prints nothing of its key.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Identity {
    pub agent: String,
    #[serde(with = "hex::serde")]
    key: Vec<u8>,
    #[serde(with = "hex::serde")]
    certificate: Vec<u8>,
    #[serde(with = "hex::serde")]
    authority: Vec<u8>,
    issued_at: Timestamp,
    until: Timestamp,
}

impl Identity {
    /// What was issued for `key` (PKCS #8, DER).
    pub(super) fn of(issued: Issued, key: Vec<u8>, now: Timestamp) -> Self {
        Self {
            agent: issued.agent,
            key,
            certificate: issued.certificate,
            authority: issued.authority,
            issued_at: now,
            until: issued.until,
        }
    }

    fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("identity.json")
    }

    /// Reads it; `None` if the agent isn't enrolled.
    pub(super) fn read(data_dir: &Path) -> io::Result<Option<Self>> {
        match fs::read_to_string(Self::path(data_dir)) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|_| {
                let said = "identity.json isn't an agent's; enrol anew with a new code";
                io::Error::new(io::ErrorKind::InvalidData, said)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps it in place of the one before: either of them is there at any moment.
    pub(super) fn keep(&self, data_dir: &Path) -> io::Result<()> {
        fs::create_dir_all(data_dir)?;
        let newer = data_dir.join("identity.json.new");
        match fs::remove_file(&newer) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let text = serde_json::to_string_pretty(self).expect("texts and bytes are JSON");
        write_private(&newer, &text)?;
        fs::rename(&newer, Self::path(data_dir))?;
        fs::File::open(data_dir)?.sync_all()
    }

    /// Whether it is time for another certificate.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let term = self.until.duration_since(self.issued_at).as_secs();
        let used = now.duration_since(self.issued_at).as_secs();
        let (part, whole) = RENEWED_AFTER;
        used >= term / whole * part
    }

    pub(super) fn authority(&self) -> CertificateDer<'static> {
        self.authority.clone().into()
    }

    /// What it shows of itself.
    pub(super) fn shown(&self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = PrivatePkcs8KeyDer::from(self.key.clone());
        (self.certificate.clone().into(), key.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_private_and_renewed_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("agent");
        assert!(Identity::read(&data_dir).unwrap().is_none());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let issued = |until| Issued {
            agent: "agt-1".to_owned(),
            certificate: vec![1, 2],
            authority: vec![3],
            until: at(until),
        };
        let now = at("2026-11-01T00:00:00Z");
        for until in ["2026-11-13T00:00:00Z", "2026-12-01T00:00:00Z"] {
            Identity::of(issued(until), vec![4], now)
                .keep(&data_dir)
                .unwrap();
        }
        let kept = Identity::read(&data_dir).unwrap().unwrap();
        assert_eq!(
            (kept.agent.as_str(), kept.certificate.as_slice()),
            ("agt-1", &[1, 2][..])
        );
        assert!(!kept.is_due(at("2026-11-20T23:00:00Z")));
        assert!(kept.is_due(at("2026-11-21T00:00:00Z")));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(Identity::path(&data_dir))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(Identity::path(&data_dir), "{}").unwrap();
        assert!(Identity::read(&data_dir).is_err());
    }
}
