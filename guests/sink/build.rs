fn main() -> Result<(), playhouse_build::BuildError> {
    playhouse_build::Config::new().compile(&["../protos/sink.proto"], &["../protos"])
}
