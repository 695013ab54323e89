//! Packages as an attacker, a careless builder and a genuine tool make them.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod compatible;
mod corpus;
mod flips;
mod kit;
mod oracles;
mod properties;
mod trust;
mod zip;
