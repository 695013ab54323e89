//! The keyring of the operating system: whatever answers as the Secret Service on the session's D-Bus, such as GNOME Keyring, KWallet or KeePassXC.
//!
//! The kernel's own keyring is not offered: it forgets when the machine starts anew, and a master key must not be forgotten.

use std::sync::Arc;

use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};
use playhouse_types::{Code, ErrorKind};
use zbus_secret_service_keyring_store::Store;
use zeroize::Zeroizing;

use crate::error::{CliError, Result};

/// The attribute `service` of our entries; `username` is the name of the entry.
const SERVICE: &str = "playhouse";

/// What is in an entry; none if there is no such entry.
pub(super) fn get(name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match entry(name)?.get_secret() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

/// Writes an entry, and makes it if it is not there.
pub(super) fn set(name: &str, secret: &[u8]) -> Result<()> {
    entry(name)?.set_secret(secret).map_err(|error| failed(&error))
}

/// Deletes an entry that is there.
pub(super) fn delete(name: &str) -> Result<()> {
    entry(name)?.delete_credential().map_err(|error| failed(&error))
}

fn entry(name: &str) -> Result<Entry> {
    let store: Arc<Store> = Store::new().map_err(|error| failed(&error))?;
    store.build(SERVICE, name, None).map_err(|error| failed(&error))
}

fn failed(error: &Error) -> CliError {
    let (what, cause) = match error {
        Error::NoStorageAccess(cause) => {
            ("the keyring is locked, and nobody could be asked to open it", cause.to_string())
        }
        Error::PlatformFailure(cause) => ("there is no keyring that answers", cause.to_string()),
        Error::Ambiguous(entries) => ("the keyring has several entries of that name", entries.len().to_string()),
        error => ("the keyring", error.to_string()),
    };
    CliError::new(Code::KeyMasterMissing, ErrorKind::Unavailable, format!("{what}: {cause}")).fix(
        "It is what offers the Secret Service on the D-Bus of your session, such as GNOME Keyring, KWallet or KeePassXC: start and unlock it, \
         or keep the master key in a file: `--master-key-file FILE`.",
    )
}
