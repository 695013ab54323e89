//! An actor of the world `actr:workload`, in each of its shapes, made as actr's toolchain makes them: every function is
//! lifted and lowered `async`. In the world 0.1.0 the functions' types are synchronous all the same.

#[cfg(feature = "v2-operations")]
mod operations;
#[cfg(not(feature = "v2"))]
mod v1;
#[cfg(feature = "v2")]
mod v2;
