//! Files by content digest, in a folder.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// Keeps `bytes` in `dir`; the name is their SHA-256, which is given back. Keeping the same bytes twice
/// changes nothing.
pub fn keep(dir: &Path, bytes: &[u8]) -> std::io::Result<String> {
    let digest = hex::encode(Sha256::digest(bytes));
    let path = place(dir, &digest);
    if !path.exists() {
        std::fs::create_dir_all(path.parent().unwrap_or(dir))?;
        let part = path.with_extension("part");
        std::fs::write(&part, bytes)?;
        std::fs::rename(&part, &path)?;
    }
    Ok(digest)
}

/// Reads the file with this digest and checks that it still is what it was.
pub fn read(dir: &Path, digest: &str) -> std::io::Result<Vec<u8>> {
    let bytes = std::fs::read(place(dir, digest))?;
    if hex::encode(Sha256::digest(&bytes)) == digest {
        Ok(bytes)
    } else {
        Err(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "the file isn't what was kept",
        ))
    }
}

fn place(dir: &Path, digest: &str) -> PathBuf {
    dir.join(digest.get(..2).unwrap_or("00")).join(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let digest = keep(dir.path(), b"one").unwrap();
        assert_eq!(read(dir.path(), &digest).unwrap(), b"one");
        std::fs::write(place(dir.path(), &digest), b"two").unwrap();
        assert!(read(dir.path(), &digest).is_err());
    }
}
