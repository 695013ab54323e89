use std::collections::btree_map::Entry;
use std::fmt::Write as _;

use playhouse_crypto::VerifyingKey;
use playhouse_types::Name;
use serde::Deserialize;
use toml::value::Datetime;

use super::instant::{datetime, unix_seconds};
use super::{TrustPolicy, TrustPolicyError, TrustedKey};
use crate::syntax::{locate, quote};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    #[serde(default)]
    danger_accept_unsigned_for_development: bool,
    #[serde(default)]
    revoked_keys: Vec<String>,
    #[serde(default)]
    revoked_packages: Vec<String>,
    #[serde(default)]
    manufacturer: Vec<RawManufacturer>,
    #[serde(default)]
    minimum: Vec<RawMinimum>,
    #[serde(default)]
    trust: Vec<RawTrust>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManufacturer {
    name: String,
    #[serde(default)]
    key: Vec<RawKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    public_key: String,
    id: Option<String>,
    not_before: Option<Datetime>,
    not_after: Option<Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMinimum {
    r#type: String,
    version: String,
}

/// The table of actr 0.3, whose unknown keys it ignores.
#[derive(Deserialize)]
struct RawTrust {
    kind: String,
    pubkey_b64: Option<String>,
    pubkey_file: Option<String>,
    endpoint: Option<String>,
}

impl TrustPolicy {
    /// Bytes of a trust file. [`Self::KEYS_MAX`] keys take 200 KiB.
    pub const FILE_BYTES_MAX: usize = 1 << 20;

    /// Reads a trust file. Unknown keys are refused, so that no misspelt revocation is overlooked.
    ///
    /// `read_key_file` is asked for the public key in the file of a `[[trust]]` table of actr 0.3 that has a `pubkey_file`.
    ///
    /// # Errors
    /// Names the rule that the file breaks.
    pub fn parse(
        text: &str,
        mut read_key_file: impl FnMut(&str) -> Result<VerifyingKey, String>,
    ) -> Result<Self, TrustPolicyError> {
        if text.len() > Self::FILE_BYTES_MAX {
            return Err(TrustPolicyError::TooLarge { bytes: text.len(), limit: Self::FILE_BYTES_MAX });
        }
        let raw: RawPolicy = toml::from_str(text).map_err(|error| locate(text, &error))?;
        let danger_accept_unsigned_for_development = raw.danger_accept_unsigned_for_development;
        let mut policy = Self { danger_accept_unsigned_for_development, ..Self::default() };
        raw.manufacturer.into_iter().try_for_each(|raw| policy.take_manufacturer(raw))?;
        raw.minimum.into_iter().try_for_each(|raw| policy.take_minimum(raw))?;
        for found in raw.revoked_keys {
            let id = found.parse().map_err(|_| TrustPolicyError::RevokedKey { found: quote(&found) })?;
            policy.revoked_keys.insert(id);
        }
        for found in raw.revoked_packages {
            let digest = found.parse().map_err(|_| TrustPolicyError::RevokedPackage { found: quote(&found) })?;
            policy.revoked_packages.insert(digest);
        }
        for raw in raw.trust {
            policy.any_manufacturer.push(TrustedKey::always(static_key(raw, &mut read_key_file)?));
        }
        match policy.all_keys().count() {
            keys if keys > Self::KEYS_MAX => Err(TrustPolicyError::TooManyKeys { keys, limit: Self::KEYS_MAX }),
            _ => Ok(policy),
        }
    }

    fn take_manufacturer(&mut self, raw: RawManufacturer) -> Result<(), TrustPolicyError> {
        let name: Name = raw.name.parse().map_err(TrustPolicyError::Name)?;
        let keys = raw.key.into_iter().map(|raw| key(&name, raw)).collect::<Result<Vec<_>, _>>()?;
        match self.manufacturers.entry(name) {
            Entry::Occupied(entry) => Err(TrustPolicyError::ManufacturerTwice { name: entry.key().to_string() }),
            Entry::Vacant(entry) => {
                entry.insert(keys);
                Ok(())
            }
        }
    }

    fn take_minimum(&mut self, raw: RawMinimum) -> Result<(), TrustPolicyError> {
        let wrong = || TrustPolicyError::MinimumType { found: quote(&raw.r#type) };
        let (manufacturer, name) = raw.r#type.split_once(':').ok_or_else(wrong)?;
        let of = (manufacturer.parse().map_err(|_| wrong())?, name.parse().map_err(|_| wrong())?);
        let version = raw.version.parse().map_err(TrustPolicyError::Name)?;
        match self.minimum.insert(of, version) {
            Some(_) => Err(TrustPolicyError::MinimumTwice { of: raw.r#type }),
            None => Ok(()),
        }
    }

    /// The policy as a trust file. Comments of the file that it was read from are lost.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        if self.danger_accept_unsigned_for_development {
            out.push_str("danger_accept_unsigned_for_development = true\n");
        }
        list(&mut out, "revoked_keys", self.revoked_keys.iter().map(ToString::to_string));
        list(&mut out, "revoked_packages", self.revoked_packages.iter().map(ToString::to_string));
        for (name, keys) in &self.manufacturers {
            line(&mut out, format_args!("\n[[manufacturer]]\nname = \"{name}\""));
            for key in keys {
                line(&mut out, format_args!("\n[[manufacturer.key]]\nid = \"{}\"", key.key.key_id()));
                line(&mut out, format_args!("public_key = \"{}\"", key.key.to_base64()));
                instant(&mut out, "not_before", key.not_before);
                instant(&mut out, "not_after", key.not_after);
            }
        }
        for key in &self.any_manufacturer {
            let key = key.key.to_base64();
            line(&mut out, format_args!("\n[[trust]]\nkind = \"static\"\npubkey_b64 = \"{key}\""));
        }
        for ((manufacturer, name), version) in &self.minimum {
            let version = toml::Value::String(version.to_string());
            line(&mut out, format_args!("\n[[minimum]]\ntype = \"{manufacturer}:{name}\"\nversion = {version}"));
        }
        out
    }
}

fn key(of: &Name, raw: RawKey) -> Result<TrustedKey, TrustPolicyError> {
    let of = || format!("manufacturer {of}");
    let key =
        VerifyingKey::from_base64(&raw.public_key).map_err(|rule| TrustPolicyError::PublicKey { of: of(), rule })?;
    let expected = key.key_id();
    if let Some(found) = raw.id.filter(|id| *id != expected.to_string()) {
        return Err(TrustPolicyError::KeyId { of: of(), found: quote(&found), expected });
    }
    let instant = |key, datetime: Option<Datetime>| {
        let wrong = || TrustPolicyError::Instant { of: of(), key };
        datetime.map(|datetime| unix_seconds(&datetime).ok_or_else(wrong)).transpose()
    };
    let not_before = instant("not_before", raw.not_before)?;
    let not_after = instant("not_after", raw.not_after)?;
    if let (Some(from), Some(to)) = (not_before, not_after)
        && to <= from
    {
        return Err(TrustPolicyError::EmptyTime { of: of() });
    }
    Ok(TrustedKey { key, not_before, not_after })
}

fn static_key(
    raw: RawTrust,
    read_key_file: &mut impl FnMut(&str) -> Result<VerifyingKey, String>,
) -> Result<VerifyingKey, TrustPolicyError> {
    match raw.kind.as_str() {
        "static" => {}
        "registry" => {
            let endpoint = quote(&raw.endpoint.unwrap_or_default());
            return Err(TrustPolicyError::Registry { endpoint });
        }
        kind => return Err(TrustPolicyError::UnknownKind { found: quote(kind) }),
    }
    if let Some(text) = raw.pubkey_b64 {
        let wrong = |rule| TrustPolicyError::PublicKey { of: "[[trust]]".to_owned(), rule };
        return VerifyingKey::from_base64(&text).map_err(wrong);
    }
    let path = raw.pubkey_file.ok_or(TrustPolicyError::NoKey)?;
    read_key_file(&path).map_err(|reason| TrustPolicyError::KeyFile { path: quote(&path), reason })
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

fn list(out: &mut String, key: &str, items: impl Iterator<Item = String>) {
    let items: Vec<_> = items.map(|item| format!("    \"{item}\",\n")).collect();
    if !items.is_empty() {
        line(out, format_args!("{key} = [\n{}]", items.concat()));
    }
}

fn instant(out: &mut String, key: &str, seconds: Option<u64>) {
    if let Some(datetime) = seconds.and_then(datetime) {
        line(out, format_args!("{key} = {datetime}"));
    }
}
