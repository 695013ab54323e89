use wasmparser::{CanonicalFunction, CanonicalOption, Chunk, Encoding, Parser, Payload};

use super::refusal::Refusal;

/// What a component shows from outside, read without compiling it. It decides how the component is prepared; whether
/// it keeps what it promises is checked later, by its types.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    /// The names of what it imports.
    pub(super) imports: Vec<String>,
    /// The names of what it exports.
    pub(super) exports: Vec<String>,
    /// Whether it lifts or lowers any function asynchronously.
    pub(super) asynchronous: bool,
}

/// Depth of components within components. Toolchains nest two deep.
const DEPTH_MAX: usize = 16;

impl Outline {
    pub(super) fn read(binary: &[u8]) -> Result<Self, Refusal> {
        if !binary.starts_with(b"\0asm") {
            return Err(Refusal::invalid(&"it does not begin as WebAssembly does"));
        }
        let mut outline = Self::default();
        let mut outer: Vec<Parser> = Vec::new();
        let mut parser = Parser::new(0);
        let mut rest = binary;
        loop {
            let (consumed, payload) = match parser.parse(rest, true).map_err(|e| Refusal::invalid(&e))? {
                Chunk::Parsed { consumed, payload } => (consumed, payload),
                Chunk::NeedMoreData(_) => return Err(Refusal::invalid(&"it ends in the middle")),
            };
            rest = rest.get(consumed..).unwrap_or_default();
            match payload {
                Payload::Version { encoding: Encoding::Module, .. } => return Err(Refusal::CoreModule),
                Payload::ModuleSection { unchecked_range, .. } => {
                    rest = rest.get(unchecked_range.len()..).ok_or_else(|| Refusal::invalid(&"a module is cut off"))?;
                }
                Payload::ComponentSection { parser: inner, .. } => {
                    if outer.len() == DEPTH_MAX {
                        return Err(Refusal::invalid(&"components are nested too deeply"));
                    }
                    outer.push(std::mem::replace(&mut parser, inner));
                }
                Payload::End(_) => match outer.pop() {
                    Some(parent) => parser = parent,
                    None => return Ok(outline),
                },
                payload => outline.take(&payload, outer.is_empty()).map_err(|e| Refusal::invalid(&e))?,
            }
        }
    }

    fn take(&mut self, payload: &Payload<'_>, outermost: bool) -> wasmparser::Result<()> {
        match payload {
            Payload::ComponentImportSection(section) if outermost => {
                for import in section.clone() {
                    self.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if outermost => {
                for export in section.clone() {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    self.asynchronous |= is_asynchronous(&function?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether an instance of that name is exported.
    pub(super) fn exports(&self, name: &str) -> bool {
        self.exports.iter().any(|export| export == name)
    }
}

fn is_asynchronous(function: &CanonicalFunction) -> bool {
    match function {
        CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. } => {
            options.contains(&CanonicalOption::Async)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
