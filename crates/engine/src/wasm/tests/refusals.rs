use expect_test::{Expect, expect};

use super::kit::{PLAYHOUSE, SHAPE_A, SHAPE_C, Source, load};

fn check(binary: &[u8], expected: &Expect) {
    let refusal = load(binary).map(|_| ()).expect_err("must be refused");
    expected.assert_eq(&refusal.to_text());
}

/// The world with one word of its WIT replaced.
fn altered(wit: &str, from: &str, to: &str) -> Vec<u8> {
    assert!(wit.contains(from));
    Source { wit: &wit.replace(from, to), bodies: &[], more: "" }.component()
}

#[test]
fn not_a_component() {
    check(
        b"",
        &expect![
            "invalid argument: the component does not validate: it does not begin as WebAssembly does [wasm-invalid]"
        ],
    );
    check(
        b"MZ and so on",
        &expect![
            "invalid argument: the component does not validate: it does not begin as WebAssembly does [wasm-invalid]"
        ],
    );
    check(
        &wat::parse_str("(module)").unwrap(),
        &expect!["invalid argument: the binary is a core module, not a component [wasm-core-module]"],
    );
    let component = Source { wit: PLAYHOUSE, bodies: &[], more: "" }.component();
    check(
        &component[..20],
        &expect![
            "invalid argument: the component does not validate: unexpected end-of-file (at offset 0xb) [wasm-invalid]"
        ],
    );
    let mut version = component.clone();
    version[4] = 0x7f;
    check(
        &version,
        &expect![
            "invalid argument: the component does not validate: unknown binary version:    0x1007f (at offset 0x4) [wasm-invalid]"
        ],
    );
}

#[test]
fn another_world() {
    check(
        &wat::parse_str("(component)").unwrap(),
        &expect![
            "invalid argument: the component exports no interface of an actor; its exports are: none [wasm-world]"
        ],
    );
    check(
        &altered(PLAYHOUSE, "playhouse:actor@0.1.0", "playhouse:actor@0.9.0"),
        &expect![
            "invalid argument: the component exports no interface of an actor; its exports are: playhouse:actor/actor@0.9.0 [wasm-world]"
        ],
    );
}

#[test]
fn missing_functions() {
    check(
        &altered(PLAYHOUSE, "    on-stop: func() -> result<_, error>;\n", ""),
        &expect!["invalid argument: playhouse:actor/actor@0.1.0 lacks the function on-stop [wasm-world]"],
    );
    check(
        &altered(SHAPE_A, "    on-stop: func() -> result<_, actr-error>;\n", ""),
        &expect!["invalid argument: actr:workload/workload@0.1.0 lacks the function on-stop [wasm-world]"],
    );
}

#[test]
fn unknown_imports() {
    let other = "package other:thing { interface api { f: func(); } }\n";
    let wit =
        format!("{}\n{other}", PLAYHOUSE.replace("    import host;", "    import host;\n    import other:thing/api;"));
    check(
        &Source { wit: &wit, bodies: &[], more: "" }.component(),
        &expect!["invalid argument: the component imports other:thing/api, which no host offers [wasm-import]"],
    );
    let more = "    tell: func(target: dest, route: string, payload: list<u8>) -> result<_, error>;\n";
    check(
        &altered(PLAYHOUSE, more, &format!("{more}    format-disk: func();\n")),
        &expect![
            "invalid argument: the component imports playhouse:actor/host@0.1.0#format-disk, which no host offers [wasm-import]"
        ],
    );
    let http = "package wasi:http@0.2.6 { interface outgoing-handler { f: func(); } }\n";
    let wit = format!(
        "{}\n{http}",
        PLAYHOUSE.replace("    import host;", "    import host;\n    import wasi:http/outgoing-handler@0.2.6;")
    );
    check(
        &Source { wit: &wit, bodies: &[], more: "" }.component(),
        &expect![
            "invalid argument: the component imports wasi:http/outgoing-handler@0.2.6, which no host offers [wasm-import]"
        ],
    );
}

#[test]
fn types_of_another_shape() {
    check(
        &altered(PLAYHOUSE, "handle: func(route: string,", "handle: func(route: list<u8>,"),
        &expect![
            "invalid argument: playhouse:actor/actor@0.1.0: handle has another type than the world's: expected `string` found `list` [wasm-shape]"
        ],
    );
    check(
        &altered(PLAYHOUSE, "        connection-not-ready,\n", ""),
        &expect![
            "invalid argument: playhouse:actor/actor@0.1.0: handle has another type than the world's: type mismatch for field kind: expected enum of 11 names, found 10 names [wasm-shape]"
        ],
    );
    check(
        &altered(SHAPE_A, "        internal(string),\n", ""),
        &expect![
            "invalid argument: actr:workload/workload@0.1.0: dispatch has another type than the world's: expected variant of 10 cases, found 9 cases [wasm-shape]"
        ],
    );
    check(
        &altered(SHAPE_A, "serial-number: u64", "serial-number: u32"),
        &expect![
            "invalid argument: actr:workload/workload@0.1.0: on-data-stream has another type than the world's: type mismatch for field serial-number: expected `u64` found `u32` [wasm-shape]"
        ],
    );
    check(
        &altered(SHAPE_C, "recovering }", "lost }"),
        &expect![
            "invalid argument: actr:workload/workload@0.1.0: on-websocket-connecting has another type than the world's: type mismatch for field status: expected variant case named recovering, found lost [wasm-shape]"
        ],
    );
    check(
        &altered(SHAPE_A, "register-stream: func(stream-id: string)", "register-stream: func(stream-id: u32)"),
        &expect![
            "invalid argument: actr:workload/host@0.1.0: register-stream has another type than the world's: expected `string` found `u32` [wasm-shape]"
        ],
    );
}

/// What guests are not promised does not validate.
#[test]
fn proposals_that_are_off() {
    for (what, more) in [
        ("threads", "(memory $shared 1 1 shared)"),
        ("second memory", "(memory $second 1)"),
        ("memory64", "(memory $wide i64 1)"),
        ("tail calls", "(func $f (return_call $f))"),
        ("exceptions", "(tag $t) (func $f (throw $t))"),
        ("gc", "(type $s (struct (field i32)))"),
        ("relaxed simd", "(func $f (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))"),
    ] {
        let binary = Source { wit: PLAYHOUSE, bodies: &[], more }.component();
        let refusal = load(&binary).map(|_| ()).expect_err(what);
        assert_eq!(refusal.code(), playhouse_types::Code::WasmInvalid, "{what}: {refusal}");
    }
}
