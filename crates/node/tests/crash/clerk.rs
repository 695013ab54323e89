//! An actor that keeps books in its state, strictly: whatever comes twice, is missing or comes out of order, it notes down.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use playhouse_guest::{Actor, ActorId, Bytes, Context, Dest, Dispatch, Error, ErrorKind, RouteKey};
use playhouse_node::store::{ActorKey, Store};
use playhouse_node::{ActorOptions, ActorRef, Node};
use tokio::sync::Semaphore;

use crate::process::say;

/// Under which key stands what must not have happened.
pub(crate) const BREACH: &str = "breach";
/// Under which key stands how often the periodic timer rang.
pub(crate) const TICKS: &str = "ticks";
/// The shortest period that timers may have.
const PERIOD: Duration = Duration::from_millis(100);

/// Message number `number` of a series of messages, which are sent in order and begin with 1.
pub(crate) struct Entry {
    pub(crate) series: String,
    pub(crate) number: u64,
}

impl Entry {
    pub(crate) fn to_bytes(&self) -> Bytes {
        format!("{} {}", self.series, self.number).into()
    }

    fn parse(payload: &[u8]) -> Self {
        let (series, number) = std::str::from_utf8(payload).unwrap().split_once(' ').unwrap();
        Self { series: series.to_owned(), number: number.parse().unwrap() }
    }

    /// What it is about, which differs from one to the next.
    fn amount(&self) -> u64 {
        self.number * 7919 % 1000 + 1
    }
}

/// What an actor has booked of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Book {
    pub(crate) count: u64,
    pub(crate) sum: u64,
}

impl Book {
    /// What it has to be when the first `count` messages were each handled once.
    pub(crate) fn of_first(count: u64) -> Self {
        let amount = |number| Entry { series: String::new(), number }.amount();
        Self { count, sum: (1..=count).map(amount).sum() }
    }

    fn parse(bytes: &[u8]) -> Self {
        let (count, sum) = std::str::from_utf8(bytes).unwrap().split_once(' ').unwrap();
        Self { count: count.parse().unwrap(), sum: sum.parse().unwrap() }
    }

    /// What stands in a store.
    pub(crate) async fn read(store: &dyn Store, actor: ActorKey, series: &str) -> Self {
        let found = store.state(actor, format!("book/{series}").as_bytes()).await.unwrap();
        found.map(|found| Self::parse(&found.value)).unwrap_or_default()
    }
}

pub(crate) fn route(text: &str) -> RouteKey {
    text.parse().unwrap()
}

/// Where actors wait that are held up.
static DOOR: Semaphore = Semaphore::const_new(0);

/// Lets all go on that are held up, and will be.
pub(crate) fn let_go() {
    DOOR.add_permits(1000);
}

pub(crate) struct Clerk {
    /// To whom it passes things on.
    next: Option<ActorId>,
}

pub(crate) async fn link(node: &Node, name: &str, next: Option<&ActorRef>, options: ActorOptions) -> ActorRef {
    let next = next.map(|next| next.id().clone());
    let factory = move || Clerk { next: next.clone() };
    node.link(format!("test:{name}:1").parse().unwrap(), factory, options).await.unwrap()
}

impl Actor for Clerk {}

impl Dispatch for Clerk {
    async fn dispatch(&mut self, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        match route.as_str() {
            "book" => book(cx, &Entry::parse(&payload)).await.map(|_| Bytes::new()),
            // Answers with something that no second run would answer with.
            "ask" => {
                static RUNS: AtomicU64 = AtomicU64::new(0);
                let booked = book(cx, &Entry::parse(&payload)).await?;
                let run = RUNS.fetch_add(1, Ordering::Relaxed);
                Ok(format!("{}/{}/{run}", booked.sum, std::process::id()).into())
            }
            // Books, and has the next one book, too.
            "pass" => {
                book(cx, &Entry::parse(&payload)).await?;
                if let Some(next) = &self.next {
                    cx.tell(Dest::Actor(next.clone()), "pass".parse().unwrap(), payload).await?;
                }
                Ok(Bytes::new())
            }
            // Books, and has the next one book, as many of a series as it is told at once.
            "pass many" => {
                let Entry { series, number: count } = Entry::parse(&payload);
                for number in 1..=count {
                    let entry = Entry { series: series.clone(), number };
                    book(cx, &entry).await?;
                    let next = self.next.clone().unwrap();
                    cx.tell(Dest::Actor(next), "pass".parse().unwrap(), entry.to_bytes()).await?;
                }
                Ok(Bytes::new())
            }
            // Books, and sets a timer that books in the series `rung` what it was set for.
            "arm" => {
                let entry = Entry::parse(&payload);
                book(cx, &entry).await?;
                let (name, delay) =
                    (format!("{}-{}", entry.series, entry.number), Duration::from_millis(entry.number % 40));
                cx.timers().after(&name, delay, "rung".parse().unwrap(), payload).await?;
                Ok(Bytes::new())
            }
            // Sets a timer that ends the process.
            "arm abort" => {
                let route = "abort".parse().unwrap();
                match payload.is_empty() {
                    true => cx.timers().after("abort", Duration::from_millis(1), route, payload).await?,
                    false => cx.timers().every("abort", PERIOD, route, Bytes::new()).await?,
                }
                Ok(Bytes::new())
            }
            "abort" => std::process::abort(),
            // Books when it is let go.
            "hold" => {
                say("held");
                DOOR.acquire().await.unwrap().forget();
                book(cx, &Entry::parse(&payload)).await.map(|_| Bytes::new())
            }
            "rung" => rung(cx, Entry::parse(&payload)).await,
            "start ticking" => {
                cx.timers().every("tick", PERIOD, "tick".parse().unwrap(), Bytes::new()).await?;
                Ok(Bytes::new())
            }
            "tick" => {
                let ticks = number(cx, TICKS).await? + 1;
                cx.state().set(TICKS, ticks.to_string()).await?;
                Ok(Bytes::new())
            }
            other => Err(Error::new(ErrorKind::UnknownRoute, other)),
        }
    }
}

async fn number(cx: Context<'_>, key: &str) -> Result<u64, Error> {
    let found = cx.state().get(key).await?;
    Ok(found.map_or(0, |text| std::str::from_utf8(&text).unwrap().parse().unwrap()))
}

async fn breach(cx: Context<'_>, text: &str) -> Result<(), Error> {
    let mut all = cx.state().get(BREACH).await?.unwrap_or_default().to_vec();
    // The first ones say it all.
    if all.len() < 500 {
        all.extend_from_slice(text.as_bytes());
        all.extend_from_slice(b"; ");
        cx.state().set(BREACH, all).await?;
    }
    Ok(())
}

/// Books the next message of a series.
async fn book(cx: Context<'_>, entry: &Entry) -> Result<Book, Error> {
    let before = booked(cx, &entry.series).await?;
    if entry.number != before.count + 1 {
        breach(cx, &format!("{} {} after {}", entry.series, entry.number, before.count)).await?;
    }
    add(cx, entry, before).await
}

async fn booked(cx: Context<'_>, series: &str) -> Result<Book, Error> {
    let found = cx.state().get(format!("book/{series}")).await?;
    Ok(found.map(|bytes| Book::parse(&bytes)).unwrap_or_default())
}

async fn add(cx: Context<'_>, entry: &Entry, before: Book) -> Result<Book, Error> {
    let after = Book { count: before.count + 1, sum: before.sum + entry.amount() };
    cx.state().set(format!("book/{}", entry.series), format!("{} {}", after.count, after.sum)).await?;
    Ok(after)
}

/// Timers ring in any order, each once.
async fn rung(cx: Context<'_>, mut entry: Entry) -> Result<Bytes, Error> {
    let key = format!("rung/{}/{}", entry.series, entry.number);
    if cx.state().get(&*key).await?.is_some() {
        breach(cx, &format!("{key} twice")).await?;
    }
    cx.state().set(&*key, "").await?;
    entry.series = "rung".to_owned();
    let before = booked(cx, &entry.series).await?;
    add(cx, &entry, before).await?;
    Ok(Bytes::new())
}
