use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::Args;
use playhouse_package::VerifiedPackage;
use playhouse_types::{Code, ErrorKind};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::Serialize;

use super::PackageArg;
use crate::args::JsonFlag;
use crate::commands::trust::TrustArg;
use crate::error::{CliError, Exit, Result};
use crate::files;
use crate::output::{GOOD, Output, Report};

/// Verify a package and write its files into a new directory.
///
/// Only files that the signature covers are written, from the bytes that were checked.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse package unpack echo.actr echo
  playhouse package unpack echo.actr /tmp/echo --trust site.toml")]
pub(crate) struct UnpackArgs {
    #[command(flatten)]
    package: PackageArg,
    /// The directory to make. Must not exist.
    directory: PathBuf,
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Unpacked {
    actor_type: String,
    directory: String,
    files: Vec<String>,
}

impl Report for Unpacked {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{GOOD}unpacked{GOOD:#} {} into {}", self.actor_type, self.directory)?;
        self.files.iter().try_for_each(|file| writeln!(w, "  {file}"))
    }
}

pub(super) fn run(args: &UnpackArgs, output: Output) -> Result<Exit> {
    let target = &args.directory;
    if target.symlink_metadata().is_ok() {
        return Err(exists(target));
    }
    let package = args.package.verify(&args.trust)?;
    let files = unpack(&package, target)?;
    let directory = target.display().to_string();
    output.show(&Unpacked { actor_type: package.actor_type().to_string(), directory, files })?;
    Ok(Exit::Ok)
}

fn exists(target: &Path) -> CliError {
    CliError::new(Code::PackageRead, ErrorKind::InvalidArgument, format!("{} exists", target.display()))
        .fix("Name a directory that does not exist.")
}

/// Writes everything into a private directory beside the target, which then takes the target's name: whole or not at all.
fn unpack(package: &VerifiedPackage, target: &Path) -> Result<Vec<String>> {
    let fail = |error: &io::Error| {
        CliError::io(Code::PackageRead, format_args!("cannot unpack into {}", target.display()), error)
    };
    let mut name = target.file_name().ok_or_else(|| exists(target))?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = files::directory_of(target).join(name);
    DirBuilder::new().mode(0o700).create(&temporary).map_err(|error| fail(&error))?;
    let done = write_files(package, &temporary).and_then(|written| {
        renameat_with(CWD, &temporary, CWD, target, RenameFlags::NOREPLACE)?;
        files::sync_directory(&files::directory_of(target))?;
        Ok(written)
    });
    done.map_err(|error| {
        // What went wrong first is what matters.
        let _ = fs::remove_dir_all(&temporary);
        if error.kind() == io::ErrorKind::AlreadyExists { exists(target) } else { fail(&error) }
    })
}

fn write_files(package: &VerifiedPackage, directory: &Path) -> io::Result<Vec<String>> {
    let manifest = ("manifest.toml".to_owned(), &package.manifest().raw);
    let listed = package.files().map(|(path, bytes)| (path.to_string(), bytes));
    let (mut written, mut directories) = (Vec::new(), BTreeSet::from([directory.to_owned()]));
    for (path, bytes) in std::iter::once(manifest).chain(listed) {
        let place = directory.join(&path);
        let above = files::directory_of(&place);
        DirBuilder::new().recursive(true).mode(0o700).create(&above)?;
        directories.extend(above.ancestors().take_while(|dir| *dir != directory).map(Path::to_owned));
        files::write_new(&place, bytes, 0o600)?;
        written.push(path);
    }
    directories.iter().try_for_each(|dir| files::sync_directory(dir))?;
    Ok(written)
}
