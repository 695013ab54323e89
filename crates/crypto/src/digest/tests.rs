use super::{Digest, Hasher};

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn known_digests() {
    assert_eq!(Digest::of(b"").to_string(), EMPTY);
    assert_eq!(Digest::of(b"abc").to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn pieces_give_the_digest_of_the_whole() {
    let bytes: Vec<u8> = (0..1000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for size in [1, 7, 63, 64, 65, 999] {
        let mut hasher = Hasher::new();
        bytes.chunks(size).for_each(|piece| hasher.update(piece));
        assert_eq!(hasher.finish(), Digest::of(&bytes), "pieces of {size}");
    }
}

#[test]
fn only_the_canonical_text_parses() {
    assert_eq!(EMPTY.parse(), Ok(Digest::of(b"")));
    let wrong = [
        EMPTY.to_uppercase(),
        EMPTY[1..].to_owned(),
        format!("{EMPTY}0"),
        format!(" {}", &EMPTY[1..]),
        format!("+{}", &EMPTY[1..]),
        EMPTY.replace('e', "g"),
        String::new(),
        "é".repeat(32),
    ];
    for text in wrong {
        assert!(text.parse::<Digest>().is_err(), "{text}");
    }
}
