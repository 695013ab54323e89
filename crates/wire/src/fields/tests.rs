use proptest::prelude::*;
use prost::Message;

use super::{Broken, Value, next, put_varint, varint_len};
use crate::native::Reply;
use crate::proto::AbiReply;

/// Bytes that are protobuf or nearly so: fields of every wire type, groups among them, then cut or damaged.
fn nearly_protobuf() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![8 => 1_u32..6, 1 => any::<u32>()];
    let field = (number, 0_u8..8, any::<u64>(), proptest::collection::vec(any::<u8>(), 0..20));
    let fields = proptest::collection::vec(field, 0..6);
    (fields, proptest::option::of((any::<prop::sample::Index>(), any::<u8>()))).prop_map(|(fields, damage)| {
        let mut out = Vec::new();
        for (number, wire_type, value, bytes) in fields {
            put_varint(&mut out, u64::from(number) << 3 | u64::from(wire_type));
            match wire_type {
                0 => put_varint(&mut out, value),
                1 => out.extend(value.to_le_bytes()),
                2 => {
                    put_varint(&mut out, bytes.len() as u64);
                    out.extend(bytes);
                }
                5 => out.extend((value as u32).to_le_bytes()),
                _ => {}
            }
        }
        if let (Some((index, byte)), false) = (damage, out.is_empty()) {
            let index = index.index(out.len());
            out[index] = byte;
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn reads_as_prost_does(bytes in nearly_protobuf()) {
        let ours = Reply::read(&bytes).map(|reply| (reply.abi_version, reply.status, reply.payload.to_vec()));
        let theirs = AbiReply::decode(&*bytes).map(|reply| (reply.abi_version, reply.status, reply.payload.to_vec()));
        prop_assert_eq!(ours.ok(), theirs.ok());
    }

    #[test]
    fn varints_come_back(value in any::<u64>()) {
        let mut out = vec![0x08];
        put_varint(&mut out, value);
        prop_assert_eq!(out.len(), 1 + varint_len(value));
        prop_assert_eq!(next(&mut &*out), Ok(Some((1, Value::Varint(value)))));
    }
}

#[test]
fn groups_nest_to_a_limit() {
    let nested = |depth: usize| {
        let mut bytes = vec![0x2b; depth];
        bytes.extend(vec![0x2c; depth]);
        bytes
    };
    for depth in [1, 50, 99, 100, 101, 5000] {
        let bytes = nested(depth);
        let theirs = AbiReply::decode(&*bytes).is_ok();
        assert_eq!(Reply::read(&bytes).is_ok(), theirs, "depth {depth}");
        assert_eq!(theirs, depth <= 100, "depth {depth}");
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    assert_eq!(next(&mut &[0x1a, 0x05, 1, 2][..]), Err(Broken));
    assert_eq!(next(&mut &[0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..]), Err(Broken));
    assert_eq!(next(&mut &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02][..]), Err(Broken));
    assert_eq!(next(&mut &[0x00][..]), Err(Broken));
}
