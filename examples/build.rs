//! Generates the messages, the trait and the client of `counter.proto`.

fn main() -> Result<(), playhouse_build::BuildError> {
    playhouse_build::Config::new().compile(&["../guests/protos/counter.proto"], &["../guests/protos"])
}
