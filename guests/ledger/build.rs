fn main() -> Result<(), playhouse_build::BuildError> {
    playhouse_build::Config::new().compile(&["../protos/ledger.proto"], &["../protos"])
}
