use std::path::{Path, PathBuf};

use clap::Args;
use playhouse_crypto::SealedKey;
use playhouse_types::{Code, ErrorKind};
use zeroize::Zeroizing;

use crate::error::{CliError, Result};
use crate::{files, terminal};

/// Bytes of a secret file. Longer ones are a mistake.
const SECRET_FILE_BYTES_MAX: u64 = 4096;
const VARIABLE: &str = "PLAYHOUSE_PASSPHRASE";

/// What opens or seals a key.
#[derive(Debug, Clone, Args)]
pub(crate) struct SecretArgs {
    /// Read the passphrase from the first line of this file; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "secret_file")]
    passphrase_file: Option<PathBuf>,
    /// Use the content of this file, at least 32 random bytes, instead of a passphrase.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// A passphrase or the content of a secret file; wiped when dropped.
pub(crate) enum SecretBytes {
    Passphrase(Zeroizing<Vec<u8>>),
    File(Zeroizing<Vec<u8>>),
}

impl SecretArgs {
    /// What opens this key: what the command line, then what the environment says, then what the user types.
    pub(crate) fn obtain(&self, key: &SealedKey, path: &Path) -> Result<SecretBytes> {
        self.obtain_for(key.needs_passphrase(), path)
    }

    /// What opens what is in `path`, which takes a passphrase or else a secret file.
    pub(crate) fn obtain_for(&self, needs_passphrase: bool, path: &Path) -> Result<SecretBytes> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        if !needs_passphrase {
            let message = format!("{} opens with a secret file", path.display());
            return Err(CliError::new(Code::KeyPassphrase, ErrorKind::InvalidArgument, message)
                .fix("Name it with `--secret-file FILE`."));
        }
        let question = format!("Passphrase for {}: ", path.display());
        Ok(SecretBytes::Passphrase(terminal::ask_hidden(&question)?.ok_or_else(no_terminal)?))
    }

    /// What is to seal a new key. A passphrase that is typed is typed twice.
    pub(crate) fn choose(&self) -> Result<SecretBytes> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        let first = terminal::ask_hidden("New passphrase: ")?.ok_or_else(no_terminal)?;
        let second = terminal::ask_hidden("Once more: ")?.ok_or_else(no_terminal)?;
        if first != second {
            let message = "the two passphrases differ";
            return Err(CliError::new(Code::KeyPassphrase, ErrorKind::InvalidArgument, message).fix("Try again."));
        }
        Ok(SecretBytes::Passphrase(first))
    }

    fn given(&self) -> Result<Option<SecretBytes>> {
        let read = |path: &Path| files::read(path, SECRET_FILE_BYTES_MAX, Code::KeyPassphrase).map(Zeroizing::new);
        if let Some(path) = &self.secret_file {
            return Ok(Some(SecretBytes::File(read(path)?)));
        }
        if let Some(path) = &self.passphrase_file {
            let text = read(path)?;
            let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            return Ok(Some(SecretBytes::Passphrase(Zeroizing::new(line.to_vec()))));
        }
        use std::os::unix::ffi::OsStringExt;
        Ok(std::env::var_os(VARIABLE).map(|text| SecretBytes::Passphrase(Zeroizing::new(text.into_vec()))))
    }
}

fn no_terminal() -> CliError {
    CliError::new(
        Code::KeyPassphrase,
        ErrorKind::InvalidArgument,
        "a passphrase is needed and there is no terminal to ask at",
    )
    .fix(format!("Give it with `--passphrase-file FILE` or in {VARIABLE}."))
}
