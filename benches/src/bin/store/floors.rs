use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::{PAYLOAD, SENDERS, group};

/// Appends and waits for the disk once per group: what no store can beat that keeps a log like this.
pub fn append(runtime: &tokio::runtime::Runtime, path: &Path, time: Duration) -> anyhow::Result<f64> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let record = vec![7; PAYLOAD];
    let mut buffer = Vec::new();
    Ok(group::rate(runtime, SENDERS, time, Duration::ZERO, move |count| {
        buffer.clear();
        for _ in 0..count {
            buffer.extend_from_slice(&record);
        }
        file.write_all(&buffer).unwrap();
        file.sync_data().unwrap();
    }))
}

/// The same, but where there is a file already, and with a linger like ours: what a log that is used again can reach.
pub fn overwrite(runtime: &tokio::runtime::Runtime, path: &Path, time: Duration) -> anyhow::Result<f64> {
    const FILE_BYTES: usize = 16 << 20;
    let file = File::create(path)?;
    file.write_all_at(&vec![0; FILE_BYTES], 0)?;
    file.sync_all()?;
    let buffer = vec![7; PAYLOAD * SENDERS as usize];
    let mut at = 0;
    Ok(group::rate(runtime, SENDERS, time, Duration::from_micros(100), move |count| {
        let bytes = count * PAYLOAD;
        at = if at + bytes > FILE_BYTES { 0 } else { at };
        file.write_all_at(&buffer[..bytes], at as u64).unwrap();
        file.sync_data().unwrap();
        at += bytes;
    }))
}

fn database(path: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection
        .execute_batch("CREATE TABLE mailbox (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, body BLOB NOT NULL)")?;
    Ok(connection)
}

fn insert(connection: &Connection, body: &[u8]) {
    let mut statement = connection.prepare_cached("INSERT INTO mailbox (state, body) VALUES (0, ?1)").unwrap();
    statement.execute([body]).unwrap();
}

/// One transaction per group, one row each, nothing else.
pub fn bare_sqlite(runtime: &tokio::runtime::Runtime, path: &Path, time: Duration) -> anyhow::Result<f64> {
    let connection = database(path)?;
    let body = vec![7; PAYLOAD];
    Ok(group::rate(runtime, SENDERS, time, Duration::ZERO, move |count| {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..count {
            insert(&connection, &body);
        }
        connection.execute_batch("COMMIT").unwrap();
    }))
}

/// A message as the reference system handles it: put in, taken, removed, each in a transaction of its own on one connection. Messages
/// per second.
pub fn reference(path: &Path, time: Duration) -> anyhow::Result<f64> {
    let connection = database(path)?;
    let body = vec![7; PAYLOAD];
    let start = Instant::now();
    let mut messages = 0;
    while start.elapsed() < time {
        insert(&connection, &body);
        let id = connection.last_insert_rowid();
        connection.prepare_cached("UPDATE mailbox SET state = 1 WHERE id = ?1")?.execute([id])?;
        connection.prepare_cached("DELETE FROM mailbox WHERE id = ?1")?.execute([id])?;
        messages += 1;
    }
    Ok(f64::from(messages) / start.elapsed().as_secs_f64())
}

/// The median of `call` in microseconds.
pub fn median(time: Duration, mut call: impl FnMut()) -> f64 {
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < time {
        let before = Instant::now();
        call();
        times.push(before.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Writes two pages where there were some before, and waits for the disk: what a log that is used again needs at least.
pub fn overwrite_latency(path: &Path, time: Duration) -> anyhow::Result<f64> {
    const PAGES: u64 = 512;
    let file = File::create(path)?;
    file.write_all_at(&vec![0; PAGES as usize * 8192], 0)?;
    file.sync_all()?;
    let mut page = 0;
    Ok(median(time, || {
        page = (page + 1) % PAGES;
        file.write_all_at(&[7; 8192], page * 8192).unwrap();
        file.sync_data().unwrap();
    }))
}

pub fn bare_latency(path: &Path, time: Duration) -> anyhow::Result<f64> {
    let connection = database(path)?;
    let body = vec![7; PAYLOAD];
    Ok(median(time, || insert(&connection, &body)))
}
