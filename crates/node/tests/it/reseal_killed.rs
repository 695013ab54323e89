//! Sealing every key anew, ended by kill -9 again and again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use playhouse_crypto::{KeyMaterial, KeyRecord};
use playhouse_node::store::{
    ActorKey, ActorStore, BatchLimits, Durability, Identity, KeyChange, OpenActor, Quota, SqliteOptions, SqliteStore,
    Store, Time,
};
use playhouse_node::{KeyKind, MasterKey, MasterKeys};
use playhouse_types::{ActorId, Realm};

/// Tells the process that it is the one to be killed, and where its store is.
const FOLDER: &str = "PLAYHOUSE_TEST_RESEAL";
const KEYS: usize = 600;
const KILLS: u64 = 12;

fn master(seed: u8) -> MasterKey {
    let mut next = seed;
    MasterKey::generate(|bytes| bytes.fill_with(|| (next, next = next.wrapping_add(1)).0)).unwrap()
}

/// From key 1 to key 2, or back.
fn both(current: u8) -> MasterKeys {
    MasterKeys::from(master(current)).with_former(master(3 - current))
}

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, SqliteOptions::default()).unwrap()
}

async fn fill(store: &Arc<dyn Store>) {
    let identity = Identity {
        realm: Realm::new(0),
        manufacturer: "test".parse().unwrap(),
        type_name: "Many".parse().unwrap(),
        instance: "1".to_owned(),
    };
    let open = OpenActor { identity, owner: "test".to_owned(), now: Time::default(), lease_for: Duration::ZERO };
    let lease = store.open_actor(open).await.unwrap();
    let id: ActorId = format!("{:x}@0/test:Many:1", lease.serial.number()).parse().unwrap();
    let quota = Quota { sealed_keys: KEYS as u64, ..Quota::default() };
    let view = ActorStore::new(Arc::clone(store), lease, quota);
    let vault = master(1).vault(&id);
    let mut effects = view.begin().await.unwrap();
    for number in 0..KEYS {
        let material =
            KeyMaterial::generate(KeyKind::Secret, |bytes| bytes.fill(u8::try_from(number % 250).unwrap() + 1));
        let record = vault.create(&number.to_string(), material.unwrap(), |bytes| bytes.fill(1)).unwrap();
        let blob = record.to_bytes().into();
        effects.change_key(KeyChange::Create { name: format!("secret/{number}"), blob }).unwrap();
    }
    view.commit(effects, Time::default(), Durability::Fsync).await.unwrap();
}

/// How many keys are under key 1, and how many under key 2.
async fn under(store: &dyn Store) -> (usize, usize) {
    let limits = BatchLimits { items: KEYS + 1, bytes: usize::MAX };
    let keys = store.sealed_keys((ActorKey::from_number(0), String::new()), limits).await.unwrap();
    let count = |seed| {
        let id = master(seed).id();
        keys.iter().filter(|key| KeyRecord::parse(&key.blob).unwrap().master() == id).count()
    };
    (count(1), count(2))
}

/// The process that is killed: seals everything under one key, under the other, and so on for ever.
#[tokio::test]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = open(Path::new(&folder));
    for current in [2, 1].into_iter().cycle() {
        println!("\nsealing");
        assert!(both(current).reseal(&store).await.unwrap().is_complete());
    }
}

/// Runs the child until it has sealed for so long, and kills it.
fn run_and_kill(folder: &Path, after: Duration) {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "reseal_killed::child", "--nocapture"]).env(FOLDER, folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.map_while(Result::ok).any(|line| line == "sealing"), "the child ended");
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn no_key_is_lost_and_sealing_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(open(folder.path()));
    fill(&store).await;
    MasterKeys::from(master(1)).reseal(&*store).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let mut in_the_middle = 0;
    for kill in 0..KILLS {
        run_and_kill(folder.path(), Duration::from_millis(7 * kill));
        let store = open(folder.path());
        let (first, second) = under(&store).await;
        assert_eq!(first + second, KEYS);
        if first > 0 && second > 0 {
            in_the_middle += 1;
            for lacking in [1, 2] {
                let refused = MasterKeys::from(master(lacking)).reseal(&store).await.unwrap_err();
                assert_eq!(refused.code().text(), "key-master");
            }
        }
        // Every other time it is brought to its end here; else the next child goes on.
        if kill % 2 == 1 {
            let done = both(1).reseal(&store).await.unwrap();
            assert_eq!((done.resealed, done.already), (second as u64, first as u64));
            MasterKeys::from(master(1)).reseal(&store).await.unwrap();
        }
        store.close().await.unwrap();
    }
    assert!(in_the_middle > 0, "no kill came while keys were under both");
}
