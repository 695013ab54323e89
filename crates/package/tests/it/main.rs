//! Packages as an attacker, a careless builder and a genuine tool make them.

mod compatible;
mod corpus;
mod flips;
mod kit;
mod oracles;
mod properties;
mod trust;
mod zip;
