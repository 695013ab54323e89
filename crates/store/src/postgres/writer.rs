//! The one task that writes: groups in order, each in one round trip; and what to do when the connection breaks under one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_postgres::{Error, Row};

use crate::contract::Retention;
use crate::error::StoreError;
use crate::model::Durability;

use super::Common;
use super::answer::{Answer, synchronous_commit};
use super::error::Chain;
use super::group::{Group, number};
use super::session::{BackOff, Fault, Session};
use super::write::Task;

/// How often a group is sent that the server undoes because of what others do. Locks are taken in one order, so once is rare.
const ATTEMPTS_MAX: u32 = 8;
/// The least time that a server gets to answer before its connection counts as broken, beyond the timeout of a statement.
const ANSWER_GRACE: Duration = Duration::from_secs(5);

const APPLY: &str = "SELECT code, n, b FROM unnest(apply($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
     $17, $18, $19, $20)) WITH ORDINALITY a (code, n, b, place) ORDER BY place";
const RESUME: &str = "SELECT w.incarnation, w.last_group, a.code, a.n, a.b FROM resume($1, $2) w \
     LEFT JOIN LATERAL unnest(w.answers) WITH ORDINALITY a (code, n, b, place) ON true ORDER BY place";

type Tasks = Vec<Box<dyn Task>>;

/// Why a group has no answers.
enum Trouble {
    /// The server undid it.
    Undone(Arc<str>),
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
        session.client.execute("SELECT retire(0)", &[]).await?;
        let add = "INSERT INTO writers (id) VALUES (nextval('writer_number')) RETURNING id";
        let id = session.client.query_one(add, &[]).await?.get(0);
        let age = u64::try_from(retention.reply_age.as_millis()).unwrap_or(u64::MAX);
        let keep = [age, retention.reply_bytes, retention.letters, retention.letter_bytes].map(number).to_vec();
        let session = Some(session);
        Ok(Self { common, session, id, incarnation: 1, last_group: 0, durable_group: 0, keep, failed: None })
    }

    pub(super) async fn run(mut self) {
        let queue = Arc::clone(&self.common.queue);
        while let Some(tasks) = queue.next().await {
            self.write(tasks).await;
        }
        if let Some(session) = &self.session {
            // If it does not work, another writer does it in a day.
            drop(timeout(ANSWER_GRACE, session.client.execute("SELECT retire($1)", &[&self.id])).await);
        }
        queue.finish();
    }

    /// Writes a group. One that the server cannot do is halved until only the write is left that it cannot do.
    async fn write(&mut self, tasks: Tasks) {
        let mut groups = VecDeque::from([tasks]);
        while let Some(tasks) = groups.pop_front() {
            // The server may promise less than when they were taken.
            let mut tasks = refuse_stronger(tasks, self.common.strongest());
            if tasks.is_empty() {
                continue;
            }
            let (group, class) = (encode(&tasks), self.class(&tasks));
            let trouble = match self.attempt(&group, class).await {
                Ok(answers) => {
                    self.answer(tasks, answers);
                    continue;
                }
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Undone(_) if tasks.len() > 1 => {
                    let rest = tasks.split_off(tasks.len() / 2);
                    groups.push_front(rest);
                    groups.push_front(tasks);
                }
                Trouble::Weaker => groups.push_front(tasks),
                Trouble::Undone(cause) | Trouble::Unreachable(cause) => fail(tasks, &StoreError::Unreachable { cause }),
                Trouble::Unknown(cause) => fail(tasks, &StoreError::Unknown { cause }),
                Trouble::Failed(cause) => {
                    self.failed = Some(Arc::clone(&cause));
                    fail(tasks, &StoreError::Failed { cause });
                }
            }
        }
    }

    fn answer(&self, tasks: Tasks, answers: Vec<Answer>) {
        debug_assert_eq!(tasks.len(), answers.len(), "each write has an answer");
        let stats = &self.common.stats;
        let made = answers.iter().filter(|answer| answer.code == 0).count();
        stats.writes.fetch_add(made as u64, Ordering::Relaxed);
        stats.groups.fetch_add(1, Ordering::Relaxed);
        for (task, answer) in tasks.into_iter().zip(answers) {
            task.answer(answer, &self.common.server);
        }
    }

    /// Sends a group until there are answers: also those of an earlier connection.
    async fn attempt(&mut self, group: &Group, class: Durability) -> Result<Vec<Answer>, Trouble> {
        if let Some(cause) = &self.failed {
            return Err(Trouble::Failed(Arc::clone(cause)));
        }
        let deadline = Instant::now() + self.common.give_up_after;
        let mut back_off = BackOff::new();
        let mut sent = None;
        let mut attempts = 0;
        loop {
            if let Some(answers) = self.ready(class, sent.is_some(), deadline).await? {
                let answers = self.made(class, answers);
                if sent.is_some() {
                    return Ok(answers);
                }
                // It was of a group that was given up.
            }
            let error = match self.send(group, class).await {
                Ok(answers) => return Ok(self.made(class, answers)),
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
                    self.common.weaken();
                    return Err(Trouble::Weaker);
                }
                Fault::Again | Fault::Undone => return Err(Trouble::Undone(cause)),
            }
            if Instant::now() >= deadline {
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

    fn made(&mut self, class: Durability, answers: Vec<Answer>) -> Vec<Answer> {
        self.last_group += 1;
        if class > Durability::Memory {
            self.durable_group = self.last_group;
        }
        answers
    }

    /// One round trip. `None` if there was no answer in time.
    async fn send(&self, group: &Group, class: Durability) -> Result<Vec<Answer>, Option<Error>> {
        let Some(session) = &self.session else {
            return Err(None);
        };
        let statement = session.statement(APPLY).await.map_err(Some)?;
        let next = self.last_group + 1;
        let sync = synchronous_commit(class);
        let slices = group.slices();
        let params = group.params(&[&self.id, &self.incarnation, &next, &sync, &self.keep], &slices);
        match timeout(self.common.answer_timeout(), session.client.query(&statement, &params)).await {
            Ok(rows) => read(&rows.map_err(Some)?, 0).map_err(Some),
            Err(_) => Err(None),
        }
    }

    /// Makes sure that there is a connection. If it is a new one, and the group that the last one was sent was made, these are
    /// the answers; if not it never will be.
    async fn ready(
        &mut self,
        class: Durability,
        sent: bool,
        deadline: Instant,
    ) -> Result<Option<Vec<Answer>>, Trouble> {
        if self.session.as_ref().is_some_and(|session| !session.is_closed()) {
            return Ok(None);
        }
        let mut back_off = BackOff::new();
        loop {
            let limit = deadline.saturating_duration_since(Instant::now());
            let cause: Arc<str> = match timeout(limit, self.reconnect(class)).await {
                Ok(Ok(resumed)) => return resumed,
                Ok(Err(error)) => Chain(&error).to_string().into(),
                Err(_) => "the server does not answer".into(),
            };
            if Instant::now() >= deadline {
                return Err(if sent { Trouble::Unknown(cause) } else { Trouble::Unreachable(cause) });
            }
            back_off.pause().await;
        }
    }

    async fn reconnect(&mut self, class: Durability) -> Result<Result<Option<Vec<Answer>>, Trouble>, Error> {
        let session = self.common.connector.connect().await?;
        self.common.set_strongest(session.strongest().await?);
        let statement = session.statement(RESUME).await?;
        let rows = session.client.query(&statement, &[&self.id, &synchronous_commit(class)]).await?;
        let Some(first) = rows.first() else {
            return Ok(Err(Trouble::Failed("the server does not know this store any more".into())));
        };
        let found: i64 = first.try_get(1)?;
        self.incarnation = first.try_get(0)?;
        if found < self.durable_group {
            let cause =
                format!("the server has lost groups {} to {} that it acknowledged", found + 1, self.durable_group);
            return Ok(Err(Trouble::Failed(cause.into())));
        }
        let answers = match found - self.last_group {
            1 => Some(read(&rows, 2)?),
            ..=0 => {
                // Fewer: what was to be in memory only is gone with the server.
                self.last_group = found;
                None
            }
            _ => return Ok(Err(Trouble::Failed("the server has groups of this store that it never sent".into()))),
        };
        self.session = Some(session);
        Ok(Ok(answers))
    }
}

fn encode(tasks: &Tasks) -> Group {
    let mut group = Group::default();
    tasks.iter().for_each(|task| task.encode(&mut group));
    group
}

fn read(rows: &[Row], column: usize) -> Result<Vec<Answer>, Error> {
    rows.iter().map(|row| Answer::from_row(row, column)).collect()
}

fn describe(error: Option<&Error>) -> String {
    error.map_or_else(|| "the server did not answer in time".to_owned(), |error| Chain(error).to_string())
}

fn fail(tasks: Tasks, error: &StoreError) {
    tasks.into_iter().for_each(|task| task.fail(error.clone()));
}

/// Answers those that asked for more than there is.
fn refuse_stronger(tasks: Tasks, has: Durability) -> Tasks {
    let (refused, kept): (Tasks, Tasks) = tasks.into_iter().partition(|task| task.durability() > has);
    for task in refused {
        let wanted = task.durability();
        task.fail(StoreError::DurabilityMissing { wanted, has });
    }
    kept
}
