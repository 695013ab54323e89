use std::ops::Range;

use super::error::ArchiveError;
use super::fields::Fields;

const SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const BYTES: usize = 22;

/// The end record.
#[derive(Debug)]
pub(super) struct End {
    pub(super) entries: usize,
    pub(super) directory: Range<usize>,
}

impl End {
    pub(super) fn find(archive: &[u8]) -> Result<Self, ArchiveError> {
        const COMMENT_BYTES_MAX: usize = 0xffff;
        let tail = archive.len().saturating_sub(BYTES + COMMENT_BYTES_MAX);
        let at_end = archive.len().checked_sub(BYTES).filter(|&at| archive[at..].starts_with(&SIGNATURE));
        let anywhere =
            || (tail..archive.len().saturating_sub(BYTES - 1)).rev().find(|&at| archive[at..].starts_with(&SIGNATURE));
        let start = at_end.or_else(anywhere).ok_or(ArchiveError::NoEnd)?;
        let record = Fields(&archive[start..start + BYTES]);
        let behind = archive.len() - start - BYTES;
        let comment = usize::from(record.u16(20));
        if comment < behind {
            return Err(ArchiveError::TrailingBytes { bytes: behind - comment });
        }
        if comment > 0 {
            return Err(ArchiveError::Comment { bytes: comment });
        }
        Self::read(record, start)
    }

    fn read(record: Fields<'_>, start: usize) -> Result<Self, ArchiveError> {
        let (disk, directory_disk) = (record.u16(4), record.u16(6));
        let (entries_here, entries) = (record.u16(8), record.u16(10));
        let (size, offset) = (record.u32(12), record.u32(16));
        if entries == u16::MAX || size == u32::MAX || offset == u32::MAX {
            return Err(ArchiveError::Zip64);
        }
        if disk != 0 || directory_disk != 0 || entries_here != entries {
            return Err(ArchiveError::MultiPart);
        }
        let (offset, size) = (u64::from(offset), u64::from(size));
        if offset + size != start as u64 {
            return Err(ArchiveError::DirectoryMisplaced { offset, size, end: start });
        }
        let directory = start - usize::try_from(size).unwrap_or(start)..start;
        Ok(Self { entries: usize::from(entries), directory })
    }
}
