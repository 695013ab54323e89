use expect_test::{Expect, expect};

use super::judge;
use crate::Failure;
use crate::native::image::BadReply;

fn check(code: i32, reply: Result<&[u8], BadReply>, optional: bool, expected: Expect) {
    let verdict = match judge(code, reply, optional, 4) {
        Ok(bytes) => format!("ok {:?}", String::from_utf8_lossy(bytes)),
        Err(Failure::Error(error)) => format!("error {}", error.to_text()),
        Err(Failure::Crash(error)) => format!("crash {}", error.to_text()),
    };
    expected.assert_eq(&verdict);
}

#[test]
fn the_code_counts_before_the_reply() {
    check(0, Ok(b"\x08\x01\x1a\x02hi"), false, expect![[r#"ok "hi""#]]);
    check(-1, Ok(b"\x08\x01"), false, expect!["error internal error: actr_handle returned -1 [guest-protocol]"]);
    check(
        -2,
        Ok(b"\x08\x01"),
        false,
        expect!["crash internal error: actr_handle says that the guest is not initialised [guest-protocol]"],
    );
    check(-7, Err(BadReply::Missing), false, expect!["error internal error: actr_handle returned -7 [guest-protocol]"]);
    check(-7, Err(BadReply::Missing), true, expect![[r#"ok """#]]);
    check(
        i32::MIN,
        Err(BadReply::Missing),
        true,
        expect!["error internal error: actr_handle returned -2147483648 [guest-protocol]"],
    );
}

#[test]
fn the_status_counts_after_the_version() {
    check(
        0,
        Ok(b"\x08\x02\x1a\x02hi"),
        false,
        expect!["error internal error: the guest's reply has ABI version 2, not 1 [guest-protocol]"],
    );
    check(0, Ok(b"\x10\xf9\xff\xff\xff\xff\xff\xff\xff\xff\x01"), true, expect![[r#"ok """#]]);
    check(
        0,
        Ok(b"\x10\xf9\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        false,
        expect!["error internal error: the guest failed with status -7 and no text [guest-protocol]"],
    );
    check(0, Ok(b"\x10\xfd\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x09timed out"), false, expect!["error timed out"]);
    check(0, Ok(b"\x10\x03\x1a\x02no"), false, expect!["error internal error: no"]);
}

#[test]
fn the_limit_is_of_the_payload() {
    check(0, Ok(b"\x08\x01\x1a\x04four"), false, expect![[r#"ok "four""#]]);
    check(
        0,
        Ok(b"\x08\x01\x1a\x05fiver"),
        false,
        expect!["error internal error: a reply of 5 bytes, at most 4 are allowed [guest-reply-limit]"],
    );
}
