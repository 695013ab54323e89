use std::time::Instant;

use clap::Args;
use playhouse_types::{Code, ErrorKind};

use crate::args::JsonFlag;
use crate::error::{CliError, Exit, Result};
use crate::output::Output;

mod calls;
mod cast;
mod containment;
mod durable;
mod report;
mod stage;
mod streams;
mod tampering;

/// Run signed packages in every engine on this machine, and show that they work together.
///
/// Real packages are verified and run as wasm and native actors beside linked ones. Each calls each other, streams flow, a
/// package that was tampered with is refused, a guest that loops for ever is cut off while the others go on answering, and what an actor keeps is there after a restart.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse demo
  playhouse demo --json | jq '.calls[] | {from, to, p50_us}'

Nothing has to be installed, and nothing but compiled code in the cache directory stays behind.")]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    json: JsonFlag,
}

pub(crate) fn run(_args: &DemoArgs, output: Output) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        CliError::new(Code::Unspecified, ErrorKind::Internal, format!("cannot start threads: {error}"))
    })?;
    let played = runtime.block_on(play());
    runtime.shutdown_background();
    output.show(&played?)?;
    Ok(Exit::Ok)
}

async fn play() -> Result<report::Played> {
    let start = Instant::now();
    let stage = stage::Stage::open().await?;
    let calls = calls::everybody_calls_everybody(&stage).await?;
    let streams = streams::flow(&stage).await?;
    let refused = tampering::refusals()?;
    let contained = containment::endless_loop(&stage).await?;
    let (packages, notes) = stage.close().await;
    let kept = durable::over_a_restart().await?;
    Ok(report::Played {
        packages,
        calls,
        streams,
        refused,
        contained,
        kept,
        notes,
        millis: start.elapsed().as_secs_f64() * 1e3,
    })
}

/// Something did not go as it must.
fn wrong(message: impl Into<String>) -> CliError {
    CliError::new(Code::Unspecified, ErrorKind::Internal, message)
        .fix("This is a bug, or something odd about this machine: `playhouse doctor` looks at it.")
}
