use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt};
use std::path::{Path, PathBuf};

use playhouse_types::{Code, ErrorKind};
use rustix::fs::FlockOperation;

use crate::error::{CliError, Result};

/// Reads a file of at most `bytes_max` bytes. `-` is standard input.
pub(crate) fn read(path: &Path, bytes_max: u64, code: Code) -> Result<Vec<u8>> {
    let bytes = read_start(path, bytes_max.saturating_add(1), code)?;
    if bytes.len() as u64 > bytes_max {
        let message = format!("{} has more than {bytes_max} bytes, the limit", path.display());
        return Err(CliError::new(code, ErrorKind::InvalidArgument, message));
    }
    Ok(bytes)
}

/// Reads the first `bytes` bytes of a file, or all if it has fewer. `-` is standard input.
pub(crate) fn read_start(path: &Path, bytes: u64, code: Code) -> Result<Vec<u8>> {
    let fail = |error: io::Error| CliError::io(code, format_args!("cannot read {}", path.display()), &error);
    let mut start = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(bytes).read_to_end(&mut start).map_err(fail)?;
        return Ok(start);
    }
    let file = File::open(path).map_err(fail)?;
    if file.metadata().map_err(fail)?.is_dir() {
        return Err(fail(io::ErrorKind::IsADirectory.into()));
    }
    file.take(bytes).read_to_end(&mut start).map_err(fail)?;
    Ok(start)
}

/// Reads a text file as [`read`] does.
pub(crate) fn read_text(path: &Path, bytes_max: u64, code: Code) -> Result<String> {
    String::from_utf8(read(path, bytes_max, code)?)
        .map_err(|_| CliError::new(code, ErrorKind::InvalidArgument, format!("{} is not UTF-8 text", path.display())))
}

/// Whether an existing file may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replace {
    Yes,
    No,
}

/// Writes a file whole or not at all, also if the machine stops: a new file with mode `mode` is synced and put in its place.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32, replace: Replace) -> io::Result<()> {
    let dir = directory_of(path);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = dir.join(name);
    let written = write_new(&temporary, bytes, mode).and_then(|()| match replace {
        Replace::Yes => fs::rename(&temporary, path),
        // A link fails if something is there, which a rename would not.
        Replace::No => fs::hard_link(&temporary, path).and_then(|()| fs::remove_file(&temporary)),
    });
    if written.is_err() {
        // The error that matters is the first.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    sync_directory(&dir)
}

/// Makes the names in a directory as lasting as the files.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Writes a file that must not exist yet, and syncs it.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The directory that a file is in.
pub(crate) fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A new folder that only its owner can enter, and that goes with the value.
#[derive(Debug)]
pub(crate) struct PassingFolder(PathBuf);

impl PassingFolder {
    /// Makes it in `place`; its name begins with `name`.
    pub(crate) fn make(place: &Path, name: &str) -> io::Result<Self> {
        let path = place.join(format!("{name}-{}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PassingFolder {
    fn drop(&mut self) {
        // Nobody is hurt by what stays behind but by its size, and whoever cleans up finds it by its name.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Keeps other instances of this program from changing files in `dir` until the result is dropped.
pub(crate) fn lock_directory(dir: &Path) -> io::Result<File> {
    let handle = File::open(dir)?;
    rustix::fs::flock(&handle, FlockOperation::LockExclusive)?;
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use playhouse_types::Code;

    use super::{Replace, read, read_text, write};

    #[test]
    fn files_are_replaced_whole_and_only_if_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write(&path, b"one", 0o600, Replace::No).unwrap();
        let refused = write(&path, b"two", 0o644, Replace::No).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(read(&path, 3, Code::PackageRead).unwrap(), b"one");
        write(&path, b"three", 0o600, Replace::Yes).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert!(read(&path, 4, Code::PackageRead).is_err());
        assert_eq!(read_text(&path, 5, Code::PackageRead).unwrap(), "three");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file stays");
        write(&path, b"\xff", 0o600, Replace::Yes).unwrap();
        assert!(read_text(&path, 5, Code::PackageRead).is_err());
    }
}
