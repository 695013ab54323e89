use super::Case;
use crate::kit::Kit;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = text();
    cases.extend(names());
    cases.extend(files());
    cases.extend(binary());
    cases.extend(extension());
    cases
}

fn text() -> Vec<Case> {
    vec![
        Case::kit("manifest: empty", |k| k.manifest.clear()),
        Case::kit("manifest: not UTF-8", |k| k.manifest.extend([b'#', 0xff, b'\n'])),
        Case::kit("manifest: not TOML", |k| k.manifest = b"{\"manufacturer\":\"acme\"}".to_vec()),
        Case::kit("manifest: NUL", |k| k.manifest.push(0)),
        Case::kit("manifest: cut off", |k| k.manifest.truncate(200)),
        Case::kit("manifest: byte order mark in the middle", |k| k.replace("\n[binary]", "\n\u{feff}[binary]")),
        Case::kit("manifest: key twice", |k| k.replace("version =", "name = \"Other\"\nversion =")),
        Case::kit("manifest: table twice", |k| k.manifest.extend(b"[binary]\n")),
        Case::kit("manifest: over the limit", |k| k.limits.manifest_bytes = 100),
        Case::kit("manifest: tables nested deeply", |k| {
            k.manifest.extend(format!("[x_deep]\nx = {}1{}\n", "[".repeat(10_000), "]".repeat(10_000)).bytes());
        }),
        Case::kit("manifest: key of many parts", |k| {
            k.manifest.extend(format!("[x]\n{}a = 1\n", "a.".repeat(400_000)).bytes())
        }),
        Case::kit("manifest: table of many parts", |k| {
            k.manifest.extend(format!("[x.{}a]\n", "a.".repeat(400_000)).bytes())
        }),
        Case::kit("manifest: inline tables nested deeply", |k| {
            k.manifest.extend(format!("[x]\nx = {}1{}\n", "{a=".repeat(100_000), "}".repeat(100_000)).bytes());
        }),
        Case::kit("manifest: manufacturer missing", |k| k.replace("manufacturer = \"acme\"\n", "")),
        Case::kit("manifest: name missing", |k| k.replace("name = \"EchoService\"\n", "")),
        Case::kit("manifest: version missing", |k| k.replace("version = \"1.2.3\"\n", "")),
        Case::kit("manifest: version is a number", |k| k.replace("\"1.2.3\"", "1.2")),
        Case::kit("manifest: algorithm is none", |k| k.replace("\"ed25519\"", "\"none\"")),
        Case::kit("manifest: algorithm is HMAC", |k| k.replace("\"ed25519\"", "\"hmac-sha256\"")),
        Case::kit("manifest: algorithm in upper case", |k| k.replace("\"ed25519\"", "\"Ed25519\"")),
        Case::kit("manifest: key id without prefix", |k| k.replace("\"mfr-", "\"")),
        Case::kit("manifest: key id of another key", |k| k.replace(&k.named_key.clone(), "mfr-0000000000000000")),
        Case::kit("tolerated: no key id", |k| {
            let line = format!("signing_key_id = \"{}\"\n", k.named_key);
            k.replace(&line, "");
        }),
        Case::kit("tolerated: no algorithm", |k| k.replace("signature_algorithm = \"ed25519\"\n", "")),
        Case::kit("tolerated: unknown keys", |k| k.manifest.extend(b"new = 1\n[x_other]\na = [1, 2]\n")),
        Case::kit("tolerated: lines end with CR LF", |k| {
            let text = String::from_utf8(k.manifest.clone()).expect("text");
            k.manifest = text.replace('\n', "\r\n").into_bytes();
        }),
    ]
}

fn names() -> Vec<Case> {
    vec![
        Case::kit("manifest: manufacturer empty", |k| trusting(k, "acme", "")),
        Case::kit("manifest: manufacturer is the parent", |k| trusting(k, "acme", "..")),
        Case::kit("manifest: manufacturer with a slash", |k| trusting(k, "acme", "ac/me")),
        Case::kit("manifest: manufacturer with a colon", |k| trusting(k, "acme", "ac:me")),
        Case::kit("manifest: manufacturer of 33 bytes", |k| trusting(k, "acme", &"a".repeat(33))),
        Case::kit("manifest: manufacturer with a space behind", |k| trusting(k, "acme", "acme ")),
        Case::kit("manifest: name empty", |k| k.replace("\"EchoService\"", "\"\"")),
        Case::kit("manifest: name of dots", |k| k.replace("\"EchoService\"", "\"a..b\"")),
        Case::kit("manifest: name starts with a digit", |k| k.replace("\"EchoService\"", "\"1Echo\"")),
        Case::kit("manifest: name ends with a dash", |k| k.replace("\"EchoService\"", "\"Echo-\"")),
        Case::kit("manifest: name with a NUL", |k| k.replace("\"EchoService\"", "\"Echo\\u0000\"")),
        Case::kit("manifest: name of 33 bytes", |k| k.replace("EchoService", &"E".repeat(33))),
        Case::kit("manifest: version empty", |k| k.replace("\"1.2.3\"", "\"\"")),
        Case::kit("manifest: version with a colon", |k| k.replace("\"1.2.3\"", "\"1:2\"")),
        Case::kit("manifest: version is the parent", |k| k.replace("\"1.2.3\"", "\"..\"")),
        Case::kit("manifest: version with a slash", |k| k.replace("\"1.2.3\"", "\"1/2\"")),
        Case::kit("manifest: version of 129 bytes", |k| k.replace("1.2.3", &"1".repeat(129))),
        Case::kit("tolerated: version that is not semantic", |k| k.replace("1.2.3", "2026-spring")),
    ]
}

fn trusting(kit: &mut Kit, from: &str, to: &str) {
    kit.replace(&format!("\"{from}\""), &format!("\"{to}\""));
}

fn files() -> Vec<Case> {
    vec![
        Case::kit("listed: resource above the package", |k| k.replace("data/greeting.txt", "../greeting.txt")),
        Case::kit("listed: resource absolute", |k| k.replace("data/greeting.txt", "/greeting.txt")),
        Case::kit("listed: resource with a backslash", |k| k.replace("data/greeting.txt", "data\\\\greeting.txt")),
        Case::kit("listed: resource on a drive", |k| k.replace("data/greeting.txt", "c:greeting.txt")),
        Case::kit("listed: resource with a NUL", |k| k.replace("data/greeting.txt", "data\\u0000")),
        Case::kit("listed: resource is a directory", |k| k.replace("data/greeting.txt", "data/")),
        Case::kit("listed: resource is the manifest", |k| k.replace("data/greeting.txt", "manifest.toml")),
        Case::kit("listed: resource is the signature", |k| k.replace("data/greeting.txt", "manifest.sig")),
        Case::kit("listed: resource is the binary", |k| k.replace("data/greeting.txt", "bin/actor.wasm")),
        Case::kit("listed: resource is the binary in another case", |k| {
            k.replace("data/greeting.txt", "BIN/actor.wasm")
        }),
        Case::kit("listed: resource decomposed", |k| k.replace("data/greeting.txt", "data/gru\u{308}\u{df}e.txt")),
        Case::kit("listed: resource without digest", |k| {
            k.replace("path = \"data/greeting.txt\"\nhash", "path = \"x\"\nhush")
        }),
        Case::kit("listed: binary is the manifest", |k| k.replace("\"bin/actor.wasm\"", "\"manifest.toml\"")),
        Case::kit("listed: proto is the signature", |k| k.replace("proto/echo.proto", "manifest.sig")),
        Case::kit("listed: proto is the lock file", |k| k.replace("proto/echo.proto", "manifest.lock.toml")),
        Case::kit("listed: proto above the package", |k| k.replace("proto/echo.proto", "proto/../../x")),
        Case::kit("listed: proto name above the package", |k| k.replace("\"echo.proto\"", "\"../echo.proto\"")),
        Case::kit("listed: proto name empty", |k| k.replace("\"echo.proto\"", "\"\"")),
        Case::kit("listed: proto name twice", |k| {
            let digest = "0".repeat(64);
            let proto =
                format!("[[proto_files]]\nname = \"echo.proto\"\npath = \"x\"\nhash = \"{digest}\"\n\n[lock_file]");
            k.replace("[lock_file]", &proto);
        }),
        Case::kit("listed: lock file is the manifest", |k| k.replace("manifest.lock.toml", "manifest.toml")),
        Case::kit("listed: lock file above the package", |k| k.replace("manifest.lock.toml", "../manifest.lock.toml")),
        Case::kit("listed: more files than allowed", |k| k.limits.listed_files = 3),
        Case::kit("listed: digest empty", |k| hash(k, |_| String::new())),
        Case::kit("listed: digest in upper case", |k| hash(k, |h| h.to_uppercase())),
        Case::kit("listed: digest too short", |k| hash(k, |h| h[1..].to_owned())),
        Case::kit("listed: digest too long", |k| hash(k, |h| format!("{h}0"))),
        Case::kit("listed: digest with its algorithm", |k| hash(k, |h| format!("sha256:{h}"))),
        Case::kit("listed: digest with white space", |k| hash(k, |h| format!(" {}", &h[1..]))),
        Case::kit("listed: digest of another file", |k| hash(k, |_| "0".repeat(64))),
    ]
}

/// Replaces the digest of the binary.
fn hash(kit: &mut Kit, change: fn(&str) -> String) {
    let text = String::from_utf8(kit.manifest.clone()).expect("text");
    let (_, rest) = text.split_once("hash = \"").expect("digest");
    let digest = &rest[..64];
    kit.replace(digest, &change(digest));
}

fn binary() -> Vec<Case> {
    vec![
        Case::kit("binary: missing table", |k| k.replace("[binary]", "[bimary]")),
        Case::kit("binary: unknown kind", |k| k.replace("\"component\"", "\"jar\"")),
        Case::kit("binary: kind in upper case", |k| k.replace("\"component\"", "\"Component\"")),
        Case::kit("binary: kind empty", |k| k.replace("\"component\"", "\"\"")),
        Case::kit("binary: component for a native target", |k| k.replace("wasm32-wasip2", "x86_64-unknown-linux-gnu")),
        Case::kit("binary: core module for a native target", |k| {
            k.replace("wasm32-wasip2", "x86_64-unknown-linux-gnu");
            k.replace("\"component\"", "\"core-module\"");
        }),
        Case::kit("binary: native library for a wasm target", |k| k.replace("\"component\"", "\"native-cdylib\"")),
        Case::kit("binary: target empty", |k| k.replace("wasm32-wasip2", "")),
        Case::kit("binary: target with a slash", |k| k.replace("wasm32-wasip2", "wasm32-../x")),
        Case::kit("binary: target of 65 bytes", |k| k.replace("wasm32-wasip2", &format!("wasm32-{}", "x".repeat(58)))),
        Case::kit("binary: size negative", |k| k.replace("size = ", "size = -")),
        Case::kit("binary: size as text", |k| k.replace("size = ", "size = \"1\" # ")),
        Case::kit("binary: size one too large", |k| k.replace("size = ", "size = 1")),
        Case::kit("binary: size zero", |k| k.replace("size = ", "size = 0 # ")),
        Case::kit("tolerated: core module", |k| k.replace("\"component\"", "\"core-module\"")),
        Case::kit("tolerated: no size", |k| k.replace("size = ", "# ")),
        Case::kit("tolerated: no kind", |k| k.replace("kind = ", "# ")),
    ]
}

fn extension() -> Vec<Case> {
    fn add(kit: &mut Kit, text: &str) {
        kit.manifest.extend(format!("[x_playhouse]\n{text}\n").bytes());
    }
    vec![
        Case::kit("extension: grant empty", |k| add(k, "grants = [\"\"]")),
        Case::kit("extension: 65 grants", |k| add(k, &format!("grants = [{}]", "\"a\", ".repeat(65)))),
        Case::kit("extension: grant of 257 bytes", |k| add(k, &format!("grants = [\"{}\"]", "a".repeat(257)))),
        Case::kit("extension: grants as text", |k| add(k, "grants = \"all\"")),
        Case::kit("extension: concurrency of an unknown word", |k| add(k, "concurrency = \"parallel\"")),
        Case::kit("extension: concurrency of 0", |k| add(k, "concurrency = { concurrent = 0 }")),
        Case::kit("extension: concurrency of 4097", |k| add(k, "concurrency = { concurrent = 4097 }")),
        Case::kit("extension: concurrency below 0", |k| add(k, "concurrency = { concurrent = -1 }")),
        Case::kit("extension: both concurrent and keyed", |k| {
            add(k, "concurrency = { concurrent = 2, keyed = \"a\" }")
        }),
        Case::kit("extension: neither concurrent nor keyed", |k| add(k, "concurrency = {}")),
        Case::kit("extension: keyed by no field path", |k| add(k, "concurrency = { keyed = \"a..b\" }")),
        Case::kit("tolerated: keyed by a field", |k| add(k, "concurrency = { keyed = \"user.id\" }")),
        Case::kit("extension: limit misspelt", |k| add(k, "limits = { memory_byte = 1 }")),
        Case::kit("extension: limit of 0", |k| add(k, "limits = { cpu_ms = 0 }")),
        Case::kit("extension: limit below 0", |k| add(k, "limits = { memory_bytes = -1 }")),
        Case::kit("extension: limit beyond 64 bits", |k| add(k, "limits = { memory_bytes = 9223372036854775808 }")),
        Case::kit("extension: limit as text", |k| add(k, "limits = { wall_ms = \"30s\" }")),
        Case::kit("extension: limit as a fraction", |k| add(k, "limits = { wall_ms = 1.5 }")),
        Case::kit("extension: limits as a list", |k| add(k, "limits = [1]")),
        Case::kit("extension: limit twice", |k| add(k, "limits = { wall_ms = 1, wall_ms = 2 }")),
        Case::kit("tolerated: limits", |k| add(k, "limits = { memory_bytes = 65536, mailbox_messages = 9 }")),
        Case::kit("tolerated: no limits", |k| add(k, "limits = {}")),
        Case::kit("tolerated: no grants", |k| add(k, "grants = []")),
        Case::kit("tolerated: unknown key in the extension", |k| add(k, "colour = \"blue\"")),
    ]
}
