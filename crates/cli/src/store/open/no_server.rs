//! Where there is no Postgres in this program.

use std::sync::Arc;

use playhouse_store::Store;
use playhouse_types::{Code, ErrorKind};

use crate::error::{CliError, Result};
use crate::store::location::Location;

/// Says how to get a program that can.
pub(super) fn postgres(_url: &str, _place: &Location) -> Result<Arc<dyn Store>> {
    let message = "this `playhouse` was built without Postgres";
    Err(CliError::new(Code::StoreUnsupported, ErrorKind::NotImplemented, message)
        .fix("Build it with `cargo install --path crates/cli --locked --features postgres`, or name a folder."))
}
