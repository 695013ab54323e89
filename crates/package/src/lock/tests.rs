use super::LockFile;

/// The example of the specification.
const EXAMPLE: &str = r#"
[metadata]
version = 1
generated_at = "2026-01-01T00:00:00+00:00"

[[dependency]]
name = "EchoService"
actr_type = "acme:EchoService:1.0.0"
fingerprint = "service_semantic:0d0d204d724cafc1cb8fd5d6f68ca683d9f6546c6e70deab75781a2f4230a755"
cached_at = "2026-01-01T00:00:00+00:00"

[[dependency.files]]
path = "EchoService/echo.proto"
fingerprint = "semantic:94251c55ce69cc88b6e7ac77dc3a1fc3a8c899856ff47661ebca0f0cfe6cd317"

[[dependency]]
name = "acme:EchoService:2.0.0"
actr_type = "acme:Other:1.0.0"
fingerprint = "x"
cached_at = ""
files = []
"#;

#[test]
fn finds_by_type_and_first_by_name() {
    let lock = LockFile::parse(EXAMPLE.as_bytes()).expect("parses");
    let find = |text: &str| lock.find(&text.parse().expect("type")).map(|found| found.name.as_str());
    assert_eq!(find("acme:EchoService:1.0.0"), Some("EchoService"));
    assert_eq!(find("acme:EchoService:2.0.0"), Some("acme:EchoService:2.0.0"));
    assert_eq!(find("acme:Other:1.0.0"), Some("acme:EchoService:2.0.0"));
    assert_eq!(find("acme:EchoService:1.0.1"), None);
    assert_eq!(lock.dependencies[0].files.len(), 1);
}
