use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use playhouse_crypto::{Digest, KeyId, VerifyingKey};
use playhouse_package::{TrustPolicy, TrustedKey};
use playhouse_types::{ActorType, Code, ErrorKind, Name};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use crate::error::{CliError, Result};
use crate::files::{self, Replace};
use crate::{key_file, time};

const HEADER: &str = "# Whose packages may run here. `playhouse trust` edits this file; comments stay.\n";

/// The one file that says whom to trust: its text, which keeps the operator's comments, and what it means.
#[derive(Debug)]
pub(crate) struct TrustFile {
    path: PathBuf,
    document: DocumentMut,
    policy: TrustPolicy,
}

impl TrustFile {
    /// Reads the file. One that is not there trusts nobody.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let text = match path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(CliError::io(Code::TrustPolicy, format_args!("cannot read {}", path.display()), &error));
            }
            Ok(found) => {
                check_owner(path, &found)?;
                files::read_text(path, TrustPolicy::FILE_BYTES_MAX as u64, Code::TrustPolicy)?
            }
        };
        let policy = parse(path, &text)?;
        let document = text.parse().map_err(|error| unusable(path, &error))?;
        Ok(Self { path: path.to_owned(), document, policy })
    }

    /// Reads a file that somebody named, and that therefore must be there.
    pub(crate) fn open_existing(path: &Path) -> Result<Self> {
        if !path.exists() {
            let error = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(CliError::io(Code::TrustPolicy, format_args!("cannot read {}", path.display()), &error));
        }
        Self::open(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn policy(&self) -> &TrustPolicy {
        &self.policy
    }

    /// How many keys the file lists.
    pub(crate) fn keys(&self) -> usize {
        self.policy.manufacturers.values().map(Vec::len).sum::<usize>() + self.policy.any_manufacturer.len()
    }

    /// Trusts a key for a manufacturer; one that is there gets the new times.
    pub(crate) fn add_key(&mut self, manufacturer: &Name, key: TrustedKey) -> Result<()> {
        if self.policy.revoked_keys.contains(&key.key.key_id()) {
            let message = format!("key {} is revoked in {}", key.key.key_id(), self.path.display());
            return Err(CliError::new(Code::TrustRevokedKey, ErrorKind::PermissionDenied, message)
                .fix("A revoked key stays revoked. If it was a mistake, take it out of `revoked_keys` by hand."));
        }
        let keys = tables(named(tables(self.document.as_table_mut(), "manufacturer")?, manufacturer), "key")?;
        let public = key.key.to_base64();
        let is_it = |table: &Table| table.get("public_key").and_then(Item::as_str).map(str::trim) == Some(&*public);
        if !keys.iter().any(is_it) {
            keys.push(Table::from_iter([("public_key", value(&public))]));
        }
        keys.iter_mut().filter(|table| is_it(table)).try_for_each(|table| write_key(table, &key))?;
        self.policy.add_key(manufacturer.clone(), key);
        Ok(())
    }

    /// Takes a key out of the file, of one manufacturer or wherever it stands. Answers how often it stood there.
    pub(crate) fn remove_key(&mut self, id: KeyId, of: Option<&Name>) -> Result<usize> {
        let before = self.keys();
        let is_it = |text: Option<&str>| {
            text.and_then(|text| VerifyingKey::from_base64(text.trim()).ok()).is_some_and(|key| key.key_id() == id)
        };
        let makers = tables(self.document.as_table_mut(), "manufacturer")?;
        for maker in makers.iter_mut() {
            if of.is_none_or(|of| maker.get("name").and_then(Item::as_str) == Some(of.as_str())) {
                tables(maker, "key")?.retain(|key| !is_it(key.get("public_key").and_then(Item::as_str)));
            }
        }
        makers.retain(|maker| maker.get("key").and_then(Item::as_array_of_tables).is_none_or(|keys| !keys.is_empty()));
        for (name, keys) in &mut self.policy.manufacturers {
            if of.is_none_or(|of| of == name) {
                keys.retain(|key| key.key.key_id() != id);
            }
        }
        self.policy.manufacturers.retain(|_, keys| !keys.is_empty());
        if of.is_none() && self.policy.any_manufacturer.iter().any(|key| key.key.key_id() == id) {
            tables(self.document.as_table_mut(), "trust")?
                .retain(|key| !is_it(key.get("pubkey_b64").and_then(Item::as_str)));
            self.policy.any_manufacturer.retain(|key| key.key.key_id() != id);
        }
        Ok(before - self.keys())
    }

    /// Trusts a key no more.
    pub(crate) fn revoke_key(&mut self, id: KeyId) -> Result<()> {
        if !self.policy.revoked_keys.contains(&id) {
            list(self.document.as_table_mut(), "revoked_keys")?.push(id.to_string());
        }
        self.policy.revoke_key(id);
        Ok(())
    }

    /// Refuses a package from now on.
    pub(crate) fn revoke_package(&mut self, manifest: Digest) -> Result<()> {
        if !self.policy.revoked_packages.contains(&manifest) {
            list(self.document.as_table_mut(), "revoked_packages")?.push(manifest.to_string());
        }
        self.policy.revoke_package(manifest);
        Ok(())
    }

    /// Refuses older versions from now on. Whether that changed anything.
    pub(crate) fn raise_minimum(&mut self, lowest: &ActorType) -> Result<bool> {
        let before = self.policy.minimum_for(lowest).cloned();
        self.policy.raise_minimum(lowest);
        if self.policy.minimum_for(lowest) == before.as_ref() {
            return Ok(false);
        }
        let of = format!("{}:{}", lowest.manufacturer(), lowest.name());
        let minimums = tables(self.document.as_table_mut(), "minimum")?;
        minimums.retain(|table| table.get("type").and_then(Item::as_str) != Some(&*of));
        let mut table = Table::new();
        table.insert("type", value(of));
        table.insert("version", value(lowest.version().to_string()));
        minimums.push(table);
        Ok(true)
    }

    /// Writes the file, after checking that its text says what was meant.
    pub(crate) fn save(&self) -> Result<()> {
        let mut text = self.document.to_string();
        if !self.path.exists() {
            text.insert_str(0, HEADER);
        }
        if parse(&self.path, &text)? != self.policy {
            text = format!("{HEADER}{}", self.policy.to_toml());
        }
        files::write(&self.path, text.as_bytes(), 0o600, Replace::Yes).map_err(|error| {
            CliError::io(Code::TrustPolicy, format_args!("cannot write {}", self.path.display()), &error)
        })
    }
}

/// Whoever can write the file decides what runs here: that must be the user or root, and nobody else.
fn check_owner(path: &Path, found: &std::fs::Metadata) -> Result<()> {
    let us = rustix::process::geteuid().as_raw();
    let denied = |message: String, fix: String| {
        Err(CliError::new(Code::TrustPolicy, ErrorKind::PermissionDenied, message).fix(fix))
    };
    if found.uid() != us && found.uid() != 0 {
        let message = format!("{} belongs to user {}, expected {us} or root", path.display(), found.uid());
        return denied(message, format!("Check its content, then: chown {us} {}", path.display()));
    }
    if found.mode() & 0o022 != 0 {
        let message = format!("{} has mode {:04o}: others may write to it", path.display(), found.mode() & 0o7777);
        return denied(message, format!("Check its content, then: chmod go-w {}", path.display()));
    }
    Ok(())
}

fn parse(path: &Path, text: &str) -> Result<TrustPolicy> {
    let base = files::directory_of(path);
    TrustPolicy::parse(text, |file| read_key(&base.join(file))).map_err(|error| unusable(path, &error))
}

fn read_key(path: &Path) -> Result<VerifyingKey, String> {
    key_file::read_public(path).map_err(|error| match error.document() {
        Some(document) => document.error.message.to_owned(),
        None => String::new(),
    })
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> CliError {
    CliError::new(Code::TrustPolicy, ErrorKind::InvalidArgument, format!("{}: {error}", path.display()))
}

/// The array of tables of that name, made if it is not there.
fn tables<'a>(parent: &'a mut Table, name: &str) -> Result<&'a mut ArrayOfTables> {
    let item = parent.entry(name).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(inline) = item.as_array().cloned() {
        // Written as `name = [{ .. }]`, which means the same.
        let inner = inline.iter().filter_map(|entry| Some(entry.as_inline_table()?.clone().into_table()));
        *item = Item::ArrayOfTables(inner.collect());
    }
    item.as_array_of_tables_mut().ok_or_else(|| odd(name))
}

/// The list of that name, made if it is not there.
fn list<'a>(parent: &'a mut Table, name: &str) -> Result<&'a mut Array> {
    parent.entry(name).or_insert_with(|| value(Array::new())).as_array_mut().ok_or_else(|| odd(name))
}

/// The table with that `name`, made if it is not there.
fn named<'a>(tables: &'a mut ArrayOfTables, name: &Name) -> &'a mut Table {
    let found = tables.iter().position(|table| table.get("name").and_then(Item::as_str) == Some(name.as_str()));
    let index = found.unwrap_or_else(|| {
        let mut table = Table::new();
        table.insert("name", value(name.to_string()));
        tables.push(table);
        tables.len() - 1
    });
    #[expect(clippy::expect_used, reason = "the index was just found or made")]
    // INVARIANT: `index` is a position that was found, or that of the table pushed above.
    tables.get_mut(index).expect("a table at its own index")
}

fn write_key(table: &mut Table, key: &TrustedKey) -> Result<()> {
    table.insert("id", value(key.key.key_id().to_string()));
    table.insert("public_key", value(key.key.to_base64()));
    for (name, moment) in [("not_before", key.not_before), ("not_after", key.not_after)] {
        table.remove(name);
        if let Some(seconds) = moment {
            let moment: toml_edit::Datetime = time::utc(seconds).parse().map_err(|_| odd(name))?;
            table.insert(name, value(moment));
        }
    }
    Ok(())
}

fn odd(name: &str) -> CliError {
    CliError::new(Code::TrustPolicy, ErrorKind::InvalidArgument, format!("{name} has a form that cannot be edited"))
        .fix("Edit the trust file by hand.")
}

#[cfg(test)]
mod tests;
