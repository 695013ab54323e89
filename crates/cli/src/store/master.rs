use std::path::{Path, PathBuf};

use clap::Args;
use playhouse_crypto::{KeyFileError, MasterKey, MasterKeyFile};
use playhouse_node::MasterKeys;
use playhouse_store::Store;
use playhouse_types::{Code, ErrorKind};
use zeroize::Zeroizing;

use super::keys::wait;
use super::location::Location;
use crate::error::{CliError, Result};
use crate::files::{self, Replace};
use crate::key_file::wrong;
use crate::paths::private_dir;
use crate::secret::SecretArgs;

/// The environment variable that may have the master key itself.
const VARIABLE: &str = "PLAYHOUSE_MASTER_KEY";
/// The file in a store's folder, unless another is named.
const FILE: &str = "master-key";
/// Beside the file while the keys are being sealed under a new one.
const NEXT: &str = "next";

/// The key under which the keys of actors are sealed.
#[derive(Debug, Clone, Args)]
pub(crate) struct MasterArg {
    /// The file with the master key, under which the keys of actors are sealed; else PLAYHOUSE_MASTER_KEY has the key, or it is in the
    /// store's folder.
    #[arg(long, value_name = "FILE", env = "PLAYHOUSE_MASTER_KEY_FILE")]
    master_key_file: Option<PathBuf>,
    #[command(flatten)]
    secret: SecretArgs,
}

impl MasterArg {
    /// What opens a master key that is sealed.
    pub(crate) const fn secret(&self) -> &SecretArgs {
        &self.secret
    }

    /// The master keys for a node, and where a new one was written if there was none.
    pub(crate) fn for_node(
        &self,
        (location, store): (&Location, Option<&dyn Store>),
        configured: Option<&Path>,
        node_dir: &Path,
    ) -> Result<(Option<MasterKeys>, Option<PathBuf>)> {
        if let Some(keys) = self.given(configured)? {
            return Ok((Some(keys), None));
        }
        let path = match location {
            Location::None => return Ok((None, None)),
            // What is sealed goes with the node, and so may the key.
            Location::Memory => return Ok((Some(generate()?.into()), None)),
            Location::Folder(folder) => folder.join(FILE),
            Location::Postgres(_) => {
                private_dir(node_dir)?;
                node_dir.join(FILE)
            }
        };
        if path.symlink_metadata().is_ok() {
            return self.read(&path).map(|keys| (Some(keys), None));
        }
        if let Some(store) = store {
            refuse_second(location, store, &path)?;
        }
        let key = generate()?;
        write(&path, key.danger_to_text().as_bytes(), Replace::No)?;
        Ok((Some(key.into()), Some(path)))
    }

    /// The master keys of a store that is there, with the file that they are in, if they are in one.
    pub(crate) fn of_store(&self, store: &Location, node_dir: &Path) -> Result<(MasterKeys, Option<PathBuf>)> {
        if let Some(keys) = self.given(None)? {
            return Ok((keys, self.master_key_file.clone()));
        }
        let path = match store {
            Location::Folder(folder) => folder.join(FILE),
            _ => node_dir.join(FILE),
        };
        if path.symlink_metadata().is_err() {
            let message = format!("there is no master key at {}", path.display());
            return Err(CliError::new(Code::KeyMasterMissing, ErrorKind::NotFound, message)
                .fix(format!("Name its file with `--master-key-file`, or put the key in {VARIABLE}.")));
        }
        Ok((self.read(&path)?, Some(path)))
    }

    /// What the command line, the configuration or the environment names.
    fn given(&self, configured: Option<&Path>) -> Result<Option<MasterKeys>> {
        if let Some(path) = self.master_key_file.as_deref().or(configured) {
            return self.read(path).map(Some);
        }
        let Some(text) = std::env::var_os(VARIABLE) else { return Ok(None) };
        let text = Zeroizing::new(std::os::unix::ffi::OsStringExt::into_vec(text));
        let source = Path::new(VARIABLE);
        self.open(MasterKeyFile::parse(&text).map_err(|error| wrong(source, &error))?, source)
            .map(|key| Some(key.into()))
    }

    /// The key in a file; with the one that is to follow it, if sealing under that one was begun and has not ended.
    fn read(&self, path: &Path) -> Result<MasterKeys> {
        let current = self.read_one(path)?;
        let next = next_to(path);
        if next.symlink_metadata().is_err() {
            return Ok(current.into());
        }
        Ok(MasterKeys::from(self.read_one(&next)?).with_former(current))
    }

    fn read_one(&self, path: &Path) -> Result<MasterKey> {
        let bytes = files::read(path, MasterKeyFile::BYTES_MAX as u64, Code::KeyFile).map(Zeroizing::new)?;
        self.open(MasterKeyFile::parse(&bytes).map_err(|error| wrong(path, &error))?, path)
    }

    fn open(&self, file: MasterKeyFile, path: &Path) -> Result<MasterKey> {
        match file {
            MasterKeyFile::Plain(key) => Ok(key),
            MasterKeyFile::Sealed(sealed) => {
                let secret = self.secret.obtain_for(sealed.needs_passphrase(), path)?;
                sealed.open(secret.as_secret()).map_err(|error| wrong(path, &error))
            }
            _ => Err(wrong(path, &KeyFileError::NoMasterKey)),
        }
    }
}

/// A store that is in use with a master key is not given another one, which would open nothing. A store of several nodes is in use with it from its first node
/// on, any other from its first sealed key on.
fn refuse_second(location: &Location, store: &dyn Store, path: &Path) -> Result<()> {
    let Some(id) = wait(MasterKeys::in_use(store))?.first().copied() else { return Ok(()) };
    let shared = matches!(location, Location::Postgres(_));
    if !shared && !wait(MasterKeys::are_needed(store))? {
        return Ok(());
    }
    let message = format!("the store is in use with master key {id}, and there is none at {}", path.display());
    let fix = if shared {
        format!(
            "Copy that key from a node that has it: the file `{FILE}` in its directory; or name its file with `--master-key-file`, or put it in {VARIABLE}."
        )
    } else {
        format!("Put your copy of it there, name its file with `--master-key-file`, or put the key in {VARIABLE}.")
    };
    Err(CliError::new(Code::KeyMasterMissing, ErrorKind::NotFound, message).fix(fix))
}

/// Where the key stands that is to follow the one in `path`.
pub(crate) fn next_to(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(NEXT);
    path.with_file_name(name)
}

/// A new master key.
pub(crate) fn generate() -> Result<MasterKey> {
    let mut seed = Zeroizing::new([0; 64]);
    getrandom::fill(&mut *seed).map_err(|error| {
        CliError::new(Code::Entropy, ErrorKind::Internal, format!("the machine has no randomness: {error}"))
    })?;
    let made = MasterKey::generate(|bytes| bytes.copy_from_slice(&seed[..bytes.len()]));
    made.map_err(|error| wrong(Path::new("a new master key"), &error))
}

/// Writes a master key, whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8], replace: Replace) -> Result<()> {
    files::write(path, bytes, 0o600, replace)
        .map_err(|error| CliError::io(Code::KeyFile, format_args!("cannot write {}", path.display()), &error))
}
