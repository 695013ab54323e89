use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use playhouse_crypto::{Digest, Hasher, equal_constant_time};

/// What every file of compiled code begins with. The authentication code follows, then the code.
const MAGIC: &[u8; 8] = b"PHWASM\x00\x01";
/// Bytes before the code.
const HEADER_BYTES: usize = MAGIC.len() + Digest::LENGTH;
/// The file that holds the key.
const KEY_FILE: &str = "key";
/// How names of files that are being written begin.
const TEMPORARY: &str = "new-";
/// How names of files of compiled code end.
const SUFFIX: &str = ".code";
/// The age from which a file that is being written counts as left behind by a process that died.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A directory of authenticated files, shared by all processes of one user.
pub(super) struct Directory {
    path: PathBuf,
    key: [u8; Digest::LENGTH],
    bytes_max: u64,
}

impl Directory {
    /// Opens or makes the directory. One that others could write to is refused: they could put a key of theirs there.
    pub(super) fn open(path: &Path, bytes_max: u64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let key = key(path)?;
        Ok(Self { path: path.to_owned(), key, bytes_max })
    }

    /// The code that was kept under `name`; none if there is none or it is not authentic.
    pub(super) fn read(&self, name: &Digest) -> Option<Vec<u8>> {
        let path = self.file(name);
        let mut file = File::open(&path).ok()?;
        let length = file.metadata().ok()?.len();
        if length > self.bytes_max {
            return None;
        }
        let mut header = [0; HEADER_BYTES];
        let mut code = Vec::with_capacity(usize::try_from(length).ok()?.saturating_sub(HEADER_BYTES));
        let read = file.read_exact(&mut header).and_then(|()| (&file).take(length).read_to_end(&mut code));
        let (magic, mac) = header.split_at(MAGIC.len());
        if read.is_err() || magic != MAGIC || !equal_constant_time(mac, self.mac(name, &code).as_bytes()) {
            tracing::warn!(path = %path.display(), "compiled wasm is damaged or not ours; compiling again");
            return None;
        }
        // Eviction goes by the time of the last use. A file whose time cannot be set is evicted early, no more.
        let _ = file.set_modified(SystemTime::now());
        Some(code)
    }

    /// Keeps code under `name`. If that fails the next start compiles again.
    pub(super) fn write(&self, name: &Digest, code: &[u8]) {
        let written = self.temporary().and_then(|(temporary, mut file)| {
            let kept = file
                .write_all(MAGIC)
                .and_then(|()| file.write_all(self.mac(name, code).as_bytes()))
                .and_then(|()| file.write_all(code))
                .and_then(|()| fs::rename(&temporary, self.file(name)));
            kept.inspect_err(|_| drop(fs::remove_file(&temporary)))
        });
        if let Err(error) = written.and_then(|()| self.evict()) {
            tracing::warn!(path = %self.path.display(), %error, "compiled wasm could not be kept");
        }
    }

    fn file(&self, name: &Digest) -> PathBuf {
        self.path.join(format!("{name}{SUFFIX}"))
    }

    fn temporary(&self) -> io::Result<(PathBuf, File)> {
        new_file(&self.path)
    }

    /// HMAC-SHA-256 over the name and the code, so that no file can stand in for another.
    fn mac(&self, name: &Digest, code: &[u8]) -> Digest {
        let mut inner = Hasher::new();
        inner.update(&padded(&self.key, 0x36));
        inner.update(name.as_bytes());
        inner.update(code);
        let mut outer = Hasher::new();
        outer.update(&padded(&self.key, 0x5c));
        outer.update(inner.finish().as_bytes());
        outer.finish()
    }

    /// Removes what was not used for the longest time until the rest fits, and what dead processes left.
    fn evict(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // A file that goes while we look was evicted by another process.
            let Ok(metadata) = entry.metadata() else { continue };
            let Ok(modified) = metadata.modified() else { continue };
            if name.starts_with(TEMPORARY) && modified.elapsed().is_ok_and(|age| age > ABANDONED) {
                remove(&entry.path())?;
            } else if name.ends_with(SUFFIX) {
                kept.push((modified, metadata.len(), entry.path()));
            }
        }
        let mut total: u64 = kept.iter().map(|(_, bytes, _)| bytes).sum();
        kept.sort();
        for (_, bytes, path) in kept {
            if total <= self.bytes_max {
                break;
            }
            remove(&path)?;
            total -= bytes;
        }
        Ok(())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn padded(key: &[u8; Digest::LENGTH], pad: u8) -> [u8; 64] {
    let mut block = [pad; 64];
    block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
    block
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// A file that nobody has yet, for the owner only.
fn new_file(directory: &Path) -> io::Result<(PathBuf, File)> {
    let path = directory.join(format!("{TEMPORARY}{:016x}", u64::from_ne_bytes(random()?)));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    Ok((path, file))
}

/// Reads the key, or makes it. Nothing is written if there is one, so that a cache on a read-only disk can be used.
fn key(directory: &Path) -> io::Result<[u8; Digest::LENGTH]> {
    let path = directory.join(KEY_FILE);
    let owner = rustix::process::geteuid().as_raw();
    owner_only(directory, owner, 0o022)?;
    if let Some(key) = read_key(&path, owner)? {
        return Ok(key);
    }
    make_key(directory, &path)?;
    read_key(&path, owner)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// The key; none if there is no file, or one that was cut, such as by a full disk: what was kept under it is compiled again.
fn read_key(path: &Path, owner: u32) -> io::Result<Option<[u8; Digest::LENGTH]>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    owner_only(path, owner, 0o077)?;
    let mut key = [0; Digest::LENGTH];
    match file.read_exact(&mut key) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        read => read.map(|()| Some(key)),
    }
}

/// Makes the key. Of several processes that make one, the first to link its file wins, and all use that; one that was cut makes way.
fn make_key(directory: &Path, path: &Path) -> io::Result<()> {
    let (temporary, mut file) = new_file(directory)?;
    let written = random::<{ Digest::LENGTH }>().and_then(|key| file.write_all(&key));
    // A name without its bytes, as a power cut can leave it, would cost all that was compiled.
    let made = written.and_then(|()| file.sync_all()).and_then(|()| match fs::hard_link(&temporary, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Err(_) if fs::metadata(path)?.len() < Digest::LENGTH as u64 => fs::rename(&temporary, path),
        _ => Ok(()),
    });
    remove(&temporary)?;
    made
}

/// Fails if `path` belongs to somebody else, or its permissions have any of the bits in `forbidden`.
fn owner_only(path: &Path, owner: u32, forbidden: u32) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.uid() != owner || metadata.mode() & forbidden != 0 {
        let message = format!("{} must belong to the node and be closed to others", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    Ok(())
}
