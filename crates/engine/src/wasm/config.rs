use std::path::PathBuf;

/// How the wasm engine is set up. The defaults suit a node that runs strangers' actors.
#[derive(Debug, Clone)]
pub struct WasmConfig {
    /// Where compiled code is kept between runs; none compiles anew in every process. The directory should belong to
    /// the node alone: it is made with owner-only permissions if it does not exist.
    pub cache_dir: Option<PathBuf>,
    /// Bytes of compiled code to keep in `cache_dir`. The files that were not used for the longest time go first.
    pub cache_bytes_max: u64,
    /// Instances for which room is reserved ahead. More can run; they take longer to create (about 15 µs against 4 µs).
    pub pooled_instances: u32,
}

impl Default for WasmConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            // 50 Python components, whose compiled code is about 40 MiB each, or some thousand of Rust's.
            cache_bytes_max: 2 << 30,
            // Address space, not memory: 200 × 4 GiB is 0.6 % of what a process can map.
            pooled_instances: 200,
        }
    }
}
