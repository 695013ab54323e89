//! Reads ZIP archives of the narrow kind that packages are.
//!
//! One way to read each byte: entries follow each other without gaps from the first byte to the directory, the directory
//! to the end record, the end record to the last byte; local and central headers agree in every field they share; fields
//! that stand only in the central one have one of a few known values. So readers cannot differ in what they see.

mod end;
mod error;
mod fault;
mod fields;
mod header;
mod inflate;
mod names;

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;

use end::End;
pub use error::ArchiveError;
pub use fault::{EntryFault, HeaderField};
use header::{Central, METHOD_STORED};
use names::Name;

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
    let mut names = Vec::with_capacity(centrals.len());
    let mut entries = HashMap::with_capacity(centrals.len());
    let mut position = 0;
    for central in centrals {
        let start = central.offset;
        if start > position {
            return Err(ArchiveError::Gap { offset: position, bytes: start - position });
        }
        if start < position {
            return Err(ArchiveError::Overlap { name: central.name, offset: start });
        }
        let data = header::check_local(archive, directory, &central).map_err(|fault| fault.at(&central.name))?;
        position = data.end;
        let name = Name::parse(&central)?;
        if !central.is_directory {
            let deflated = central.shared.method != METHOD_STORED;
            let entry = Entry { deflated, data, size: central.shared.size, crc: central.shared.crc };
            entries.insert(name.path.clone(), entry);
        }
        names.push(name);
    }
    if position < directory {
        return Err(ArchiveError::Gap { offset: position, bytes: directory - position });
    }
    names::check_distinct(names)?;
    Ok(entries)
}
