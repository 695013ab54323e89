//! Drives the built program as a user would.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod copies;
mod damage;
mod demo;
mod disk;
mod help;
mod home;
mod keeping;
#[cfg(feature = "keyring")]
mod keyring;
mod keys;
mod living;
mod masters;
mod mistakes;
mod nodes;
mod packages;
#[cfg(feature = "postgres")]
mod postgres;
mod starting;
mod tour;
mod trust;
