//! The `playhouse` program: what people and scripts do with actors from a shell.
//!
//! [`args`] says what can be typed, a module under [`commands`] does it, [`output`] says what came of it, as text or as one
//! JSON document, and [`error::Exit`] is what the shell hears.

mod args;
mod commands;
mod config;
mod control;
mod error;
mod output;
mod paths;
mod protos;
mod time;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(args::run(std::env::args_os()) as u8)
}
