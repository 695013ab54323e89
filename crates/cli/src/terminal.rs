use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::error::{CliError, Result};

/// Bytes of a typed passphrase. Nobody types more.
const TYPED_BYTES_MAX: usize = 1024;

/// Asks at the terminal and reads a line that is not shown. None if there is no terminal.
pub(crate) fn ask_hidden(question: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let Ok(mut terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else { return Ok(None) };
    terminal.write_all(question.as_bytes())?;
    let quiet = Quiet::new(&terminal)?;
    let line = read_line(&terminal);
    drop(quiet);
    terminal.write_all(b"\n")?;
    line.map(Some)
}

/// Keys go to the program one by one, unseen and without raising signals, until this is dropped. So the terminal is as before
/// whatever key ends the question.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // There is no other terminal on which to complain.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

fn read_line(mut keys: impl Read) -> Result<Zeroizing<Vec<u8>>> {
    const INTERRUPT: u8 = 3;
    const END: u8 = 4;
    const ERASE_LINE: u8 = 21;
    // Reserved at once, so that no copy stays behind when it grows.
    let mut line = Zeroizing::new(Vec::with_capacity(TYPED_BYTES_MAX));
    let mut key = [0];
    loop {
        if keys.read(&mut key)? == 0 {
            return Ok(line);
        }
        match key[0] {
            b'\n' | b'\r' => return Ok(line),
            END if line.is_empty() => return Err(CliError::Interrupted),
            INTERRUPT => return Err(CliError::Interrupted),
            ERASE_LINE => line.clear(),
            8 | 127 => erase_character(&mut line),
            byte if line.len() < TYPED_BYTES_MAX => line.push(byte),
            _ => {}
        }
    }
}

/// Takes off the last character, which may have several bytes of UTF-8.
fn erase_character(line: &mut Vec<u8>) {
    while line.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
}

#[cfg(test)]
mod tests {
    use super::read_line;
    use crate::error::{CliError, Exit};

    #[test]
    fn lines_are_edited_and_interrupted() {
        for (typed, expected) in [
            (&b"secret\nmore"[..], Some("secret")),
            (b"sec\x7f\x08cret\r", Some("scret")),
            ("a\u{e9}\u{20ac}\u{7f}\u{7f}b\n".as_bytes(), Some("ab")),
            (b"wrong\x15right\n", Some("right")),
            (b"\x7f\n", Some("")),
            (b"secret\x03", None),
            (b"\x04", None),
        ] {
            match (read_line(typed), expected) {
                (Ok(line), Some(expected)) => assert_eq!(&**line, expected.as_bytes()),
                (Err(error), None) => assert_eq!(CliError::exit(&error), Exit::Interrupted),
                (seen, _) => panic!("{typed:?}: {seen:?}"),
            }
        }
        assert_eq!(read_line(&[b'x'; 5000][..]).unwrap().len(), super::TYPED_BYTES_MAX);
    }
}
