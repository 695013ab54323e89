use std::cmp::Ordering;

use playhouse_types::Version;

/// The order of versions that decides about rollback.
///
/// Two Semantic Versions compare as such; their build metadata does not count. Every other pair compares part by part, parts
/// being separated by `.`, `-`, `_` and `+`: two numbers as numbers, else as text, and a version that is the beginning of
/// another is older. So `9` is older than `10`, and `2024.9` than `2024.10`.
#[must_use]
pub fn compare_versions(a: &Version, b: &Version) -> Ordering {
    let semantic = |version: &Version| semver::Version::parse(version.as_str());
    match (semantic(a), semantic(b)) {
        (Ok(a), Ok(b)) => a.cmp_precedence(&b),
        _ => by_parts(a.as_str(), b.as_str()),
    }
}

fn by_parts(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| text.split(['.', '-', '_', '+']).map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (parts(a), parts(b));
    let unequal = a.iter().zip(&b).map(|(a, b)| compare_parts(a, b)).find(|order| order.is_ne());
    unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn compare_parts(a: &str, b: &str) -> Ordering {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !number(a) || !number(b) {
        return a.cmp(b);
    }
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
