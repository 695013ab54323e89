use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use playhouse_package::{BuildError, Builder, PackageLimits, TrustPolicy, VerifiedPackage, verify};
use playhouse_types::{Code, ErrorKind};
use serde::Serialize;

use super::PackageArg;
use crate::args::JsonFlag;
use crate::error::{CliError, Exit, Result};
use crate::files::{self, Replace};
use crate::key_file::SigningArgs;
use crate::output::{GOOD, Output, Report, fields};
use crate::time;

/// Sign a package, or sign it with another key.
///
/// The files must be those that the manifest lists; files that it does not list are left out.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse package sign echo.actr
  playhouse package sign unsigned.actr --key release.json --out release.actr")]
pub(crate) struct SignArgs {
    #[command(flatten)]
    package: PackageArg,
    /// Where to write the signed package, instead of over the old one.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    signing: SigningArgs,
    #[command(flatten)]
    json: JsonFlag,
}

/// A package that was written.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    pub(super) package: String,
    pub(super) actor_type: String,
    pub(super) kind: &'static str,
    pub(super) target: String,
    pub(super) signed_by: Option<String>,
    pub(super) package_digest: String,
    pub(super) bytes: usize,
}

impl Written {
    /// Describes a package that was just made, after reading it as others will.
    pub(super) fn describe(bytes: &Bytes, path: &Path, signed_by: Option<String>) -> Result<Self> {
        let package = read_anybodys(bytes.clone())?;
        Ok(Self {
            package: path.display().to_string(),
            actor_type: package.actor_type().to_string(),
            kind: package.kind().name(),
            target: package.target().to_owned(),
            signed_by,
            package_digest: package.package_digest().to_string(),
            bytes: bytes.len(),
        })
    }
}

impl Report for Written {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{GOOD}written{GOOD:#}  {}", self.package)?;
        fields(
            w,
            &[
                ("type", self.actor_type.clone()),
                ("program", format!("{} for {}", self.kind, self.target)),
                ("signed by", self.signed_by.clone().unwrap_or_else(|| "nobody".to_owned())),
                ("package digest", self.package_digest.clone()),
                ("bytes", self.bytes.to_string()),
            ],
        )
    }
}

pub(super) fn run(args: &SignArgs, output: Output) -> Result<Exit> {
    let path = &args.package.path;
    let package = read_anybodys(args.package.read()?)
        .map_err(|error| error.prefixed(&format!("{} cannot be signed: ", path.display())))?;
    let key = args.signing.open()?;
    let bytes = parts_of(&package)?.build(&key).map_err(unbuildable)?;
    let out = args.out.as_ref().unwrap_or(path);
    files::write(out, &bytes, 0o644, Replace::Yes)
        .map_err(|error| CliError::io(Code::PackageRead, format_args!("cannot write {}", out.display()), &error))?;
    output.show(&Written::describe(&bytes, out, Some(key.key_id().to_string()))?)?;
    Ok(Exit::Ok)
}

/// A package whose files are those that its manifest lists, whoever signed it, if anybody.
fn read_anybodys(bytes: Bytes) -> Result<VerifiedPackage> {
    let mut anybody = TrustPolicy::default();
    anybody.danger_accept_unsigned_for_development = true;
    Ok(verify(bytes, &anybody, time::now(), &PackageLimits::default())?)
}

fn parts_of(package: &VerifiedPackage) -> Result<Builder> {
    let manifest = package.manifest();
    let mut builder = Builder::new(package.actor_type().clone(), package.target(), package.binary().clone())
        .kind(package.kind())
        .extension(package.extension().clone());
    for (path, bytes) in package.resources() {
        builder = builder.resource(path.as_str(), bytes.clone());
    }
    for (name, text) in package.protos() {
        builder = builder.proto(name, text);
    }
    if let Some(listed) = &manifest.lock {
        let bytes = package.files().find(|(path, _)| *path == listed.path).map(|(_, bytes)| bytes.to_vec());
        let text = String::from_utf8(bytes.unwrap_or_default()).map_err(|_| {
            CliError::new(Code::PackageManifest, ErrorKind::InvalidArgument, format!("{} is not UTF-8", listed.path))
        })?;
        builder = builder.lock(&text);
    }
    if let Some(text) = &manifest.description {
        builder = builder.description(text);
    }
    Ok(match &manifest.license {
        Some(text) => builder.license(text),
        None => builder,
    })
}

/// The rule that a package would break.
pub(super) fn unbuildable(error: BuildError) -> CliError {
    CliError::new(Code::Config, ErrorKind::InvalidArgument, format!("the package cannot be built: {error}"))
        .fix("The message names the part and the rule.")
}
