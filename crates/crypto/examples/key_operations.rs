//! How long operations with the keys of an actor take: `cargo run --release -p playhouse-crypto --example key_operations`

use std::hint::black_box;
use std::time::{Duration, Instant};

use playhouse_crypto::{HASH_INPUT_BYTES_MAX, KEY_INPUT_BYTES_MAX, KeyKind, KeyMaterial, MasterKey, hash_sha512};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut next = 0_u8;
    let mut random = |bytes: &mut [u8]| bytes.fill_with(|| (next, next = next.wrapping_add(1)).0);
    let master = MasterKey::generate(&mut random)?;
    let actor = "1@7/acme:Echo:1.0.0".parse()?;
    let vault = master.vault(&actor);
    let mut make = |kind| vault.create("k", KeyMaterial::generate(kind, &mut random)?, &mut random);
    let (signing, agreement, secret) = (make(KeyKind::Signing)?, make(KeyKind::Agreement)?, make(KeyKind::Secret)?);
    let (signing_keys, agreement_keys) = (vault.signing("k", &signing)?, vault.agreement("k", &agreement)?);
    let keys = vault.secret("k", &secret)?;
    let (small, medium, large) = (vec![1; 256], vec![1; 64 << 10], vec![1; KEY_INPUT_BYTES_MAX]);
    let huge = vec![1; HASH_INPUT_BYTES_MAX];
    let sealed = keys.seal(&large, b"", |bytes| bytes.fill(1))?;
    let peer = agreement_keys.public_key();

    measure("vault of an actor", || _ = black_box(master.vault(&actor)));
    measure("open a signing record", || _ = black_box(vault.signing("k", &signing)));
    measure("open a secret record", || _ = black_box(vault.secret("k", &secret)));
    measure("sign 256 B", || _ = black_box(signing_keys.sign(&small)));
    measure("sign 64 KiB", || _ = black_box(signing_keys.sign(&medium)));
    measure("sign 1 MiB", || _ = black_box(signing_keys.sign(&large)));
    measure("agree", || _ = black_box(agreement_keys.agree(&peer, b"")));
    measure("seal 256 B", || _ = black_box(keys.seal(&small, b"", |bytes| bytes.fill(1))));
    measure("seal 1 MiB", || _ = black_box(keys.seal(&large, b"", |bytes| bytes.fill(1))));
    measure("open 1 MiB", || _ = black_box(keys.open(&sealed, b"")));
    measure("mac 1 MiB", || _ = black_box(keys.mac(&large)));
    measure("SHA-512 of 16 MiB", || _ = black_box(hash_sha512(&huge)));
    Ok(())
}

/// The fastest of many rounds: others use this machine as well.
fn measure(what: &str, mut run: impl FnMut()) {
    const ROUNDS: u32 = 200;
    let mut fastest = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        run();
        fastest = fastest.min(start.elapsed());
    }
    println!("{what:<24} {:>9.1} us", fastest.as_secs_f64() * 1e6);
}
