use std::fs;

use anyhow::{Context, Result, bail};
use playhouse_crypto::{KeyFile, SigningKey};
use playhouse_package::{BinaryKind, Builder, Extension};

use super::catalog::{Guest, Source};
use crate::root;

pub(super) const MANUFACTURER: &str = "playhouse-demo";
const VERSION: &str = "1.0.0";

/// The key of the fixtures. Its private half is public on purpose.
pub(super) fn fixture_key() -> Result<SigningKey> {
    let path = root().join("guests/fixture-key.json");
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    match KeyFile::parse(&bytes)? {
        KeyFile::Plain(key) => Ok(key),
        _ => bail!("{} has no plain private key", path.display()),
    }
}

/// The signed package.
pub(super) fn sign(guest: &Guest, binary: Vec<u8>, key: &SigningKey) -> Result<Vec<u8>> {
    let actor_type = format!("{MANUFACTURER}:{}:{VERSION}", guest.type_name).parse()?;
    let (target, kind) = match guest.source {
        Source::Wasm(_) | Source::Wat(_) => ("wasm32-unknown-unknown", BinaryKind::Component),
        Source::CoreModule(_) => ("wasm32-unknown-unknown", BinaryKind::CoreModule),
        Source::Native(_) | Source::C(_) => (native_target()?, BinaryKind::NativeCdylib),
    };
    let mut extension = Extension::default();
    let grants = guest.grants.iter().map(ToString::to_string).collect();
    extension.grants = (!guest.grants.is_empty()).then_some(grants);
    let mut builder = Builder::new(actor_type, target, binary.into())
        .kind(kind)
        .description(guest.description)
        .license("Apache-2.0")
        .extension(extension);
    if let Some(path) = guest.proto() {
        let text = fs::read_to_string(root().join("guests").join(&path)).with_context(|| path.clone())?;
        let name = path.rsplit('/').next().unwrap_or(&path);
        builder = builder.proto(name, &text);
    }
    Ok(builder.build(key)?.into())
}

fn native_target() -> Result<&'static str> {
    match (std::env::consts::ARCH, std::env::consts::OS) {
        ("x86_64", "linux") => Ok("x86_64-unknown-linux-gnu"),
        ("aarch64", "linux") => Ok("aarch64-unknown-linux-gnu"),
        (arch, os) => bail!("native guests are built on Linux only, this is {os} on {arch}"),
    }
}
