use std::io::{self, Write};

use playhouse_package::{TrustPolicy, TrustedKey};
use playhouse_types::Name;
use serde::Serialize;

use crate::output::{BAD, CAUTION, GOOD, Report, STRONG, fields};
use crate::time;
use crate::trust_file::TrustFile;

/// What a trust file says.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
    trust_file: String,
    danger_accept_unsigned_for_development: bool,
    keys: Vec<KeyRow>,
    revoked_keys: Vec<String>,
    revoked_packages: Vec<String>,
    minimum: Vec<String>,
}

#[derive(Debug, Serialize)]
struct KeyRow {
    /// None if the key speaks for everybody.
    manufacturer: Option<String>,
    key_id: String,
    public_key: String,
    not_before: Option<String>,
    not_after: Option<String>,
    state: &'static str,
}

/// What a trust file says, and how it stands now.
pub(super) fn describe(file: &TrustFile) -> Overview {
    let policy = file.policy();
    let now = time::now();
    let pinned = policy.manufacturers.iter().flat_map(|(name, keys)| keys.iter().map(move |key| (Some(name), key)));
    let keys = pinned.chain(policy.any_manufacturer.iter().map(|key| (None, key)));
    Overview {
        trust_file: file.path().display().to_string(),
        danger_accept_unsigned_for_development: policy.danger_accept_unsigned_for_development,
        keys: keys.map(|(name, key)| key_row(name, key, policy, now)).collect(),
        revoked_keys: policy.revoked_keys.iter().map(ToString::to_string).collect(),
        revoked_packages: policy.revoked_packages.iter().map(ToString::to_string).collect(),
        minimum: policy.minimum.iter().map(|((maker, name), version)| format!("{maker}:{name}:{version}")).collect(),
    }
}

fn key_row(manufacturer: Option<&Name>, key: &TrustedKey, policy: &TrustPolicy, now: u64) -> KeyRow {
    let id = key.key.key_id();
    let state = match key {
        _ if policy.revoked_keys.contains(&id) => "revoked",
        TrustedKey { not_before: Some(from), .. } if now < *from => "not yet valid",
        TrustedKey { not_after: Some(to), .. } if now >= *to => "expired",
        _ => "trusted",
    };
    KeyRow {
        manufacturer: manufacturer.map(ToString::to_string),
        key_id: id.to_string(),
        public_key: key.key.to_base64(),
        not_before: key.not_before.map(time::utc),
        not_after: key.not_after.map(time::utc),
        state,
    }
}

impl Report for Overview {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{STRONG}{}{STRONG:#}", self.trust_file)?;
        if self.danger_accept_unsigned_for_development {
            writeln!(w, "{BAD}danger: packages run here whoever signed them{BAD:#}")?;
        }
        if self.keys.is_empty() {
            writeln!(w, "nobody is trusted; `playhouse trust add MANUFACTURER KEY` changes that")?;
        }
        for key in &self.keys {
            let style = if key.state == "trusted" { GOOD } else { CAUTION };
            let name = key.manufacturer.as_deref().unwrap_or("(any manufacturer)");
            writeln!(w, "{style}{}{style:#}  {name}  {}  {}", key.state, key.key_id, key.public_key)?;
            for (label, moment) in [("from", &key.not_before), ("until", &key.not_after)] {
                if let Some(moment) = moment {
                    writeln!(w, "         {label} {moment}")?;
                }
            }
        }
        let row = |label, items: &[String]| (!items.is_empty()).then(|| (label, items.join(", ")));
        let rows = [
            row("revoked keys", &self.revoked_keys),
            row("revoked packages", &self.revoked_packages),
            row("lowest versions", &self.minimum),
        ];
        fields(w, &rows.into_iter().flatten().collect::<Vec<_>>())
    }
}
