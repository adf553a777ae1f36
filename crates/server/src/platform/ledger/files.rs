//! The files of a ledger: names, order, lines.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tongqu_domain::ledger::{Head, LINE_BYTES_MAX};

use super::LedgerError;

/// A head with its signature, one line of `heads.log`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignedHead {
    #[serde(flatten)]
    pub head: Head,
    /// Ed25519 signature over `Head::signed_bytes`, hex.
    pub signature: String,
}

/// A head takes some 300 bytes; the last one is surely within these.
const TAIL_BYTES: u64 = 4096;

/// Where the signed heads are.
pub(super) fn heads_path(dir: &Path) -> PathBuf {
    dir.join("heads.log")
}

/// The last whole head of a ledger, for whoever wants to know how far it is; its signature isn't checked here.
/// `None` before the first, or if it can't be read.
#[must_use]
pub fn last_head(dir: &Path) -> Option<SignedHead> {
    let mut file = File::open(heads_path(dir)).ok()?;
    let end = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(end.saturating_sub(TAIL_BYTES)))
        .ok()?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).ok()?;
    tail.split(|byte| *byte == b'\n')
        .rev()
        .find_map(|line| serde_json::from_slice(line).ok())
}

/// The file with this number.
pub(super) fn segment_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("records-{number:06}.log"))
}

/// The numbers of the record files, in order.
pub(super) fn segments(dir: &Path) -> Result<Vec<u32>, LedgerError> {
    let mut numbers = Vec::new();
    for file in std::fs::read_dir(dir)? {
        let name = file?.file_name();
        let number: Option<u32> = name.to_str().and_then(|n| {
            n.strip_prefix("records-")?
                .strip_suffix(".log")?
                .parse()
                .ok()
        });
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Calls `each` with every line of a file, line feed included, and where it begins. A line that is too
/// long comes in parts, which no parser takes for a record.
pub(super) fn for_each_line<E: From<std::io::Error>>(
    path: &Path,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
    let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let (mut line, mut offset) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        let read = reader.by_ref().take(limit).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        each(offset, &line)?;
        offset += u64::try_from(read).unwrap_or(0);
    }
}
