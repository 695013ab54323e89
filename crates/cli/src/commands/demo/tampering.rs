use bytes::Bytes;
use playhouse_package::{PackageLimits, TrustPolicy, verify};

use super::cast::{self, ECHO_WASM};
use super::report::RefusalRow;
use super::wrong;
use crate::error::Result;
use crate::time;

/// One byte of a package is changed, here in its manifest and there in its program; and the package is offered to somebody who trusts
/// nobody. All must be refused.
pub(super) fn refusals() -> Result<Vec<RefusalRow>> {
    let trust = cast::trust()?;
    let whole = ECHO_WASM.bytes();
    let size = whole.len();
    let manifest = position(&whole, b"EchoWasm").ok_or_else(|| wrong("the manifest is not where it was"))?;
    Ok(vec![
        refusal("one bit of its program flipped", flip(&whole, size / 2), &trust)?,
        refusal("one bit of its manifest flipped", flip(&whole, manifest), &trust)?,
        refusal("its last bytes cut off", whole.slice(..size - 100), &trust)?,
        refusal("unchanged, where nobody is trusted", whole, &TrustPolicy::default())?,
    ])
}

fn refusal(what: &'static str, bytes: Bytes, trust: &TrustPolicy) -> Result<RefusalRow> {
    match verify(bytes, trust, time::now(), &PackageLimits::default()) {
        Ok(_) => Err(wrong(format!("{}, {what}, was accepted", ECHO_WASM.file))),
        Err(error) => {
            Ok(RefusalRow { package: ECHO_WASM.file, what, code: error.code().text(), message: error.to_string() })
        }
    }
}

fn flip(bytes: &Bytes, at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes.into()
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
