//! What a file is, by its content, and whether somebody else will be able to open it.

use tongqu_domain::kind::Kind;

/// The least width and height of a scan, in pixels; below that a seal can't be read.
pub(super) const IMAGE_PIXELS_MIN: u32 = 300;

/// How far from its end a file may hold the mark of its end, in bytes.
const TAIL: usize = 2048;

/// How far from its beginning a PDF may hold its header, in bytes: readers allow that much.
const HEAD: usize = 1024;

/// The formats that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Pdf,
    Ofd,
    Jpeg,
    Png,
}

impl Format {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Ofd => "application/ofd",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Ofd => "ofd",
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}

/// Why a file isn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum AttachmentFault {
    #[error("the file is empty")]
    Empty,
    #[error("neither PDF nor OFD, JPEG or PNG")]
    TypeNotTaken,
    #[error("a PDF without its end")]
    PdfBroken,
    #[error("a PDF that needs a password")]
    PdfEncrypted,
    #[error("an image that breaks off")]
    ImageBroken,
    #[error("an image too small to read a seal")]
    ImageSmall,
    #[error("an OFD that breaks off")]
    OfdBroken,
    #[error("an OFD that needs a password")]
    OfdEncrypted,
}

impl AttachmentFault {
    /// The stable code of the fault.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Empty => "attachment.empty",
            Self::TypeNotTaken => "attachment.type_not_taken",
            Self::PdfBroken => "attachment.pdf_broken",
            Self::PdfEncrypted => "attachment.pdf_encrypted",
            Self::ImageBroken => "attachment.image_broken",
            Self::ImageSmall => "attachment.image_small",
            Self::OfdBroken => "attachment.ofd_broken",
            Self::OfdEncrypted => "attachment.ofd_encrypted",
        }
    }

    /// What sort of refusal it is.
    pub(super) fn kind(self) -> Kind {
        Kind::Invalid
    }
}

/// The format of a file that can be taken.
pub(super) fn recognise(bytes: &[u8]) -> Result<Format, AttachmentFault> {
    if bytes.is_empty() {
        return Err(AttachmentFault::Empty);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return big_enough(png_size(bytes)).map(|()| Format::Png);
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return big_enough(jpeg_size(bytes)).map(|()| Format::Jpeg);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return ofd(bytes).map(|()| Format::Ofd);
    }
    if holds(&bytes[..bytes.len().min(HEAD)], b"%PDF-") {
        return pdf(bytes).map(|()| Format::Pdf);
    }
    Err(AttachmentFault::TypeNotTaken)
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn tail(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.len().saturating_sub(TAIL)..]
}

fn pdf(bytes: &[u8]) -> Result<(), AttachmentFault> {
    if !holds(tail(bytes), b"%%EOF") || !holds(tail(bytes), b"startxref") {
        return Err(AttachmentFault::PdfBroken);
    }
    // The entry of a trailer: `/Encrypt 12 0 R` or `/Encrypt <<`, not `/EncryptMetadata`.
    let name = b"/Encrypt";
    let encrypted = bytes.windows(name.len() + 1).any(|window| {
        window.starts_with(name)
            && (window.ends_with(b"<") || window[name.len()].is_ascii_whitespace())
    });
    if encrypted {
        return Err(AttachmentFault::PdfEncrypted);
    }
    Ok(())
}

fn big_enough(size: Option<(u32, u32)>) -> Result<(), AttachmentFault> {
    match size {
        None => Err(AttachmentFault::ImageBroken),
        Some((width, height)) if width.min(height) < IMAGE_PIXELS_MIN => {
            Err(AttachmentFault::ImageSmall)
        }
        Some(_) => Ok(()),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Width and height, if every chunk up to the end is there.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.get(12..16)? != b"IHDR" {
        return None;
    }
    let size = (u32_at(bytes, 16)?, u32_at(bytes, 20)?);
    let mut at = 8;
    loop {
        let length = usize::try_from(u32_at(bytes, at)?).ok()?;
        let kind = bytes.get(at + 4..at + 8)?;
        // Length, kind and check sum stand around the data of a chunk.
        at = at.checked_add(length)?.checked_add(12)?;
        if at > bytes.len() {
            return None;
        }
        if kind == b"IEND" {
            return Some(size);
        }
    }
}

/// Width and height, if the picture has an end.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match *bytes.get(at + 1)? {
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            // Frame headers; c4, c8 and cc among them are tables.
            marker @ 0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let size = (u16_at(bytes, at + 7)?, u16_at(bytes, at + 5)?);
                let ends = holds(bytes.get(at..)?, b"\xff\xd9");
                return ends.then_some((size.0.into(), size.1.into()));
            }
            0xd9 | 0xda => return None,
            _ => at += 2 + usize::from(u16_at(bytes, at + 2)?),
        }
    }
}

/// An OFD is a ZIP with `OFD.xml` at its root (GB/T 33190).
fn ofd(bytes: &[u8]) -> Result<(), AttachmentFault> {
    match entry_flags(bytes, b"OFD.xml") {
        None if holds(bytes, b"OFD.xml") => Err(AttachmentFault::OfdBroken),
        None => Err(AttachmentFault::TypeNotTaken),
        Some(flags) if flags & 1 == 1 => Err(AttachmentFault::OfdEncrypted),
        Some(_) => Ok(()),
    }
}

/// The flags of a file in a ZIP, read from its directory; `None` if the directory lacks it or is broken.
fn entry_flags(bytes: &[u8], name: &[u8]) -> Option<u16> {
    let le16 = |at: usize| u16_at(bytes, at).map(u16::swap_bytes);
    let le32 = |at: usize| u32_at(bytes, at).map(u32::swap_bytes);
    let comment_max = usize::from(u16::MAX) + 22;
    let from = bytes.len().saturating_sub(comment_max);
    let end = from
        + bytes[from..]
            .windows(4)
            .rposition(|window| window == b"PK\x05\x06")?;
    let mut at = usize::try_from(le32(end + 16)?).ok()?;
    for _ in 0..le16(end + 10)? {
        if bytes.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        let (own, extra, comment) = (le16(at + 28)?, le16(at + 30)?, le16(at + 32)?);
        let own = usize::from(own);
        if bytes.get(at + 46..at + 46 + own)? == name {
            return le16(at + 8);
        }
        at += 46 + own + usize::from(extra) + usize::from(comment);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend(b"\x08\x02\0\0\0crc_\0\0\0\x04IDATdatacrc_\0\0\0\0IENDcrc_");
        bytes
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x03x\xff\xc0\0\x0b\x08".to_vec();
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend(b"\x01\x01\x11\0\xff\xda\0\x02scan\xff\xd9");
        bytes
    }

    #[test]
    fn images_are_measured() {
        assert_eq!(recognise(&png(300, 300)), Ok(Format::Png));
        assert_eq!(recognise(&jpeg(2480, 3508)), Ok(Format::Jpeg));
        for small in [
            png(299, 3000),
            png(3000, 299),
            jpeg(299, 3000),
            jpeg(3000, 299),
        ] {
            assert_eq!(recognise(&small), Err(AttachmentFault::ImageSmall));
        }
    }

    #[test]
    fn files_that_break_off_are_noticed_wherever_they_do() {
        for whole in [png(400, 400), jpeg(400, 400)] {
            for length in 9..whole.len() {
                assert_eq!(
                    recognise(&whole[..length]),
                    Err(AttachmentFault::ImageBroken),
                    "{length} of {}",
                    whole.len()
                );
            }
        }
    }

    #[test]
    fn a_pdf_has_head_and_end_and_no_password() {
        let pdf = |trailer: &str| {
            format!(
                "%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<{trailer}>>\nstartxref\n9\n%%EOF\n"
            )
            .into_bytes()
        };
        assert_eq!(recognise(&pdf("/Root 1 0 R")), Ok(Format::Pdf));
        assert_eq!(recognise(&pdf("/EncryptMetadata true")), Ok(Format::Pdf));
        for trailer in ["/Encrypt 5 0 R", "/Encrypt<</V 4>>", "/Encrypt\n5 0 R"] {
            assert_eq!(recognise(&pdf(trailer)), Err(AttachmentFault::PdfEncrypted));
        }
        let whole = pdf("/Root 1 0 R");
        assert_eq!(
            recognise(&whole[..whole.len() - 8]),
            Err(AttachmentFault::PdfBroken)
        );
    }

    #[test]
    fn other_content_is_not_taken_whatever_its_name() {
        assert_eq!(recognise(b""), Err(AttachmentFault::Empty));
        for other in [
            &b"MZ\x90\0"[..],
            b"<html>",
            b"PK\x03\x04 a spreadsheet",
            b"GIF89a",
        ] {
            assert_eq!(recognise(other), Err(AttachmentFault::TypeNotTaken));
        }
    }
}
