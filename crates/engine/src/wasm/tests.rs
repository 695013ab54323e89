//! Guests are written in WAT and turned into components here, in the test's own process.

mod kit;
mod playhouse;
