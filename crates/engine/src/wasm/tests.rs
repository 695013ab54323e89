//! Guests are written in WAT and turned into components here, in the test's own process.

mod actr;
mod bombs;
mod errors;
pub(super) mod kit;
mod lifted;
mod playhouse;
mod refusals;
mod shared;
mod source;
mod surroundings;
