use std::io::Read;
use std::process::Stdio;

use crate::home::Home;

const COMMANDS: &[&str] = &[
    "",
    "demo",
    "run",
    "call",
    "ps",
    "logs",
    "stop",
    "resume",
    "key",
    "key new",
    "key show",
    "key import",
    "package",
    "package build",
    "package sign",
    "package verify",
    "package inspect",
    "package unpack",
    "trust",
    "trust show",
    "trust add",
    "trust remove",
    "trust revoke",
    "trust minimum",
    "dlq",
    "dlq list",
    "dlq show",
    "dlq retry",
    "dlq drop",
    "explain",
    "doctor",
    "completion",
];

#[test]
fn every_command_has_help_with_examples() {
    let home = Home::new();
    for command in COMMANDS {
        let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ran = home.run(&args).exits(0);
        assert!(ran.out.contains("EXAMPLES") && ran.out.contains("Usage: playhouse"), "{command}: {}", ran.out);
        assert_eq!(ran.err, "");
    }
}

#[test]
fn unusable_command_lines_exit_with_2() {
    let home = Home::new();
    let ran = home.run(&["pakage"]).exits(2);
    assert!(ran.err.contains("a similar subcommand exists: 'package'"), "{}", ran.err);
    for args in [&[][..], &["call"], &["stop"], &["stop", "x", "--all"], &["run"], &["ps", "--node", "../x"], &["key"]]
    {
        home.run(args).exits(2);
    }
    for args in [&["ps", "--json", "--nope"][..], &["--output", "json", "nope"], &["nope", "--output=json"]] {
        let ran = home.run(args).exits(2);
        assert_eq!(ran.error(), "usage");
        assert_eq!(ran.err, "");
    }
    for (args, words) in [
        (&["logs", "-n", "x"][..], "not a whole number"),
        (&["stop"], "--all"),
        (&["package", "verify"], "`playhouse package verify --help`"),
        (&["help", "stap"], "Did you mean `playhouse help stop`?"),
        (&["help", "state", "exprt"], "Did you mean `playhouse help state export`?"),
    ] {
        let ran = home.run(args).exits(2);
        assert!(ran.err.starts_with("error: invalid argument [usage]: ") && ran.err.contains(words), "{}", ran.err);
    }
    // With `call`, the word is the request.
    assert_eq!(home.run(&["call", "--json", "{}"]).exits(2).out, "");
}

#[test]
fn codes_are_explained() {
    let home = Home::new();
    let all = home.run(&["explain", "--json"]).exits(0).json();
    let codes = all["codes"].as_array().unwrap();
    assert!(codes.len() > 50);
    for code in codes {
        let one = home.run(&["explain", code["code"].as_str().unwrap(), "--json"]).exits(0).json();
        assert_eq!(one, *code);
    }
    let ran = home.run(&["explain", "mailbox-ful"]).exits(2);
    assert!(ran.err.contains("Did you mean `playhouse explain mailbox-full`?"), "{}", ran.err);
}

#[test]
fn completions_are_written_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(home.run(&["completion", shell]).exits(0).out.contains("playhouse"));
    }
}

/// Loads the script in the shell itself and lets it complete a command.
#[test]
fn completions_work_in_their_shells() {
    let home = Home::new();
    let scripts = [
        (
            "bash",
            "source ./s; COMP_WORDS=(playhouse pack); COMP_CWORD=1; _playhouse playhouse pack playhouse; echo ${COMPREPLY[@]}",
        ),
        ("fish", "source ./s; complete -C 'playhouse pack'"),
        ("zsh", "autoload -Uz compinit; compinit -u -d ./dump; source ./s; echo $_comps[playhouse]age; zsh -n ./s"),
    ];
    for (shell, script) in scripts {
        home.write("s", home.run(&["completion", shell]).exits(0).out);
        let Ok(ran) = home.shell(shell, script).output() else {
            eprintln!("SKIPPED: {shell} is not installed");
            continue;
        };
        let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        let expected = if shell == "zsh" { "_playhouseage" } else { "package" };
        assert!(out.contains(expected) && err.is_empty(), "{shell}: {out} {err}");
    }
}

#[test]
fn the_doctor_looks_at_everything() {
    let home = Home::new();
    let report = home.run(&["doctor", "--json"]).json();
    let checks = report["checks"].as_array().unwrap();
    for name in [
        "config directory",
        "cache directory",
        "runtime directory",
        "state directory",
        "control socket",
        "trust",
        "signing key",
        "store",
        "clock",
        "kernel",
    ] {
        assert!(checks.iter().any(|check| check["name"] == name), "{name}");
    }
    std::fs::create_dir_all(home.path(".local/state/playhouse/run")).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(home.path(".local/state/playhouse/run"), open).unwrap();
    let ran = home.run(&["doctor"]).exits(1);
    assert!(ran.out.contains("has mode 0777, expected 0700"), "{}", ran.out);
    // Where nothing is as it should be, it says what to do all the same.
    let problem = |name: &str, key: &str, value: &str| {
        let ran = crate::home::finish(home.command(&["doctor", "--json"]).env(key, value)).exits(1).json();
        let found = ran["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap().clone();
        assert_eq!(found["verdict"], "problem", "{found}");
        found["fix"].as_str().unwrap().to_owned()
    };
    assert!(problem("home directory", "HOME", "").contains("Set HOME"));
    let long = format!("/tmp/{}", "x".repeat(120));
    assert!(problem("control socket", "HOME", &long).contains("XDG_RUNTIME_DIR"));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let home = Home::new();
    let plain = home.run(&["explain", "usage"]).exits(0);
    assert!(!plain.out.contains('\u{1b}'));
    let asked = home.run(&["explain", "usage", "--color", "always"]).exits(0);
    assert!(asked.out.contains('\u{1b}'));
    let forced = crate::home::finish(home.command(&["explain", "usage"]).env("CLICOLOR_FORCE", "1"));
    assert!(forced.out.contains('\u{1b}'));
    let refused = crate::home::finish(home.command(&["explain", "usage"]).env("NO_COLOR", "1").env("CLICOLOR", "1"));
    assert!(!refused.out.contains('\u{1b}'));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let home = Home::new();
    let mut child = home.command(&["explain"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

/// Lines were broken where they were too long for a terminal: what was copied could not be read.
#[test]
fn what_help_shows_can_be_copied() {
    let home = Home::new();
    for ask in [&["run", "--help"][..], &["help", "run"], &["run", "-h"]] {
        let help = home.run(ask).exits(0).out;
        let config = help.split("CONFIGURATION\n").nth(1).unwrap().split("\n\n").next().unwrap();
        let config = home.write("help.toml", config);
        // It is read to its end, and then one of its files is not there.
        let ran = home.run(&["run", "--json", &config]).exits(1);
        assert_eq!(ran.error(), "trust-policy", "{ran:?}");
        assert!(
            help.contains("playhouse run counter.actr --durability memory             waits for no disk"),
            "{help}"
        );
    }
    for line in home.run(&["key", "new", "--help"]).exits(0).out.lines() {
        assert!(!line.trim_start().starts_with("master.json"), "{line}");
    }
}

#[test]
fn options_stand_where_people_put_them() {
    let home = Home::new();
    for args in [&["--json", "explain", "usage"][..], &["--color", "never", "--json", "explain", "usage"]] {
        assert_eq!(home.run(args).exits(0).json()["code"], "usage", "{args:?}");
    }
    assert_eq!(home.run(&["explain", "--output", "text", "--json"]).exits(2).out, "");
    assert!(home.run(&["help", "--help"]).exits(0).out.contains("Usage: playhouse"));
    let plain = crate::home::finish(home.command(&["--color", "never", "--help"]).env("CLICOLOR_FORCE", "1")).exits(0);
    assert!(!plain.out.contains('\u{1b}'));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = home.command(&["--help"]).stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1), "nothing was shown");
}
