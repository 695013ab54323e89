//! Drives the built program as a user would.

mod demo;
mod help;
mod home;
mod keys;
mod nodes;
mod packages;
mod trust;
