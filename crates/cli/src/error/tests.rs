use std::io;

use playhouse_types::{ActorError, Code, ErrorKind};

use super::{CliError, Exit};

fn check(error: CliError, exit: Exit, document: &str) {
    assert_eq!(error.exit(), exit);
    let seen = error.document().map(|d| serde_json::to_string(&d).unwrap()).unwrap_or_default();
    assert_eq!(seen, document);
}

#[test]
fn errors_have_stable_exits_and_documents() {
    check(
        CliError::usage("no such thing"),
        Exit::Usage,
        r#"{"error":{"code":"usage","kind":"invalid-argument","message":"no such thing","fix":"`playhouse help` shows the commands and examples."}}"#,
    );
    check(
        CliError::new(Code::PackageDigest, ErrorKind::PermissionDenied, "bin/x: altered").fix("throw it away"),
        Exit::Refused,
        r#"{"error":{"code":"package-digest","kind":"permission-denied","message":"bin/x: altered","fix":"throw it away"}}"#,
    );
    check(
        ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, "").into(),
        Exit::TimedOut,
        r#"{"error":{"code":"deadline-expired","kind":"timed-out","message":"timed out","fix":"Give the call more time (`playhouse call --timeout`), or find out what is slow: `playhouse ps` shows queues."}}"#,
    );
    check(io::Error::from(io::ErrorKind::BrokenPipe).into(), Exit::Ok, "");
}

#[test]
fn every_refusal_of_a_package_or_key_has_the_exit_of_refusals() {
    for code in Code::ALL {
        let refusal = (code.text().starts_with("package-") && *code != Code::PackageRead)
            || (code.text().starts_with("trust-") && *code != Code::TrustPolicy);
        let exit = CliError::new(*code, ErrorKind::PermissionDenied, "").exit();
        assert_eq!(exit == Exit::Refused, refusal, "{code}");
    }
}
