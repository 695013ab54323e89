use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver};

use crate::error::BuildError;
use crate::render;
use crate::service::Plan;

/// The option with which protos of actr 0.3 name the transport class of a method. It needs no file on disk.
const ACTR_OPTIONS: &str = r#"
syntax = "proto3";
package actr;
import "google/protobuf/descriptor.proto";
enum PayloadType {
  RPC_RELIABLE = 0;
  RPC_SIGNAL = 1;
  STREAM_RELIABLE = 2;
  STREAM_LATENCY_FIRST = 3;
  MEDIA_RTP = 4;
}
extend google.protobuf.MethodOptions { optional PayloadType payload_type = 50001; }
"#;

/// How to generate. The default writes into cargo's `OUT_DIR`.
#[derive(Debug, Clone, Default)]
pub struct Config {
    shared: BTreeSet<String>,
    out_dir: Option<PathBuf>,
}

impl Config {
    /// The default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the handlers of `service` (`package.Service`) `&self` instead of `&mut self`, for actors that handle several
    /// messages at the same time. Such actors can only be linked.
    #[must_use]
    pub fn shared(mut self, service: impl Into<String>) -> Self {
        self.shared.insert(service.into());
        self
    }

    /// Writes into `dir`, which must exist, instead of `OUT_DIR`.
    #[must_use]
    pub fn out_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(dir.into());
        self
    }

    /// Generates one `<protobuf package>.rs` (`_.rs` for files without a package) for each package in `files` and what they
    /// import. `includes` are the folders in which imports are looked for; `google/protobuf/*` and `actr/options.proto` are
    /// built in. Tells cargo to run the script again when one of the files changes.
    ///
    /// # Errors
    /// [`BuildError`] names the file, service or method and the rule.
    pub fn compile(&self, files: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<(), BuildError> {
        let mut compiler = Compiler::with_file_resolver(resolver(includes));
        compiler.include_imports(true).include_source_info(true);
        compiler.open_files(files)?;
        for file in compiler.files().filter_map(protox::file::FileMetadata::path) {
            println!("cargo:rerun-if-changed={}", file.display());
        }
        let generator = Generator::new(self.shared.clone());
        let state = Arc::clone(&generator.state);
        self.prost(generator).compile_fds(compiler.file_descriptor_set()).map_err(BuildError::Write)?;
        let state = std::mem::take(&mut *state.lock().unwrap_or_else(PoisonError::into_inner));
        match state.error {
            Some(error) => Err(error),
            None => match self.shared.difference(&state.seen).next() {
                Some(service) => Err(BuildError::UnknownService { service: service.clone() }),
                None => Ok(()),
            },
        }
    }

    fn prost(&self, generator: Generator) -> prost_build::Config {
        let mut config = prost_build::Config::new();
        config
            .bytes(["."])
            .prost_path("::playhouse_guest::internal::prost")
            .prost_types_path("::playhouse_guest::internal::prost_types")
            .service_generator(Box::new(generator));
        if let Some(dir) = &self.out_dir {
            config.out_dir(dir);
        }
        config
    }
}

fn resolver(includes: &[impl AsRef<Path>]) -> ChainFileResolver {
    let mut chain = ChainFileResolver::new();
    for include in includes {
        chain.add(IncludeFileResolver::new(include.as_ref().to_owned()));
    }
    chain.add(ActrOptions);
    chain.add(GoogleFileResolver::new());
    chain
}

struct ActrOptions;

impl FileResolver for ActrOptions {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            "actr/options.proto" => File::from_source(name, ACTR_OPTIONS),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// Prost hands services over one by one and takes no error back, so both are kept here.
struct Generator {
    shared: BTreeSet<String>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    seen: BTreeSet<String>,
    error: Option<BuildError>,
}

impl Generator {
    fn new(shared: BTreeSet<String>) -> Self {
        Self { shared, state: Arc::default() }
    }
}

impl prost_build::ServiceGenerator for Generator {
    fn generate(&mut self, service: prost_build::Service, code: &mut String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match Plan::new(service, &self.shared) {
            Ok(plan) => {
                render::service(&plan, code);
                state.seen.insert(plan.full_name);
            }
            Err(error) => {
                state.error.get_or_insert(error);
            }
        }
    }
}

#[cfg(test)]
mod tests;
