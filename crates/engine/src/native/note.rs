use bytes::Bytes;

/// Bytes that travel within the sheet itself. A request or reply of 64 bytes fits with all that is around it; more would make
/// every sheet larger for the sake of messages whose own copying costs more than fetching them from elsewhere.
const FEW: usize = 320;
/// Bytes of a buffer that an actor keeps for its next event. Larger ones are rare and are given back.
const KEPT_BYTES_MAX: usize = 64 << 10;
/// Bytes of a reply that are rather copied than handed on with their buffer: an allocation costs as much as the copy.
const COPIED_BYTES_MAX: usize = 4 << 10;

/// Bytes on a sheet: within it if they are few, or else in a buffer that is used again, so that an event needs no memory of
/// its own and none is freed by another thread than allocated it.
#[derive(Debug)]
pub(super) struct Note {
    len: usize,
    few: [u8; FEW],
    many: Vec<u8>,
}

impl Default for Note {
    fn default() -> Self {
        Self { len: 0, few: [0; FEW], many: Vec::new() }
    }
}

impl Note {
    /// Copies bytes onto the note.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.len = bytes.len();
        match self.few.get_mut(..bytes.len()) {
            Some(few) => few.copy_from_slice(bytes),
            None => {
                self.many.clear();
                self.many.extend_from_slice(bytes);
            }
        }
    }

    /// Puts bytes onto the note, in exchange for a buffer if they are many.
    pub(super) fn put(&mut self, bytes: &mut Vec<u8>) {
        if bytes.len() <= FEW {
            self.write(bytes);
        } else {
            self.len = bytes.len();
            std::mem::swap(&mut self.many, bytes);
        }
    }

    /// Takes the bytes off the note, in exchange for a buffer if they are many.
    pub(super) fn take(&mut self, into: &mut Vec<u8>) {
        match self.few.get(..self.len) {
            Some(few) => {
                into.clear();
                into.extend_from_slice(few);
            }
            None => {
                if into.capacity() > KEPT_BYTES_MAX {
                    *into = Vec::new();
                }
                std::mem::swap(&mut self.many, into);
            }
        }
    }

    /// Takes the bytes off the note, to be handed on.
    pub(super) fn take_shared(&mut self) -> Bytes {
        match self.few.get(..self.len) {
            Some(few) => Bytes::copy_from_slice(few),
            None if self.len <= COPIED_BYTES_MAX => Bytes::copy_from_slice(&self.many),
            None => std::mem::take(&mut self.many).into(),
        }
    }
}

#[cfg(test)]
mod tests;
