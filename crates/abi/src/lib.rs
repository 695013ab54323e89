//! Playhouse: abi.
