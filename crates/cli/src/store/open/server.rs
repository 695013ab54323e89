//! Stores on a Postgres server.

use std::sync::Arc;

use playhouse_store::{PostgresError, PostgresOptions, PostgresStore, Store};
use playhouse_types::ErrorKind;

use crate::error::{CliError, Result};
use crate::store::location::Location;

/// Opens a store on a server.
pub(super) fn postgres(url: &str, place: &Location) -> Result<Arc<dyn Store>> {
    let password = std::env::var(PASSWORD_VARIABLE).ok();
    let opened = PostgresStore::open(PostgresOptions { password, ..PostgresOptions::new(url) });
    Ok(Arc::new(opened.map_err(|error| server_refused(&error, place))?))
}

/// The environment variable that may have the password, as for Postgres' own programs.
const PASSWORD_VARIABLE: &str = "PGPASSWORD";

/// Why a store on a server is not opened, with the way out.
fn server_refused(error: &PostgresError, place: &Location) -> CliError {
    let (kind, fix) = match error {
        PostgresError::Server(_) | PostgresError::Host => (
            ErrorKind::InvalidArgument,
            "Write it as `postgres://USER@HOST:PORT/DATABASE`; what is special in a URL is written as `%40` for `@`.",
        ),
        PostgresError::Connect(_) => (
            ErrorKind::Unavailable,
            "Start the server, or correct host and port; `pg_isready -h HOST -p PORT` says whether it answers.",
        ),
        PostgresError::SignIn(_) => (
            ErrorKind::PermissionDenied,
            "Correct the user in the address, and the password there or in PGPASSWORD, which is not written down anywhere. \
                     Who may sign in from where says the server's `pg_hba.conf`.",
        ),
        PostgresError::NoDatabase(_) => {
            (ErrorKind::NotFound, "Make it with `createdb NAME`, or name another: `postgres://USER@HOST/NAME`.")
        }
        PostgresError::NotAllowed(_) => (
            ErrorKind::PermissionDenied,
            "The store needs a schema `playhouse` that belongs to the user: `GRANT CREATE ON DATABASE … TO …`, or \
             `CREATE SCHEMA playhouse AUTHORIZATION …`.",
        ),
        PostgresError::Plaintext { .. } => (
            ErrorKind::InvalidArgument,
            "Leave `sslmode` out, which is `verify-full`; or add `danger_plaintext=true` to the address if the network encrypts by itself.",
        ),
        PostgresError::Certificate(_) | PostgresError::AuthorityMissing { .. } | PostgresError::NoAuthorities => (
            ErrorKind::PermissionDenied,
            "Name the file with the certificate of the authority that signed the server's, or with the server's own: `?sslrootcert=FILE`; \
             and the host as its certificate does.",
        ),
        PostgresError::NotEncrypted(_) => (
            ErrorKind::Unavailable,
            "Switch on `ssl` in the server's `postgresql.conf`, or use a tunnel that ends on this machine.",
        ),
        PostgresError::RootFile { .. } | PostgresError::SslMode { .. } => (
            ErrorKind::InvalidArgument,
            "Correct it in the address: `postgres://USER@HOST/DATABASE?sslmode=verify-full&sslrootcert=FILE`.",
        ),
        error => return CliError::new(error.code(), ErrorKind::Unavailable, format!("{place}: {error}")),
    };
    CliError::new(error.code(), kind, format!("{place}: {error}")).fix(fix)
}
