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
    /// The server is on another machine, and the address asks for no encryption, or for none that could not be prevented. Ask for `sslmode=verify-full`, or say
    /// [`PostgresOptions::danger_plaintext`] where the network encrypts.
    #[error(
        "the server {host} is on another machine, and with sslmode={mode} whoever is on the way reads and changes everything"
    )]
    Plaintext {
        /// Its name.
        host: String,
        /// What the address asks for.
        mode: &'static str,
    },
    /// `sslmode` in the address is not one of libpq's.
    #[error("sslmode {word:?} is none of disable, allow, prefer, require, verify-ca, verify-full")]
    SslMode {
        /// What it is.
        word: String,
    },
    /// With this `sslmode` the address has to name a file with authorities: those of the operating system give anybody a certificate.
    #[error(
        "sslmode={mode} needs an sslrootcert=FILE; with the authorities of the operating system it would trust anybody"
    )]
    AuthorityMissing {
        /// What the address asks for.
        mode: &'static str,
    },
    /// `sslrootcert` in the address cannot be used.
    #[error("sslrootcert {path}: {cause}")]
    RootFile {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// The operating system trusts no authorities, or keeps them where they are not found. Name a file by `sslrootcert`.
    #[error("the operating system has no certificates of authorities")]
    NoAuthorities,
    /// Encryption cannot be set up.
    #[error("encryption cannot be set up: {cause}")]
    Tls {
        /// Why.
        cause: String,
    },
    /// The certificate of the server is not from an authority that is trusted, or is for another host, or is too old.
    #[error("the server: {}", Chain(.0))]
    Certificate(#[source] tokio_postgres::Error),
    /// The server does not encrypt.
    #[error("the server: {}", Chain(.0))]
    NotEncrypted(#[source] tokio_postgres::Error),
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
            None if Chain(&error).to_string().ends_with("server does not support TLS") => Self::NotEncrypted(error),
            None if is_about_certificate(&error) => Self::Certificate(error),
            _ => Self::Connect(error),
        }
    }

    /// Which rule was broken.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Newer { .. } | Self::TooOld { .. } => Code::StoreSchema,
            Self::Plaintext { .. }
            | Self::Server(_)
            | Self::Host
            | Self::SchemaName { .. }
            | Self::SslMode { .. }
            | Self::AuthorityMissing { .. }
            | Self::RootFile { .. }
            | Self::NoAuthorities => Code::StoreUnsupported,
            Self::Connect(_)
            | Self::SignIn(_)
            | Self::NoDatabase(_)
            | Self::NotAllowed(_)
            | Self::Certificate(_)
            | Self::NotEncrypted(_) => Code::StoreUnreachable,
            Self::Thread(_) | Self::Tls { .. } => Code::StoreFailed,
        }
    }
}

/// Whether an error came to be because the server's certificate was refused.
fn is_about_certificate(error: &tokio_postgres::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        // An I/O error does not count what it is made of among its causes.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if inner.is_some_and(|inner| matches!(inner.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))) {
            return true;
        }
        cause = error.source();
    }
    false
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
