use playhouse_package::VerifiedPackage;

use crate::kit::Kit;

/// Everything that verification vouches for.
fn contents(package: &VerifiedPackage) -> impl PartialEq + std::fmt::Debug + use<> {
    let files: Vec<_> = package.files().map(|(path, bytes)| (path, bytes.clone())).collect();
    (package.manifest().clone(), files, package.lock().cloned(), package.signed_by(), package.package_digest())
}

#[test]
fn no_byte_can_be_altered() {
    let kit = Kit::good();
    let bytes = kit.zip().bytes();
    kit.verify_bytes(bytes.clone()).expect("good");
    let masks = (0..8).map(|bit| 1_u8 << bit).chain([0xff]);
    for mask in masks {
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= mask;
            let outcome = kit.verify_bytes(altered);
            assert!(outcome.is_err(), "byte {at} of {} xor {mask:#x}", bytes.len());
        }
    }
}

/// External attributes stand in the directory alone and may have four values. They mean nothing to us: no file is ever made
/// with them. Each entry has three other values in one byte; nothing else can be altered to any other value.
#[test]
fn fields_of_headers_have_few_values() {
    let kit = Kit::good();
    let bytes = kit.zip().bytes();
    let good = contents(&kit.verify_bytes(bytes.clone()).expect("good"));
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("directory");
    let mut tolerated = 0;
    for at in directory..bytes.len() {
        for value in 0..=u8::MAX {
            let mut altered = bytes.clone();
            altered[at] = value;
            if altered == bytes {
                continue;
            }
            if let Ok(package) = kit.verify_bytes(altered) {
                assert_eq!(contents(&package), good, "byte {at} to {value}");
                tolerated += 1;
            }
        }
    }
    let entries = kit.zip().entries.len();
    // Versions 1.0, 3.0, 4.5, 4.6, 5.1 and 6.3 for 2.0, DOS for Unix, and the modes 0600 and 0755 for 0644.
    assert_eq!(tolerated, entries * (6 + 1 + 2));
}

#[test]
fn no_length_but_the_whole() {
    let kit = Kit::good();
    let bytes = kit.zip().bytes();
    for length in 0..bytes.len() {
        assert!(kit.verify_bytes(bytes[..length].to_vec()).is_err(), "{length} of {}", bytes.len());
        assert!(kit.verify_bytes(bytes[bytes.len() - length..].to_vec()).is_err(), "last {length} of {}", bytes.len());
    }
}
