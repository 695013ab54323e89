//! What must hold for any bytes, one function per fuzz target. `tests/corpus.rs` runs them over the checked-in corpus on a
//! stable compiler; the targets run them under libFuzzer.

mod frames;
mod keys;
mod names;
mod packages;
mod stores;

/// The reader and the rewriter of components stand alone and are taken as they are: the engine around them would bring a
/// compiler along.
#[path = "../../crates/engine/src/wasm"]
mod wasm {
    use wasmparser::{Parser, Payload};

    use outline::Outline;

    #[allow(dead_code, reason = "the engine uses more of it")]
    mod outline;
    #[allow(dead_code, reason = "the engine uses more of it")]
    mod refusal;
    mod rewrite;

    /// What is read of a component is what a whole parse finds in its outermost part.
    pub fn component_outline(bytes: &[u8]) {
        let Ok(read) = Outline::read(bytes) else { return };
        let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0);
        for payload in Parser::new(0).parse_all(bytes) {
            match payload {
                Ok(Payload::ComponentSection { .. } | Payload::ModuleSection { .. }) => depth += 1,
                Ok(Payload::End(_)) => depth -= 1,
                Ok(Payload::ComponentImportSection(section)) if depth == 0 => {
                    imports.extend(section.into_iter().map(|import| import.expect("it was read").name.name));
                }
                Ok(Payload::ComponentExportSection(section)) if depth == 0 => {
                    exports.extend(section.into_iter().map(|export| export.expect("it was read").name.name));
                }
                Ok(_) => {}
                // Modules are not looked into; the engine does when it compiles.
                Err(error) => return assert!(depth > 0, "{error}"),
            }
        }
        assert_eq!((read.imports, read.exports), (owned(imports), owned(exports)));
    }

    fn owned(names: Vec<&str>) -> Vec<String> {
        names.into_iter().map(str::to_owned).collect()
    }

    /// A component is rewritten once, in place, and only where a function type begins.
    pub fn component_rewrite(bytes: &[u8]) {
        let Ok(Some(rewritten)) = rewrite::rewrite(bytes) else { return };
        assert_eq!(rewritten.len(), bytes.len());
        for (before, after) in bytes.iter().zip(&rewritten) {
            assert!(before == after || (*before, *after) == (0x40, 0x43), "{before:#x} became {after:#x}");
        }
        assert!(matches!(rewrite::rewrite(&rewritten), Ok(None)), "the second time there is nothing to do");
    }
}

pub use frames::{envelope, native_frames, native_reply};
pub use keys::{key_file, key_record, key_vault, master_key, sealed_data};
pub use names::{error_text, ids, uri};
pub use packages::{altered_original, archive, lock, manifest, package_altered, proto, trust_policy};
pub use stores::store_open;
pub use wasm::{component_outline, component_rewrite};

/// Operations, replies, errors and events of the native ABI V2.
pub fn native_v2(bytes: &[u8]) {
    playhouse_wire::internal::check_native_v2(bytes);
}

/// The mailbox does what its model does.
pub fn mailbox(bytes: &[u8]) {
    playhouse_scheduler::internal::check_mailbox(bytes);
}

/// An oracle: it panics if what must hold does not.
pub type Oracle = fn(&[u8]);

/// Every target with its oracle.
pub const TARGETS: &[(&str, Oracle)] = &[
    ("archive", archive),
    ("component_outline", component_outline),
    ("component_rewrite", component_rewrite),
    ("envelope", envelope),
    ("error_text", error_text),
    ("ids", ids),
    ("key_file", key_file),
    ("key_record", key_record),
    ("lock", lock),
    ("mailbox", mailbox),
    ("manifest", manifest),
    ("master_key", master_key),
    ("native_frames", native_frames),
    ("native_reply", native_reply),
    ("native_v2", native_v2),
    ("package_altered", package_altered),
    ("proto", proto),
    ("sealed_data", sealed_data),
    ("store_open", store_open),
    ("trust_policy", trust_policy),
    ("uri", uri),
];
