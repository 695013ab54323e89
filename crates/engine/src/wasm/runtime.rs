use std::num::NonZeroUsize;
use std::sync::Arc;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

use super::config::WasmConfig;
use super::stack::{Engines, StackSize};
use super::ticker::Ticker;

/// Bytes of a fiber's stack that remain for host functions when the guest has used all of its own.
const HOST_STACK_BYTES: usize = 1536 << 10;

/// Core instances per pooled component instance. A component made from Python has 38.
const POOLED_CORE_INSTANCES: u32 = 64;

/// Tables per pooled component instance. Rust's have one; adapters add some.
const POOLED_TABLES: u32 = 8;

/// Memories per pooled component instance, counted over all of them: most have one.
const POOLED_MEMORIES: u32 = 2;

/// Elements of a pooled table; as many as the default of [`Limits::table_elements`](crate::Limits::table_elements).
pub(super) const POOLED_TABLE_ELEMENTS: usize = 100_000;

/// Bytes of a pooled instance's own bookkeeping. Python's 38 core instances do not fit wasmtime's default of 1 MiB.
const POOLED_INSTANCE_BYTES: usize = 4 << 20;

/// Bytes of memory that stay resident when an instance ends, so that the next one need not fault them in.
const KEPT_RESIDENT_BYTES: usize = 64 << 10;

/// Frames of a guest's stack that a trap records.
const FRAMES_MAX: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// Whether guests may use the asynchronous component model, which makes every call three times dearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Plain functions only.
    Plain,
    /// Async-lifted functions as well.
    Async,
}

/// Engines of wasmtime with the same rules for guests: one has room reserved for instances, the others take what the pool
/// cannot.
#[derive(Debug, Clone)]
pub(super) struct Runtime {
    pub(super) pooled: Engine,
    /// The one with stacks of the pool's size.
    pub(super) overflow: Engine,
    /// That one and those with other stacks.
    pub(super) beside: Engines,
}

impl Runtime {
    pub(super) fn new(mode: Mode, config: &WasmConfig, ticker: &Arc<Ticker>) -> wasmtime::Result<Self> {
        let beside = Engines::new(mode, ticker);
        let overflow = beside.of(StackSize::POOLED)?;
        let mut pooling = rules(mode, StackSize::POOLED);
        pooling.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
        let pooled = Engine::new(&pooling).unwrap_or_else(|error| {
            tracing::warn!(%error, "no address space for a pool of wasm instances; creating them takes longer");
            overflow.clone()
        });
        if !Engine::same(&pooled, &overflow) {
            ticker.add(&pooled);
        }
        Ok(Self { pooled, overflow, beside })
    }
}

pub(super) fn rules(mode: Mode, stack: StackSize) -> Config {
    let asynchronous = mode == Mode::Async;
    let mut rules = Config::new();
    rules.wasm_component_model(true);
    rules.wasm_component_model_async(asynchronous);
    rules.concurrency_support(asynchronous);
    // What guests are not promised. Threads, GC and the rest that wasmtime can leave out are not compiled in.
    rules.wasm_tail_call(false);
    rules.wasm_memory64(false);
    rules.wasm_multi_memory(false);
    rules.wasm_relaxed_simd(false);
    rules.wasm_custom_page_sizes(false);
    rules.wasm_wide_arithmetic(false);
    rules.shared_memory(false);
    rules.epoch_interruption(true);
    rules.max_wasm_stack(stack.bytes());
    rules.async_stack_size(stack.bytes().saturating_add(HOST_STACK_BYTES));
    rules.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    rules.wasm_backtrace_max_frames(Some(FRAMES_MAX));
    rules
}

fn pool(config: &WasmConfig) -> PoolingAllocationConfig {
    let instances = config.pooled_instances;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances);
    pool.total_core_instances(instances.saturating_mul(POOLED_CORE_INSTANCES));
    pool.total_memories(instances.saturating_mul(POOLED_MEMORIES));
    pool.total_tables(instances.saturating_mul(POOLED_TABLES));
    pool.total_stacks(instances);
    pool.table_elements(POOLED_TABLE_ELEMENTS);
    pool.max_tables_per_module(POOLED_TABLES);
    pool.max_component_instance_size(POOLED_INSTANCE_BYTES);
    pool.linear_memory_keep_resident(KEPT_RESIDENT_BYTES);
    pool
}
