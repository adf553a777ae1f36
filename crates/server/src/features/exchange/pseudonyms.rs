//! The secret behind pseudonyms 假名: a file in the folder of secrets, made when the first delivery needs it.
//!
//! All nodes have to have the same one, or a requester would get other pseudonyms from each. So the registry keeps
//! which one is the platform's (its generation and id, which tell nothing of it), and a node that has another or
//! none leaves deliveries with pseudonyms to the others. Whoever puts a later generation into the file changes the
//! secret; see `docs/decisions/0006-pseudonyms-by-requester.md`.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tongqu_domain::{
    catalogue::MaskKind,
    exchange::{PseudonymKey, PseudonymSecret},
    grant::Grant,
};

use super::store;
use crate::{
    app::App,
    platform::{
        evidence::Entry,
        http::ApiError,
        secrets::{random_hex, write_private},
    },
};

/// Which secret the platform uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyMark {
    /// 1 for the first one.
    pub generation: u64,
    /// Of the secret.
    pub id: String,
}

impl KeyMark {
    /// What [`KeyMark`] shows as; `None` if it isn't one.
    pub fn parse(text: &str) -> Option<Self> {
        let (generation, id) = text.split_once(':')?;
        Some(Self {
            generation: generation.parse().ok()?,
            id: id.to_owned(),
        })
    }
}

impl fmt::Display for KeyMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.generation, self.id)
    }
}

/// The key of the requester of a grant; `None` where the grant has no pseudonyms, or where this node lacks the
/// platform's secret.
///
/// Errors: of the registry, and if the file can't be read or made.
pub(super) async fn key_for(
    app: &Arc<App>,
    grant: &Grant,
) -> Result<Option<PseudonymKey>, ApiError> {
    if !grant.masks.values().any(|m| *m == MaskKind::Pseudonym) {
        return Ok(None);
    }
    let secret = secret(app).await?;
    Ok(secret.map(|secret| secret.key_of(&grant.requester)))
}

async fn secret(app: &Arc<App>) -> Result<Option<PseudonymSecret>, ApiError> {
    let path = app.config.data_dir().join("secrets").join("pseudonym.key");
    let platforms = store::pseudonym_mark(&mut *app.registry.read().await?).await?;
    let Some((generation, secret)) = in_file(&path, read).await? else {
        return match platforms {
            Some(mark) => {
                tracing::error!(generation = mark.generation, id = mark.id, file = %path.display(),
                    "the key of pseudonyms was made on another node; copy its file here");
                Ok(None)
            }
            None => first(app, &path).await,
        };
    };
    let own = KeyMark {
        generation,
        id: secret.id(),
    };
    match platforms {
        Some(mark) if mark == own => Ok(Some(secret)),
        Some(mark) if mark.generation >= own.generation => {
            tracing::error!(own = %own, platforms = %mark, file = %path.display(),
                "the key of pseudonyms isn't the one that the platform uses; copy the file of another node here");
            Ok(None)
        }
        before => Ok(take_up(app, before.as_ref(), &own).await?.then_some(secret)),
    }
}

/// Makes the platform's first secret, unless another node is doing just that.
async fn first(app: &Arc<App>, path: &Path) -> Result<Option<PseudonymSecret>, ApiError> {
    let (generation, secret) = in_file(path, make).await?;
    let own = KeyMark {
        generation,
        id: secret.id(),
    };
    if take_up(app, None, &own).await? {
        return Ok(Some(secret));
    }
    // Nothing was ever made with it.
    in_file(path, |path| fs::remove_file(path)).await?;
    Ok(None)
}

/// Has the platform use this secret in place of `before`; whether it does.
async fn take_up(app: &App, before: Option<&KeyMark>, own: &KeyMark) -> Result<bool, ApiError> {
    let mut tx = app.registry.begin(app.clock.now()).await?;
    if !store::change_pseudonym_mark(&mut tx, before, own).await? {
        return Ok(false);
    }
    let entry = Entry::by_platform("exchange.pseudonym_key_taken_up");
    tx.commit(
        entry
            .on("secret", &own.id)
            .with("generation", own.generation),
    )
    .await?;
    Ok(true)
}

async fn in_file<T: Send + 'static>(
    path: &Path,
    work: fn(&Path) -> io::Result<T>,
) -> Result<T, ApiError> {
    let path: PathBuf = path.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&path)).await;
    done.map_err(ApiError::bug)?.map_err(ApiError::bug)
}

/// The generation and the secret in the file, `1 <64 hex digits>`; `None` if there is no file.
fn read(path: &Path) -> io::Result<Option<(u64, PseudonymSecret)>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let unreadable = || {
        let needed = "pseudonym.key holds a generation, a space and 64 hex digits";
        io::Error::new(io::ErrorKind::InvalidData, needed)
    };
    let (generation, digits) = text.trim().split_once(' ').ok_or_else(unreadable)?;
    let generation = generation.parse().map_err(|_| unreadable())?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| unreadable())?;
    Ok(Some((generation, PseudonymSecret::new(&bytes))))
}

fn make(path: &Path) -> io::Result<(u64, PseudonymSecret)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    write_private(path, &format!("1 {}\n", random_hex::<32>()))?;
    read(path)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets").join("pseudonym.key");
        assert!(read(&path).unwrap().is_none());
        let (generation, made) = make(&path).unwrap();
        let (read_generation, again) = read(&path).unwrap().unwrap();
        assert_eq!(
            (generation, made.id()),
            (read_generation, again.id()),
            "the same after every start"
        );
        assert!(make(&path).is_err(), "never written over");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        for broken in ["", "1", "1 abc", "one 00", &format!("1 {}", "g".repeat(64))] {
            fs::write(&path, broken).unwrap();
            let kind = read(&path).unwrap_err().kind();
            assert_eq!(kind, io::ErrorKind::InvalidData, "{broken:?}");
        }
    }

    #[test]
    fn a_mark_reads_back() {
        let mark = KeyMark {
            generation: 12,
            id: "bd16571f981ad889".to_owned(),
        };
        assert_eq!(KeyMark::parse(&mark.to_string()), Some(mark));
        assert_eq!(KeyMark::parse("nothing"), None);
    }
}
