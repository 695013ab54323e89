use super::{PostgresOptions, authority};
use crate::postgres::address::Address;

/// Who the server has to be, without looking whether there are authorities.
fn check(server: &str, danger_plaintext: bool, expected: &str) {
    let address = Address::parse(server).unwrap();
    let config = address.driver.parse().unwrap();
    let seen = match authority(&address, &config, danger_plaintext || address.danger_plaintext) {
        Ok(None) => "in the clear".to_owned(),
        Ok(Some(authority)) => format!("{authority:?}"),
        Err(error) => format!("{error} [{}]", error.code()),
    };
    assert_eq!(seen, expected, "{server}");
}

#[test]
fn only_this_machine_is_spoken_to_in_the_clear() {
    let local = [
        "host=/run/postgresql user=p",
        "host=/run/postgresql user=p sslmode=verify-full",
        "host=localhost user=p",
        "host=127.0.0.1,127.8.8.8 user=p",
        "host=::1 user=p",
        "postgresql://p@localhost/db",
        "postgresql://p@localhost/db?sslmode=disable",
        "postgresql://p@%2Frun%2Fpostgresql/db",
        // With an address the name is not looked up.
        "host=db.internal hostaddr=127.0.0.1 user=p",
    ];
    for server in local {
        check(server, false, "in the clear");
    }
    let remote = [
        ("host=db.internal user=p", "db.internal"),
        ("host=10.0.0.7 user=p", "10.0.0.7"),
        ("host=/run/postgresql,db.internal user=p", "db.internal"),
        ("host=localhost hostaddr=10.0.0.7 user=p", "10.0.0.7"),
        ("host=localhost.example dbname=db", "localhost.example"),
    ];
    for (server, host) in remote {
        check(server, false, "System");
        check(server, true, "in the clear");
        check(&format!("{server} danger_plaintext=true"), false, "in the clear");
        check(&format!("{server} danger_plaintext=true sslmode=require"), false, "Anybody");
        for mode in ["disable", "allow", "prefer"] {
            let refused = format!(
                "the server {host} is on another machine, and with sslmode={mode} whoever is on the way reads and changes \
                 everything [store-unsupported]"
            );
            check(&format!("{server} sslmode={mode}"), false, &refused);
        }
    }
}

#[test]
fn modes_and_authorities_are_those_of_libpq() {
    let file = |host: bool| format!("File {{ path: \"ca\", host: {host} }}");
    for (options, expected) in [
        ("sslmode=require", "Anybody".to_owned()),
        ("sslmode=require sslrootcert=ca", file(false)),
        ("sslmode=verify-ca sslrootcert=ca", file(false)),
        ("sslmode=verify-full sslrootcert=ca", file(true)),
        ("sslmode=verify-full sslrootcert=system", "System".to_owned()),
        ("sslmode=verify-full", "System".to_owned()),
    ] {
        for host in ["localhost", "db.internal"] {
            check(&format!("host={host} {options}"), false, &expected);
        }
    }
    check("host=db.internal sslrootcert=ca", false, &file(true));
    for options in ["require sslrootcert=system", "verify-ca", "verify-ca sslrootcert=system"] {
        let mode = options.split(' ').next().unwrap();
        let refused = format!(
            "sslmode={mode} needs an sslrootcert=FILE; with the authorities of the operating system it would trust anybody \
             [store-unsupported]"
        );
        check(&format!("host=db.internal sslmode={options}"), false, &refused);
    }
}

#[test]
fn what_is_no_address_is_refused_without_its_password() {
    let error = PostgresOptions::new("host=db password='canary").config().expect_err("it does not end");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error} {error:?}");
}

/// The end of a password with an `@` in it is not taken for a host, and so not shown.
#[test]
fn no_host_has_an_at_sign() {
    let error = PostgresOptions::new("postgres://p:one@canary@db/x").config().expect_err("it is ambiguous");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error} {error:?}");
}

#[test]
fn passwords_are_not_shown() {
    let options = PostgresOptions::new("host=/run user=p password=canary");
    assert!(!format!("{options:?}").contains("canary"), "{options:?}");
    let options = PostgresOptions {
        password: Some("canary".to_owned()),
        ..PostgresOptions::new("postgresql://p:canary@localhost/db")
    };
    assert!(!format!("{options:?}").contains("canary"), "{options:?}");
}
