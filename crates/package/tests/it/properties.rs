use bytes::Bytes;
use playhouse_package::{AskedLimit, Builder, Extension, PackageConcurrency, PackageLimits, TrustPolicy, verify};
use proptest::prelude::*;

use crate::kit::{Kit, key};

fn segment() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9ä_][a-zA-Z0-9ä_ .-]{0,10}[a-z0-9]"
}

fn concurrency() -> impl Strategy<Value = Option<PackageConcurrency>> {
    prop_oneof![
        Just(None),
        Just(Some(PackageConcurrency::Serial)),
        Just(Some(PackageConcurrency::KeyedBySender)),
        (1..=4096_u32).prop_map(|n| Some(PackageConcurrency::Concurrent(n.try_into().expect("not zero")))),
        "[a-z]{1,5}(\\.[a-z]{1,5})?".prop_map(|field| Some(PackageConcurrency::KeyedByField(field))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_verifies_and_holds_the_same(
        binary in prop::collection::vec(any::<u8>(), 0..2000),
        resources in prop::collection::btree_map(segment(), prop::collection::vec(any::<u8>(), 0..300), 0..5),
        protos in prop::collection::btree_map("[a-z]{1,8}\\.proto", "\\PC{0,80}", 0..4),
        description in proptest::option::of("\\PC{0,60}[\"\\\\\n\t\r\u{1}]?\\PC{0,5}"),
        grants in proptest::option::of(prop::collection::vec("[a-z:*]{1,20}", 0..4)),
        limits in prop::collection::btree_map(prop::sample::select(AskedLimit::ALL), 1..=i64::MAX.cast_unsigned(), 0..4),
        concurrency in concurrency(),
    ) {
        let key = key(1);
        let mut extension = Extension::default();
        (extension.grants, extension.concurrency, extension.limits) = (grants, concurrency, limits);
        let actor_type = "acme:EchoService:1.2.3".parse().expect("type");
        let mut builder = Builder::new(actor_type, "x86_64-unknown-linux-gnu", Bytes::from(binary.clone()));
        for (name, contents) in &resources {
            builder = builder.resource(&format!("data/{name}"), Bytes::from(contents.clone()));
        }
        for (name, text) in &protos {
            builder = builder.proto(name, text);
        }
        if let Some(text) = &description {
            builder = builder.description(text);
        }
        let builder = builder.extension(extension.clone());
        // Names that differ only in case, or name a device, are refused when building.
        let Ok(bytes) = builder.build(&key) else { return Ok(()) };
        prop_assert_eq!(&builder.build(&key).expect("again"), &bytes, "the same bytes");
        let policy = TrustPolicy::for_key("acme".parse().expect("name"), key.verifying_key());
        let package = verify(bytes, &policy, 0, &PackageLimits::default()).expect("verifies");
        prop_assert_eq!(package.binary(), &binary);
        prop_assert_eq!(package.extension(), &extension);
        prop_assert_eq!(&package.manifest().description, &description);
        let found: Vec<_> = package.resources().map(|(path, bytes)| (path.to_string(), bytes.to_vec())).collect();
        prop_assert_eq!(found, resources.into_iter().map(|(n, c)| (format!("data/{n}"), c)).collect::<Vec<_>>());
        let found: Vec<_> = package.protos().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        prop_assert_eq!(found, protos.into_iter().collect::<Vec<_>>());
    }

    /// Whatever a few random changes make of a package: a refusal, or the very same contents.
    #[test]
    fn random_damage_changes_nothing(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let kit = Kit::good();
        let good = kit.zip().bytes();
        let mut bytes = good.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(good.len()));
        }
        if let Ok(package) = kit.verify_bytes(bytes) {
            let whole = kit.verify_bytes(good).expect("good");
            prop_assert!(package.files().eq(whole.files()) && package.manifest() == whole.manifest());
        }
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Kit::good().verify_bytes(bytes).is_err());
    }
}
