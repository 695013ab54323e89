use std::fmt::Display;
use std::str::FromStr;

use playhouse_types::{ActorError, ActorId, ActorType, ActorUri, Name, RequestId, RouteKey, StreamId, Version, limits};

/// What is accepted is written in one form, which is accepted again and means the same.
fn round_trip<T: FromStr<Err: Display> + Display + PartialEq>(text: &str) {
    match text.parse::<T>() {
        Ok(value) => {
            let canonical = value.to_string();
            let Ok(again) = canonical.parse::<T>() else { panic!("{text:?} became {canonical:?}, which is refused") };
            assert!(again == value && again.to_string() == canonical, "{text:?} became {canonical:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Names cannot leave a directory or a URL, nor pretend to be something else.
fn is_harmless(name: &str) {
    assert!(!name.is_empty() && name != "." && name != "..");
    assert!(!name.contains(['/', '\\', ':', '@', '+', '\0', '\n']), "{name:?}");
}

/// Every kind of id.
pub fn ids(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    round_trip::<ActorId>(text);
    round_trip::<ActorType>(text);
    round_trip::<RouteKey>(text);
    round_trip::<RequestId>(text);
    round_trip::<StreamId>(text);
    if let Ok(id) = text.parse::<ActorId>() {
        let parts = id.actor_type();
        is_harmless(parts.manufacturer().as_ref());
        is_harmless(parts.name().as_ref());
    }
    if let Ok(name) = text.parse::<Name>() {
        assert!(text.len() <= limits::NAME_BYTES_MAX);
        is_harmless(name.as_ref());
    }
    if text.parse::<Version>().is_ok() {
        assert!(text.len() <= limits::VERSION_BYTES_MAX);
    }
}

/// URIs of actor types.
pub fn uri(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        round_trip::<ActorUri>(text);
    }
}

/// Error texts from guests: bounded, and stable once they are ours.
pub fn error_text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let error = ActorError::from_text(&text);
    assert!(error.message().len() <= limits::ERROR_TEXT_BYTES_MAX);
    let again = ActorError::from_text(&error.to_text());
    assert_eq!((again.kind(), again.code()), (error.kind(), error.code()), "{text:?}");
}
