/// Makes an actor the program of a package: adds the entry points that wasm hosts look for when the crate is compiled to
/// wasm, and those of native hosts when the crate's feature `native` is on. Linked into a host it adds nothing.
///
/// The actor is made by [`Default`], or by the expression after `||`, when the first event comes.
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
