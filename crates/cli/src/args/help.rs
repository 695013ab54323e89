use std::io::{self, Write};

use clap::Command;

/// The blocks behind the options in the help of all commands: examples and configuration, which are copied from there, and so are not to be
/// wrapped as prose is.
#[derive(Debug, Default)]
pub(super) struct Blocks(Vec<String>);

impl Blocks {
    /// Leaves a mark in the place of each block.
    pub(super) fn take(command: &mut Command) -> Self {
        let mut blocks = Self::default();
        blocks.take_from(command);
        blocks
    }

    fn take_from(&mut self, command: &mut Command) {
        if let Some(block) = command.get_after_help().map(ToString::to_string) {
            *command = std::mem::take(command).after_help(mark(self.0.len()));
            self.0.push(block);
        }
        command.get_subcommands_mut().for_each(|command| self.take_from(command));
    }

    /// Writes a help with the blocks where the marks are.
    pub(super) fn write(&self, error: &clap::Error, mut to: impl Write) -> io::Result<()> {
        let mut help = error.render().ansi().to_string();
        for (number, block) in self.0.iter().enumerate() {
            help = help.replace(&mark(number), block);
        }
        to.write_all(help.as_bytes())?;
        to.flush()
    }
}

/// A word that stands in no help, of characters that nobody uses.
fn mark(number: usize) -> String {
    format!("\u{e000}{number}\u{e001}")
}
