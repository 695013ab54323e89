use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::{Exit, Result};

/// Write a completion script for your shell.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse completion bash > ~/.local/share/bash-completion/completions/playhouse
  playhouse completion zsh > ~/.zfunc/_playhouse
  playhouse completion fish > ~/.config/fish/completions/playhouse.fish")]
pub(crate) struct CompletionArgs {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionArgs) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "playhouse", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(Exit::Ok)
}
