use playhouse_types::PayloadClass;

/// How much of one stream may be under way to its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowConfig {
    /// Chunks.
    pub chunks_max: u32,
    /// Bytes. A window with nothing under way takes one chunk of any size, so that none waits for ever.
    pub bytes_max: usize,
}

/// 64 chunks and 1 MiB: enough to keep a receiver busy, and little enough to hold for a thousand streams.
impl Default for WindowConfig {
    fn default() -> Self {
        Self { chunks_max: 64, bytes_max: 1 << 20 }
    }
}

/// What to do with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Credit {
    /// Deliver it, and [`StreamWindow::release`] when it has been handled.
    Granted,
    /// Hold it, and ask again after a release: its class is reliable.
    Wait,
    /// Drop it: the receiver is behind, and its class is latency-first.
    Dropped,
}

/// The credit of one stream's sender: what bounds the chunks that wait for a slow receiver. The chunks of one stream
/// are handled in the order in which they were granted, so ask for one at a time.
#[derive(Debug)]
pub struct StreamWindow {
    config: WindowConfig,
    chunks: u32,
    bytes: usize,
    dropped: u64,
}

impl StreamWindow {
    /// A window with nothing under way.
    #[must_use]
    pub const fn new(config: WindowConfig) -> Self {
        Self { config, chunks: 0, bytes: 0, dropped: 0 }
    }

    /// Asks to deliver a chunk of `bytes`.
    pub fn admit(&mut self, class: PayloadClass, bytes: usize) -> Credit {
        let fits = self.chunks < self.config.chunks_max && self.bytes.saturating_add(bytes) <= self.config.bytes_max;
        if fits || self.chunks == 0 {
            self.chunks += 1;
            self.bytes = self.bytes.saturating_add(bytes);
            return Credit::Granted;
        }
        if class == PayloadClass::StreamLatencyFirst {
            self.dropped += 1;
            return Credit::Dropped;
        }
        Credit::Wait
    }

    /// A granted chunk of `bytes` has been handled, or will never be.
    pub fn release(&mut self, bytes: usize) {
        debug_assert!(self.chunks > 0 && self.bytes >= bytes, "released more than was granted");
        self.chunks = self.chunks.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Chunks under way.
    #[must_use]
    pub const fn chunks(&self) -> u32 {
        self.chunks
    }

    /// Bytes under way.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Chunks that were dropped, since the beginning.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests;
