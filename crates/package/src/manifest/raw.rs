use std::collections::HashSet;

use bytes::Bytes;
use playhouse_crypto::KeyId;
use playhouse_types::{ActorType, Name};
use serde::Deserialize;

use super::extension::RawExtension;
use super::{BinaryKind, Extension, ListedBinary, ListedFile, ListedKey, ListedProto, Manifest, ManifestError};
use super::{MANIFEST_PATH, SIGNATURE_PATH};
use crate::path::EntryPath;
use crate::syntax::{locate, quote};

/// Bytes in a target triple. The longest that rustc knows has 35.
const TARGET_BYTES_MAX: usize = 64;

#[derive(Deserialize)]
struct RawManifest {
    manufacturer: String,
    name: String,
    version: String,
    signature_algorithm: Option<String>,
    signing_key_id: Option<String>,
    #[serde(default)]
    resources: Vec<RawFile>,
    #[serde(default)]
    proto_files: Vec<RawProto>,
    lock_file: Option<RawFile>,
    binary: RawBinary,
    #[serde(default)]
    metadata: RawMetadata,
    #[serde(default)]
    x_playhouse: RawExtension,
}

#[derive(Deserialize)]
struct RawFile {
    path: String,
    hash: String,
}

#[derive(Deserialize)]
struct RawProto {
    name: String,
    path: String,
    hash: String,
}

#[derive(Deserialize)]
struct RawBinary {
    path: String,
    target: String,
    hash: String,
    size: Option<u64>,
    kind: Option<String>,
}

#[derive(Deserialize, Default)]
struct RawMetadata {
    description: Option<String>,
    license: Option<String>,
}

/// What a manifest claims about its signer. Nobody has vouched for it: it serves to pick the key to check with.
pub(crate) struct Claim {
    pub(crate) manufacturer: Name,
    pub(crate) key_id: Option<KeyId>,
}

#[derive(Deserialize)]
struct RawClaim {
    manufacturer: String,
    signing_key_id: Option<String>,
}

/// Looks into a manifest whose signature has not been checked.
pub(crate) fn claim(raw: &[u8]) -> Option<Claim> {
    let raw: RawClaim = toml::from_str(str::from_utf8(raw).ok()?).ok()?;
    let key_id = raw.signing_key_id.and_then(|id| id.parse().ok());
    Some(Claim { manufacturer: raw.manufacturer.parse().ok()?, key_id })
}

pub(super) fn parse(raw: Bytes) -> Result<Manifest, ManifestError> {
    let text = str::from_utf8(&raw).map_err(|error| ManifestError::NotUtf8 { offset: error.valid_up_to() })?;
    let parsed: RawManifest = toml::from_str(text).map_err(|error| locate(text, &error))?;
    let actor_type = actor_type(&parsed)?;
    if let Some(found) = parsed.signature_algorithm.filter(|name| name != "ed25519") {
        return Err(ManifestError::SignatureAlgorithm { found: quote(&found) });
    }
    let signing_key_id = parsed.signing_key_id.map(|text| key_id(&text)).transpose()?;
    let binary = binary(parsed.binary)?;
    let resources = indexed(parsed.resources, |n, raw| {
        file(&raw.path, &raw.hash, ListedKey::ResourcePath(n), ListedKey::ResourceHash(n))
    })?;
    let protos = indexed(parsed.proto_files, proto)?;
    let lock =
        parsed.lock_file.map(|raw| file(&raw.path, &raw.hash, ListedKey::LockPath, ListedKey::LockHash)).transpose()?;
    let manifest = Manifest {
        actor_type,
        binary,
        resources,
        protos,
        lock,
        signing_key_id,
        description: parsed.metadata.description,
        license: parsed.metadata.license,
        extension: Extension::parse(parsed.x_playhouse)?,
        raw,
    };
    check_distinct(&manifest)?;
    Ok(manifest)
}

fn actor_type(raw: &RawManifest) -> Result<ActorType, ManifestError> {
    let manufacturer = raw.manufacturer.parse().map_err(ManifestError::ActorType)?;
    let name = raw.name.parse().map_err(ManifestError::ActorType)?;
    let version = raw.version.parse().map_err(ManifestError::ActorType)?;
    Ok(ActorType::new(manufacturer, name, version))
}

fn key_id(text: &str) -> Result<KeyId, ManifestError> {
    text.parse().map_err(|rule| ManifestError::SigningKeyId { found: quote(text), rule })
}

fn binary(raw: RawBinary) -> Result<ListedBinary, ManifestError> {
    let RawBinary { path, target, hash, size, kind } = raw;
    let file = file(&path, &hash, ListedKey::BinaryPath, ListedKey::BinaryHash)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if target.is_empty() || target.len() > TARGET_BYTES_MAX || !target.chars().all(is_plain) {
        return Err(ManifestError::Target { found: quote(&target) });
    }
    let kind = match kind {
        Some(word) => BinaryKind::from_name(&word).ok_or_else(|| ManifestError::Kind { found: quote(&word) })?,
        None => BinaryKind::default_for(&target),
    };
    if !kind.fits(&target) {
        return Err(ManifestError::KindContradictsTarget { kind, target });
    }
    Ok(ListedBinary { file, target, kind, size })
}

fn proto(n: usize, raw: RawProto) -> Result<ListedProto, ManifestError> {
    let name = path(&raw.name, ListedKey::ProtoName(n))?;
    let file = file(&raw.path, &raw.hash, ListedKey::ProtoPath(n), ListedKey::ProtoHash(n))?;
    Ok(ListedProto { name, file })
}

fn file(path_text: &str, hash: &str, path_key: ListedKey, hash_key: ListedKey) -> Result<ListedFile, ManifestError> {
    let path = path(path_text, path_key)?;
    if [MANIFEST_PATH, SIGNATURE_PATH].contains(&path_text) {
        return Err(ManifestError::ReservedPath { key: path_key, path: quote(path_text) });
    }
    let digest = hash.parse().map_err(|rule| ManifestError::Hash { key: hash_key, found: quote(hash), rule })?;
    Ok(ListedFile { path, digest })
}

fn path(text: &str, key: ListedKey) -> Result<EntryPath, ManifestError> {
    EntryPath::parse(text).map_err(|rule| ManifestError::Path { key, path: quote(text), rule })
}

fn indexed<A, B>(
    raw: Vec<A>,
    mut parse: impl FnMut(usize, A) -> Result<B, ManifestError>,
) -> Result<Vec<B>, ManifestError> {
    raw.into_iter().enumerate().map(|(n, item)| parse(n, item)).collect()
}

fn check_distinct(manifest: &Manifest) -> Result<(), ManifestError> {
    let Manifest { binary, resources, protos, lock, .. } = manifest;
    let resources = resources.iter().enumerate().map(|(n, file)| (ListedKey::ResourcePath(n), &file.path));
    let proto_paths = protos.iter().enumerate().map(|(n, proto)| (ListedKey::ProtoPath(n), &proto.file.path));
    let lock = lock.iter().map(|file| (ListedKey::LockPath, &file.path));
    let files = std::iter::once((ListedKey::BinaryPath, &binary.file.path));
    all_different(files.chain(resources).chain(proto_paths).chain(lock))?;
    all_different(protos.iter().enumerate().map(|(n, proto)| (ListedKey::ProtoName(n), &proto.name)))
}

fn all_different<'a>(paths: impl Iterator<Item = (ListedKey, &'a EntryPath)>) -> Result<(), ManifestError> {
    let mut seen = HashSet::new();
    for (key, path) in paths {
        if !seen.insert(path.folded()) {
            return Err(ManifestError::Duplicate { key, path: path.as_str().to_owned() });
        }
    }
    Ok(())
}
