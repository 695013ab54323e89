//! What durable costs: the store beside the disk alone, beside bare SQLite, and beside the way that the reference system goes, in
//! one run and on one file system.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --no-default-features --bin store [FOLDER] [SECONDS]`
//!
//! The folder (default: the target folder) says which disk is measured. Absolute figures are the disk's; look at the ratios.

mod floors;
mod group;
mod ours;
#[cfg(feature = "postgres")]
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Rounds; the middle one of each figure counts.
const ROUNDS: usize = 5;
pub const SENDERS: u32 = 64;
pub const PAYLOAD: usize = 256;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let default = || PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    let folder = arguments.next().map_or_else(default, PathBuf::from);
    let seconds: f64 = arguments.next().map_or(Ok(2.0), |text| text.parse())?;
    let time = Duration::from_secs_f64(seconds);
    std::fs::create_dir_all(&folder)?;
    println!("on {} ({})\n", folder.canonicalize()?.display(), file_system(&folder));
    let scratch = tempfile::Builder::new().prefix("store-bench-").tempdir_in(&folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    writes(&runtime, scratch.path(), time)?;
    one_sender(&runtime, scratch.path(), time)?;
    restart(scratch.path())?;
    reads(scratch.path())?;
    on_a_server(&runtime, time)
}

#[cfg(feature = "postgres")]
use server::run as on_a_server;

#[cfg(not(feature = "postgres"))]
fn on_a_server(_runtime: &tokio::runtime::Runtime, _time: Duration) -> anyhow::Result<()> {
    Ok(())
}

fn file_system(folder: &Path) -> String {
    let found = std::process::Command::new("stat").args(["-f", "-c", "%T"]).arg(folder).output();
    found.map_or_else(|_| "unknown".to_owned(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Writes per second of 64 senders that wait for their answers.
fn writes(runtime: &tokio::runtime::Runtime, folder: &Path, time: Duration) -> anyhow::Result<()> {
    let mut figures: [Vec<f64>; 7] = Default::default();
    for round in 0..ROUNDS {
        let place = |name: &str| folder.join(format!("{name}-{round}"));
        let run = [
            floors::append(runtime, &place("append"), time)?,
            floors::bare_sqlite(runtime, &place("bare"), time)?,
            ours::tells(runtime, &place("tells"), time)?,
            ours::commits(runtime, &place("commits"), time)?,
            ours::commits_of_many(runtime, &place("many"), time)?,
            floors::reference(&place("reference"), time)?,
            floors::overwrite(runtime, &place("overwrite"), time)?,
        ];
        for (all, figure) in figures.iter_mut().zip(run) {
            all.push(figure);
        }
    }
    let ratio = |index: usize, to: usize| {
        middle(figures[index].iter().zip(&figures[to]).map(|(figure, floor)| figure / floor).collect())
    };
    println!("{SENDERS} senders, {PAYLOAD} bytes, each waits for its answer; the middle of {ROUNDS} rounds");
    let row = |name: &str, index: usize, note: String| {
        println!("  {name:<49} {:>10.0}/s  {note}", middle(figures[index].clone()));
    };
    row("append + fdatasync in groups (the floor)", 0, String::new());
    row("the same in place, and waiting for groups to fill", 6, format!("{:.2} of the floor", ratio(6, 0)));
    row("bare SQLite, WAL FULL, in groups", 1, format!("{:.2} of the floor", ratio(1, 0)));
    row(
        "durable tells to one actor",
        2,
        format!("{:.2} of the floor (goal 0.90), {:.2} of that in place", ratio(2, 0), ratio(2, 6)),
    );
    row(
        "commits of one actor with one state write",
        3,
        format!("{:.2} of the floor (goal 0.50), {:.2} of that in place", ratio(3, 0), ratio(3, 6)),
    );
    row("commits of 64 actors with one state write", 4, format!("{:.2} of the floor", ratio(4, 0)));
    row(
        "the reference's way: three transactions each",
        5,
        format!("ours is {:.0} times faster (goal 100)", 1.0 / ratio(5, 2)),
    );
    println!();
    Ok(())
}

/// What the store adds to one wait for the disk.
fn one_sender(runtime: &tokio::runtime::Runtime, folder: &Path, time: Duration) -> anyhow::Result<()> {
    let (mut disk, mut bare, mut tells) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        disk.push(floors::overwrite_latency(&folder.join(format!("one-disk-{round}")), time / 2)?);
        bare.push(floors::bare_latency(&folder.join(format!("one-bare-{round}")), time / 2)?);
        tells.push(ours::tell_latency(runtime, &folder.join(format!("one-tell-{round}")), time / 2)?);
    }
    let added = middle(tells.iter().zip(&disk).map(|(tell, disk)| tell - disk).collect());
    println!("one sender, median latency; the middle of {ROUNDS} rounds");
    println!("  one write of 8 KiB in place + fdatasync          {:>8.0} µs", middle(disk));
    println!("  one row in bare SQLite                           {:>8.0} µs", middle(bare));
    println!("  one durable tell                                 {:>8.0} µs", middle(tells));
    println!("  added to one wait for the disk                   {added:>8.0} µs (goal 100)");
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        // The disk's own time varies by more than what is looked for: here it takes none.
        let scratch = tempfile::tempdir_in(memory)?;
        let alone = floors::overwrite_latency(&scratch.path().join("disk"), time / 2)?;
        let tell = ours::tell_latency(runtime, &scratch.path().join("tell"), time / 2)?;
        println!("  added, where the disk takes no time (/dev/shm)   {:>8.0} µs (goal 100)", tell - alone);
    }
    println!();
    Ok(())
}

fn restart(folder: &Path) -> anyhow::Result<()> {
    let took = ours::restart(&folder.join("restart"), 100_000)?;
    println!("restart with 100,000 queued messages, after kill -9");
    println!("  to the first batch                               {:>8.0} ms (goal 2000)\n", took.as_secs_f64() * 1e3);
    Ok(())
}

fn reads(folder: &Path) -> anyhow::Result<()> {
    let (cached, uncached) = ours::reads(&folder.join("reads"), 1_000_000)?;
    println!("1,000,000 keys of one actor, values of 64 bytes, get");
    println!("  median, of 1,000 keys again and again            {cached:>8.1} µs (goal 10)");
    println!("  median, of all keys, page cache dropped          {uncached:>8.1} µs (goal 100)");
    Ok(())
}
