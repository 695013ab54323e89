use playhouse_types::{Code, ErrorKind, RouteKey};
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, MethodDescriptor, SerializeOptions,
};
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use serde::{Deserialize, Serialize};

use crate::error::{CliError, Result};
use crate::output::nearest;

/// The method option of actr 0.3 (spec/identity.md §9), which packages import but rarely carry.
const ACTR_OPTIONS: &str = r#"syntax = "proto2";
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
const ACTR_OPTIONS_NAME: &str = "actr/options.proto";

/// One proto file of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProtoFile {
    /// Its name, by which others import it.
    pub(crate) name: String,
    /// Its source.
    pub(crate) text: String,
}

/// The compiled protos of one package.
#[derive(Debug)]
pub(crate) struct Protos {
    pool: DescriptorPool,
}

impl Protos {
    /// Compiles the protos of a package.
    pub(crate) fn compile(files: &[ProtoFile]) -> Result<Self> {
        let mut resolver = ChainFileResolver::new();
        resolver.add(Sources(files.to_vec()));
        resolver.add(GoogleFileResolver::new());
        let mut compiler = Compiler::with_file_resolver(resolver);
        for file in files {
            compiler.open_file(&file.name).map_err(|error| {
                CliError::new(Code::NoProto, ErrorKind::InvalidArgument, format!("proto {}: {error}", file.name))
            })?;
        }
        Ok(Self { pool: compiler.descriptor_pool() })
    }

    /// Every route that the protos describe.
    pub(crate) fn routes(&self) -> Vec<String> {
        self.methods().map(|method| route_of(&method)).collect()
    }

    fn methods(&self) -> impl Iterator<Item = MethodDescriptor> {
        let services: Vec<_> = self.pool.services().collect();
        services.into_iter().flat_map(|service| service.methods().collect::<Vec<_>>())
    }

    /// The method that the text means: a whole route, or as much of its end as no other route has, such as `Echo` or
    /// `EchoService.Echo`.
    pub(crate) fn method(&self, text: &str) -> Result<Method> {
        let all: Vec<MethodDescriptor> = self.methods().collect();
        if let Some(exact) = all.iter().find(|method| route_of(method) == text) {
            return Method::new(exact);
        }
        let ending = format!(".{text}");
        let mut fitting = all.iter().filter(|method| route_of(method).ends_with(&ending));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Method::new(only),
            (Some(one), Some(two)) => Err(ambiguous(text, &route_of(one), &route_of(two))),
            (None, _) => Err(unknown(text, &self.routes())),
        }
    }
}

/// One method: its route and its message types.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) route: RouteKey,
    input: MessageDescriptor,
    output: MessageDescriptor,
}

impl Method {
    fn new(method: &MethodDescriptor) -> Result<Self> {
        let route = route_of(method)
            .parse()
            .map_err(|error: playhouse_types::ParseError| CliError::usage(error.to_string()))?;
        Ok(Self { route, input: method.input(), output: method.output() })
    }

    /// Encodes a request that was written as JSON. Fields that the message does not have are refused.
    pub(crate) fn encode(&self, json: &str) -> Result<Vec<u8>> {
        let mismatch = |error: serde_json::Error| {
            let name = self.input.full_name();
            CliError::new(
                Code::JsonMismatch,
                ErrorKind::InvalidArgument,
                format!("the JSON does not fit {name}: {error}"),
            )
            .fix(format!("{name} has {}.", fields_of(&self.input)))
        };
        let mut source = serde_json::Deserializer::from_str(json);
        let options = DeserializeOptions::new().deny_unknown_fields(true);
        let message =
            DynamicMessage::deserialize_with_options(self.input.clone(), &mut source, &options).map_err(mismatch)?;
        source.end().map_err(mismatch)?;
        Ok(message.encode_to_vec())
    }

    /// The reply as JSON, with fields that hold their default.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<serde_json::Value> {
        let broken = |error: &dyn std::fmt::Display| {
            let name = self.output.full_name();
            CliError::new(
                Code::JsonMismatch,
                ErrorKind::DecodeFailure,
                format!("the reply does not fit {name}: {error}"),
            )
            .fix("The actor and its proto disagree. `playhouse call --raw` writes the bytes as they came.")
        };
        let message = DynamicMessage::decode(self.output.clone(), bytes).map_err(|error| broken(&error))?;
        let options = SerializeOptions::new().skip_default_fields(false);
        message.serialize_with_options(serde_json::value::Serializer, &options).map_err(|error| broken(&error))
    }
}

fn fields_of(message: &MessageDescriptor) -> String {
    let fields: Vec<String> = message.fields().map(|field| format!("{:?}", field.json_name())).collect();
    if fields.is_empty() { "no fields".to_owned() } else { format!("the fields {}", fields.join(", ")) }
}

/// `<package>.<Service>.<Method>`; a missing package leaves its dot.
fn route_of(method: &MethodDescriptor) -> String {
    let service = method.parent_service();
    format!("{}.{}.{}", service.package_name(), service.name(), method.name())
}

fn ambiguous(text: &str, one: &str, two: &str) -> CliError {
    CliError::usage(format!("{text:?} may be {one} or {two}")).fix("Give more of the route.")
}

fn unknown(text: &str, routes: &[String]) -> CliError {
    let near = near_route(text, routes);
    let fix = match (near, routes) {
        (Some(near), _) => format!("Did you mean {near}?"),
        (None, []) => Code::NoProto.fix().to_owned(),
        (None, routes) => format!("The package describes {}.", routes.join(", ")),
    };
    CliError::new(Code::NoProto, ErrorKind::UnknownRoute, format!("no proto of the package describes {text:?}"))
        .fix(fix)
}

/// The route that was probably meant: by its end, of which people type as much as they need, whatever the case.
fn near_route<'a>(text: &str, routes: &'a [String]) -> Option<&'a str> {
    let segments = text.split('.').count();
    let lower = text.to_lowercase();
    let end = |route: &str| {
        route
            .rsplitn(segments + 1, '.')
            .take(segments)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .join(".")
            .to_lowercase()
    };
    let ends: Vec<String> = routes.iter().map(|route| end(route)).collect();
    let near = nearest(&lower, ends.iter().map(String::as_str))?;
    ends.iter().position(|end| end == near).map(|at| &*routes[at])
}

struct Sources(Vec<ProtoFile>);

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.iter().find(|file| file.name == name) {
            Some(file) => File::from_source(name, &file.text),
            None if name == ACTR_OPTIONS_NAME => File::from_source(name, ACTR_OPTIONS),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

#[cfg(test)]
mod tests;
