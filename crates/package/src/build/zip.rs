use super::BuildError;

/// Writes stored entries one after the other: the only form of archive that packages need, byte for byte the same each time.
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

impl Writer {
    pub(super) fn add(&mut self, name: &str, contents: &[u8]) -> Result<(), BuildError> {
        let offset = small(self.body.len())?;
        let size = small(contents.len())?;
        let name_bytes = u16::try_from(name.len()).map_err(|_| BuildError::TooLarge)?;
        let flags = if name.is_ascii() { 0 } else { FLAG_UTF8 };
        let mut shared = Vec::with_capacity(26);
        for word in [NEEDS, flags, 0] {
            shared.extend(word.to_le_bytes());
        }
        shared.extend(TIME);
        for word in [crc32fast::hash(contents), size, size] {
            shared.extend(word.to_le_bytes());
        }
        shared.extend(name_bytes.to_le_bytes());
        shared.extend([0; 2]);

        self.body.extend(b"PK\x03\x04");
        self.body.extend(&shared);
        self.body.extend(name.as_bytes());
        self.body.extend(contents);

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
