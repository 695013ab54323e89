//! Master keys in files of their own.

use std::io::{self, Write};
use std::path::Path;

use playhouse_crypto::{KdfCost, KeyFile, KeyFileError, MasterKey, MasterKeyFile, SealedMasterKey};
use playhouse_types::{Code, ErrorKind};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{IN_THE_CLEAR, ImportArgs, NewArgs, Noise, SEALED, free_place, store};
use crate::error::{CliError, Result};
use crate::output::{CAUTION, Report, fields};
use crate::secret::{SecretArgs, SecretBytes};
use crate::store::master::generate;
use crate::{files, key_file};

/// What people may know of a master key.
#[derive(Debug, Serialize)]
pub(super) struct Master {
    master: String,
    file: String,
    key: &'static str,
}

impl Report for Master {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        fields(w, &[("master key", self.master.clone()), ("key", self.key.to_owned()), ("file", self.file.clone())])?;
        if self.key == IN_THE_CLEAR {
            writeln!(
                w,
                "{CAUTION}Whoever can read the file can open what actors sealed. `playhouse key import --master` seals it.{CAUTION:#}"
            )?;
        }
        Ok(())
    }
}

/// The master key in a file, if it has one.
pub(super) fn show(path: &Path) -> Result<Option<Master>> {
    let bytes = Zeroizing::new(files::read(path, MasterKeyFile::BYTES_MAX as u64, Code::KeyFile)?);
    let found = |master: String, key| Some(Master { master, file: path.display().to_string(), key });
    Ok(match MasterKeyFile::parse(&bytes) {
        Ok(MasterKeyFile::Plain(key)) => found(key.id().to_string(), IN_THE_CLEAR),
        Ok(MasterKeyFile::Sealed(key)) => found(key.id().to_string(), SEALED),
        _ => None,
    })
}

fn written(path: &Path, key: &MasterKey, text: &str, how: &'static str) -> Result<Master> {
    store(path, text.as_bytes())?;
    Ok(Master { master: key.id().to_string(), file: path.display().to_string(), key: how })
}

/// A new one.
pub(super) fn new(args: &NewArgs) -> Result<Master> {
    let path = free_place(args.out.as_ref())?;
    let key = generate()?;
    if args.insecure_plain {
        return written(&path, &key, &key.danger_to_text(), IN_THE_CLEAR);
    }
    seal(&key, &args.secret, &path)
}

/// One that was in the clear.
pub(super) fn import(args: &ImportArgs) -> Result<Master> {
    let bytes = Zeroizing::new(files::read(&args.file, MasterKeyFile::BYTES_MAX as u64, Code::KeyFile)?);
    let none = |error: KeyFileError| match KeyFile::parse(&bytes) {
        Ok(_) => {
            let message = format!("{} has a key that signs packages, and no master key", args.file.display());
            CliError::new(Code::KeyFile, ErrorKind::InvalidArgument, message)
                .fix("Leave `--master` out, or name another file.")
        }
        Err(_) => key_file::wrong(&args.file, &error)
            .fix("A master key is what `playhouse run` or `playhouse key new --master` made."),
    };
    match MasterKeyFile::parse(&bytes).map_err(none)? {
        MasterKeyFile::Plain(key) => seal(&key, &args.secret, &free_place(args.out.as_ref())?),
        _ => {
            let message = format!("{} is sealed already", args.file.display());
            Err(CliError::new(Code::KeyFile, ErrorKind::InvalidArgument, message)
                .fix("Use it as it is: `--master-key-file FILE`."))
        }
    }
}

fn seal(key: &MasterKey, secret: &SecretArgs, path: &Path) -> Result<Master> {
    let text = sealed(key, &secret.choose()?, path)?;
    written(path, key, &text, SEALED)
}

/// A master key as the text of a file, sealed.
pub(super) fn sealed(key: &MasterKey, secret: &SecretBytes, path: &Path) -> Result<String> {
    let mut noise = Noise::gather()?;
    let sealed = SealedMasterKey::seal(key, secret.as_secret(), KdfCost::default(), |out| noise.fill(out));
    Ok(sealed.map_err(|error| key_file::not_sealed(path, &error))?.to_json())
}
