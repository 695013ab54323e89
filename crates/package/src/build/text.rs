use std::fmt::Display;

use playhouse_crypto::KeyId;

use super::{Builder, digest, proto_path};
use crate::manifest::{BinaryKind, Extension, LOCK_PATH, PackageConcurrency};

/// The text of a manifest, with its keys in the order of the tool of actr 0.3.
pub(super) fn manifest(parts: &Builder, key: Option<KeyId>) -> String {
    let mut out = Lines::default();
    let actor_type = &parts.actor_type;
    out.text("manufacturer", actor_type.manufacturer());
    out.text("name", actor_type.name());
    out.text("version", actor_type.version());
    out.text("signature_algorithm", "ed25519");
    out.maybe("signing_key_id", key);
    if parts.resources.is_empty() {
        out.push("resources = []");
    }
    if parts.protos.is_empty() {
        out.push("proto_files = []");
    }
    binary(&mut out, parts);
    for (path, contents) in &parts.resources {
        out.push("\n[[resources]]");
        out.text("path", path);
        out.text("hash", digest(contents));
    }
    for (name, text) in &parts.protos {
        out.push("\n[[proto_files]]");
        out.text("name", name);
        out.text("path", proto_path(name));
        out.text("hash", digest(text.as_bytes()));
    }
    if let Some(lock) = &parts.lock {
        out.push("\n[lock_file]");
        out.text("path", LOCK_PATH);
        out.text("hash", digest(lock.as_bytes()));
    }
    out.push("\n[metadata]");
    out.maybe("description", parts.description.as_ref());
    out.maybe("license", parts.license.as_ref());
    extension(&mut out, &parts.extension);
    out.0
}

fn binary(out: &mut Lines, parts: &Builder) {
    out.push("\n[binary]");
    out.text("path", Builder::BINARY_PATH);
    out.text("target", &parts.target);
    out.text("hash", digest(&parts.binary));
    out.push(&format!("size = {}", parts.binary.len()));
    // A native library is what a manifest without a kind means, and what the tool of actr 0.3 leaves out.
    out.maybe("kind", parts.kind.filter(|kind| *kind != BinaryKind::NativeCdylib || !kind.fits(&parts.target)));
}

fn extension(out: &mut Lines, extension: &Extension) {
    if *extension == Extension::default() {
        return;
    }
    out.push("\n[x_playhouse]");
    if let Some(grants) = &extension.grants {
        let grants: Vec<_> = grants.iter().map(|grant| quoted(grant)).collect();
        out.push(&format!("grants = [{}]", grants.join(", ")));
    }
    match &extension.concurrency {
        None => {}
        Some(PackageConcurrency::Serial) => out.text("concurrency", "serial"),
        Some(PackageConcurrency::Concurrent(n)) => out.push(&format!("concurrency = {{ concurrent = {n} }}")),
        Some(PackageConcurrency::KeyedBySender) => out.push("concurrency = { keyed = \"sender\" }"),
        Some(PackageConcurrency::KeyedByField(field)) => {
            out.push(&format!("concurrency = {{ keyed = {} }}", quoted(field)));
        }
    }
    if !extension.limits.is_empty() {
        out.push("\n[x_playhouse.limits]");
        extension.limits.iter().for_each(|(limit, number)| out.push(&format!("{limit} = {number}")));
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn push(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn text(&mut self, key: &str, value: impl Display) {
        self.push(&format!("{key} = {}", quoted(&value.to_string())));
    }

    fn maybe(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
