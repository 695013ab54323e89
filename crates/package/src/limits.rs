/// What a package may use before it is refused. Everything is enforced on what really comes out, not only on what headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageLimits {
    /// Bytes of the files that the manifest lists, unpacked, each and together. 64 MiB is the limit of actr 0.5, so
    /// that no package that runs there is refused here.
    pub content_bytes: u64,
    /// Files that the manifest lists. 1024 is the limit of actr 0.5.
    pub listed_files: usize,
    /// Entries in the archive that the manifest does not list. They are never read. Zero refuses packages that have any.
    pub unlisted_entries: usize,
    /// Bytes of `manifest.toml`. 1 MiB is the limit of actr 0.5; a manifest with 1024 files has 200 KiB.
    pub manifest_bytes: u64,
}

impl PackageLimits {
    /// Bytes that an archive may have besides its contents: headers, manifest, signature and unlisted entries.
    pub const ARCHIVE_OVERHEAD_BYTES: u64 = 16 << 20;
    /// Entries that are never listed: manifest, signature.
    const OWN_ENTRIES: usize = 2;

    /// Bytes of the whole archive.
    #[must_use]
    pub const fn archive_bytes(&self) -> u64 {
        self.content_bytes.saturating_add(Self::ARCHIVE_OVERHEAD_BYTES)
    }

    /// Entries of the whole archive.
    #[must_use]
    pub const fn archive_entries(&self) -> usize {
        self.listed_files.saturating_add(self.unlisted_entries).saturating_add(Self::OWN_ENTRIES)
    }
}

impl Default for PackageLimits {
    fn default() -> Self {
        Self { content_bytes: 64 << 20, listed_files: 1024, unlisted_entries: 1024, manifest_bytes: 1 << 20 }
    }
}
