use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use playhouse_types::{Code, ErrorKind, Name};
use rustix::fs::FlockOperation;

use crate::error::{CliError, Result};
use crate::paths::{Paths, private_dir};

/// Bytes of a path that the kernel takes for a Unix socket, less the zero at its end.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// How long a node that was killed may take to let go of its name.
const END_TIME: Duration = Duration::from_millis(500);
/// How often that is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Where a node of one name listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) name: Name,
    pub(crate) socket: PathBuf,
    lock: PathBuf,
}

impl Endpoint {
    pub(crate) fn new(paths: &Paths, name: &Name) -> Result<Self> {
        let socket = paths.runtime.join(format!("{name}.sock"));
        let length = socket.as_os_str().len();
        if length > SOCKET_PATH_BYTES_MAX {
            let message =
                format!("{} has {length} bytes; a socket's path may have {SOCKET_PATH_BYTES_MAX}", socket.display());
            return Err(CliError::new(Code::Config, ErrorKind::InvalidArgument, message)
                .fix("Set XDG_RUNTIME_DIR to a shorter path, or use a shorter --node name."));
        }
        Ok(Self { name: name.clone(), lock: paths.runtime.join(format!("{name}.lock")), socket })
    }
}

/// A listening socket and the lock that makes it the only one of its name. Dropping it removes the socket.
#[derive(Debug)]
pub(crate) struct Bound {
    endpoint: Endpoint,
    listener: Option<UnixListener>,
    /// Held, not read: the kernel lets go of it when the process ends, however it ends.
    _lock: File,
}

impl Bound {
    /// Takes the name. What a dead node left behind is removed; a living one is an error.
    pub(crate) fn bind(paths: &Paths, name: &Name) -> Result<Self> {
        let endpoint = Endpoint::new(paths, name)?;
        private_dir(&paths.runtime)?;
        let lock = take_lock(&endpoint)?;
        let fail = |what: &str, error: &io::Error| {
            CliError::io(Code::Config, format_args!("cannot {what} {}", endpoint.socket.display()), error)
        };
        // Whoever holds the lock owns the name, so that a socket that is still there has nobody behind it.
        match fs::remove_file(&endpoint.socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(fail("remove the stale socket", &error));
            }
            _ => {}
        }
        let listener = UnixListener::bind(&endpoint.socket).map_err(|error| fail("listen at", &error))?;
        // Its directory keeps others out already; this says so to whoever looks at the socket alone.
        fs::set_permissions(&endpoint.socket, PermissionsExt::from_mode(0o600))
            .map_err(|error| fail("restrict", &error))?;
        Ok(Self { endpoint, listener: Some(listener), _lock: lock })
    }

    /// The listener, once.
    pub(crate) fn take_listener(&mut self) -> Option<UnixListener> {
        self.listener.take()
    }

    pub(crate) fn name(&self) -> &Name {
        &self.endpoint.name
    }

    pub(crate) fn path(&self) -> &Path {
        &self.endpoint.socket
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // A socket that stays behind is removed by the next node of the name.
        let _ = fs::remove_file(&self.endpoint.socket);
    }
}

/// The lock file stays when the node goes: to remove it would let two nodes lock two files of one name.
fn take_lock(endpoint: &Endpoint) -> Result<File> {
    let fail =
        |error: &io::Error| CliError::io(Code::Config, format_args!("cannot lock {}", endpoint.lock.display()), error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&endpoint.lock)
        .map_err(|error| fail(&error))?;
    let start = Instant::now();
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(rustix::io::Errno::WOULDBLOCK) if start.elapsed() < END_TIME => std::thread::sleep(LOOK_EVERY),
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(running(endpoint, &mut file)),
            Err(error) => return Err(fail(&error.into())),
        }
    }
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
    written.map_err(|error| fail(&error))?;
    Ok(file)
}

fn running(endpoint: &Endpoint, lock: &mut File) -> CliError {
    let mut pid = String::new();
    let pid = match lock.take(20).read_to_string(&mut pid) {
        Ok(_) if !pid.is_empty() => format!(" as process {pid}"),
        _ => String::new(),
    };
    let name = &endpoint.name;
    CliError::new(Code::NodeRunning, ErrorKind::Unavailable, format!("a node named {name} is running{pid}"))
        .fix(format!("`playhouse stop --all --node {name}` ends it; or give this one another name with `--node`."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixStream;

    use super::{Bound, Endpoint};
    use crate::paths::Paths;

    fn paths(root: &std::path::Path) -> Paths {
        Paths { config: root.join("c"), cache: root.join("k"), runtime: root.join("r"), state: root.join("s") }
    }

    #[test]
    fn a_name_is_taken_once_and_survives_a_dead_owner() {
        let root = tempfile::tempdir().unwrap();
        let (paths, name) = (paths(root.path()), "default".parse().unwrap());
        let first = Bound::bind(&paths, &name).unwrap();
        assert_eq!(first.path().metadata().unwrap().mode() & 0o777, 0o600);
        let second = Bound::bind(&paths, &name).unwrap_err();
        let text = second.document().unwrap().error.message.to_owned();
        assert_eq!(text, format!("a node named default is running as process {}", std::process::id()));
        Bound::bind(&paths, &"other".parse().unwrap()).unwrap();

        // A node that was killed leaves its socket, but not its lock.
        let socket = first.path().to_owned();
        drop(first);
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert!(socket.exists() && UnixStream::connect(&socket).is_err());
        let third = Bound::bind(&paths, &name).unwrap();
        UnixStream::connect(third.path()).unwrap();
        drop(third);
        assert!(!socket.exists());
    }

    #[test]
    fn a_path_that_the_kernel_would_cut_is_refused() {
        let long = std::path::PathBuf::from(format!("/{}", "x".repeat(107 - 1 - "/r/default.sock".len())));
        let name = "default".parse().unwrap();
        assert_eq!(Endpoint::new(&paths(&long), &name).unwrap().socket.as_os_str().len(), 107);
        let error = Endpoint::new(&paths(&long.join("y")), &name).unwrap_err();
        assert!(error.document().unwrap().error.message.ends_with("has 109 bytes; a socket's path may have 107"));
    }
}
