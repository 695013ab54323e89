//! Sizes and words of one file, from its syntax tree.

use anyhow::Result;
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// What one file was found to hold, its test modules left out.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// Lines outside test modules.
    pub(super) lines: usize,
    pub(super) functions: Vec<Function>,
    pub(super) structs: Vec<Struct>,
    /// Calls of a log macro.
    pub(super) logs: usize,
    /// Lines with the word `unsafe` in code.
    pub(super) unsafe_lines: Vec<usize>,
    /// Lines that sleep.
    pub(super) sleeps: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) lines: usize,
    /// Without `self`.
    pub(super) parameters: usize,
}

#[derive(Debug)]
pub(super) struct Struct {
    pub(super) name: String,
    pub(super) fields: usize,
}

const LOG_MACROS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "event"];

pub(super) fn measure(text: &str) -> Result<Measured> {
    let file = syn::parse_file(text)?;
    let mut visitor = Visitor { measured: Measured::default(), test_lines: 0, scope: Vec::new() };
    visitor.visit_file(&file);
    let mut measured = visitor.measured;
    measured.lines = text.lines().count().saturating_sub(visitor.test_lines);
    let tokens: TokenStream = text.parse().map_err(|error| anyhow::anyhow!("{error}"))?;
    scan(tokens, &mut measured);
    Ok(measured)
}

struct Visitor {
    measured: Measured,
    test_lines: usize,
    /// The types and traits around the item.
    scope: Vec<String>,
}

impl Visitor {
    fn function(&mut self, signature: &syn::Signature, body: Option<&syn::Block>) {
        let mut name = self.scope.join("::");
        if !name.is_empty() {
            name.push_str("::");
        }
        name.push_str(&signature.ident.to_string());
        let parameters = signature.inputs.iter().filter(|input| matches!(input, syn::FnArg::Typed(_))).count();
        let lines = body.map_or(1, |body| lines(signature.fn_token.span, body.brace_token.span.close()));
        self.measured.functions.push(Function { name, lines, parameters });
    }

    fn within(&mut self, scope: String, visit: impl FnOnce(&mut Self)) {
        self.scope.push(scope);
        visit(self);
        self.scope.pop();
    }
}

fn lines(first: Span, last: Span) -> usize {
    last.end().line - first.start().line + 1
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => {
            list.path.is_ident("cfg")
                && list.tokens.to_string().split(|c: char| !c.is_alphanumeric()).any(|w| w == "test")
        }
        syn::Meta::Path(path) => path.segments.last().is_some_and(|segment| segment.ident == "test"),
        syn::Meta::NameValue(_) => false,
    })
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if let (Some((brace, _)), Some(first), true) = (&item.content, item.attrs.first(), is_test(&item.attrs)) {
            self.test_lines += lines(first.pound_token.span, brace.span.close());
            return;
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if is_test(&item.attrs) {
            return;
        }
        self.function(&item.sig, Some(&item.block));
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if is_test(&item.attrs) {
            return;
        }
        self.function(&item.sig, Some(&item.block));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(&item.sig, item.default.as_ref());
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let scope = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        self.within(scope.unwrap_or_default(), |visitor| visit::visit_item_impl(visitor, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.within(item.ident.to_string(), |visitor| visit::visit_item_trait(visitor, item));
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if !is_test(&item.attrs) {
            self.measured.structs.push(Struct { name: item.ident.to_string(), fields: item.fields.len() });
        }
    }
}

/// What is counted word by word, because it may stand in a macro.
fn scan(tokens: TokenStream, measured: &mut Measured) {
    let mut before = [String::new(), String::new()];
    for token in tokens {
        let line = token.span().start().line;
        let text = match token {
            TokenTree::Group(group) => {
                scan(group.stream(), measured);
                String::new()
            }
            TokenTree::Ident(ident) => ident.to_string(),
            TokenTree::Punct(punct) => punct.as_char().to_string(),
            TokenTree::Literal(_) => String::new(),
        };
        match text.as_str() {
            "unsafe" => measured.unsafe_lines.push(line),
            "sleep" | "sleep_until" if before[1] == ":" => measured.sleeps.push(line),
            "!" if LOG_MACROS.contains(&before[1].as_str()) => measured.logs += 1,
            _ => {}
        }
        before = [std::mem::take(&mut before[1]), text];
    }
}

#[cfg(test)]
mod tests;
