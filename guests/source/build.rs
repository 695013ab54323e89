fn main() -> Result<(), playhouse_build::BuildError> {
    playhouse_build::Config::new().compile(&["../protos/source.proto", "../protos/sink.proto"], &["../protos"])
}
