//! The oracles of the fuzz targets, on what ordinary tests have at hand.

use playhouse_package::internal;

use crate::kit::{Kit, LOCK, PROTO, key};

#[test]
fn oracles_hold() {
    let mut kit = Kit::good();
    kit.sign_with(internal::key());
    let bytes = kit.zip().bytes();
    internal::check_package(&bytes);
    internal::check_archive(&bytes);
    for at in (0..bytes.len()).step_by(7) {
        let mut altered = bytes.clone();
        altered[at] ^= 0x10;
        internal::check_package(&altered);
        internal::check_archive(&altered);
        internal::check_archive(&bytes[..at]);
    }
    internal::check_manifest(&kit.manifest);
    for at in 0..kit.manifest.len() {
        internal::check_manifest(&[&kit.manifest[..at], &kit.manifest[at + 1..]].concat());
    }
    internal::check_lock(LOCK.as_bytes());
    internal::check_proto(PROTO);
    let mut policy = kit.policy;
    policy.revoke_key(key(9).key_id());
    policy.raise_minimum(&"acme:EchoService:1.0.0".parse().expect("type"));
    let text = policy.to_toml();
    (0..text.len()).for_each(|at| internal::check_trust(&[&text[..at], &text[at + 1..]].concat()));
}
