use expect_test::{Expect, expect};

use super::Address;

fn seen(text: &str) -> String {
    match Address::parse(text) {
        Ok(Address { driver, mode, root, danger_plaintext }) => {
            let danger = if danger_plaintext { " in the clear" } else { "" };
            format!("{driver} | {mode:?} {root:?}{danger}")
        }
        Err(error) => error.to_string(),
    }
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&seen(text));
}

#[test]
fn what_is_about_encryption_is_taken_out() {
    check("postgres://me:pw@db/x", expect!["postgres://me:pw@db/x | None None"]);
    check(
        "postgres://me:pw@db/x?sslmode=verify-full&sslrootcert=/etc/my%20ca.pem",
        expect![[r#"postgres://me:pw@db/x | Some(VerifyFull) Some(File("/etc/my ca.pem"))"#]],
    );
    check(
        "postgresql://db/x?user=me&sslmode=require&port=5433&sslrootcert=system&connect_timeout=1",
        expect!["postgresql://db/x?user=me&port=5433&connect_timeout=1 | Some(Require) Some(System)"],
    );
    check(
        "postgres://db/x?sslmode=disable&danger_plaintext=true&port=1",
        expect!["postgres://db/x?port=1 | Some(Disable) None in the clear"],
    );
    // A password may have a question mark in it.
    check("postgres://me:p?sslmode=x@db/x", expect!["postgres://me:p?sslmode=x@db/x | None None"]);
    check("host=db user=me", expect!["host=db user=me | None None"]);
    check(
        "sslmode=verify-ca host=db sslrootcert='/etc/my \\'ca' user=me",
        expect![[r#"host=db user=me | Some(VerifyCa) Some(File("/etc/my 'ca"))"#]],
    );
    check(" host = db  sslmode = allow ", expect![" host = db   | Some(Allow) None"]);
    check("host=db danger_plaintext=true", expect!["host=db  | None None in the clear"]);
    check("host=db danger_plaintext=yes", expect!["host=db  | None None"]);
}

#[test]
fn what_is_malformed_is_left_to_the_driver_or_named() {
    for text in ["host=db password='x sslmode=require", "nothing", "postgres:/x?sslmode=require", "", "host=db \\"] {
        assert_eq!(seen(text), format!("{text} | None None"));
    }
    for text in ["postgres://db/x?sslmode=verify", "host=db sslmode=verify"] {
        check(
            text,
            expect![[r#"sslmode "verify" is none of disable, allow, prefer, require, verify-ca, verify-full"#]],
        );
    }
    check("postgres://db/%zz?sslrootcert=%zz%", expect![[r#"postgres://db/%zz | None Some(File("%zz%"))"#]]);
}
