use std::time::Duration;

use expect_test::{Expect, expect};
use playhouse_package::AskedLimit;

use super::apply;
use crate::options::ActorOptions;

fn check(asked: &[(AskedLimit, u64)], expected: &Expect) {
    let mut options = ActorOptions::default();
    let outcome = apply(&asked.iter().copied().collect(), &mut options);
    let shown = outcome.map_or_else(
        |error| error.to_text(),
        |()| {
            let (limits, mailbox) = (options.limits, options.mailbox);
            format!("{} bytes, {:?}, {} messages", limits.memory_bytes, limits.cpu, mailbox.capacity)
        },
    );
    expected.assert_eq(&shown);
}

#[test]
fn the_smaller_one_wins_and_more_is_refused() {
    check(&[], &expect!["134217728 bytes, 1s, 1024 messages"]);
    check(
        &[(AskedLimit::MemoryBytes, 1 << 20), (AskedLimit::CpuMs, 250), (AskedLimit::MailboxMessages, 3)],
        &expect!["1048576 bytes, 250ms, 3 messages"],
    );
    check(&[(AskedLimit::MemoryBytes, 128 << 20)], &expect!["134217728 bytes, 1s, 1024 messages"]);
    check(
        &[(AskedLimit::MemoryBytes, (128 << 20) + 1)],
        &expect![
            "permission denied: the package asks for memory_bytes = 134217729, the node gives 134217728 [limit-refused]"
        ],
    );
    check(
        &[(AskedLimit::WallMs, 30_001)],
        &expect!["permission denied: the package asks for wall_ms = 30001, the node gives 30000 [limit-refused]"],
    );
}

#[test]
fn every_limit_is_lowered_to_one_and_never_raised() {
    for limit in AskedLimit::ALL {
        let mut options = ActorOptions::default();
        apply(&[(*limit, 1)].into(), &mut options).unwrap();
        assert_ne!(options, ActorOptions::default(), "{limit} has no effect");
        let mut options = ActorOptions::default();
        let error = apply(&[(*limit, i64::MAX.cast_unsigned())].into(), &mut options).unwrap_err();
        assert!(error.to_text().contains(&format!("{limit} = 9223372036854775807, the node gives")), "{error}");
        assert_eq!(options, ActorOptions::default());
    }
    assert_eq!(ActorOptions::default().limits.cpu, Duration::from_secs(1), "the default that the other test shows");
}
