//! Limits that more than one crate enforces, each with its reason. Limits of one format stand beside its parser.

/// Bytes of UTF-8 in a manufacturer or type name. The rule of actr 0.3.
pub const NAME_BYTES_MAX: usize = 32;
/// Bytes of UTF-8 in a version. actr 0.3 sets none; 128 holds any SemVer that people write.
pub const VERSION_BYTES_MAX: usize = 128;
/// Bytes in a route key: package (256) + service (64) + method (64) with room; the figure of the peer protocol.
pub const ROUTE_BYTES_MAX: usize = 512;
/// Bytes in a request id. UUIDs need 36; peers may send up to this.
pub const REQUEST_ID_BYTES_MAX: usize = 256;
/// Bytes in a stream id. The figure of the native ABI.
pub const STREAM_ID_BYTES_MAX: usize = 256;
/// Streams that one actor may have registered at a time. The figure of the native ABI.
pub const STREAMS_PER_ACTOR_MAX: usize = 1024;
/// Bytes of error text that leave an actor. Longer texts are cut at a character boundary.
pub const ERROR_TEXT_BYTES_MAX: usize = 4096;
/// Metadata entries on one stream chunk or envelope. The figure of the peer protocol.
pub const METADATA_ENTRIES_MAX: usize = 64;
/// Bytes of one message, request or reply, unless a node's configuration says less. Equal to the largest frame of
/// the native ABI, so that no engine has to refuse what another accepts.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Actors waiting for each other in one call chain. Deeper chains are refused: they are runaway recursion.
pub const CALL_DEPTH_MAX: usize = 64;
/// Bytes in a label: the name that a workload gives a timer, a key, a setting or a secret. People type them.
pub const LABEL_BYTES_MAX: usize = 128;
/// Bytes in a key of state. A record with a key of this size still fits a quarter of a 4 KiB page of the store.
pub const STATE_KEY_BYTES_MAX: usize = 512;
/// Bytes in one value of state. A value is read and written whole; more than this belongs in several keys.
pub const STATE_VALUE_BYTES_MAX: usize = 8 << 20;
/// Random bytes in one operation. Whoever needs more wants a stream cipher of their own, seeded with 32.
pub const RANDOM_BYTES_MAX: u32 = 64 << 10;
