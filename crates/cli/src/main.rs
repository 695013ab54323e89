//! The `playhouse` program: what people and scripts do with actors from a shell.
//!
//! [`args`] says what can be typed, a module under [`commands`] does it, [`output`] says what came of it, as text or as one
//! JSON document, and [`error::Exit`] is what the shell hears.

mod args;
mod commands;
mod config;
mod control;
mod encoding;
mod error;
mod files;
mod key_file;
mod output;
mod paths;
mod protos;
mod remarks;
mod secret;
mod store;
mod terminal;
mod time;
mod trust_file;

use std::process::ExitCode;

fn main() -> ExitCode {
    remarks::show();
    ExitCode::from(args::run(std::env::args_os()) as u8)
}
