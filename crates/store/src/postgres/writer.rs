//! The one task that writes: groups in order, each in one round trip; and what to do when the connection breaks under one.

mod resume;
mod send;
mod tasks;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_postgres::Error;

use crate::contract::Retention;
use crate::error::StoreError;
use crate::model::Durability;

use super::Common;
use super::answer::Answer;
use super::backend::Backend;
use super::error::Chain;
use super::group::{Group, number};
use super::session::{BackOff, Fault, Session};

use self::tasks::{Tasks, encode, fail, halve, refuse_stronger, split_held};

/// How often a group is sent that the server undoes because of what others do. Locks are taken in one order, so once is rare.
const ATTEMPTS_MAX: u32 = 8;
/// How long the server gets for what it does in no time.
const AT_ONCE: Duration = Duration::from_secs(5);
/// How long standbys that have gone may take to come back before the group that waits for them is looked after. One that is
/// restarted takes less; and everything behind the group waits.
const STANDBYS_BACK: Duration = Duration::from_secs(5);

/// How long a group waits for a server that has gone.
#[derive(Clone, Copy)]
struct Patience {
    deadline: Instant,
    /// The server has been away for longer than it may be already: one try, however soon it fails.
    once: bool,
}

impl Patience {
    fn is_over(self) -> bool {
        self.once || Instant::now() >= self.deadline
    }
}

/// A group that was made.
struct Made {
    answers: Vec<Answer>,
    /// What is known to hold for it, which may be less than what was asked for.
    holds: Durability,
}

/// Why a group has no answers.
enum Trouble {
    /// The server undid it.
    Undone(Arc<str>),
    /// The server undid it, because others hold what it needs.
    Locked(Arc<str>),
    /// It cannot be told, and the time is over.
    Unknown(Arc<str>),
    /// It was not sent, and the time is over.
    Unreachable(Arc<str>),
    /// The server promises less than it did.
    Weaker,
    /// The server has lost what it acknowledged, or what this writer is.
    Failed(Arc<str>),
}

pub(super) struct Writer {
    common: Arc<Common>,
    session: Option<Session>,
    /// Since when there is none.
    lost: Option<Instant>,
    /// Of the connections that may still be at work for this writer: the last one, and those before that nobody has ended.
    backends: Vec<Backend>,
    /// The row of this writer, how often it has connected, and its last group.
    id: i64,
    incarnation: i64,
    last_group: i64,
    /// The last group that is on the disk of the server.
    durable_group: i64,
    keep: Vec<i64>,
    failed: Option<Arc<str>>,
}

impl Writer {
    /// A writer on a fresh row.
    pub(super) async fn start(common: Arc<Common>, session: Session, retention: Retention) -> Result<Self, Error> {
        session.client.execute("SELECT retire_2(0)", &[]).await?;
        let add = "INSERT INTO writers (id) VALUES (nextval('writer_number')) RETURNING id";
        let id: i64 = session.client.query_one(add, &[]).await?.get(0);
        let age = u64::try_from(retention.reply_age.as_millis()).unwrap_or(u64::MAX);
        let keep = [age, retention.reply_bytes, retention.letters, retention.letter_bytes].map(number).to_vec();
        common.writer.store(id, Ordering::Relaxed);
        let backends = vec![Backend::of(&session.client).await?];
        let session = Some(session);
        let (lost, failed) = (None, None);
        Ok(Self { common, session, lost, backends, id, incarnation: 1, last_group: 0, durable_group: 0, keep, failed })
    }

    pub(super) async fn run(mut self) {
        let queue = Arc::clone(&self.common.queue);
        while let Some(tasks) = queue.next().await {
            self.write(tasks).await;
        }
        if let Some(session) = &self.session {
            // If it does not work, another writer does it in a day.
            drop(timeout(AT_ONCE, session.client.execute("SELECT retire_2($1)", &[&self.id])).await);
        }
        queue.finish();
    }

    /// Writes a group. From one that others are in the way of goes what they are in the way of; one that the server cannot do is halved until only
    /// the write is left that it cannot do.
    async fn write(&mut self, tasks: Tasks) {
        let mut groups = VecDeque::from([tasks]);
        while let Some(tasks) = groups.pop_front() {
            // The server may promise less than when they were taken.
            let tasks = refuse_stronger(tasks, self.common.strongest());
            if tasks.is_empty() {
                continue;
            }
            let (group, class) = (encode(&tasks), self.class(&tasks));
            let trouble = match self.attempt(&group, class).await {
                Ok(made) => {
                    self.answer(tasks, made);
                    continue;
                }
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Locked(cause) if tasks.len() > 1 => {
                    let held = self.held(&group).await.unwrap_or_default();
                    let (behind, rest) = split_held(tasks, &held);
                    if behind.is_empty() {
                        // They have let go in the meantime, or hold something else.
                        halve(rest, &mut groups);
                    } else {
                        fail(behind, &StoreError::Unreachable { cause });
                        groups.push_front(rest);
                    }
                }
                Trouble::Undone(_) if tasks.len() > 1 => halve(tasks, &mut groups),
                Trouble::Weaker => groups.push_front(tasks),
                Trouble::Undone(cause) | Trouble::Locked(cause) | Trouble::Unreachable(cause) => {
                    fail(tasks, &StoreError::Unreachable { cause })
                }
                Trouble::Unknown(cause) => fail(tasks, &StoreError::Unknown { cause }),
                Trouble::Failed(cause) => {
                    self.failed = Some(Arc::clone(&cause));
                    fail(tasks, &StoreError::Failed { cause });
                }
            }
        }
    }

    fn answer(&self, tasks: Tasks, Made { answers, holds }: Made) {
        debug_assert_eq!(tasks.len(), answers.len(), "each write has an answer");
        let stats = &self.common.stats;
        let made = answers.iter().filter(|answer| answer.code == 0).count();
        stats.writes.fetch_add(made as u64, Ordering::Relaxed);
        stats.groups.fetch_add(1, Ordering::Relaxed);
        for (task, answer) in tasks.into_iter().zip(answers) {
            if answer.code == 0 && task.durability() > holds {
                let cause = format!("it is written, but with {holds}: the standbys did not confirm it");
                task.fail(StoreError::Unknown { cause: cause.into() });
            } else {
                task.answer(answer, &self.common.server);
            }
        }
    }

    /// Sends a group until there are answers: also those of an earlier connection.
    async fn attempt(&mut self, group: &Group, class: Durability) -> Result<Made, Trouble> {
        if let Some(cause) = &self.failed {
            return Err(Trouble::Failed(Arc::clone(cause)));
        }
        let now = Instant::now();
        let deadline = self.lost.unwrap_or(now) + self.common.give_up_after;
        // What waits behind one that was given up does not wait as long once more.
        let once = deadline <= now;
        let patience = Patience { deadline: if once { now + AT_ONCE } else { deadline }, once };
        let mut back_off = BackOff::new();
        let mut sent = None;
        let mut attempts = 0;
        loop {
            if let Some(found) = self.ready(class, sent.is_some(), patience).await? {
                let found = self.made(found);
                if sent.is_some() {
                    return Ok(found);
                }
                // It was of a group that was given up.
            }
            if class > self.common.strongest() {
                // It would wait for standbys that are not there.
                return Err(Trouble::Weaker);
            }
            let error = match self.send(group, class).await {
                Ok(made) => return Ok(self.made(made)),
                Err(error) => error,
            };
            let cause: Arc<str> = describe(error.as_ref()).into();
            match error.as_ref().map_or(Fault::Lost, Fault::of) {
                Fault::Lost | Fault::Displaced => {
                    self.session = None;
                    sent = Some(Arc::clone(&cause));
                }
                Fault::Again if attempts < ATTEMPTS_MAX => attempts += 1,
                Fault::NoQuorum => {
                    self.common.promise.weaken();
                    return Err(Trouble::Weaker);
                }
                Fault::Locked => return Err(Trouble::Locked(cause)),
                Fault::Again | Fault::Undone => return Err(Trouble::Undone(cause)),
            }
            // What others were in the way of is tried again all the same.
            if Instant::now() >= patience.deadline || (sent.is_some() && patience.is_over()) {
                return Err(match sent {
                    Some(cause) => Trouble::Unknown(cause),
                    None => Trouble::Undone(cause),
                });
            }
            back_off.pause().await;
        }
    }

    /// The class that a group needs, of those that there are.
    fn class(&self, tasks: &Tasks) -> Durability {
        let wanted = tasks.iter().map(|task| task.class()).max().unwrap_or(Durability::Memory);
        wanted.min(self.common.strongest())
    }

    fn made(&mut self, made: Made) -> Made {
        self.last_group += 1;
        if made.holds > Durability::Memory {
            self.durable_group = self.last_group;
        }
        made
    }
}

fn describe(error: Option<&Error>) -> String {
    error.map_or_else(|| "the server did not answer in time".to_owned(), |error| Chain(error).to_string())
}
