use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use playhouse_crypto::Digest;
use playhouse_package::{Inspection, PackageConcurrency, PackageLimits, inspect};
use serde::Serialize;

use super::{PackageArg, warn_of_unknown_grants};
use crate::args::JsonFlag;
use crate::error::{CliError, Exit, Result};
use crate::output::{CAUTION, Output, Report, Table, fields};

/// Look into a package without verifying it: what it claims, not what is so.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse package inspect stranger.actr
  playhouse package inspect stranger.actr --json | jq -r .signing_key_id

Nothing that this shows has been checked; `playhouse package verify` checks.")]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    package: PackageArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// What a package claims.
#[derive(Debug, Serialize)]
struct Claims {
    verified: bool,
    package: String,
    actor_type: String,
    kind: &'static str,
    target: String,
    signing_key_id: Option<String>,
    has_signature: bool,
    package_digest: String,
    #[serde(flatten)]
    about: About,
    files: Vec<FileRow>,
}

/// What a package says of itself.
#[derive(Debug, Serialize)]
struct About {
    description: Option<String>,
    license: Option<String>,
    grants: Option<Vec<String>>,
    concurrency: Option<String>,
    limits: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
struct FileRow {
    path: String,
    size: u64,
    listed: bool,
}

pub(super) fn run(args: &InspectArgs, output: Output) -> Result<Exit> {
    let path = args.package.path.display().to_string();
    let seen = inspect(args.package.read()?, &PackageLimits::default())
        .map_err(|error| CliError::from(error).prefixed(&format!("{path}: ")))?;
    warn_of_unknown_grants(seen.manifest.extension.grants.as_deref(), output);
    output.show(&claims(seen, path))?;
    Ok(Exit::Ok)
}

fn claims(seen: Inspection, package: String) -> Claims {
    let manifest = seen.manifest;
    let row = |file: playhouse_package::InspectedFile| FileRow {
        path: file.path.to_string(),
        size: file.size,
        listed: file.is_listed,
    };
    Claims {
        verified: false,
        package,
        actor_type: manifest.actor_type.to_string(),
        kind: manifest.binary.kind.name(),
        target: manifest.binary.target,
        signing_key_id: manifest.signing_key_id.map(|id| id.to_string()),
        has_signature: seen.has_signature,
        package_digest: Digest::of(&manifest.raw).to_string(),
        about: About {
            description: manifest.description,
            license: manifest.license,
            concurrency: manifest.extension.concurrency.as_ref().map(describe),
            limits: manifest.extension.limits.iter().map(|(limit, number)| (limit.name(), *number)).collect(),
            grants: manifest.extension.grants,
        },
        files: seen.files.into_iter().map(row).collect(),
    }
}

fn describe(concurrency: &PackageConcurrency) -> String {
    match concurrency {
        PackageConcurrency::Serial => "serial".to_owned(),
        PackageConcurrency::Concurrent(n) => format!("concurrent({n})"),
        PackageConcurrency::KeyedBySender => "keyed by sender".to_owned(),
        PackageConcurrency::KeyedByField(field) => format!("keyed by {field}"),
    }
}

impl Report for Claims {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(
            w,
            "{CAUTION}NOT VERIFIED{CAUTION:#}: this is what the package claims. `playhouse package verify` checks it."
        )?;
        let signature = match (&self.signing_key_id, self.has_signature) {
            (Some(key), true) => format!("there, claims key {key}"),
            (None, true) => "there, claims no key".to_owned(),
            (_, false) => "none".to_owned(),
        };
        let mut rows = vec![
            ("type", self.actor_type.clone()),
            ("program", format!("{} for {}", self.kind, self.target)),
            ("signature", signature),
            ("package digest", self.package_digest.clone()),
        ];
        let optional = [
            ("description", &self.about.description),
            ("license", &self.about.license),
            ("concurrency", &self.about.concurrency),
        ];
        rows.extend(optional.into_iter().filter_map(|(label, text)| Some((label, text.clone()?))));
        let grants = match self.about.grants.as_deref() {
            None => "what actr 0.3 gives (it does not say)".to_owned(),
            Some([]) => "no host operation".to_owned(),
            Some(grants) => grants.join(", "),
        };
        rows.push(("asks for", grants));
        let limits: Vec<_> = self.about.limits.iter().map(|(name, number)| format!("{name} = {number}")).collect();
        if !limits.is_empty() {
            rows.push(("needs at most", limits.join(", ")));
        }
        fields(w, &rows)?;
        writeln!(w)?;
        let mut table = Table::new(&["FILE", ">BYTES", "IN MANIFEST"]);
        for file in &self.files {
            let own = matches!(&*file.path, "manifest.toml" | "manifest.sig");
            let listed = if file.listed {
                "yes"
            } else if own {
                ""
            } else {
                "no: never used"
            };
            table.row(vec![file.path.clone(), file.size.to_string(), listed.to_owned()]);
        }
        table.write(w)
    }
}
