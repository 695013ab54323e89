//! The keys of actors and the master key over them.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;
use playhouse_crypto::{MasterKey, MasterKeyFile};
use playhouse_node::{MasterKeys, Resealed};
use playhouse_types::{Code, ErrorKind};
use serde::Serialize;
use zeroize::Zeroizing;

use super::masters::sealed;
use crate::args::JsonFlag;
use crate::control::protocol::Request;
use crate::error::{CliError, Exit, Result};
use crate::output::{BAD, GOOD, Output, Report, Table, clean, count};
use crate::paths::Paths;
use crate::store::access::{Access, StoreArg};
use crate::store::keys::{self, KeyInfo};
use crate::store::master::{self, MasterArg, Place};

/// Give a key of an actor a new version, or seal all keys under a new master key.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse key rotate --actor Ledger statement
  playhouse key rotate --actor Ledger signing/statement      if there are keys of several kinds with that name
  playhouse stop --all && playhouse key rotate --master

What older versions sealed still opens, what they signed still verifies. The master key can be changed only while the node does not
run; if that is interrupted, the same command goes on. The former master key stays beside the new one, under its name and its id:
backups that were made before need it. Delete it with the last of them.")]
#[command(group(clap::ArgGroup::new("what").required(true).args(["master", "actor"])))]
pub(crate) struct RotateArgs {
    /// Seal all keys under a new master key, which takes the place of the former one.
    #[arg(long, conflicts_with = "key")]
    master: bool,
    /// The actor: its name in the store, its id, type or name, or the beginning of one.
    #[arg(long, value_name = "ACTOR", requires = "key")]
    actor: Option<String>,
    /// The key, as the actor named it.
    #[arg(requires = "actor")]
    key: Option<String>,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    master_key: MasterArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Show the public keys of an actor.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse key export-public Ledger
  playhouse key export-public Ledger statement --json | jq -r '.keys[0].public[0].public_key'

Public keys are 32 bytes in base64: Ed25519 for signing, X25519 for agreement. Secret keys have no public half.")]
pub(crate) struct ExportPublicArgs {
    /// The actor: its name in the store, its id, type or name, or the beginning of one.
    actor: String,
    /// Only the key of this name.
    key: Option<String>,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    master_key: MasterArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Keys {
    keys: Vec<KeyInfo>,
}

impl Report for Keys {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        if self.keys.is_empty() {
            return writeln!(w, "no keys");
        }
        let mut table = Table::new(&["KEY", "KIND", ">VERSION", "PUBLIC KEY"]);
        for key in &self.keys {
            let halves = key.public.iter().map(|half| (half.version, half.public_key.clone()));
            let none = key.public.is_empty().then(|| (key.version, "-".to_owned()));
            for (version, public) in halves.chain(none) {
                table.row(vec![key.name.clone(), key.kind.clone(), version.to_string(), public]);
            }
        }
        table.write(w)
    }
}

pub(super) fn export_public(args: &ExportPublicArgs, output: Output) -> Result<()> {
    let mut keys: Vec<KeyInfo> = match args.store.access()? {
        Access::Node(mut client) => client.ask(&Request::ActorKeys { actor: args.actor.clone() })?,
        Access::Store(store) => keys::list(&*store, &masters(&args.master_key, &args.store)?.0, &args.actor)?,
    };
    if let Some(wanted) = &args.key {
        keys.retain(|key| key.name == *wanted);
        if keys.is_empty() {
            let message = format!("{} has no key {wanted:?}", args.actor);
            return Err(CliError::new(Code::NotStored, ErrorKind::NotFound, message)
                .fix(format!("`playhouse key export-public {}` lists its keys.", args.actor)));
        }
    }
    output.show(&Keys { keys })
}

pub(super) fn rotate(args: &RotateArgs, output: Output) -> Result<Exit> {
    let (Some(actor), Some(key)) = (&args.actor, &args.key) else { return rotate_master(args, output) };
    let rotated: KeyInfo = match args.store.access()? {
        Access::Node(mut client) => client.ask(&Request::RotateKey { actor: actor.clone(), key: key.clone() })?,
        Access::Store(store) => keys::rotate(&*store, &masters(&args.master_key, &args.store)?.0, actor, key)?,
    };
    output.show(&Keys { keys: vec![rotated] })?;
    Ok(Exit::Ok)
}

type Found = (MasterKeys, Option<Place>);

fn masters(master: &MasterArg, store: &StoreArg) -> Result<Found> {
    let node_dir = Paths::from_env()?.node_dir(store.node());
    master.of_store(&store.location()?, &node_dir)
}

/// Everything is sealed under the key in the place `….next`, which is made first; when all is, that key takes the place of the
/// old one. Whatever interrupts this, the two places together open every key.
fn rotate_master(args: &RotateArgs, output: Output) -> Result<Exit> {
    let store = args.store.open_alone()?;
    let (keys, place) = masters(&args.master_key, &args.store)?;
    let Some(place) = place else {
        let message = "the master key comes from the environment";
        return Err(CliError::new(Code::KeyFile, ErrorKind::InvalidArgument, message).fix(
            "Write it to a file and name that with `--master-key-file`; afterwards take the new one from there.",
        ));
    };
    let next = place.next();
    let former = match next.find()? {
        None => {
            next.fill(&follower(&args.master_key, &place)?)?;
            keys.current()
        }
        // An earlier attempt was interrupted, and everything is sealed under the next one already or is to be.
        Some(_) => args.master_key.id_at(&place)?,
    };
    let former = place.former(former);
    // Read again, now both of them.
    let (both, _) = masters(&args.master_key, &args.store)?;
    let sealed = keys::wait(both.reseal(&*store))?;
    if sealed.is_complete() {
        place.succeed(&former)?;
    }
    let exit = if sealed.is_complete() { Exit::Ok } else { Exit::Failed };
    let location = args.store.location()?.to_string();
    output.show(&Rotated {
        former: former.to_string(),
        store: location,
        ..Rotated::new(&sealed, both.current().to_string(), &place)
    })?;
    Ok(exit)
}

/// A new master key, in the clear or sealed as the one in `place` is.
fn follower(secret: &MasterArg, place: &Place) -> Result<Zeroizing<String>> {
    let key: MasterKey = master::generate()?;
    match place.find()? {
        Some(MasterKeyFile::Sealed(old)) => {
            let name = place.to_string();
            let secret = secret.secret().obtain_for(old.needs_passphrase(), Path::new(&name))?;
            Ok(Zeroizing::new(sealed(&key, &secret, Path::new(&name))?))
        }
        _ => Ok(key.danger_to_text()),
    }
}

#[derive(Debug, Serialize)]
struct Rotated {
    master: String,
    /// Where it is.
    place: String,
    /// Where the former one is, which backups made before need.
    former: String,
    store: String,
    resealed: u64,
    /// Keys that do not open, and so are under the former master key still.
    damaged: u64,
    damage: Vec<String>,
}

impl Rotated {
    fn new(sealed: &Resealed, master: String, place: &Place) -> Self {
        let damage = sealed.damage.iter().map(ToString::to_string).collect();
        let place = if sealed.is_complete() { place.to_string() } else { place.next().to_string() };
        let (former, store) = (String::new(), String::new());
        Self { master, place, former, store, resealed: sealed.resealed, damaged: sealed.damaged, damage }
    }
}

impl Report for Rotated {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        for damage in &self.damage {
            writeln!(w, "{BAD}does not open{BAD:#} {}", clean(damage))?;
        }
        if self.damaged > 0 {
            let (count, place) = (self.damaged, &self.place);
            return writeln!(
                w,
                "{count} keys do not open: the former master key stays in use beside the new one, {place}"
            );
        }
        let keys = count(self.resealed, "key");
        writeln!(
            w,
            "{GOOD}sealed{GOOD:#} {keys} of {} under master key {} in {}",
            self.store, self.master, self.place
        )?;
        writeln!(w, "The former master key is in {}: backups made before this need it.", self.former)
    }
}
