//! Why a store on Postgres cannot be opened, and errors of the driver as people see them.

use playhouse_types::Code;
use tokio_postgres::error::SqlState;

#[cfg(doc)]
use super::PostgresOptions;

/// Why a store on Postgres cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// [`PostgresOptions::server`] cannot be read.
    #[error("the address of the server: {}", Chain(.0))]
    Server(#[source] tokio_postgres::Error),
    /// A host of [`PostgresOptions::server`] has an `@` in it, as if it were the end of a password.
    #[error("the address of the server: a host with `@` in it; in a password, that is written `%40`")]
    Host,
    /// [`PostgresOptions::schema`] is not a name of a schema.
    #[error(
        "the schema {name:?}: expected a lower-case letter, then letters, digits and `_`, at most 63, not beginning with `pg_`"
    )]
    SchemaName {
        /// The name.
        name: String,
    },
    /// The server is on another machine and this store does not have TLS. Use a tunnel, or
    /// [`PostgresOptions::danger_plaintext`] where the network encrypts.
    #[error("the server {host} is on another machine, and the connection would not be encrypted")]
    Plaintext {
        /// Its name.
        host: String,
    },
    /// The server cannot be reached, or refused.
    #[error("the server: {}", Chain(.0))]
    Connect(#[source] tokio_postgres::Error),
    /// The server does not let this user in, or not with this password.
    #[error("the server: {}", Chain(.0))]
    SignIn(#[source] tokio_postgres::Error),
    /// There is no such database on the server.
    #[error("the server: {}", Chain(.0))]
    NoDatabase(#[source] tokio_postgres::Error),
    /// The user may not make the schema, or not use it.
    #[error("the server: {}", Chain(.0))]
    NotAllowed(#[source] tokio_postgres::Error),
    /// The server is older than version 14.
    #[error("the server is Postgres {found}, at least 14 is needed")]
    TooOld {
        /// Its version.
        found: String,
    },
    /// A newer version of Playhouse wrote the schema.
    #[error("the store has schema {found}, this version knows up to {known}")]
    Newer {
        /// Its schema.
        found: i32,
        /// The newest that is known here.
        known: i32,
    },
    /// The thread of the store cannot be started.
    #[error("the thread of the store: {0}")]
    Thread(#[source] std::io::Error),
}

impl PostgresError {
    /// What an error of the driver means for whoever opens a store.
    pub(super) fn of(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => Self::SignIn(error),
            Some(&SqlState::INVALID_CATALOG_NAME) => Self::NoDatabase(error),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Self::NotAllowed(error),
            // The driver has no code for a server that asks for a password where there is none.
            None if Chain(&error).to_string().ends_with("password missing") => Self::SignIn(error),
            _ => Self::Connect(error),
        }
    }

    /// Which rule was broken.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Newer { .. } | Self::TooOld { .. } => Code::StoreSchema,
            Self::Plaintext { .. } | Self::Server(_) | Self::Host | Self::SchemaName { .. } => Code::StoreUnsupported,
            Self::Connect(_) | Self::SignIn(_) | Self::NoDatabase(_) | Self::NotAllowed(_) => Code::StoreUnreachable,
            Self::Thread(_) => Code::StoreFailed,
        }
    }
}

/// An error of the driver with its causes, which it does not print by itself.
pub(super) struct Chain<'a>(pub(super) &'a tokio_postgres::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(error) = self.0.as_db_error() {
            return write!(f, "{} ({})", error.message(), error.code().code());
        }
        write!(f, "{}", self.0)?;
        let mut cause = std::error::Error::source(self.0);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
