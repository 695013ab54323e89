use std::ops::Range;

use super::end::End;
use super::error::ArchiveError;
use super::fault::{EntryFault, HeaderField};
use super::fields::Fields;

pub(super) const METHOD_STORED: u16 = 0;
pub(super) const METHOD_DEFLATE: u16 = 8;

const FLAG_ENCRYPTED: u16 = 1;
/// Two bits in which deflate notes how hard it tried.
const FLAGS_LEVEL: u16 = 0b110;
const FLAG_DATA_DESCRIPTOR: u16 = 1 << 3;
const FLAG_STRONG_ENCRYPTION: u16 = 1 << 6;
const FLAG_UTF8: u16 = 1 << 11;
const FLAG_MASKED: u16 = 1 << 13;

const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const CENTRAL_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;

/// The versions and systems (DOS, Unix) that writers of packages put into `version made by`. No two differ in one bit.
const MADE_BY_VERSIONS: [u8; 7] = [10, 20, 30, 45, 46, 51, 63];
const MADE_BY_SYSTEMS: [u8; 2] = [0, 3];
/// The versions needed for a stored or deflated file and for a directory.
const NEEDED: [u16; 2] = [10, 20];

const ATTRIBUTES_NONE: u32 = 0;
/// Plain files that everybody may read, that only the owner may, and programs. No two differ in one bit.
const ATTRIBUTES_FILE: [u32; 4] = [ATTRIBUTES_NONE, 0o100_644 << 16, 0o100_600 << 16, 0o100_755 << 16];
const ATTRIBUTE_DOS_DIRECTORY: u32 = 0x10;
const ATTRIBUTES_DIRECTORY: [u32; 5] = [
    ATTRIBUTES_NONE,
    ATTRIBUTE_DOS_DIRECTORY,
    0o40_755 << 16,
    0o40_755 << 16 | ATTRIBUTE_DOS_DIRECTORY,
    0o40_775 << 16 | ATTRIBUTE_DOS_DIRECTORY,
];
const MODE_TYPE: u32 = 0o170_000;
const MODE_LINK: u32 = 0o120_000;

/// What the local and the central header of an entry must agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shared {
    needs: u16,
    flags: u16,
    pub(super) method: u16,
    time: u32,
    pub(super) crc: u32,
    packed: u32,
    pub(super) size: u32,
}

impl Shared {
    const BYTES: usize = 22;

    fn read(fields: Fields<'_>) -> Self {
        Self {
            needs: fields.u16(0),
            flags: fields.u16(2),
            method: fields.u16(4),
            time: fields.u32(6),
            crc: fields.u32(10),
            packed: fields.u32(14),
            size: fields.u32(18),
        }
    }

    fn difference(&self, other: &Self) -> Option<HeaderField> {
        let fields = [
            (self.needs == other.needs, HeaderField::Version),
            (self.flags == other.flags, HeaderField::Flags),
            (self.method == other.method, HeaderField::Method),
            (self.time == other.time, HeaderField::Time),
            (self.crc == other.crc, HeaderField::Checksum),
            (self.packed == other.packed, HeaderField::PackedSize),
            (self.size == other.size, HeaderField::Size),
        ];
        fields.into_iter().find(|(same, _)| !same).map(|(_, field)| field)
    }

    fn check(&self) -> Result<(), EntryFault> {
        let flags = self.flags;
        if flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED) != 0 {
            return Err(EntryFault::Encrypted);
        }
        if flags & FLAG_DATA_DESCRIPTOR != 0 {
            return Err(EntryFault::DataDescriptor);
        }
        if !matches!(self.method, METHOD_STORED | METHOD_DEFLATE) {
            return Err(EntryFault::Method { method: self.method });
        }
        let level = if self.method == METHOD_DEFLATE { FLAGS_LEVEL } else { 0 };
        if flags & !(FLAG_UTF8 | level) != 0 {
            return Err(EntryFault::Flags { flags });
        }
        if self.packed == u32::MAX || self.size == u32::MAX {
            return Err(EntryFault::Zip64);
        }
        if !NEEDED.contains(&self.needs) {
            return Err(EntryFault::Needs { version: self.needs });
        }
        if self.method == METHOD_STORED && self.packed != self.size {
            return Err(EntryFault::StoredSize { packed: self.packed, size: self.size });
        }
        Ok(())
    }
}

/// An entry of the directory.
#[derive(Debug)]
pub(super) struct Central {
    pub(super) shared: Shared,
    pub(super) name: String,
    pub(super) is_directory: bool,
    pub(super) offset: usize,
}

/// Reads the whole directory.
pub(super) fn read_directory(archive: &[u8], end: &End) -> Result<Vec<Central>, ArchiveError> {
    let mut position = end.directory.start;
    let mut centrals = Vec::with_capacity(end.entries);
    for _ in 0..end.entries {
        let damaged = ArchiveError::DirectoryDamaged { offset: position };
        let rest = &archive[position..end.directory.end];
        let Some((fixed, rest)) = rest.split_at_checked(CENTRAL_BYTES) else { return Err(damaged) };
        let fields = Fields(fixed);
        let lengths = [fields.u16(28), fields.u16(30), fields.u16(32)].map(usize::from);
        let Some(name) = rest.get(..lengths[0]).filter(|_| fixed.starts_with(&CENTRAL_SIGNATURE)) else {
            return Err(damaged);
        };
        let central = read_central(fields, name, lengths).map_err(|fault| fault.at(&String::from_utf8_lossy(name)))?;
        centrals.push(central);
        position += CENTRAL_BYTES + lengths[0];
    }
    if position == end.directory.end { Ok(centrals) } else { Err(ArchiveError::DirectoryDamaged { offset: position }) }
}

fn read_central(fields: Fields<'_>, name: &[u8], lengths: [usize; 3]) -> Result<Central, EntryFault> {
    let shared = Shared::read(Fields(&fields.0[6..6 + Shared::BYTES]));
    let name = str::from_utf8(name).map_err(|_| EntryFault::NameNotUtf8)?;
    if !name.is_ascii() && shared.flags & FLAG_UTF8 == 0 {
        return Err(EntryFault::NameNotMarked);
    }
    shared.check()?;
    let [_, extra, comment] = lengths;
    if extra != 0 {
        return Err(EntryFault::ExtraField { bytes: extra });
    }
    if comment != 0 {
        return Err(EntryFault::Comment { bytes: comment });
    }
    let is_directory = name.ends_with('/');
    check_central_only(fields, is_directory)?;
    if is_directory && (shared.size != 0 || shared.packed != 0 || shared.crc != 0) {
        return Err(EntryFault::DirectoryWithContents);
    }
    let offset = fields.u32(42);
    if offset == u32::MAX {
        return Err(EntryFault::Zip64);
    }
    let offset = usize::try_from(offset).map_err(|_| EntryFault::TooLong)?;
    Ok(Central { shared, name: name.to_owned(), is_directory, offset })
}

/// Checks the fields that have no twin in the local header.
fn check_central_only(fields: Fields<'_>, is_directory: bool) -> Result<(), EntryFault> {
    let made_by = fields.u16(4);
    let [version, system] = made_by.to_le_bytes();
    if !MADE_BY_VERSIONS.contains(&version) || !MADE_BY_SYSTEMS.contains(&system) {
        return Err(EntryFault::MadeBy { version: made_by });
    }
    if fields.u16(34) != 0 {
        return Err(EntryFault::OtherPart);
    }
    let internal = fields.u16(36);
    if internal != 0 {
        return Err(EntryFault::InternalAttributes { attributes: internal });
    }
    let attributes = fields.u32(38);
    if (attributes >> 16) & MODE_TYPE == MODE_LINK {
        return Err(EntryFault::SymbolicLink);
    }
    let known: &[u32] = if is_directory { &ATTRIBUTES_DIRECTORY } else { &ATTRIBUTES_FILE };
    if known.contains(&attributes) { Ok(()) } else { Err(EntryFault::Attributes { attributes }) }
}

/// Where the data of an entry is, after its local header was found to say the same as the directory.
pub(super) fn check_local(archive: &[u8], directory: usize, central: &Central) -> Result<Range<usize>, EntryFault> {
    let missing = EntryFault::NoLocalHeader { offset: central.offset };
    let Some(rest) = archive.get(central.offset..directory) else { return Err(missing) };
    let Some((fixed, rest)) = rest.split_at_checked(LOCAL_BYTES) else { return Err(missing) };
    if !fixed.starts_with(&LOCAL_SIGNATURE) {
        return Err(missing);
    }
    let fields = Fields(fixed);
    if let Some(field) = Shared::read(Fields(&fields.0[4..4 + Shared::BYTES])).difference(&central.shared) {
        return Err(EntryFault::HeadersDiffer { field });
    }
    let name_bytes = usize::from(fields.u16(26));
    if rest.get(..name_bytes) != Some(central.name.as_bytes()) {
        return Err(EntryFault::HeadersDiffer { field: HeaderField::Name });
    }
    let extra = usize::from(fields.u16(28));
    if extra != 0 {
        return Err(EntryFault::ExtraField { bytes: extra });
    }
    let start = central.offset + LOCAL_BYTES + name_bytes;
    let end = usize::try_from(central.shared.packed).ok().and_then(|packed| start.checked_add(packed));
    end.filter(|&end| end <= directory).map(|end| start..end).ok_or(EntryFault::TooLong)
}

#[cfg(test)]
mod tests;
