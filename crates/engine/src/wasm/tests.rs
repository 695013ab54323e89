//! Guests are written in WAT and turned into components here, in the test's own process.

mod actr;
mod beside;
mod bombs;
mod errors;
mod keyvalue;
mod keyvalue_2;
pub(super) mod kit;
mod lifted;
mod operations;
mod playhouse;
mod refusals;
mod shared;
mod source;
mod surroundings;
