use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::root;

const WASM: &str = "wasm32-unknown-unknown";
/// Where `cargo build` puts what belongs to no target: native guests are for the machine's own.
const NATIVE_PROFILE: &str = "native";

/// Compiles every crate of the guests' workspace to core modules.
pub(super) fn wasm(target_dir: &Path) -> Result<()> {
    let name = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";
    let flags = env::var(name).unwrap_or_default();
    require_std(&flags)?;
    link()?;
    let mut cargo = cargo(target_dir);
    cargo.args(["--release", "--target", WASM]).env(name, format!("{flags} {}", remap(target_dir)?));
    run(&mut cargo)
}

/// Compiles every crate of the guests' workspace to shared libraries.
pub(super) fn native(target_dir: &Path) -> Result<()> {
    link()?;
    let mut cargo = cargo(target_dir);
    cargo.args(["--profile", NATIVE_PROFILE, "--features", "native"]).env("RUSTFLAGS", remap(target_dir)?);
    run(&mut cargo)
}

/// Compiles one C guest and gives its bytes.
pub(super) fn c(target_dir: &Path, name: &str) -> Result<Vec<u8>> {
    let dir = target_dir.join("c");
    fs::create_dir_all(&dir)?;
    let out = dir.join(format!("{name}.so"));
    let mut cc = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-O2", "-s", "-Wl,--build-id=none"])
        .arg("-I")
        .arg(root().join("crates/abi/include"))
        .arg(root().join("guests/native").join(format!("{name}.c")))
        .arg("-o")
        .arg(&out);
    run(&mut cc)?;
    Ok(fs::read(out)?)
}

pub(super) fn wasm_path(target_dir: &Path, name: &str) -> PathBuf {
    target_dir.join(WASM).join("release").join(format!("{name}.wasm"))
}

pub(super) fn native_path(target_dir: &Path, name: &str) -> PathBuf {
    target_dir.join(NATIVE_PROFILE).join(format!("lib{name}.so"))
}

/// A symbolic link to the repository. Cargo hashes the place of crates outside of the guests' workspace into their symbols, which
/// decide the order of functions; through the link the place is the same on every machine.
const PLACE: &str = "/tmp/playhouse-guests";

fn link() -> Result<()> {
    let place = Path::new(PLACE);
    if fs::read_link(place).is_ok_and(|to| to == root()) {
        return Ok(());
    }
    if fs::symlink_metadata(place).is_ok_and(|there| there.is_symlink()) {
        fs::remove_file(place)?;
    }
    std::os::unix::fs::symlink(root(), place).with_context(|| format!("cannot link {PLACE} to the repository"))
}

fn cargo(target_dir: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--locked", "--manifest-path"])
        .arg(Path::new(PLACE).join("guests/Cargo.toml"))
        .arg("--target-dir")
        .arg(target_dir)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS");
    cargo
}

/// Panic messages name source files; this keeps the place of the checkout out of the binaries.
fn remap(target_dir: &Path) -> Result<String> {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cargo_home = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let places = [(cargo_home.as_path(), "/cargo"), (Path::new(PLACE), "/playhouse"), (target_dir, "/target")]
        .map(|(place, name)| format!("--remap-path-prefix={}={name}", place.display()));
    if places.iter().any(|place| place.contains(' ')) {
        bail!("cargo cannot pass paths with spaces to rustc: {places:?}");
    }
    Ok(places.join(" "))
}

fn require_std(flags: &str) -> Result<()> {
    let sysroot = match flags.split_whitespace().find_map(|flag| flag.strip_prefix("--sysroot=")) {
        Some(sysroot) => sysroot.to_owned(),
        None => {
            let out = Command::new("rustc").args(["--print", "sysroot"]).output().context("cannot run rustc")?;
            String::from_utf8(out.stdout)?.trim().to_owned()
        }
    };
    if Path::new(&sysroot).join("lib/rustlib").join(WASM).join("lib").exists() {
        return Ok(());
    }
    bail!(
        "rustc has no std for {WASM}. Get it with: rustup target add {WASM}\nwhere rustup cannot: .ci/rust-wasm-std DIR, then . DIR/env"
    )
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{:?} failed: {status}", command.get_program());
    }
    Ok(())
}
