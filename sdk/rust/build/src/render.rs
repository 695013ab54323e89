use crate::service::{Plan, Rpc};

/// Appends the code of a service. Every path is absolute, so that no message name can capture one.
pub(crate) fn service(plan: &Plan, code: &mut String) {
    routes(plan, code);
    service_trait(plan, code);
    client(plan, code);
}

fn routes(plan: &Plan, code: &mut String) {
    let Plan { full_name, module, rpcs, .. } = plan;
    code.push_str(&format!("/// The route keys of `{full_name}`.\npub mod {module} {{\n"));
    for rpc in rpcs {
        let Rpc { route, .. } = rpc;
        let constant = constant(rpc);
        code.push_str(&format!(
            "    /// `{route}`.\n    pub const {constant}: ::playhouse_guest::RouteKey = ::playhouse_guest::RouteKey::from_static(\"{route}\");\n"
        ));
    }
    let all: Vec<String> = rpcs.iter().map(constant).collect();
    code.push_str(&format!(
        "    /// All of them, in the order of the proto.\n    pub const ROUTES: [::playhouse_guest::RouteKey; {}] = [{}];\n}}\n",
        all.len(),
        all.join(", ")
    ));
}

/// `ROUTES` itself could be the name of a method; the trailing underscore keeps them apart.
fn constant(rpc: &Rpc) -> String {
    let name = rpc.stem.to_uppercase();
    if name == "ROUTES" { "ROUTES_".to_owned() } else { name }
}

fn service_trait(plan: &Plan, code: &mut String) {
    let Plan { full_name, trait_name, rpcs, shared, .. } = plan;
    let (receiver, bounds) = if *shared {
        ("&self", "::core::marker::Send + ::core::marker::Sync")
    } else {
        ("&mut self", "::core::marker::Send")
    };
    comments(&plan.comments, 0, code);
    code.push_str(&format!(
        "/// Handlers of `{full_name}`. Name the trait in `playhouse_guest::services!` to have it answer requests.\n\
         pub trait {trait_name}: {bounds} {{\n"
    ));
    for rpc in rpcs {
        handler(rpc, receiver, code);
    }
    code.push_str(&format!(
        r"    /// Handles a request if its route is one of this service's, and else leaves the payload where it is.
    #[doc(hidden)]
    fn __dispatch(
        {receiver},
        cx: ::playhouse_guest::Context<'_>,
        route: &::playhouse_guest::RouteKey,
        payload: &mut ::playhouse_guest::Bytes,
    ) -> impl ::core::future::Future<
        Output = ::core::option::Option<::core::result::Result<::playhouse_guest::Bytes, ::playhouse_guest::Error>>,
    > + ::core::marker::Send {{
        async move {{
            let reply = match route.as_str() {{
"
    ));
    for rpc in rpcs {
        arm(rpc, code);
    }
    code.push_str(
        r"                _ => return ::core::option::Option::None,
            };
            ::core::option::Option::Some(reply)
        }
    }
}
",
    );
}

/// The proto's own words, as a paragraph before what follows.
fn comments(words: &prost_build::Comments, indent: u8, code: &mut String) {
    words.append_with_indent(indent, code);
    if !words.leading.is_empty() || !words.trailing.is_empty() {
        code.push_str(&"    ".repeat(indent.into()));
        code.push_str("///\n");
    }
}

fn handler(rpc: &Rpc, receiver: &str, code: &mut String) {
    let Rpc { route, name, request, reply, .. } = rpc;
    comments(&rpc.comments, 1, code);
    code.push_str(&format!(
        r"    /// Answers `{route}`.
    fn {name}(
        {receiver},
        cx: ::playhouse_guest::Context<'_>,
        request: {request},
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<{reply}, ::playhouse_guest::Error>,
    > + ::core::marker::Send;
"
    ));
}

fn arm(rpc: &Rpc, code: &mut String) {
    let Rpc { route, name, request, .. } = rpc;
    code.push_str(&format!(
        r#"                "{route}" => match ::playhouse_guest::internal::decode::<{request}>(payload, "{route}") {{
                    ::core::result::Result::Ok(request) => ::playhouse_guest::internal::encode(self.{name}(cx, request).await),
                    ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
                }},
"#
    ));
}

fn client(plan: &Plan, code: &mut String) {
    let Plan { full_name, trait_name, .. } = plan;
    code.push_str(&format!(
        r"/// Sends requests to an actor that serves `{full_name}`.
#[derive(Debug, Clone)]
pub struct {trait_name}Client<C> {{
    caller: C,
    dest: ::playhouse_guest::Dest,
}}
impl<C: ::playhouse_guest::Caller> {trait_name}Client<C> {{
    /// A client that sends through `caller` to `dest`.
    pub const fn new(caller: C, dest: ::playhouse_guest::Dest) -> Self {{
        Self {{ caller, dest }}
    }}
"
    ));
    for rpc in &plan.rpcs {
        client_functions(rpc, &plan.module, code);
    }
    code.push_str("}\n");
}

fn client_functions(rpc: &Rpc, module: &str, code: &mut String) {
    let Rpc { route, name, stem, request, reply, .. } = rpc;
    let constant = constant(rpc);
    code.push_str(&format!(
        r#"    /// Calls `{route}` and awaits the reply.
    ///
    /// # Errors
    /// The callee's error, or why it could not be reached in time.
    pub async fn {name}(&self, request: &{request}) -> ::core::result::Result<{reply}, ::playhouse_guest::Error> {{
        let payload = ::playhouse_guest::internal::message_bytes(request);
        let reply = self.caller.call(self.dest.clone(), {module}::{constant}, payload).await?;
        ::playhouse_guest::internal::decode_reply(reply, "{route}")
    }}
    /// Sends `{route}` without awaiting a reply.
    ///
    /// # Errors
    /// If the message was not accepted.
    pub async fn tell_{stem}(&self, request: &{request}) -> ::core::result::Result<(), ::playhouse_guest::Error> {{
        let payload = ::playhouse_guest::internal::message_bytes(request);
        self.caller.tell(self.dest.clone(), {module}::{constant}, payload).await
    }}
"#
    ));
}
