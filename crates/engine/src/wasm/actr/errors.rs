//! The two forms of `actr-error`. Both carry a kind and, mostly, one text; the code stands at the end of the text.

use playhouse_types::{ActorError, ErrorKind};
use wasmtime::component::{ComponentType, Lift, Lower};

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct DependencyNotFound {
    #[component(name = "service-name")]
    service_name: String,
    message: String,
}

#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
pub(in crate::wasm) struct ConnectionNotReady {
    #[component(name = "retry-after-ms")]
    retry_after_ms: Option<u64>,
}

/// The form of shape A: ten cases.
#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(variant)]
pub(in crate::wasm) enum ErrorOfTen {
    #[component(name = "unavailable")]
    Unavailable(String),
    #[component(name = "timed-out")]
    TimedOut,
    #[component(name = "not-found")]
    NotFound(String),
    #[component(name = "permission-denied")]
    PermissionDenied(String),
    #[component(name = "invalid-argument")]
    InvalidArgument(String),
    #[component(name = "unknown-route")]
    UnknownRoute(String),
    #[component(name = "dependency-not-found")]
    DependencyNotFound(DependencyNotFound),
    #[component(name = "decode-failure")]
    DecodeFailure(String),
    #[component(name = "not-implemented")]
    NotImplemented(String),
    #[component(name = "internal")]
    Internal(String),
}

/// The form of shapes B and C: eleven cases.
#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(variant)]
pub(in crate::wasm) enum ErrorOfEleven {
    #[component(name = "unavailable")]
    Unavailable(String),
    #[component(name = "connection-not-ready")]
    ConnectionNotReady(ConnectionNotReady),
    #[component(name = "timed-out")]
    TimedOut,
    #[component(name = "not-found")]
    NotFound(String),
    #[component(name = "permission-denied")]
    PermissionDenied(String),
    #[component(name = "invalid-argument")]
    InvalidArgument(String),
    #[component(name = "unknown-route")]
    UnknownRoute(String),
    #[component(name = "dependency-not-found")]
    DependencyNotFound(DependencyNotFound),
    #[component(name = "decode-failure")]
    DecodeFailure(String),
    #[component(name = "not-implemented")]
    NotImplemented(String),
    #[component(name = "internal")]
    Internal(String),
}

macro_rules! conversions {
    ($form:ident, $not_ready_to:expr $(, $not_ready:pat => $not_ready_from:expr)?) => {
        impl From<&ActorError> for $form {
            fn from(error: &ActorError) -> Self {
                let text = error.message_with_code();
                match error.kind() {
                    ErrorKind::Unavailable => Self::Unavailable(text),
                    ErrorKind::TimedOut => Self::TimedOut,
                    ErrorKind::NotFound => Self::NotFound(text),
                    ErrorKind::PermissionDenied => Self::PermissionDenied(text),
                    ErrorKind::InvalidArgument => Self::InvalidArgument(text),
                    ErrorKind::UnknownRoute => Self::UnknownRoute(text),
                    ErrorKind::DependencyNotFound => Self::DependencyNotFound(DependencyNotFound {
                        service_name: error.service().unwrap_or_default().to_owned(),
                        message: text,
                    }),
                    ErrorKind::DecodeFailure => Self::DecodeFailure(text),
                    ErrorKind::NotImplemented => Self::NotImplemented(text),
                    ErrorKind::ConnectionNotReady => $not_ready_to(error.retry_after_ms(), text),
                    _ => Self::Internal(text),
                }
            }
        }

        impl From<$form> for ActorError {
            fn from(error: $form) -> Self {
                let (kind, text) = match error {
                    $form::Unavailable(text) => (ErrorKind::Unavailable, text),
                    $form::TimedOut => (ErrorKind::TimedOut, String::new()),
                    $form::NotFound(text) => (ErrorKind::NotFound, text),
                    $form::PermissionDenied(text) => (ErrorKind::PermissionDenied, text),
                    $form::InvalidArgument(text) => (ErrorKind::InvalidArgument, text),
                    $form::UnknownRoute(text) => (ErrorKind::UnknownRoute, text),
                    $form::DependencyNotFound(missing) => {
                        return Self::dependency_not_found(missing.service_name, missing.message)
                            .with_code_from_message();
                    }
                    $form::DecodeFailure(text) => (ErrorKind::DecodeFailure, text),
                    $form::NotImplemented(text) => (ErrorKind::NotImplemented, text),
                    $form::Internal(text) => (ErrorKind::Internal, text),
                    $($not_ready => return $not_ready_from,)?
                };
                Self::new(kind, text).with_code_from_message()
            }
        }
    };
}

conversions!(ErrorOfTen, not_ready_as_unavailable);
conversions!(
    ErrorOfEleven,
    |retry_after_ms, _text| Self::ConnectionNotReady(ConnectionNotReady { retry_after_ms }),
    ErrorOfEleven::ConnectionNotReady(hint) => Self::connection_not_ready(hint.retry_after_ms, "")
);

/// Shape A has no case for a link that is not there yet; the hint goes into the text.
fn not_ready_as_unavailable(retry_after_ms: Option<u64>, text: String) -> ErrorOfTen {
    ErrorOfTen::Unavailable(match retry_after_ms {
        Some(ms) => format!("connection not ready, retry after {ms} ms: {text}"),
        None => format!("connection not ready: {text}"),
    })
}
