use std::path::PathBuf;

use super::{About, Recipe, concurrency, split};

#[test]
fn flags_add_to_a_recipe_or_replace_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.toml");
    std::fs::write(
        &path,
        "name = \"A\"\nversion = \"1\"\nbinary = \"a.wasm\"\nprotos = [\"x/a.proto\", \"b=c.proto\"]\n",
    )
    .unwrap();
    let flags = Recipe { version: Some("2".into()), protos: vec!["d.proto".into()], ..Recipe::default() };
    let both = Recipe::read(&path).unwrap().overridden_by(flags);
    assert_eq!((both.name.as_deref(), both.version.as_deref()), (Some("A"), Some("2")));
    assert_eq!(both.binary, Some(dir.path().join("a.wasm")));
    let protos: Vec<_> = both.protos.iter().map(|entry| split(entry, "")).collect();
    let here = |name: &str| dir.path().join(name);
    assert_eq!(
        protos,
        [
            ("a.proto".into(), here("x/a.proto")),
            ("b".into(), here("c.proto")),
            ("d.proto".into(), PathBuf::from("d.proto"))
        ]
    );
}

#[test]
fn unknown_keys_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.toml");
    std::fs::write(&path, "nmae = \"A\"\n").unwrap();
    let error = Recipe::read(&path).unwrap_err();
    assert!(error.document().unwrap().error.message.contains("unknown field `nmae`"));
}

#[test]
fn concurrency_is_declared_in_one_word() {
    for text in ["serial", "concurrent=8", "keyed=sender", "keyed=order.customer"] {
        let about = About { concurrency: Some(text.into()), ..About::default() };
        assert!(about.extension().unwrap().concurrency.is_some(), "{text}");
    }
    for text in ["", "parallel", "concurrent", "concurrent=0", "concurrent=x", "locked=sender"] {
        assert!(concurrency(text).is_err(), "{text}");
    }
}
