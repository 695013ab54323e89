use std::ffi::OsString;
use std::str::FromStr;

use clap::error::ErrorKind as ClapKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum as _};

use crate::commands::{
    backup, call, completion, demo, dlq, doctor, explain, fsck, key, logs, mailbox, package, ps, resume,
    run as run_command, state, stop, store, timers, trust,
};
use crate::error::{CliError, Exit, Result};
use crate::output::{Color, Format, Output, nearest};

mod help;

const AFTER_HELP: &str = "\
EXAMPLES
  See everything work on this machine:
      playhouse demo
  Run a signed package, and call it from another shell:
      playhouse trust add acme A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
      playhouse run dist/acme-EchoService-1.0.0-wasm32-wasip2.actr
      playhouse call EchoService echo.EchoService.Echo --json '{\"message\":\"hi\"}'
  Make a key and a package of your own:
      playhouse key new
      playhouse package build playhouse-package.toml

EXIT CODES
    0  done
    1  the operation failed
    2  the command line cannot be used
    3  refused by verification or by the trust policy
    4  no node answers
    5  time ran out
  130  interrupted by Ctrl-C before the work was done

FILES
  $XDG_CONFIG_HOME/playhouse/trust.toml   whose packages may run   (~/.config/playhouse)
  $XDG_CONFIG_HOME/playhouse/key.json     the key that signs
  $XDG_CACHE_HOME/playhouse/              compiled code            (~/.cache/playhouse)
  $XDG_STATE_HOME/playhouse/nodes/NAME/   what a node keeps        (~/.local/state/playhouse)
  $XDG_RUNTIME_DIR/playhouse/             control sockets          (~/.local/state/playhouse/run)";

/// Run signed actors and let them reach each other.
#[derive(Debug, Parser)]
#[command(name = "playhouse", version, after_help = AFTER_HELP, max_term_width = 120)]
#[command(arg_required_else_help = true, subcommand_required = true)]
pub(crate) struct Cli {
    /// How to write results, on standard output. As JSON, errors stand there, too.
    #[arg(long, global = true, value_enum, value_name = "FORMAT", help_heading = "Global options")]
    output: Option<Format>,
    /// When to use colours; NO_COLOR and CLICOLOR are respected.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Global options"
    )]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

/// `--json` as people expect it. `call` has another use for the word, and so `--output json` works everywhere.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct JsonFlag {
    /// Write JSON; short for `--output json`. One document, or one a line of what goes on or may be long.
    #[arg(id = JSON_FLAG, long = "json")]
    json: bool,
}

const JSON_FLAG: &str = "json_output";

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Run(run_command::RunArgs),
    Call(call::CallArgs),
    Ps(ps::PsArgs),
    Logs(logs::LogsArgs),
    Resume(resume::ResumeArgs),
    Stop(stop::StopArgs),
    #[command(subcommand)]
    Key(key::KeyCommand),
    #[command(subcommand)]
    Package(package::PackageCommand),
    #[command(subcommand)]
    Trust(trust::TrustCommand),
    #[command(subcommand)]
    State(state::StateCommand),
    Mailbox(mailbox::MailboxArgs),
    Timers(timers::TimersArgs),
    #[command(subcommand)]
    Dlq(dlq::DlqCommand),
    #[command(subcommand)]
    Store(store::StoreCommand),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Fsck(fsck::FsckArgs),
    Explain(explain::ExplainArgs),
    Doctor(doctor::DoctorArgs),
    Completion(completion::CompletionArgs),
}

/// Does what the command line says, and returns what the shell is to hear.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let (cli, output) = match parse(&args) {
        Ok(parsed) => parsed,
        Err(exit) => return exit,
    };
    match dispatch(cli.command, output) {
        Ok(exit) => exit,
        Err(error) => {
            output.error(&error);
            error.exit()
        }
    }
}

fn parse(args: &[OsString]) -> Result<(Cli, Output), Exit> {
    let args = &normal(args);
    let mut command = Cli::command();
    let blocks = help::Blocks::take(&mut command);
    let parsed = command.try_get_matches_from(args).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((wants_json(&matches), cli))
    });
    match parsed {
        Ok((true, Cli { output: Some(Format::Text), .. })) => {
            let error = CliError::usage("--json and --output text say the opposite").fix("Leave one of them out.");
            Output::new(Format::Text).error(&error);
            Err(Exit::Usage)
        }
        Ok((json, cli)) => {
            cli.color.apply();
            let format = cli.output.unwrap_or(if json { Format::Json } else { Format::Text });
            Ok((cli, Output::new(format)))
        }
        Err(error) => Err(refuse(&error, args, &blocks)),
    }
}

/// The command line without what clap does not know: `--json` before the command, where it may stand for every command, and `--help` of `help`.
fn normal(args: &[OsString]) -> Vec<OsString> {
    let mut args = args.to_vec();
    let takes_value = |word: &OsString| word == "--output" || word == "--color";
    let mut at = 1;
    while let Some(word) = args.get_mut(at).filter(|word| word.to_string_lossy().starts_with('-')) {
        if word == "--json" {
            *word = "--output=json".into();
        }
        at += if takes_value(word) { 2 } else { 1 };
    }
    if args.get(at).is_some_and(|word| word == "help")
        && args.get(at + 1).is_some_and(|word| word == "--help" || word == "-h")
    {
        args.truncate(at + 1);
    }
    args
}

/// When to use colours, as far as one can tell of a command line that is not done.
fn asked_for_color(args: &[OsString]) -> Option<Color> {
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let apart = words.windows(2).find(|pair| pair[0] == "--color").map(|pair| pair[1]);
    let word = apart.or_else(|| words.iter().find_map(|word| word.strip_prefix("--color=")))?;
    Color::from_str(word, true).ok()
}

/// Whether the command, at any depth, was given its `--json` flag.
fn wants_json(matches: &ArgMatches) -> bool {
    let here = matches.try_get_one::<bool>(JSON_FLAG).ok().flatten().copied().unwrap_or(false);
    here || matches.subcommand().is_some_and(|(_, inner)| wants_json(inner))
}

/// Writes help, the version, or what is wrong with the command line.
fn refuse(error: &clap::Error, args: &[OsString], blocks: &help::Blocks) -> Exit {
    if let Some(color) = asked_for_color(args) {
        color.apply();
    }
    if matches!(error.kind(), ClapKind::DisplayHelp | ClapKind::DisplayVersion) {
        return match blocks.write(error, anstream::stdout()).map_err(CliError::from) {
            Ok(()) => Exit::Ok,
            Err(error) => {
                Output::new(Format::Text).error(&error);
                error.exit()
            }
        };
    }
    let text = error.to_string();
    // Groups of commands show their help where a command is missing.
    let Some(text) = text.strip_prefix("error: ") else {
        // There is nowhere to say that this fails.
        let _ = blocks.write(error, anstream::stderr());
        return Exit::Usage;
    };
    let text = text.trim_end().trim_end_matches("For more information, try '--help'.").trim_end();
    let (format, text) = if asked_for_json(args) {
        (Format::Json, text.split("\n\nUsage:").next().unwrap_or_default().trim())
    } else {
        (Format::Text, text)
    };
    Output::new(format).error(&CliError::usage(text).fix(meant(error, args).unwrap_or_else(|| help_of(args))));
    Exit::Usage
}

/// What was probably meant by a command that is not there, where clap itself does not say: after `help`.
fn meant(error: &clap::Error, args: &[OsString]) -> Option<String> {
    let words: Vec<&str> = args.iter().skip(1).map_while(|arg| arg.to_str()).collect();
    let (&"help", path) = words.split_first()? else { return None };
    if error.kind() != ClapKind::InvalidSubcommand {
        return None;
    }
    let mut command = &Cli::command();
    let mut known = String::new();
    for word in path {
        let Some(inner) = command.find_subcommand(word) else {
            let near = nearest(word, command.get_subcommands().map(clap::Command::get_name))?;
            return Some(format!("Did you mean `playhouse help{known} {near}`?"));
        };
        known = format!("{known} {word}");
        command = inner;
    }
    None
}

/// The command that explains what should have been typed.
fn help_of(args: &[OsString]) -> String {
    let mut command = &Cli::command();
    let mut path = "playhouse".to_owned();
    for word in args.iter().skip(1).filter_map(|word| word.to_str()) {
        let Some(inner) = command.get_subcommands().find(|inner| inner.get_name() == word) else { continue };
        path = format!("{path} {word}");
        command = inner;
    }
    format!("`{path} --help` shows what can be typed, with examples.")
}

/// Reads a whole number, and says so if it is none.
pub(crate) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "not a whole number, or too large".to_owned())
}

/// Whether an unusable command line asks for JSON as far as one can tell.
fn asked_for_json(args: &[OsString]) -> bool {
    let words: Vec<&str> = args.iter().skip(1).map_while(|arg| arg.to_str()).take_while(|word| *word != "--").collect();
    let flag = words.contains(&"--json") && words.iter().find(|word| !word.starts_with('-')) != Some(&"call");
    flag || words.contains(&"--output=json") || words.windows(2).any(|pair| pair == ["--output", "json"])
}

fn dispatch(command: Command, output: Output) -> Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(&args, output),
        Command::Run(args) => run_command::run(&args, output),
        Command::Call(args) => call::run(&args, output),
        Command::Ps(args) => ps::run(&args, output),
        Command::Logs(args) => logs::run(&args, output),
        Command::Resume(args) => resume::run(&args, output),
        Command::Stop(args) => stop::run(&args, output),
        Command::Dlq(command) => dlq::run(command, output),
        Command::State(command) => state::run(command, output),
        Command::Mailbox(args) => mailbox::run(&args, output),
        Command::Timers(args) => timers::run(&args, output),
        Command::Store(command) => store::run(command, output),
        Command::Backup(args) => backup::run(&args, output),
        Command::Restore(args) => backup::restore(&args, output),
        Command::Fsck(args) => fsck::run(&args, output),
        Command::Key(command) => key::run(command, output),
        Command::Package(command) => package::run(command, output),
        Command::Trust(command) => trust::run(command, output),
        Command::Explain(args) => explain::run(&args, output),
        Command::Doctor(args) => doctor::run(&args, output),
        Command::Completion(args) => completion::run(&args),
    }
}

#[cfg(test)]
mod tests;
