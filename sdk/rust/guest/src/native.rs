//! The entry points of a native guest: dynclib ABI V1.
