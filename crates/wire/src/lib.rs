//! Playhouse: wire.
