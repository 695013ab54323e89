use super::fault::EntryFault;

/// Why bytes are not an archive that a package may be. Nothing was unpacked that breaks a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The file is larger than the limit. Nothing was read.
    #[error("archive has {size} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes in the file.
        size: u64,
        /// Bytes that it may have.
        limit: u64,
    },
    /// There is no end record: not a ZIP archive, or cut off.
    #[error("not a ZIP archive, or cut off: it has no end record")]
    NoEnd,
    /// Bytes follow the end record.
    #[error("{bytes} bytes follow the end of the archive")]
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
    /// The archive has a comment, which nothing vouches for.
    #[error("archive has a comment of {bytes} bytes")]
    Comment {
        /// Bytes in the comment.
        bytes: usize,
    },
    /// The archive is one of several.
    #[error("archive is a part of several")]
    MultiPart,
    /// The archive uses the 64-bit form, which no package within the limits needs.
    #[error("archive uses ZIP64")]
    Zip64,
    /// The directory has more entries than allowed.
    #[error("archive has {entries} entries, the limit is {limit}")]
    TooManyEntries {
        /// Entries that the end record announces.
        entries: usize,
        /// Entries that there may be.
        limit: usize,
    },
    /// The directory does not end where the end record begins.
    #[error("directory is at {offset} with {size} bytes, but the end record is at {end}")]
    DirectoryMisplaced {
        /// Where the end record says that the directory begins.
        offset: u64,
        /// Bytes that it says the directory has.
        size: u64,
        /// Where the end record is.
        end: usize,
    },
    /// The directory does not hold the entries that the end record announces.
    #[error("directory is damaged at offset {offset}")]
    DirectoryDamaged {
        /// Where no directory entry could be read, or where entries ended early.
        offset: usize,
    },
    /// Bytes that belong to no entry.
    #[error("{bytes} bytes at offset {offset} belong to no entry")]
    Gap {
        /// Where they begin.
        offset: usize,
        /// How many.
        bytes: usize,
    },
    /// An entry begins inside another.
    #[error("entry {name:?} at offset {offset} overlaps another")]
    Overlap {
        /// The name of the entry.
        name: String,
        /// Where it begins.
        offset: usize,
    },
    /// Two entries have the same name.
    #[error("two entries are named {name:?}")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Two names differ only in case, so some file systems take them for one.
    #[error("entries {name:?} and {other:?} differ only in case")]
    CaseClash {
        /// One name.
        name: String,
        /// The other name.
        other: String,
    },
    /// One name is a file and also the directory of another entry.
    #[error("{name:?} is a file and a directory")]
    FileAndDirectory {
        /// The name.
        name: String,
    },
    /// An entry breaks a rule.
    #[error("entry {name:?} {fault}")]
    Entry {
        /// The name of the entry; bytes that are not UTF-8 are replaced.
        name: String,
        /// The rule.
        fault: EntryFault,
    },
}
