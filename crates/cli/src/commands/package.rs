use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::{Args, Subcommand};
use playhouse_crypto::KeyId;
use playhouse_node::Grant;
use playhouse_package::{PackageLimits, VerifiedPackage, VerifyError, verify};
use playhouse_types::{Code, Name};

use crate::commands::trust::TrustArg;
use crate::error::{CliError, Exit, Result};
use crate::output::{Output, nearest};
use crate::paths::Paths;
use crate::trust_file::TrustFile;
use crate::{files, key_file, time};

mod build;
mod inspect;
mod recipe;
mod sign;
mod unpack;
mod verdict;

/// Build, sign, verify, inspect and unpack packages.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
EXAMPLES
  playhouse package build playhouse-package.toml
  playhouse package verify dist/acme-EchoService-1.0.0-wasm32-wasip2.actr
  playhouse package inspect stranger.actr")]
pub(crate) enum PackageCommand {
    Build(Box<build::BuildArgs>),
    Sign(sign::SignArgs),
    Verify(verdict::VerifyArgs),
    Inspect(inspect::InspectArgs),
    Unpack(unpack::UnpackArgs),
}

pub(crate) fn run(command: PackageCommand, output: Output) -> Result<Exit> {
    match command {
        PackageCommand::Build(args) => build::run(&args, output),
        PackageCommand::Sign(args) => sign::run(&args, output),
        PackageCommand::Verify(args) => verdict::run(&args, output),
        PackageCommand::Inspect(args) => inspect::run(&args, output),
        PackageCommand::Unpack(args) => unpack::run(&args, output),
    }
}

/// The package that a command is about.
#[derive(Debug, Args)]
pub(crate) struct PackageArg {
    /// The package.
    #[arg(value_name = "PACKAGE")]
    path: PathBuf,
}

impl PackageArg {
    fn read(&self) -> Result<Bytes> {
        read_package(&self.path)
    }

    /// The package, verified by this policy.
    fn verify(&self, trust: &TrustArg) -> Result<VerifiedPackage> {
        let file = trust.open()?;
        let limits = PackageLimits::default();
        verify(self.read()?, file.policy(), time::now(), &limits)
            .map_err(|error| refused(&self.path, error, &file, trust.is_given()))
    }
}

/// The bytes of a package file.
pub(crate) fn read_package(path: &Path) -> Result<Bytes> {
    Ok(files::read(path, PackageLimits::default().archive_bytes(), Code::PackageRead)?.into())
}

/// A refusal as the user sees it: with the file, and with the command that would change it.
pub(crate) fn refused(path: &Path, error: VerifyError, trust: &TrustFile, named: bool) -> CliError {
    let fix = match &error {
        VerifyError::ManufacturerUnknown { manufacturer, key } => Some(how_to_trust(manufacturer, *key, trust, named)),
        VerifyError::KeyUnknown { manufacturer, key } => Some(how_to_trust(manufacturer, Some(*key), trust, named)),
        _ => None,
    };
    let known: CliError = error.into();
    let shown = known.prefixed(&format!("{} is refused: ", path.display()));
    match fix {
        Some(fix) => shown.fix(fix),
        None => shown,
    }
}

/// The command that makes a manufacturer's key trusted: with the user's own key if that is the one, else with the id of the key to
/// get, for a package does not say the key itself.
fn how_to_trust(manufacturer: &Name, key: Option<KeyId>, trust: &TrustFile, named: bool) -> String {
    let option = if named { format!(" --trust {}", trust.path().display()) } else { String::new() };
    let own = Paths::from_env().map(|paths| paths.key_file()).ok().filter(|own| own.exists());
    match (own, key) {
        (Some(own), Some(key)) if key_file::read_public(&own).is_ok_and(|found| found.key_id() == key) => {
            format!("It is signed with your own key. playhouse trust add {manufacturer} {}{option}", own.display())
        }
        (_, Some(key)) => format!(
            "If you trust {manufacturer}, get the public key {key} from it and run: \
             playhouse trust add {manufacturer} PUBLIC_KEY{option}"
        ),
        (_, None) => format!(
            "If you trust {manufacturer}, get its public key and run: \
             playhouse trust add {manufacturer} PUBLIC_KEY{option}"
        ),
    }
}

/// Says which grants mean nothing here: misspelt ones would be missed only when the actor runs.
fn warn_of_unknown_grants(grants: Option<&[String]>, output: Output) {
    for grant in grants.into_iter().flatten().filter(|grant| Grant::from_name(grant).is_none()) {
        let near = nearest(grant, Grant::ALL.map(Grant::name));
        let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        output.warn(format_args!("the grant {grant:?} is none that this version knows{hint}"));
    }
}
