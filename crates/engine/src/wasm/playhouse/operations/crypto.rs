//! `playhouse:actor/crypto@0.1.0`.

use playhouse_types::{self as ours, ActorError, CryptoOp, HostOp};
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, WasmList, WasmStr};

use super::offer;
use crate::wasm::guest::Guest;
use crate::wasm::replies;

/// The interface's name.
pub(super) const NAME: &str = "playhouse:actor/crypto@0.1.0";

#[derive(Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "wasmtime makes the values")]
enum KeyPurpose {
    #[component(name = "sign")]
    Sign,
    #[component(name = "agree")]
    Agree,
}

impl From<KeyPurpose> for ours::KeyPurpose {
    fn from(purpose: KeyPurpose) -> Self {
        match purpose {
            KeyPurpose::Sign => Self::Sign,
            KeyPurpose::Agree => Self::Agree,
        }
    }
}

#[derive(Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "wasmtime makes the values")]
enum HashAlgorithm {
    #[component(name = "sha256")]
    Sha256,
    #[component(name = "sha512")]
    Sha512,
}

impl From<HashAlgorithm> for ours::HashAlgorithm {
    fn from(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Self::Sha256,
            HashAlgorithm::Sha512 => Self::Sha512,
        }
    }
}

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let crypto = &mut linker.instance(NAME)?;
    signatures(crypto)?;
    seals(crypto)?;
    keys_of_keys(crypto)?;
    digests(crypto)
}

type Interface<'l> = LinkerInstance<'l, Guest>;
type Bytes = WasmList<u8>;
type Op = Result<HostOp, ActorError>;

fn op(op: CryptoOp) -> Op {
    Ok(HostOp::Crypto(op))
}

fn signatures(crypto: &mut Interface<'_>) -> wasmtime::Result<()> {
    offer(
        crypto,
        "public-key",
        |memory, (key, purpose): (WasmStr, KeyPurpose)| {
            op(CryptoOp::PublicKey { key: memory.label(&key)?, purpose: purpose.into() })
        },
        replies::bytes,
    )?;
    offer(
        crypto,
        "sign",
        |memory, (key, message): (WasmStr, Bytes)| {
            op(CryptoOp::Sign { key: memory.label(&key)?, message: memory.bytes(&message) })
        },
        replies::bytes,
    )?;
    offer(
        crypto,
        "verify",
        |memory, (public_key, message, signature): (Bytes, Bytes, Bytes)| {
            let [public_key, message, signature] = [public_key, message, signature].map(|list| memory.bytes(&list));
            op(CryptoOp::Verify { public_key, message, signature })
        },
        replies::flag,
    )
}

fn seals(crypto: &mut Interface<'_>) -> wasmtime::Result<()> {
    offer(
        crypto,
        "seal",
        |memory, (key, plaintext, context): (WasmStr, Bytes, Bytes)| {
            let [plaintext, context] = [plaintext, context].map(|list| memory.bytes(&list));
            op(CryptoOp::Seal { key: memory.label(&key)?, plaintext, context })
        },
        replies::bytes,
    )?;
    offer(
        crypto,
        "open",
        |memory, (key, ciphertext, context): (WasmStr, Bytes, Bytes)| {
            let [ciphertext, context] = [ciphertext, context].map(|list| memory.bytes(&list));
            op(CryptoOp::Open { key: memory.label(&key)?, ciphertext, context })
        },
        replies::bytes,
    )
}

/// Keys that come of other keys.
fn keys_of_keys(crypto: &mut Interface<'_>) -> wasmtime::Result<()> {
    offer(
        crypto,
        "agree",
        |memory, (key, peer, context, into): (WasmStr, Bytes, Bytes, WasmStr)| {
            let [peer, context] = [peer, context].map(|list| memory.bytes(&list));
            op(CryptoOp::Agree { key: memory.label(&key)?, peer, context, into: memory.label(&into)? })
        },
        replies::done,
    )?;
    offer(
        crypto,
        "derive",
        |memory, (key, context, into): (WasmStr, Bytes, WasmStr)| {
            let (key, into) = (memory.label(&key)?, memory.label(&into)?);
            op(CryptoOp::Derive { key, context: memory.bytes(&context), into })
        },
        replies::done,
    )
}

fn digests(crypto: &mut Interface<'_>) -> wasmtime::Result<()> {
    offer(
        crypto,
        "hash",
        |memory, (algorithm, data): (HashAlgorithm, Bytes)| {
            op(CryptoOp::Hash { algorithm: algorithm.into(), data: memory.bytes(&data) })
        },
        replies::bytes,
    )?;
    offer(
        crypto,
        "mac",
        |memory, (key, message): (WasmStr, Bytes)| {
            op(CryptoOp::Mac { key: memory.label(&key)?, message: memory.bytes(&message) })
        },
        replies::bytes,
    )?;
    offer(
        crypto,
        "verify-mac",
        |memory, (key, message, tag): (WasmStr, Bytes, Bytes)| {
            let [message, tag] = [message, tag].map(|list| memory.bytes(&list));
            op(CryptoOp::VerifyMac { key: memory.label(&key)?, message, tag })
        },
        replies::flag,
    )
}
