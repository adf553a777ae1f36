//! How both sides of an agent's line make sure of each other.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    server::WebPkiClientVerifier,
};
use tongqu_connectors::remote::PROTOCOL;

use super::{PLATFORM_NAME, fingerprint};

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An agent that has no certificate yet shows its one-time code.
    Enrol,
    /// An agent gets a new certificate in place of the one that it shows.
    Renew,
    /// The platform asks the agent.
    Serve,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Enrol, Self::Renew, Self::Serve];

    fn alpn(self) -> &'static [u8] {
        match self {
            Self::Enrol => b"tongqu-enrol/1",
            Self::Renew => b"tongqu-renew/1",
            Self::Serve => PROTOCOL.as_bytes(),
        }
    }
}

/// What was agreed in the handshake; `None` if nothing was.
#[must_use]
pub fn purpose_of(alpn: Option<&[u8]>) -> Option<Purpose> {
    Purpose::ALL.into_iter().find(|it| Some(it.alpn()) == alpn)
}

/// Why a line can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{0}")]
    Rustls(#[from] rustls::Error),
    #[error("the certificates can't be checked: {0}")]
    Verifier(#[from] rustls::client::VerifierBuilderError),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn roots(authority: &CertificateDer<'static>) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    Ok(Arc::new(roots))
}

/// The side of the platform: shows its own certificate, and takes those of the authority. Whoever shows none is for
/// [`Purpose::Enrol`] only, which the caller sees to.
///
/// Errors: [`TlsError`].
pub fn platform_side(
    authority: &CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(authority)?, provider())
        .allow_unauthenticated()
        .build()?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate, authority.clone()], key)?;
    config.alpn_protocols = Purpose::ALL.map(|it| it.alpn().to_vec()).to_vec();
    Ok(Arc::new(config))
}

/// Whom an agent takes for the platform.
pub enum Trust<'a> {
    /// Whoever shows this authority's certificate.
    Authority(&'a CertificateDer<'static>),
    /// Whoever shows the certificate of an authority with this fingerprint.
    Fingerprint(&'a str),
}

/// The side of the agent, with its own certificate and key if it has them.
///
/// Errors: [`TlsError`].
pub fn agent_side(
    trust: &Trust<'_>,
    own: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    purpose: Purpose,
) -> Result<Arc<ClientConfig>, TlsError> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match trust {
        Trust::Authority(authority) => builder.with_root_certificates(roots(authority)?),
        Trust::Fingerprint(expected) => {
            let pinned = Pinned((*expected).to_owned());
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(pinned))
        }
    };
    let mut config = match own {
        Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![purpose.alpn().to_vec()];
    Ok(Arc::new(config))
}

/// The name that a node's certificate has.
#[must_use]
pub fn platform_name() -> ServerName<'static> {
    ServerName::try_from(PLATFORM_NAME).expect("it is a DNS name")
}

/// Takes the authority that is shown if its fingerprint is the expected one, and then checks as always.
#[derive(Debug)]
struct Pinned(String);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let is_expected = |shown: &&CertificateDer<'_>| fingerprint(shown) == self.0;
        let authority = intermediates.iter().find(is_expected).ok_or_else(|| {
            rustls::Error::General("this isn't the platform that the code was made by".to_owned())
        })?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let checking = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        checking.verify_server_cert(end_entity, &[], server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
