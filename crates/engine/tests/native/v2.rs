//! Guests of the ABI V2.

mod answers;
mod instances;
mod misuse;
mod operations;
mod samples;
mod started;
