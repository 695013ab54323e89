use std::fmt;

use crate::code::Code;
use crate::limits::ERROR_TEXT_BYTES_MAX;

/// What kind of failure a caller sees: the kinds of actr 0.3, and `ConnectionNotReady` of its successors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Not now: overloaded, restarting, not reachable. Worth another try.
    Unavailable,
    /// The deadline passed.
    TimedOut,
    /// What was named does not exist.
    NotFound,
    /// A grant, an access rule or a credential is missing.
    PermissionDenied,
    /// The request breaks a rule, whatever the state of the callee.
    InvalidArgument,
    /// The actor has no such method.
    UnknownRoute,
    /// The package's lock file lists no dependency for the type asked for.
    DependencyNotFound,
    /// Bytes that do not decode. The message goes to the dead letters.
    DecodeFailure,
    /// The callee does not do that.
    NotImplemented,
    /// The callee failed.
    Internal,
    /// No link to the peer yet; the hint says when to try again.
    ConnectionNotReady,
}

/// Whose fault a failure is. It decides about retry, dead letters and what a peer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The caller asked for something wrong.
    Caller,
    /// The workload failed.
    Guest,
    /// Load, time or the network.
    Environment,
    /// Bytes were damaged or forged.
    Corrupt,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Unavailable,
        Self::TimedOut,
        Self::NotFound,
        Self::PermissionDenied,
        Self::InvalidArgument,
        Self::UnknownRoute,
        Self::DependencyNotFound,
        Self::DecodeFailure,
        Self::NotImplemented,
        Self::Internal,
        Self::ConnectionNotReady,
    ];

    /// The kind with that [name](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Unavailable | Self::TimedOut | Self::ConnectionNotReady => Fault::Environment,
            Self::NotFound
            | Self::PermissionDenied
            | Self::InvalidArgument
            | Self::UnknownRoute
            | Self::DependencyNotFound => Fault::Caller,
            Self::DecodeFailure => Fault::Corrupt,
            Self::NotImplemented | Self::Internal => Fault::Guest,
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self.fault(), Fault::Environment)
    }

    /// The number in an `ErrorResponse` to a peer of actr 0.3.
    #[must_use]
    pub const fn wire_code(self) -> u32 {
        match self {
            Self::Unavailable | Self::ConnectionNotReady => 503,
            Self::TimedOut => 504,
            Self::NotFound | Self::UnknownRoute => 404,
            Self::PermissionDenied => 403,
            Self::InvalidArgument | Self::DependencyNotFound | Self::DecodeFailure => 400,
            Self::NotImplemented => 501,
            Self::Internal => 500,
        }
    }

    /// The kind that a number in an `ErrorResponse` stands for, of actr 0.3 and of its successors.
    #[must_use]
    pub fn from_wire(code: u32, message: &str) -> Self {
        match code {
            503 | 429 | 10001 => Self::Unavailable,
            504 | 408 | 10002 => Self::TimedOut,
            404 if message.starts_with("unknown route") => Self::UnknownRoute,
            404 | 10003 => Self::NotFound,
            401 | 403 | 10004 => Self::PermissionDenied,
            400 | 10005 => Self::InvalidArgument,
            10006 => Self::UnknownRoute,
            10007 => Self::DependencyNotFound,
            10008 => Self::DecodeFailure,
            501 | 10009 => Self::NotImplemented,
            10011 => Self::ConnectionNotReady,
            _ => Self::Internal,
        }
    }

    /// The name in JSON and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed-out",
            Self::NotFound => "not-found",
            Self::PermissionDenied => "permission-denied",
            Self::InvalidArgument => "invalid-argument",
            Self::UnknownRoute => "unknown-route",
            Self::DependencyNotFound => "dependency-not-found",
            Self::DecodeFailure => "decode-failure",
            Self::NotImplemented => "not-implemented",
            Self::Internal => "internal",
            Self::ConnectionNotReady => "connection-not-ready",
        }
    }

    /// The words before the message in the text form of actr 0.3.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Unavailable | Self::ConnectionNotReady => "unavailable: ",
            Self::TimedOut => "timed out",
            Self::NotFound => "not found: ",
            Self::PermissionDenied => "permission denied: ",
            Self::InvalidArgument => "invalid argument: ",
            Self::UnknownRoute => "unknown route: ",
            Self::DependencyNotFound => "dependency ",
            Self::DecodeFailure => "decode failure: ",
            Self::NotImplemented => "not implemented: ",
            Self::Internal => "internal error: ",
        }
    }
}

/// Why a request failed, the same on every path: between actors of one process, through every guest ABI, over every
/// link, in the command line's JSON.
///
/// The [kind](ErrorKind) decides what to do, the [code](Code) names the rule (see `playhouse explain`), the message is for
/// people. Where an ABI carries only text, [`ActorError::to_text`] keeps kind and code in it.
#[derive(Clone, PartialEq, Eq)]
pub struct ActorError(Box<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    kind: ErrorKind,
    code: Code,
    message: String,
    /// The service of a missing dependency.
    service: Option<String>,
    retry_after_ms: Option<u64>,
}

impl ActorError {
    /// An error of a kind with a message and no code of ours: what guests and peers make.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::coded(kind, Code::Unspecified, message)
    }

    /// An error that names the rule that was broken.
    #[must_use]
    pub fn coded(kind: ErrorKind, code: Code, message: impl Into<String>) -> Self {
        let mut message = message.into();
        cut(&mut message);
        Self(Box::new(Parts { kind, code, message, service: None, retry_after_ms: None }))
    }

    /// No dependency of that name in the lock file.
    #[must_use]
    pub fn dependency_not_found(service: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::DependencyNotFound, message);
        let mut service = service.into();
        cut(&mut service);
        error.0.service = Some(service);
        error
    }

    /// No link yet; try again after the hint.
    #[must_use]
    pub fn connection_not_ready(retry_after_ms: Option<u64>, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::ConnectionNotReady, message);
        error.0.retry_after_ms = retry_after_ms;
        error
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The code; [`Code::Unspecified`] for errors that guests and peers made.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The message, at most [`ERROR_TEXT_BYTES_MAX`] bytes. Empty for most timeouts.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The service that [`ErrorKind::DependencyNotFound`] is about.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.0.service.as_deref()
    }

    /// When to try again, if the callee said.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.0.retry_after_ms
    }

    /// The same error, with the rule that was broken.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Self {
        self.0.code = code;
        self
    }

    /// The message with the code behind it, for ABIs whose errors have a kind and one text.
    #[must_use]
    pub fn message_with_code(&self) -> String {
        match self.0.code {
            Code::Unspecified => self.0.message.clone(),
            code => {
                // The receiver cuts what is longer than a message may be, and would cut off the code.
                let room = ERROR_TEXT_BYTES_MAX - " []".len() - code.text().len();
                format!("{} [{code}]", head(&self.0.message, room))
            }
        }
    }

    /// The error with the code that stands at the end of its message, if one does: the reverse of
    /// [`ActorError::message_with_code`].
    #[must_use]
    pub fn with_code_from_message(mut self) -> Self {
        if let (message, Some(code)) = split_code(&self.0.message) {
            self.0.message = message.to_owned();
            self.0.code = code;
        }
        self
    }

    /// The whole error as the text of actr 0.3's native ABI, such as `unknown route: x.Y.Z`, with the code behind it.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self.0.code {
            Code::Unspecified => self.to_string(),
            code => format!("{self} [{code}]"),
        }
    }

    /// Reads what [`ActorError::to_text`] and the guests of actr 0.3 write. A text without a known prefix is an internal error.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        const KINDS: [ErrorKind; 8] = [
            ErrorKind::Unavailable,
            ErrorKind::NotFound,
            ErrorKind::PermissionDenied,
            ErrorKind::InvalidArgument,
            ErrorKind::UnknownRoute,
            ErrorKind::DecodeFailure,
            ErrorKind::NotImplemented,
            ErrorKind::Internal,
        ];
        for kind in KINDS {
            if let Some(message) = text.strip_prefix(kind.prefix()) {
                return Self::from_message(kind, message);
            }
        }
        if let Some(rest) =
            text.strip_prefix("timed out").filter(|rest| rest.is_empty() || rest.starts_with([':', ' ']))
        {
            // The separator goes first, or a message that is in brackets would pass for a code.
            if let Some(message) = rest.strip_prefix(": ") {
                return Self::from_message(ErrorKind::TimedOut, message);
            }
            let mut error = Self::from_message(ErrorKind::TimedOut, rest);
            error.0.message = error.0.message.trim_start_matches([':', ' ']).to_owned();
            return error;
        }
        if let Some((service, message)) =
            text.strip_prefix("dependency '").and_then(|rest| rest.split_once("' not found: "))
        {
            let (message, code) = split_code(message);
            return Self::dependency_not_found(service, message).with_code(code.unwrap_or(Code::Unspecified));
        }
        Self::from_message(ErrorKind::Internal, text)
    }

    /// Takes the code off the end before the message is cut, and the code with it.
    fn from_message(kind: ErrorKind, text: &str) -> Self {
        match split_code(text) {
            (message, Some(code)) => Self::coded(kind, code, message),
            (message, None) => {
                let mut error = Self::new(kind, message);
                // What was cut off may have left an end that reads like a code.
                while split_code(&error.0.message).1.is_some() {
                    error.0.message.pop();
                }
                error
            }
        }
    }
}

/// The message and the code that stands behind it, if one does.
fn split_code(text: &str) -> (&str, Option<Code>) {
    let split = text.strip_suffix(']').and_then(|rest| rest.rsplit_once(" ["));
    match split.and_then(|(message, code)| Some((message, Code::from_text(code)?))) {
        Some((message, code)) if code != Code::Unspecified => (message, Some(code)),
        _ => (text, None),
    }
}

/// The beginning of a text, up to so many bytes and a character's end.
fn head(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|&n| text.is_char_boundary(n)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

fn cut(text: &mut String) {
    if text.len() > ERROR_TEXT_BYTES_MAX {
        text.truncate(head(text, ERROR_TEXT_BYTES_MAX).len());
        // An error may be kept for long, and what was cut off may have been large.
        text.shrink_to_fit();
    }
}

impl fmt::Display for ActorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { kind, message, service, .. } = &*self.0;
        match kind {
            ErrorKind::TimedOut if message.is_empty() => f.write_str("timed out"),
            ErrorKind::TimedOut => write!(f, "timed out: {message}"),
            ErrorKind::DependencyNotFound => {
                write!(f, "dependency '{}' not found: {message}", service.as_deref().unwrap_or_default())
            }
            kind => write!(f, "{}{message}", kind.prefix()),
        }
    }
}

impl fmt::Debug for ActorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_text())
    }
}

impl std::error::Error for ActorError {}

#[cfg(test)]
mod tests;
