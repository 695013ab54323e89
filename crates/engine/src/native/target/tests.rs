use expect_test::{Expect, expect};

use super::{Machine, check_against};

fn check(target: &str, arch: &'static str, os: &'static str, env: &'static str, expected: Expect) {
    let verdict = match check_against(target, &Machine { arch, os, env }) {
        Ok(()) => "fits".to_owned(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&verdict);
}

#[test]
fn triples_of_this_machine_fit() {
    check("x86_64-unknown-linux-gnu", "x86_64", "linux", "gnu", expect!["fits"]);
    check("x86_64-other-linux-gnu", "x86_64", "linux", "gnu", expect!["fits"]);
    check("x86_64-unknown-linux", "x86_64", "linux", "gnu", expect!["fits"]);
    check("aarch64-apple-darwin", "aarch64", "macos", "", expect!["fits"]);
    check("arm64-apple-macos", "aarch64", "macos", "", expect!["fits"]);
    check("armv7-unknown-linux-gnueabihf", "arm", "linux", "gnu", expect!["fits"]);
    check("x86_64-pc-windows-msvc", "x86_64", "windows", "msvc", expect!["fits"]);
}

#[test]
fn others_do_not() {
    let refused = |target: &str, expected| check(target, "x86_64", "linux", "gnu", expected);
    refused(
        "aarch64-unknown-linux-gnu",
        expect!["the library is for aarch64-unknown-linux-gnu, this machine is x86_64-linux-gnu"],
    );
    refused("x86_64-apple-darwin", expect!["the library is for x86_64-apple-darwin, this machine is x86_64-linux-gnu"]);
    refused(
        "x86_64-unknown-linux-musl",
        expect!["the library is for x86_64-unknown-linux-musl, this machine is x86_64-linux-gnu"],
    );
    refused("x86_64-linux", expect!["the library is for x86_64-linux, this machine is x86_64-linux-gnu"]);
    refused("", expect!["the library is for , this machine is x86_64-linux-gnu"]);
}
