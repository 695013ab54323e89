use super::*;

/// What became of a message that had crashed its actor was submitted after the next workload was on its way, which could be faster: then the
/// message was handled before it was noted that it is to be handled again, and the note was refused, with all that came after it.
#[test]
fn what_is_about_to_be_submitted_is_waited_for() {
    let acks = Acks::default();
    let mut idle = Box::pin(acks.idle());
    assert!(idle.as_mut().now_or_never().is_some());
    let (one, other) = (acks.coming(), acks.coming());
    let mut idle = Box::pin(acks.idle());
    assert!(idle.as_mut().now_or_never().is_none());
    drop(one);
    assert!(idle.as_mut().now_or_never().is_none());
    drop(other);
    assert!(idle.as_mut().now_or_never().is_some());
}
