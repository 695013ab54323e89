/// Says which services an actor serves, by the traits that `playhouse-build` generated; a request of any other route is
/// answered with [`crate::ErrorKind::UnknownRoute`]. Writes [`crate::Dispatch`], or [`crate::SharedDispatch`] after the
/// word `shared`.
///
/// ```
/// # mod proto {
/// #     use playhouse_guest::{Bytes, Context, Error, RouteKey};
/// #     pub trait EchoService: Send {
/// #         fn __dispatch(&mut self, _: Context<'_>, _: &RouteKey, _: &mut Bytes)
/// #         -> impl Future<Output = Option<Result<Bytes, Error>>> + Send { async { None } }
/// #     }
/// # }
/// use playhouse_guest::{Actor, services};
/// use proto::EchoService;
///
/// #[derive(Default)]
/// struct Echo;
/// impl Actor for Echo {}
/// impl EchoService for Echo { /* one async fn for each rpc */ }
/// services!(Echo: EchoService);
/// ```
#[macro_export]
macro_rules! services {
    (shared $actor:ty : $($service:path),+ $(,)?) => {
        impl $crate::SharedDispatch for $actor {
            async fn dispatch(
                &self,
                cx: $crate::Context<'_>,
                route: &$crate::RouteKey,
                mut payload: $crate::Bytes,
            ) -> ::core::result::Result<$crate::Bytes, $crate::Error> {
                $(if let ::core::option::Option::Some(reply) =
                    <Self as $service>::__dispatch(self, cx, route, &mut payload).await
                {
                    return reply;
                })+
                ::core::result::Result::Err($crate::internal::unknown_route(route))
            }
        }
    };
    ($actor:ty : $($service:path),+ $(,)?) => {
        impl $crate::Dispatch for $actor {
            async fn dispatch(
                &mut self,
                cx: $crate::Context<'_>,
                route: &$crate::RouteKey,
                mut payload: $crate::Bytes,
            ) -> ::core::result::Result<$crate::Bytes, $crate::Error> {
                $(if let ::core::option::Option::Some(reply) =
                    <Self as $service>::__dispatch(self, cx, route, &mut payload).await
                {
                    return reply;
                })+
                ::core::result::Result::Err($crate::internal::unknown_route(route))
            }
        }
    };
}

/// Includes what `playhouse-build` generated for one protobuf package.
///
/// ```text
/// mod proto {
///     playhouse_guest::include_proto!("echo");
/// }
/// ```
#[macro_export]
macro_rules! include_proto {
    ($package:literal) => {
        ::core::include!(::core::concat!(::core::env!("OUT_DIR"), "/", $package, ".rs"));
    };
}
