//! What is said when an agent is enrolled or renewed: one message there, one back, in CBOR.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Longer ones are refused unread.
const MESSAGE_BYTES_MAX: u32 = 64 * 1024;

/// An agent asks for a certificate.
#[derive(Serialize, Deserialize)]
pub struct Asked {
    /// The agent, as the code names it; empty where the certificate that is shown tells it.
    pub agent: String,
    /// The secret of the one-time code; empty where a certificate is shown.
    pub secret: String,
    /// A signing request, DER.
    pub request: Vec<u8>,
}

/// The certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Issued {
    /// The agent's name from now on.
    pub agent: String,
    /// DER.
    pub certificate: Vec<u8>,
    /// The authority's certificate, DER.
    pub authority: Vec<u8>,
    /// Until when the certificate is good.
    pub until: Timestamp,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// No such code, or it was used, or its time is over: which one isn't told to strangers.
    #[error("the code isn't valid, or no longer: have a new one made for this agent in the portal")]
    Code,
    /// The certificate isn't this agent's any more.
    #[error("the platform no longer knows this agent's certificate: enrol it anew with a new code")]
    Certificate,
    /// The signing request can't be read.
    #[error("the signing request isn't sound")]
    Request,
    /// Something went wrong that the platform has written down.
    #[error("the platform couldn't issue a certificate just now: try again, and see its log")]
    Failed,
}

/// Why a message doesn't go or come.
#[derive(Debug, thiserror::Error)]
pub enum TalkError {
    #[error("the line broke: {0}")]
    Line(#[from] std::io::Error),
    #[error("the message isn't understood")]
    Unfit,
}

/// Sends one message.
///
/// Errors: [`TalkError::Line`].
pub async fn write_message(
    line: &mut (impl AsyncWrite + Unpin),
    said: &impl Serialize,
) -> Result<(), TalkError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(said, &mut bytes).map_err(|_| TalkError::Unfit)?;
    let length = u32::try_from(bytes.len()).map_err(|_| TalkError::Unfit)?;
    line.write_u32(length).await?;
    line.write_all(&bytes).await?;
    line.flush().await?;
    Ok(())
}

/// Reads one message.
///
/// Errors: [`TalkError`].
pub async fn read_message<T: DeserializeOwned>(
    line: &mut (impl AsyncRead + Unpin),
) -> Result<T, TalkError> {
    let length = line.read_u32().await?;
    if length > MESSAGE_BYTES_MAX {
        return Err(TalkError::Unfit);
    }
    let mut bytes = vec![0; length as usize];
    line.read_exact(&mut bytes).await?;
    ciborium::from_reader(bytes.as_slice()).map_err(|_| TalkError::Unfit)
}
