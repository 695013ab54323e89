//! What does not become a workload, and why.

use bytes::Bytes;
use expect_test::{Expect, expect};
use playhouse_engine::native::NativeEngine;
use playhouse_engine::{Concurrency, Engine, EngineKind, Limits};
use playhouse_types::Event;

use crate::support::{FakeHost, Guest, here, library, package, text};

#[tokio::test]
async fn nothing_runs_without_permission() {
    let package = package(Bytes::from_static(b"never mapped"), &here());
    let error = NativeEngine::new(false).prepare(package).await.err().unwrap();
    expect!["permission denied: native code runs in the node's own process, which its policy does not allow [native-not-allowed]"]
        .assert_eq(&error.to_text());
}

#[tokio::test]
async fn another_machine_s_library_is_refused_before_it_is_mapped() {
    for target in ["riscv64gc-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"] {
        let package = package(Bytes::from_static(b"never mapped"), target);
        let error = NativeEngine::new(true).prepare(package).await.err().unwrap();
        assert_eq!(error.code().text(), "native-target");
        assert!(error.message().contains(target), "{error}");
    }
}

#[tokio::test]
async fn a_prepared_library_is_native_and_serial() {
    let Some(library) = library("echo", &[]) else { return };
    let program = NativeEngine::new(true).prepare(package(library, &here())).await.unwrap();
    assert_eq!((program.kind(), program.concurrency()), (EngineKind::Native, Concurrency::Serial));
}

async fn refusal(library: Bytes) -> String {
    let created = Guest::try_new(library, FakeHost::silent(), Limits::default()).await;
    created.err().expect("the library is refused").to_text()
}

#[tokio::test]
async fn bytes_that_are_no_library_are_refused() {
    for bytes in [&b"x"[..], b"#!/bin/sh\n", b"\x7fELF", &[0; 4096]] {
        let text = refusal(Bytes::from_static(bytes)).await;
        assert!(text.ends_with("[native-load]"), "{text}");
    }
}

/// The loader of glibc maps segments that the file does not have, and dies on the first access.
#[tokio::test]
async fn truncated_libraries_are_refused() {
    let Some(library) = library("echo", &[]) else { return };
    // The segments end behind the third page, where the sections for debuggers begin.
    for len in (1..0x2000).step_by(97) {
        let text = refusal(library.slice(..len)).await;
        assert!(text.ends_with("[native-load]"), "{len}: {text}");
    }
}

#[tokio::test]
async fn every_symbol_is_needed() {
    let check = async |define: &str, expected: Expect| {
        let Some(library) = library("misuse", &[define]) else { return };
        expected.assert_eq(&refusal(library).await);
    };
    check("NO_INIT", expect!["invalid argument: the library does not export actr_init [native-load]"]).await;
    check("NO_HANDLE", expect!["invalid argument: the library does not export actr_handle [native-load]"]).await;
    check("NO_FREE", expect!["invalid argument: the library does not export actr_free_response [native-load]"]).await;
}

#[tokio::test]
async fn a_failed_init_is_named() {
    for (define, expected) in [
        ("INIT_RETURNS=-2", "internal error: actr_init returned -2 [native-init]"),
        ("INIT_RETURNS=-5", "internal error: actr_init returned -5 [native-init]"),
        ("INIT_RETURNS=1", "internal error: actr_init returned 1 [native-init]"),
    ] {
        let Some(library) = library("misuse", &[define]) else { return };
        assert_eq!(refusal(library).await, expected);
    }
}

/// A guest that does not know a hook says -7, by return code or in its reply: that is no failure. Anything else is.
#[tokio::test]
async fn unknown_hooks_are_no_failure() {
    let check = async |define: &str, expected: Expect| {
        let Some(library) = library("misuse", &[define]) else { return };
        let guest = Guest::new(library, FakeHost::silent()).await;
        expected.assert_eq(&text(&guest.run(Event::Start).await));
    };
    check("HOOKS_RETURN=-7", expect![[r#"ok """#]]).await;
    check("HOOKS_REPLY=-7", expect![[r#"ok """#]]).await;
    check("HOOKS_RETURN=-5", expect!["error internal error: actr_handle returned -5 [guest-protocol]"]).await;
    check(
        "HOOKS_REPLY=-3",
        expect!["error internal error: the guest failed with status -3 and no text [guest-protocol]"],
    )
    .await;
}
