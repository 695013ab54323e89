use clap::{Command, CommandFactory};

use super::Cli;

#[test]
fn the_grammar_holds_together() {
    Cli::command().debug_assert();
}

/// Every command that does something has examples that can be typed, and every option says what it does.
#[test]
fn every_command_is_explained() {
    fn check(path: &str, command: &Command) {
        let path = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{path} has no description");
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(examples.contains("EXAMPLES") && examples.contains("playhouse"), "{path} has no examples");
        for arg in command.get_arguments() {
            assert!(arg.get_help().is_some(), "{path}: {} has no help", arg.get_id());
        }
        for inner in command.get_subcommands() {
            check(&path, inner);
        }
    }
    check("", &Cli::command());
}
