use bytes::Bytes;

use super::{BinaryKind, Extension, Manifest, PackageConcurrency};

fn manifest(rest: &str) -> Manifest {
    let digest = "0".repeat(64);
    let text = format!(
        "manufacturer = \"acme\"\nname = \"Echo\"\nversion = \"1\"\n[binary]\npath = \"x\"\ntarget = \"wasm32-wasip2\"\nhash = \"{digest}\"\n{rest}"
    );
    Manifest::parse(Bytes::from(text)).expect("parses")
}

#[test]
fn what_is_left_out() {
    let manifest = manifest("");
    assert_eq!(manifest.binary.kind, BinaryKind::CoreModule);
    assert_eq!(manifest.binary.size, None);
    assert_eq!(manifest.extension, Extension::default());
    assert_eq!(manifest.listed().count(), 1);
    assert_eq!(BinaryKind::default_for("aarch64-apple-darwin"), BinaryKind::NativeCdylib);
}

#[test]
fn concurrency_as_packages_declare_it() {
    let cases = [
        ("\"serial\"", PackageConcurrency::Serial),
        ("{ concurrent = 4096 }", PackageConcurrency::Concurrent(4096.try_into().expect("not zero"))),
        ("{ keyed = \"sender\" }", PackageConcurrency::KeyedBySender),
        ("{ keyed = \"user.id_2\" }", PackageConcurrency::KeyedByField("user.id_2".to_owned())),
    ];
    for (text, expected) in cases {
        let found = manifest(&format!("[x_playhouse]\ngrants = [\"call\"]\nconcurrency = {text}\n"));
        assert_eq!(found.extension.concurrency, Some(expected));
        assert_eq!(found.extension.grants, ["call"]);
    }
}
