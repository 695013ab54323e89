//! Writes ZIP archives with any field wrong.

use std::io::Write as _;

#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) signature: [u8; 4],
    pub(crate) needs: u16,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) time: u32,
    pub(crate) crc: u32,
    pub(crate) packed: u32,
    pub(crate) size: u32,
    pub(crate) name: Vec<u8>,
    pub(crate) extra: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) local: Header,
    pub(crate) central: Header,
    pub(crate) data: Vec<u8>,
    pub(crate) made_by: u16,
    pub(crate) disk: u16,
    pub(crate) internal: u16,
    pub(crate) external: u32,
    pub(crate) comment: Vec<u8>,
    /// Added to the true offset.
    pub(crate) offset: i64,
    /// Bytes behind the data that belong to nothing.
    pub(crate) behind: Vec<u8>,
}

impl Entry {
    pub(crate) fn stored(name: &str, contents: &[u8]) -> Self {
        Self::new(name, contents, 0, contents.to_vec())
    }

    pub(crate) fn deflated(name: &str, contents: &[u8]) -> Self {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(contents).expect("in memory");
        Self::new(name, contents, 8, encoder.finish().expect("in memory"))
    }

    fn new(name: &str, contents: &[u8], method: u16, data: Vec<u8>) -> Self {
        let header = Header {
            signature: *b"PK\x03\x04",
            needs: 20,
            flags: 0,
            method,
            time: 0x5a21_0000,
            crc: crc32fast::hash(contents),
            packed: u32::try_from(data.len()).expect("small"),
            size: u32::try_from(contents.len()).expect("small"),
            name: name.as_bytes().to_vec(),
            extra: Vec::new(),
        };
        Self {
            central: Header { signature: *b"PK\x01\x02", ..header.clone() },
            local: header,
            data,
            made_by: 0x0314,
            disk: 0,
            internal: 0,
            external: if name.ends_with('/') { 0x10 } else { 0o100_644 << 16 },
            comment: Vec::new(),
            offset: 0,
            behind: Vec::new(),
        }
    }

    /// Changes both headers alike.
    pub(crate) fn both(&mut self, change: impl Fn(&mut Header)) {
        change(&mut self.local);
        change(&mut self.central);
    }
}

#[derive(Clone, Default)]
pub(crate) struct Zip {
    pub(crate) prefix: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) before_directory: Vec<u8>,
    pub(crate) after_directory: Vec<u8>,
    pub(crate) end: End,
}

/// What is added to the true fields of the end record.
#[derive(Clone, Default)]
pub(crate) struct End {
    pub(crate) disk: u16,
    pub(crate) directory_disk: u16,
    pub(crate) entries_here: i32,
    pub(crate) entries: i32,
    pub(crate) size: i64,
    pub(crate) offset: i64,
    pub(crate) comment_length: u16,
    pub(crate) comment: Vec<u8>,
}

fn add(n: usize, difference: i64) -> u32 {
    let sum = i64::try_from(n).expect("small") + difference;
    (sum & 0xffff_ffff).try_into().expect("masked")
}

impl Header {
    fn write(&self, out: &mut Vec<u8>) {
        for word in [self.needs, self.flags, self.method] {
            out.extend(word.to_le_bytes());
        }
        for word in [self.time, self.crc, self.packed, self.size] {
            out.extend(word.to_le_bytes());
        }
        for length in [self.name.len(), self.extra.len()] {
            out.extend(u16::try_from(length).expect("short").to_le_bytes());
        }
    }
}

impl Zip {
    pub(crate) fn entry(&mut self, name: &str) -> &mut Entry {
        self.entries.iter_mut().find(|entry| entry.central.name == name.as_bytes()).expect("entry")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.prefix.clone();
        let mut directory = Vec::new();
        for entry in &self.entries {
            let offset = add(out.len(), entry.offset);
            out.extend(entry.local.signature);
            entry.local.write(&mut out);
            out.extend(&entry.local.name);
            out.extend(&entry.local.extra);
            out.extend(&entry.data);
            out.extend(&entry.behind);

            directory.extend(entry.central.signature);
            directory.extend(entry.made_by.to_le_bytes());
            entry.central.write(&mut directory);
            directory.extend(u16::try_from(entry.comment.len()).expect("short").to_le_bytes());
            directory.extend(entry.disk.to_le_bytes());
            directory.extend(entry.internal.to_le_bytes());
            directory.extend(entry.external.to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(&entry.central.name);
            directory.extend(&entry.central.extra);
            directory.extend(&entry.comment);
        }
        out.extend(&self.before_directory);
        let offset = out.len();
        let size = directory.len();
        out.extend(directory);
        out.extend(&self.after_directory);
        let end = &self.end;
        out.extend(b"PK\x05\x06");
        out.extend(end.disk.to_le_bytes());
        out.extend(end.directory_disk.to_le_bytes());
        for difference in [end.entries_here, end.entries] {
            let count = add(self.entries.len(), difference.into()) & 0xffff;
            out.extend(u16::try_from(count).expect("masked").to_le_bytes());
        }
        out.extend(add(size, end.size).to_le_bytes());
        out.extend(add(offset, end.offset).to_le_bytes());
        let comment = u16::try_from(end.comment.len()).expect("short").wrapping_add(end.comment_length);
        out.extend(comment.to_le_bytes());
        out.extend(&end.comment);
        out
    }
}
