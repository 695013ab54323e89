/// Makes an actor the program of a package: adds the entry points that wasm hosts look for when the crate is compiled to
/// wasm, and those of native hosts when the crate's feature `native` is on: those of the ABI V1 for hosts of actr 0.3, and of V2, with
/// which one library has many actors, and state, timers, keys and a log. Linked into a host it adds nothing.
///
/// The actor is made by [`Default`], or by the expression after `||`, when it is needed first: before its first event, or with it.
///
/// ```
/// # use playhouse_guest::{Actor, Bytes, Context, Dispatch, Error, RouteKey};
/// # struct Echo { greeting: &'static str }
/// # impl Actor for Echo {}
/// # impl Dispatch for Echo {
/// #     async fn dispatch(&mut self, _: Context<'_>, _: &RouteKey, payload: Bytes) -> Result<Bytes, Error> { Ok(payload) }
/// # }
/// playhouse_guest::export!(Echo, || Echo { greeting: "hello" });
/// ```
///
/// A crate has one such line, and in its `Cargo.toml` a feature `native = ["playhouse-guest/native"]`.
#[macro_export]
macro_rules! export {
    ($actor:ty) => {
        $crate::export!($actor, || <$actor as ::core::default::Default>::default());
    };
    ($actor:ty, || $new:expr) => {
        #[cfg(target_family = "wasm")]
        $crate::__export_wasm!($actor, || $new);
        #[cfg(all(feature = "native", not(target_family = "wasm")))]
        $crate::__export_native!($actor, || $new);
    };
}
