//! The function types of a component and which of them must agree.

use std::collections::{BTreeMap, HashSet};

use super::{RewriteError, STEPS_MAX};

/// A function type that is written down in the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Site(usize);

/// What an instance, a component or the type of one offers and wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shape(usize);

/// Anything that has an index, or its type: the same here, since a thing is known only by its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Func(Site),
    Shape(Shape),
    /// Anything without a function type in it.
    Plain,
}

#[derive(Debug)]
struct Type<'a> {
    opcode_at: usize,
    is_async: bool,
    /// Another of the group, or itself.
    parent: usize,
    /// A function of this type is lifted or lowered with the option `async`: it is invalid as synchronous.
    needed: bool,
    /// A function of this type belongs to the actr world.
    wanted: bool,
    /// The import that has this type from a host that offers it as it is.
    kept_by: Option<&'a str>,
}

#[derive(Debug, Default)]
struct Names<'a> {
    imports: BTreeMap<&'a str, Node>,
    exports: BTreeMap<&'a str, Node>,
}

/// All types and shapes. Arenas, so that a long chain of shapes neither recurses nor overflows when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Graph<'a> {
    types: Vec<Type<'a>>,
    shapes: Vec<Names<'a>>,
    steps: usize,
}

impl<'a> Graph<'a> {
    pub(super) fn add_type(&mut self, opcode_at: usize, is_async: bool) -> Node {
        let parent = self.types.len();
        self.types.push(Type { opcode_at, is_async, parent, needed: false, wanted: false, kept_by: None });
        Node::Func(Site(parent))
    }

    pub(super) fn add_shape(&mut self) -> Shape {
        self.shapes.push(Names::default());
        Shape(self.shapes.len() - 1)
    }

    pub(super) fn add_import(&mut self, shape: Shape, name: &'a str, node: Node) {
        self.shapes[shape.0].imports.insert(name, node);
    }

    pub(super) fn add_export(&mut self, shape: Shape, name: &'a str, node: Node) {
        self.shapes[shape.0].exports.insert(name, node);
    }

    pub(super) fn import(&self, shape: Shape, name: &str) -> Node {
        self.shapes[shape.0].imports.get(name).copied().unwrap_or(Node::Plain)
    }

    pub(super) fn export(&self, shape: Shape, name: &str) -> Node {
        self.shapes[shape.0].exports.get(name).copied().unwrap_or(Node::Plain)
    }

    /// A function of that type is lifted or lowered with the option `async`.
    pub(super) fn need(&mut self, node: Node) {
        if let Node::Func(site) = node {
            self.types[site.0].needed = true;
        }
    }

    /// The functions that an instance of the actr world has are to be async.
    pub(super) fn want(&mut self, node: Node) {
        let Node::Shape(shape) = node else { return };
        for node in self.shapes[shape.0].exports.values() {
            if let Node::Func(site) = node {
                self.types[site.0].wanted = true;
            }
        }
    }

    /// All function types in `node` stay as they are, for they are the host's.
    pub(super) fn keep(&mut self, node: Node, import: &'a str, at: usize) -> Result<(), RewriteError> {
        let (mut pending, mut seen) = (vec![node], HashSet::new());
        while let Some(node) = pending.pop() {
            match node {
                Node::Func(site) => self.types[site.0].kept_by = Some(import),
                Node::Shape(shape) if seen.insert(shape) => {
                    self.step(shape, at)?;
                    let names = &self.shapes[shape.0];
                    pending.extend(names.imports.values().chain(names.exports.values()));
                }
                Node::Shape(_) | Node::Plain => {}
            }
        }
        Ok(())
    }

    /// Something of type `a` is used where `b` is asked for: their function types must agree.
    pub(super) fn join(&mut self, a: Node, b: Node, at: usize) -> Result<(), RewriteError> {
        let (mut pending, mut seen) = (vec![(a, b)], HashSet::new());
        while let Some(pair) = pending.pop() {
            match pair {
                (Node::Func(a), Node::Func(b)) => self.join_types(a, b),
                (Node::Shape(a), Node::Shape(b)) if a != b && seen.insert(pair) => {
                    self.step(a, at)?;
                    let (a, b) = (&self.shapes[a.0], &self.shapes[b.0]);
                    pending.extend(common(&a.exports, &b.exports).chain(common(&a.imports, &b.imports)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Charges for going through a shape's names once.
    fn step(&mut self, shape: Shape, offset: usize) -> Result<(), RewriteError> {
        let names = &self.shapes[shape.0];
        self.steps = self.steps.saturating_add(1 + names.imports.len() + names.exports.len());
        if self.steps > STEPS_MAX {
            return Err(RewriteError::TooComplex { offset, what: "comparing types", limit: STEPS_MAX });
        }
        Ok(())
    }

    fn join_types(&mut self, a: Site, b: Site) {
        let (a, b) = (self.root(a.0), self.root(b.0));
        self.types[a].parent = b;
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.types[at].parent != at {
            let parent = self.types[at].parent;
            self.types[at].parent = self.types[parent].parent;
            at = parent;
        }
        at
    }

    /// Offsets of the opcodes to change. Empty if no function needs it.
    pub(super) fn changes(&mut self) -> Result<Vec<usize>, RewriteError> {
        if !self.types.iter().any(|ty| ty.needed && !ty.is_async) {
            return Ok(Vec::new());
        }
        for index in 0..self.types.len() {
            if self.types[index].needed || self.types[index].wanted {
                let root = self.root(index);
                self.types[root].wanted = true;
            }
        }
        let mut changes = Vec::new();
        for index in 0..self.types.len() {
            let root = self.root(index);
            let ty = &self.types[index];
            if ty.is_async || !self.types[root].wanted {
                continue;
            }
            if let Some(import) = ty.kept_by {
                return Err(RewriteError::SharedType { offset: ty.opcode_at, import: import.to_owned() });
            }
            changes.push(ty.opcode_at);
        }
        Ok(changes)
    }
}

fn common<'m>(
    a: &'m BTreeMap<&str, Node>,
    b: &'m BTreeMap<&str, Node>,
) -> impl Iterator<Item = (Node, Node)> + use<'m> {
    a.iter().filter_map(|(name, &left)| b.get(name).map(|&right| (left, right)))
}
