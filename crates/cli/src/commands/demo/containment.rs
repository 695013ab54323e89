use std::time::{Duration, Instant};

use bytes::Bytes;
use echo::proto::{EchoRequest, EchoResponse};
use playhouse_node::types::RouteKey;
use playhouse_types::ActorError;

use super::report::ContainmentRow;
use super::stage::{Stage, ask, name_of};
use super::wrong;
use crate::error::Result;

const LOOP: RouteKey = RouteKey::from_static("misbehaving.MisbehavingService.Loop");
const PING: RouteKey = RouteKey::from_static("misbehaving.MisbehavingService.Ping");

/// A guest loops for ever; meanwhile every other echo goes on answering; the guest is cut off, and answers again.
pub(super) async fn endless_loop(stage: &Stage) -> Result<Vec<ContainmentRow>> {
    let mut rows = Vec::new();
    for (guest, engine) in stage.actors("Misbehaving") {
        let start = Instant::now();
        let looping = guest.call(LOOP, Bytes::new());
        tokio::pin!(looping);
        let mut others = Others::default();
        let error: ActorError = loop {
            tokio::select! {
                biased;
                ended = &mut looping => match ended {
                    Ok(_) => return Err(wrong("the endless loop ended by itself")),
                    Err(error) => break error,
                },
                answered = others.ask_all(stage) => answered?,
            }
        };
        let after_ms = start.elapsed().as_secs_f64() * 1e3;
        let recovered = guest.call(PING, Bytes::new()).await.is_ok();
        if !recovered || others.answered == 0 {
            return Err(wrong(format!("after {error}: {} answers of others, recovered: {recovered}", others.answered)));
        }
        rows.push(ContainmentRow {
            actor: name_of(guest.id()),
            engine: engine.name(),
            what: "an endless loop",
            code: error.code().text(),
            after_ms,
            others_answered: others.answered,
            others_slowest_us: others.slowest.as_secs_f64() * 1e6,
            recovered,
        });
    }
    Ok(rows)
}

#[derive(Default)]
struct Others {
    answered: u64,
    slowest: Duration,
}

impl Others {
    async fn ask_all(&mut self, stage: &Stage) -> Result<()> {
        for (echo, _) in stage.actors("Echo") {
            let start = Instant::now();
            let request = EchoRequest { message: "still here".to_owned() };
            let _: EchoResponse = ask(echo, "echo.EchoService.Echo", &request).await?;
            self.answered += 1;
            self.slowest = self.slowest.max(start.elapsed());
        }
        Ok(())
    }
}
