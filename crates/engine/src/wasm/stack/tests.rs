use std::sync::Arc;

use super::{Engines, StackSize};
use crate::Limits;
use crate::wasm::runtime::Mode;
use crate::wasm::ticker::Ticker;

#[test]
fn a_stack_is_never_larger_than_its_limit_within_the_range() {
    let sizes = |limit| StackSize::within(limit).bytes();
    assert_eq!([0, 1, 64 << 10].map(sizes), [64 << 10; 3]);
    assert_eq!([(128 << 10) - 1, 128 << 10, (256 << 10) - 1].map(sizes), [64 << 10, 128 << 10, 128 << 10]);
    assert_eq!([16 << 20, usize::MAX].map(sizes), [16 << 20; 2]);
    assert_eq!(StackSize::within(Limits::default().stack_bytes), StackSize::POOLED);
}

#[test]
fn there_is_one_engine_per_size() {
    let engines = Engines::new(Mode::Plain, &Arc::new(Ticker::start().unwrap()));
    for limit in 0..2_000 {
        engines.of(StackSize::within(limit << 10)).unwrap();
    }
    assert_eq!(engines.by_size.lock().len(), 5);
}
