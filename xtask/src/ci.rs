//! Runs what continuous integration runs.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

pub(crate) fn run(args: &[String]) -> Result<()> {
    let script = crate::root().join(".ci/run");
    let status = Command::new(&script).args(args).status().with_context(|| script.display().to_string())?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}
