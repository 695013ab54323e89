//! Playhouse: node.
