use std::net::IpAddr;
use std::time::Duration;

use playhouse_types::Code;
use tokio_postgres::config::{Host, TargetSessionAttrs};

use crate::contract::Retention;

/// Bytes of the name of a schema: the limit of Postgres.
const SCHEMA_BYTES_MAX: usize = 63;
/// Without an answer to what was sent for so long, the connection counts as broken.
const UNANSWERED: Duration = Duration::from_secs(15);
/// For how long a connection is tried.
const CONNECT: Duration = Duration::from_secs(5);

/// How a store on Postgres behaves.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Where the server is, as in `host=/run/postgresql user=playhouse dbname=playhouse` or
    /// `postgresql://playhouse@db.internal/playhouse`. Several hosts may be named: the one that takes writes is used.
    pub server: String,
    /// The schema of the tables, which belongs to this store alone: a lower-case letter, then letters, digits and `_`, 63 at most.
    pub schema: String,
    /// What is kept of replies and dead letters. All nodes should have the same.
    pub retention: Retention,
    /// Connections for reads, beside the one for writes: at least 1.
    pub readers: usize,
    /// How long the server may work on one statement.
    pub statement_timeout: Duration,
    /// For how long a lost server is waited for before what waits is answered with an error. The store goes on trying.
    pub give_up_after: Duration,
    /// Speak to a server on another machine without TLS, which this store does not have: whoever is on the way reads and changes everything. For networks that
    /// encrypt by themselves, such as WireGuard.
    pub danger_plaintext: bool,
}

impl std::fmt::Debug for PostgresOptions {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresOptions(schema {}, {} readers, {:?})", self.schema, self.readers, self.retention)
    }
}

impl PostgresOptions {
    /// The options for a server: schema `playhouse`, two readers, 10 s for a statement, which is a thousand times what one
    /// takes, and 30 s for a lost server, which is what a restart or a failover takes.
    #[must_use]
    pub fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            schema: "playhouse".to_owned(),
            retention: Retention::default(),
            readers: 2,
            statement_timeout: Duration::from_secs(10),
            give_up_after: Duration::from_secs(30),
            danger_plaintext: false,
        }
    }

    /// What these options say to the driver, if they make sense.
    pub(super) fn config(&self) -> Result<tokio_postgres::Config, PostgresError> {
        let named = self.schema.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        let begins = self.schema.starts_with(|first: char| first.is_ascii_lowercase());
        if !named || !begins || self.schema.len() > SCHEMA_BYTES_MAX || self.schema.starts_with("pg_") {
            return Err(PostgresError::SchemaName { name: self.schema.clone() });
        }
        let mut config: tokio_postgres::Config = self.server.parse().map_err(PostgresError::Server)?;
        if let Some(host) = remote(&config)
            && !self.danger_plaintext
        {
            return Err(PostgresError::Plaintext { host });
        }
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.tcp_user_timeout(UNANSWERED).keepalives_idle(UNANSWERED);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("playhouse");
        }
        Ok(config)
    }
}

/// The first host that is not this machine.
fn remote(config: &tokio_postgres::Config) -> Option<String> {
    let address = config.get_hostaddrs().iter().find(|address| !address.is_loopback());
    let host = config.get_hosts().iter().find_map(|host| match host {
        Host::Unix(_) => None,
        // With an address given, the name is not looked up.
        Host::Tcp(_) if !config.get_hostaddrs().is_empty() => None,
        Host::Tcp(name) if name == "localhost" => None,
        Host::Tcp(name) if name.parse().is_ok_and(|address: IpAddr| address.is_loopback()) => None,
        Host::Tcp(name) => Some(name.clone()),
    });
    host.or_else(|| address.map(ToString::to_string))
}

/// Why a store on Postgres cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// [`PostgresOptions::server`] cannot be read.
    #[error("the address of the server: {}", Chain(.0))]
    Server(#[source] tokio_postgres::Error),
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
    /// Which rule was broken.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Newer { .. } | Self::TooOld { .. } => Code::StoreSchema,
            Self::Plaintext { .. } | Self::Server(_) | Self::SchemaName { .. } => Code::StoreUnsupported,
            Self::Connect(_) => Code::StoreUnreachable,
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

#[cfg(test)]
mod tests;
