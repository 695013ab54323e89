use super::Case;
use crate::zip::Entry;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = whole();
    cases.extend(ends());
    cases.extend(layout());
    cases
}

fn whole() -> Vec<Case> {
    vec![
        Case::bytes("empty file", Vec::clear),
        Case::bytes("one byte", |b| b.truncate(1)),
        Case::bytes("text", |b| *b = b"#!/bin/sh\nexit 1\n".to_vec()),
        Case::bytes("end record alone", |b| *b = [b"PK\x05\x06".as_slice(), &[0; 18]].concat()),
        Case::bytes("end record cut by one byte", |b| b.truncate(b.len() - 1)),
        Case::bytes("end record cut off", |b| b.truncate(b.len() - 22)),
        Case::bytes("first half", |b| b.truncate(b.len() / 2)),
        Case::bytes("second half", |b| drop(b.drain(..b.len() / 2))),
        Case::bytes("one trailing byte", |b| b.push(0)),
        Case::bytes("trailing line", |b| b.extend(b"\r\n")),
        Case::bytes("another archive behind", |b| b.extend(b.clone())),
        Case::bytes("64 KiB of zeros behind", |b| b.extend([0; 65_536])),
        Case::bytes("script before", |b| drop(b.splice(0..0, *b"#!/bin/sh\n"))),
        Case::bytes("compressed again", |b| *b = [&[0x1f, 0x8b, 8, 0], b.as_slice()].concat()),
        Case::bytes("tar", |b| {
            b.resize(512, 0);
            b[257..262].copy_from_slice(b"ustar");
        }),
        Case::kit("more entries than allowed", |k| {
            (k.limits.listed_files, k.limits.unlisted_entries) = (3, 0);
        }),
        Case::bytes("archive over the limit", |b| b.resize((80 << 20) + 1, 0)),
    ]
}

fn ends() -> Vec<Case> {
    vec![
        Case::zip("archive comment", |z| z.end.comment = b"hello".to_vec()),
        Case::zip("archive comment that holds an end record", |z| {
            z.end.comment = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
        }),
        Case::zip("comment length without comment", |z| z.end.comment_length = 1),
        Case::zip("on disk 1", |z| z.end.disk = 1),
        Case::zip("directory on disk 1", |z| z.end.directory_disk = 1),
        Case::zip("fewer entries here than in all", |z| z.end.entries_here = -1),
        Case::zip("one entry announced too many", |z| (z.end.entries_here, z.end.entries) = (1, 1)),
        Case::zip("one entry announced too few", |z| (z.end.entries_here, z.end.entries) = (-1, -1)),
        Case::zip("no entries announced", |z| {
            let n = i32::try_from(z.entries.len()).expect("few");
            (z.end.entries_here, z.end.entries) = (-n, -n);
        }),
        Case::zip("65534 entries announced", |z| {
            let n = i32::try_from(z.entries.len()).expect("few");
            (z.end.entries_here, z.end.entries) = (65_534 - n, 65_534 - n);
        }),
        Case::zip("65535 entries announced", |z| {
            let n = i32::try_from(z.entries.len()).expect("few");
            (z.end.entries_here, z.end.entries) = (65_535 - n, 65_535 - n);
        }),
        Case::zip("directory one byte later", |z| z.end.offset = 1),
        Case::zip("directory one byte earlier", |z| z.end.offset = -1),
        Case::zip("directory one byte shorter", |z| z.end.size = -1),
        Case::zip("directory one byte longer", |z| z.end.size = 1),
        Case::zip("directory begins late and is shorter", |z| (z.end.offset, z.end.size) = (1, -1)),
        Case::zip("directory begins early and is longer", |z| (z.end.offset, z.end.size) = (-1, 1)),
        Case::zip("directory at the end of 4 GiB", |z| z.end.offset = 0xf000_0000),
        Case::bytes("directory offset for ZIP64", |b| {
            let at = b.len() - 6;
            b[at..at + 4].fill(0xff);
        }),
        Case::bytes("directory size for ZIP64", |b| {
            let at = b.len() - 10;
            b[at..at + 4].fill(0xff);
        }),
        Case::zip("ZIP64 locator before the end record", |z| {
            z.after_directory = [b"PK\x06\x07".as_slice(), &[0; 16]].concat();
        }),
        Case::zip("bytes between directory and end record", |z| z.after_directory = vec![0]),
        Case::zip("digital signature behind the directory", |z| {
            z.after_directory = b"PK\x05\x05\0\0".to_vec();
            z.end.size = 6;
        }),
    ]
}

fn layout() -> Vec<Case> {
    vec![
        Case::zip("prefix that offsets account for", |z| z.prefix = b"MZ".to_vec()),
        Case::zip("prefix that offsets do not account for", |z| {
            z.prefix = b"MZ".to_vec();
            z.end.offset = -2;
            z.entries.iter_mut().for_each(|entry| entry.offset = -2);
        }),
        Case::zip("gap between entries", |z| z.entries[1].behind = vec![0; 7]),
        Case::zip("gap before the directory", |z| z.before_directory = vec![0]),
        Case::zip("archive decryption header before the directory", |z| {
            z.before_directory = b"PK\x06\x08\0\0\0\0".to_vec()
        }),
        Case::zip("data descriptor behind an entry without its flag", |z| {
            z.entries[1].behind = [b"PK\x07\x08".as_slice(), &[0; 12]].concat();
        }),
        Case::zip("hidden entry between entries", |z| {
            let mut hidden = crate::zip::Zip::default();
            hidden.entries.push(Entry::stored("hidden", b"hidden"));
            z.entries[2].behind = hidden.bytes()[..42].to_vec();
        }),
        Case::zip("local header far beyond the archive", |z| z.entries[5].offset = 0xf000_0000),
        Case::bytes("two directory entries for one local header", |b| {
            let offset = b.len() - 22 - 46 - "manifest.lock.toml".len();
            let previous = offset - 46 - "proto/echo.proto".len();
            let at = b[previous + 42..previous + 46].to_vec();
            b[offset + 42..offset + 46].copy_from_slice(&at);
        }),
        Case::zip("local header of another entry", |z| z.entries[1].offset = -1),
        Case::zip("local header one byte late", |z| z.entries[1].offset = 1),
        Case::zip("local header behind the directory", |z| z.entries[5].offset = 2000),
        Case::zip("offset for ZIP64", |z| z.entries[0].offset = 0xffff_ffff),
        Case::zip("first entry is not at the start", |z| {
            z.entries.remove(0).central.name.clear();
            z.prefix = vec![b' '; 30];
        }),
        Case::zip("tolerated: entries in another order", |z| z.entries.reverse()),
        Case::bytes("tolerated: directory in another order than the entries", |b| {
            let end = b.len() - 22;
            let start = u32::from_le_bytes(b[end + 16..end + 20].try_into().expect("four"));
            let first = 46 + "manifest.toml".len();
            b[usize::try_from(start).expect("small")..end].rotate_left(first);
        }),
    ]
}
