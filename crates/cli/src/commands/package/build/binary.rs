use std::path::Path;

use playhouse_package::BinaryKind;
use playhouse_types::{Code, ErrorKind};

use crate::error::{CliError, Result};

/// What wasm binaries are for if nobody says: nothing but the imports of their world.
const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The form of a program and the target that it is for: what the user says, checked against what the binary shows.
pub(super) fn describe(
    path: &Path,
    bytes: &[u8],
    kind: Option<&str>,
    target: Option<&str>,
) -> Result<(BinaryKind, String)> {
    let seen = look(bytes);
    if let Some((BinaryKind::CoreModule, _)) = seen {
        let message = format!("{} is a core module, expected a component", path.display());
        return Err(CliError::new(Code::WasmCoreModule, ErrorKind::InvalidArgument, message));
    }
    let kind = match kind {
        Some(word) => BinaryKind::from_name(word).ok_or_else(|| unknown_kind(word))?,
        None => seen.as_ref().map(|(kind, _)| *kind).ok_or_else(|| unknown_binary(path))?,
    };
    if let Some((found, _)) = seen.as_ref().filter(|(found, _)| *found != kind) {
        let message = format!("{} is a {found}, not a {kind}", path.display());
        return Err(CliError::usage(message).fix("Leave `--kind` out: the binary shows what it is."));
    }
    let target = target.map(str::to_owned).or(seen.and_then(|(_, target)| target));
    let target = target.ok_or_else(|| {
        CliError::usage(format!("{} does not show its target", path.display())).fix("Say `--target TRIPLE`.")
    })?;
    Ok((kind, target))
}

/// What the first bytes of a binary say.
fn look(bytes: &[u8]) -> Option<(BinaryKind, Option<String>)> {
    const ELF_SHARED_OBJECT: u8 = 3;
    match bytes {
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Some((BinaryKind::CoreModule, Some(WASM_TARGET.to_owned()))),
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Some((BinaryKind::Component, Some(WASM_TARGET.to_owned()))),
        [0x7f, b'E', b'L', b'F', rest @ ..] if rest.get(12) == Some(&ELF_SHARED_OBJECT) => {
            let machine = u16::from_le_bytes([*rest.get(14)?, *rest.get(15)?]);
            Some((BinaryKind::NativeCdylib, architecture(machine).map(|arch| format!("{arch}-unknown-linux-gnu"))))
        }
        [0xcf, 0xfa, 0xed, 0xfe, ..] => Some((BinaryKind::NativeCdylib, None)),
        _ => None,
    }
}

/// The architecture with that number in an ELF header.
const fn architecture(machine: u16) -> Option<&'static str> {
    match machine {
        62 => Some("x86_64"),
        183 => Some("aarch64"),
        243 => Some("riscv64gc"),
        _ => None,
    }
}

fn unknown_kind(word: &str) -> CliError {
    CliError::usage(format!("{word:?} is no form of a program; it is component or native-cdylib"))
}

fn unknown_binary(path: &Path) -> CliError {
    let message = format!("{} is neither a wasm component nor a shared library", path.display());
    CliError::usage(message).fix("Say `--kind` and `--target` if it is.")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::{Expect, expect};

    use super::describe;

    fn check(bytes: &[u8], kind: Option<&str>, target: Option<&str>, expected: Expect) {
        expected.assert_eq(&match describe(Path::new("guest"), bytes, kind, target) {
            Ok((kind, target)) => format!("{kind} {target}"),
            Err(error) => error.document().unwrap().error.message.to_owned(),
        });
    }

    #[test]
    fn binaries_show_what_they_are() {
        let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0".to_vec();
        check(b"\0asm\x0d\0\x01\0", None, None, expect!["component wasm32-unknown-unknown"]);
        check(b"\0asm\x0d\0\x01\0", None, Some("wasm32-wasip2"), expect!["component wasm32-wasip2"]);
        check(b"\0asm\x01\0\0\0", None, None, expect!["guest is a core module, expected a component"]);
        check(b"\0asm\x01\0\0\0", Some("component"), None, expect!["guest is a core module, expected a component"]);
        check(&elf, None, None, expect!["native-cdylib x86_64-unknown-linux-gnu"]);
        check(&elf, Some("component"), None, expect!["guest is a native-cdylib, not a component"]);
        elf[16] = 2;
        check(&elf, None, None, expect!["guest is neither a wasm component nor a shared library"]);
        check(
            &elf,
            Some("native-cdylib"),
            Some("x86_64-unknown-linux-musl"),
            expect!["native-cdylib x86_64-unknown-linux-musl"],
        );
        check(b"", None, None, expect!["guest is neither a wasm component nor a shared library"]);
        check(
            b"x",
            Some("thing"),
            None,
            expect![[r#""thing" is no form of a program; it is component or native-cdylib"#]],
        );
        check(b"x", Some("native-cdylib"), None, expect!["guest does not show its target"]);
    }
}
