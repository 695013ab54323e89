use std::fmt;
use std::io;

use playhouse_package::VerifyError;
use playhouse_types::{ActorError, Code, ErrorKind};
use serde::Serialize;

/// What the program tells the shell. Scripts may rely on the numbers; `playhouse help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Ok = 0,
    /// The operation failed.
    Failed = 1,
    /// The command line cannot be used.
    Usage = 2,
    /// A package or key was refused by verification or by the trust policy.
    Refused = 3,
    /// No node answers.
    NoNode = 4,
    /// Time ran out.
    TimedOut = 5,
    /// Ctrl-C, where the work was not finished: 128 + SIGINT, as shells say it.
    Interrupted = 130,
}

/// Why a command did not do what it was asked: the rule, what was seen, and the way out.
#[derive(Debug)]
pub(crate) enum CliError {
    /// Whoever read our output has gone. Nothing is left to say.
    PipeClosed,
    /// The user pressed Ctrl-C, and knows it.
    Interrupted,
    /// Everything else.
    Problem(Box<Problem>),
}

/// The parts of an error that people and programs see.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    kind: ErrorKind,
    message: String,
    fix: Option<String>,
}

/// What a command returns.
pub(crate) type Result<T, E = CliError> = std::result::Result<T, E>;

impl CliError {
    /// An error that breaks the rule `code`. The message says what was seen and what was expected.
    pub(crate) fn new(code: Code, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::Problem(Box::new(Problem { code, kind, message: message.into(), fix: None }))
    }

    /// A command line that cannot be used.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, ErrorKind::InvalidArgument, message)
    }

    /// A file operation that failed; `what` says which, such as `cannot read /etc/x`.
    pub(crate) fn io(code: Code, what: impl fmt::Display, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                ErrorKind::InvalidArgument
            }
            _ => ErrorKind::Internal,
        };
        let failed = Self::new(code, kind, format!("{what}: {error}"));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                failed.fix("Make room on that disk; what was there before is as it was.")
            }
            io::ErrorKind::ReadOnlyFilesystem => failed.fix("Make that disk writable, or name another place."),
            io::ErrorKind::NotFound => failed.fix("Check the path: nothing is there."),
            io::ErrorKind::IsADirectory => failed.fix("Name a file."),
            io::ErrorKind::AlreadyExists => failed.fix("Name another file, or move that one away."),
            io::ErrorKind::PermissionDenied => failed.fix("The user who runs this command may not do that there."),
            _ => failed,
        }
    }

    /// An error of an actor, of this kind, which may say more than that of its text form.
    pub(crate) fn of_actor(error: &ActorError, kind: ErrorKind) -> Self {
        let message = match (error.service(), error.message()) {
            (Some(service), message) if !service.is_empty() => format!("{service}: {message}"),
            (_, "") => kind.name().replace('-', " "),
            (_, message) => message.to_owned(),
        };
        Self::new(error.code(), kind, message)
    }

    /// The same error with a better way out than the code's own.
    #[must_use]
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        if let Self::Problem(problem) = &mut self {
            problem.fix = Some(fix.into());
        }
        self
    }

    /// The same error with words before its message, which say what it is about.
    #[must_use]
    pub(crate) fn prefixed(mut self, words: &str) -> Self {
        if let Self::Problem(problem) = &mut self {
            problem.message.insert_str(0, words);
        }
        self
    }

    /// The rule that was broken; none if nobody is to be told.
    pub(crate) fn code(&self) -> Option<Code> {
        if let Self::Problem(problem) = self { Some(problem.code) } else { None }
    }

    /// What was seen; nothing if nobody is to be told.
    pub(crate) fn message(&self) -> &str {
        if let Self::Problem(problem) = self { &problem.message } else { "" }
    }

    /// Whether this is the way out that it names.
    pub(crate) fn advises(&self, fix: &str) -> bool {
        matches!(self, Self::Problem(problem) if problem.fix.as_deref() == Some(fix))
    }

    /// What the program tells the shell.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::PipeClosed => Exit::Ok,
            Self::Interrupted => Exit::Interrupted,
            Self::Problem(problem) => exit_of(problem.code, problem.kind),
        }
    }

    /// The error as programs see it; none if nobody listens any more.
    pub(crate) fn document(&self) -> Option<ErrorDocument<'_>> {
        let Self::Problem(problem) = self else { return None };
        Some(ErrorDocument {
            error: ErrorBody {
                code: problem.code.text(),
                kind: problem.kind.name(),
                message: &problem.message,
                fix: problem.fix.as_deref().unwrap_or(way_out(problem.code)),
            },
        })
    }
}

/// What to do about a broken rule, where this program knows more of it than its code: what to write into the configuration, and that calls are not
/// repeated by themselves.
pub(crate) fn way_out(code: Code) -> &'static str {
    match code {
        Code::StateQuota => {
            "Delete what is not needed, or raise the quota that the message names: `quota = { NAME = NUMBER }` of the actor in the node's configuration."
        }
        Code::KeyMaster => {
            "Give the node the key that the message names first: `--master-key-file FILE`, or as `master-key` in the store's folder. The former key lies beside the new one after \
             `playhouse key rotate --master`, under its id."
        }
        Code::GrantMissing => {
            "Add it to `grants` of the actor in the node's configuration and to `grants` of `[policy]` there, where these are given; the package must ask for it, too (`playhouse package inspect`)."
        }
        // Not all of these are found where lines are known.
        Code::Config => "Correct what the message names; `playhouse run --help` shows a configuration.",
        Code::DiskFull => "Make room on the disk of the node's store: with 80 MiB free the node goes on by itself.",
        Code::StoreCorrupt => {
            "`playhouse fsck` lists the damage. Restore a backup; or save what is sound (`playhouse state export ACTOR --skip-damaged`) and drop what is named."
        }
        Code::CommitOrder => "Call again: nothing of it was done. Tells are handled again without that.",
        code => code.fix(),
    }
}

/// The one document that a failed command prints as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorDocument<'a> {
    pub(crate) error: ErrorBody<'a>,
}

/// Code, kind, message and fix of an error.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorBody<'a> {
    pub(crate) code: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) message: &'a str,
    pub(crate) fix: &'a str,
}

fn exit_of(code: Code, kind: ErrorKind) -> Exit {
    match code {
        Code::Usage => Exit::Usage,
        Code::NodeNotRunning => Exit::NoNode,
        Code::PackageArchive
        | Code::PackageEntry
        | Code::PackageLimit
        | Code::PackageIncomplete
        | Code::PackageSignature
        | Code::PackageManifest
        | Code::PackageDigest
        | Code::PackageMissingFile
        | Code::PackageKind
        | Code::TrustUnknown
        | Code::TrustRevokedKey
        | Code::TrustRevokedPackage
        | Code::TrustExpired
        | Code::TrustRollback => Exit::Refused,
        _ if kind == ErrorKind::TimedOut => Exit::TimedOut,
        _ => Exit::Failed,
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> Self {
        ActorError::from(error).into()
    }
}

impl From<ActorError> for CliError {
    fn from(error: ActorError) -> Self {
        Self::of_actor(&error, error.kind())
    }
}

/// For writing to standard output, the only place where `?` meets a bare I/O error.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::PipeClosed,
            _ => Self::new(Code::Unspecified, ErrorKind::Internal, format!("cannot write the output: {error}"))
                .fix("The message is the operating system's."),
        }
    }
}

#[cfg(test)]
mod tests;
