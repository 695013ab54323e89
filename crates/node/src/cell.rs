//! One actor of a node: its mailbox, its workload, and where it is in its life.
//!
//! A message to an idle actor is handled where it is sent from: the caller polls the handler once, and if that ends it, no task, no
//! channel and no timer was involved. Whatever takes longer goes on in a task of the node, so that a caller that goes away
//! neither stops a handler nor leaves its actor locked.

mod acks;
mod commit;
mod contained;
mod durable;
mod host;
mod intake;
mod life;
mod lost;
mod once;
mod outcome;
mod passive;
mod refusal;
mod run;
mod state;
mod streams;
mod submit;
mod suspects;
mod timers;
mod turn;

use std::sync::{Arc, Weak};
use std::time::Instant;

use parking_lot::Mutex;
use playhouse_engine::{Context, Prepared, Workload};
use playhouse_package::LockFile;
use playhouse_scheduler::{CallChain, Dedup, Key, Mailbox, MailboxConfig, Priority, Supervisor, WaitId};
use playhouse_types::{ActorError, ActorId, Event, RequestId};
use tokio::sync::Notify;

use crate::grants::Grants;
use crate::key::KeyBy;
use crate::latency::Latency;
use crate::options::ActorOptions;
use crate::scope::{Handler, address};
use crate::shared::Shared;
use crate::status::{ActorState, ActorStatus, Tallies};

pub(crate) use contained::never_nest;
pub(crate) use durable::Durable;
pub(crate) use outcome::{Letter, Stored};
pub(crate) use submit::Request;

use once::OnceAnswer;
use outcome::Then;
use run::{Record, Run};
use streams::Streams;
use turn::Turns;

/// What does not change while an actor lives; actors that start alike share it.
pub(crate) struct Setup {
    pub(crate) options: ActorOptions,
    pub(crate) limits: Arc<playhouse_engine::Limits>,
    pub(crate) grants: Grants,
    pub(crate) key: Option<KeyBy>,
    /// Whether a call chain may come back to the actor.
    pub(crate) reentrant: bool,
    /// Whether it handles one message at a time, whatever they are.
    pub(crate) serial: bool,
    /// What its package is called and depends on; none for linked actors.
    pub(crate) package: Option<Origin>,
}

/// What is kept of an actor's package.
pub(crate) struct Origin {
    /// SHA-256 of the manifest, in hexadecimal.
    pub(crate) digest: String,
    /// The types that it may discover, if the package lists them.
    pub(crate) lock: Option<LockFile>,
}

pub(crate) struct Cell {
    id: ActorId,
    me: Weak<Self>,
    node: Arc<Shared>,
    program: Arc<dyn Prepared>,
    setup: Arc<Setup>,
    /// What it has in the node's store, if the node has one.
    durable: Option<Box<Durable>>,
    gate: Mutex<Gate>,
    /// Rings when a message has been handled while somebody waits for room or for the end.
    changed: Notify,
}

/// What changes, under one short lock.
struct Gate {
    mailbox: Mailbox<Work>,
    /// Present exactly while the mailbox is not paused, except at the end.
    workload: Option<Arc<dyn Workload>>,
    /// What its messages may do, on a node with a store; present while the workload is.
    turns: Option<Turns>,
    state: ActorState,
    /// Counts workloads, so that the late end of a run does not count against its successor.
    life: u32,
    /// How many wait at `changed`.
    watchers: u32,
    /// Who waits for the message that a serial actor handles.
    chain: CallChain,
    flow: Flow,
    supervisor: Supervisor,
    tallies: Tallies,
    latency: Latency,
    extras: Option<Box<Extras>>,
}

/// How messages are being handed out.
#[derive(Default)]
struct Flow {
    /// Messages being handled whose handlers wait for something.
    waiting: u32,
    /// Messages that are handled on the threads for computing before one is again begun where it is: some, after one has computed
    /// for long.
    heavy: u8,
    /// Whether a task is on its way to hand out what is queued.
    draining: bool,
    /// Whether messages wait for commits under way, and a task for these.
    held_up: bool,
    /// Whether the workload has been told that its mailbox is filling.
    pressed: bool,
}

/// What most actors never need.
#[derive(Default)]
struct Extras {
    streams: Streams,
    dedup: Option<Dedup<OnceAnswer, Result<bytes::Bytes, ActorError>>>,
}

/// The surroundings of a message.
struct Envelope {
    caller: Option<ActorId>,
    request_id: RequestId,
    deadline: Option<Instant>,
    chain: CallChain,
    /// Whether its caller may repeat it also after a restart of the node, so that the store remembers the reply.
    recorded: bool,
}

/// A message that waits to be handled.
struct Work {
    event: Event,
    envelope: Envelope,
    then: Then,
    /// That its caller waits for it to begin, if that is an actor.
    wait: Option<WaitId>,
    priority: Priority,
}

impl Work {
    /// What the message takes of the mailbox's bytes.
    fn bytes(&self) -> usize {
        match &self.event {
            Event::Request { payload, .. } => payload.len(),
            Event::Chunk { chunk, .. } => chunk.payload.len(),
            _ => 0,
        }
    }
}

/// What a workload leaves behind, to be dropped where no lock is held.
struct Lost(#[expect(dead_code, reason = "dropped late")] (Option<Arc<dyn Workload>>, Option<Turns>, Streams));

impl Gate {
    /// Takes the workload away; its runs that are under way do not count any more.
    fn clear(&mut self) -> Lost {
        self.life += 1;
        self.mailbox.pause();
        Lost((self.workload.take(), self.turns.take(), self.extras().streams.take()))
    }

    /// Whether a message has to bring the actor back into memory, which then is under way.
    fn rouse(&mut self) -> bool {
        let passive = self.state == ActorState::Passive;
        if passive {
            self.state = ActorState::Restarting;
        }
        passive
    }

    fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }
}

impl Cell {
    pub(crate) fn new(
        node: Arc<Shared>,
        id: ActorId,
        program: Arc<dyn Prepared>,
        setup: Arc<Setup>,
        durable: Option<Durable>,
    ) -> Arc<Self> {
        let options = &setup.options;
        let mut mailbox = Mailbox::new(MailboxConfig {
            capacity: options.mailbox.capacity,
            bytes_max: options.mailbox.bytes_max,
            mode: options.concurrency.clone().unwrap_or_default().mode(),
            full: options.mailbox.full,
        });
        mailbox.pause();
        let gate = Gate {
            mailbox,
            workload: None,
            turns: None,
            state: ActorState::Starting,
            life: 0,
            watchers: 0,
            chain: CallChain::root(),
            flow: Flow::default(),
            supervisor: Supervisor::new(options.restart),
            tallies: Tallies::default(),
            latency: Latency::default(),
            extras: None,
        };
        Arc::new_cyclic(|me| Self {
            id,
            me: Weak::clone(me),
            node,
            program,
            setup,
            durable: durable.map(Box::new),
            gate: Mutex::new(gate),
            changed: Notify::new(),
        })
    }

    pub(crate) fn id(&self) -> &ActorId {
        &self.id
    }

    pub(crate) fn node(&self) -> &Arc<Shared> {
        &self.node
    }

    pub(crate) fn status(&self) -> ActorStatus {
        let gate = self.gate.lock();
        ActorStatus {
            id: self.id.clone(),
            engine: self.program.kind(),
            state: gate.state.clone(),
            grants: self.setup.grants,
            instance: self.durable.as_ref().map(|durable| durable.instance().to_owned()),
            package: self.setup.package.as_ref().map(|origin| origin.digest.clone()),
            queued: gate.mailbox.len(),
            capacity: gate.mailbox.capacity(),
            running: gate.mailbox.running(),
            tallies: gate.tallies,
            median: gate.latency.median(),
            last_crash: gate.supervisor.cause().cloned(),
        }
    }

    /// Whether it takes messages now or after its restart.
    pub(crate) fn is_open(&self) -> bool {
        self.closed(&self.gate.lock()).is_none()
    }

    /// Who waits for the message that this serial actor handles.
    pub(crate) fn chain(&self) -> CallChain {
        self.gate.lock().chain.clone()
    }

    /// Whose handler the actor's is, for calls that it makes past its context.
    fn handler(&self) -> Handler {
        match self.setup.serial {
            true => Handler::Actor { node: address(&self.node), serial: self.id.serial() },
            false => Handler::Nobody,
        }
    }

    fn context(self: &Arc<Self>, run: &mut Run, envelope: Envelope, event: &Event) -> Context {
        let host = match (&run.turn, &self.durable) {
            (Some(turn), Some(durable)) => {
                let route = match event {
                    Event::Request { route, .. } => Some(route),
                    _ => None,
                };
                run.class = durable.classes.effects(route);
                run.record = envelope.recorded.then(|| {
                    let key = durable::request_key(envelope.caller.as_ref(), &envelope.request_id);
                    Box::new(Record { key, always: route.is_some_and(|route| durable.classes.records(route)) })
                });
                Arc::clone(turn) as Arc<dyn playhouse_engine::Host>
            }
            _ => Arc::clone(self) as Arc<dyn playhouse_engine::Host>,
        };
        self.context_of(envelope, host)
    }

    fn context_of(&self, envelope: Envelope, host: Arc<dyn playhouse_engine::Host>) -> Context {
        Context {
            self_id: self.id.clone(),
            caller: envelope.caller,
            request_id: envelope.request_id,
            deadline: envelope.deadline,
            chain: envelope.chain,
            host,
        }
    }

    fn key(&self, sender: Option<&ActorId>, event: &Event) -> Key {
        match &self.setup.key {
            None => Key::NONE,
            Some(by) => by.key(&self.node.given.hasher, sender, event),
        }
    }
}
