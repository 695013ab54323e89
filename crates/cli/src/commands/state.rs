use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use bytes::Bytes;
use clap::{Args, Subcommand};
use playhouse_types::{Code, ErrorKind};
use serde::Serialize;

use crate::args::{JsonFlag, whole};
use crate::control::protocol::{PAYLOAD_BYTES_MAX, Payload};
use crate::encoding::{Encoding, KeyEncoding};
use crate::error::{CliError, Exit, Result};
use crate::files;
use crate::output::{GOOD, Output, Report, Table, clean, count, quoted, shortened};
use crate::store::access::StoreArg;
use crate::store::edit::{Change, Editor};
use crate::store::records::{StateEntry, StateScan, StoreRequest};

mod transfer;

/// Look at what actors keep, and move it.
///
/// Reading works while the node runs and while it does not. Writing needs a store that no node has open.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
EXAMPLES
  playhouse state scan Counter
  playhouse state get Counter total
  playhouse state export Counter > counter.jsonl
  playhouse state import Counter counter.jsonl --replace      while the node is stopped
  playhouse store actors                                      lists whose state there is")]
pub(crate) enum StateCommand {
    Get(GetArgs),
    Scan(ScanArgs),
    Set(SetArgs),
    Delete(DeleteArgs),
    Export(ExportArgs),
    Import(ImportArgs),
}

/// Show the value of one key.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse state get Counter total
  playhouse state get Counter 000102 --key-encoding hex --encoding base64
  playhouse state get Album cover --raw > cover.png")]
pub(crate) struct GetArgs {
    /// The actor: its name in the store, its id, type or name, or the beginning of one.
    actor: String,
    /// The key.
    key: String,
    #[command(flatten)]
    encoding: EncodingArg,
    /// Write the value's bytes as they are.
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// List keys and values in order of the keys.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse state scan Counter
  playhouse state scan Shop --prefix order/ --limit 20
  playhouse state scan Shop --after order/0020 --keys
  playhouse state scan Shop --after 'entry/\\x00\\x01'        as keys are shown, so they are typed
  playhouse state scan Shop --json | jq -r '.entries[].key'")]
pub(crate) struct ScanArgs {
    /// The actor: its name in the store, its id, type or name, or the beginning of one.
    actor: String,
    /// Only keys that begin with this.
    #[arg(long, value_name = "BYTES", default_value = "")]
    prefix: String,
    /// Only keys behind this one.
    #[arg(long, value_name = "KEY")]
    after: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = whole::<usize>)]
    limit: usize,
    /// Keys without their values.
    #[arg(long)]
    keys: bool,
    #[command(flatten)]
    encoding: EncodingArg,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Write the value of one key, while no node has the store open.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse state set Counter total 0
  playhouse state set Album cover --file cover.png")]
pub(crate) struct SetArgs {
    /// The actor: its name in the store, its id, type or name, or the beginning of one.
    actor: String,
    /// The key.
    key: String,
    /// The value.
    #[arg(required_unless_present = "file")]
    value: Option<String>,
    /// A file with the value's bytes; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "value")]
    file: Option<PathBuf>,
    #[command(flatten)]
    encoding: EncodingArg,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Delete one key, while no node has the store open.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n  playhouse state delete Counter total")]
pub(crate) struct DeleteArgs {
    /// The actor: its name in the store, its id, type or name, or the beginning of one.
    actor: String,
    /// The key.
    key: String,
    #[command(flatten)]
    keys: KeyArg,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Write all of an actor's state as JSON lines.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse state export Counter > counter.jsonl
  playhouse state export Counter --out counter.jsonl
  playhouse state export Counter --skip-damaged > sound.jsonl      of a damaged store, what is as it was written

The first line names the actor, the last one says how many keys there are; between them stand keys and values in base64.")]
pub(crate) struct ExportArgs {
    /// The actor: its name in the store, its id, type or name, or the beginning of one.
    actor: String,
    /// Write to this file, which must not exist, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Leave out keys that are damaged, and say how many they are. Nothing in the store is changed.
    #[arg(long)]
    skip_damaged: bool,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Read the state of an actor from JSON lines, while no node has the store open.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse stop --all
  playhouse state import Counter counter.jsonl --replace
  playhouse state import 0/acme:Counter/main counter.jsonl --store backup-store

The file is read to its end before anything is written. Up to 10,000 keys are written all or not at all, more in pieces: if that is
interrupted, the same with `--replace` or `--merge` makes it whole. An actor that the store does not know is made if its whole name is given: realm/manufacturer:type/instance.")]
pub(crate) struct ImportArgs {
    /// The actor: its name in the store, its id, type or name, or the beginning of one.
    actor: String,
    /// What `playhouse state export` wrote; `-` is standard input.
    file: PathBuf,
    /// Delete the keys that are not in the file.
    #[arg(long)]
    replace: bool,
    /// Keep the keys that are not in the file.
    #[arg(long, conflicts_with = "replace")]
    merge: bool,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// How keys and values are written.
#[derive(Debug, Args)]
pub(crate) struct EncodingArg {
    #[command(flatten)]
    keys: KeyArg,
    /// How values are written.
    #[arg(long, value_enum, value_name = "ENCODING", default_value = "text")]
    encoding: Encoding,
}

/// How keys are written.
#[derive(Debug, Args)]
pub(crate) struct KeyArg {
    /// How keys are written, on the command line and in what is shown.
    #[arg(long, value_enum, value_name = "ENCODING", default_value = "text")]
    key_encoding: KeyEncoding,
}

impl EncodingArg {
    fn key(&self, word: &str) -> Result<Payload> {
        self.keys.key(word)
    }

    fn value(&self, word: &str) -> Result<Payload> {
        decoded("value", word, self.encoding.decode(word))
    }
}

impl KeyArg {
    fn key(&self, word: &str) -> Result<Payload> {
        decoded("key", word, self.key_encoding.decode(word))
    }
}

fn decoded(what: &str, word: &str, bytes: Result<Vec<u8>, &'static str>) -> Result<Payload> {
    let fix = "`--key-encoding` says how keys are written, `--encoding` how values are: text, hex or base64.";
    Ok(Payload(bytes.map_err(|wrong| CliError::usage(format!("the {what} {word:?} {wrong}")).fix(fix))?.into()))
}

pub(crate) fn run(command: StateCommand, output: Output) -> Result<Exit> {
    match command {
        StateCommand::Get(args) => get(&args, output)?,
        StateCommand::Scan(args) => scan(&args, output)?,
        StateCommand::Set(args) => set(&args, output)?,
        StateCommand::Delete(args) => delete(&args, output)?,
        StateCommand::Export(args) => transfer::export(&args, output)?,
        StateCommand::Import(args) => transfer::import(&args, output)?,
    }
    Ok(Exit::Ok)
}

fn get(args: &GetArgs, output: Output) -> Result<()> {
    let key = args.encoding.key(&args.key)?;
    let request = StoreRequest::StateGet { actor: args.actor.clone(), key };
    let Some(entry) = args.store.access()?.ask_one::<StateEntry>(request)? else {
        return Err(absent(&args.actor, &args.key));
    };
    if args.raw {
        let mut out = io::stdout().lock();
        out.write_all(&entry.value.unwrap_or_default().0)?;
        return Ok(out.flush()?);
    }
    output.show(&Value(Shown::new(entry, &args.encoding)))
}

fn absent(actor: &str, key: &str) -> CliError {
    CliError::new(Code::NotStored, ErrorKind::NotFound, format!("{actor} keeps nothing under the key '{key}'"))
        .fix(format!("`playhouse state scan {actor} --keys` lists the keys."))
}

fn scan(args: &ScanArgs, output: Output) -> Result<()> {
    let scan = StateScan {
        actor: args.actor.clone(),
        prefix: args.encoding.key(&args.prefix)?,
        after: args.after.as_deref().map(|after| args.encoding.key(after)).transpose()?,
        // One more says whether there are more.
        limit: Some(args.limit.saturating_add(1)),
        values: !args.keys,
    };
    let mut entries: Vec<StateEntry> = args.store.access()?.ask_all(StoreRequest::StateScan(scan))?;
    let more = entries.len() > args.limit;
    entries.truncate(args.limit);
    let entries = entries.into_iter().map(|entry| Shown::new(entry, &args.encoding)).collect();
    output.show(&Entries { entries, more, values: !args.keys })
}

fn set(args: &SetArgs, output: Output) -> Result<()> {
    let key = args.encoding.key(&args.key)?;
    let value = match (&args.value, &args.file) {
        (Some(value), _) => args.encoding.value(value)?.0,
        (None, Some(file)) => Bytes::from(files::read(file, PAYLOAD_BYTES_MAX as u64, Code::StoreLimit)?),
        (None, None) => Bytes::new(),
    };
    let editor = args.store.edit(&args.actor)?;
    change(&args.store, editor, Change { key: key.0, value: Some(value) }, output)
}

fn delete(args: &DeleteArgs, output: Output) -> Result<()> {
    let key = args.keys.key(&args.key)?;
    let editor = args.store.edit(&args.actor)?;
    if !editor.has(&key.0)? {
        return Err(absent(&editor.close()?, &args.key));
    }
    change(&args.store, editor, Change { key: key.0, value: None }, output)
}

fn change(store: &StoreArg, mut editor: Editor, change: Change, output: Output) -> Result<()> {
    let (key, bytes) = (change.key.clone(), change.value.as_ref().map(Bytes::len));
    editor.write(vec![change])?;
    output.show(&Changed {
        done: if bytes.is_some() { "written" } else { "deleted" },
        key: KeyEncoding::Text.encode(&key),
        key_base64: Encoding::Base64.encode(&key),
        bytes,
        actor: editor.close()?,
        store: store.location()?.to_string(),
    })
}

#[derive(Debug, Serialize)]
struct Changed {
    done: &'static str,
    key: String,
    key_base64: String,
    /// Those of the value; none if it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    actor: String,
    store: String,
}

impl Report for Changed {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        let size = self.bytes.map(|bytes| format!(", {}", count(bytes as u64, "byte"))).unwrap_or_default();
        let Self { done, key, actor, store, .. } = self;
        writeln!(w, "{GOOD}{done}{GOOD:#} '{}'{size}: {actor}, in {}", clean(key), clean(store))
    }
}

/// An entry as people and programs see it.
#[derive(Debug, Serialize)]
struct Shown {
    /// In the encoding that was asked for.
    key: String,
    value: Option<String>,
    key_base64: String,
    value_base64: Option<String>,
    bytes: u64,
    version: u64,
}

impl Shown {
    fn new(entry: StateEntry, encoding: &EncodingArg) -> Self {
        let value = entry.value.as_ref().map(|value| &value.0[..]);
        Self {
            key: encoding.keys.key_encoding.encode(&entry.key.0),
            value: value.map(|value| encoding.encoding.encode(value)),
            key_base64: Encoding::Base64.encode(&entry.key.0),
            value_base64: value.map(|value| Encoding::Base64.encode(value)),
            bytes: entry.bytes,
            version: entry.version,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Value(Shown);

impl Report for Value {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{}", crate::output::clean(self.0.value.as_deref().unwrap_or_default()))
    }
}

#[derive(Debug, Serialize)]
struct Entries {
    entries: Vec<Shown>,
    /// Whether the limit ended the list.
    more: bool,
    #[serde(skip)]
    values: bool,
}

/// Characters of a value in a table that a person looks at.
const SHOWN_CHARS_MAX: usize = 80;

impl Report for Entries {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        if self.entries.is_empty() {
            return writeln!(w, "{}", if self.more { "there are keys: raise --limit" } else { "no keys" });
        }
        let mut table = Table::new(if self.values {
            &["KEY", ">VERSION", ">BYTES", "VALUE"]
        } else {
            &["KEY", ">VERSION", ">BYTES"]
        });
        let cut = io::stdout().is_terminal();
        for entry in &self.entries {
            let mut row = vec![entry.key.clone(), entry.version.to_string(), entry.bytes.to_string()];
            if self.values {
                let value = entry.value.as_deref().unwrap_or_default();
                row.push(if cut { shortened(value, SHOWN_CHARS_MAX) } else { value.to_owned() });
            }
            table.row(row);
        }
        table.write(w)?;
        if self.more
            && let Some(last) = self.entries.last()
        {
            writeln!(w, "there are more: --after {}, or a larger --limit", quoted(&last.key))?;
        }
        Ok(())
    }
}
