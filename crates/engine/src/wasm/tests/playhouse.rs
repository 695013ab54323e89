use expect_test::{Expect, expect};

use super::kit::{Actor, PLAYHOUSE, Source};

/// Replies with the payload; the parameters lie in memory because there are more than sixteen.
const ECHO: &str = "
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1032) (i32.load offset=104 (local.get $p0)))
    (i32.store (i32.const 1036) (i32.load offset=108 (local.get $p0)))
    (i32.const 1024)";

async fn check(body: &str, payload: &[u8], expected: &Expect) {
    let actor = Actor::new(&Source { wit: PLAYHOUSE, bodies: &[("handle", body)], more: "" }).await;
    expected.assert_eq(&actor.ask(payload).await);
}

#[tokio::test]
async fn echoes() {
    check(ECHO, b"hello", &expect![[r#"ok "hello""#]]).await;
    check(ECHO, b"", &expect![[r#"ok """#]]).await;
}
