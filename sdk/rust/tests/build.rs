//! Generates the code that the tests run.

fn main() -> Result<(), playhouse_build::BuildError> {
    playhouse_build::Config::new()
        .shared("zoo.KeeperService")
        .compile(&["proto/zoo.proto", "proto/bare.proto"], &["proto"])
}
