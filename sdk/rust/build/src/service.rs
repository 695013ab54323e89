use std::collections::BTreeSet;

use prost_build::{Comments, Method, Service};

use crate::error::BuildError;

/// Bytes in a route key: `playhouse_types::limits::ROUTE_BYTES_MAX`, which a build script does not need to compile for.
const ROUTE_BYTES_MAX: usize = 512;

/// What will be generated for one service; all rules have been checked.
pub(crate) struct Plan {
    /// `package.Service`, or `.Service` without a package, as route keys begin.
    pub(crate) full_name: String,
    /// The name of the trait.
    pub(crate) trait_name: String,
    /// The name of the module with the route keys.
    pub(crate) module: String,
    /// The words above the service in the proto.
    pub(crate) comments: Comments,
    pub(crate) rpcs: Vec<Rpc>,
    /// Whether handlers take `&self`.
    pub(crate) shared: bool,
}

/// One method.
pub(crate) struct Rpc {
    pub(crate) route: String,
    /// The name of the handler and of the client's function.
    pub(crate) name: String,
    /// The same without `r#`, to build other names from.
    pub(crate) stem: String,
    pub(crate) request: String,
    pub(crate) reply: String,
    pub(crate) comments: Comments,
}

impl Plan {
    pub(crate) fn new(service: Service, shared: &BTreeSet<String>) -> Result<Self, BuildError> {
        let full_name = format!("{}.{}", service.package, service.proto_name);
        let rpcs = service.methods.into_iter().map(|method| Rpc::new(&full_name, method));
        let plan = Self {
            module: snake_case(&service.name),
            trait_name: service.name,
            comments: service.comments,
            rpcs: rpcs.collect::<Result<_, _>>()?,
            shared: shared.contains(&full_name),
            full_name,
        };
        plan.refuse_clashes()?;
        Ok(plan)
    }

    fn refuse_clashes(&self) -> Result<(), BuildError> {
        let mut names = BTreeSet::from(["new".to_owned()]);
        for rpc in &self.rpcs {
            for name in [rpc.stem.clone(), format!("tell_{}", rpc.stem)] {
                if !names.insert(name.clone()) {
                    return Err(BuildError::NameClash { service: self.full_name.clone(), name });
                }
            }
        }
        Ok(())
    }
}

impl Rpc {
    fn new(service: &str, method: Method) -> Result<Self, BuildError> {
        let route = format!("{service}.{}", method.proto_name);
        if method.client_streaming || method.server_streaming {
            let what = if method.client_streaming { "request" } else { "reply" };
            return Err(BuildError::Streaming { route, what });
        }
        if route.len() > ROUTE_BYTES_MAX {
            return Err(BuildError::RouteTooLong { route, limit: ROUTE_BYTES_MAX });
        }
        Ok(Self {
            route,
            stem: method.name.trim_start_matches("r#").to_owned(),
            name: method.name,
            request: method.input_type,
            reply: method.output_type,
            comments: method.comments,
        })
    }
}

/// `EchoService` → `echo_service`, `HTTPGate` → `http_gate`. Prost keeps its own to itself.
fn snake_case(camel: &str) -> String {
    let chars: Vec<char> = camel.chars().collect();
    let mut snake = String::new();
    for (index, &c) in chars.iter().enumerate() {
        let after_lower = index > 0 && !chars[index - 1].is_uppercase() && chars[index - 1] != '_';
        let before_lower =
            index > 0 && chars[index - 1].is_uppercase() && chars.get(index + 1).is_some_and(|n| n.is_lowercase());
        if c.is_uppercase() && (after_lower || before_lower) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn module_names() {
        for (camel, snake) in
            [("EchoService", "echo_service"), ("Echo", "echo"), ("HTTPGate", "http_gate"), ("V2Api", "v2_api")]
        {
            assert_eq!(snake_case(camel), snake);
        }
    }
}
