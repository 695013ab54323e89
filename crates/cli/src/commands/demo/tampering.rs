use bytes::Bytes;
use playhouse_package::{PackageLimits, TrustPolicy, verify};

use super::cast::{self, ECHO_NATIVE};
use super::report::RefusalRow;
use super::wrong;
use crate::error::Result;
use crate::time;

/// One bit of a package is flipped, here in its manifest and there in its program, by somebody who corrects the archive's checksums as
/// well; a package is cut off; and one is offered to somebody who trusts nobody. All must be refused.
pub(super) fn refusals() -> Result<Vec<RefusalRow>> {
    let trust = cast::trust()?;
    let whole = ECHO_NATIVE.bytes();
    let limits = PackageLimits::default();
    let package = verify(whole.clone(), &trust, time::now(), &limits)?;
    let program = forge(&whole, package.binary())?;
    let manifest = forge(&whole, &package.manifest().raw)?;
    let cut = whole.slice(..whole.len() - 1);
    Ok(vec![
        refusal("one bit of its program flipped", program, &trust)?,
        refusal("one bit of its manifest flipped", manifest, &trust)?,
        refusal("its last byte cut off", cut, &trust)?,
        refusal("unchanged, where nobody is trusted", whole, &TrustPolicy::default())?,
    ])
}

fn refusal(what: &'static str, bytes: Bytes, trust: &TrustPolicy) -> Result<RefusalRow> {
    match verify(bytes, trust, time::now(), &PackageLimits::default()) {
        Ok(_) => Err(wrong(format!("{}, {what}, was accepted", ECHO_NATIVE.file))),
        Err(error) => {
            Ok(RefusalRow { package: ECHO_NATIVE.file, what, code: error.code().text(), message: error.to_string() })
        }
    }
}

/// The archive, in which the file is stored as it is, with one bit in the middle of a file flipped, and with the file's new checksum wherever the old one stands.
fn forge(archive: &Bytes, file: &Bytes) -> Result<Bytes> {
    let start = archive.windows(file.len()).position(|window| window == file);
    let start = start.ok_or_else(|| wrong(format!("{} is compressed", ECHO_NATIVE.file)))?;
    let mut forged = archive.to_vec();
    let range = start..start + file.len();
    forged[start + file.len() / 2] ^= 1;
    let (old, new) = (checksum(file).to_le_bytes(), checksum(&forged[range]).to_le_bytes());
    for at in 0..forged.len() - old.len() {
        if forged[at..].starts_with(&old) {
            forged[at..at + new.len()].copy_from_slice(&new);
        }
    }
    Ok(forged.into())
}

/// The CRC-32 of ZIP archives.
fn checksum(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (POLYNOMIAL & (sum & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::{checksum, refusals};

    #[test]
    fn checksums_are_those_of_zip() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn each_forgery_is_refused_for_what_it_is() {
        let codes: Vec<_> = refusals().unwrap().into_iter().map(|row| row.code).collect();
        assert_eq!(codes, ["package-digest", "package-signature", "package-archive", "trust-unknown"]);
    }
}
