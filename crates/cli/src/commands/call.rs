use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::Args;
use playhouse_types::{Code, ErrorKind};
use serde::Serialize;

use super::node_arg::NodeArg;
use crate::control::protocol::{self, PAYLOAD_BYTES_MAX, Payload, Reply, Request, Resolved};
use crate::encoding::{from_hex, to_hex};
use crate::error::{CliError, Exit, Result};
use crate::output::{GOOD, Output, Report};
use crate::protos::{Method, Protos};
use crate::{files, time};

/// Send a request to an actor and print its reply.
///
/// Where the actor's package has protos, the request is written and the reply shown as JSON; else both are bytes.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse call EchoService echo.EchoService.Echo --json '{\"message\":\"hi\"}'
  playhouse call EchoService Echo --json '{\"message\":\"hi\"}' --timeout 500ms
  playhouse call acme:Store:1.0.0 store.Store.Put --file request.bin --raw > reply.bin
  playhouse call Counter Add --json '{\"by\":1}' --tell
  playhouse call Counter Get --output json | jq .micros

As much of the route's end as is unique will do, if the package has protos. Here --json is the request;
`--output json` writes the whole result as JSON.")]
pub(crate) struct CallArgs {
    /// The actor: its id, type or name, or the beginning of one.
    actor: String,
    /// The method, such as echo.EchoService.Echo.
    route: String,
    #[command(flatten)]
    payload: PayloadArgs,
    /// Give up after this time, such as 500ms, 2s or 1m.
    #[arg(long, value_name = "TIME", default_value = "30s", allow_negative_numbers = true, value_parser = time::parse_duration)]
    timeout: Duration,
    /// Do not wait for a reply.
    #[arg(long)]
    tell: bool,
    /// Write the reply's bytes as they are.
    #[arg(long, conflicts_with = "tell")]
    raw: bool,
    #[command(flatten)]
    node: NodeArg,
}

/// The request; an empty message if nothing is said.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct PayloadArgs {
    /// The request as JSON; `-` is standard input.
    #[arg(id = "request_json", long = "json", value_name = "JSON")]
    json: Option<String>,
    /// The request's bytes as text.
    #[arg(long, value_name = "TEXT")]
    data: Option<String>,
    /// The request's bytes in hexadecimal.
    #[arg(long, value_name = "HEX")]
    hex: Option<String>,
    /// A file with the request's bytes; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl PayloadArgs {
    fn bytes(&self, method: Option<&Method>) -> Result<Bytes> {
        let bytes = match self {
            Self { json: Some(json), .. } if json == "-" => {
                let text = String::from_utf8(read_request(Path::new("-"))?)
                    .map_err(|_| CliError::usage("the JSON on standard input is not UTF-8 text"))?;
                method.ok_or_else(no_proto)?.encode(&text)?
            }
            Self { json: Some(json), .. } => method.ok_or_else(no_proto)?.encode(json)?,
            Self { data: Some(text), .. } => text.clone().into_bytes(),
            Self { hex: Some(hex), .. } => {
                from_hex(hex).ok_or_else(|| CliError::usage("the text of --hex is not pairs of digits 0-9 and a-f"))?
            }
            Self { file: Some(path), .. } => read_request(path)?,
            _ => Vec::new(),
        };
        check_size(bytes.len())?;
        Ok(bytes.into())
    }
}

/// Reads a request, and little more if it is too large.
fn read_request(path: &Path) -> Result<Vec<u8>> {
    let bytes = files::read_start(path, PAYLOAD_BYTES_MAX as u64 + 1, Code::Usage)?;
    check_size(bytes.len())?;
    Ok(bytes)
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes <= PAYLOAD_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the request has more than {PAYLOAD_BYTES_MAX} bytes, the limit of the control socket");
    Err(CliError::new(Code::MessageTooLarge, ErrorKind::InvalidArgument, message))
}

pub(crate) fn run(args: &CallArgs, output: Output) -> Result<Exit> {
    let mut client = args.node.connect()?;
    let target: Resolved = client.ask(&Request::Resolve { actor: args.actor.clone() })?;
    let method = find_method(args, &target)?;
    let payload = Payload(args.payload.bytes(method.as_ref())?);
    let route = method.as_ref().map_or(args.route.as_str(), |method| method.route.as_str()).to_owned();
    let timeout_ms = u64::try_from(args.timeout.as_millis()).unwrap_or(u64::MAX);
    let call = protocol::Call { actor: target.id.clone(), route: route.clone(), payload, timeout_ms, wait: !args.tell };
    let reply: Reply =
        client.ask_for(&Request::Call(call), args.timeout).map_err(|error| with_routes(error, &target))?;
    if args.tell {
        output.show(&Told { actor: target.id, route })?;
        return Ok(Exit::Ok);
    }
    if args.raw {
        io::stdout().lock().write_all(&reply.payload.0)?;
        return Ok(Exit::Ok);
    }
    let json = method.map(|method| method.decode(&reply.payload.0)).transpose()?;
    let reply_base64 = STANDARD.encode(&reply.payload.0);
    output.show(&Answer { actor: target.id, route, micros: reply.micros, reply: json, reply_base64 })?;
    Ok(Exit::Ok)
}

/// The method by the package's protos. A route that they do not describe is sent as it stands, unless JSON must be translated.
fn find_method(args: &CallArgs, target: &Resolved) -> Result<Option<Method>> {
    if target.protos.is_empty() {
        return Ok(None);
    }
    match Protos::compile(&target.protos).and_then(|protos| protos.method(&args.route)) {
        Ok(method) => Ok(Some(method)),
        Err(error) if args.payload.json.is_some() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Says which routes there are, where the actor does not know the one that was asked for.
fn with_routes(error: CliError, target: &Resolved) -> CliError {
    let unknown = error.document().is_some_and(|document| document.error.kind == ErrorKind::UnknownRoute.name());
    let routes = Protos::compile(&target.protos).map(|protos| protos.routes()).unwrap_or_default();
    if unknown && !routes.is_empty() {
        return error.fix(format!("The package describes {}.", routes.join(", ")));
    }
    error
}

fn no_proto() -> CliError {
    CliError::new(Code::NoProto, ErrorKind::InvalidArgument, "the actor has no protos to translate JSON with")
        .fix("Send encoded bytes with `--hex`, `--data` or `--file`.")
}

#[derive(Debug, Serialize)]
struct Told {
    actor: String,
    route: String,
}

impl Report for Told {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{GOOD}accepted{GOOD:#} by {}", self.actor)
    }
}

#[derive(Debug, Serialize)]
struct Answer {
    actor: String,
    route: String,
    /// Time at the node from sending to the reply.
    micros: u64,
    /// None without a proto for the route.
    reply: Option<serde_json::Value>,
    reply_base64: String,
}

impl Report for Answer {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        match &self.reply {
            Some(reply) => {
                serde_json::to_writer_pretty(&mut *w, reply)?;
                writeln!(w)
            }
            None => {
                let bytes = STANDARD.decode(&self.reply_base64).unwrap_or_default();
                writeln!(w, "{}", to_hex(&bytes))
            }
        }
    }
}
