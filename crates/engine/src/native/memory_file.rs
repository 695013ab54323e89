//! A file that holds the verified bytes of a library, that nobody else can change, and that has a path for the loader.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use super::error::LoadError;

/// The file. Its path works as long as the value lives, and no other file of this process ever has the same: loaders
/// compare paths, and would take two files for one.
#[derive(Debug)]
pub(super) struct MemoryFile {
    path: PathBuf,
    _file: File,
}

impl MemoryFile {
    /// The path, for the loader of this process only.
    pub(super) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Writes the bytes into a new anonymous file and seals it: no process, not even this one, can change it any more.
    #[cfg(target_os = "linux")]
    pub(super) fn new(bytes: &[u8]) -> Result<Self, LoadError> {
        use std::os::fd::AsRawFd;

        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

        let system = |doing| move |source: std::io::Error| LoadError::System { doing, source };
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // Kernels before 6.3 do not know EXEC, newer ones may be set to forbid mapping without it.
        let fd = memfd_create("playhouse-native", flags | MemfdFlags::EXEC)
            .or_else(|_| memfd_create("playhouse-native", flags))
            .map_err(|error| system("create a memory file")(error.into()))?;
        let mut file = File::from(fd);
        file.write_all(bytes).map_err(system("write a memory file"))?;
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        fcntl_add_seals(&file, seals).map_err(|error| system("seal a memory file")(error.into()))?;
        let path = PathBuf::from(format!("/proc/self/fd/{}{}", detour(), file.as_raw_fd()));
        Ok(Self { path, _file: file })
    }

    /// Writes the bytes into a new file that only this user can open, in a directory that only this user can change.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn new(bytes: &[u8]) -> Result<Self, LoadError> {
        let system = |doing| move |source: std::io::Error| LoadError::System { doing, source };
        let path = private::path().map_err(system("make a private directory"))?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        let mut file = options.open(&path).map_err(system("create a private file"))?;
        file.write_all(bytes).map_err(system("write a private file"))?;
        Ok(Self { path, _file: file })
    }
}

/// A way back to the same directory that was never gone before: numbers of descriptors are used again, so the path needs
/// something of its own. It spells a counter in binary.
#[cfg(target_os = "linux")]
fn detour() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    (0..u64::BITS - number.leading_zeros()).map(|bit| if number >> bit & 1 == 0 { "./" } else { ".//" }).collect()
}

#[cfg(not(target_os = "linux"))]
impl Drop for MemoryFile {
    /// Nobody needs the name once the file is mapped.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = self.path.parent().map(std::fs::remove_dir);
    }
}

#[cfg(not(target_os = "linux"))]
mod private {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A path that no other process can have prepared: `create_dir` fails if the directory exists.
    pub(super) fn path() -> std::io::Result<PathBuf> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("playhouse-native-{}-{number}", std::process::id()));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&directory)?;
        Ok(directory.join("guest"))
    }
}

#[cfg(test)]
mod tests;
