//! Builds the guests into signed packages.

mod catalog;
mod compile;
mod component;
mod package;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use playhouse_crypto::SigningKey;

use self::catalog::{CATALOG, Guest, Source};
use crate::root;

const USAGE: &str = "usage: cargo xtask guests [--check] [--out DIR]

  --check    build again elsewhere and compare with guests/packages: wasm packages bit by bit, native ones only build
  --out DIR  write the packages into DIR instead of guests/packages";

struct Options {
    check: bool,
    out: PathBuf,
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = parse(args)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let target_dir = target.join(if options.check { "guests-check" } else { "guests" });
    if options.check && target_dir.exists() {
        fs::remove_dir_all(&target_dir)?;
    }
    let packages = build(&target_dir)?;
    if options.check {
        return compare(&packages);
    }
    fs::create_dir_all(&options.out)?;
    for (guest, bytes) in &packages {
        let path = options.out.join(guest.file_name());
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    print_table(&packages);
    Ok(())
}

fn parse(args: &[String]) -> Result<Options> {
    let mut options = Options { check: false, out: committed() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--check" => options.check = true,
            "--out" => options.out = args.next().context(USAGE)?.into(),
            other => bail!("no option {other:?}\n\n{USAGE}"),
        }
    }
    Ok(options)
}

fn committed() -> PathBuf {
    root().join("guests/packages")
}

type Built = Vec<(&'static Guest, Vec<u8>)>;

fn build(target_dir: &Path) -> Result<Built> {
    compile::wasm(target_dir)?;
    compile::native(target_dir)?;
    let key = package::fixture_key()?;
    CATALOG.iter().map(|guest| Ok((guest, packaged(guest, target_dir, &key)?))).collect()
}

fn packaged(guest: &Guest, target_dir: &Path, key: &SigningKey) -> Result<Vec<u8>> {
    let binary = match guest.source {
        Source::Wasm(name) => component::from_module(&fs::read(compile::wasm_path(target_dir, name))?),
        Source::Native(name) => Ok(fs::read(compile::native_path(target_dir, name))?),
        Source::C(name) => compile::c(target_dir, name),
        Source::Wat(name) => component::from_wat(name),
        Source::CoreModule(name) => component::core_module(name),
    };
    binary.and_then(|binary| package::sign(guest, binary, key)).with_context(|| format!("guest {}", guest.type_name))
}

fn print_table(packages: &Built) {
    println!("{:<28} {:>8}  SHA-256", "PACKAGE", "BYTES");
    for (guest, bytes) in packages {
        println!("{:<28} {:>8}  {}", guest.file_name(), bytes.len(), playhouse_crypto::Digest::of(bytes));
    }
}

/// Native binaries depend on the machine's linker and libc, so only those of wasm guests have to be equal.
fn compare(packages: &Built) -> Result<()> {
    print_table(packages);
    let mut differ = Vec::new();
    for (guest, bytes) in packages.iter().filter(|(guest, _)| guest.source.is_wasm()) {
        let path = committed().join(guest.file_name());
        let there =
            fs::read(&path).with_context(|| format!("{} is missing; run: cargo xtask guests", path.display()))?;
        if there != *bytes {
            differ.push(guest.file_name());
        }
    }
    if !differ.is_empty() {
        bail!(
            "these committed packages differ from what their sources give: {}\nrun `cargo xtask guests` and commit guests/packages. \
             If the sources are unchanged, the std differs: build it with `.ci/rust-wasm-std DIR`, then `. DIR/env`",
            differ.join(", ")
        );
    }
    println!("the wasm packages are what their sources give");
    Ok(())
}
