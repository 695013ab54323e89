use super::Case;
use crate::kit::{BINARY, LOCK_PATH, MANIFEST, PROTO_PATH, RESOURCE, SIGNATURE};
use crate::zip::{Entry, Zip};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = missing();
    cases.extend(altered());
    cases.extend(lock());
    cases
}

fn without(zip: &mut Zip, name: &str) {
    zip.entries.retain(|entry| entry.central.name != name.as_bytes());
}

fn missing() -> Vec<Case> {
    vec![
        Case::zip("missing: everything", |z| z.entries.clear()),
        Case::zip("missing: signature", |z| without(z, SIGNATURE)),
        Case::zip("missing: manifest", |z| without(z, MANIFEST)),
        Case::zip("missing: manifest and signature", |z| {
            without(z, MANIFEST);
            without(z, SIGNATURE);
        }),
        Case::zip("missing: binary", |z| without(z, BINARY)),
        Case::zip("missing: resource", |z| without(z, RESOURCE)),
        Case::zip("missing: proto file", |z| without(z, PROTO_PATH)),
        Case::zip("missing: lock file", |z| without(z, LOCK_PATH)),
        Case::zip("missing: binary is elsewhere", |z| z.entry(BINARY).both(|h| h.name = b"bin/other.wasm".to_vec())),
        Case::zip("missing: binary is a directory", |z| {
            without(z, BINARY);
            z.entries.push(Entry::stored("bin/actor.wasm/", b""));
        }),
        Case::zip("missing: manifest is in a directory", |z| {
            z.entries.iter_mut().for_each(|entry| entry.both(|h| drop(h.name.splice(0..0, *b"acme/"))));
        }),
    ]
}

fn altered() -> Vec<Case> {
    vec![
        Case::zip("signature: empty", |z| *z.entry(SIGNATURE) = Entry::stored(SIGNATURE, b"")),
        Case::zip("signature: 63 bytes", |z| *z.entry(SIGNATURE) = Entry::stored(SIGNATURE, &[1; 63])),
        Case::zip("signature: 65 bytes", |z| *z.entry(SIGNATURE) = Entry::stored(SIGNATURE, &[1; 65])),
        Case::zip("signature: hexadecimal", |z| *z.entry(SIGNATURE) = Entry::stored(SIGNATURE, &[b'0'; 128])),
        Case::zip("signature: zeros", |z| *z.entry(SIGNATURE) = Entry::stored(SIGNATURE, &[0; 64])),
        Case::zip("signature: of the identity", |z| {
            let mut bytes = [0; 64];
            bytes[0] = 1;
            *z.entry(SIGNATURE) = Entry::stored(SIGNATURE, &bytes);
        }),
        Case::zip("signature: halves exchanged", |z| {
            let mut bytes = z.entry(SIGNATURE).data.clone();
            bytes.rotate_left(32);
            *z.entry(SIGNATURE) = Entry::stored(SIGNATURE, &bytes);
        }),
        Case::zip("altered: manifest with one more line", |z| {
            let manifest = crate::kit::Kit::good().manifest;
            *z.entry(MANIFEST) = Entry::stored(MANIFEST, &[manifest.as_slice(), b"\n"].concat());
        }),
        Case::zip("altered: manifest of another manufacturer", |z| {
            let manifest = String::from_utf8(crate::kit::Kit::good().manifest).expect("text");
            *z.entry(MANIFEST) = Entry::stored(MANIFEST, manifest.replace("acme", "evil").as_bytes());
        }),
        Case::zip("altered: manifest is not TOML any more", |z| *z.entry(MANIFEST) = Entry::stored(MANIFEST, b"[[[")),
        Case::zip("altered: manifest is not UTF-8 any more", |z| *z.entry(MANIFEST) = Entry::stored(MANIFEST, &[0xff])),
        Case::zip("altered: binary", |z| *z.entry(BINARY) = Entry::deflated(BINARY, b"evil")),
        Case::zip("altered: binary is empty", |z| *z.entry(BINARY) = Entry::stored(BINARY, b"")),
        Case::zip("altered: resource", |z| *z.entry(RESOURCE) = Entry::stored(RESOURCE, b"good dax")),
        Case::zip("altered: proto file", |z| *z.entry(PROTO_PATH) = Entry::stored(PROTO_PATH, b"")),
        Case::zip("altered: lock file", |z| *z.entry(LOCK_PATH) = Entry::stored(LOCK_PATH, b"")),
        Case::zip("altered: binary and resource exchanged", |z| {
            z.entry(BINARY).both(|h| h.name = b"x".to_vec());
            z.entry(RESOURCE).both(|h| h.name = BINARY.into());
            z.entry("x").both(|h| h.name = RESOURCE.into());
        }),
        Case::kit("too large: one file", |k| k.limits.content_bytes = 10),
        Case::kit("too large: all files together", |k| k.limits.content_bytes = 150),
        Case::kit("unlisted: more than allowed", |k| {
            k.limits.unlisted_entries = 1;
            k.edit = |z| z.entries.extend(["a", "b"].map(|name| Entry::stored(name, b"")));
        }),
        Case::kit("unlisted: none allowed", |k| {
            k.limits.unlisted_entries = 0;
            k.edit = |z| z.entries.push(Entry::stored("README", b""));
        }),
    ]
}

fn lock() -> Vec<Case> {
    vec![
        Case::kit("lock: not UTF-8", |k| k.put(LOCK_PATH, &[0xff])),
        Case::kit("lock: not TOML", |k| k.put(LOCK_PATH, b"[[dependency")),
        Case::kit("lock: name missing", |k| k.put(LOCK_PATH, b"[[dependency]]\nactr_type = \"a:b:1\"\n")),
        Case::kit("lock: files missing", |k| {
            k.put(
                LOCK_PATH,
                b"[[dependency]]\nname = \"b\"\nactr_type = \"a:b:1\"\nfingerprint = \"x\"\ncached_at = \"\"\n",
            );
        }),
        Case::kit("lock: type malformed", |k| k.put(LOCK_PATH, crate::kit::LOCK.replace(":1.0.0", "").as_bytes())),
        Case::kit("lock: type with four parts", |k| {
            k.put(LOCK_PATH, crate::kit::LOCK.replace(":1.0.0", ":1:0").as_bytes())
        }),
        Case::kit("lock: dependency twice", |k| k.put(LOCK_PATH, crate::kit::LOCK.repeat(2).as_bytes())),
        Case::kit("lock: version missing in its metadata", |k| k.put(LOCK_PATH, b"[metadata]\ngenerated_at = \"\"\n")),
        Case::kit("tolerated: empty lock file", |k| k.put(LOCK_PATH, b"")),
        Case::kit("tolerated: lock file of a later version", |k| {
            k.put(LOCK_PATH, b"[metadata]\nversion = 9\ngenerated_at = \"\"\nnew = 1\n");
        }),
        Case::kit("proto file is not UTF-8", |k| k.put(PROTO_PATH, &[b'/', b'/', 0xff])),
        Case::kit("tolerated: proto file that does not compile", |k| k.put(PROTO_PATH, b"message {")),
        Case::kit("tolerated: empty binary", |k| k.put(BINARY, b"")),
    ]
}
