use playhouse_types::{ActorError, Code, ErrorKind, ParseError};

/// Why bytes from outside are not a message that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes are not protobuf, or not of that message.
    #[error("{what} does not decode")]
    Undecodable {
        /// Which message.
        what: &'static str,
    },
    /// A part that the specification requires is absent.
    #[error("{what} is missing")]
    Missing {
        /// Which part.
        what: &'static str,
    },
    /// A text breaks the rules of what it should be.
    #[error(transparent)]
    Malformed(#[from] ParseError),
    /// A list is longer than a receiver allows.
    #[error("{found} {what}, at most {limit} are allowed")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A number stands for nothing.
    #[error("{what} {found} is not known")]
    UnknownNumber {
        /// What the number stands for.
        what: &'static str,
        /// The number.
        found: i64,
    },
}

impl WireError {
    /// The stable name of the rule that was broken.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::MalformedOperation
    }
}

impl From<WireError> for ActorError {
    fn from(error: WireError) -> Self {
        let kind = match error {
            WireError::Undecodable { .. } => ErrorKind::DecodeFailure,
            _ => ErrorKind::InvalidArgument,
        };
        Self::coded(kind, error.code(), error.to_string())
    }
}
