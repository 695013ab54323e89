//! The frames of native guests (dynclib ABI V1): [`GuestFrames`] writes what a host tells a guest, [`HostCall`] reads
//! what a guest asks of its host, [`Reply`] is the answer either way. [`v2`] has the second version's.

mod frame;
mod guest;
mod host;
pub mod v2;

pub use frame::{Frame, Reply, write_host_reply, write_reply};
pub use guest::{GuestFrames, Request, init_payload};
pub use host::{HostCall, Refusal};

#[cfg(test)]
mod tests;
