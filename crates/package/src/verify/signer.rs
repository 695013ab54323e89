use playhouse_crypto::{Digest, Signature};

use super::VerifyError;
use crate::manifest::{Manifest, claim};
use crate::package::Signer;
use crate::trust::{TrustPolicy, TrustedKey, compare_versions};

/// Under whose key the signature is valid.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    Signed(&'a TrustedKey),
    /// Nobody trusted signed it, and the policy accepts that.
    DangerUnsigned,
}

impl Verdict<'_> {
    pub(super) fn signer(&self) -> Signer {
        match self {
            Self::Signed(key) => Signer::Key(key.key.key_id()),
            Self::DangerUnsigned => Signer::DangerUnsigned,
        }
    }
}

/// Finds the trusted key under which the manifest's bytes are signed.
///
/// What the manifest claims is used to choose keys and to word refusals, and is forgotten then. A manifest that cannot be read
/// is tried with every key: if one fits, its signer has made a mistake, and the manifest's parser names it.
pub(super) fn find<'a>(
    raw: &[u8],
    signature: Option<&Signature>,
    policy: &'a TrustPolicy,
) -> Result<Verdict<'a>, VerifyError> {
    let Some(signature) = signature else { return Ok(Verdict::DangerUnsigned) };
    let Some(claim) = claim(raw) else {
        let signed = policy.all_keys().find(|key| key.key.verify(raw, signature).is_ok());
        return signed.map(Verdict::Signed).ok_or(VerifyError::SignatureInvalid { key: None });
    };
    let mut keys: Vec<_> = policy.keys_for(&claim.manufacturer).collect();
    // The key that is named is the likeliest; the others are tried to tell a wrong name from a wrong signature.
    keys.sort_by_key(|key| claim.key_id != Some(key.key.key_id()));
    if let Some(key) = keys.iter().find(|key| key.key.verify(raw, signature).is_ok()) {
        return Ok(Verdict::Signed(key));
    }
    let is_known = claim.key_id.is_none_or(|id| keys.iter().any(|key| key.key.key_id() == id));
    if !keys.is_empty() && is_known {
        return Err(VerifyError::SignatureInvalid { key: claim.key_id });
    }
    if let Some(key) = claim.key_id.filter(|id| policy.revoked_keys.contains(id)) {
        return Err(VerifyError::KeyRevoked { key });
    }
    if policy.danger_accept_unsigned_for_development {
        return Ok(Verdict::DangerUnsigned);
    }
    let manufacturer = claim.manufacturer;
    match claim.key_id {
        Some(key) if !keys.is_empty() => Err(VerifyError::KeyUnknown { manufacturer, key }),
        key => Err(VerifyError::ManufacturerUnknown { manufacturer, key }),
    }
}

/// Checks what the policy says about the key, the package and the version, now that the manifest is known to be the signer's.
pub(super) fn admit(
    verdict: &Verdict<'_>,
    manifest: &Manifest,
    digest: Digest,
    policy: &TrustPolicy,
    now: u64,
) -> Result<(), VerifyError> {
    if let Verdict::Signed(trusted) = verdict {
        admit_key(trusted, manifest, policy, now)?;
    }
    if policy.revoked_packages.contains(&digest) {
        return Err(VerifyError::PackageRevoked { manifest: digest });
    }
    let actor_type = &manifest.actor_type;
    match policy.minimum_for(actor_type) {
        Some(minimum) if compare_versions(actor_type.version(), minimum).is_lt() => {
            Err(VerifyError::Rollback { actor_type: actor_type.clone(), minimum: minimum.clone() })
        }
        _ => Ok(()),
    }
}

fn admit_key(trusted: &TrustedKey, manifest: &Manifest, policy: &TrustPolicy, now: u64) -> Result<(), VerifyError> {
    let manufacturer = manifest.actor_type.manufacturer();
    let key = trusted.key.key_id();
    if !policy.keys_for(manufacturer).any(|known| known.key == trusted.key) {
        return Err(VerifyError::KeyUnknown { manufacturer: manufacturer.clone(), key });
    }
    if let Some(named) = manifest.signing_key_id.filter(|named| *named != key) {
        return Err(VerifyError::KeyIdMismatch { named, key });
    }
    if policy.revoked_keys.contains(&key) {
        return Err(VerifyError::KeyRevoked { key });
    }
    if let Some(not_before) = trusted.not_before.filter(|not_before| now < *not_before) {
        return Err(VerifyError::KeyNotYetValid { key, not_before, now });
    }
    if let Some(not_after) = trusted.not_after.filter(|not_after| now >= *not_after) {
        return Err(VerifyError::KeyExpired { key, not_after, now });
    }
    Ok(())
}
