use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use playhouse_package::{BinaryKind, Builder, PackageLimits};
use playhouse_types::{ActorType, Code, ErrorKind};

use super::recipe::{About, RESOURCES, Recipe, split};
use super::sign::{Written, unbuildable};
use super::warn_of_unknown_grants;
use crate::args::JsonFlag;
use crate::error::{CliError, Exit, Result};
use crate::files::{self, Replace};
use crate::key_file::SigningArgs;
use crate::output::Output;
use crate::protos::{ProtoFile, Protos};

mod binary;

/// Build a package from a recipe, from flags, or from both, and sign it.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse package build playhouse-package.toml
  playhouse package build --manufacturer acme --name EchoService --version 1.0.0 \\
      --binary echo.wasm --proto echo.proto --key release.json
  playhouse package build playhouse-package.toml --version 1.0.1 --out echo.actr

A RECIPE
  manufacturer = \"acme\"
  name = \"EchoService\"
  version = \"1.0.0\"
  binary = \"target/wasm32-wasip2/release/echo.wasm\"   # paths are relative to the recipe
  target = \"wasm32-wasip2\"                            # if not said: what the binary shows
  protos = [\"proto/echo.proto\"]                       # or \"NAME=PATH\"
  resources = [\"greetings.txt\"]                       # or \"PATH_IN_PACKAGE=PATH\"
  description = \"says what it hears\"
  license = \"Apache-2.0\"
  grants = [\"call\", \"state\"]                          # host operations that it asks for, see docs/PACKAGES.md
  concurrency = \"keyed=sender\"                        # or serial, concurrent=8, keyed=FIELD
  limits = { memory_bytes = 16777216, cpu_ms = 200 }    # what it needs at most; see docs/PACKAGES.md

Without `grants` a package asks for what actr 0.3 gives; `grants = []` asks for nothing.")]
pub(crate) struct BuildArgs {
    /// The recipe. Flags say more, or something else.
    recipe: Option<PathBuf>,
    #[command(flatten)]
    identity: IdentityArgs,
    #[command(flatten)]
    content: ContentArgs,
    #[command(flatten)]
    about: AboutArgs,
    /// Where to write it, instead of dist/MANUFACTURER-NAME-VERSION-TARGET.actr.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the package if it exists.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    signing: SigningArgs,
    #[command(flatten)]
    json: JsonFlag,
}

/// What the package is.
#[derive(Debug, Args)]
struct IdentityArgs {
    /// Who publishes it.
    #[arg(long, value_name = "NAME")]
    manufacturer: Option<String>,
    /// What it is called.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Its version.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
}

/// What is in the package.
#[derive(Debug, Args)]
struct ContentArgs {
    /// The program.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// The target triple that the program was built for; if not said, what the binary shows.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// The form of the program: component or native-cdylib; if not said, what the binary shows.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// A proto file, as PATH or NAME=PATH; may be repeated.
    #[arg(long = "proto", value_name = "FILE")]
    protos: Vec<String>,
    /// Another file, as PATH or PATH_IN_PACKAGE=PATH; may be repeated.
    #[arg(long = "resource", value_name = "FILE")]
    resources: Vec<String>,
    /// The lock file with the dependencies.
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
}

/// What the package says of itself.
#[derive(Debug, Args)]
struct AboutArgs {
    /// What it does, for people.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The license that it is under.
    #[arg(long, value_name = "TEXT")]
    license: Option<String>,
    /// A kind of host operations that it asks for: call, tell, discover, stream, state, timers, crypto, config, secrets, random, clock;
    /// may be repeated.
    #[arg(long = "grant", value_name = "GRANT")]
    grants: Vec<String>,
    /// Ask for no host operation at all.
    #[arg(long, conflicts_with = "grants")]
    no_grants: bool,
    /// What it needs at most, such as memory_bytes=16777216; may be repeated.
    #[arg(long = "limit", value_name = "NAME=NUMBER", value_parser = name_and_number)]
    limits: Vec<(String, u64)>,
    /// Messages at the same time: serial, concurrent=N, keyed=sender or keyed=FIELD.
    #[arg(long, value_name = "HOW")]
    concurrency: Option<String>,
}

impl BuildArgs {
    fn recipe(&self) -> Result<Recipe> {
        let base = self.recipe.as_deref().map(Recipe::read).transpose()?.unwrap_or_default();
        Ok(base.overridden_by(Recipe {
            manufacturer: self.identity.manufacturer.clone(),
            name: self.identity.name.clone(),
            version: self.identity.version.clone(),
            binary: self.content.binary.clone(),
            target: self.content.target.clone(),
            kind: self.content.kind.clone(),
            protos: self.content.protos.clone(),
            resources: self.content.resources.clone(),
            lock: self.content.lock.clone(),
            about: About {
                description: self.about.description.clone(),
                license: self.about.license.clone(),
                grants: (self.about.no_grants || !self.about.grants.is_empty()).then(|| self.about.grants.clone()),
                concurrency: self.about.concurrency.clone(),
                limits: self.about.limits.iter().cloned().collect(),
            },
        }))
    }
}

fn name_and_number(text: &str) -> Result<(String, u64), String> {
    let parts = text.split_once('=').and_then(|(name, number)| Some((name.to_owned(), number.parse().ok()?)));
    parts.ok_or_else(|| "a name, `=` and a whole number".to_owned())
}

pub(super) fn run(args: &BuildArgs, output: Output) -> Result<Exit> {
    let recipe = args.recipe()?;
    let actor_type = actor_type(&recipe)?;
    let (builder, target) = parts(&recipe, &actor_type)?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => default_place(&actor_type, &target),
    };
    if !args.force && out.exists() {
        return Err(exists(&out));
    }
    warn_of_unknown_grants(recipe.about.grants.as_deref(), output);
    let key = args.signing.open()?;
    let bytes = builder.build(&key).map_err(unbuildable)?;
    store(&out, &bytes, args.force)?;
    output.show(&Written::describe(&bytes, &out, Some(key.key_id().to_string()))?)?;
    Ok(Exit::Ok)
}

fn actor_type(recipe: &Recipe) -> Result<ActorType> {
    let text = |value: &Option<String>, name: &str| needed(value.as_ref(), name).cloned();
    let invalid = |error: playhouse_types::ParseError| CliError::usage(error.to_string());
    Ok(ActorType::new(
        text(&recipe.manufacturer, "manufacturer")?.parse().map_err(invalid)?,
        text(&recipe.name, "name")?.parse().map_err(invalid)?,
        text(&recipe.version, "version")?.parse().map_err(invalid)?,
    ))
}

fn needed<'a, T>(value: Option<&'a T>, name: &str) -> Result<&'a T> {
    value.ok_or_else(|| {
        CliError::usage(format!("the package has no {name}"))
            .fix(format!("Say `--{name}`, or write `{name}` into the recipe."))
    })
}

fn parts(recipe: &Recipe, actor_type: &ActorType) -> Result<(Builder, String)> {
    let path = needed(recipe.binary.as_ref(), "binary")?;
    let limit = PackageLimits::default().content_bytes;
    let bytes: Bytes = files::read(path, limit, Code::PackageRead)?.into();
    let (kind, target) = binary::describe(path, &bytes, recipe.kind.as_deref(), recipe.target.as_deref())?;
    let mut builder = Builder::new(actor_type.clone(), &target, bytes).extension(recipe.about.extension()?);
    if kind == BinaryKind::Component {
        builder = builder.kind(kind);
    }
    let protos = read_protos(&recipe.protos, limit)?;
    Protos::compile(&protos)?;
    for proto in &protos {
        builder = builder.proto(&proto.name, &proto.text);
    }
    for entry in &recipe.resources {
        let (name, path) = split(entry, RESOURCES);
        builder = builder.resource(&name, files::read(&path, limit, Code::PackageRead)?.into());
    }
    if let Some(lock) = &recipe.lock {
        builder = builder.lock(&files::read_text(lock, limit, Code::PackageRead)?);
    }
    if let Some(text) = &recipe.about.description {
        builder = builder.description(text);
    }
    if let Some(text) = &recipe.about.license {
        builder = builder.license(text);
    }
    Ok((builder, target))
}

fn read_protos(entries: &[String], limit: u64) -> Result<Vec<ProtoFile>> {
    let read = |entry: &String| {
        let (name, path) = split(entry, "");
        Ok(ProtoFile { name, text: files::read_text(&path, limit, Code::PackageRead)? })
    };
    entries.iter().map(read).collect()
}

fn default_place(actor_type: &ActorType, target: &str) -> PathBuf {
    let (maker, name, version) = (actor_type.manufacturer(), actor_type.name(), actor_type.version());
    Path::new("dist").join(format!("{maker}-{name}-{version}-{target}.actr"))
}

fn exists(out: &Path) -> CliError {
    CliError::new(Code::Usage, ErrorKind::InvalidArgument, format!("{} exists", out.display()))
        .fix("Say `--force` to replace it, or `--out FILE` for another place.")
}

fn store(out: &Path, bytes: &[u8], force: bool) -> Result<()> {
    let fail =
        |error: &std::io::Error| CliError::io(Code::PackageRead, format_args!("cannot write {}", out.display()), error);
    std::fs::create_dir_all(files::directory_of(out)).map_err(|error| fail(&error))?;
    let replace = if force { Replace::Yes } else { Replace::No };
    files::write(out, bytes, 0o644, replace).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(out),
        _ => fail(&error),
    })
}
