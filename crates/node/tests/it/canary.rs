//! Secrets stay put: with canaries for the master key, the passphrase, a secret and the keys of an actor, every operation is carried
//! out, well and badly, and then everything that anybody can read is searched for them.

use std::collections::HashMap;
use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use parking_lot::Mutex;
use playhouse_crypto::{KdfCost, KeyMaterial, Secret};
use playhouse_guest::{Actor, Bytes, Context, Dispatch, Error, ErrorKind, HashAlgorithm, KeyPurpose, RouteKey};
use playhouse_node::store::{
    ActorStore, Durability, Identity, KeyChange, OpenActor, Quota, SqliteOptions, SqliteStore, Store, Time,
};
use playhouse_node::{
    ActorOptions, ActorRef, KeyKind, KeySlot, MasterKey, MasterKeyFile, MasterKeys, Node, SealedMasterKey, Settings,
};

use crate::support::{actor_type, ask};

const MASTER: u8 = 0x11;
const FORMER: u8 = 0x22;
const SIGNING: u8 = 0x33;
const AGREEMENT: u8 = 0x44;
const SECRET: u8 = 0x55;
const PASSPHRASE: &[u8] = b"kV7q-uX2m-Wp9z-Lt4c-Hs6j";
const SETTING: &[u8] = b"Zr2w_Qn8y_Bd5f_Gk3x_Mv1t";

/// 32 bytes that do not look like anything else.
fn canary(seed: u8) -> [u8; 32] {
    std::array::from_fn(|at| seed.wrapping_mul(7).wrapping_add(u8::try_from(at).unwrap().wrapping_mul(seed | 1)) ^ 0xa6)
}

fn filled(seed: u8) -> impl FnMut(&mut [u8]) {
    move |bytes| bytes.iter_mut().zip(canary(seed).iter().cycle()).for_each(|(to, from)| *to = *from)
}

/// Forms in which a secret could be read somewhere.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut forms = Vec::new();
    for part in secret.windows(8) {
        let decimal = part.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        forms.extend([part.to_vec(), hex(part).into_bytes(), hex(part).to_uppercase().into_bytes(), decimal.into()]);
        forms.push(part.escape_ascii().to_string().into_bytes());
    }
    for part in secret.windows(12) {
        forms.extend([STANDARD.encode(part).into_bytes(), URL_SAFE.encode(part).into_bytes()]);
    }
    forms
}

/// Which canaries are in what can be read, in the order of their names.
fn found(readable: &[u8]) -> Vec<&'static str> {
    let mut names: Vec<_> = NEEDLES.find(readable).collect();
    names.sort_unstable();
    names.dedup();
    names
}

static NEEDLES: LazyLock<Needles> = LazyLock::new(Needles::new);

/// What is searched for, by its first eight bytes.
struct Needles {
    /// By the first two: megabytes are gone through, and most of them are nothing.
    begins: Vec<bool>,
    named: HashMap<[u8; 8], Vec<(Vec<u8>, &'static str)>>,
}

impl Needles {
    fn new() -> Self {
        let mut needles = Self { begins: vec![false; 1 << 16], named: HashMap::new() };
        for (name, secret) in [
            ("agreement key", &canary(AGREEMENT)[..]),
            ("former master key", &canary(FORMER)),
            ("master key", &canary(MASTER)),
            ("passphrase", PASSPHRASE),
            ("secret key", &canary(SECRET)),
            ("setting", SETTING),
            ("signing key", &canary(SIGNING)),
        ] {
            for form in forms(secret) {
                needles.begins[pair(&form)] = true;
                needles.named.entry(*form.first_chunk().unwrap()).or_default().push((form, name));
            }
        }
        needles
    }

    fn find<'a>(&'a self, readable: &'a [u8]) -> impl Iterator<Item = &'static str> + 'a {
        let places = (0..readable.len().saturating_sub(7)).filter(|at| self.begins[pair(&readable[*at..])]);
        places.filter_map(|at| {
            let named = self.named.get(readable[at..].first_chunk::<8>()?)?;
            named.iter().find(|(form, _)| readable[at..].starts_with(form)).map(|(_, name)| *name)
        })
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// Everything that was said: errors, debug output, logs, traces.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<String>>);

impl Heard {
    fn note(&self, what: impl Debug) {
        let mut text = self.0.lock();
        text.push_str(&format!("{what:?}\n"));
    }

    fn text(&self) -> Vec<u8> {
        self.0.lock().clone().into_bytes()
    }
}

/// Hears what the libraries trace.
impl tracing::Subscriber for Heard {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.values().record(&mut |field: &tracing::field::Field, value: &dyn Debug| self.note((field.name(), value)));
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut |field: &tracing::field::Field, value: &dyn Debug| self.note((field.name(), value)));
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut |field: &tracing::field::Field, value: &dyn Debug| self.note((field.name(), value)));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// An actor that uses its keys in every way, and tells how it went.
struct User(Heard);

impl Actor for User {}

impl User {
    async fn every_operation(&self, cx: Context<'_>) -> Result<(), Error> {
        let (keys, heard) = (cx.keys(), &self.0);
        let public = keys.public_key("k", KeyPurpose::Sign).await?;
        let signature = keys.sign("k", "message").await?;
        heard.note(keys.verify(public.clone(), "message", signature.clone()).await?);
        heard.note(keys.verify(public.slice(1..), "message", signature).await);
        let sealed = keys.seal("k", "plain", "context").await?;
        heard.note((keys.open("k", sealed.clone(), "context").await?, &sealed));
        heard.note(keys.open("k", sealed.slice(1..), "context").await);
        heard.note(keys.open("k", sealed, "other").await);
        heard.note(keys.open("none", public.clone(), "").await);
        let peer = keys.public_key("peer", KeyPurpose::Agree).await?;
        heard.note(keys.agree("k", peer, "context", "shared").await);
        heard.note(keys.agree("k", vec![0; 32], "context", "shared").await);
        heard.note(keys.agree("k", vec![0; 3], "context", "k").await);
        heard.note(keys.derive("k", "context", "derived").await);
        heard.note(keys.derive("shared", "context", "k").await);
        let tag = keys.mac("k", "message").await?;
        heard.note((keys.verify_mac("k", "message", tag).await, keys.verify_mac("k", "message", "tag").await));
        heard.note(keys.hash(HashAlgorithm::Sha512, "data").await);
        heard.note(keys.seal("k", vec![0; 2 << 20], "").await);
        heard.note(keys.seal("", "plain", "").await);
        heard.note(cx.random(1 << 20).await);
        heard.note(cx.secret("secret").await?.is_some());
        heard.note((cx.secret("other").await, cx.config("secret").await, cx));
        Ok(())
    }
}

impl Dispatch for User {
    async fn dispatch(&mut self, cx: Context<'_>, route: &RouteKey, _payload: Bytes) -> Result<Bytes, Error> {
        let secret = cx.secret("secret").await?.unwrap();
        match route.as_str() {
            "use" => self.every_operation(cx).await.map(|()| Bytes::new()),
            "fail" => {
                cx.keys().sign("of a message that fails", "message").await?;
                Err(Error::new(ErrorKind::NotFound, "as it was asked to"))
            }
            "panic" => panic!("as it was asked to"),
            "leak to state" => cx.state().set("k", secret).await.map(|()| Bytes::new()),
            "leak to log" => {
                let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
                cx.log(playhouse_guest::LogLevel::Info, &hex);
                Ok(Bytes::new())
            }
            "leak to error" => Err(Error::new(ErrorKind::NotFound, format!("x{}", STANDARD.encode(secret)))),
            other => Err(Error::new(ErrorKind::UnknownRoute, other)),
        }
    }
}

fn open(folder: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(folder, SqliteOptions::default()).unwrap())
}

fn master(seed: u8) -> MasterKey {
    MasterKey::generate(filled(seed)).unwrap()
}

/// Keys whose bytes are known, for the actor that is started next.
async fn plant(store: &Arc<dyn Store>) {
    let kind = actor_type("User");
    let identity = Identity {
        realm: playhouse_guest::ActorId::realm(&"1@0/test:User:1".parse().unwrap()),
        manufacturer: kind.manufacturer().clone(),
        type_name: kind.name().clone(),
        instance: "1".to_owned(),
    };
    let lease_for = std::time::Duration::ZERO;
    let open = OpenActor { identity, owner: "test".to_owned(), now: Time::default(), lease_for };
    let lease = store.open_actor(open).await.unwrap();
    let id: playhouse_guest::ActorId = format!("{:x}@0/test:User:1", lease.serial.number()).parse().unwrap();
    let (actor, epoch) = (lease.actor, lease.epoch);
    let view = ActorStore::new(Arc::clone(store), lease, Quota::default());
    let vault = master(FORMER).vault(&id);
    let mut effects = view.begin().await.unwrap();
    for (kind, seed) in [(KeyKind::Signing, SIGNING), (KeyKind::Agreement, AGREEMENT), (KeyKind::Secret, SECRET)] {
        let material = KeyMaterial::generate(kind, filled(seed)).unwrap();
        let blob = vault.create("k", material, filled(1)).unwrap().to_bytes().into();
        let name = KeySlot { kind, name: "k".parse().unwrap() }.store_name();
        effects.change_key(KeyChange::Create { name, blob }).unwrap();
    }
    view.commit(effects, Time::default(), Durability::Fsync).await.unwrap();
    store.release(actor, epoch).await.unwrap();
}

async fn user(node: &Node, heard: &Heard) -> ActorRef {
    let settings = Settings::default().with_secret("secret", SETTING.to_vec()).unwrap();
    let options = ActorOptions { settings, ..ActorOptions::default() };
    heard.note(&options);
    let heard = heard.clone();
    node.link(actor_type("User"), move || User(heard.clone()), options).await.unwrap()
}

fn node(store: &Arc<dyn Store>, heard: &Heard) -> Node {
    let keys = MasterKeys::from(master(MASTER)).with_former(master(FORMER));
    heard.note(&keys);
    let shared = Settings::default().with_secret("other", SETTING.to_vec()).unwrap();
    let builder = Node::builder().store(Arc::clone(store)).master_key(keys).settings(shared);
    heard.note(&builder);
    builder.start().unwrap()
}

/// The master key as a file that a passphrase opens, in the folder of the store.
fn seal_master_key(folder: &Path, heard: &Heard) {
    let passphrase = Secret::Passphrase(PASSPHRASE);
    let sealed = SealedMasterKey::seal(&master(MASTER), passphrase, KdfCost::LOWEST, filled(7)).unwrap();
    heard.note((&sealed, passphrase, sealed.open(Secret::Passphrase(b"wrong passphrase"))));
    heard.note(sealed.open(passphrase).unwrap());
    std::fs::write(folder.join("master.key"), sealed.to_json()).unwrap();
    let plain = master(MASTER).danger_to_text();
    heard.note((MasterKeyFile::parse(plain.as_bytes()), MasterKeyFile::parse(&plain.as_bytes()[..40])));
    heard.note(MasterKeyFile::parse(&plain.as_bytes()[8..]));
}

async fn what_a_node_shows(node: &Node, heard: &Heard) {
    heard.note((node, node.actors(), node.dead_letters().await.unwrap(), node.logs()));
    let mut logs = node.logs();
    std::iter::from_fn(|| logs.next_now()).for_each(|line| heard.note(line));
}

/// The bytes of all files, without pages that are empty.
fn files(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = if path.is_dir() { files(&path) } else { std::fs::read(path).unwrap() };
        let full = file.chunks(PAGE_BYTES).filter(|page| *page != &[0; PAGE_BYTES][..page.len()]);
        full.for_each(|page| bytes.extend_from_slice(page));
    }
    bytes
}

const PAGE_BYTES: usize = 4096;

#[tokio::test]
async fn no_canary_is_found() {
    let (folder, heard) = (tempfile::tempdir().unwrap(), Heard::default());
    let _ = tracing::subscriber::set_global_default(heard.clone());
    let store = open(folder.path());
    plant(&store).await;
    seal_master_key(folder.path(), &heard);
    let node = node(&store, &heard);
    let actor = user(&node, &heard).await;
    assert_eq!(ask(&actor, "use", "").await, "");
    heard.note((ask(&actor, "fail", "").await, ask(&actor, "panic", "").await, ask(&actor, "none", "").await));
    let slot = |kind| KeySlot { kind, name: "k".parse().unwrap() };
    for kind in KeyKind::ALL {
        heard.note(node.rotate_key(actor.id(), &slot(kind)).await.unwrap());
    }
    heard.note(node.reseal_keys().await.unwrap());
    assert_eq!(ask(&actor, "use", "").await, "", "the planted keys are used, and open after all that");
    heard.note(node.actor_keys(actor.id()).await.unwrap());
    heard.note(node.retire_key(actor.id(), &slot(KeyKind::Secret), 1.try_into().unwrap()).await);
    heard.note(Node::builder().store(Arc::clone(&store)).master_key(master(1)).start().unwrap_err());
    what_a_node_shows(&node, &heard).await;
    assert_eq!(found(&files(folder.path())), [""; 0], "while the node runs");
    node.shutdown(std::time::Duration::from_secs(10)).await;
    heard.note(store.stats().await);
    store.close().await.unwrap();
    assert_eq!(found(&files(folder.path())), [""; 0], "after it has stopped");
    let text = heard.text();
    assert_eq!(found(&text), [""; 0], "{}", String::from_utf8_lossy(&text));
    assert!(text.len() > 5000, "much was heard");
}

/// The search finds what is there: in the store, in the log, in an error.
#[tokio::test]
async fn canaries_that_are_let_out_are_found() {
    let (folder, heard) = (tempfile::tempdir().unwrap(), Heard::default());
    let store = open(folder.path());
    let node = node(&store, &heard);
    let actor = user(&node, &heard).await;
    assert_eq!(found(&files(folder.path())), [""; 0]);
    assert_eq!(ask(&actor, "leak to state", "").await, "");
    assert_eq!(found(&files(folder.path())), ["setting"]);
    assert_eq!(found(ask(&actor, "leak to error", "").await.as_bytes()), ["setting"]);
    assert_eq!(ask(&actor, "leak to log", "").await, "");
    what_a_node_shows(&node, &heard).await;
    assert_eq!(found(&heard.text()), ["setting"]);
    heard.note(canary(MASTER));
    heard.note(Bytes::from_owner(canary(SIGNING)));
    assert_eq!(found(&heard.text()), ["master key", "setting", "signing key"]);
    std::fs::write(folder.path().join("passphrase"), PASSPHRASE).unwrap();
    assert_eq!(found(&files(folder.path())), ["passphrase", "setting"]);
}
