use std::io::{self, Write};

use clap::Args;
use playhouse_package::{Signer, VerifiedPackage};
use serde::Serialize;

use super::PackageArg;
use crate::args::JsonFlag;
use crate::commands::trust::TrustArg;
use crate::error::{Exit, Result};
use crate::output::{CAUTION, GOOD, Output, Report, fields};

/// Check a package against the trust file, without running it and without the network.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse package verify acme-EchoService-1.0.0-wasm32-wasip2.actr
  playhouse package verify --trust site.toml --json echo.actr

EXIT CODES
  0  the package would run
  3  the package is refused")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    package: PackageArg,
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// A package that passed.
#[derive(Debug, Serialize)]
struct Verdict {
    verdict: &'static str,
    package: String,
    actor_type: String,
    kind: &'static str,
    target: String,
    signed_by: Option<String>,
    package_digest: String,
    binary_digest: String,
}

pub(super) fn run(args: &VerifyArgs, output: Output) -> Result<Exit> {
    let package = args.package.verify(&args.trust)?;
    output.show(&verdict(&package, args.package.path.display().to_string()))?;
    Ok(Exit::Ok)
}

fn verdict(package: &VerifiedPackage, path: String) -> Verdict {
    let signed_by = match package.signed_by() {
        Signer::Key(key) => Some(key.to_string()),
        Signer::DangerUnsigned => None,
    };
    Verdict {
        verdict: if signed_by.is_some() { "trusted" } else { "danger-unsigned" },
        package: path,
        actor_type: package.actor_type().to_string(),
        kind: package.kind().name(),
        target: package.target().to_owned(),
        signed_by,
        package_digest: package.package_digest().to_string(),
        binary_digest: package.binary_digest().to_string(),
    }
}

impl Report for Verdict {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        match &self.signed_by {
            Some(_) => writeln!(w, "{GOOD}trusted{GOOD:#}  {}", self.package)?,
            None => writeln!(w, "{CAUTION}not trusted{CAUTION:#}, but the trust file accepts anything (development)")?,
        }
        fields(
            w,
            &[
                ("type", self.actor_type.clone()),
                ("program", format!("{} for {}", self.kind, self.target)),
                ("signed by", self.signed_by.clone().unwrap_or_else(|| "nobody who is trusted".to_owned())),
                ("package digest", self.package_digest.clone()),
                ("binary digest", self.binary_digest.clone()),
            ],
        )
    }
}
