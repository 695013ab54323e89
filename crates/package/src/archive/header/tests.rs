use super::{ATTRIBUTES_FILE, MADE_BY_SYSTEMS, MADE_BY_VERSIONS};

fn bits_apart(values: &[u32]) -> u32 {
    let pairs = values.iter().enumerate().flat_map(|(n, a)| values[..n].iter().map(move |b| (a ^ b).count_ones()));
    pairs.min().expect("more than one value")
}

#[test]
fn known_values_are_more_than_one_bit_apart() {
    assert!(bits_apart(&MADE_BY_VERSIONS.map(u32::from)) >= 2);
    assert!(bits_apart(&MADE_BY_SYSTEMS.map(u32::from)) >= 2);
    assert!(bits_apart(&ATTRIBUTES_FILE) >= 2);
}
