//! Looks at the ZIP archive around a workbook before anything inside it is parsed.
//!
//! Every part is unpacked once into nowhere, so that the sizes are known and not just claimed. The reader behind
//! this takes the same directory of the archive, hence sees the same parts.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// How much a workbook may hold before anything in it is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_field_names,
    reason = "limits end in `_max` throughout the product"
)]
pub struct Limits {
    /// Size of the file, in bytes.
    pub bytes_max: usize,
    /// Size of all its parts unpacked, in bytes: guards against a small file that swells.
    pub unpacked_bytes_max: u64,
    /// Size of each unpacked part other than a sheet, in bytes: the shared texts are held in memory as a whole.
    pub part_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 20_000_000,
            unpacked_bytes_max: 256_000_000,
            part_bytes_max: 64_000_000,
        }
    }
}

/// Why a file isn't parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageFault {
    /// The file is larger than allowed.
    TooLarge,
    /// Something else under the name of a workbook.
    NotXlsx(FoundFormat),
    /// Broken or unusual inside.
    Unreadable,
    /// It unpacks to more than allowed.
    UnpacksTooLarge,
}

/// What a file that isn't XLSX looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundFormat {
    /// No bytes at all.
    Nothing,
    /// The old binary format of Office, which encrypted files of the new one use as well.
    OldOfficeOrEncrypted,
    /// A ZIP archive with something else in it.
    OtherArchive,
    /// Neither.
    Other,
}

impl std::fmt::Display for FoundFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::OldOfficeOrEncrypted => "an old or encrypted Office file",
            Self::OtherArchive => "another ZIP archive",
            Self::Other => "something else",
        })
    }
}

/// Parts in one archive; the template has about fifteen.
const PARTS_MAX: usize = 1_000;
/// Shared texts a workbook may announce: the reader reserves room for as many before it has seen one.
const ANNOUNCED_TEXTS_MAX: u64 = 2_000_000;

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
const DIRECTORY_END: &[u8] = b"PK\x05\x06";
const ZIP64_LOCATOR: &[u8] = b"PK\x06\x07";
const OLD_OFFICE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Refuses what isn't a workbook, and what would swell beyond the limits.
///
/// Errors: [`PackageFault`].
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<(), PackageFault> {
    if bytes.len() > limits.bytes_max {
        return Err(PackageFault::TooLarge);
    }
    let found = match bytes {
        [] => Some(FoundFormat::Nothing),
        _ if bytes.starts_with(OLD_OFFICE) => Some(FoundFormat::OldOfficeOrEncrypted),
        _ if !bytes.starts_with(b"PK") => Some(FoundFormat::Other),
        _ => None,
    };
    if let Some(found) = found {
        return Err(PackageFault::NotXlsx(found));
    }
    let parts = directory(bytes).ok_or(PackageFault::Unreadable)?;
    let holds = |wanted: &str| {
        parts
            .iter()
            .any(|part| part.name.eq_ignore_ascii_case(wanted.as_bytes()))
    };
    if !holds("[Content_Types].xml") || !holds("xl/workbook.xml") {
        return Err(PackageFault::NotXlsx(FoundFormat::OtherArchive));
    }
    let mut unpacked: u64 = 0;
    for part in &parts {
        unpacked += unpack(bytes, part, limits.unpacked_bytes_max - unpacked, limits)?;
    }
    Ok(())
}

/// One part, as the directory of the archive describes it.
struct Part<'a> {
    name: &'a [u8],
    is_deflated: bool,
    packed_bytes: usize,
    header_at: usize,
}

/// Reads the directory; `None` if it is broken, encrypted, in parts or of the 64-bit form, which no office
/// program uses for files this small.
fn directory(bytes: &[u8]) -> Option<Vec<Part<'_>>> {
    let end_at = bytes
        .windows(4)
        .rposition(|window| window == DIRECTORY_END)?;
    let end = bytes.get(end_at..)?;
    let comment_bytes = usize::from(u16_at(end, 20)?);
    if end.len() != 22 + comment_bytes
        || end_at.checked_sub(20).and_then(|at| bytes.get(at..at + 4)) == Some(ZIP64_LOCATOR)
    {
        return None;
    }
    let count = usize::from(u16_at(end, 10)?);
    if count > PARTS_MAX || u16_at(end, 4)? != 0 {
        return None;
    }
    let mut at = usize_at(end, 16)?;
    let mut parts = Vec::with_capacity(count);
    for _ in 0..count {
        let entry = bytes.get(at..end_at)?;
        if !entry.starts_with(DIRECTORY_ENTRY) {
            return None;
        }
        let flags = u16_at(entry, 8)?;
        let method = u16_at(entry, 10)?;
        let name_bytes = usize::from(u16_at(entry, 28)?);
        let extra_bytes = usize::from(u16_at(entry, 30)?);
        let comment_bytes = usize::from(u16_at(entry, 32)?);
        if flags & 1 != 0 || !matches!(method, 0 | 8) {
            return None;
        }
        parts.push(Part {
            name: entry.get(46..46 + name_bytes)?,
            is_deflated: method == 8,
            packed_bytes: usize_at(entry, 20)?,
            header_at: usize_at(entry, 42)?,
        });
        at += 46 + name_bytes + extra_bytes + comment_bytes;
    }
    (at == end_at).then_some(parts)
}

/// Unpacks a part into nowhere and returns its size.
fn unpack(
    bytes: &[u8],
    part: &Part<'_>,
    bytes_left: u64,
    limits: &Limits,
) -> Result<u64, PackageFault> {
    let packed = packed(bytes, part).ok_or(PackageFault::Unreadable)?;
    let mut unpacked: Box<dyn Read + '_> = if part.is_deflated {
        Box::new(DeflateDecoder::new(packed))
    } else {
        Box::new(packed)
    };
    let is_sheet = part
        .name
        .to_ascii_lowercase()
        .starts_with(b"xl/worksheets/");
    let is_xml = part.name.to_ascii_lowercase().ends_with(b".xml")
        || part.name.to_ascii_lowercase().ends_with(b".rels");
    let bytes_max = if is_sheet {
        bytes_left
    } else {
        bytes_left.min(limits.part_bytes_max)
    };
    let mut scan = Scan::default();
    let mut size: u64 = 0;
    let mut buffer = [0; 16_384];
    loop {
        let read = unpacked
            .read(&mut buffer)
            .map_err(|_| PackageFault::Unreadable)?;
        if read == 0 {
            return Ok(size);
        }
        size += u64::try_from(read).unwrap_or(u64::MAX);
        if size > bytes_max {
            return Err(PackageFault::UnpacksTooLarge);
        }
        let chunk = &buffer[..read];
        // A NUL means UTF-16, in which the scan would see nothing. Office programs write UTF-8.
        if (is_xml && chunk.contains(&0)) || !scan.is_modest(chunk) {
            return Err(PackageFault::Unreadable);
        }
    }
}

fn packed<'a>(bytes: &'a [u8], part: &Part<'_>) -> Option<&'a [u8]> {
    let header = bytes.get(part.header_at..)?;
    if !header.starts_with(LOCAL_HEADER) {
        return None;
    }
    let start = 30 + usize::from(u16_at(header, 26)?) + usize::from(u16_at(header, 28)?);
    header.get(start..start.checked_add(part.packed_bytes)?)
}

/// Looks for `uniqueCount="…"` across chunks: the reader reserves memory for that many texts unseen.
#[derive(Default)]
struct Scan {
    state: ScanState,
}

#[derive(Default, Clone, Copy)]
enum ScanState {
    /// So many letters of the name have been seen.
    Name(usize),
    /// The name is complete; blanks, `=` and a quote may follow.
    #[default]
    Start,
    BeforeValue,
    Value(u64),
}

impl Scan {
    const NAME: &'static [u8] = b"uniqueCount";

    fn is_modest(&mut self, chunk: &[u8]) -> bool {
        if matches!(self.state, ScanState::Start) && !chunk.contains(&Self::NAME[0]) {
            return true;
        }
        for byte in chunk {
            self.state = match (self.state, byte) {
                (ScanState::BeforeValue, b' ' | b'\t' | b'\r' | b'\n' | b'=' | b'"' | b'\'') => {
                    ScanState::BeforeValue
                }
                (ScanState::BeforeValue, b'0'..=b'9') => ScanState::Value(u64::from(byte - b'0')),
                (ScanState::Value(value), b'0'..=b'9') => ScanState::Value(
                    value
                        .saturating_mul(10)
                        .saturating_add(u64::from(byte - b'0')),
                ),
                (ScanState::Value(value), _) if value > ANNOUNCED_TEXTS_MAX => return false,
                (ScanState::Name(seen), _) if *byte == Self::NAME[seen] => {
                    if seen + 1 == Self::NAME.len() {
                        ScanState::BeforeValue
                    } else {
                        ScanState::Name(seen + 1)
                    }
                }
                _ if *byte == Self::NAME[0] => ScanState::Name(1),
                _ => ScanState::Start,
            };
        }
        !matches!(self.state, ScanState::Value(value) if value > ANNOUNCED_TEXTS_MAX)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn usize_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}
