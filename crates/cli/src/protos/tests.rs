use expect_test::{Expect, expect};

use super::{ProtoFile, Protos};

const ECHO: &str = r#"syntax = "proto3";
package echo;
import "shared.proto";
import "actr/options.proto";
service EchoService {
  rpc Echo(EchoRequest) returns (shared.Reply) { option (actr.payload_type) = RPC_SIGNAL; }
  rpc Shout(EchoRequest) returns (shared.Reply);
}
service Other { rpc Shout(EchoRequest) returns (shared.Reply); }
message EchoRequest { string message = 1; bytes raw = 2; uint64 big = 3; }
"#;
const SHARED: &str = "syntax = \"proto3\"; package shared; message Reply { string reply = 1; uint64 time_stamp = 2; }";

fn files(files: &[(&str, &str)]) -> Vec<ProtoFile> {
    files.iter().map(|(name, text)| ProtoFile { name: (*name).into(), text: (*text).into() }).collect()
}

fn error_text(error: &crate::error::CliError) -> String {
    let document = error.document().unwrap();
    format!("{}: {}\nfix: {}", document.error.code, document.error.message, document.error.fix)
}

fn check(route: &str, json: &str, expected: Expect) {
    let protos = Protos::compile(&files(&[("echo.proto", ECHO), ("shared.proto", SHARED)])).unwrap();
    let seen = protos.method(route).and_then(|method| Ok(format!("{} {:02x?}", method.route, method.encode(json)?)));
    expected.assert_eq(&seen.unwrap_or_else(|error| error_text(&error)));
}

#[test]
fn json_becomes_bytes() {
    check("echo.EchoService.Echo", r#"{"message":"hi"}"#, expect!["echo.EchoService.Echo [0a, 02, 68, 69]"]);
    check(
        "Echo",
        r#"{"raw":"AAE=","big":"18446744073709551615"}"#,
        expect!["echo.EchoService.Echo [12, 02, 00, 01, 18, ff, ff, ff, ff, ff, ff, ff, ff, ff, 01]"],
    );
    check("Other.Shout", "{}", expect!["echo.Other.Shout []"]);
}

#[test]
fn what_does_not_fit_is_named() {
    check(
        "Echo",
        r#"{"mesage":"hi"}"#,
        expect![[r#"
        json-mismatch: the JSON does not fit echo.EchoRequest: unrecognized field name 'mesage' at line 1 column 9
        fix: echo.EchoRequest has the fields "message", "raw", "big"."#]],
    );
    check(
        "Echo",
        r#"{"message":1}"#,
        expect![[r#"
        json-mismatch: the JSON does not fit echo.EchoRequest: invalid type: integer `1`, expected a string at line 1 column 12
        fix: echo.EchoRequest has the fields "message", "raw", "big"."#]],
    );
    check(
        "Echo",
        r#"{} {}"#,
        expect![[r#"
        json-mismatch: the JSON does not fit echo.EchoRequest: trailing characters at line 1 column 4
        fix: echo.EchoRequest has the fields "message", "raw", "big"."#]],
    );
    check(
        "Shout",
        "{}",
        expect![[r#"
        usage: "Shout" may be echo.EchoService.Shout or echo.Other.Shout
        fix: Give more of the route."#]],
    );
    check(
        "echo.EchoService.Ecko",
        "{}",
        expect![[r#"
        no-proto: no proto of the package describes "echo.EchoService.Ecko"
        fix: Did you mean echo.EchoService.Echo?"#]],
    );
    check(
        "echo",
        "{}",
        expect![[r#"
        no-proto: no proto of the package describes "echo"
        fix: Did you mean echo.EchoService.Echo?"#]],
    );
    check(
        "zzz",
        "{}",
        expect![[r#"
        no-proto: no proto of the package describes "zzz"
        fix: The package describes echo.EchoService.Echo, echo.EchoService.Shout, echo.Other.Shout."#]],
    );
}

#[test]
fn bytes_become_json_with_defaults() {
    let protos = Protos::compile(&files(&[("echo.proto", ECHO), ("shared.proto", SHARED)])).unwrap();
    let method = protos.method("Echo").unwrap();
    expect![[r#"{"reply":"hi","timeStamp":"0"}"#]].assert_eq(&method.decode(b"\x0a\x02hi").unwrap().to_string());
    expect![[r#"
        json-mismatch: the reply does not fit shared.Reply: failed to decode Protobuf message: invalid varint
        fix: The actor and its proto disagree. `playhouse call --raw` writes the bytes as they came."#]]
    .assert_eq(&error_text(&method.decode(b"\x0a\xff").unwrap_err()));
}

#[test]
fn a_broken_proto_is_named() {
    for (text, expected) in [
        (
            "syntax = ",
            expect![[r#"
        no-proto: proto a.proto: expected a string, but reached end of file
        fix: Send encoded bytes with `--data` or `--file`; or add the proto to the package."#]],
        ),
        (
            "import \"gone.proto\";",
            expect![[r#"
        no-proto: proto a.proto: import 'gone.proto' not found
        fix: Send encoded bytes with `--data` or `--file`; or add the proto to the package."#]],
        ),
    ] {
        expected.assert_eq(&error_text(&Protos::compile(&files(&[("a.proto", text)])).unwrap_err()));
    }
    assert_eq!(Protos::compile(&[]).unwrap().routes(), Vec::<String>::new());
}
