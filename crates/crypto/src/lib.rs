//! Playhouse: crypto.
