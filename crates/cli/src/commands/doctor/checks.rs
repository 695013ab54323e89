use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Resource, getrlimit};

use super::Check;
use crate::paths::{DirError, Paths, check_private};
use crate::time;

/// Seconds at the start of 2026: no clock that is right shows less.
const CLOCK_MIN: u64 = 1_767_225_600;
/// Seconds at the start of 2100: a clock beyond it is wrong, and would let keys expire.
const CLOCK_MAX: u64 = 4_102_444_800;
/// Open files that a node with some hundred native actors and connections needs.
const FILES_MIN: u64 = 1024;
/// Kernel of the oldest long-term line that has Landlock, memfd sealing and pidfd.
const KERNEL_MIN: (u32, u32) = (5, 15);

/// Looks at everything.
pub(super) fn all(paths: &Paths) -> Vec<Check> {
    let mut checks = vec![
        directory("config directory", &paths.config),
        directory("cache directory", &paths.cache),
        directory("runtime directory", &paths.runtime),
        trust(&paths.trust_file()),
        key(&paths.key_file()),
        clock(),
        open_files(),
        address_space(),
        kernel(),
    ];
    checks.extend(confinement());
    checks.push(compiler());
    checks
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
            Check::problem(name, seen, format!("Make {} writable.", ancestor.display()))
        }
    }
}

fn trust(path: &Path) -> Check {
    match crate::trust_file::TrustFile::open(path) {
        Ok(file) if file.keys() == 0 => Check::note(
            "trust",
            format!("{} trusts nobody, so no package runs", path.display()),
            "playhouse trust add MANUFACTURER KEY",
        ),
        Ok(file) => Check::fine("trust", format!("{} ({} keys)", path.display(), file.keys())),
        Err(error) => {
            let seen = error.document().map(|document| document.error.message.to_owned()).unwrap_or_default();
            Check::problem("trust", seen, format!("Correct {}.", path.display()))
        }
    }
}

fn key(path: &Path) -> Check {
    use std::os::unix::fs::MetadataExt;
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
    let release = uname.release().to_string_lossy().into_owned();
    let seen = format!("{} {release} {}", uname.sysname().to_string_lossy(), uname.machine().to_string_lossy());
    match version_of(&release) {
        Some(version) if version < KERNEL_MIN => {
            let (major, minor) = KERNEL_MIN;
            Check::note("kernel", seen, format!("Linux {major}.{minor} or later confines native actors better."))
        }
        _ => Check::fine("kernel", seen),
    }
}

/// Major and minor of a kernel release such as `6.18.5-cloud`.
fn version_of(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// What the kernel offers to confine native actors with.
fn confinement() -> Vec<Check> {
    let seccomp = Path::new("/proc/sys/kernel/seccomp/actions_avail").exists();
    let modules = std::fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    let landlock = modules.split(',').any(|module| module.trim() == "landlock");
    let offered = |name, there| {
        if there {
            Check::fine(name, "offered by the kernel")
        } else {
            let fix = "Run untrusted native actors on a machine that has it; wasm actors do not need it.";
            Check::note(name, "not offered by the kernel", fix)
        }
    };
    vec![offered("seccomp", seccomp), offered("landlock", landlock)]
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

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn kernel_releases_are_read() {
        assert_eq!(version_of("6.18.5-cloud"), Some((6, 18)));
        assert_eq!(version_of("5.4.0"), Some((5, 4)));
        assert_eq!(version_of("unknown"), None);
    }
}
