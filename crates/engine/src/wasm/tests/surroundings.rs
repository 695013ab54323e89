//! WASI: what is offered, by which versions, and what of it is denied.

use expect_test::expect;

use super::kit::{Actor, FakeHost, PLAYHOUSE, Source};
use crate::Limits;

/// The part of WASI that a guest needs to print and to exit, at a version.
fn wit(version: &str) -> String {
    let world = PLAYHOUSE.replace(
        "    import host;",
        "    import host;\n    import wasi:cli/stdout@V;\n    import wasi:cli/stderr@V;\n    import wasi:cli/exit@V;\n    import wasi:cli/environment@V;\n    import wasi:filesystem/preopens@V;\n    import wasi:random/random@V;",
    );
    let wasi = "
        package wasi:io@V {
            interface error { resource error; }
            interface streams {
                use error.{error};
                variant stream-error { last-operation-failed(error), closed }
                resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
            }
        }
        package wasi:cli@V {
            interface stdout { use wasi:io/streams@V.{output-stream}; get-stdout: func() -> output-stream; }
            interface stderr { use wasi:io/streams@V.{output-stream}; get-stderr: func() -> output-stream; }
            interface exit { exit: func(status: result); }
            interface environment {
                get-environment: func() -> list<tuple<string, string>>;
                get-arguments: func() -> list<string>;
            }
        }
        package wasi:random@V { interface random { get-random-bytes: func(len: u64) -> list<u8>; } }
        package wasi:filesystem@V {
            interface types { resource descriptor; }
            interface preopens { use types.{descriptor}; get-directories: func() -> list<tuple<descriptor, string>>; }
        }";
    format!("{world}\n{wasi}").replace("@V", &format!("@{version}"))
}

async fn actor(version: &str, body: &str, more: &str) -> Actor {
    let source = Source { wit: &wit(version), bodies: &[("handle", body)], more };
    Actor::within(&source, FakeHost::echo(), Limits { log_bytes: 60, ..Limits::default() }).await.unwrap()
}

const PRINT: &str = "
    (call $_method_output-stream_blocking-write-and-flush (call $get-stdout) (i32.const 2048) (i32.const 15) (i32.const 1500))
    (call $_method_output-stream_blocking-write-and-flush (call $get-stderr) (i32.const 2064) (i32.const 6) (i32.const 1500))
    (call $_method_output-stream_blocking-write-and-flush (call $get-stdout) (i32.const 2080) (i32.const 5) (i32.const 1500))
    (i32.const 1024)";
const TEXT: &str = "(data (i32.const 2048) \"one\\ntwo \\ff\\nthree\") (data (i32.const 2064) \"wrong\\n\") (data (i32.const 2080) \"3\\n\\n45\")";

#[tokio::test]
async fn output_goes_to_the_log_line_by_line() {
    for version in ["0.2.0", "0.2.6", "0.2.12"] {
        let actor = actor(version, PRINT, TEXT).await;
        assert_eq!(actor.ask(b"").await, r#"ok """#);
        let expected = ["info: one", "info: two \u{fffd}", "warn: wrong", "info: three3", "info: ", "info: 45"];
        assert_eq!(*actor.host.logs.lock(), expected);
    }
}

#[tokio::test]
async fn a_flood_of_output_is_cut() {
    let body = PRINT.replace("(i32.const 15)", "(i32.const 4000)");
    let text = format!("(data (i32.const 2048) \"{}\")", "flood\\n".repeat(700));
    let actor = actor("0.2.6", &body, &text).await;
    assert_eq!(actor.ask(b"").await, r#"ok """#);
    expect![[r#"
        info: flood
        info: flood
        info: flood
        info: flood
        info: flood
        info: flood
        info: flood
        info: flood
        info: flood
        info: flood
        info: flood
        info: flood
        warn: log text over 60 bytes in one event was dropped"#]]
    .assert_eq(&actor.host.logs.lock().join("\n"));
}

/// The host makes them in one go, in which nobody else runs.
#[tokio::test]
async fn randomness_has_a_limit() {
    let ask = |bytes: u64| {
        format!("(call $get-random-bytes (i64.const {bytes}) (i32.const 1500))
            (if (i64.ne (i64.extend_i32_u (i32.load (i32.const 1504))) (i64.const {bytes})) (then unreachable)) (i32.const 1024)")
    };
    assert_eq!(actor("0.2.6", &ask(1 << 20), "").await.ask(b"").await, r#"ok """#);
    let ended = actor("0.2.6", &ask((1 << 20) + 1), "").await.ask(b"").await;
    expect!["crash internal error: the guest broke its ABI: requested len 1048577 exceeds limit 1048576 [guest-protocol] (lost)"].assert_eq(&super::lifted::short(&ended));
}

#[tokio::test]
async fn exit_is_a_crash() {
    let actor = actor("0.2.6", "(call $exit (i32.const 1)) unreachable", "").await;
    expect!["crash internal error: the guest exited with status 1; at function 20 [guest-exit] (lost)"]
        .assert_eq(&actor.ask(b"").await);
}

/// The lengths of environment, arguments and directories, added up.
#[tokio::test]
async fn there_is_no_environment_and_no_directory() {
    let body = "
        (call $get-environment (i32.const 1500)) (call $get-arguments (i32.const 1508)) (call $get-directories (i32.const 1516))
        (i32.store (i32.const 1036) (i32.add (i32.load (i32.const 1504))
            (i32.add (i32.load (i32.const 1512)) (i32.load (i32.const 1520)))))
        (i32.const 1024)";
    let actor = actor("0.2.6", body, "").await;
    assert_eq!(actor.ask(b"").await, r#"ok """#);
}
