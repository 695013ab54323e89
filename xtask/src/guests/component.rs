use std::fs;

use anyhow::{Context, Result};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::root;

/// Makes a component of a core module that says of what world it is.
pub(super) fn from_module(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default().validate(true).module(module)?.encode().context("cannot make a component")
}

/// Reads a WAT file. A `(component` stays as it is; of a `(module`, a component of the world `playhouse:actor/full-guest` is made, with what it imports.
pub(super) fn from_wat(name: &str) -> Result<Vec<u8>> {
    let (text, mut binary) = read(name)?;
    if text.contains("(component") {
        return Ok(binary);
    }
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("crates/abi/wit/playhouse"))?;
    let world = resolve.select_world(&[package], Some("full-guest"))?;
    embed_component_metadata(&mut binary, &resolve, world, StringEncoding::UTF8)?;
    from_module(&binary)
}

/// Reads a WAT file that is to stay a core module.
pub(super) fn core_module(name: &str) -> Result<Vec<u8>> {
    Ok(read(name)?.1)
}

fn read(name: &str) -> Result<(String, Vec<u8>)> {
    let path = root().join("guests/wat").join(format!("{name}.wat"));
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let binary = wat::parse_str(&text).with_context(|| format!("{}", path.display()))?;
    Ok((text, binary))
}
