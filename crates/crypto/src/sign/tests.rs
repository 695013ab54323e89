use super::SigningKey;

#[test]
fn debug_output_has_no_secret() {
    let seed = [0xa5; 32];
    let key = SigningKey::from_seed(&seed);
    let shown = format!("{key:?} {key:#?}");
    assert!(!shown.contains("a5a5") && !shown.contains("165"), "{shown}");
}
