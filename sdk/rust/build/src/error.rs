use std::io;

/// Why no code was generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A `.proto` file was not found or is wrong; the source names file, line and rule.
    #[error("cannot read the protos: {0:?}")]
    Proto(#[from] protox::Error),
    /// A method streams. Playhouse moves streams as chunks beside requests: make the method unary, and send chunks.
    #[error("{route} streams its {what}; use a unary method and send chunks with Context::send_chunk")]
    Streaming {
        /// The route of the method.
        route: String,
        /// `request` or `reply`.
        what: &'static str,
    },
    /// A route has more bytes than a route key may have. Shorten the names.
    #[error("{route}: a route has at most {limit} bytes, this one has {}", route.len())]
    RouteTooLong {
        /// The route of the method.
        route: String,
        /// The most bytes that a route key has.
        limit: usize,
    },
    /// Two functions of a service's client or trait would have one name. Rename one of the methods.
    #[error("{service}: two generated functions would be named {name}; rename a method")]
    NameClash {
        /// The full name of the service.
        service: String,
        /// The Rust name that is there twice.
        name: String,
    },
    /// [`crate::Config::shared`] names a service that none of the files has.
    #[error("no service {service} in the files that were compiled; write it as package.Service")]
    UnknownService {
        /// The name as given.
        service: String,
    },
    /// The generated code could not be made or written.
    #[error("cannot write the generated code")]
    Write(#[source] io::Error),
}
