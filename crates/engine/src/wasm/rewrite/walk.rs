//! Goes through a component's sections in order and tells the graph how its functions flow.

use std::ops::Range;

use wasmparser::{
    BinaryReader, CanonicalFunction, CanonicalOption, ComponentExport, ComponentExternalKind, ComponentImport,
    ComponentInstance, FromReader, Parser, Payload, SectionLimited,
};

use super::graph::{Graph, Node};
use super::types::{Scopes, malformed};
use super::{HOST, RewriteError, WORKLOAD};

/// What the end of the innermost part ends.
enum Part {
    Component,
    Module,
}

/// Fills `graph` from the sections of `component` and of the components in it.
pub(super) fn walk<'a>(component: &'a [u8], graph: &mut Graph<'a>) -> Result<(), RewriteError> {
    let mut scopes = Scopes::new(graph);
    scopes.enter(0)?;
    let mut parts = vec![Part::Component];
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ComponentSection { unchecked_range, .. } => {
                scopes.enter(unchecked_range.start)?;
                parts.push(Part::Component);
            }
            Payload::ModuleSection { .. } => parts.push(Part::Module),
            Payload::End(offset) => {
                if let Some(Part::Component) = parts.pop()
                    && let Some(inner) = scopes.leave()
                    && scopes.depth() > 0
                {
                    scopes.define(ComponentExternalKind::Component, inner, offset)?;
                }
            }
            Payload::ComponentTypeSection(section) => type_section(&mut scopes, component, section.range())?,
            Payload::ComponentImportSection(section) => each(section, |at, item| import(&mut scopes, at, item))?,
            Payload::ComponentAliasSection(section) => each(section, |at, item| scopes.alias(&item, at))?,
            Payload::ComponentCanonicalSection(section) => each(section, |at, item| canonical(&mut scopes, at, &item))?,
            Payload::ComponentInstanceSection(section) => each(section, |at, item| instance(&mut scopes, at, item))?,
            Payload::ComponentExportSection(section) => each(section, |at, item| export(&mut scopes, at, item))?,
            _ => {}
        }
    }
    Ok(())
}

fn each<'a, T: FromReader<'a>>(
    section: SectionLimited<'a, T>,
    mut take: impl FnMut(usize, T) -> Result<(), RewriteError>,
) -> Result<(), RewriteError> {
    for item in section.into_iter_with_offsets() {
        let (at, item) = item?;
        take(at, item)?;
    }
    Ok(())
}

/// Types are read here and not by wasmparser's iterator, which does not tell where a type inside a type begins.
fn type_section<'a>(scopes: &mut Scopes<'_, 'a>, component: &'a [u8], range: Range<usize>) -> Result<(), RewriteError> {
    let start = range.start;
    let section = component.get(range).ok_or_else(|| malformed(start, "a section that goes on after the end"))?;
    let mut reader = BinaryReader::new(section, start);
    for _ in 0..reader.read_var_u32()? {
        scopes.define_type(&mut reader)?;
    }
    Ok(())
}

fn import<'a>(scopes: &mut Scopes<'_, 'a>, at: usize, import: ComponentImport<'a>) -> Result<(), RewriteError> {
    let node = scopes.import(import.name, import.ty, at)?;
    if scopes.depth() > 1 {
        return Ok(());
    }
    if import.name.name == HOST {
        scopes.graph.want(node);
        return Ok(());
    }
    scopes.graph.keep(node, import.name.name, at)
}

fn canonical(scopes: &mut Scopes<'_, '_>, at: usize, function: &CanonicalFunction) -> Result<(), RewriteError> {
    match function {
        CanonicalFunction::Lift { type_index, options, .. } => {
            let node = scopes.lookup(ComponentExternalKind::Type, *type_index, at)?;
            need_if_async(scopes, node, options);
            scopes.define(ComponentExternalKind::Func, node, at)
        }
        CanonicalFunction::Lower { func_index, options } => {
            let node = scopes.lookup(ComponentExternalKind::Func, *func_index, at)?;
            need_if_async(scopes, node, options);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn need_if_async(scopes: &mut Scopes<'_, '_>, node: Node, options: &[CanonicalOption]) {
    if options.contains(&CanonicalOption::Async) {
        scopes.graph.need(node);
    }
}

fn instance<'a>(scopes: &mut Scopes<'_, 'a>, at: usize, instance: ComponentInstance<'a>) -> Result<(), RewriteError> {
    let node = match instance {
        ComponentInstance::Instantiate { component_index, args } => {
            let component = scopes.lookup(ComponentExternalKind::Component, component_index, at)?;
            for arg in &args {
                let given = scopes.lookup(arg.kind, arg.index, at)?;
                if let Node::Shape(shape) = component {
                    let wanted = scopes.graph.import(shape, arg.name);
                    scopes.graph.join(given, wanted, at)?;
                }
            }
            // An instance offers what its component does; that the shape also has imports does no harm.
            component
        }
        ComponentInstance::FromExports(exports) => {
            let shape = scopes.graph.add_shape();
            for export in &exports {
                let node = scopes.lookup(export.kind, export.index, at)?;
                scopes.graph.add_export(shape, export.name.name, node);
            }
            Node::Shape(shape)
        }
    };
    scopes.define(ComponentExternalKind::Instance, node, at)
}

fn export<'a>(scopes: &mut Scopes<'_, 'a>, at: usize, export: ComponentExport<'a>) -> Result<(), RewriteError> {
    let given = scopes.lookup(export.kind, export.index, at)?;
    let node = match export.ty {
        Some(ty) => {
            let ascribed = scopes.typed(ty, at)?;
            scopes.graph.join(given, ascribed, at)?;
            ascribed
        }
        None => given,
    };
    scopes.define(export.kind, node, at)?;
    let shape = scopes.top(at)?.shape;
    scopes.graph.add_export(shape, export.name.name, node);
    if scopes.depth() == 1 && export.name.name == WORKLOAD {
        scopes.graph.want(node);
    }
    Ok(())
}
