//! Playhouse SDK: build.
