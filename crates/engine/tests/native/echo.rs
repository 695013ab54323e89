use expect_test::expect;
use playhouse_types::Event;

use crate::support::{FakeHost, Guest, library, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn echoes_a_request() {
    let Some(library) = library("echo", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    expect![[r#"ok """#]].assert_eq(&text(&guest.run(Event::Start).await));
    expect![[r#"ok "hello""#]].assert_eq(&text(&guest.request("echo.EchoService.Echo", b"hello").await));
    expect![["error unknown route: echo knows Echo only"]].assert_eq(&text(&guest.request("echo.EchoService.No", b"").await));
    assert!(!guest.workload.is_lost());
}
