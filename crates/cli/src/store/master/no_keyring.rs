//! Where there is no keyring in this program.

use playhouse_types::{Code, ErrorKind};
use zeroize::Zeroizing;

use crate::error::{CliError, Result};

pub(super) fn get(_name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
    Err(missing())
}

pub(super) fn set(_name: &str, _secret: &[u8]) -> Result<()> {
    Err(missing())
}

pub(super) fn delete(_name: &str) -> Result<()> {
    Err(missing())
}

fn missing() -> CliError {
    let message = "this `playhouse` was built without the keyring of the operating system";
    CliError::new(Code::KeyMasterMissing, ErrorKind::NotImplemented, message).fix(
        "Build it with `cargo install --path crates/cli --locked --features keyring`, or keep the master key in a file: \
         `--master-key-file FILE`.",
    )
}
