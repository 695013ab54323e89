use playhouse_store::{Durability, PostgresError, PostgresOptions, PostgresStore, Store as _};

use crate::cluster::{Cluster, there};
use crate::say::{LEASE, now, open, open_request, put, sound};

/// Nodes that are started together find no schema, all of them.
#[test]
fn many_nodes_make_the_schema_at_once() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let opened = std::thread::scope(|scope| {
        let nodes: Vec<_> = (0..8).map(|_| scope.spawn(|| PostgresStore::open(cluster.options()))).collect();
        nodes.into_iter().map(|node| node.join().expect("no panic")).collect::<Vec<_>>()
    });
    let stores: Vec<_> = opened.into_iter().map(|store| store.expect("the schema is made once")).collect();
    let keys: Vec<_> = stores.iter().map(|store| open(store, "one").actor).collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "it is one store");
    sound(&stores[0]);
    drop(stores);
    assert_eq!(cluster.sql("SELECT count(*) FROM playhouse.writers"), "1", "who closes leaves nothing");

    cluster.sql("UPDATE playhouse.meta SET version = 7");
    let newer = PostgresStore::open(cluster.options());
    assert!(matches!(newer, Err(PostgresError::Newer { found: 7, .. })), "{newer:?}");
}

/// What the schema was before messages of the outbox were delivered in one write.
const VERSION_1: [&str; 6] = [
    include_str!("../../src/postgres/sql/tables.sql"),
    include_str!("../../src/postgres/sql/queue.sql"),
    include_str!("../../src/postgres/sql/letters.sql"),
    include_str!("../../src/postgres/sql/owners.sql"),
    include_str!("../../src/postgres/sql/commit.sql"),
    include_str!("../../src/postgres/sql/apply.sql"),
];

/// A node of version 1 opens an actor: what it does is in the functions of its version.
fn opens(cluster: &Cluster, group: u32, name: &str) {
    let statement = "SELECT cardinality(playhouse.apply(5, 1, $group, 'local', '{3600000,1000,10,1000}', '{}', '{}', '{}', 1, '{3}', '{7}', \
         '{100}', '{900}', '{0}', '{0}', '{0}', ARRAY['acme'::bytea], ARRAY['Echo'::bytea], ARRAY['$name'::bytea], ARRAY['node'::bytea]))";
    let statement = statement.replace("$group", &group.to_string()).replace("$name", name);
    assert_eq!(cluster.sql(&format!("SET search_path = playhouse, pg_temp; {statement}")), "1");
}

#[test]
fn an_older_schema_is_brought_up() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let parts = VERSION_1.concat().replace("@OVERHEAD@", "64");
    cluster.sql(&format!(
        "CREATE SCHEMA playhouse; SET search_path = playhouse, pg_temp; {parts} INSERT INTO meta VALUES (1, 1); \
         INSERT INTO writers (id) VALUES (5)"
    ));
    opens(&cluster, 1, "one");
    let store = cluster.open();
    // A node of the version before still runs.
    opens(&cluster, 2, "two");
    let later = open_request("one", "node-a", now().after(LEASE), LEASE);
    let actor = store.open_actor(later).wait().expect("its lease has ended").actor;
    put(&store, actor, "a message");
    opens(&cluster, 3, "three");
    sound(&store);
}

fn sound_after_a_write(store: &PostgresStore) {
    let actor = open(store, "one").actor;
    put(store, actor, "a message");
    sound(store);
}

/// Two stores on one server know nothing of each other.
#[test]
fn schemas_are_apart() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let named = |schema: &str| {
        let options = PostgresOptions { schema: schema.to_owned(), ..cluster.options() };
        PostgresStore::open(options)
    };
    let (a, b) = (named("a").expect("it opens"), named("b").expect("it opens"));
    let one = open(&a, "one");
    for reserved in ["user", "all", "select"] {
        sound_after_a_write(&named(reserved).expect("a reserved word is a name"));
    }
    assert_eq!(b.actor(one.actor).wait(), Ok(None));
    for name in ["", "A", "a-b", "pg_a", "a b", &"a".repeat(64)] {
        assert!(matches!(named(name), Err(PostgresError::SchemaName { .. })), "{name:?}");
    }
}

/// What the server does not do is not promised.
#[test]
fn a_server_without_fsync_promises_memory() {
    if !there() {
        return;
    }
    for setting in ["-c fsync=off", "-c full_page_writes=off"] {
        let store = Cluster::start(setting).open();
        assert_eq!(store.strongest(), Durability::Memory, "{setting}");
    }
    let cluster = Cluster::start("");
    assert_eq!(cluster.open().strongest(), Durability::Fsync);
    cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    cluster.sql("SELECT pg_reload_conf()");
    assert_eq!(cluster.open().strongest(), Durability::Fsync, "a standby that is not there keeps nothing");
}
