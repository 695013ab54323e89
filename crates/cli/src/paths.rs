use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use playhouse_types::{Code, ErrorKind, Name};

use crate::error::{CliError, Result};

/// Where the program keeps what, by the XDG base directory rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    /// The trust file and keys.
    pub(crate) config: PathBuf,
    /// Compiled code. May be deleted at any time.
    pub(crate) cache: PathBuf,
    /// Control sockets and their locks.
    pub(crate) runtime: PathBuf,
    /// What nodes must not lose: their stores.
    pub(crate) state: PathBuf,
}

impl Paths {
    /// The directories of this user.
    pub(crate) fn from_env() -> Result<Self> {
        Self::resolve(|name| std::env::var_os(name))
    }

    /// The directories that these variables name. A relative path counts as unset, as the rules say.
    fn resolve(var: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let absolute = |name: &str| var(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let below_home = |name: &str, default: &str| -> Result<PathBuf> {
            if let Some(path) = absolute(name) {
                return Ok(path);
            }
            let home = absolute("HOME").ok_or_else(|| {
                CliError::new(Code::Config, ErrorKind::NotFound, format!("neither {name} nor HOME is an absolute path"))
                    .fix(format!("Set HOME, or {name}, to an absolute path."))
            })?;
            Ok(home.join(default))
        };
        let state = below_home("XDG_STATE_HOME", ".local/state")?.join("playhouse");
        let runtime = match absolute("XDG_RUNTIME_DIR") {
            Some(path) => path.join("playhouse"),
            None => state.join("run"),
        };
        Ok(Self {
            config: below_home("XDG_CONFIG_HOME", ".config")?.join("playhouse"),
            cache: below_home("XDG_CACHE_HOME", ".cache")?.join("playhouse"),
            runtime,
            state,
        })
    }

    /// What belongs to the node of that name alone.
    pub(crate) fn node_dir(&self, name: &Name) -> PathBuf {
        self.state.join("nodes").join(name.as_str())
    }

    /// The trust file, unless the command line names another.
    pub(crate) fn trust_file(&self) -> PathBuf {
        self.config.join("trust.toml")
    }

    /// The key that signs, unless the command line names another.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.config.join("key.json")
    }
}

/// What is wrong with a directory that only its owner may use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum DirError {
    /// It cannot be made or looked at.
    #[error("cannot use the directory {}: {source}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// The operating system's word.
        source: std::io::Error,
    },
    /// Something else stands there: a file, or a link that could lead anywhere.
    #[error("{} is not a directory of its own", path.display())]
    NotADirectory {
        /// What stands there.
        path: PathBuf,
    },
    /// Somebody else owns it, and so could replace what is in it.
    #[error("{} belongs to user {owner}, not to user {us}", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// Others may look into it or write to it.
    #[error("{} has mode {mode:04o}, expected 0700", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl From<DirError> for CliError {
    fn from(error: DirError) -> Self {
        let fix = match &error {
            DirError::Io { .. } => "The message is the operating system's.".to_owned(),
            DirError::NotADirectory { path } | DirError::Foreign { path, .. } => {
                format!("Remove {} if it is not in use, or point XDG_RUNTIME_DIR elsewhere.", path.display())
            }
            DirError::Open { path, .. } => format!("chmod 700 {}", path.display()),
        };
        Self::new(Code::Config, ErrorKind::PermissionDenied, error.to_string()).fix(fix)
    }
}

/// Makes the directory, for its owner only, if it is not there, and checks that it is ours alone.
pub(crate) fn private_dir(path: &Path) -> Result<(), DirError> {
    let io = |source| DirError::Io { path: path.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
    check_private(path)
}

/// Checks that a directory is ours alone.
pub(crate) fn check_private(path: &Path) -> Result<(), DirError> {
    let found = fs::symlink_metadata(path).map_err(|source| DirError::Io { path: path.to_owned(), source })?;
    if !found.is_dir() {
        return Err(DirError::NotADirectory { path: path.to_owned() });
    }
    let us = rustix::process::geteuid().as_raw();
    if found.uid() != us {
        return Err(DirError::Foreign { path: path.to_owned(), owner: found.uid(), us });
    }
    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(DirError::Open { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
