use std::path::{Path, PathBuf};

use clap::Args;
use playhouse_crypto::{KeyFileError, MasterKey, MasterKeyFile, MasterKeyId};
use playhouse_node::MasterKeys;
use playhouse_store::Store;
use playhouse_types::{Code, ErrorKind};
use zeroize::Zeroizing;

use super::keys::wait;
use super::location::Location;
use crate::error::{CliError, Result};
use crate::key_file::wrong;
use crate::paths::private_dir;
use crate::secret::SecretArgs;

#[cfg(feature = "keyring")]
mod keyring;
#[cfg(not(feature = "keyring"))]
#[path = "master/no_keyring.rs"]
mod keyring;
mod place;

pub(crate) use place::Place;

/// The environment variable that may have the master key itself.
const VARIABLE: &str = "PLAYHOUSE_MASTER_KEY";
/// The file in a store's folder, unless another place is named.
pub(crate) const FILE: &str = "master-key";

/// The key under which the keys of actors are sealed.
#[derive(Debug, Clone, Args)]
pub(crate) struct MasterArg {
    /// The file with the master key, under which the keys of actors are sealed; else PLAYHOUSE_MASTER_KEY has the key, or it is in the
    /// store's folder.
    #[arg(long, value_name = "FILE", env = "PLAYHOUSE_MASTER_KEY_FILE")]
    master_key_file: Option<PathBuf>,
    /// The entry of the operating system's keyring with the master key, instead of a file; `playhouse run` makes it if it is not there.
    #[arg(long, value_name = "ENTRY", env = "PLAYHOUSE_MASTER_KEY_IN_KEYRING", conflicts_with = "master_key_file")]
    master_key_in_keyring: Option<String>,
    #[command(flatten)]
    secret: SecretArgs,
}

impl MasterArg {
    /// What opens a master key that is sealed.
    pub(crate) const fn secret(&self) -> &SecretArgs {
        &self.secret
    }

    /// The master keys for a node, and where a new one was put if there was none.
    pub(crate) fn for_node(
        &self,
        (location, store): (&Location, Option<&dyn Store>),
        configured: Option<&Place>,
        node_dir: &Path,
    ) -> Result<(Option<MasterKeys>, Option<Place>)> {
        let place = match (self.named(configured), location) {
            (Some(file @ Place::File(_)), _) => return Ok((Some(self.read(&file)?), None)),
            (Some(entry), _) => entry,
            (None, _) if self.variable().is_some() => return Ok((self.in_variable()?, None)),
            (None, Location::None) => return Ok((None, None)),
            // What is sealed goes with the node, and so may the key.
            (None, Location::Memory) => return Ok((Some(generate()?.into()), None)),
            (None, Location::Folder(folder)) => Place::File(folder.join(FILE)),
            (None, Location::Postgres(_)) => {
                private_dir(node_dir)?;
                Place::File(node_dir.join(FILE))
            }
        };
        if place.find()?.is_some() {
            return Ok((Some(self.read(&place)?), None));
        }
        if let Some(store) = store {
            refuse_second(location, store, &place)?;
        }
        let key = generate()?;
        place.fill(&key.danger_to_text())?;
        Ok((Some(key.into()), Some(place)))
    }

    /// The master keys of a store that is there, with the place that they are in, if it is one where they can be changed.
    pub(crate) fn of_store(&self, store: &Location, node_dir: &Path) -> Result<(MasterKeys, Option<Place>)> {
        let named = self.named(None);
        if named.is_none()
            && let Some(keys) = self.in_variable()?
        {
            return Ok((keys, None));
        }
        let place = named.unwrap_or_else(|| match store {
            Location::Folder(folder) => Place::File(folder.join(FILE)),
            _ => Place::File(node_dir.join(FILE)),
        });
        Ok((self.read(&place)?, Some(place)))
    }

    /// The place that the command line or the configuration names.
    fn named(&self, configured: Option<&Place>) -> Option<Place> {
        let file = self.master_key_file.clone().map(Place::File);
        file.or_else(|| self.master_key_in_keyring.clone().map(Place::Keyring)).or_else(|| configured.cloned())
    }

    fn variable(&self) -> Option<Zeroizing<Vec<u8>>> {
        std::env::var_os(VARIABLE).map(|text| Zeroizing::new(std::os::unix::ffi::OsStringExt::into_vec(text)))
    }

    fn in_variable(&self) -> Result<Option<MasterKeys>> {
        let Some(text) = self.variable() else { return Ok(None) };
        let source = Path::new(VARIABLE);
        let key = self.open(MasterKeyFile::parse(&text).map_err(|error| wrong(source, &error))?, source)?;
        Ok(Some(key.into()))
    }

    /// The key in a place; with the one that is to follow it, if sealing under that one was begun and has not ended.
    fn read(&self, place: &Place) -> Result<MasterKeys> {
        let current = self.read_one(place)?.ok_or_else(|| absent(place))?;
        Ok(match self.read_one(&place.next())? {
            Some(next) => MasterKeys::from(next).with_former(current),
            None => current.into(),
        })
    }

    /// The name of the key that is in a place itself.
    pub(crate) fn id_at(&self, place: &Place) -> Result<MasterKeyId> {
        Ok(self.read_one(place)?.ok_or_else(|| absent(place))?.id())
    }

    fn read_one(&self, place: &Place) -> Result<Option<MasterKey>> {
        let Some(found) = place.find()? else { return Ok(None) };
        self.open(found, Path::new(&place.to_string())).map(Some)
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

fn absent(place: &Place) -> CliError {
    let message = format!("there is no master key at {place}");
    CliError::new(Code::KeyMasterMissing, ErrorKind::NotFound, message)
        .fix(format!("Name its file with `--master-key-file`, or put the key in {VARIABLE}."))
}

/// A store that is in use with a master key is not given another one, which would open nothing. A store of several nodes is in use with it from its first node
/// on, any other from its first sealed key on.
fn refuse_second(location: &Location, store: &dyn Store, place: &Place) -> Result<()> {
    let Some(id) = wait(MasterKeys::in_use(store))?.first().copied() else { return Ok(()) };
    let shared = matches!(location, Location::Postgres(_));
    if !shared && !wait(MasterKeys::are_needed(store))? {
        return Ok(());
    }
    let message = format!("the store is in use with master key {id}, and there is none at {place}");
    let fix = if shared {
        format!(
            "Copy that key from a node that has it: the file `{FILE}` in its directory; or name its file with `--master-key-file`, or put it in {VARIABLE}."
        )
    } else {
        format!("Put your copy of it there, name its file with `--master-key-file`, or put the key in {VARIABLE}.")
    };
    Err(CliError::new(Code::KeyMasterMissing, ErrorKind::NotFound, message).fix(fix))
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
