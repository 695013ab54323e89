//! Builds the guests into signed packages.

use anyhow::{Result, bail};

pub(crate) fn run(_args: &[String]) -> Result<()> {
    bail!("not written yet")
}
