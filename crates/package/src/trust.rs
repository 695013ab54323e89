//! Whom to trust, as data.

mod error;
mod file;
mod instant;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use playhouse_crypto::{Digest, KeyId, VerifyingKey};
use playhouse_types::{ActorType, Name, Version};

pub use error::TrustPolicyError;
pub use version::compare_versions;

/// A public key and the time in which it may speak for its manufacturer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// The key.
    pub key: VerifyingKey,
    /// The first second, since 1970, in which the key counts.
    pub not_before: Option<u64>,
    /// The first second, since 1970, in which the key counts no more.
    pub not_after: Option<u64>,
}

impl TrustedKey {
    /// A key that counts at any time.
    #[must_use]
    pub const fn always(key: VerifyingKey) -> Self {
        Self { key, not_before: None, not_after: None }
    }
}

/// Whom to trust for what. The default trusts nobody.
///
/// A policy is one TOML file; [`TrustPolicy::parse`] reads it and [`TrustPolicy::to_toml`] writes it. It is data alone:
/// looking something up needs no network, and the time is an argument.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TrustPolicy {
    /// The keys that may sign for each manufacturer, and for no other.
    pub manufacturers: BTreeMap<Name, Vec<TrustedKey>>,
    /// Keys that may sign for any manufacturer: the static trust of actr 0.3.
    pub any_manufacturer: Vec<TrustedKey>,
    /// Keys that count no more, whatever else the policy says.
    pub revoked_keys: BTreeSet<KeyId>,
    /// Packages that may not run, by the digests of their manifests.
    pub revoked_packages: BTreeSet<Digest>,
    /// The lowest version of each type, by manufacturer and name.
    pub minimum: BTreeMap<(Name, Name), Version>,
    /// Accepts packages without a signature, or signed by anybody. For development alone: whoever can write a package
    /// to where it is loaded from can run anything.
    pub danger_accept_unsigned_for_development: bool,
}

impl TrustPolicy {
    /// Keys in one policy. Each may have to be tried, at about 50 µs.
    pub const KEYS_MAX: usize = 1024;

    /// A policy that trusts one key for one manufacturer.
    #[must_use]
    pub fn for_key(manufacturer: Name, key: VerifyingKey) -> Self {
        let mut policy = Self::default();
        policy.add_key(manufacturer, TrustedKey::always(key));
        policy
    }

    /// Trusts a key for a manufacturer. A key that is there already gets the new times.
    pub fn add_key(&mut self, manufacturer: Name, key: TrustedKey) {
        let keys = self.manufacturers.entry(manufacturer).or_default();
        match keys.iter_mut().find(|known| known.key == key.key) {
            Some(known) => *known = key,
            None => keys.push(key),
        }
    }

    /// Trusts a key no more, under any name. The policy remembers it as revoked.
    pub fn revoke_key(&mut self, id: KeyId) {
        self.revoked_keys.insert(id);
    }

    /// Refuses a package from now on.
    pub fn revoke_package(&mut self, manifest: Digest) {
        self.revoked_packages.insert(manifest);
    }

    /// Refuses older versions than that of `lowest` from now on. An older minimum does not replace a newer one.
    pub fn raise_minimum(&mut self, lowest: &ActorType) {
        let key = (lowest.manufacturer().clone(), lowest.name().clone());
        let raises = |now: &Version| compare_versions(lowest.version(), now).is_gt();
        if self.minimum.get(&key).is_none_or(raises) {
            self.minimum.insert(key, lowest.version().clone());
        }
    }

    /// The lowest version that may run of the type that `actor_type` is a version of.
    #[must_use]
    pub fn minimum_for(&self, actor_type: &ActorType) -> Option<&Version> {
        self.minimum.get(&(actor_type.manufacturer().clone(), actor_type.name().clone()))
    }

    /// The keys that may sign for a manufacturer, revoked and expired ones among them.
    pub fn keys_for(&self, manufacturer: &Name) -> impl Iterator<Item = &TrustedKey> {
        self.manufacturers.get(manufacturer).into_iter().flatten().chain(&self.any_manufacturer)
    }

    /// All keys, revoked and expired ones among them.
    pub(crate) fn all_keys(&self) -> impl Iterator<Item = &TrustedKey> {
        self.manufacturers.values().flatten().chain(&self.any_manufacturer)
    }
}

#[cfg(test)]
mod tests;
