use expect_test::{Expect, expect};

use super::Kind;
use crate::wasm::outline::Outline;

fn check(imports: &[&str], exports: &[&str], asynchronous: bool, expected: &Expect) {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let outline = Outline { imports: own(imports), exports: own(exports), asynchronous };
    let seen = Kind::of(&outline).and_then(|kind| kind.check_imports(&outline).map(|()| kind));
    expected.assert_eq(&seen.map_or_else(|refusal| refusal.to_string(), |kind| format!("{kind:?}")));
}

const OURS: &str = "playhouse:actor/actor@0.1.0";
const ACTR_1: &str = "actr:workload/workload@0.1.0";
const ACTR_2: &str = "actr:workload/workload@0.2.0";

#[test]
fn worlds_are_told_by_exports() {
    check(&[], &[OURS], false, &expect!["Playhouse"]);
    check(&[], &[ACTR_1], false, &expect!["ActrPlain"]);
    check(&[], &[ACTR_1], true, &expect!["ActrLifted"]);
    check(&[], &[ACTR_2], true, &expect!["ActrAsync"]);
    check(&[], &[ACTR_1, ACTR_2], true, &expect!["ActrAsync"]);
    check(&[], &[], false, &expect!["the component exports no interface of an actor; its exports are: none"]);
    check(
        &[],
        &["actr:workload/workload@0.3.0", "a\u{1b}b"],
        false,
        &expect![[
            r#"the component exports no interface of an actor; its exports are: actr:workload/workload@0.3.0, a\u{1b}b"#
        ]],
    );
    check(
        &[],
        &["x"; 10],
        false,
        &expect!["the component exports no interface of an actor; its exports are: x, x, x, x, x, x, x, x and 2 more"],
    );
}

#[test]
fn imports_are_those_of_the_world_and_wasi() {
    let host = "playhouse:actor/host@0.1.0";
    check(&[host, "playhouse:actor/types@0.1.0"], &[OURS], false, &expect!["Playhouse"]);
    check(
        &[host],
        &[ACTR_1],
        false,
        &expect!["the component imports playhouse:actor/host@0.1.0, which no host offers"],
    );
    check(
        &["actr:workload/host@0.1.0"],
        &[ACTR_2],
        true,
        &expect!["the component imports actr:workload/host@0.1.0, which no host offers"],
    );
    check(&["wasi:cli/stdout@0.2.0", "wasi:io/streams@0.2.99"], &[OURS], false, &expect!["Playhouse"]);
    for odd in ["wasi:http/types@0.2.6", "wasi:cli/stdout@0.3.0", "wasi:cli/stdout", "wasi:cli@0.2.0", ""] {
        let outline = Outline { imports: vec![odd.to_owned()], exports: vec![OURS.to_owned()], asynchronous: false };
        let refusal = Kind::Playhouse.check_imports(&outline).unwrap_err().to_string();
        assert_eq!(refusal, format!("the component imports {odd}, which no host offers"));
    }
}
