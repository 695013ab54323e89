use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Resource, getrlimit};

use super::Check;
use crate::control::socket::Endpoint;
use crate::error::{CliError, Result};
use crate::output::count;
use crate::paths::{DirError, Paths, check_private};
use crate::store::access::VARIABLE;
use crate::store::location::Location;
use crate::store::master::FILE as MASTER_KEY;
use crate::store::open::DATABASE;
use crate::time;

/// The node that is meant where none is named.
const DEFAULT_NODE: &str = "default";

/// Seconds at the start of 2026: no clock that is right shows less.
const CLOCK_MIN: u64 = 1_767_225_600;
/// Seconds at the start of 2100: a clock beyond it is wrong, and would let keys expire.
const CLOCK_MAX: u64 = 4_102_444_800;
/// Open files that a node with some hundred native actors and connections needs.
const FILES_MIN: u64 = 1024;
/// Bytes on the disk of a store with which a node takes messages whatever happened before: what is held back, and a quarter more.
const STORE_FREE_MIN: u64 = 80 << 20;

/// Looks at everything.
pub(super) fn all(paths: Result<&Paths, &CliError>) -> Vec<Check> {
    let mut checks = match paths {
        Ok(paths) => of_user(paths),
        Err(error) => vec![Check::problem("home directory", error.message(), "Set HOME to a folder of yours.")],
    };
    checks.extend([clock(), open_files(), address_space(), kernel(), compiler()]);
    checks
}

/// What the user has.
fn of_user(paths: &Paths) -> Vec<Check> {
    vec![
        directory("config directory", &paths.config),
        directory("cache directory", &paths.cache),
        directory("runtime directory", &paths.runtime),
        directory("state directory", &paths.state),
        socket(paths),
        trust(&paths.trust_file()),
        key(&paths.key_file()),
        store(paths),
    ]
}

fn directory(name: &'static str, path: &Path) -> Check {
    match check_private(path) {
        Ok(()) => Check::fine(name, path.display().to_string()),
        Err(DirError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => to_be_made(name, path),
        // What is readable by others in these two is neither secret nor executed unchecked.
        Err(error @ DirError::Open { .. }) if name != "runtime directory" => {
            Check::note(name, error.to_string(), format!("chmod 700 {}", path.display()))
        }
        Err(error) => Check::problem(name, error.to_string(), format!("chmod 700 {}, or remove it", path.display())),
    }
}

/// A directory that is not there is made when it is needed, if its nearest ancestor lets us.
fn to_be_made(name: &'static str, path: &Path) -> Check {
    let ancestor = path.ancestors().skip(1).find(|above| above.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::access(ancestor, rustix::fs::Access::WRITE_OK) {
        Ok(()) => Check::fine(name, format!("{} (made when needed)", path.display())),
        Err(error) => {
            let seen = format!("{} cannot be made in {}: {error}", path.display(), ancestor.display());
            let ours = ancestor.metadata().is_ok_and(|found| found.uid() == rustix::process::geteuid().as_raw());
            let fix = match ours {
                true => format!("chmod u+w {}", ancestor.display()),
                false => "Set HOME to a folder of yours; or XDG_CONFIG_HOME, XDG_CACHE_HOME, XDG_STATE_HOME and XDG_RUNTIME_DIR.".to_owned(),
            };
            Check::problem(name, seen, fix)
        }
    }
}

/// Whether a control socket can be made: the kernel takes no long paths.
fn socket(paths: &Paths) -> Check {
    let endpoint = DEFAULT_NODE.parse().map(|node| Endpoint::new(paths, &node));
    match endpoint {
        Ok(Ok(endpoint)) => Check::fine("control socket", endpoint.socket.display().to_string()),
        Ok(Err(error)) => Check::problem("control socket", error.message(), "Set XDG_RUNTIME_DIR to a shorter path."),
        Err(_) => Check::note("control socket", "not looked at", "playhouse ps"),
    }
}

/// Where the node of that name keeps everything. It is not opened: that would write to it.
fn store(paths: &Paths) -> Check {
    let variable = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()).and_then(|text| text.parse().ok());
    let last = || Some(Location::last_of(paths, &DEFAULT_NODE.parse().ok()?));
    let Some(Location::Folder(folder)) = variable.or_else(last) else {
        return Check::fine("store", "in no folder of this machine; `playhouse store info` looks at it");
    };
    let master = folder.join(MASTER_KEY);
    if let Some(mode) = master.metadata().ok().map(|found| found.mode() & 0o7777).filter(|mode| mode & 0o077 != 0) {
        let seen = format!("{} has mode {mode:04o}, expected 0600", master.display());
        return Check::problem("store", seen, format!("chmod 600 {}", master.display()));
    }
    let place = folder.ancestors().find(|place| place.is_dir()).unwrap_or(Path::new("/"));
    let free = rustix::fs::statvfs(place).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    let there = if folder.join(DATABASE).exists() { "" } else { " (made when needed)" };
    let seen = format!("{}{there}; {} MiB free; `playhouse fsck` looks for damage", folder.display(), free >> 20);
    if free < STORE_FREE_MIN {
        return Check::note(
            "store",
            seen,
            format!("Make room on that disk: with less than {} MiB a node takes no messages.", STORE_FREE_MIN >> 20),
        );
    }
    Check::fine("store", seen)
}

fn trust(path: &Path) -> Check {
    match crate::trust_file::TrustFile::open(path) {
        Ok(file) if file.keys() == 0 => Check::note(
            "trust",
            format!("{} trusts nobody, so no package runs", path.display()),
            "playhouse trust add MANUFACTURER KEY",
        ),
        Ok(file) => Check::fine("trust", format!("{} ({})", path.display(), count(file.keys() as u64, "key"))),
        Err(error) => {
            let seen = error.document().map(|document| document.error.message.to_owned()).unwrap_or_default();
            Check::problem("trust", seen, format!("Correct {}.", path.display()))
        }
    }
}

fn key(path: &Path) -> Check {
    match path.metadata() {
        Ok(file) if file.mode() & 0o077 != 0 => {
            let seen = format!("{} has mode {:04o}, expected 0600", path.display(), file.mode() & 0o7777);
            Check::problem("signing key", seen, format!("chmod 600 {}", path.display()))
        }
        Ok(_) => Check::fine("signing key", path.display().to_string()),
        Err(_) => Check::note("signing key", "none (needed only to build packages)", "playhouse key new"),
    }
}

fn clock() -> Check {
    let now = time::now();
    let seen = time::utc(now);
    if (CLOCK_MIN..CLOCK_MAX).contains(&now) {
        Check::fine("clock", seen)
    } else {
        Check::problem("clock", format!("{seen} cannot be right"), "Set the clock: the expiry of keys hangs on it.")
    }
}

fn open_files() -> Check {
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < FILES_MIN => {
            Check::note("open files", format!("limit {limit}, {FILES_MIN} expected"), format!("ulimit -n {FILES_MIN}"))
        }
        Some(limit) => Check::fine("open files", format!("limit {limit}")),
        None => Check::fine("open files", "no limit"),
    }
}

/// Wasm memories are reserved in full and used as needed, so that a limit on addresses keeps them from starting.
fn address_space() -> Check {
    match getrlimit(Resource::As).current {
        None => Check::fine("address space", "no limit"),
        Some(limit) => Check::problem("address space", format!("limit {} MiB", limit >> 20), "ulimit -v unlimited"),
    }
}

fn kernel() -> Check {
    let uname = rustix::system::uname();
    let (system, release, machine) = (uname.sysname(), uname.release(), uname.machine());
    let words = [system, release, machine].map(|word| word.to_string_lossy());
    Check::fine("kernel", words.join(" "))
}

fn compiler() -> Check {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join("cc")).find(|cc: &PathBuf| cc.is_file());
    let Some(cc) = found else {
        return Check::note("C compiler", "none (needed only to build native actors)", "Install gcc or clang.");
    };
    let version = Command::new(&cc).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let text = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    Check::fine("C compiler", format!("{} ({})", cc.display(), text.lines().next().unwrap_or("unknown")))
}
