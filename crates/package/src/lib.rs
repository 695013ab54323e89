//! Packages. (Work in progress.)

/// A package whose signature, hashes and trust were checked. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct VerifiedPackage {}
