use super::{ActorId, ActorType};
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&text.parse::<ActorId>().map_or_else(|e| e.to_string(), |id| id.to_string()));
}

#[test]
fn ids_have_one_canonical_form() {
    check("1a2b3c@7/acme:EchoService:1.0.0", &expect!["1a2b3c@7/acme:EchoService:1.0.0"]);
    check("+001A2B3C@+07/acme:EchoService:1.0.0", &expect!["1a2b3c@7/acme:EchoService:1.0.0"]);
    check("0@0/a:b:c", &expect!["0@0/a:b:c"]);
}

#[test]
fn malformed_ids_name_the_rule() {
    check("acme:EchoService:1.0.0", &expect![[r#"actor id "acme:EchoService:1.0.0" has no '@' after the serial"#]]);
    check("1@2", &expect![[r#"actor id "1@2" has no '/' after the realm"#]]);
    check("@7/a:b:c", &expect![[r#"actor id "@7/a:b:c" has a serial that is not 64-bit hexadecimal"#]]);
    check(
        "10000000000000000@7/a:b:c",
        &expect![[r#"actor id "10000000000000000@7/a:b:c" has a serial that is not 64-bit hexadecimal"#]],
    );
    check(
        "1@4294967296/a:b:c",
        &expect![[r#"actor id "1@4294967296/a:b:c" has a realm that is not a 32-bit decimal number"#]],
    );
    check("1@7/a:b:c:d", &expect![[r#"actor type "a:b:c:d" is not of the form manufacturer:name:version"#]]);
    check("1@7/a:b:", &expect![[r#"version "" is empty"#]]);
}

proptest! {
    #[test]
    fn text_forms_round_trip(serial: u64, realm: u32, m in "[a-z][a-z0-9]{0,9}", n in "[A-Z][a-zA-Z]{0,20}", v in "[0-9]\\.[0-9]{1,3}") {
        let text = format!("{serial:x}@{realm}/{m}:{n}:{v}");
        prop_assert_eq!(text.parse::<ActorId>().unwrap().to_string(), text);
    }

    #[test]
    fn no_text_panics(text in ".{0,64}") {
        let _ = text.parse::<ActorId>();
        let _ = text.parse::<ActorType>();
        let _ = text.parse::<crate::ActorUri>();
    }
}
