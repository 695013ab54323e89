use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use playhouse_crypto::{KdfCost, KeyFile, SealedKey, SigningKey, VerifyingKey};
use playhouse_types::{Code, ErrorKind};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::args::JsonFlag;
use crate::error::{CliError, Exit, Result};
use crate::files::{self, Replace};
use crate::output::{CAUTION, Output, Report, fields};
use crate::paths::{Paths, private_dir};
use crate::secret::SecretArgs;
use crate::{key_file, time};

mod actors;
mod masters;

/// Make, show and import the keys that sign packages; rotate those of actors.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
EXAMPLES
  playhouse key new
  playhouse key new --master --out master.json
  playhouse key show --json > public-key.json
  playhouse key import ~/.actr/dev-key.json
  playhouse key export-public Ledger
  playhouse key rotate --actor Ledger statement
  playhouse key rotate --master")]
pub(crate) enum KeyCommand {
    New(NewArgs),
    Show(ShowArgs),
    Import(ImportArgs),
    Rotate(Box<actors::RotateArgs>),
    ExportPublic(Box<actors::ExportPublicArgs>),
}

/// Make a new key that signs packages, or a master key, sealed with a passphrase.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse key new
  playhouse key new --out release.json --passphrase-file /run/secrets/passphrase
  head -c 64 /dev/urandom > secret && playhouse key new --secret-file secret
  playhouse key new --out ci.json --insecure-plain
  playhouse key new --master --out master.json && playhouse run counter.actr --master-key-file master.json

The passphrase comes from --passphrase-file, else from PLAYHOUSE_PASSPHRASE, else from the terminal.")]
pub(crate) struct NewArgs {
    /// Where to write the key, instead of the user's own place. Must not exist.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Make a master key, under which a node seals the keys of its actors.
    #[arg(long, requires = "out")]
    master: bool,
    /// Write the key in the clear, as actr 0.3 does. Whoever can read the file can sign as you.
    #[arg(long, conflicts_with_all = ["passphrase_file", "secret_file"])]
    insecure_plain: bool,
    #[command(flatten)]
    secret: SecretArgs,
    #[command(flatten)]
    json: JsonFlag,
}

/// Show the public half of a key, or which master key a file has.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse key show
  playhouse key show release.json
  playhouse key show master.json
  playhouse key show --json > public-key.json      a file for those who verify")]
pub(crate) struct ShowArgs {
    /// The key file, instead of the user's own.
    file: Option<PathBuf>,
    #[command(flatten)]
    json: JsonFlag,
}

/// Import a key file of actr 0.3, or a master key in the clear: it is sealed, the source is left as it is.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse key import ~/.actr/dev-key.json
  playhouse key import manufacturer.json --out acme.json
  playhouse key import --master ~/.local/state/playhouse/nodes/default/store/master-key --out master.json")]
pub(crate) struct ImportArgs {
    /// The key file, with the private key in the clear.
    file: PathBuf,
    /// It is the master key of a node.
    #[arg(long, requires = "out")]
    master: bool,
    /// Where to write the sealed key, instead of the user's own place. Must not exist.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    secret: SecretArgs,
    #[command(flatten)]
    json: JsonFlag,
}

/// What people may know of a key. As JSON it is a public key file.
#[derive(Debug, Serialize)]
struct PublicHalf {
    public_key: String,
    key_id: String,
    file: String,
    private: &'static str,
}

impl Report for PublicHalf {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        let rows = [
            ("key id", self.key_id.clone()),
            ("public key", self.public_key.clone()),
            ("private key", self.private.to_owned()),
            ("file", self.file.clone()),
        ];
        fields(w, &rows)?;
        if self.private == IN_THE_CLEAR {
            writeln!(w, "{CAUTION}Whoever can read the file can sign. `playhouse key import` seals it.{CAUTION:#}")?;
        }
        Ok(())
    }
}

const SEALED: &str = "sealed";
const IN_THE_CLEAR: &str = "in the clear";

fn half(key: &VerifyingKey, private: &'static str, path: &Path) -> PublicHalf {
    let (public_key, key_id) = (key.to_base64(), key.key_id().to_string());
    PublicHalf { public_key, key_id, file: path.display().to_string(), private }
}

pub(crate) fn run(command: KeyCommand, output: Output) -> Result<Exit> {
    match command {
        KeyCommand::New(args) if args.master => output.show(&masters::new(&args)?)?,
        KeyCommand::New(args) => output.show(&new(&args)?)?,
        KeyCommand::Show(args) => show(&args, output)?,
        KeyCommand::Import(args) => {
            let what = if args.master {
                output.show(&masters::import(&args)?)?;
                "master key"
            } else {
                output.show(&import(&args)?)?;
                "private key"
            };
            output.warn(format_args!("{} still holds the {what} in the clear; delete it", args.file.display()));
        }
        KeyCommand::Rotate(args) => return actors::rotate(&args, output),
        KeyCommand::ExportPublic(args) => actors::export_public(&args, output)?,
    }
    Ok(Exit::Ok)
}

fn new(args: &NewArgs) -> Result<PublicHalf> {
    let path = free_place(args.out.as_ref())?;
    let mut seed = Zeroizing::new([0; SigningKey::SEED_LENGTH]);
    random(&mut *seed)?;
    let key = SigningKey::from_seed(&seed);
    if args.insecure_plain {
        store(&path, KeyFile::danger_plain_json(&key, &time::utc(time::now())).as_bytes())?;
        return Ok(half(&key.verifying_key(), IN_THE_CLEAR, &path));
    }
    seal(&key, &args.secret, &path)
}

fn import(args: &ImportArgs) -> Result<PublicHalf> {
    let key = match key_file::read(&args.file)? {
        KeyFile::Plain(key) => key,
        KeyFile::Sealed(_) => {
            let message = format!("{} is sealed already", args.file.display());
            return Err(CliError::new(Code::KeyFile, ErrorKind::InvalidArgument, message)
                .fix("Use it as it is: `--key FILE`, or copy it to its place."));
        }
        _ => {
            let message = format!("{} has no private key", args.file.display());
            return Err(CliError::new(Code::KeyFile, ErrorKind::InvalidArgument, message)
                .fix("A public key is for `playhouse trust add MANUFACTURER FILE`."));
        }
    };
    seal(&key, &args.secret, &free_place(args.out.as_ref())?)
}

fn show(args: &ShowArgs, output: Output) -> Result<()> {
    let path = match &args.file {
        Some(path) => path.clone(),
        None => Paths::from_env()?.key_file(),
    };
    if args.file.is_none() && !path.exists() {
        let message = format!("there is no key at {}", path.display());
        return Err(CliError::new(Code::KeyFile, ErrorKind::NotFound, message)
            .fix("`playhouse key new` makes one; or name the file of another."));
    }
    let file = match key_file::read(&path) {
        Ok(file) => file,
        Err(error) => return masters::show(&path)?.map_or(Err(error), |master| output.show(&master)),
    };
    let private = match &file {
        KeyFile::Plain(_) => IN_THE_CLEAR,
        KeyFile::Sealed(_) => SEALED,
        _ => "none",
    };
    output.show(&half(&file.verifying_key(), private, &path))
}

fn seal(key: &SigningKey, secret: &SecretArgs, path: &Path) -> Result<PublicHalf> {
    let secret = secret.choose()?;
    let mut noise = Noise::gather()?;
    let sealed = SealedKey::seal(key, secret.as_secret(), KdfCost::default(), |bytes| noise.fill(bytes))
        .map_err(|error| key_file::not_sealed(path, &error))?;
    store(path, sealed.to_json().as_bytes())?;
    Ok(half(&key.verifying_key(), SEALED, path))
}

/// Where a new key goes. No key is ever overwritten: what it signed could not be signed again.
fn free_place(out: Option<&PathBuf>) -> Result<PathBuf> {
    let path = match out {
        Some(path) => path.clone(),
        None => {
            let path = Paths::from_env()?.key_file();
            private_dir(&files::directory_of(&path))?;
            path
        }
    };
    if path.symlink_metadata().is_ok() { Err(taken(&path)) } else { Ok(path) }
}

fn taken(path: &Path) -> CliError {
    CliError::new(
        Code::KeyFile,
        ErrorKind::InvalidArgument,
        format!("{} exists; keys are not overwritten", path.display()),
    )
    .fix("Write to another place with `--out FILE`, or move the old key away.")
}

fn store(path: &Path, bytes: &[u8]) -> Result<()> {
    files::write(path, bytes, 0o600, Replace::No).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => taken(path),
        _ => CliError::io(Code::KeyFile, format_args!("cannot write {}", path.display()), &error),
    })
}

fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        CliError::new(Code::KeyFile, ErrorKind::Internal, format!("the machine has no randomness: {error}"))
    })
}

/// Randomness gathered where failing is possible, for a function that takes it where it is not.
struct Noise {
    bytes: [u8; Self::BYTES],
    used: usize,
}

impl Noise {
    /// More than a salt and a nonce need; running out is caught.
    const BYTES: usize = 256;

    fn gather() -> Result<Self> {
        let mut bytes = [0; Self::BYTES];
        random(&mut bytes)?;
        Ok(Self { bytes, used: 0 })
    }

    fn fill(&mut self, out: &mut [u8]) {
        let end = self.used + out.len();
        assert!(end <= Self::BYTES, "randomness is used once");
        out.copy_from_slice(&self.bytes[self.used..end]);
        self.used = end;
    }
}
