use expect_test::{Expect, expect};
use wasmparser::{Validator, WasmFeatures};

use super::{ASYNC_FUNC, RewriteError, STEPS_MAX, rewrite};

const A: &[u8] = include_bytes!("../../../tests/fixtures/actr-a.wasm");
const A_WASI: &[u8] = include_bytes!("../../../tests/fixtures/actr-a-wasip2.wasm");
const B: &[u8] = include_bytes!("../../../tests/fixtures/actr-b.wasm");
const C: &[u8] = include_bytes!("../../../tests/fixtures/actr-c.wasm");
const V2: &[u8] = include_bytes!("../../../tests/fixtures/actr-v2.wasm");

fn validity(component: &[u8]) -> String {
    match Validator::new_with_features(WasmFeatures::all()).validate_all(component) {
        Ok(_) => "valid".to_owned(),
        Err(error) => error.message().to_owned(),
    }
}

#[test]
fn genuine_components_become_valid() {
    for component in [A, A_WASI, B, C] {
        assert_eq!(validity(component), "the `async` canonical option requires an async function type");
        let rewritten = rewrite(component).unwrap().expect("there is something to change");
        assert_eq!(validity(&rewritten), "valid");
        assert_eq!(rewrite(&rewritten).unwrap(), None, "nothing is left to change");
    }
}

/// 10 types of the host's 11 functions and 12 of the workload's 18 (those of equal type share one), the latter three
/// times: at the lift, and at the nested component's import and export.
#[test]
fn nothing_else_changes() {
    for component in [A, A_WASI, B, C] {
        let rewritten = rewrite(component).unwrap().unwrap();
        assert_eq!(rewritten.len(), component.len());
        let changed: Vec<_> = component.iter().zip(&rewritten).filter(|(before, after)| before != after).collect();
        assert!(changed.iter().all(|(before, after)| (**before, **after) == (0x40, ASYNC_FUNC)));
        expect!["34"].assert_eq(&changed.len().to_string());
    }
}

/// What comes of a component: how many bytes changed, and whether it is valid then.
fn check(text: &str, expected: &Expect) {
    let component = wat::parse_str(text).unwrap();
    let seen = match rewrite(&component) {
        Ok(None) => "unchanged".to_owned(),
        Ok(Some(rewritten)) => {
            let count = component.iter().zip(&rewritten).filter(|(before, after)| before != after).count();
            format!("{count} changed, {}", validity(&rewritten))
        }
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&seen);
}

#[test]
fn other_components_stay_as_they_are() {
    assert_eq!(rewrite(V2).unwrap(), None);
    assert_eq!(rewrite(b"").unwrap(), None);
    assert_eq!(rewrite(b"\0asm\x01\0\0\0").unwrap(), None);
    check("(component)", &expect!["unchanged"]);
    check(
        r#"(component (import "wasi:random/random@0.2.6" (instance (export "get-random-u64" (func (result u64))))))"#,
        &expect!["unchanged"],
    );
    // The plain form: synchronous all through.
    check(
        r#"(component
            (import "actr:workload/host@0.1.0" (instance $host (export "f" (func))))
            (core func $f (canon lower (func $host "f")))
            (core module $m (import "" "f" (func)) (func (export "g")))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func $g (canon lift (core func $i "g")))
            (instance $out (export "dispatch" (func $g)))
            (export "actr:workload/workload@0.1.0" (instance $out)))"#,
        &expect!["unchanged"],
    );
}

/// A core module whose exports can be lifted `async`, with a callback.
const MODULE: &str = r#"
    (core module $m
        (func (export "f") (result i32) unreachable)
        (func (export "c") (param i32 i32 i32) (result i32) unreachable))
    (core instance $i (instantiate $m))"#;

#[test]
fn types_are_found_wherever_functions_flow() {
    // Out directly, through an instance made of functions.
    check(
        &format!(
            r#"(component {MODULE}
                (type $t (func))
                (func $f (type $t) (canon lift (core func $i "f") async (callback (core func $i "c"))))
                (instance $out (export "dispatch" (func $f)))
                (export "actr:workload/workload@0.1.0" (instance $out)))"#
        ),
        &expect!["1 changed, valid"],
    );
    // Out with another type of the same form.
    check(
        &format!(
            r#"(component {MODULE}
                (type $t (func))
                (func $f (type $t) (canon lift (core func $i "f") async (callback (core func $i "c"))))
                (type $u (func))
                (export "f" (func $f) (func (type $u))))"#
        ),
        &expect!["2 changed, valid"],
    );
    // Through two nested components, as an instance.
    check(
        &format!(
            r#"(component {MODULE}
                (func $f (canon lift (core func $i "f") async (callback (core func $i "c"))))
                (component $outer
                    (import "x" (instance $x (export "f" (func))))
                    (component $inner
                        (import "f" (func $f))
                        (export "g" (func $f)))
                    (instance $n (instantiate $inner (with "f" (func $x "f"))))
                    (export "h" (func $n "g")))
                (instance $x (export "f" (func $f)))
                (instance $n (instantiate $outer (with "x" (instance $x))))
                (export "h" (func $n "h")))"#
        ),
        &expect!["3 changed, valid"],
    );
}

#[test]
fn wasi_keeps_its_types() {
    check(
        &format!(
            r#"(component {MODULE}
                (import "wasi:cli/exit@0.2.6" (instance (export "exit" (func))))
                (type $t (func))
                (func $f (type $t) (canon lift (core func $i "f") async (callback (core func $i "c"))))
                (export "f" (func $f)))"#
        ),
        &expect!["1 changed, valid"],
    );
}

#[test]
fn a_type_that_is_needed_both_ways_is_refused() {
    check(
        &format!(
            r#"(component {MODULE}
                (type $t (func))
                (import "wasi:cli/exit@0.2.6" (instance (alias outer 1 $t (type $u)) (export "exit" (func (type $u)))))
                (func $f (type $t) (canon lift (core func $i "f") async (callback (core func $i "c"))))
                (export "f" (func $f)))"#
        ),
        &expect![
            "function type at byte 79 would have to be async, but the import `wasi:cli/exit@0.2.6` uses it as synchronous"
        ],
    );
    check(
        r#"(component
            (import "wasi:cli/exit@0.2.6" (instance $wasi (export "exit" (func))))
            (core func (canon lower (func $wasi "exit") async)))"#,
        &expect![
            "function type at byte 14 would have to be async, but the import `wasi:cli/exit@0.2.6` uses it as synchronous"
        ],
    );
}

/// Section `id` of a component with `count` items.
fn section(id: u8, count: u32, items: &[u8]) -> Vec<u8> {
    let leb = |mut n: usize| {
        let mut out = Vec::new();
        while n >= 0x80 {
            out.push(u8::try_from(n & 0x7f).unwrap() | 0x80);
            n >>= 7;
        }
        out.push(u8::try_from(n).unwrap());
        out
    };
    let mut body = leb(usize::try_from(count).unwrap());
    body.extend_from_slice(items);
    let mut section = vec![id];
    section.extend(leb(body.len()));
    section.extend(body);
    section
}

fn component(sections: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.extend(sections.concat());
    bytes
}

#[test]
fn deep_nesting_is_refused() {
    for (opcode, nested) in [(0x41, 5_000), (0x42, 5_000), (0x41, 40)] {
        // Each level is a type with one declaration, which is a type.
        let mut types: Vec<u8> = std::iter::repeat_n([opcode, 1, 1], nested).flatten().collect();
        types.extend([0x40, 0, 1, 0]);
        let refused = rewrite(&component(&[section(7, 1, &types)])).unwrap_err();
        assert!(matches!(refused, RewriteError::TooComplex { what: "the nesting of scopes", .. }), "{refused}");
    }
    let mut nested = component(&[]);
    for _ in 0..200 {
        let mut section = vec![4];
        let mut length = nested.len();
        while length >= 0x80 {
            section.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        section.push(u8::try_from(length).unwrap());
        section.extend(nested);
        nested = component(&[section]);
    }
    assert!(matches!(rewrite(&nested), Err(RewriteError::TooComplex { .. })));
}

/// Instances that hold instances twice each: as a tree they would have 2^n leaves.
#[test]
fn exploding_instances_end_at_the_limit() {
    // instance 0 is empty; instance n+1 exports instance n as "a" and as "b"
    let mut instances = vec![1, 0];
    let count = 20_000u32;
    for n in 0..count {
        let mut index = Vec::new();
        let mut rest = n;
        while rest >= 0x80 {
            index.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        index.push(u8::try_from(rest).unwrap());
        instances.extend([1, 2]);
        for name in [b'a', b'b'] {
            instances.extend([0, 1, name, 5]);
            instances.extend(&index);
        }
    }
    assert_eq!(rewrite(&component(&[section(5, count + 1, &instances)])), Ok(None));

    let leaves = "(export \"a\" (instance (type $t))) (export \"b\" (instance (type $t)))";
    let level = |n: usize, m: usize| format!("(type $l{n} (instance (alias outer 1 $l{m} (type $t)) {leaves}))");
    let mut text = String::from("(component (type $l0 (instance (export \"f\" (func))))");
    for n in 1..=60 {
        text.push_str(&level(n, n - 1));
    }
    text.push_str("(import \"wasi:x/y@0.2.0\" (instance (type $l60))))");
    check(&text, &expect!["unchanged"]);
}

/// Every instantiation compares what is given with what is asked for, name by name.
#[test]
fn endless_comparisons_end_at_the_limit() {
    let names: String = (0..1_000).map(|n| format!("(export \"f{n}\" (func))")).collect();
    let once = "(instance (instantiate $c (with \"x\" (instance $given))))";
    let text = format!(
        "(component (import \"wasi:x/y@0.2.0\" (instance $given {names}))
            (component $c (import \"x\" (instance {names}))) {})",
        once.repeat(STEPS_MAX / 1_000 + 1)
    );
    let refused = rewrite(&wat::parse_str(text).unwrap()).unwrap_err();
    assert!(matches!(refused, RewriteError::TooComplex { what: "comparing types", .. }), "{refused}");
}

/// Whatever happens to a component, the answer is a component of the same length or a refusal.
#[test]
fn damaged_components_never_panic() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % u64::try_from(below).unwrap()).unwrap()
    };
    let small = wat::parse_str(SMALL).unwrap();
    for length in 0..small.len() {
        drop(rewrite(&small[..length]));
    }
    for _ in 0..20_000 {
        let mut damaged = small.clone();
        for _ in 0..=random(4) {
            let at = random(damaged.len());
            damaged[at] = u8::try_from(random(256)).unwrap();
        }
        if let Ok(Some(rewritten)) = rewrite(&damaged) {
            assert_eq!(rewritten.len(), damaged.len());
        }
    }
    for component in [A, A_WASI] {
        // Past the core modules, where the component's own sections are.
        for _ in 0..200 {
            let mut damaged = component.to_vec();
            let at = damaged.len() - 1 - random(12_000);
            damaged[at] ^= 1 << random(8);
            drop(rewrite(&damaged));
            drop(rewrite(&component[..at]));
        }
    }
}

/// Every construct that the rewriter reads, in little space.
const SMALL: &str = r#"(component
    (type $t (func (param "a" string) (result u32)))
    (type $i (instance (alias outer 1 $t (type $u)) (export "f" (func (type $u))) (type (record (field "a" u8)))))
    (import "actr:workload/host@0.1.0" (instance $host (type $i)))
    (import "wasi:x/y@0.2.0" (instance $w (export "r" (type (sub resource))) (export "f" (func))))
    (alias export $w "r" (type $r))
    (type $c (component (import "f" (func)) (export "g" (func))))
    (component $shim (import "f" (func $f)) (export "g" (func $f) (func)))
    (core module $m
        (func (export "f") (result i32) unreachable)
        (func (export "c") (param i32 i32 i32) (result i32) unreachable))
    (core instance $x (instantiate $m))
    (func $f (canon lift (core func $x "f") async (callback (core func $x "c"))))
    (instance $n (instantiate $shim (with "f" (func $f))))
    (instance $out (export "dispatch" (func $n "g")))
    (export "actr:workload/workload@0.1.0" (instance $out)))"#;
