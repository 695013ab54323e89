use super::BuildError;

/// Writes entries one after the other, stored or deflated: the only form of archive that packages need, byte for byte the same
/// each time.
#[derive(Default)]
pub(super) struct Writer {
    body: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

/// ZIP 2.0, made on Unix: what any reader takes.
const NEEDS: u16 = 20;
const MADE_BY: u16 = 3 << 8 | NEEDS;
const FLAG_UTF8: u16 = 1 << 11;
/// Midnight of 1980-01-01, the first that ZIP can write.
const TIME: [u8; 4] = [0, 0, 0x21, 0];
const PLAIN_FILE: u32 = 0o100_644 << 16;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// The level of zlib's that is meant to be kept: higher ones save less than a hundredth.
const LEVEL: u8 = 6;

/// Contents as they lie in the archive.
struct Packed<'a> {
    method: u16,
    bytes: &'a [u8],
    contents: &'a [u8],
}

impl Writer {
    pub(super) fn add(&mut self, name: &str, contents: &[u8]) -> Result<(), BuildError> {
        self.add_packed(name, &Packed { method: STORED, bytes: contents, contents })
    }

    /// Deflates, if that makes the contents smaller.
    pub(super) fn add_deflated(&mut self, name: &str, contents: &[u8]) -> Result<(), BuildError> {
        let bytes = miniz_oxide::deflate::compress_to_vec(contents, LEVEL);
        if bytes.len() >= contents.len() {
            return self.add(name, contents);
        }
        self.add_packed(name, &Packed { method: DEFLATED, bytes: &bytes, contents })
    }

    fn add_packed(&mut self, name: &str, packed: &Packed<'_>) -> Result<(), BuildError> {
        let offset = small(self.body.len())?;
        let (packed_size, size) = (small(packed.bytes.len())?, small(packed.contents.len())?);
        let name_bytes = u16::try_from(name.len()).map_err(|_| BuildError::TooLarge)?;
        let flags = if name.is_ascii() { 0 } else { FLAG_UTF8 };
        let mut shared = Vec::with_capacity(26);
        for word in [NEEDS, flags, packed.method] {
            shared.extend(word.to_le_bytes());
        }
        shared.extend(TIME);
        for word in [crc32fast::hash(packed.contents), packed_size, size] {
            shared.extend(word.to_le_bytes());
        }
        shared.extend(name_bytes.to_le_bytes());
        shared.extend([0; 2]);

        self.body.extend(b"PK\x03\x04");
        self.body.extend(&shared);
        self.body.extend(name.as_bytes());
        self.body.extend(packed.bytes);

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(MADE_BY.to_le_bytes());
        self.directory.extend(&shared);
        self.directory.extend([0; 6]);
        self.directory.extend(PLAIN_FILE.to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.entries = self.entries.checked_add(1).filter(|n| *n < u16::MAX).ok_or(BuildError::TooLarge)?;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, BuildError> {
        let offset = small(self.body.len())?;
        let size = small(self.directory.len())?;
        self.body.append(&mut self.directory);
        self.body.extend(b"PK\x05\x06");
        self.body.extend([0; 4]);
        self.body.extend(self.entries.to_le_bytes());
        self.body.extend(self.entries.to_le_bytes());
        self.body.extend(size.to_le_bytes());
        self.body.extend(offset.to_le_bytes());
        self.body.extend([0; 2]);
        Ok(self.body)
    }
}

/// A number that fits where ZIP64 begins.
fn small(n: usize) -> Result<u32, BuildError> {
    u32::try_from(n).ok().filter(|n| *n < u32::MAX).ok_or(BuildError::TooLarge)
}
