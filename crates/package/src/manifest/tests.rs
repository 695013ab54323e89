use bytes::Bytes;

use super::{AskedLimit, BinaryKind, Extension, Manifest, PackageConcurrency};

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
        assert_eq!(found.extension.grants, Some(vec!["call".to_owned()]));
    }
}

#[test]
fn no_grants_and_no_word_about_grants_differ() {
    assert_eq!(manifest("[x_playhouse]\n").extension.grants, None);
    assert_eq!(manifest("[x_playhouse]\ngrants = []\n").extension.grants, Some(Vec::new()));
}

#[test]
fn limits_as_packages_ask_for_them() {
    let every: String = AskedLimit::ALL.iter().map(|limit| format!("{limit} = 7\n")).collect();
    let found = manifest(&format!("[x_playhouse.limits]\n{every}")).extension.limits;
    assert_eq!(found, AskedLimit::ALL.iter().map(|limit| (*limit, 7)).collect());
    assert!(AskedLimit::ALL.iter().all(|limit| AskedLimit::from_name(limit.name()) == Some(*limit)));
}
