//! The authority that signs the certificates of agents and of the nodes that they call. It is the platform's own:
//! nobody else's signature is accepted by either side.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::{
    CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, PrivatePkcs8KeyDer,
    pem::PemObject as _,
};
use sha2::{Digest as _, Sha256};

use super::PLATFORM_NAME;
use crate::platform::secrets::write_private;

/// The authority outlives every machine that it was made on.
const AUTHORITY_YEARS: i64 = 30;

/// Certificates are dated back, for machines whose clocks are a little slow.
const BACKDATED_HOURS: i64 = 24;

/// Key and certificate of the authority.
pub struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// Why there is no authority, or no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path} isn't the key and certificate of the agents' authority")]
    Unreadable { path: PathBuf },
    #[error("a certificate can't be made: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// SHA-256 of a certificate, in hex: by it a certificate is known.
#[must_use]
pub fn fingerprint(certificate: &[u8]) -> String {
    hex::encode(Sha256::digest(certificate))
}

impl Authority {
    /// Reads the authority from the folder of secrets, or makes it there.
    ///
    /// Errors: [`AuthorityError`].
    pub fn open(secrets: &Path, now: Timestamp) -> Result<Self, AuthorityError> {
        let path = secrets.join("agents-authority.pem");
        let failed = |source| AuthorityError::File {
            path: path.clone(),
            source,
        };
        match fs::read_to_string(&path) {
            Ok(text) => Self::read(&text).ok_or(AuthorityError::Unreadable { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = made(now)?;
                fs::create_dir_all(secrets).map_err(failed)?;
                write_private(&path, &text).map_err(failed)?;
                Self::read(&text).ok_or(AuthorityError::Unreadable { path })
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let key = KeyPair::from_pem(text).ok()?;
        let certificate = CertificateDer::from_pem_slice(text.as_bytes()).ok()?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key).ok()?;
        Some(Self {
            certificate,
            issuer,
        })
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// By which agents know it before they are enrolled.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.certificate)
    }

    /// A key and certificate for this node. It holds as long as the authority: it is made anew with each start, and
    /// never leaves the process.
    ///
    /// Errors: [`AuthorityError::Certificate`].
    pub fn for_node(
        &self,
        now: Timestamp,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![PLATFORM_NAME.to_owned()])?;
        params
            .distinguished_name
            .push(DnType::CommonName, PLATFORM_NAME);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_term(&mut params, now, AUTHORITY_YEARS * 365);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((certificate.der().clone(), key.into()))
    }

    /// A certificate for the agent that wrote `request`, for so many days. Of the request, only the key is taken over.
    ///
    /// Errors: [`AuthorityError::Certificate`], also if the request isn't signed with its key.
    pub fn for_agent(
        &self,
        agent: &str,
        request: Vec<u8>,
        now: Timestamp,
        days: i64,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let request = CertificateSigningRequestDer::from(request);
        let asked = CertificateSigningRequestParams::from_der(&request)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, agent);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(serial_of(asked.public_key.der_bytes(), now));
        set_term(&mut params, now, days);
        Ok(params
            .signed_by(&asked.public_key, &self.issuer)?
            .der()
            .clone())
    }
}

/// Another number for each key and each time that it is signed.
fn serial_of(key: &[u8], now: Timestamp) -> rcgen::SerialNumber {
    let mut hash = Sha256::new_with_prefix(key);
    hash.update(now.as_nanosecond().to_be_bytes());
    let mut bytes = hash.finalize()[..16].to_vec();
    // A number that is positive, as the standard asks.
    bytes[0] &= 0x7F;
    bytes.into()
}

fn made(now: Timestamp) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Tongqu agents");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_term(&mut params, now, AUTHORITY_YEARS * 365);
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

fn set_term(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let day = |at: Timestamp| {
        let date = at.to_zoned(TimeZone::UTC).date();
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        rcgen::date_time_ymd(date.year().into(), month, day)
    };
    params.not_before = day(now - BACKDATED_HOURS.hours());
    // The day is cut off, so one more than asked for.
    params.not_after = day(now + ((days + 1) * 24).hours());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_authority_is_made_once_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let now = at("2026-11-23T04:00:00Z");
        let made = Authority::open(&dir.path().join("secrets"), now).unwrap();
        let again = Authority::open(&dir.path().join("secrets"), now).unwrap();
        assert_eq!(made.fingerprint(), again.fingerprint());
        let path = dir.path().join("secrets/agents-authority.pem");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "nothing").unwrap();
        let broken = Authority::open(&dir.path().join("secrets"), now);
        assert!(matches!(broken, Err(AuthorityError::Unreadable { .. })));
    }

    #[test]
    fn a_request_must_be_signed_with_its_own_key() {
        let dir = tempfile::tempdir().unwrap();
        let now = at("2026-11-23T04:00:00Z");
        let authority = Authority::open(dir.path(), now).unwrap();
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::new(vec!["another-name".to_owned()])
            .unwrap()
            .serialize_request(&key)
            .unwrap();
        let request = request.der().to_vec();
        let one = authority
            .for_agent("agt-1", request.clone(), now, 30)
            .unwrap();
        let other = authority
            .for_agent("agt-1", request.clone(), now, 31)
            .unwrap();
        assert_ne!(fingerprint(&one), fingerprint(&other));
        let contains = |name: &[u8]| one.windows(name.len()).any(|part| part == name);
        assert!(contains(b"agt-1") && !contains(b"another-name"));
        let mut forged = request;
        let last = forged.len() - 1;
        forged[last] ^= 1;
        assert!(authority.for_agent("agt-1", forged, now, 30).is_err());
        assert!(
            authority
                .for_agent("agt-1", vec![1, 2, 3], now, 30)
                .is_err()
        );
    }
}
