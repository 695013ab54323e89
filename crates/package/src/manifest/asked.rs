use std::collections::BTreeMap;
use std::fmt;

use super::ManifestError;
use crate::syntax::quote;

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident $key:literal;)*) => {
        /// A limit that a package may ask for in `[x_playhouse.limits]`, by the names that a node's configuration uses for its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum AskedLimit {
            $($(#[doc = $doc])+ $name,)*
        }

        impl AskedLimit {
            /// Every limit.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The key in manifests.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }
        }
    };
}

limits! {
    /// Bytes of linear memory.
    MemoryBytes "memory_bytes";
    /// Elements over all tables.
    TableElements "table_elements";
    /// Core instances.
    Instances "instances";
    /// Bytes of stack.
    StackBytes "stack_bytes";
    /// Milliseconds of computing in one event.
    CpuMs "cpu_ms";
    /// Milliseconds that one event may take.
    WallMs "wall_ms";
    /// Host operations in one event.
    HostCalls "host_calls";
    /// Bytes of log text from one event.
    LogBytes "log_bytes";
    /// Bytes of one reply.
    ReplyBytes "reply_bytes";
    /// Messages that wait.
    MailboxMessages "mailbox_messages";
    /// Bytes of messages that wait.
    MailboxBytes "mailbox_bytes";
}

impl AskedLimit {
    /// The limit with that key.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|limit| limit.name() == name)
    }
}

impl fmt::Display for AskedLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The limits that a package asks for. Keys that this version does not know are refused, so that no misspelt one is overlooked.
pub(super) fn parse(raw: &BTreeMap<String, toml::Value>) -> Result<BTreeMap<AskedLimit, u64>, ManifestError> {
    let one = |(key, value): (&String, &toml::Value)| {
        let limit = AskedLimit::from_name(key).ok_or_else(|| ManifestError::UnknownLimit { found: quote(key) })?;
        let number = value.as_integer().and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0);
        Ok((limit, number.ok_or_else(|| ManifestError::Limit { limit, found: quote(&value.to_string()) })?))
    };
    raw.iter().map(one).collect()
}
