//! Reads ZIP archives of the narrow kind that packages are.
//!
//! One way to read each byte: entries follow each other without gaps from the first byte to the directory, the directory
//! to the end record, the end record to the last byte; local and central headers agree in every field they share; fields
//! that stand only in the central one have one of a few known values. So readers cannot differ in what they see.

mod error;
mod header;
mod inflate;

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;

pub use error::{ArchiveError, EntryFault, HeaderField};
use header::{Central, End, METHOD_STORED};

use crate::limits::PackageLimits;
use crate::path::EntryPath;

/// An archive whose structure has been checked. No entry has been unpacked.
#[derive(Debug)]
pub(crate) struct Archive {
    bytes: Bytes,
    entries: HashMap<EntryPath, Entry>,
}

#[derive(Debug)]
struct Entry {
    deflated: bool,
    data: Range<usize>,
    size: u32,
    crc: u32,
}

impl Archive {
    /// Walks the structure of an archive.
    pub(crate) fn open(bytes: Bytes, limits: &PackageLimits) -> Result<Self, ArchiveError> {
        let size = bytes.len() as u64;
        if size > limits.archive_bytes() {
            return Err(ArchiveError::TooLarge { size, limit: limits.archive_bytes() });
        }
        let end = End::find(&bytes)?;
        if end.entries > limits.archive_entries() {
            return Err(ArchiveError::TooManyEntries { entries: end.entries, limit: limits.archive_entries() });
        }
        let centrals = header::read_directory(&bytes, &end)?;
        let entries = locate(&bytes, end.directory.start, centrals)?;
        Ok(Self { bytes, entries })
    }

    /// Whether there is a file at `path`.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// Files in the archive.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How large the header of a file says that it is.
    pub(crate) fn size(&self, path: &str) -> Option<u64> {
        self.find(path).map(|(_, entry)| u64::from(entry.size))
    }

    /// The paths of all files, in no order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &EntryPath> {
        self.entries.keys()
    }

    /// The contents of a file: a slice of the archive where it is stored, at most as long as its header says.
    pub(crate) fn read(&self, path: &str) -> Option<Result<Bytes, ArchiveError>> {
        let (path, entry) = self.find(path)?;
        Some(entry.read(&self.bytes).map_err(|fault| fault.at(path.as_str())))
    }

    fn find(&self, path: &str) -> Option<(&EntryPath, &Entry)> {
        let path = EntryPath::parse(path).ok()?;
        self.entries.get_key_value(&path)
    }
}

impl Entry {
    fn read(&self, archive: &Bytes) -> Result<Bytes, EntryFault> {
        let bytes = archive.slice(self.data.clone());
        let bytes = if self.deflated { inflate::inflate(&bytes, self.size)?.into() } else { bytes };
        if crc32fast::hash(&bytes) != self.crc {
            return Err(EntryFault::Checksum);
        }
        Ok(bytes)
    }
}

/// Checks that local headers and data fill the archive up to the directory, and that no two names can be confused.
fn locate(
    archive: &[u8],
    directory: usize,
    mut centrals: Vec<Central>,
) -> Result<HashMap<EntryPath, Entry>, ArchiveError> {
    centrals.sort_by_key(|central| central.offset);
    let mut names = Names::default();
    let mut entries = HashMap::with_capacity(centrals.len());
    let mut position = 0;
    for central in centrals {
        let name = central.name.clone();
        let start = central.offset;
        if start > position {
            return Err(ArchiveError::Gap { offset: position, bytes: start - position });
        }
        if start < position {
            return Err(ArchiveError::Overlap { name, offset: start });
        }
        let data = header::check_local(archive, directory, &central).map_err(|fault| fault.at(&name))?;
        position = data.end;
        let Some(path) = names.take(central.name, central.is_directory)? else { continue };
        let deflated = central.shared.method != METHOD_STORED;
        entries.insert(path, Entry { deflated, data, size: central.shared.size, crc: central.shared.crc });
    }
    if position < directory {
        return Err(ArchiveError::Gap { offset: position, bytes: directory - position });
    }
    Ok(entries)
}

/// The names seen so far, in the form in which they could be confused.
#[derive(Default)]
struct Names {
    seen: HashMap<String, (String, Use)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    File,
    /// A directory entry of its own.
    Directory,
    /// The parent of an entry.
    Parent,
}

impl Names {
    /// The path of the next entry; none for a directory.
    fn take(&mut self, name: String, is_directory: bool) -> Result<Option<EntryPath>, ArchiveError> {
        let text = if is_directory { name.trim_end_matches('/') } else { &name };
        let path = EntryPath::parse(text).map_err(|rule| EntryFault::Path(rule).at(&name))?;
        let folded = path.folded();
        let parents = folded.match_indices('/').map(|(end, _)| &folded[..end]);
        for (parent, original) in parents.zip(path.as_str().match_indices('/').map(|(end, _)| &path.as_str()[..end])) {
            let seen = self.seen.entry(parent.to_owned()).or_insert_with(|| (original.to_owned(), Use::Parent));
            if seen.1 == Use::File {
                return Err(ArchiveError::FileAndDirectory { name: seen.0.clone() });
            }
            if seen.0 != original {
                return Err(ArchiveError::CaseClash { name: original.to_owned(), other: seen.0.clone() });
            }
        }
        let used = if is_directory { Use::Directory } else { Use::File };
        match self.seen.insert(folded, (path.as_str().to_owned(), used)) {
            None => {}
            Some((other, _)) if other != path.as_str() => return Err(ArchiveError::CaseClash { name, other }),
            Some((_, Use::Parent)) if is_directory => {}
            Some((other, before)) if before != used => return Err(ArchiveError::FileAndDirectory { name: other }),
            Some((other, _)) => return Err(ArchiveError::Duplicate { name: other }),
        }
        Ok((!is_directory).then_some(path))
    }
}
