//! Settings, secrets, randomness and the time, as actors see them.

use std::time::{SystemTime, UNIX_EPOCH};

use expect_test::{Expect, expect};
use playhouse_guest::{Actor, Bytes, Context, Dispatch, Error, ErrorKind, HashAlgorithm, KeyPurpose, RouteKey};
use playhouse_node::{ActorOptions, ActorRef, Grant, Grants, Node, Settings};

use crate::support::{actor_type, ask};

/// An actor that asks its host for what the route says.
struct Asker;

impl Actor for Asker {}

impl Dispatch for Asker {
    async fn dispatch(&mut self, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        let text = String::from_utf8(payload.to_vec()).unwrap();
        let found = |value: Option<Bytes>| value.unwrap_or_else(|| Bytes::from_static(b"(none)"));
        match route.as_str() {
            "config" => Ok(found(cx.config(&text).await?.map(Bytes::from))),
            "secret" => Ok(found(cx.secret(&text).await?)),
            "random" => Ok(cx.random(text.parse().unwrap()).await?.len().to_string().into()),
            "now" => Ok(cx.now().await?.seconds().to_string().into()),
            "hash" => Ok(cx.keys().hash(HashAlgorithm::Sha256, payload).await?.len().to_string().into()),
            "key" => cx.keys().public_key(&text, KeyPurpose::Sign).await,
            other => Err(Error::new(ErrorKind::UnknownRoute, other)),
        }
    }
}

fn node() -> Node {
    let settings = Settings::default().with("greeting", "hello").unwrap();
    let settings = settings.with_secret("password", b"open sesame".to_vec()).unwrap();
    Node::builder().settings(settings).start().unwrap()
}

async fn asker(node: &Node, settings: Settings) -> ActorRef {
    let options = ActorOptions { settings, ..ActorOptions::default() };
    node.link(actor_type("Asker"), || Asker, options).await.unwrap()
}

async fn check(actor: &ActorRef, what: &str, argument: &str, expected: Expect) {
    expected.assert_eq(&ask(actor, what, argument).await);
}

#[tokio::test]
async fn actors_see_what_they_were_given() {
    let node = node();
    let own = Settings::default().with("colour", "red").unwrap().shared_secret("password").unwrap();
    let own = own.with_secret("token", b"t".to_vec()).unwrap();
    let (a, b) = (asker(&node, own).await, asker(&node, Settings::default()).await);
    check(&a, "config", "greeting", expect!["hello"]).await;
    check(&a, "config", "colour", expect!["red"]).await;
    check(&a, "config", "password", expect!["(none)"]).await;
    check(&a, "secret", "password", expect!["open sesame"]).await;
    check(&a, "secret", "token", expect!["t"]).await;
    check(&a, "secret", "greeting", expect!["(none)"]).await;
    check(&b, "config", "greeting", expect!["hello"]).await;
    check(&b, "config", "colour", expect!["(none)"]).await;
    check(&b, "secret", "password", expect!["(none)"]).await;
    check(&b, "secret", "token", expect!["(none)"]).await;
    check(&b, "secret", "", expect![[r#"invalid argument: label "" is empty"#]]).await;
}

#[tokio::test]
async fn an_actor_with_a_secret_that_the_node_lacks_does_not_start() {
    let options =
        ActorOptions { settings: Settings::default().shared_secret("key").unwrap(), ..ActorOptions::default() };
    let refused = node().link(actor_type("Asker"), || Asker, options).await.unwrap_err();
    let expected = expect![[
        r#"test:Asker:1 cannot have its settings: the actor is to have the node's secret "key", and the node has none of that name"#
    ]];
    expected.assert_eq(&refused.to_string());
    assert_eq!(refused.code().text(), "config");
}

#[tokio::test]
async fn randomness_time_and_digests_need_no_store() {
    let node = node();
    let actor = asker(&node, Settings::default()).await;
    check(&actor, "random", "65536", expect!["65536"]).await;
    check(
        &actor,
        "random",
        "65537",
        expect!["invalid argument: randomness has 65537 bytes, the limit is 65536 [key-input]"],
    )
    .await;
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (before, now, after) = (seconds(), ask(&actor, "now", "").await.parse().unwrap(), seconds());
    assert!((before..=after).contains(&now));
    check(&actor, "hash", "abc", expect!["32"]).await;
    check(&actor, "key", "k", expect!["unavailable: the node of 1@0/test:Asker:1 keeps no store [store-missing]"])
        .await;
}

#[tokio::test]
async fn every_one_of_these_needs_its_grant() {
    let node = node();
    for (what, argument, grant) in [
        ("config", "greeting", Grant::Config),
        ("secret", "password", Grant::Secrets),
        ("random", "1", Grant::Random),
        ("now", "", Grant::Clock),
        ("hash", "", Grant::Crypto),
        ("key", "k", Grant::Crypto),
    ] {
        let others = Grant::ALL.into_iter().filter(|other| *other != grant).fold(Grants::NONE, Grants::with);
        let options = ActorOptions { grants: Some(others), ..ActorOptions::default() };
        let actor = node.link(actor_type("Asker"), || Asker, options).await.unwrap();
        let refused = ask(&actor, what, argument).await;
        assert!(refused.contains(&format!("has no grant `{}`", grant.name())), "{refused}");
    }
}
