use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use playhouse_crypto::{Digest, KeyId, VerifyingKey};
use playhouse_package::TrustedKey;
use playhouse_types::{ActorType, Code, ErrorKind, Name};
use serde::Serialize;

use crate::args::JsonFlag;
use crate::error::{CliError, Exit, Result};
use crate::output::{GOOD, Output, Report};
use crate::paths::{Paths, private_dir};
use crate::trust_file::TrustFile;
use crate::{files, key_file, time};

mod overview;

/// Say whose packages may run here.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
EXAMPLES
  playhouse trust show
  playhouse trust add acme A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
  playhouse trust remove mfr-56475aa75463474c
  playhouse trust revoke mfr-56475aa75463474c")]
pub(crate) enum TrustCommand {
    Show(ShowArgs),
    Add(AddArgs),
    Remove(RemoveArgs),
    Revoke(RevokeArgs),
    Minimum(MinimumArgs),
}

/// Which trust file.
#[derive(Debug, Clone, Args)]
pub(crate) struct TrustArg {
    /// The trust file, instead of the user's own.
    #[arg(long, value_name = "FILE", env = "PLAYHOUSE_TRUST")]
    trust: Option<PathBuf>,
}

impl TrustArg {
    /// The file that the command line, the environment or the user's directories name.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        match &self.trust {
            Some(path) => Ok(path.clone()),
            None => Ok(Paths::from_env()?.trust_file()),
        }
    }

    /// Whether the command line or the environment names a file.
    pub(crate) const fn is_given(&self) -> bool {
        self.trust.is_some()
    }

    /// The policy. A file that was named must be there.
    pub(crate) fn open(&self) -> Result<TrustFile> {
        match &self.trust {
            Some(path) => TrustFile::open_existing(path),
            None => TrustFile::open(&self.path()?),
        }
    }

    /// Opens the file to change it, lets `change` do so, and writes it. Other instances wait meanwhile.
    fn edit<T>(&self, change: impl FnOnce(&mut TrustFile) -> Result<T>) -> Result<(T, TrustFile)> {
        let path = self.path()?;
        if !self.is_given() {
            private_dir(&files::directory_of(&path))?;
        }
        let dir = files::directory_of(&path);
        let _lock = files::lock_directory(&dir)
            .map_err(|error| CliError::io(Code::TrustPolicy, format_args!("cannot lock {}", dir.display()), &error))?;
        let mut file = TrustFile::open(&path)?;
        let result = change(&mut file)?;
        file.save()?;
        Ok((result, file))
    }
}

/// Show whom the trust file trusts, and what it refuses.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n  playhouse trust show\n  playhouse trust show --trust site.toml --json")]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Trust a key for the packages of one manufacturer.
///
/// Get the key from the manufacturer over a way that you trust; a package names only the key's id.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse trust add acme A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
  playhouse trust add acme public-key.json --not-after 2027-12-31
  playhouse trust add me ~/.config/playhouse/key.json      trusts your own key")]
pub(crate) struct AddArgs {
    /// The manufacturer for whose packages the key counts.
    manufacturer: Name,
    /// The public key in base64, or a file with it.
    key: String,
    /// The key counts from this moment on, in UTC.
    #[arg(long, value_name = "DATE")]
    not_before: Option<String>,
    /// The key counts until this moment, in UTC.
    #[arg(long, value_name = "DATE")]
    not_after: Option<String>,
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Take a key out of the trust file, as if it had never been added.
///
/// For a key that may be in the wrong hands, `playhouse trust revoke` refuses it for good.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse trust remove mfr-56475aa75463474c
  playhouse trust remove public-key.json --manufacturer acme")]
pub(crate) struct RemoveArgs {
    /// The key: its id, the key in base64, or a file with it.
    key: String,
    /// Only as the key of this manufacturer.
    #[arg(long, value_name = "NAME")]
    manufacturer: Option<Name>,
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Trust a key, or one package, no more.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse trust revoke mfr-56475aa75463474c
  playhouse trust revoke A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
  playhouse trust revoke --package 0d4fa0a6d866506a1bf0f3ac0e1fb45d66d834a367c8210a7213472de75083ed")]
pub(crate) struct RevokeArgs {
    /// The key: its id, the key in base64, or a file with it.
    #[arg(required_unless_present = "package")]
    key: Option<String>,
    /// The digest of a package (`playhouse package inspect` shows it).
    #[arg(long, value_name = "DIGEST", conflicts_with = "key")]
    package: Option<String>,
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Refuse versions of a type that are older than this one.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n  playhouse trust minimum acme:EchoService:1.4.0")]
pub(crate) struct MinimumArgs {
    /// The oldest version that may run, as manufacturer:name:version.
    actor_type: ActorType,
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    json: JsonFlag,
}

pub(crate) fn run(command: TrustCommand, output: Output) -> Result<Exit> {
    match command {
        TrustCommand::Show(args) => output.show(&overview::describe(&args.trust.open()?))?,
        TrustCommand::Add(args) => output.show(&add(&args, output)?)?,
        TrustCommand::Remove(args) => output.show(&remove(&args)?)?,
        TrustCommand::Revoke(args) => output.show(&revoke(&args)?)?,
        TrustCommand::Minimum(args) => output.show(&minimum(&args)?)?,
    }
    Ok(Exit::Ok)
}

/// What was changed in which file.
#[derive(Debug, Serialize)]
struct Change {
    trust_file: String,
    changed: &'static str,
    what: String,
}

impl Report for Change {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{GOOD}{}{GOOD:#} {} in {}", self.changed, self.what, self.trust_file)
    }
}

fn change(file: &TrustFile, changed: &'static str, what: String) -> Change {
    Change { trust_file: file.path().display().to_string(), changed, what }
}

fn add(args: &AddArgs, output: Output) -> Result<Change> {
    let moment = |text: &Option<String>| text.as_deref().map(time::parse_utc).transpose();
    let (not_before, not_after) = (moment(&args.not_before)?, moment(&args.not_after)?);
    if let (Some(from), Some(to)) = (not_before, not_after)
        && to <= from
    {
        return Err(CliError::usage("--not-after must be later than --not-before"));
    }
    let key = TrustedKey { key: public_key(&args.key)?, not_before, not_after };
    let what = format!("key {} for {}", key.key.key_id(), args.manufacturer);
    let ((), file) = args.trust.edit(|file| file.add_key(&args.manufacturer, key))?;
    if not_after.is_some_and(|end| end <= time::now()) {
        output.warn("the key's time is over already: nothing that it signed runs");
    }
    if key_file::is_plain(&PathBuf::from(&args.key)) {
        let (file, maker) = (&args.key, &args.manufacturer);
        output.warn(format_args!(
            "{file} has the private key in it, in the clear: whoever can read that file can sign as {maker}"
        ));
    }
    Ok(change(&file, "trusted", what))
}

fn remove(args: &RemoveArgs) -> Result<Change> {
    let id = key_id(&args.key)?;
    let (removed, file) = args.trust.edit(|file| file.remove_key(id, args.manufacturer.as_ref()))?;
    if removed > 0 {
        return Ok(change(&file, "removed", format!("key {id}")));
    }
    let message = format!("{} does not trust key {id}", file.path().display());
    Err(CliError::new(Code::NotStored, ErrorKind::NotFound, message).fix("`playhouse trust show` lists the keys."))
}

/// The id of a key that is named by it, by the key in base64, or by a file with it.
fn key_id(text: &str) -> Result<KeyId> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(rule) if text.starts_with("mfr-") => {
            Err(CliError::usage(format!("{text:?} {rule}")).fix("`playhouse trust show` has the ids of keys."))
        }
        Err(_) => Ok(public_key(text)?.key_id()),
    }
}

fn revoke(args: &RevokeArgs) -> Result<Change> {
    if let Some(text) = &args.package {
        let digest: Digest = text.parse().map_err(|rule| CliError::usage(format!("{text:?} {rule}")))?;
        let ((), file) = args.trust.edit(|file| file.revoke_package(digest))?;
        return Ok(change(&file, "revoked", format!("package {digest}")));
    }
    let id = key_id(args.key.as_deref().unwrap_or_default())?;
    let ((), file) = args.trust.edit(|file| file.revoke_key(id))?;
    Ok(change(&file, "revoked", format!("key {id}")))
}

fn minimum(args: &MinimumArgs) -> Result<Change> {
    let lowest = &args.actor_type;
    let (raised, file) = args.trust.edit(|file| file.raise_minimum(lowest))?;
    if raised {
        return Ok(change(&file, "raised", format!("the lowest version to {lowest}")));
    }
    let seen = file.policy().minimum_for(lowest).map(ToString::to_string).unwrap_or_default();
    let message = format!("the lowest version is {seen} already, which is not older than {}", lowest.version());
    Err(CliError::new(Code::TrustRollback, ErrorKind::InvalidArgument, message)
        .fix(format!("To allow older versions, lower `minimum` in {} by hand.", file.path().display())))
}

/// A public key, or what a file holds of one.
fn public_key(text: &str) -> Result<VerifyingKey> {
    let wrong = match VerifyingKey::from_base64(text) {
        Ok(key) => return Ok(key),
        Err(wrong) => wrong,
    };
    let path = PathBuf::from(text);
    if path.exists() {
        return key_file::read_public(&path);
    }
    Err(CliError::usage(format!("{text:?} is neither a file nor a public key: {wrong}"))
        .fix("Give the key's 44 characters of base64, or the path of a key file."))
}
