//! Reads what is written down about types: in a component, and in the types of instances and components.

use wasmparser::{
    BinaryReader, ComponentAlias, ComponentExternName, ComponentExternalKind, ComponentOuterAliasKind, ComponentType,
    ComponentTypeRef, CoreType, TypeBounds,
};

use super::graph::{Graph, Node, Shape};
use super::{ASYNC_FUNC, NESTING_MAX, RewriteError};

const FUNC: u8 = 0x40;
const COMPONENT: u8 = 0x41;
const INSTANCE: u8 = 0x42;

/// The index spaces of one component or of one type with a body.
#[derive(Debug)]
pub(super) struct Scope {
    types: Vec<Node>,
    funcs: Vec<Node>,
    instances: Vec<Node>,
    components: Vec<Node>,
    pub(super) shape: Shape,
}

impl Scope {
    /// The space of a sort; none for values and core modules, which have no function types of ours.
    fn space(&mut self, kind: ComponentExternalKind) -> Option<&mut Vec<Node>> {
        match kind {
            ComponentExternalKind::Type => Some(&mut self.types),
            ComponentExternalKind::Func => Some(&mut self.funcs),
            ComponentExternalKind::Instance => Some(&mut self.instances),
            ComponentExternalKind::Component => Some(&mut self.components),
            ComponentExternalKind::Module | ComponentExternalKind::Value => None,
        }
    }
}

/// The scopes around the place that is being read, the innermost last, and the graph of what was found.
#[derive(Debug)]
pub(super) struct Scopes<'g, 'a> {
    pub(super) graph: &'g mut Graph<'a>,
    stack: Vec<Scope>,
}

impl<'g, 'a> Scopes<'g, 'a> {
    pub(super) const fn new(graph: &'g mut Graph<'a>) -> Self {
        Self { graph, stack: Vec::new() }
    }

    pub(super) fn enter(&mut self, offset: usize) -> Result<(), RewriteError> {
        if self.stack.len() == NESTING_MAX {
            return Err(RewriteError::TooComplex { offset, what: "the nesting of scopes", limit: NESTING_MAX });
        }
        let shape = self.graph.add_shape();
        let [types, funcs, instances, components] = [const { Vec::new() }; 4];
        self.stack.push(Scope { types, funcs, instances, components, shape });
        Ok(())
    }

    pub(super) fn leave(&mut self) -> Option<Node> {
        self.stack.pop().map(|scope| Node::Shape(scope.shape))
    }

    pub(super) const fn depth(&self) -> usize {
        self.stack.len()
    }

    pub(super) fn top(&mut self, offset: usize) -> Result<&mut Scope, RewriteError> {
        self.stack.last_mut().ok_or_else(|| malformed(offset, "something outside of a component"))
    }

    pub(super) fn lookup(
        &mut self,
        kind: ComponentExternalKind,
        index: u32,
        offset: usize,
    ) -> Result<Node, RewriteError> {
        match self.top(offset)?.space(kind) {
            Some(space) => at(space, index, offset),
            None => Ok(Node::Plain),
        }
    }

    pub(super) fn define(&mut self, kind: ComponentExternalKind, node: Node, at: usize) -> Result<(), RewriteError> {
        if let Some(space) = self.top(at)?.space(kind) {
            space.push(node);
        }
        Ok(())
    }

    /// What something is whose type is given.
    pub(super) fn typed(&mut self, ty: ComponentTypeRef, offset: usize) -> Result<Node, RewriteError> {
        match ty {
            ComponentTypeRef::Func(index)
            | ComponentTypeRef::Instance(index)
            | ComponentTypeRef::Component(index)
            | ComponentTypeRef::Type(TypeBounds::Eq(index)) => self.lookup(ComponentExternalKind::Type, index, offset),
            ComponentTypeRef::Type(TypeBounds::SubResource)
            | ComponentTypeRef::Module(_)
            | ComponentTypeRef::Value(_) => Ok(Node::Plain),
        }
    }

    pub(super) fn import(
        &mut self,
        name: ComponentExternName<'a>,
        ty: ComponentTypeRef,
        at: usize,
    ) -> Result<Node, RewriteError> {
        let node = self.typed(ty, at)?;
        self.define(ty.kind(), node, at)?;
        let shape = self.top(at)?.shape;
        self.graph.add_import(shape, name.name, node);
        Ok(node)
    }

    /// An alias: the thing itself under a further index.
    pub(super) fn alias(&mut self, alias: &ComponentAlias<'_>, offset: usize) -> Result<(), RewriteError> {
        match *alias {
            ComponentAlias::InstanceExport { kind, instance_index, name } => {
                let node = match self.lookup(ComponentExternalKind::Instance, instance_index, offset)? {
                    Node::Shape(shape) => self.graph.export(shape, name),
                    Node::Func(_) | Node::Plain => Node::Plain,
                };
                self.define(kind, node, offset)
            }
            ComponentAlias::Outer { kind, count, index } => {
                let kind = match kind {
                    ComponentOuterAliasKind::Type => ComponentExternalKind::Type,
                    ComponentOuterAliasKind::Component => ComponentExternalKind::Component,
                    ComponentOuterAliasKind::CoreModule | ComponentOuterAliasKind::CoreType => return Ok(()),
                };
                let from = usize::try_from(count).ok().and_then(|count| self.stack.len().checked_sub(count + 1));
                let scope = from.and_then(|depth| self.stack.get_mut(depth));
                let space = scope.and_then(|scope| scope.space(kind));
                let node = at(
                    space.ok_or_else(|| malformed(offset, "an alias of a scope that is not there"))?,
                    index,
                    offset,
                )?;
                self.define(kind, node, offset)
            }
            ComponentAlias::CoreInstanceExport { .. } => Ok(()),
        }
    }

    /// Reads one type definition and gives it the next index.
    pub(super) fn define_type(&mut self, reader: &mut BinaryReader<'a>) -> Result<(), RewriteError> {
        let offset = reader.original_position();
        let node = self.read_type(reader)?;
        self.define(ComponentExternalKind::Type, node, offset)
    }

    fn read_type(&mut self, reader: &mut BinaryReader<'a>) -> Result<Node, RewriteError> {
        let offset = reader.original_position();
        match reader.clone().read_u8()? {
            opcode @ (FUNC | ASYNC_FUNC) => {
                reader.read::<ComponentType<'_>>()?;
                Ok(self.graph.add_type(offset, opcode == ASYNC_FUNC))
            }
            COMPONENT | INSTANCE => {
                reader.read_u8()?;
                self.enter(offset)?;
                for _ in 0..reader.read_var_u32()? {
                    self.read_declaration(reader)?;
                }
                Ok(self.leave().unwrap_or(Node::Plain))
            }
            _ => {
                reader.read::<ComponentType<'_>>()?;
                Ok(Node::Plain)
            }
        }
    }

    fn read_declaration(&mut self, reader: &mut BinaryReader<'a>) -> Result<(), RewriteError> {
        let offset = reader.original_position();
        match reader.read_u8()? {
            0x00 => {
                reader.read::<CoreType<'_>>()?;
                Ok(())
            }
            0x01 => self.define_type(reader),
            0x02 => {
                let alias = reader.read()?;
                self.alias(&alias, offset)
            }
            0x03 => {
                let (name, ty) = (reader.read()?, reader.read()?);
                self.import(name, ty, offset).map(drop)
            }
            0x04 => {
                let (name, ty): (ComponentExternName<'a>, ComponentTypeRef) = (reader.read()?, reader.read()?);
                let node = self.typed(ty, offset)?;
                self.define(ty.kind(), node, offset)?;
                let shape = self.top(offset)?.shape;
                self.graph.add_export(shape, name.name, node);
                Ok(())
            }
            _ => Err(malformed(offset, "a declaration of an unknown kind")),
        }
    }
}

fn at(space: &[Node], index: u32, offset: usize) -> Result<Node, RewriteError> {
    let node = usize::try_from(index).ok().and_then(|index| space.get(index));
    node.copied().ok_or_else(|| malformed(offset, "an index of something that is not there"))
}

pub(super) fn malformed(offset: usize, rule: &str) -> RewriteError {
    RewriteError::Malformed { offset, rule: rule.to_owned() }
}
