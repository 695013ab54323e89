use expect_test::{Expect, expect};

use super::Outline;

fn check(text: &str, expected: &Expect) {
    let outline = Outline::read(&wat::parse_str(text).unwrap());
    expected.assert_eq(&outline.map_or_else(
        |refusal| refusal.to_string(),
        |o| format!("{:?} -> {:?}{}", o.imports, o.exports, if o.asynchronous { " async" } else { "" }),
    ));
}

#[test]
fn names_of_the_outermost_component_count() {
    check(
        r#"(component
            (import "a:b/c@1.0.0" (instance))
            (component (import "inner" (func)))
            (core module (import "core" "f" (func)))
            (component $i) (instance $e (instantiate $i)) (export "x:y/z@0.1.0" (instance $e)))"#,
        &expect![[r#"["a:b/c@1.0.0"] -> ["x:y/z@0.1.0"]"#]],
    );
}

#[test]
fn asynchronous_lifts_are_seen_at_any_depth() {
    let lift = r#"(core module $m (func (export "f") (result i32) unreachable) (func (export "c") (param i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $m))
        (func (export "run") async (canon lift (core func $i "f") async (callback (func $i "c"))))"#;
    check(&format!("(component {lift})"), &expect![[r#"[] -> ["run"] async"#]]);
    check(&format!("(component (component {lift}))"), &expect!["[] -> [] async"]);
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth| format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
    check(&nested(17), &expect!["[] -> []"]);
    check(&nested(18), &expect!["the component does not validate: components are nested too deeply"]);
}

/// No prefix of a component makes the reader panic or accept it.
#[test]
fn prefixes_are_refused() {
    let binary =
        wat::parse_str(r#"(component (core module (func)) (component) (import "f" (func)) (export "g" (func 0)))"#);
    let binary = binary.unwrap();
    for length in 8..binary.len() {
        // A cut between two sections leaves a component, only another one.
        if let Ok(outline) = Outline::read(&binary[..length]) {
            assert!(outline.exports.is_empty(), "{length}");
        }
    }
}
