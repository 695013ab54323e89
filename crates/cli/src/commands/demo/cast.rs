use bytes::Bytes;
use playhouse_crypto::VerifyingKey;
use playhouse_package::TrustPolicy;
use playhouse_types::{ActorType, Name};

use super::wrong;
use crate::error::Result;

/// The public key of Playhouse's test packages. Its private half is public (guests/fixture-key.json), so that only the demo and
/// tests may trust it.
const KEY: &str = "+BEJH3RVK6+TP3hvKFMYiSBcV8sD/jDeK64g7pHAIzE=";
const MANUFACTURER: &str = "playhouse-demo";

/// A package that is part of this program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fixture {
    pub(super) file: &'static str,
    bytes: &'static [u8],
}

impl Fixture {
    pub(super) const fn bytes(self) -> Bytes {
        Bytes::from_static(self.bytes)
    }
}

macro_rules! fixture {
    ($file:literal) => {
        Fixture {
            file: $file,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/packages/", $file)),
        }
    };
}

/// The packages of the play.
pub(super) const PACKAGES: [Fixture; 7] =
    [ECHO_WASM, CALLER_WASM, ECHO_NATIVE, CALLER_NATIVE, SINK_WASM, SOURCE_NATIVE, MISBEHAVING_WASM];
const ECHO_WASM: Fixture = fixture!("echo-wasm.actr");
const CALLER_WASM: Fixture = fixture!("caller-wasm.actr");
pub(super) const ECHO_NATIVE: Fixture = fixture!("echo-c.actr");
const CALLER_NATIVE: Fixture = fixture!("caller-native.actr");
const SINK_WASM: Fixture = fixture!("sink-wasm.actr");
const SOURCE_NATIVE: Fixture = fixture!("source-native.actr");
const MISBEHAVING_WASM: Fixture = fixture!("misbehaving-wasm.actr");

/// The type of that name in the play.
pub(super) fn actor_type(name: &str) -> Result<ActorType> {
    format!("{MANUFACTURER}:{name}:1.0.0").parse().map_err(|error| wrong(format!("{error}")))
}

/// Trust in the test packages and in nothing else.
pub(super) fn trust() -> Result<TrustPolicy> {
    let key = VerifyingKey::from_base64(KEY).map_err(|error| wrong(error.to_string()))?;
    let manufacturer: Name = MANUFACTURER.parse().map_err(|error| wrong(format!("{error}")))?;
    Ok(TrustPolicy::for_key(manufacturer, key))
}
