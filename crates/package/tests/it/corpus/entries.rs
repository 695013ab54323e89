use super::Case;
use crate::kit::{BINARY, MANIFEST, RESOURCE, SIGNATURE};
use crate::zip::{Entry, Zip};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(more_names());
    cases.extend(clashes());
    cases.extend(fields());
    cases.extend(differences());
    cases.extend(data());
    cases
}

/// Adds an entry that the manifest does not list.
fn add(zip: &mut Zip, name: &str) {
    zip.entries.push(Entry::stored(name, b"unlisted"));
}

/// Adds an entry whose name is marked as UTF-8.
fn add_marked(zip: &mut Zip, name: &str) {
    add(zip, name);
    zip.entries.last_mut().expect("added").both(|header| header.flags = 1 << 11);
}

fn names() -> Vec<Case> {
    vec![
        Case::zip("name: empty", |z| add(z, "")),
        Case::zip("name: parent", |z| add(z, "..")),
        Case::zip("name: below the parent", |z| add(z, "../evil")),
        Case::zip("name: back and away", |z| add(z, "data/../../evil")),
        Case::zip("name: back to where it was", |z| add(z, "data/../evil")),
        Case::zip("name: ends with the parent", |z| add(z, "data/..")),
        Case::zip("name: here", |z| add(z, "./evil")),
        Case::zip("name: here inside", |z| add(z, "data/./evil")),
        Case::zip("name: absolute", |z| add(z, "/etc/passwd")),
        Case::zip("name: network share", |z| add(z, "//host/share")),
        Case::zip("name: two slashes", |z| add(z, "data//evil")),
        Case::zip("name: backslash", |z| add(z, "data\\evil")),
        Case::zip("name: parent with backslash", |z| add(z, "..\\evil")),
        Case::zip("name: drive", |z| add(z, "C:/evil")),
        Case::zip("name: drive without slash", |z| add(z, "C:evil")),
        Case::zip("name: alternate stream", |z| add(z, "manifest.toml:evil")),
        Case::zip("name: NUL", |z| add(z, "evil\0.txt")),
        Case::zip("name: newline", |z| add(z, "evil\n")),
        Case::zip("name: escape", |z| add(z, "\u{1b}[2J")),
        Case::zip("name: delete", |z| add(z, "evil\u{7f}")),
    ]
}

fn more_names() -> Vec<Case> {
    vec![
        Case::zip("name: trailing dot", |z| add(z, "manifest.toml.")),
        Case::zip("name: trailing space", |z| add(z, "manifest.toml ")),
        Case::zip("name: trailing dot in a directory", |z| add(z, "data./evil")),
        Case::zip("name: device", |z| add(z, "data/NUL")),
        Case::zip("name: device with extension", |z| add(z, "com1.txt")),
        Case::zip("name: console", |z| add(z, "conout$")),
        Case::zip("name: star", |z| add(z, "*.toml")),
        Case::zip("name: question mark", |z| add(z, "manifest?toml")),
        Case::zip("name: quote", |z| add(z, "\"evil\"")),
        Case::zip("name: pipe", |z| add(z, "evil|sh")),
        Case::zip("name: 256 bytes in a segment", |z| add(z, &"a".repeat(256))),
        Case::zip("name: 1025 bytes", |z| add(z, &"ab/".repeat(400)[..1025])),
        Case::zip("name: not UTF-8", |z| {
            add(z, "x");
            z.entries.last_mut().expect("added").both(|header| header.name = vec![0xff, 0xfe]);
        }),
        Case::zip("name: not UTF-8 although marked", |z| {
            add(z, "x");
            z.entries.last_mut().expect("added").both(|header| {
                header.name = vec![0xc3, 0x28];
                header.flags = 1 << 11;
            });
        }),
        Case::zip("name: UTF-8 that is not marked", |z| add(z, "grüße.txt")),
        Case::zip("name: C1 control", |z| {
            add(z, "evil\u{85}");
            z.entries.last_mut().expect("added").both(|header| header.flags = 1 << 11);
        }),
        Case::zip("name: right-to-left override", |z| {
            add(z, "gpj.\u{202e}evil");
            z.entries.last_mut().expect("added").both(|header| header.flags = 1 << 11);
        }),
        Case::zip("tolerated: UTF-8 name that is marked", |z| {
            add(z, "grüße.txt");
            z.entries.last_mut().expect("added").both(|header| header.flags = 1 << 11);
        }),
        Case::zip("tolerated: unlisted entry", |z| add(z, "README")),
        Case::zip("tolerated: hidden name", |z| add(z, ".hidden")),
        Case::zip("tolerated: directory entry", |z| {
            z.entries.push(Entry::stored("data/", b""));
            z.entries.last_mut().expect("added").external = 0o40_755 << 16 | 0x10;
        }),
    ]
}

fn clashes() -> Vec<Case> {
    vec![
        Case::zip("duplicate: manifest", |z| z.entries.push(Entry::stored(MANIFEST, b"manufacturer = \"evil\""))),
        Case::zip("duplicate: manifest first", |z| z.entries.insert(0, Entry::stored(MANIFEST, b""))),
        Case::zip("duplicate: signature", |z| z.entries.push(Entry::stored(SIGNATURE, &[0; 64]))),
        Case::zip("duplicate: binary", |z| z.entries.push(Entry::stored(BINARY, b"evil"))),
        Case::zip("duplicate: binary with the same contents", |z| {
            let twin = z.entry(BINARY).clone();
            z.entries.push(twin);
        }),
        Case::zip("duplicate: unlisted", |z| (0..2).for_each(|_| add(z, "README"))),
        Case::zip("duplicate: directory", |z| (0..2).for_each(|_| z.entries.push(Entry::stored("x/", b"")))),
        Case::zip("case: manifest", |z| add(z, "Manifest.toml")),
        Case::zip("case: signature", |z| add(z, "MANIFEST.SIG")),
        Case::zip("case: binary", |z| add(z, "bin/Actor.wasm")),
        Case::zip("case: directory of the binary", |z| add(z, "Bin/other")),
        Case::zip("case: directory entry", |z| z.entries.push(Entry::stored("BIN/", b""))),
        Case::zip("case: outside ASCII", |z| {
            add(z, "Ä.txt");
            add(z, "ä.txt");
            z.entries.iter_mut().for_each(|entry| entry.both(|header| header.flags = 1 << 11));
        }),
        Case::zip("case: long s", |z| {
            add(z, "manife\u{17f}t.toml");
            z.entries.last_mut().expect("added").both(|header| header.flags = 1 << 11);
        }),
        Case::zip("case: Kelvin", |z| {
            add(z, "k");
            add(z, "\u{212a}");
            z.entries.last_mut().expect("added").both(|header| header.flags = 1 << 11);
        }),
        Case::zip("Unicode: decomposed name", |z| add_marked(z, "gru\u{308}\u{df}e.txt")),
        Case::zip("Unicode: composed and decomposed", |z| {
            add_marked(z, "\u{e9}.txt");
            add_marked(z, "e\u{301}.txt");
        }),
        Case::zip("Unicode: sign for a letter (Angstrom)", |z| add_marked(z, "\u{212b}.txt")),
        Case::zip("Unicode: Hangul in parts", |z| add_marked(z, "\u{1112}\u{1161}\u{11ab}")),
        Case::zip("Unicode: marks in another order", |z| add_marked(z, "a\u{315}\u{300}")),
        Case::zip("Unicode: letter excluded from composition", |z| add_marked(z, "\u{958}")),
        Case::zip("Unicode: decomposed directory", |z| add_marked(z, "e\u{301}/x")),
        Case::zip("case: differs in a composed letter", |z| {
            add_marked(z, "\u{c9}.txt");
            add_marked(z, "\u{e9}.txt");
        }),
        Case::zip("case: upper case decomposes", |z| {
            // Without a composed capital: folding takes j with caron apart.
            add_marked(z, "\u{1f0}");
            add_marked(z, "J\u{30c}");
        }),
        Case::zip("case: iota below", |z| {
            add_marked(z, "\u{1fb3}");
            add_marked(z, "\u{391}\u{399}");
        }),
        Case::zip("tolerated: Hangul syllable", |z| add_marked(z, "\u{d55c}")),
        Case::zip("file and directory: binary", |z| add(z, "bin/actor.wasm/evil")),
        Case::zip("file and directory: directory first", |z| {
            z.entries.insert(0, Entry::stored("bin/actor.wasm/x", b""))
        }),
        Case::zip("file and directory: directory entry", |z| z.entries.push(Entry::stored("bin/actor.wasm/", b""))),
        Case::zip("file and directory: parent is a file", |z| add(z, "bin")),
    ]
}

fn fields() -> Vec<Case> {
    vec![
        Case::zip("encrypted", |z| z.entry(BINARY).both(|h| h.flags |= 1)),
        Case::zip("encrypted strongly", |z| z.entry(BINARY).both(|h| h.flags |= 1 << 6)),
        Case::zip("directory masked", |z| z.entry(BINARY).both(|h| h.flags |= 1 << 13)),
        Case::zip("encrypted although unlisted", |z| {
            add(z, "README");
            z.entry("README").both(|h| h.flags |= 1);
        }),
        Case::zip("sizes behind the data", |z| z.entry(RESOURCE).both(|h| h.flags |= 1 << 3)),
        Case::zip("patched data", |z| z.entry(RESOURCE).both(|h| h.flags |= 1 << 5)),
        Case::zip("unknown flag", |z| z.entry(RESOURCE).both(|h| h.flags |= 1 << 15)),
        Case::zip("deflate level for a stored file", |z| z.entry(RESOURCE).both(|h| h.flags |= 1 << 1)),
        Case::zip("method: shrink", |z| z.entry(BINARY).both(|h| h.method = 1)),
        Case::zip("method: deflate64", |z| z.entry(BINARY).both(|h| h.method = 9)),
        Case::zip("method: bzip2", |z| z.entry(BINARY).both(|h| h.method = 12)),
        Case::zip("method: LZMA", |z| z.entry(BINARY).both(|h| h.method = 14)),
        Case::zip("method: zstd", |z| z.entry(BINARY).both(|h| h.method = 93)),
        Case::zip("method: AES", |z| z.entry(BINARY).both(|h| h.method = 99)),
        Case::zip("symbolic link", |z| z.entry(BINARY).external = 0o120_777 << 16),
        Case::zip("symbolic link although unlisted", |z| {
            add(z, "link");
            z.entry("link").external = 0o120_777 << 16;
        }),
        Case::zip("device file", |z| z.entry(BINARY).external = 0o20_666 << 16),
        Case::zip("named pipe", |z| z.entry(BINARY).external = 0o10_644 << 16),
        Case::zip("socket", |z| z.entry(BINARY).external = 0o140_644 << 16),
        Case::zip("directory attributes on a file", |z| z.entry(BINARY).external = 0o40_755 << 16),
        Case::zip("set-user-id", |z| z.entry(BINARY).external = 0o104_755 << 16),
        Case::zip("hidden on DOS", |z| z.entry(BINARY).external = 2),
        Case::zip("file attributes on a directory", |z| {
            z.entries.push(Entry::stored("x/", b""));
            z.entry("x/").external = 0o100_644 << 16;
        }),
        Case::zip("directory with contents", |z| {
            z.entries.push(Entry::stored("x/", b"contents"));
        }),
        Case::zip("text marked in the internal attributes", |z| z.entry(BINARY).internal = 1),
        Case::zip("entry on disk 1", |z| z.entry(BINARY).disk = 1),
        Case::zip("entry comment", |z| z.entry(BINARY).comment = b"hello".to_vec()),
        Case::zip("extra field in both headers", |z| z.entry(BINARY).both(|h| h.extra = b"UT\0\0".to_vec())),
        Case::zip("extra field in the directory", |z| z.entry(BINARY).central.extra = b"UT\0\0".to_vec()),
        Case::zip("extra field in the local header", |z| z.entry(BINARY).local.extra = b"UT\0\0".to_vec()),
        Case::zip("Unicode path in an extra field", |z| {
            z.entry(BINARY).both(|h| h.extra = b"up\x06\0\x01\0\0\0\0x".to_vec())
        }),
        Case::zip("made by version 9.9", |z| z.entry(BINARY).made_by = 0x0363),
        Case::zip("made by BeOS", |z| z.entry(BINARY).made_by = 0x1014),
        Case::zip("needs ZIP64", |z| z.entry(BINARY).both(|h| h.needs = 45)),
        Case::zip("needs version 0", |z| z.entry(BINARY).both(|h| h.needs = 0)),
        Case::zip("sizes for ZIP64", |z| z.entry(BINARY).both(|h| (h.packed, h.size) = (u32::MAX, u32::MAX))),
        Case::zip("tolerated: needs version 1.0", |z| z.entry(RESOURCE).both(|h| h.needs = 10)),
        Case::zip("tolerated: program attributes", |z| z.entry(BINARY).external = 0o100_755 << 16),
        Case::zip("tolerated: no attributes", |z| z.entry(BINARY).external = 0),
        Case::zip("tolerated: another time", |z| z.entry(BINARY).both(|h| h.time = 0)),
        Case::zip("tolerated: deflate level", |z| z.entry(BINARY).both(|h| h.flags = 1 << 1)),
        Case::zip("tolerated: ASCII name marked as UTF-8", |z| z.entry(BINARY).both(|h| h.flags = 1 << 11)),
    ]
}

fn differences() -> Vec<Case> {
    vec![
        Case::zip("headers differ: version", |z| z.entry(BINARY).local.needs = 10),
        Case::zip("headers differ: flags", |z| z.entry(BINARY).local.flags = 1 << 11),
        Case::zip("headers differ: encryption in the local header", |z| z.entry(BINARY).local.flags = 1),
        Case::zip("headers differ: descriptor flag in the local header", |z| z.entry(BINARY).local.flags = 1 << 3),
        Case::zip("headers differ: method", |z| z.entry(BINARY).local.method = 0),
        Case::zip("headers differ: time", |z| z.entry(BINARY).local.time += 1),
        Case::zip("headers differ: checksum", |z| z.entry(BINARY).local.crc ^= 1),
        Case::zip("headers differ: packed size", |z| z.entry(BINARY).local.packed += 1),
        Case::zip("headers differ: size", |z| z.entry(BINARY).local.size += 1),
        Case::zip("headers differ: name", |z| z.entry(BINARY).local.name = b"bin/actor.wasn".to_vec()),
        Case::zip("headers differ: shorter name", |z| z.entry(BINARY).local.name = b"bin/actor.was".to_vec()),
        Case::zip("headers differ: case of the name", |z| z.entry(BINARY).local.name = b"bin/Actor.wasm".to_vec()),
        Case::zip("local signature wrong", |z| z.entry(BINARY).local.signature = *b"PK\x03\x05"),
        Case::zip("directory signature wrong", |z| z.entry(BINARY).central.signature = *b"PK\x01\x03"),
        Case::zip("local header of the directory's form", |z| z.entry(BINARY).local.signature = *b"PK\x01\x02"),
    ]
}

fn data() -> Vec<Case> {
    vec![
        Case::zip("stored with two sizes", |z| z.entry(RESOURCE).both(|h| h.size += 1)),
        Case::zip("packed size reaches into the next entry", |z| z.entry(BINARY).both(|h| h.packed += 1)),
        Case::zip("packed size reaches into the directory", |z| {
            z.entries.last_mut().expect("lock").both(|h| {
                h.packed += 1;
                h.size += 1;
            });
        }),
        Case::zip("packed size of 4 GiB", |z| z.entry(BINARY).both(|h| h.packed = 0xffff_fffe)),
        Case::zip("packed size too small", |z| z.entry(BINARY).both(|h| h.packed -= 1)),
        Case::zip("checksum wrong in both headers", |z| z.entry(BINARY).both(|h| h.crc ^= 1)),
        Case::zip("checksum of a stored file wrong in both headers", |z| z.entry(RESOURCE).both(|h| h.crc ^= 1)),
        Case::zip("inflates to one byte more than promised", |z| z.entry(BINARY).both(|h| h.size -= 1)),
        Case::zip("inflates to one byte less than promised", |z| z.entry(BINARY).both(|h| h.size += 1)),
        Case::zip("promises 4 GiB from a few bytes", |z| z.entry(BINARY).both(|h| h.size = 0xffff_fffe)),
        Case::zip("promises 64 MiB from a few bytes", |z| z.entry(BINARY).both(|h| h.size = 64 << 20)),
        Case::zip("promises 40 MiB from a few bytes", |z| z.entry(BINARY).both(|h| h.size = 40 << 20)),
        Case::zip("bomb: 20 MiB that promise a few bytes", |z| {
            let size = z.entry(BINARY).central.size;
            let mut bomb = Entry::deflated(BINARY, &vec![0; 20 << 20]);
            bomb.both(|h| h.size = size);
            *z.entry(BINARY) = bomb;
        }),
        Case::zip("bomb: manifest of 20 MiB", |z| {
            *z.entry(MANIFEST) = Entry::deflated(MANIFEST, &vec![b' '; 20 << 20])
        }),
        Case::zip("bomb: manifest of 20 MiB that promises little", |z| {
            let mut bomb = Entry::deflated(MANIFEST, &vec![b' '; 20 << 20]);
            bomb.both(|h| h.size = 100_000);
            *z.entry(MANIFEST) = bomb;
        }),
        Case::zip("bomb: signature of 20 MiB", |z| {
            *z.entry(SIGNATURE) = Entry::deflated(SIGNATURE, &vec![0; 20 << 20])
        }),
        Case::zip("bomb: signature of 20 MiB that promises 64 bytes", |z| {
            let mut bomb = Entry::deflated(SIGNATURE, &vec![0; 20 << 20]);
            bomb.both(|h| h.size = 64);
            *z.entry(SIGNATURE) = bomb;
        }),
        Case::zip("deflated data is noise", |z| z.entry(BINARY).data.fill(0xff)),
        Case::zip("deflated data is empty", |z| {
            z.entry(BINARY).data.clear();
            z.entry(BINARY).both(|h| (h.packed, h.size) = (0, 0));
        }),
        Case::zip("bytes behind the deflated data", |z| {
            z.entry(BINARY).data.extend([0, 0, 0]);
            z.entry(BINARY).both(|h| h.packed += 3);
        }),
        Case::zip("second stream behind the deflated data", |z| {
            let data = z.entry(BINARY).data.clone();
            z.entry(BINARY).data.extend(&data);
            z.entry(BINARY).both(|h| h.packed *= 2);
        }),
        Case::zip("bit behind the deflated data", |z| *z.entry(BINARY).data.last_mut().expect("data") |= 0x80),
        Case::zip("zlib header before the deflated data", |z| {
            z.entry(BINARY).data.splice(0..0, [0x78, 0x9c]);
            z.entry(BINARY).both(|h| h.packed += 2);
        }),
    ]
}
