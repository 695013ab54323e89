use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use playhouse_store::{PostgresOptions, PostgresStore, Retention};

use super::{Make, Place};

/// The server to test on, as `.ci/postgres` says. In CI there has to be one.
fn server() -> Option<String> {
    let server = std::env::var("PLAYHOUSE_POSTGRES").ok();
    assert!(server.is_some() || std::env::var_os("CI").is_none(), "PLAYHOUSE_POSTGRES is not set");
    if server.is_none() {
        eprintln!("SKIPPED: PLAYHOUSE_POSTGRES is not set; `.ci/postgres COMMAND` runs a command with it");
    }
    server
}

/// Runs a case, if there is a server.
pub(crate) fn run_on_server(make: Make, case: fn(Make)) {
    if server().is_some() {
        case(make);
    }
}

/// A store in a schema of its own. The server goes after the tests, and the schema with it.
pub(crate) fn postgres(retention: Retention) -> Place {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let schema = format!("case_{}_{number}", std::process::id());
    let options = PostgresOptions { retention, schema, ..PostgresOptions::new(&server().expect("it was looked for")) };
    let store = PostgresStore::open(options).expect("the server is there");
    Place { store: Arc::new(store), _ground: Box::new(()) }
}

/// A store, if there is a server.
pub(crate) fn postgres_place() -> Option<Place> {
    server().map(|_| postgres(Retention::default()))
}
