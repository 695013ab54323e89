//! Limits of what a store takes, each with its reason. Routes, request ids and payloads have those of `playhouse_types::limits`.

pub use playhouse_types::limits::{STATE_KEY_BYTES_MAX, STATE_VALUE_BYTES_MAX};

/// Bytes of the name of one actor among those of its type. People type it, and it stands in every listing.
pub const INSTANCE_BYTES_MAX: usize = 128;
/// Bytes of the name of an owner: a host name (64 at most on Linux), a process and room for a suffix.
pub const OWNER_BYTES_MAX: usize = 128;
/// Bytes of a caller's name: the longest actor id (16 + 10 + 32 + 32 + 128 and separators) with room.
pub const CALLER_BYTES_MAX: usize = 512;
/// Bytes of the name of a receiver: a URI with a host name in front of the longest actor id.
pub const TARGET_BYTES_MAX: usize = 1024;
/// Bytes of what the node adds to a message: trace and a call chain of 64 actors with eight bytes each, with room.
pub const CONTEXT_BYTES_MAX: usize = 4096;
/// Bytes of a timer's name: a label's, for workloads name their timers.
pub const TIMER_NAME_BYTES_MAX: usize = playhouse_types::limits::LABEL_BYTES_MAX;
/// Bytes of what comes with a timer.
pub const TIMER_BODY_BYTES_MAX: usize = 64 << 10;
/// Bytes of the name of a sealed key: a label of 128, and the kind of the key in front of it.
pub const SEALED_KEY_NAME_BYTES_MAX: usize = 144;
/// Bytes of a sealed key: a private key of 64 bytes, its seal, and room for other algorithms.
pub const SEALED_KEY_BYTES_MAX: usize = 4096;
/// Bytes of the name of a note of the node.
pub const NOTE_NAME_BYTES_MAX: usize = 128;
/// Bytes of a note of the node.
pub const NOTE_BYTES_MAX: usize = 1 << 20;
/// Bytes of the reason of a dead letter; longer ones are cut at a character boundary.
pub const CAUSE_BYTES_MAX: usize = 4096;
/// Changes of one commit, of all kinds together. One message that does more is a batch job and can be several.
pub const COMMIT_CHANGES_MAX: usize = 10_000;
/// Bytes of one commit: one reply of the largest size and as much of everything else.
pub const COMMIT_BYTES_MAX: u64 = 128 << 20;
/// What each queued message counts for beyond its bytes: its row, its index and what the node keeps of it.
pub const MESSAGE_OVERHEAD_BYTES: u64 = 64;
/// Items that one read returns at most, whatever its caller asks for.
pub const BATCH_ITEMS_MAX: usize = 10_000;
/// Bytes that one read returns at most, beyond its first item.
pub const BATCH_BYTES_MAX: usize = 64 << 20;
/// Findings that one check returns at most; more are counted. After a thousand, people restore a backup.
pub const DAMAGE_LISTED_MAX: usize = 1000;
