fn main() -> Result<(), playhouse_build::BuildError> {
    playhouse_build::Config::new().compile(&["../protos/caller.proto", "../protos/echo.proto"], &["../protos"])
}
