use super::*;

/// With a reader at the log, each group waited for it, and so did whoever wrote.
#[test]
fn readers_are_waited_for_once() {
    let mut patience = Patience::default();
    let mut asked = Vec::new();
    // A reader keeps the log from beginning anew; then it goes.
    for pages in (0..=5 * LOG_PAGES_MAX / 2).step_by(1024).chain([1024, LOG_PAGES_MAX]) {
        if patience.is_over(pages) {
            asked.push(pages);
        }
        patience.folded(pages);
    }
    assert_eq!(asked, [LOG_PAGES_MAX, 2 * LOG_PAGES_MAX, LOG_PAGES_MAX]);
}
