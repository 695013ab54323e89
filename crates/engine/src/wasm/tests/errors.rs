use expect_test::{Expect, expect};
use playhouse_types::{ActorError, Code, ErrorKind};

use super::kit::{Actor, FakeHost, PLAYHOUSE, SHAPE_A, SHAPE_B, SHAPE_C, Source};
use crate::Limits;

/// Calls the shell and returns what the host answers: the result of `call` has the same type as that of the handler.
const RELAY: &str = "
    (call $call (i32.const 0) (i32.const 0) (i64.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 2048) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 1024))
    (i32.const 1024)";

const ROUTE: &str = "(data (i32.const 2048) \"a.B.C\")";

/// Sends an error through a guest: from the host to the guest, and from the guest to its caller.
async fn through(wit: &str, error: &ActorError) -> String {
    let handler = if wit == PLAYHOUSE { "handle" } else { "dispatch" };
    let error = error.clone();
    let host = FakeHost::new(move |_| Err(error.clone()));
    let source = Source { wit, bodies: &[(handler, RELAY)], more: ROUTE };
    Actor::within(&source, host, Limits::default()).await.unwrap().ask(b"").await
}

fn every_kind() -> Vec<ActorError> {
    use ErrorKind as K;
    let kinds = [
        K::Unavailable,
        K::NotFound,
        K::PermissionDenied,
        K::InvalidArgument,
        K::UnknownRoute,
        K::DecodeFailure,
        K::NotImplemented,
        K::Internal,
    ];
    let mut errors: Vec<_> = kinds.iter().map(|kind| ActorError::new(*kind, "plain")).collect();
    errors.extend(kinds.iter().map(|kind| ActorError::coded(*kind, Code::MailboxFull, "coded")));
    errors.push(ActorError::new(K::TimedOut, ""));
    errors.push(ActorError::dependency_not_found("svc", "not listed"));
    errors.push(ActorError::dependency_not_found("svc", "not listed").with_code(Code::DependencyMissing));
    errors.push(ActorError::connection_not_ready(Some(50), ""));
    errors.push(ActorError::connection_not_ready(None, ""));
    errors
}

#[tokio::test]
async fn errors_of_every_kind_pass_our_world_unchanged() {
    for error in every_kind() {
        assert_eq!(through(PLAYHOUSE, &error).await, format!("error {error:?}"));
    }
    let hinted = ActorError::connection_not_ready(Some(50), "soon").with_code(Code::ActorRestarting);
    assert_eq!(through(PLAYHOUSE, &hinted).await, format!("error {hinted:?}"));
}

#[tokio::test]
async fn errors_pass_the_worlds_of_actr_as_far_as_these_can_carry_them() {
    for wit in [SHAPE_A, SHAPE_B, SHAPE_C] {
        for error in every_kind() {
            if wit == SHAPE_A && error.kind() == ErrorKind::ConnectionNotReady {
                continue;
            }
            assert_eq!(through(wit, &error).await, format!("error {error:?}"));
        }
    }
}

async fn check(wit: &str, error: ActorError, expected: &Expect) {
    expected.assert_eq(&through(wit, &error).await);
}

#[tokio::test]
async fn what_a_world_cannot_say_goes_into_the_text() {
    let hinted = ActorError::connection_not_ready(Some(50), "soon").with_code(Code::ActorRestarting);
    check(
        SHAPE_A,
        hinted,
        &expect!["error unavailable: connection not ready, retry after 50 ms: soon [actor-restarting]"],
    )
    .await;
    let late = ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, "after 3 s");
    check(SHAPE_A, late, &expect!["error timed out"]).await;
}

/// A malformed name is the guest's to hear of, not its end.
#[tokio::test]
async fn malformed_operations_are_answered() {
    for wit in [PLAYHOUSE, SHAPE_A, SHAPE_C] {
        let handler = if wit == PLAYHOUSE { "handle" } else { "dispatch" };
        let body = RELAY.replace("(i32.const 2048) (i32.const 5)", "(i32.const 2048) (i32.const 0)");
        let actor = Actor::new(&Source { wit, bodies: &[(handler, &body)], more: ROUTE }).await;
        let expected = r#"error invalid argument: route key "" is empty [malformed-operation]"#;
        assert_eq!(actor.ask(b"").await, expected);
        assert!(actor.host.ops.lock().is_empty());
    }
}
