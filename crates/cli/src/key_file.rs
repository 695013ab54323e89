use std::path::Path;

use clap::Args;
use playhouse_crypto::{KeyFile, KeyFileError, Secret, SigningKey, VerifyingKey};
use playhouse_types::{Code, ErrorKind};

use crate::error::{CliError, Result};
use crate::files;
use crate::secret::{SecretArgs, SecretBytes};

/// What is in a key file.
pub(crate) fn read(path: &Path) -> Result<KeyFile> {
    let bytes = zeroize::Zeroizing::new(files::read(path, KeyFile::BYTES_MAX as u64, Code::KeyFile)?);
    KeyFile::parse(&bytes).map_err(|error| wrong(path, &error))
}

/// The public key in a file: a key file of ours or of actr 0.3, a public key file, or base64 alone.
pub(crate) fn read_public(path: &Path) -> Result<VerifyingKey> {
    let bytes = zeroize::Zeroizing::new(files::read(path, KeyFile::BYTES_MAX as u64, Code::KeyFile)?);
    if let Some(key) = str::from_utf8(&bytes).ok().and_then(|text| VerifyingKey::from_base64(text).ok()) {
        return Ok(key);
    }
    Ok(KeyFile::parse(&bytes).map_err(|error| wrong(path, &error))?.verifying_key())
}

/// Whether it is a file with a private key in the clear.
pub(crate) fn is_plain(path: &Path) -> bool {
    path.is_file() && matches!(read(path), Ok(KeyFile::Plain(_)))
}

/// Names the file in an error about what is in it.
pub(crate) fn wrong(path: &Path, error: &KeyFileError) -> CliError {
    let kind = match error.code() {
        Code::KeyPassphrase => ErrorKind::PermissionDenied,
        _ => ErrorKind::InvalidArgument,
    };
    CliError::new(error.code(), kind, format!("{}: {error}", path.display()))
}

/// Names what is wrong with a secret that is to seal a new key.
pub(crate) fn not_sealed(path: &Path, error: &KeyFileError) -> CliError {
    match error {
        KeyFileError::SecretTooShort { .. } => {
            CliError::new(Code::KeyPassphrase, ErrorKind::InvalidArgument, error.to_string())
                .fix("Choose a longer passphrase; a secret file is filled by `head -c 64 /dev/urandom > FILE`.")
        }
        error => wrong(path, error),
    }
}

/// Which key signs, and what opens it.
#[derive(Debug, Args)]
pub(crate) struct SigningArgs {
    /// The key file, instead of the user's own.
    #[arg(long, value_name = "FILE", env = "PLAYHOUSE_KEY")]
    key: Option<std::path::PathBuf>,
    #[command(flatten)]
    secret: SecretArgs,
}

impl SigningArgs {
    /// Opens the key. A sealed one asks for its passphrase if nothing else gives it.
    pub(crate) fn open(&self) -> Result<SigningKey> {
        let path = match &self.key {
            Some(path) => path.clone(),
            None => crate::paths::Paths::from_env()?.key_file(),
        };
        if !path.exists() {
            let message = format!("there is no key at {}", path.display());
            return Err(CliError::new(Code::KeyFile, ErrorKind::NotFound, message)
                .fix("`playhouse key new` makes one; `--key FILE` names another."));
        }
        match read(&path)? {
            KeyFile::Plain(key) => Ok(key),
            KeyFile::Sealed(sealed) => {
                let secret = self.secret.obtain(&sealed, &path)?;
                sealed.open(secret.as_secret()).map_err(|error| wrong(&path, &error))
            }
            _ => Err(CliError::new(
                Code::KeyFile,
                ErrorKind::InvalidArgument,
                format!("{} has only a public key; signing needs the private one", path.display()),
            )),
        }
    }
}

impl SecretBytes {
    /// As the crypto crate takes it.
    pub(crate) fn as_secret(&self) -> Secret<'_> {
        match self {
            Self::Passphrase(bytes) => Secret::Passphrase(bytes),
            Self::File(bytes) => Secret::KeyFile(bytes),
        }
    }
}
