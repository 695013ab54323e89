//! Runs the benches, which live in a workspace of their own because the peers that they compare with do.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

pub(crate) fn run(args: &[String]) -> Result<()> {
    let manifest = crate::root().join("benches/Cargo.toml");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--release", "--locked", "--manifest-path"]).arg(&manifest).arg("--").args(args);
    let status = cargo.status().with_context(|| format!("cargo run --manifest-path {}", manifest.display()))?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}
