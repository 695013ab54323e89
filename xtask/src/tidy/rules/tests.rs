use super::check as check_rules;
use crate::tidy::measure::measure;
use crate::tidy::sources::Source;

fn check(files: &[(&str, &str)]) -> Vec<String> {
    let source = |(path, text): &(&str, &str)| Source {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
        measured: measure(text).expect("Rust"),
    };
    let sources: Vec<Source> = files.iter().map(source).collect();
    check_rules(&sources)
        .into_iter()
        .map(|finding| format!("{}: {}: {}", finding.place, finding.rule, finding.message))
        .collect()
}

#[test]
fn sizes_have_limits() {
    let long = "\n".repeat(501);
    assert_eq!(check(&[("crates/a/src/b.rs", &long)]), ["crates/a/src/b.rs: file-lines: 501 lines, at most 500"]);
    assert_eq!(check(&[("crates/a/src/lib.rs", &long)]), ["crates/a/src/lib.rs: lib-lines: 501 lines, at most 150"]);
    assert!(check(&[("crates/a/src/b/tests.rs", &long)]).is_empty());
    let function = format!("fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {{\n{}}}", "\n".repeat(70));
    assert_eq!(
        check(&[("crates/a/src/b.rs", &function)]),
        [
            "crates/a/src/b.rs::f: function-lines: 72 lines, at most 70",
            "crates/a/src/b.rs::f: parameters: 6 parameters, at most 5"
        ]
    );
    let fields: String = (0..13).map(|n| format!("f{n}: u8,")).collect();
    let text = format!("struct S {{ {fields} }}");
    assert_eq!(check(&[("crates/a/src/b.rs", &text)]), ["crates/a/src/b.rs::S: struct-fields: 13 fields, at most 12"]);
}

#[test]
fn words_are_found_wherever_they_stand() {
    let text = concat!("// TO", "DO: later\nfn f() {}\n");
    assert_eq!(check(&[("crates/a/src/b.rs", text)]).len(), 1);
    assert!(check(&[("crates/a/src/b.rs", "const TODOS: u8 = 1;")]).is_empty());
    assert_eq!(check(&[("crates/a/src/b/tests.rs", "fn f() { std::thread::sleep(x) }")]).len(), 1);
    assert!(check(&[("crates/a/tests/it/main.rs", "fn f() { std::thread::sleep(x) }")]).is_empty());
}

#[test]
fn unsafe_code_has_its_places() {
    let text = "fn f() { unsafe { g() } }";
    assert!(check(&[("crates/engine/src/native/load.rs", text), ("sdk/rust/guest/src/native.rs", text)]).is_empty());
    assert!(check(&[("crates/engine/src/wasm/cache.rs", text)]).is_empty());
    assert_eq!(
        check(&[("crates/engine/src/wasm/cache.rs", text), ("crates/engine/src/wasm/other.rs", text)]),
        ["crates/engine/src/wasm/other.rs: unsafe: line 1: unsafe code is not allowed in this file"]
    );
    assert_eq!(check(&[("crates/node/src/cell.rs", text)]).len(), 1);
}

#[test]
fn logs_are_few() {
    let text = "fn f() { info!(); info!(); info!(); info!(); info!(); }";
    assert!(check(&[("crates/a/src/b.rs", text)]).is_empty());
    assert_eq!(
        check(&[("crates/a/src/b.rs", text), ("crates/a/src/c.rs", "fn f() { warn!(); }")]),
        ["crates/a: logs: 6 log calls in 2 lines, at most 5"]
    );
}
