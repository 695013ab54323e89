//! Runs the benches, which live in a workspace of their own because the peers that they compare with do.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Runs the benches with these names, or all of them.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let folder = crate::root().join("benches");
    let all = names(&folder.join("src/bin"))?;
    if let Some(unknown) = args.iter().find(|name| !all.contains(name)) {
        bail!("no bench {unknown:?}; there are: {}", all.join(", "));
    }
    for name in if args.is_empty() { &all[..] } else { args } {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--release", "--locked", "--bin", name.as_str(), "--manifest-path"]);
        let status = cargo.arg(folder.join("Cargo.toml")).status().context("cargo does not start")?;
        if !status.success() {
            bail!("{name}: {status}");
        }
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let rust = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<String> =
        rust.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}
