use crate::home::{Home, Ran, guests, package};

const PROTO: &str = "syntax = \"proto3\"; package a; message M {} service S { rpc Do(M) returns (M); }";

/// A home with a key, a recipe and what it needs.
fn workshop() -> Home {
    let home = Home::new();
    home.run(&["key", "new", "--insecure-plain"]).exits(0);
    home.write("a.wasm", b"\0asm\x0d\0\x01\0");
    home.write("a.proto", PROTO);
    home.write("greetings.txt", "hello");
    home.write(
        "p.toml",
        "manufacturer = \"acme\"\nname = \"Echo\"\nversion = \"1.0.0\"\nbinary = \"a.wasm\"\nprotos = [\"a.proto\"]\n\
         resources = [\"greetings.txt\"]\ngrants = [\"call\"]\nconcurrency = \"keyed=sender\"\ndescription = \"echoes\"\n",
    );
    home
}

fn build(home: &Home, more: &[&str]) -> Ran {
    home.run(&[&["package", "build", "p.toml", "--json"], more].concat())
}

#[test]
fn a_package_goes_from_recipe_to_files() {
    let home = workshop();
    let built = build(&home, &[]).exits(0).json();
    let path = "dist/acme-Echo-1.0.0-wasm32-unknown-unknown.actr";
    assert_eq!(built["package"], path);
    assert_eq!(build(&home, &[]).exits(2).error(), "usage");
    build(&home, &["--force"]).exits(0);

    let refused = home.run(&["package", "verify", path]).exits(3);
    let fix = format!("playhouse trust add acme {}", home.path(".config/playhouse/key.json").display());
    assert!(refused.err.contains(&fix) && refused.err.contains("trust-unknown"), "{}", refused.err);
    let command: Vec<&str> = fix.split(' ').skip(1).collect();
    home.run(&command).exits(0);

    let verdict = home.run(&["package", "verify", path, "--json"]).exits(0).json();
    assert_eq!((&verdict["verdict"], &verdict["actor_type"]), (&"trusted".into(), &"acme:Echo:1.0.0".into()));
    assert_eq!(verdict["package_digest"], built["package_digest"]);
    let seen = home.run(&["package", "inspect", path, "--json"]).exits(0).json();
    assert_eq!((&seen["verified"], &seen["concurrency"]), (&false.into(), &"keyed by sender".into()));
    assert!(home.run(&["package", "inspect", path]).exits(0).out.starts_with("NOT VERIFIED"));

    let unpacked = home.run(&["package", "unpack", path, "out", "--json"]).exits(0).json();
    let files = ["manifest.toml", "bin/actor.wasm", "proto/a.proto", "resources/greetings.txt"];
    assert_eq!(unpacked["files"].as_array().unwrap().len(), files.len(), "{unpacked}");
    assert!(files.iter().all(|file| home.path(&format!("out/{file}")).is_file()));
    assert_eq!(std::fs::read_to_string(home.path("out/proto/a.proto")).unwrap(), PROTO);
    home.run(&["package", "unpack", path, "out"]).exits(1);
    assert_eq!(
        std::fs::read_dir(home.path(""))
            .unwrap()
            .filter(|e| e.as_ref().unwrap().path().to_string_lossy().contains(".new"))
            .count(),
        0
    );

    home.run(&["trust", "revoke", "--package", built["package_digest"].as_str().unwrap()]).exits(0);
    assert_eq!(home.run(&["package", "verify", path, "--json"]).exits(3).error(), "trust-revoked-package");
}

#[test]
fn a_package_is_signed_with_another_key() {
    let home = workshop();
    let first = build(&home, &["--out", "a.actr"]).exits(0).json();
    home.run(&["key", "new", "--insecure-plain", "--out", "other.json"]).exits(0);
    let second =
        home.run(&["package", "sign", "a.actr", "--key", "other.json", "--out", "b.actr", "--json"]).exits(0).json();
    assert_ne!(first["signed_by"], second["signed_by"]);
    home.run(&["trust", "add", "acme", "other.json"]).exits(0);
    assert_eq!(home.run(&["package", "verify", "a.actr", "--json"]).exits(3).error(), "trust-unknown");
    let verdict = home.run(&["package", "verify", "b.actr", "--json"]).exits(0).json();
    assert_eq!(verdict["signed_by"], second["signed_by"]);
    let files = |path: &str| home.run(&["package", "inspect", path, "--json"]).json()["files"].clone();
    assert_eq!(files("a.actr"), files("b.actr"), "nothing is lost");
}

#[test]
fn a_package_that_was_altered_is_refused() {
    let home = Home::new();
    home.trust_fixtures();
    home.run(&["package", "verify", &package("echo-wasm")]).exits(0);
    let whole = std::fs::read(package("echo-wasm")).unwrap();
    let mut middle = whole.clone();
    middle[whole.len() / 2] ^= 1;
    let altered = home.write("altered.actr", middle);
    let ran = home.run(&["package", "verify", &altered, "--json"]).exits(3);
    assert!(ran.error().starts_with("package-"), "{ran:?}");
    home.run(&["package", "unpack", &altered, "out"]).exits(3);
    assert!(!home.path("out").exists());
    let cut = home.write("cut.actr", &whole[..whole.len() - 1]);
    home.run(&["package", "verify", &cut]).exits(3);
    home.run(&["run", &altered]).exits(3);
}

#[test]
fn wrong_parts_are_named() {
    let home = workshop();
    home.write("core.wasm", b"\0asm\x01\0\0\0");
    home.write("bad.proto", "syntax = ");
    home.write("odd.toml", "nmae = \"x\"\n");
    for (more, exit, code) in [
        (&["--binary", "core.wasm"][..], 1, "wasm-core-module"),
        (&["--binary", "gone.wasm"], 1, "package-read"),
        (&["--binary", "a.proto"], 2, "usage"),
        (&["--kind", "native-cdylib"], 2, "usage"),
        (&["--proto", "bad.proto"], 1, "no-proto"),
        (&["--name", "-"], 2, "usage"),
        (&["--version", "1:0"], 2, "usage"),
        (&["--resource", "../x=a.proto"], 1, "config"),
        (&["--concurrency", "much"], 2, "usage"),
        (&["--key", "gone.json"], 1, "key-file"),
    ] {
        assert_eq!(build(&home, more).exits(exit).error(), code, "{more:?}");
    }
    assert_eq!(home.run(&["package", "build", "odd.toml", "--json"]).exits(1).error(), "config");
    assert_eq!(home.run(&["package", "build", "--json"]).exits(2).error(), "usage");
    assert_eq!(home.run(&["package", "verify", "gone.actr", "--json"]).exits(1).error(), "package-read");
    assert_eq!(home.run(&["package", "verify", &guests("Cargo.toml"), "--json"]).exits(3).error(), "package-archive");
    assert!(!home.path("dist").exists());
}
