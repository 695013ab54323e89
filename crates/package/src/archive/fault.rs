use super::error::ArchiveError;
use crate::path::PathError;
use crate::syntax::quote;

/// The rule that one entry breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// The name is not UTF-8.
    #[error("has a name that is not UTF-8")]
    NameNotUtf8,
    /// The name has characters other than ASCII but is not marked as UTF-8, so readers differ in what they see.
    #[error("has a name that is not ASCII and not marked as UTF-8")]
    NameNotMarked,
    /// The name could leave a directory, or mean different things on different systems.
    #[error("{0}")]
    Path(PathError),
    /// The entry is encrypted.
    #[error("is encrypted")]
    Encrypted,
    /// The sizes stand behind the data, where a reader finds them only by guessing.
    #[error("has its sizes behind its data")]
    DataDescriptor,
    /// A flag is set that has no place in a package.
    #[error("has flags {flags:#06x}")]
    Flags {
        /// All flags.
        flags: u16,
    },
    /// The compression method is neither stored nor deflate.
    #[error("has compression method {method}")]
    Method {
        /// Its number.
        method: u16,
    },
    /// The entry is a symbolic link.
    #[error("is a symbolic link")]
    SymbolicLink,
    /// The attributes are not those of a plain file or directory.
    #[error("has external attributes {attributes:#010x}")]
    Attributes {
        /// All attributes.
        attributes: u32,
    },
    /// The internal attributes are not zero.
    #[error("has internal attributes {attributes:#06x}")]
    InternalAttributes {
        /// All attributes.
        attributes: u16,
    },
    /// The version that made it is not one that writers of packages put there.
    #[error("was made by version {version:#06x}")]
    MadeBy {
        /// Version and system.
        version: u16,
    },
    /// The version needed is not that of a stored or deflated file.
    #[error("needs version {version}")]
    Needs {
        /// The version.
        version: u16,
    },
    /// The entry has an extra field.
    #[error("has {bytes} bytes of extra fields")]
    ExtraField {
        /// Bytes of all extra fields.
        bytes: usize,
    },
    /// The entry has a comment.
    #[error("has a comment of {bytes} bytes")]
    Comment {
        /// Bytes in the comment.
        bytes: usize,
    },
    /// The entry is on another disk.
    #[error("is in another part of the archive")]
    OtherPart,
    /// A size or offset needs the 64-bit form.
    #[error("uses ZIP64")]
    Zip64,
    /// A directory has contents.
    #[error("is a directory with contents")]
    DirectoryWithContents,
    /// No local header is where the directory says.
    #[error("has no local header at offset {offset}")]
    NoLocalHeader {
        /// Where it should be.
        offset: usize,
    },
    /// The local and the central header differ.
    #[error("has another {field} in its local header than in the directory")]
    HeadersDiffer {
        /// In which field.
        field: HeaderField,
    },
    /// The data reaches into the directory.
    #[error("reaches into the directory")]
    TooLong,
    /// The entry is stored, but its two sizes differ.
    #[error("is stored but has {packed} bytes packed and {size} unpacked")]
    StoredSize {
        /// Bytes in the archive.
        packed: u32,
        /// Bytes that it says to have.
        size: u32,
    },
    /// More bytes are promised than deflate could have packed.
    #[error("promises {size} bytes from {packed}")]
    Ratio {
        /// Bytes in the archive.
        packed: usize,
        /// Bytes that the header promises.
        size: u32,
    },
    /// The compressed data is damaged.
    #[error("does not inflate")]
    Inflate,
    /// The data inflates to more than the header says.
    #[error("inflates to more than {size} bytes")]
    InflatesToMore {
        /// Bytes that the header promises.
        size: u32,
    },
    /// The data inflates to less than the header says.
    #[error("inflates to {found} bytes, not {size}")]
    InflatesToLess {
        /// Bytes that came out.
        found: u64,
        /// Bytes that the header promises.
        size: u32,
    },
    /// The compressed data ends before the entry does.
    #[error("has {bytes} bytes behind its compressed data")]
    BytesBehindData {
        /// How many.
        bytes: u64,
    },
    /// Bits after the end of the compressed data, in its last byte, are set.
    #[error("has bits behind its compressed data")]
    BitsBehindData,
    /// The contents do not have the checksum in the header.
    #[error("does not match its checksum")]
    Checksum,
}

impl EntryFault {
    pub(super) fn at(self, name: &str) -> ArchiveError {
        ArchiveError::Entry { name: quote(name), fault: self }
    }
}

/// A field that local and central headers share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderField {
    /// The version needed.
    #[error("version")]
    Version,
    /// The flags.
    #[error("set of flags")]
    Flags,
    /// The compression method.
    #[error("compression method")]
    Method,
    /// Time and date.
    #[error("time")]
    Time,
    /// The checksum.
    #[error("checksum")]
    Checksum,
    /// The size in the archive.
    #[error("packed size")]
    PackedSize,
    /// The unpacked size.
    #[error("size")]
    Size,
    /// The name.
    #[error("name")]
    Name,
}
