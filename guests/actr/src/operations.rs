//! Interfaces without tokens, imported beside those of actr. Their functions are synchronous.

wit_bindgen::generate!({
    generate_all,
    path: "../../crates/abi/wit/playhouse",
    inline: "package sample:operations;
        world operations {
            import playhouse:actor/state@0.1.0;
            import playhouse:actor/timers@0.1.0;
            import playhouse:actor/crypto@0.1.0;
            import playhouse:actor/settings@0.1.0;
            import playhouse:actor/random@0.1.0;
            import playhouse:actor/clock@0.1.0;
            import playhouse:actor/log@0.1.0;
        }",
});

use playhouse::actor::{clock, crypto, log, random, settings, state, timers, types};

use crate::v2::{ActrError, Dest, host};

const ROUTE: &str = "app.Service.Method";

fn failed(error: types::Error) -> ActrError {
    ActrError::Internal(format!("{:?} {} [{}]", error.kind, error.message, error.code))
}

pub(crate) async fn run(route: &str, payload: Vec<u8>, token: u64) -> Result<Vec<u8>, ActrError> {
    match route {
        "op-each" => each(&payload).map_err(failed),
        // Writes, and writes again when its call has come back: others may have come in between.
        "op-around" => {
            state::set(&payload, b"before").map_err(failed)?;
            let reply = host::call(token, Dest::Host, ROUTE.into(), payload.clone()).await?;
            state::set(&payload, b"after").map_err(failed)?;
            Ok(reply)
        }
        "op-spin" => loop {
            wit_bindgen::yield_async().await;
        },
        // Answers, and goes on.
        "op-later" => {
            wit_bindgen::spawn(async move {
                for _ in 0..3 {
                    wit_bindgen::yield_async().await;
                }
                let late = state::get(b"late").map_err(failed);
                host::log_message(token, "info".into(), format!("late: {late:?}")).await;
            });
            Ok(payload)
        }
        // Asks for more and more, and waits for nothing.
        "op-hoard" => {
            let mut asked = Vec::new();
            loop {
                let mut call = Box::pin(host::call(token, Dest::Host, ROUTE.into(), Vec::new()));
                let first = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
                asked.push((call, first));
            }
        }
        other => Err(ActrError::UnknownRoute(other.into())),
    }
}

fn each(key: &[u8]) -> Result<Vec<u8>, types::Error> {
    state::set(key, b"value")?;
    let found = state::get(key)?;
    timers::set("tick", &timers::Schedule::EveryMs(1000), ROUTE, key)?;
    timers::cancel("tick")?;
    let hash = crypto::hash(crypto::HashAlgorithm::Sha256, key)?;
    let setting = settings::config("name")?;
    let random = random::bytes(4)?;
    let now = clock::now()?;
    let field = log::Field { name: "random".into(), value: format!("{random:?}") };
    log::write(types::LogLevel::Info, "each was asked", &[field]);
    Ok(format!("{found:?} {hash:?} {setting:?} {random:?} {}", now.seconds).into_bytes())
}
