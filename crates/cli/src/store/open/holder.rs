use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

/// Who has a store open.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// A command of this program that looks into the store, or changes it, and ends.
    Command(String),
    /// A node: one of this program, or a program that has one in it.
    Node(String),
    /// It did not say yet, or has ended since.
    Unknown,
}

impl Holder {
    /// What the system knows of a process.
    pub(super) fn of(pid: Option<u32>) -> Self {
        // Elsewhere than on Linux nothing is known.
        let line = pid.and_then(|pid| fs::read(format!("/proc/{pid}/cmdline")).ok());
        line.map_or(Self::Unknown, |line| Self::of_line(&line))
    }

    fn of_line(line: &[u8]) -> Self {
        let mut words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        let Some(program) = words.next().and_then(|program| Path::new(OsStr::from_bytes(program)).file_name()) else {
            // It is ending.
            return Self::Unknown;
        };
        let program = program.to_string_lossy();
        let is_command = |word: &Cow<'_, str>| word == "run" || COMMANDS.contains(&&**word);
        match words.map(String::from_utf8_lossy).find(is_command) {
            Some(command) if program == "playhouse" && command != "run" => {
                Self::Command(format!("playhouse {command}"))
            }
            _ if program == "playhouse" => Self::Node("playhouse run".to_owned()),
            _ => Self::Node(program.into_owned()),
        }
    }

    /// How long it is waited for.
    pub(super) const fn patience(&self) -> Duration {
        match self {
            // Looking takes milliseconds; a check or a copy of a GiB, seconds.
            Self::Command(_) | Self::Unknown => Duration::from_secs(10),
            // It may be ending: a process that is killed lets go of its files a moment later.
            Self::Node(_) => Duration::from_secs(1),
        }
    }
}

/// The commands that open a store and end.
const COMMANDS: [&str; 9] = ["state", "mailbox", "timers", "dlq", "store", "backup", "restore", "fsck", "key"];

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(name) | Self::Node(name) => write!(f, " ({name})"),
            Self::Unknown => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Holder;

    #[test]
    fn processes_are_known_by_their_command() {
        let command = |name: &str| Holder::Command(format!("playhouse {name}"));
        for (line, holder) in [
            ("/usr/bin/playhouse\0--color\0never\0fsck\0--store\0x\0", command("fsck")),
            ("playhouse\0state\0get\0A\0k\0", command("state")),
            ("playhouse\0run\0state\0a.actr\0--store\0data\0", Holder::Node("playhouse run".to_owned())),
            ("/opt/shop/shopd\0state\0", Holder::Node("shopd".to_owned())),
            ("", Holder::Unknown),
        ] {
            assert_eq!(Holder::of_line(line.as_bytes()), holder, "{line:?}");
        }
        assert_eq!(Holder::of(None), Holder::Unknown);
        assert_ne!(Holder::of(Some(std::process::id())), Holder::Unknown);
    }
}
