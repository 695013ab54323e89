//! Certificates of servers, right and wrong ones.

use std::path::PathBuf;
use std::process::Command;

/// How keys are made: nothing is quicker.
const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

/// Certificates that were made for a test.
pub(crate) struct Certificates(tempfile::TempDir);

impl Certificates {
    /// Two authorities, `ours` and `theirs`; from ours, `good` for localhost and `old`, which is too old; and `own` and `other`, which are their own
    /// authorities and say nothing of hosts, as the manual of Postgres shows it.
    pub(crate) fn make() -> Self {
        let made = Self(tempfile::tempdir().expect("a folder"));
        for authority in ["ours", "theirs"] {
            made.self_signed(authority, "/CN=an authority");
        }
        for own in ["own", "other"] {
            made.self_signed(own, "/CN=db.internal");
        }
        std::fs::write(made.path("names"), "subjectAltName=DNS:localhost").expect("a file");
        for (name, days) in [("good", "7"), ("old", "0")] {
            made.openssl(&format!("req -new {KEY} -keyout {name}.key -out {name}.request -subj /CN=db.internal"));
            made.openssl(&format!(
                "x509 -req -in {name}.request -CA ours.crt -CAkey ours.key -CAcreateserial -days {days} -extfile names -out {name}.crt"
            ));
        }
        std::fs::write(made.path("garbage.crt"), "no certificate").expect("a file");
        made
    }

    fn self_signed(&self, name: &str, subject: &str) {
        let command = format!("req -x509 {KEY} -days 7 -keyout {name}.key -out {name}.crt -subj");
        let arguments: Vec<&str> = command.split(' ').chain([subject]).collect();
        self.run(&arguments);
    }

    fn openssl(&self, command: &str) {
        self.run(&command.split(' ').collect::<Vec<_>>());
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(self.0.path()).output().expect("openssl runs");
        assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
