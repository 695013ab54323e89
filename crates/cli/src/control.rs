//! How commands reach a running node: a Unix socket that only its owner can open, requests and answers as lines of JSON.

pub(crate) mod client;
pub(crate) mod protocol;
pub(crate) mod select;
pub(crate) mod server;
pub(crate) mod socket;
