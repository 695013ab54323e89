use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use playhouse_crypto::MasterKeyFile;
use playhouse_types::Code;
use zeroize::Zeroizing;

use super::keyring;
use crate::error::{CliError, Result};
use crate::files::{self, Replace};
use crate::key_file::wrong;

/// What the name of the key that is to follow another one ends with, while everything is sealed under it.
const NEXT: &str = ".next";

/// Where a master key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a file.
    File(PathBuf),
    /// In the operating system's keyring, in the entry of that name.
    Keyring(String),
}

impl Place {
    /// The key, in the clear or sealed; none if nothing is there.
    pub(crate) fn find(&self) -> Result<Option<MasterKeyFile>> {
        let bytes = match self {
            Self::File(path) if path.symlink_metadata().is_err() => return Ok(None),
            Self::File(path) => Zeroizing::new(files::read(path, MasterKeyFile::BYTES_MAX as u64, Code::KeyFile)?),
            Self::Keyring(entry) => match keyring::get(entry)? {
                Some(bytes) => bytes,
                None => return Ok(None),
            },
        };
        let name = self.to_string();
        MasterKeyFile::parse(&bytes).map(Some).map_err(|error| wrong(Path::new(&name), &error))
    }

    /// Keeps a key where none is.
    pub(crate) fn fill(&self, text: &str) -> Result<()> {
        match self {
            Self::File(path) => files::write(path, text.as_bytes(), 0o600, Replace::No)
                .map_err(|error| CliError::io(Code::KeyFile, format_args!("cannot write {}", path.display()), &error)),
            Self::Keyring(entry) => keyring::set(entry, text.as_bytes()),
        }
    }

    /// Where the key stands that is to follow the one here.
    pub(crate) fn next(&self) -> Self {
        self.beside(NEXT)
    }

    /// Where the key here is kept when another one follows it: backups need it.
    pub(crate) fn former(&self, id: impl fmt::Display) -> Self {
        self.beside(&format!(".{id}"))
    }

    /// Puts the key that follows into this place, and leaves the one that is here in `former`. Whatever interrupts it, each key is in one place at
    /// least.
    pub(crate) fn succeed(&self, former: &Self) -> Result<()> {
        match (self, self.next(), former) {
            (Self::File(path), Self::File(next), Self::File(former)) => {
                let fail = |error: io::Error| {
                    CliError::io(Code::KeyFile, format_args!("cannot replace {}", path.display()), &error)
                };
                match fs::hard_link(path, former) {
                    // An earlier attempt was interrupted behind this.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    linked => linked.map_err(fail)?,
                }
                fs::rename(next, path).and_then(|()| files::sync_directory(&files::directory_of(path))).map_err(fail)
            }
            (Self::Keyring(entry), Self::Keyring(next), Self::Keyring(former)) => {
                if let Some(bytes) = keyring::get(&next)? {
                    if let Some(bytes) = keyring::get(entry)? {
                        keyring::set(former, &bytes)?;
                    }
                    keyring::set(entry, &bytes)?;
                    keyring::delete(&next)?;
                }
                Ok(())
            }
            // Those beside a place are of its kind.
            _ => Ok(()),
        }
    }

    fn beside(&self, suffix: &str) -> Self {
        match self {
            Self::File(path) => {
                let mut name = path.file_name().unwrap_or_default().to_owned();
                name.push(suffix);
                Self::File(path.with_file_name(name))
            }
            Self::Keyring(entry) => Self::Keyring(format!("{entry}{suffix}")),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Keyring(entry) => write!(f, "the entry {entry:?} of the keyring"),
        }
    }
}
