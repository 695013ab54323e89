use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident $text:literal fix $fix:literal;)*) => {
        /// The stable name of a rule that was broken. `playhouse explain CODE` prints what happened and the way out.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as text, such as `mailbox-full`.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What happened.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n"),+),)* }
            }

            /// What to do about it: the command or key that changes it.
            #[must_use]
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$name => $fix,)* }
            }
        }
    };
}

codes! {
    /// An error that a guest or a peer made, without a rule of ours behind it.
    Unspecified "unspecified" fix "Read the message; it is the actor's own. `playhouse logs ACTOR` may say more.";

    // The store.

    /// The actor asked for state, timers or keys on a node that keeps no store.
    StoreMissing "store-missing" fix "Give the node a store: `playhouse run --store DIRECTORY`, or `NodeBuilder::store` where a node is embedded.";

    // The scheduler and the node.

    /// The queue in front of the actor holds as many messages as it may, and its policy is to reject.
    MailboxFull "mailbox-full" fix "Send slower or retry later; or raise `mailbox.capacity` of the actor, or set `mailbox.full = \"wait\"`.";
    /// The caller's deadline passed before the reply. A request whose caller has given up is not started.
    DeadlineExpired "deadline-expired" fix "Give the call more time (`playhouse call --timeout`), or find out what is slow: `playhouse ps` shows queues.";
    /// The call comes back to an actor that is waiting in the same chain of calls. It could only have hung.
    CallCycle "call-cycle" fix "Break the cycle with a tell, or declare the actor's concurrency so that it may be re-entered.";
    /// More actors wait for each other in one chain of calls than is allowed.
    CallDepth "call-depth" fix "Look for endless recursion between actors; use tells for long chains.";
    /// No actor of that id runs on this node.
    UnknownActor "unknown-actor" fix "`playhouse ps` lists the actors that run; `playhouse run PACKAGE` starts one.";
    /// The actor failed more often than its restart limit allows and was taken out of service.
    ActorParked "actor-parked" fix "`playhouse ps` shows the cause and `playhouse logs ACTOR` the story. If it may work now, `playhouse resume ACTOR`.";
    /// The actor failed and its supervisor waits before it starts it again.
    ActorRestarting "actor-restarting" fix "Retry after a moment. `playhouse logs ACTOR` says why it failed.";
    /// The actor has been stopped.
    ActorStopped "actor-stopped" fix "Start it again with `playhouse run`.";
    /// A handler panicked. Only its call failed.
    HandlerPanic "handler-panic" fix "The message is the panic's own; fix the handler.";
    /// The process of the node ended again and again while it handled the message, which was given up.
    ProcessEnded "process-ended" fix "Find out what ends the process: a native library, or code of the application. `playhouse dlq show` has the message, `playhouse dlq retry` tries it again.";
    /// The policy of the node does not grant the operation to the actor.
    GrantMissing "grant-missing" fix "Add the grant that the message names to `grants` of the actor in the node's configuration.";
    /// The package asks for more than the node gives its actor, and so could not do its work.
    LimitRefused "limit-refused" fix "Raise the limit that the message names in `limits` or `mailbox` of the actor in the node's configuration, if the package may have so much.";
    /// The actor is being prepared or started and takes no messages yet.
    ActorStarting "actor-starting" fix "Wait until `playhouse ps` shows it running, then try again.";
    /// A chunk came for a stream that its receiver has not registered.
    StreamUnknown "stream-unknown" fix "Let the receiver register the stream before the sender sends.";
    /// The actor has registered as many streams as it may.
    StreamLimit "stream-limit" fix "Unregister streams that have ended.";
    /// The chunk's class is not one that streams may use.
    StreamClass "stream-class" fix "Send chunks as stream-reliable or stream-latency-first.";
    /// A latency-first chunk was dropped because its receiver is behind.
    StreamDropped "stream-dropped" fix "Send slower, or use the reliable class, which makes the sender wait.";
    /// A workload sent something to its shell, but the embedding application has installed no handler.
    ShellMissing "shell-missing" fix "Install one with `NodeBuilder::shell`; the command line's `run` prints what actors tell it.";
    /// A message is larger than the node allows.
    MessageTooLarge "message-too-large" fix "Send it as a stream of chunks, or raise `limits.message_bytes`.";
    /// The node is stopping and takes no new work.
    NodeStopping "node-stopping" fix "Start the node again.";
    /// No actor of the type asked for runs on this node.
    TypeNotFound "type-not-found" fix "`playhouse ps` lists what runs; check the version, which must match exactly.";
    /// The lock file of the package lists no dependency for the type asked for.
    DependencyMissing "dependency-missing" fix "Add the type to the package's dependencies and build it again.";
    /// The id, route, stream or type in a host operation is malformed.
    MalformedOperation "malformed-operation" fix "The message names the rule. Fix the workload.";

    // Engines.

    /// The guest trapped: an unreachable instruction, a bad memory access, a failed assertion. Its instance was replaced.
    GuestTrap "guest-trap" fix "`playhouse logs ACTOR` has the guest's own output. Fix the guest.";
    /// The guest computed longer than one call may.
    GuestCpuLimit "guest-cpu-limit" fix "Look for an endless loop; or raise `limits.cpu_ms`.";
    /// The guest asked for more memory than its limit.
    GuestMemoryLimit "guest-memory-limit" fix "Raise `limits.memory_bytes`, or let the guest use less.";
    /// The guest called itself too deeply.
    GuestStackLimit "guest-stack-limit" fix "Look for endless recursion; or raise `limits.stack_bytes`.";
    /// The guest asked its host for more operations in one call than it may.
    GuestHostCallLimit "guest-host-call-limit" fix "Look for a loop around a host operation; or raise `limits.host_calls`.";
    /// The guest's reply is larger than it may be.
    GuestReplyLimit "guest-reply-limit" fix "Reply with less, or raise `limits.reply_bytes`.";
    /// The guest ended its own process or instance.
    GuestExit "guest-exit" fix "A guest must return from its handler; it may not exit.";
    /// The guest did not answer as its ABI says.
    GuestProtocol "guest-protocol" fix "The message names what was wrong. Rebuild the guest with a current SDK.";
    /// The guest did not return in time and cannot be interrupted. It gets no more messages.
    GuestHung "guest-hung" fix "Native code in this process cannot be killed. Fix the guest and restart the node.";
    /// The guest's start hook failed.
    GuestStart "guest-start" fix "The message is the guest's own.";
    /// The binary is a core module; only components run.
    WasmCoreModule "wasm-core-module" fix "Turn it into a component (`cargo xtask guests` shows how), or build for wasm32-wasip2.";
    /// The component does not validate.
    WasmInvalid "wasm-invalid" fix "The message says where. Rebuild the guest.";
    /// The component exports no world that this host knows.
    WasmWorld "wasm-world" fix "Export `playhouse:actor/actor` or `actr:workload/workload`; the message names what is missing.";
    /// The component imports something that no host offers.
    WasmImport "wasm-import" fix "Remove the import that the message names.";
    /// A type in the component differs from the one in its world.
    WasmShape "wasm-shape" fix "The message names the type. Rebuild the guest against the published WIT.";
    /// A limit on instances, tables or memories was reached when the component was instantiated.
    WasmInstantiate "wasm-instantiate" fix "The message names the limit and its key.";
    /// The policy of the node does not allow native code in its process.
    NativeNotAllowed "native-not-allowed" fix "Set `danger_native_in_process = true` in the node's policy if you trust the code as much as the node itself.";
    /// The library was built for another machine.
    NativeTarget "native-target" fix "Get the package for this machine; the message names both targets.";
    /// The library cannot be loaded or lacks one of the ABI's symbols.
    NativeLoad "native-load" fix "The message is the loader's. Rebuild the library against `playhouse.h`.";
    /// The library's init function failed.
    NativeInit "native-init" fix "The message has the status. `playhouse logs ACTOR` may say more.";
    /// The node was built without the engine that the package needs.
    EngineMissing "engine-missing" fix "Build the node with the feature that the message names.";

    // Packages and trust.

    /// The file cannot be read.
    PackageRead "package-read" fix "The message is the operating system's.";
    /// The file is not an archive, or its structure is damaged.
    PackageArchive "package-archive" fix "Get the package again; if it stays so, its builder is broken.";
    /// The archive breaks a rule about its entries: a duplicate, an unsafe path, a link, encryption, a compression method.
    PackageEntry "package-entry" fix "The message names the entry and the rule. Do not use this package.";
    /// The archive is larger than allowed, or unpacks to more.
    PackageLimit "package-limit" fix "The message names the limit. Raise it only if you trust the publisher.";
    /// The manifest or the signature is missing.
    PackageIncomplete "package-incomplete" fix "Build the package again with `playhouse package build`.";
    /// The signature does not belong to the manifest and the key.
    PackageSignature "package-signature" fix "The package was altered or signed by somebody else. Do not use it.";
    /// The manifest breaks a rule.
    PackageManifest "package-manifest" fix "The message names the key and the rule. Build the package again.";
    /// A file in the archive is not the one that was signed.
    PackageDigest "package-digest" fix "The package was altered. Get it again from its publisher.";
    /// A file that the manifest lists is not in the archive.
    PackageMissingFile "package-missing-file" fix "Get the package again from its publisher.";
    /// The target and the kind of the binary do not go together.
    PackageKind "package-kind" fix "The message names both. Build the package again.";
    /// Nothing in the trust policy speaks for the manufacturer.
    TrustUnknown "trust-unknown" fix "If you trust it: `playhouse trust add MANUFACTURER KEY`.";
    /// The signing key was revoked.
    TrustRevokedKey "trust-revoked-key" fix "Get a package that is signed with a newer key.";
    /// The package was revoked.
    TrustRevokedPackage "trust-revoked-package" fix "Get another version.";
    /// The key's time is over, or has not come.
    TrustExpired "trust-expired" fix "Check this machine's clock; get a package that is signed with a current key.";
    /// The version is older than the lowest that the policy allows, or than one that has been seen.
    TrustRollback "trust-rollback" fix "Get a newer version. If the downgrade is meant, lower `minimum` in the trust file.";
    /// The trust file cannot be used.
    TrustPolicy "trust-policy" fix "The message names the line and the rule.";

    // Keys.

    /// A key file cannot be used.
    KeyFile "key-file" fix "The message says what is wrong with it; `playhouse key new` makes a good one.";
    /// The passphrase does not open the key.
    KeyPassphrase "key-passphrase" fix "Try again; there is no way around a lost passphrase.";

    /// A key record in the store is damaged, or was made for another actor or name.
    KeyRecord "key-record" fix "`playhouse fsck` names the damage; restore the record from a backup. A key that is lost cannot be made again.";
    /// A key record is sealed under a master key that the node does not have.
    KeyMaster "key-master" fix "Start the node with the master key that the message names, or give it both to seal the records again.";
    /// The actor uses keys, and the node has no master key to seal them under.
    KeyMasterMissing "key-master-missing" fix "Give the node a master key: `playhouse run` with a store makes one or takes `--master-key-file FILE`; `NodeBuilder::master_key` where a node is embedded.";
    /// A key was used for something that it is not for.
    KeyKind "key-kind" fix "Use another name: one key serves one kind of use.";
    /// A key has as many versions as are kept.
    KeyVersions "key-versions" fix "Seal again what the oldest versions have sealed, then retire them.";
    /// What was given to an operation with a key is larger than it may be.
    KeyInput "key-input" fix "Sign a hash; seal in pieces; keep contexts short.";
    /// A public key is malformed, unsafe, or not the one that belongs here.
    KeyPublic "key-public" fix "Get the key again from its owner.";
    /// Data does not open: it is not sealed data, was altered, or was sealed with another key or for another context.
    SealedData "sealed-data" fix "Open it with the key and context that it was sealed with, under the same name and by the same actor.";
    /// The source of randomness gave nothing.
    Entropy "entropy" fix "The operating system's source of randomness does not work; no key can be made until it does.";

    // The store.

    /// Another owner holds the lease of the actor.
    ActorOwned "actor-owned" fix "The message names the owner. Stop the actor there, or wait until the lease ends.";
    /// The actor was opened by another owner since; what the former owner wanted to write was refused.
    StaleEpoch "stale-epoch" fix "Nothing: the new owner goes on. If both owners are yours, run the actor on one node.";
    /// A commit of the actor was refused, and so were those that were computed from it.
    CommitOrder "commit-order" fix "Nothing: the messages are handled again.";
    /// A value changed since it was read, or something of that name exists already.
    StateConflict "state-conflict" fix "Read the value again and repeat the change.";
    /// The actor would keep more state, timers, outgoing messages or keys than it may.
    StateQuota "state-quota" fix "The message names the quota. Delete what is not needed, or raise the quota of the actor.";
    /// The message or timer was handled before.
    AlreadyHandled "already-handled" fix "Nothing: its effects are there.";
    /// What was named is not in the store.
    NotStored "not-stored" fix "Check the name; the command's `list` shows what there is.";
    /// A part of a write is larger than it may be, or malformed.
    StoreLimit "store-limit" fix "The message names the part and its limit. Keep less in one piece.";
    /// More writes wait for the disk than may.
    StoreBusy "store-busy" fix "Send slower or retry later; a faster disk takes more.";
    /// The disk has no room but what is reserved for finishing work.
    DiskFull "disk-full" fix "Make room on the disk of the node's store. The node goes on by itself.";
    /// The node's store cannot promise the durability that was asked for.
    DurabilityMissing "durability-missing" fix "Ask for less (`memory`, `fsync`, `quorum`), or give the node a store that has it.";
    /// Something in the store is not what was written.
    StoreCorrupt "store-corrupt" fix "`playhouse fsck` lists the damage. Restore a backup, or drop what is named.";
    /// The disk failed. Nothing is written any more until the node is started again.
    StoreFailed "store-failed" fix "Check the disk (`dmesg`), then start the node again; what was acknowledged is there.";
    /// The server of the node's store cannot be reached or did not do what it was asked. Nothing of it was done.
    StoreUnreachable "store-unreachable" fix "Check the database server and the network. The node goes on by itself; retry later.";
    /// The connection to the store's server broke before it said whether a write happened.
    WriteUnknown "write-unknown" fix "Nothing: the actor is opened again, and its revision says. Check the database server.";
    /// Another process has the store open.
    StoreLocked "store-locked" fix "The message names the process. Stop it, or give this node a store of its own.";
    /// The store was written by a newer version, or is not a store.
    StoreSchema "store-schema" fix "Run the version that wrote it, or a newer one.";
    /// The store does not offer the operation.
    StoreUnsupported "store-unsupported" fix "Use the tools of the database behind it.";

    // The command line.

    /// No node answers at the control socket.
    NodeNotRunning "node-not-running" fix "Start one: `playhouse run PACKAGE`.";
    /// A node runs already at this control socket.
    NodeRunning "node-running" fix "`playhouse stop --all` ends it; or give this one another name with `--node`.";
    /// More than one actor fits the name.
    ActorAmbiguous "actor-ambiguous" fix "Give more of the name; `playhouse ps` lists full ids.";
    /// The JSON does not fit the message type.
    JsonMismatch "json-mismatch" fix "The message names the field. `playhouse package inspect` prints the protos.";
    /// The package has no proto file that describes the route.
    NoProto "no-proto" fix "Send encoded bytes with `--data` or `--file`; or add the proto to the package.";
    /// A configuration file cannot be used.
    Config "config" fix "The message names the line and the rule.";
    /// A word on the command line cannot be used.
    Usage "usage" fix "`playhouse help` shows the commands and examples.";
}

impl Code {
    /// The code with that text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.text() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_are_distinct_and_explained() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::from_text(code.text()), Some(*code));
            assert!(!Code::ALL[..index].iter().any(|other| other.text() == code.text()), "{code} twice");
            assert!(code.explanation().trim().ends_with('.') && code.fix().ends_with('.'), "{code}");
            assert!(code.text().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        }
    }
}
