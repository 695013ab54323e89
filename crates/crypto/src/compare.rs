/// Whether two byte strings are equal, in time that depends on their lengths only.
#[must_use]
pub fn equal_constant_time(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let difference = a.iter().zip(b).fold(0_u8, |seen, (x, y)| std::hint::black_box(seen | (x ^ y)));
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::equal_constant_time;

    #[test]
    fn compares_all_bytes() {
        let a = [5_u8; 33];
        assert!(equal_constant_time(&a, &a));
        assert!(equal_constant_time(&[], &[]));
        assert!(!equal_constant_time(&a, &a[1..]));
        for bit in 0..a.len() * 8 {
            let mut b = a;
            b[bit / 8] ^= 1 << (bit % 8);
            assert!(!equal_constant_time(&a, &b), "bit {bit}");
        }
    }
}
