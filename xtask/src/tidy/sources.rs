//! The Rust sources of this repository.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::measure::{Measured, measure};

/// Folders with our sources.
const ROOTS: [&str; 7] = ["crates", "sdk", "xtask", "guests", "fuzz", "benches", "examples"];

/// Folders that hold no source of ours, wherever they stand.
const SKIPPED: [&str; 3] = ["target", "corpus", "artifacts"];

/// One file.
pub(super) struct Source {
    /// Relative to the root, with slashes.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) measured: Measured,
}

impl Source {
    /// Whether the whole file is test code.
    pub(super) fn is_test(&self) -> bool {
        is_test(&self.path)
    }

    /// The folder with the `Cargo.toml`, as far as the path tells: `crates/node`.
    pub(super) fn crate_path(&self) -> &str {
        self.path.find("/src/").or_else(|| self.path.rfind('/')).map_or("", |end| &self.path[..end])
    }
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Every file, in order of its path.
pub(super) fn all(root: &Path) -> Result<Vec<Source>> {
    let mut paths = Vec::new();
    for folder in ROOTS {
        collect(&root.join(folder), &mut paths)?;
    }
    paths.sort();
    paths.iter().map(|path| read(root, path)).collect()
}

fn read(root: &Path, path: &Path) -> Result<Source> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let measured = measure(&text).with_context(|| relative.clone())?;
    Ok(Source { path: relative, text, measured })
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}
