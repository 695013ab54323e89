use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode as Mode, TargetSessionAttrs};

use crate::contract::Retention;

use super::address::{Address, Root, SslMode};
use super::error::PostgresError;
use super::tls::{Authority, Tls};

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
    /// `postgresql://playhouse@db.internal/playhouse`. Several hosts may be named: the one that takes writes is used. `sslmode` and `sslrootcert` are as libpq
    /// has them, but that `verify-full` is what is done with a server on another machine if nothing is said, with the authorities that the operating system trusts.
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
    /// Speak to a server on another machine without encryption: whoever is on the way reads and changes everything. For networks that
    /// encrypt by themselves, such as WireGuard. `danger_plaintext=true` in the address says the same.
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

    /// What these options say to the driver, if they make sense, and how connections are encrypted.
    pub(super) fn config(&self) -> Result<(tokio_postgres::Config, Option<Tls>), PostgresError> {
        let named = self.schema.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        let begins = self.schema.starts_with(|first: char| first.is_ascii_lowercase());
        if !named || !begins || self.schema.len() > SCHEMA_BYTES_MAX || self.schema.starts_with("pg_") {
            return Err(PostgresError::SchemaName { name: self.schema.clone() });
        }
        let address = Address::parse(&self.server)?;
        let mut config: tokio_postgres::Config = address.driver.parse().map_err(PostgresError::Server)?;
        // An `@` in a password that is not written as `%40` would make its end part of the name of the host, and shown.
        if config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(name) if name.contains('@'))) {
            return Err(PostgresError::Host);
        }
        if let Some(password) = &self.password
            && config.get_password().is_none()
        {
            config.password(password);
        }
        let authority = authority(&address, &config, self.danger_plaintext || address.danger_plaintext)?;
        if let (Some(Authority::Anybody), Some(host)) = (&authority, remote(&config)) {
            tracing::warn!(
                host,
                "whoever answers for the store's server is believed to be it; sslmode=verify-full looks"
            );
        }
        config.ssl_mode(match (&authority, address.mode) {
            (None, _) => Mode::Disable,
            (Some(_), Some(SslMode::Allow | SslMode::Prefer)) => Mode::Prefer,
            (Some(_), _) => Mode::Require,
        });
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.tcp_user_timeout(UNANSWERED).keepalives_idle(UNANSWERED);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("playhouse");
        }
        Ok((config, authority.as_ref().map(Tls::new).transpose()?))
    }
}

/// Who the server has to be, by what the address says and where the server is. None is no encryption.
fn authority(
    address: &Address,
    config: &tokio_postgres::Config,
    danger_plaintext: bool,
) -> Result<Option<Authority>, PostgresError> {
    let remote = remote(config);
    let mode = match (address.mode, &remote) {
        (Some(mode), _) => mode,
        (None, Some(_)) if danger_plaintext => SslMode::Disable,
        (None, Some(_)) => SslMode::VerifyFull,
        (None, None) => SslMode::Disable,
    };
    if let Some(host) = remote
        && mode <= SslMode::Prefer
        && !danger_plaintext
    {
        return Err(PostgresError::Plaintext { host, mode: mode.name() });
    }
    // Nobody encrypts what never leaves the machine's memory, whatever is said.
    if config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) {
        return Ok(None);
    }
    let weak = PostgresError::AuthorityMissing { mode: mode.name() };
    Ok(Some(match (mode, &address.root) {
        (SslMode::Disable, _) => return Ok(None),
        (SslMode::Allow | SslMode::Prefer, _) | (SslMode::Require, None) => Authority::Anybody,
        // Anybody gets a certificate for a host of their own from one of these.
        (SslMode::Require, Some(Root::System)) | (SslMode::VerifyCa, None | Some(Root::System)) => return Err(weak),
        (SslMode::Require | SslMode::VerifyCa, Some(Root::File(path))) => {
            Authority::File { path: path.clone(), host: false }
        }
        (SslMode::VerifyFull, Some(Root::File(path))) => Authority::File { path: path.clone(), host: true },
        (SslMode::VerifyFull, None | Some(Root::System)) => Authority::System,
    }))
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
