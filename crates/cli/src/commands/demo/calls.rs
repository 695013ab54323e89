use std::time::{Duration, Instant};

use caller::proto::{GreetRequest, GreetResponse, ShellRequest, ShellResponse};
use echo::proto::{EchoRequest, EchoResponse};
use playhouse_node::{ActorRef, EngineKind};

use super::report::{APPLICATION, CallRow};
use super::stage::{Stage, ask, name_of};
use super::wrong;
use crate::error::Result;

/// Calls for each pair, and the time after which fewer will do.
const CALLS: usize = 200;
const PAIR_TIME: Duration = Duration::from_millis(80);
const MESSAGE: &str = "all the world's a stage";

/// The application calls every echo; every caller calls every echo; every caller calls the application.
pub(super) async fn everybody_calls_everybody(stage: &Stage) -> Result<Vec<CallRow>> {
    let (callers, echoes) = (stage.actors("Caller"), stage.actors("Echo"));
    let mut rows = Vec::new();
    for (echo, engine) in &echoes {
        rows.push(Pair { from: None, to: Some((echo, *engine)) }.measure().await?);
    }
    for from in &callers {
        for to in &echoes {
            rows.push(Pair { from: Some(*from), to: Some(*to) }.measure().await?);
        }
        rows.push(Pair { from: Some(*from), to: None }.measure().await?);
    }
    Ok(rows)
}

/// Who calls whom; none is the application.
struct Pair<'a> {
    from: Option<(&'a ActorRef, EngineKind)>,
    to: Option<(&'a ActorRef, EngineKind)>,
}

impl Pair<'_> {
    async fn measure(&self) -> Result<CallRow> {
        let start = Instant::now();
        let mut times = Vec::with_capacity(CALLS);
        while times.len() < CALLS && (times.is_empty() || start.elapsed() < PAIR_TIME) {
            let call = Instant::now();
            self.once().await?;
            times.push(call.elapsed());
        }
        times.sort_unstable();
        let name =
            |end: Option<(&ActorRef, EngineKind)>| end.map_or(APPLICATION.to_owned(), |(actor, _)| name_of(actor.id()));
        let engine = |end: Option<(&ActorRef, EngineKind)>| end.map(|(_, engine)| engine.name());
        Ok(CallRow {
            from: name(self.from),
            from_engine: engine(self.from),
            to: name(self.to),
            to_engine: engine(self.to),
            calls: times.len(),
            p50_us: times[times.len() / 2].as_secs_f64() * 1e6,
        })
    }

    /// One call, whose reply must be the right one by the right actor.
    async fn once(&self) -> Result<()> {
        let reply = match (self.from, self.to) {
            (None, Some((echo, _))) => {
                let request = EchoRequest { message: MESSAGE.to_owned() };
                let reply: EchoResponse = ask(echo, "echo.EchoService.Echo", &request).await?;
                reply.reply
            }
            (Some((caller, _)), Some((echo, _))) => {
                let actor_type = echo.id().actor_type().to_string();
                let request = GreetRequest { actor_type, message: MESSAGE.to_owned() };
                let reply: GreetResponse = ask(caller, "caller.CallerService.Greet", &request).await?;
                reply.reply
            }
            (Some((caller, _)), None) => {
                let request = ShellRequest { route: "demo.Stage.Answer".to_owned(), payload: MESSAGE.into() };
                let reply: ShellResponse = ask(caller, "caller.CallerService.CallShell", &request).await?;
                String::from_utf8_lossy(&reply.reply).into_owned()
            }
            (None, None) => MESSAGE.to_owned(),
        };
        if reply == MESSAGE { Ok(()) } else { Err(wrong(format!("expected {MESSAGE:?}, heard {reply:?}"))) }
    }
}
