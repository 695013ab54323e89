use super::PostgresOptions;

fn check(server: &str, danger_plaintext: bool, expected: &str) {
    let options = PostgresOptions { danger_plaintext, ..PostgresOptions::new(server) };
    let seen = match options.config() {
        Ok(_) => "fine".to_owned(),
        Err(error) => format!("{error} [{}]", error.code()),
    };
    assert_eq!(seen, expected, "{server}");
}

#[test]
fn only_this_machine_is_spoken_to_in_the_clear() {
    let local = [
        "host=/run/postgresql user=p",
        "host=localhost user=p",
        "host=127.0.0.1,127.8.8.8 user=p",
        "host=::1 user=p",
        "postgresql://p@localhost/db",
        "postgresql://p@%2Frun%2Fpostgresql/db",
        // With an address the name is not looked up.
        "host=db.internal hostaddr=127.0.0.1 user=p",
    ];
    for server in local {
        check(server, false, "fine");
    }
    let remote = [
        ("host=db.internal user=p", "db.internal"),
        ("host=10.0.0.7 user=p", "10.0.0.7"),
        ("host=/run/postgresql,db.internal user=p", "db.internal"),
        ("host=localhost hostaddr=10.0.0.7 user=p", "10.0.0.7"),
        ("postgresql://p@localhost.example/db", "localhost.example"),
    ];
    for (server, host) in remote {
        let refused = format!(
            "the server {host} is on another machine, and the connection would not be encrypted [store-unsupported]"
        );
        check(server, false, &refused);
        check(server, true, "fine");
    }
}

#[test]
fn what_is_no_address_is_refused_without_its_password() {
    let error = PostgresOptions::new("host=db password='canary").config().expect_err("it does not end");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error} {error:?}");
}

#[test]
fn passwords_are_not_shown() {
    let options = PostgresOptions::new("host=/run user=p password=canary");
    assert!(!format!("{options:?}").contains("canary"), "{options:?}");
    let options = PostgresOptions::new("postgresql://p:canary@localhost/db");
    assert!(!format!("{options:?}").contains("canary"), "{options:?}");
}
