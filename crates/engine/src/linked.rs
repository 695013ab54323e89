//! Rust values linked into the host. (Work in progress.)
