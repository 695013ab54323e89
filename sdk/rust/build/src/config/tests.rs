use std::fs;
use std::path::Path;

use expect_test::{Expect, expect};

use super::Config;

/// Compiles one proto and compares what was generated behind its messages, or the error.
fn check(config: &Config, proto: &str, expect: &Expect) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("it.proto");
    fs::write(&file, format!("syntax = \"proto3\";\n{proto}")).unwrap();
    let result = config.clone().out_dir(dir.path()).compile(&[&file], &[dir.path()]);
    let text = match result {
        Ok(()) => services(dir.path()),
        Err(error) => error.to_string(),
    };
    expect.assert_eq(&text);
}

fn services(dir: &Path) -> String {
    let named = dir.join("it.rs");
    let code = fs::read_to_string(if named.exists() { named } else { dir.join("_.rs") }).unwrap();
    code.find("/// The route keys").map(|start| code[start..].to_owned()).unwrap_or_default()
}

#[test]
fn a_service() {
    let proto = "package it; message M {}
        // Says things.
        service Echo {
            // Says it again.
            rpc Say(M) returns (M); }";
    check(
        &Config::new(),
        proto,
        &expect![[r#"
        /// The route keys of `it.Echo`.
        pub mod echo {
            /// `it.Echo.Say`.
            pub const SAY: ::playhouse_guest::RouteKey = ::playhouse_guest::RouteKey::from_static("it.Echo.Say");
            /// All of them, in the order of the proto.
            pub const ROUTES: [::playhouse_guest::RouteKey; 1] = [SAY];
        }
        /// Says things.
        ///
        /// Handlers of `it.Echo`. Name the trait in `playhouse_guest::services!` to have it answer requests.
        pub trait Echo: ::core::marker::Send {
            /// Says it again.
            ///
            /// Answers `it.Echo.Say`.
            fn say(
                &mut self,
                cx: ::playhouse_guest::Context<'_>,
                request: M,
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<M, ::playhouse_guest::Error>,
            > + ::core::marker::Send;
            /// Handles a request if its route is one of this service's, and else leaves the payload where it is.
            #[doc(hidden)]
            fn __dispatch(
                &mut self,
                cx: ::playhouse_guest::Context<'_>,
                route: &::playhouse_guest::RouteKey,
                payload: &mut ::playhouse_guest::Bytes,
            ) -> impl ::core::future::Future<
                Output = ::core::option::Option<::core::result::Result<::playhouse_guest::Bytes, ::playhouse_guest::Error>>,
            > + ::core::marker::Send {
                async move {
                    let reply = match route.as_str() {
                        "it.Echo.Say" => match ::playhouse_guest::internal::decode::<M>(payload, "it.Echo.Say") {
                            ::core::result::Result::Ok(request) => ::playhouse_guest::internal::encode(self.say(cx, request).await),
                            ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
                        },
                        _ => return ::core::option::Option::None,
                    };
                    ::core::option::Option::Some(reply)
                }
            }
        }
        /// Sends requests to an actor that serves `it.Echo`.
        #[derive(Debug, Clone)]
        pub struct EchoClient<C> {
            caller: C,
            dest: ::playhouse_guest::Dest,
        }
        impl<C: ::playhouse_guest::Caller> EchoClient<C> {
            /// A client that sends through `caller` to `dest`.
            pub const fn new(caller: C, dest: ::playhouse_guest::Dest) -> Self {
                Self { caller, dest }
            }
            /// Calls `it.Echo.Say` and awaits the reply.
            ///
            /// # Errors
            /// The callee's error, or why it could not be reached in time.
            pub async fn say(&self, request: &M) -> ::core::result::Result<M, ::playhouse_guest::Error> {
                let payload = ::playhouse_guest::internal::message_bytes(request);
                let reply = self.caller.call(self.dest.clone(), echo::SAY, payload).await?;
                ::playhouse_guest::internal::decode_reply(reply, "it.Echo.Say")
            }
            /// Sends `it.Echo.Say` without awaiting a reply.
            ///
            /// # Errors
            /// If the message was not accepted.
            pub async fn tell_say(&self, request: &M) -> ::core::result::Result<(), ::playhouse_guest::Error> {
                let payload = ::playhouse_guest::internal::message_bytes(request);
                self.caller.tell(self.dest.clone(), echo::SAY, payload).await
            }
        }
    "#]],
    );
}

#[test]
fn a_shared_service_without_a_package() {
    let proto = "message M {} service Echo { rpc Say(M) returns (M); }";
    check(
        &Config::new().shared(".Echo"),
        proto,
        &expect![[r#"
            /// The route keys of `.Echo`.
            pub mod echo {
                /// `.Echo.Say`.
                pub const SAY: ::playhouse_guest::RouteKey = ::playhouse_guest::RouteKey::from_static(".Echo.Say");
                /// All of them, in the order of the proto.
                pub const ROUTES: [::playhouse_guest::RouteKey; 1] = [SAY];
            }
            /// Handlers of `.Echo`. Name the trait in `playhouse_guest::services!` to have it answer requests.
            pub trait Echo: ::core::marker::Send + ::core::marker::Sync {
                /// Answers `.Echo.Say`.
                fn say(
                    &self,
                    cx: ::playhouse_guest::Context<'_>,
                    request: M,
                ) -> impl ::core::future::Future<
                    Output = ::core::result::Result<M, ::playhouse_guest::Error>,
                > + ::core::marker::Send;
                /// Handles a request if its route is one of this service's, and else leaves the payload where it is.
                #[doc(hidden)]
                fn __dispatch(
                    &self,
                    cx: ::playhouse_guest::Context<'_>,
                    route: &::playhouse_guest::RouteKey,
                    payload: &mut ::playhouse_guest::Bytes,
                ) -> impl ::core::future::Future<
                    Output = ::core::option::Option<::core::result::Result<::playhouse_guest::Bytes, ::playhouse_guest::Error>>,
                > + ::core::marker::Send {
                    async move {
                        let reply = match route.as_str() {
                            ".Echo.Say" => match ::playhouse_guest::internal::decode::<M>(payload, ".Echo.Say") {
                                ::core::result::Result::Ok(request) => ::playhouse_guest::internal::encode(self.say(cx, request).await),
                                ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
                            },
                            _ => return ::core::option::Option::None,
                        };
                        ::core::option::Option::Some(reply)
                    }
                }
            }
            /// Sends requests to an actor that serves `.Echo`.
            #[derive(Debug, Clone)]
            pub struct EchoClient<C> {
                caller: C,
                dest: ::playhouse_guest::Dest,
            }
            impl<C: ::playhouse_guest::Caller> EchoClient<C> {
                /// A client that sends through `caller` to `dest`.
                pub const fn new(caller: C, dest: ::playhouse_guest::Dest) -> Self {
                    Self { caller, dest }
                }
                /// Calls `.Echo.Say` and awaits the reply.
                ///
                /// # Errors
                /// The callee's error, or why it could not be reached in time.
                pub async fn say(&self, request: &M) -> ::core::result::Result<M, ::playhouse_guest::Error> {
                    let payload = ::playhouse_guest::internal::message_bytes(request);
                    let reply = self.caller.call(self.dest.clone(), echo::SAY, payload).await?;
                    ::playhouse_guest::internal::decode_reply(reply, ".Echo.Say")
                }
                /// Sends `.Echo.Say` without awaiting a reply.
                ///
                /// # Errors
                /// If the message was not accepted.
                pub async fn tell_say(&self, request: &M) -> ::core::result::Result<(), ::playhouse_guest::Error> {
                    let payload = ::playhouse_guest::internal::message_bytes(request);
                    self.caller.tell(self.dest.clone(), echo::SAY, payload).await
                }
            }
        "#]],
    );
}

#[test]
fn streams_are_refused() {
    let message = "package it; message M {}";
    let request = format!("{message} service S {{ rpc Up(stream M) returns (M); }}");
    check(
        &Config::new(),
        &request,
        &expect!["it.S.Up streams its request; use a unary method and send chunks with Context::send_chunk"],
    );
    let reply = format!("{message} service S {{ rpc Down(M) returns (stream M); }}");
    check(
        &Config::new(),
        &reply,
        &expect!["it.S.Down streams its reply; use a unary method and send chunks with Context::send_chunk"],
    );
}

#[test]
fn names_that_clash_are_refused() {
    let message = "package it; message M {}";
    let tell = format!("{message} service S {{ rpc Foo(M) returns (M); rpc TellFoo(M) returns (M); }}");
    check(&Config::new(), &tell, &expect!["it.S: two generated functions would be named tell_foo; rename a method"]);
    let new = format!("{message} service S {{ rpc New(M) returns (M); }}");
    check(&Config::new(), &new, &expect!["it.S: two generated functions would be named new; rename a method"]);
}

#[test]
fn routes_have_a_limit() {
    let name = |len| "M".repeat(len);
    let at_limit =
        format!("package it; message M {{}} service S {{ rpc {}(M) returns (M); }}", name(512 - "it.S.".len()));
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("it.proto"), format!("syntax = \"proto3\"; {at_limit}")).unwrap();
    let compiled = Config::new().out_dir(dir.path()).compile(&[dir.path().join("it.proto")], &[dir.path()]);
    assert!(compiled.is_ok(), "{compiled:?}");
    let over = at_limit.replace("rpc M", "rpc MM");
    fs::write(dir.path().join("it.proto"), format!("syntax = \"proto3\"; {over}")).unwrap();
    let refused = Config::new().out_dir(dir.path()).compile(&[dir.path().join("it.proto")], &[dir.path()]);
    let text = refused.unwrap_err().to_string();
    assert!(text.ends_with("a route has at most 512 bytes, this one has 513"), "{text}");
}

#[test]
fn shared_must_name_a_service() {
    check(
        &Config::new().shared("it.Other"),
        "package it; message M {}",
        &expect!["no service it.Other in the files that were compiled; write it as package.Service"],
    );
}

#[test]
fn the_option_of_actr_is_known() {
    let proto = r#"package it; import "actr/options.proto"; message M {}
        service S { rpc Signal(M) returns (M) { option (actr.payload_type) = RPC_SIGNAL; } }"#;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("it.proto"), format!("syntax = \"proto3\";\n{proto}")).unwrap();
    Config::new().out_dir(dir.path()).compile(&[dir.path().join("it.proto")], &[dir.path()]).unwrap();
    assert!(services(dir.path()).contains("\"it.S.Signal\""));
}

#[test]
fn a_wrong_proto_names_its_line() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("it.proto"), "syntax = \"proto3\"; message { }").unwrap();
    let error = Config::new().out_dir(dir.path()).compile(&[dir.path().join("it.proto")], &[dir.path()]).unwrap_err();
    expect!["cannot read the protos: it.proto:1:28: expected an identifier, but found '{'"]
        .assert_eq(&error.to_string());
}
