//! Encrypted connections: which servers are taken for whom they should be.

use playhouse_store::{PostgresOptions, PostgresStore, Store as _};

use crate::certificates::Certificates;
use crate::cluster::{Cluster, there};

/// A server that shows that certificate, and takes nobody by TCP who does not encrypt.
fn server(certificates: &Certificates, shown: &str) -> Cluster {
    let server = Cluster::start_listening("");
    server.let_in("hostssl all all 127.0.0.1/32 trust");
    let [certificate, key] = ["crt", "key"].map(|kind| certificates.path(&format!("{shown}.{kind}")));
    server.encrypt(&certificate, &key);
    server
}

/// Whether a store can be opened with these options in the address, and if, whether its connections are encrypted.
fn check(server: &Cluster, host: &str, options: &str, expected: &str) {
    let address = format!("postgres://postgres@{host}:{}/postgres?hostaddr=127.0.0.1&{options}", server.port());
    let seen = match PostgresStore::open(PostgresOptions::new(&address)) {
        Ok(store) => {
            store.set_note("n", None, Some("v".into())).wait().expect("it writes");
            store.set_note("n", Some("v".into()), None).wait().expect("it writes");
            let clear = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl JOIN pg_stat_activity \
                         USING (pid) WHERE application_name = 'playhouse'";
            match server.sql(clear).split_once('|') {
                Some((encrypted, "0")) if encrypted != "0" => "encrypted".to_owned(),
                _ => "in the clear".to_owned(),
            }
        }
        Err(error) => error.to_string(),
    };
    assert!(seen.contains(expected), "{host} {options}: {seen}, expected {expected}");
}

#[test]
fn a_server_has_to_be_who_it_should_be() {
    if !there() {
        return;
    }
    let made = Certificates::make();
    let root = |name: &str| format!("sslrootcert={}", made.path(&format!("{name}.crt")).display());
    let good = server(&made, "good");
    for (host, mode, authority, expected) in [
        ("localhost", "verify-full", "ours", "encrypted"),
        ("localhost", "verify-ca", "ours", "encrypted"),
        ("localhost", "require", "ours", "encrypted"),
        // Another host than the certificate says.
        ("db.internal", "verify-full", "ours", "not valid for name \"db.internal\""),
        ("127.0.0.1", "verify-full", "ours", "only valid for DnsName(\"localhost\")"),
        ("db.internal", "verify-ca", "ours", "encrypted"),
        ("db.internal", "require", "ours", "encrypted"),
        // Another authority, of the same name.
        ("localhost", "verify-full", "theirs", "invalid peer certificate"),
        ("localhost", "verify-ca", "theirs", "invalid peer certificate"),
        ("localhost", "require", "theirs", "invalid peer certificate"),
        // A file that cannot be used.
        ("localhost", "verify-full", "garbage", "it has no certificate in the PEM form"),
        ("localhost", "verify-full", "missing", "No such file or directory"),
    ] {
        check(&good, host, &format!("sslmode={mode}&{}", root(authority)), expected);
    }
    check(&good, "localhost", "sslmode=require", "encrypted");
    check(&good, "localhost", "sslmode=prefer", "encrypted");
    check(&good, "localhost", "sslmode=disable", "no encryption");
    // Nothing but the authorities of the operating system, which did not sign it, or are not there at all.
    check(&good, "localhost", "sslmode=verify-full", "certificate");
    check(&good, "localhost", "sslmode=verify-ca", "sslmode=verify-ca needs an sslrootcert=FILE");
    check(&good, "localhost", "sslmode=require&sslrootcert=system", "sslmode=require needs an sslrootcert=FILE");
}

#[test]
fn old_certificates_are_refused() {
    if !there() {
        return;
    }
    let made = Certificates::make();
    let root = format!("sslrootcert={}", made.path("ours.crt").display());
    let old = server(&made, "old");
    check(&old, "localhost", &format!("sslmode=verify-full&{root}"), "certificate expired");
    check(&old, "localhost", "sslmode=require", "encrypted");
}

/// What the manual of Postgres makes: a certificate that is its own authority, and names its host where nobody looks any more.
#[test]
fn a_certificate_of_its_own_is_known_by_itself() {
    if !there() {
        return;
    }
    let made = Certificates::make();
    let root = |name: &str| format!("sslmode=verify-full&sslrootcert={}", made.path(&format!("{name}.crt")).display());
    let own = server(&made, "own");
    check(&own, "localhost", &root("own"), "encrypted");
    check(&own, "localhost", &root("other"), "invalid peer certificate");
}

#[test]
fn a_server_that_does_not_encrypt_is_named() {
    if !there() {
        return;
    }
    let plain = Cluster::start_listening("");
    check(&plain, "localhost", "sslmode=require", "server does not support TLS");
    check(&plain, "localhost", "sslmode=prefer", "in the clear");
    check(&plain, "localhost", "", "in the clear");
    // At a socket nobody encrypts, whatever is said.
    let address = format!("{} sslmode=verify-full", plain.server());
    PostgresStore::open(PostgresOptions::new(&address)).expect("it is this machine");
}

#[test]
fn an_encrypted_connection_is_made_again() {
    if !there() {
        return;
    }
    let made = Certificates::make();
    let good = server(&made, "good");
    let root = made.path("ours.crt").display().to_string();
    let address =
        format!("postgres://postgres@localhost:{}/postgres?sslmode=verify-full&sslrootcert={root}", good.port());
    let store = PostgresStore::open(PostgresOptions::new(&address)).expect("it is who it should be");
    store.set_note("n", None, Some("v".into())).wait().expect("it writes");
    good.down("immediate");
    good.up();
    // More than what fits into one record of TLS.
    let large = vec![7; 100_000];
    store.set_note("n", Some("v".into()), Some(large.clone().into())).wait().expect("it is there again");
    assert_eq!(store.note("n").wait().expect("it reads").as_deref(), Some(&large[..]));
}
