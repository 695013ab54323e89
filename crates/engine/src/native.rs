//! Native libraries: the dynclib ABI V1 and the ABI V2, in this process.
//!
//! [`NativeEngine`] takes verified packages with a shared library. With the ABI V1 each workload gets an image of its own, mapped
//! from the bytes that were verified; with V2, which a library has if it exports `playhouse_guest_v2`, all workloads of one library
//! are instances in one image. Each workload has one thread of its own that runs all its handlers; the first also runs the library's
//! constructors. A guest can block that thread, in a host call or for ever, and no other.
//!
//! Native code in this process is *not* contained: it can read and write the memory of the node, end it, or corrupt it.
//! Therefore the engine refuses every package unless it was built with `danger_native_in_process`.
//!
//! An image stays mapped until the process ends, unless a library of V1 can shut itself down, because threads and
//! destructors of the library may outlive its last call.
//!
//! What crosses between a run and its guest are the messages of `native::port`: bytes and host operations, never pointers. A guest
//! in a process of its own needs another port, nothing else.

mod active;
mod buffers;
mod contexts;
mod desk;
mod elf;
mod engine;
mod error;
mod image;
mod judge;
mod lane;
mod loader;
mod memory_file;
mod note;
mod origin;
mod port;
mod run;
mod slots;
mod spin;
mod sync;
mod table;
mod target;
mod turnstile;
mod v2;
mod worker;
mod workload;

pub use engine::NativeEngine;
pub use slots::NativeThreads;
