//! Packages as other writers of ZIP make them.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::kit::{Kit, MANIFEST, SIGNATURE};

fn with_the_zip_crate(kit: &Kit, options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let signature = kit.signer.sign(&kit.manifest);
    let own = [(MANIFEST.to_owned(), kit.manifest.clone()), (SIGNATURE.to_owned(), signature.as_bytes().to_vec())];
    for (name, contents) in own.iter().chain(&kit.files) {
        writer.start_file(name.as_str(), options).expect("in memory");
        writer.write_all(contents).expect("in memory");
    }
    writer.finish().expect("in memory").into_inner()
}

#[test]
fn the_writer_that_rust_programs_use() {
    let kit = Kit::good();
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let options = SimpleFileOptions::default().compression_method(method);
        for options in [options, options.unix_permissions(0o755), options.unix_permissions(0o600)] {
            let package = kit.verify_bytes(with_the_zip_crate(&kit, options)).expect("accepted");
            assert_eq!(package.manifest().raw, kit.manifest);
        }
    }
}

/// Made by Python's `zipfile.ZipFile.writestr`, stored and deflated; the script stands in the file's comment below.
#[test]
fn the_reader_that_rust_programs_use_takes_what_we_build() {
    let key = crate::kit::key(1);
    let actor_type = "acme:EchoService:1.2.3".parse().expect("type");
    let bytes = playhouse_package::Builder::new(actor_type, "wasm32-wasip2", b"\0asm".as_slice().into())
        .kind(playhouse_package::BinaryKind::Component)
        .resource("grüße/x.txt", b"hello".as_slice().into())
        .proto("echo.proto", crate::kit::PROTO)
        .lock(crate::kit::LOCK)
        .build(&key)
        .expect("builds");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes.clone())).expect("reads");
    let names: Vec<_> =
        (0..archive.len()).map(|n| archive.by_index(n).expect("reads").name().expect("UTF-8").into_owned()).collect();
    let order = [MANIFEST, SIGNATURE, "manifest.lock.toml", "bin/actor.wasm", "grüße/x.txt", "proto/echo.proto"];
    assert_eq!(names, order);
    Kit::good().verify_bytes(bytes.to_vec()).expect("verifies");
}
