use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::config::{Host, TargetSessionAttrs};

use crate::contract::Retention;

use super::error::PostgresError;

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
    /// The password, if [`server`](Self::server) has none.
    pub password: Option<String>,
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
            password: None,
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
        // An `@` in a password that is not written as `%40` would make its end part of the name of the host, and shown.
        if config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(name) if name.contains('@'))) {
            return Err(PostgresError::Host);
        }
        if let Some(password) = &self.password
            && config.get_password().is_none()
        {
            config.password(password);
        }
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

#[cfg(test)]
mod tests;
