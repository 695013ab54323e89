//! WebAssembly components. (Work in progress.)
