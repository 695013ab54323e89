/// What a package is made from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A crate of the guests' workspace, as a component.
    Wasm(&'static str),
    /// A crate of the guests' workspace, as a shared library.
    Native(&'static str),
    /// A C file under `guests/native`.
    C(&'static str),
    /// A component, or a core module to make one of, under `guests/wat`.
    Wat(&'static str),
    /// A core module under `guests/wat` that stays one.
    CoreModule(&'static str),
}

impl Source {
    pub(super) const fn is_wasm(self) -> bool {
        !matches!(self, Self::Native(_) | Self::C(_))
    }
}

/// One package.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) source: Source,
    /// The name in the actor type, `playhouse-demo:NAME:1.0.0`.
    pub(super) type_name: &'static str,
    /// What it asks for.
    pub(super) grants: &'static [&'static str],
    pub(super) description: &'static str,
}

impl Guest {
    /// `echo-wasm.actr`.
    pub(super) fn file_name(&self) -> String {
        let (name, engine) = match self.source {
            Source::Wasm(name) => (name, "wasm"),
            Source::Native(name) => (name, "native"),
            Source::C(name) => (name, "c"),
            Source::Wat(name) | Source::CoreModule(name) => (name, "wat"),
        };
        format!("{name}-{engine}.actr")
    }

    /// The proto file that describes its routes.
    pub(super) fn proto(&self) -> Option<String> {
        match self.source {
            Source::Wasm(name) | Source::Native(name) => Some(format!("protos/{name}.proto")),
            Source::C(name) => Some(format!("native/{name}.proto")),
            Source::Wat(_) | Source::CoreModule(_) => None,
        }
    }
}

const fn guest(
    source: Source,
    type_name: &'static str,
    grants: &'static [&'static str],
    description: &'static str,
) -> Guest {
    Guest { source, type_name, grants, description }
}

const CALLS: &[&str] = &["call", "tell", "discover"];
const STREAMS: &[&str] = &["stream"];
const SOURCES: &[&str] = &["call", "discover", "stream"];
const LEDGER: &[&str] = &["state", "timers", "crypto", "config", "random", "clock"];
const MISBEHAVING: &[&str] = &["call", "stream"];

const ECHO: &str = "Answers with what it is told.";
const COUNTER: &str = "Keeps a sum.";
const KEEPS_A_BOOK: &str = "Keeps a book in its state, is reminded by a timer, seals and signs.";
const CALLER: &str = "Calls other actors and the application.";
const SINK: &str = "Counts what streams to it.";
const SOURCE: &str = "Streams to a sink.";
const BREAKS: &str = "Breaks a limit, each route another.";

/// Every package that is built.
pub(super) const CATALOG: &[Guest] = &[
    guest(Source::Wasm("echo"), "EchoWasm", &[], ECHO),
    guest(Source::Wasm("counter"), "CounterWasm", &[], COUNTER),
    guest(Source::Wasm("caller"), "CallerWasm", CALLS, CALLER),
    guest(Source::Wasm("ledger"), "LedgerWasm", LEDGER, KEEPS_A_BOOK),
    guest(Source::Wasm("sink"), "SinkWasm", STREAMS, SINK),
    guest(Source::Wasm("source"), "SourceWasm", SOURCES, SOURCE),
    guest(Source::Wasm("misbehaving"), "MisbehavingWasm", MISBEHAVING, BREAKS),
    guest(Source::Native("echo"), "EchoNative", &[], ECHO),
    guest(Source::Native("caller"), "CallerNative", CALLS, CALLER),
    guest(Source::Native("ledger"), "LedgerNative", LEDGER, KEEPS_A_BOOK),
    guest(Source::Native("source"), "SourceNative", SOURCES, SOURCE),
    guest(Source::Native("misbehaving"), "MisbehavingNative", MISBEHAVING, BREAKS),
    guest(Source::C("echo"), "EchoC", &[], ECHO),
    guest(Source::C("echo2"), "Echo2C", &[], ECHO),
    guest(Source::C("counter"), "CounterC", &[], COUNTER),
    guest(
        Source::C("durable"),
        "DurableC",
        &["state", "timers"],
        "Keeps a sum in its state, and lets a timer add to it.",
    ),
    guest(Source::C("caller"), "CallerC", CALLS, CALLER),
    guest(Source::C("sink"), "SinkC", STREAMS, SINK),
    guest(Source::Wat("plain"), "PlainWat", &[], "Answers every request with no bytes."),
    guest(Source::Wat("echo"), "EchoWat", &[], "Answers every request with its payload."),
    guest(Source::Wat("state-bomb"), "StateBombWat", &["state"], "Breaks what bounds the state."),
    guest(Source::Wat("start-loop"), "StartLoopWat", &[], "Never ends its instantiation."),
    guest(Source::Wat("hostile-pointer"), "HostilePointerWat", &[], "Replies with a pointer out of its memory."),
    guest(Source::Wat("hostile-length"), "HostileLengthWat", &[], "Replies with a list longer than its memory."),
    guest(Source::Wat("hostile-realloc"), "HostileReallocWat", &[], "Gives the host memory that it does not have."),
    guest(Source::Wat("bad-discriminant"), "BadDiscriminantWat", &[], "Replies with neither a result nor an error."),
    guest(Source::Wat("bad-utf8"), "BadUtf8Wat", &[], "Fails with a text that is not UTF-8."),
    guest(Source::Wat("memory-bomb"), "MemoryBombWat", &[], "Is born with 4 GiB."),
    guest(Source::Wat("table-bomb"), "TableBombWat", &[], "Is born with ten million table elements."),
    guest(Source::Wat("unknown-import"), "UnknownImportWat", &[], "Imports what no host has."),
    guest(Source::CoreModule("core-module"), "CoreModuleWat", &[], "Is not a component."),
];

#[cfg(test)]
mod tests;
