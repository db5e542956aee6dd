//! Finds every mutant of a file.
//!
//! The source is parsed, never printed: a mutant is a range of bytes and the text that takes its place, so that all
//! else stays as it was written. Whether the text has the right type is for the compiler to say.

mod expression;
mod names;

pub use names::Fields;

use crate::mutant::{Form, Kind, Mutant};
use crate::room::Room;
use names::Names;
use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Stmt};

/// All mutants of a file of that room, in the order in which they stand. Fails if it is not Rust.
pub fn mutants(room: Room, file: &Path, text: &str, fields: &Fields) -> Result<Vec<Mutant>, String> {
    let parsed = syn::parse_file(text).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut finder = Finder {
        room,
        file,
        text,
        fields,
        names: Names::default(),
        owner: String::new(),
        function: String::new(),
        places: HashSet::new(),
        mutants: Vec::new(),
    };
    finder.visit_file(&parsed);
    Ok(finder.mutants)
}

/// Walks over a file. Only what is inside of a function is mutated, and nothing that the compiler evaluates.
struct Finder<'a> {
    room: Room,
    file: &'a Path,
    text: &'a str,
    fields: &'a Fields,
    /// The variables of the function that is walked over.
    names: Names,
    /// The type whose functions are walked over.
    owner: String,
    /// The function that is walked over; empty outside of all.
    function: String,
    /// Where expressions begin and end that are written to, borrowed or taken apart: a choice between two would be a copy.
    places: HashSet<Range<usize>>,
    mutants: Vec<Mutant>,
}

impl<'a> Finder<'a> {
    /// The text of something that was parsed.
    fn text_of(&self, node: &impl Spanned) -> &'a str {
        &self.text[node.span().byte_range()]
    }

    fn add(&mut self, kind: Kind, form: Form, node: &impl Spanned, replacement: String) {
        let original = self.text_of(node);
        if !self.function.is_empty() && replacement != original {
            self.add_at(kind, form, node, node.span().byte_range(), original, replacement);
        }
    }

    /// A mutant of other bytes than those of the node whose line it is told by.
    fn add_at(
        &mut self,
        kind: Kind,
        form: Form,
        node: &impl Spanned,
        range: Range<usize>,
        original: &str,
        replacement: String,
    ) {
        self.mutants.push(Mutant {
            room: self.room,
            file: self.file.to_path_buf(),
            line: node.span().start().line,
            function: self.function.clone(),
            kind,
            range,
            original: original.to_string(),
            replacement,
            form,
        });
    }

    /// Whether a fault that is planted by name is asked for.
    fn is_planted(&self, condition: &Expr) -> bool {
        self.text_of(condition).contains("fault!(")
    }

    /// Another value for an expression.
    fn instead(&mut self, kind: Kind, node: &impl Spanned, replacement: String) {
        self.add(kind, Form::Expression, node, replacement);
    }

    /// Remembers that an expression stands for a place, if the one around it treats it as one.
    fn places_of(&mut self, around: &Expr) {
        let place = match around {
            Expr::Reference(around) => &around.expr,
            Expr::RawAddr(around) => &around.expr,
            Expr::MethodCall(around) => &around.receiver,
            Expr::Field(around) => &around.base,
            Expr::Index(around) => &around.expr,
            Expr::Assign(around) => &around.left,
            Expr::Binary(around) if expression::is_assignment(&around.op) => &around.left,
            Expr::Unary(around) if matches!(around.op, syn::UnOp::Deref(_)) => &around.expr,
            Expr::Match(around) => &around.expr,
            Expr::Let(around) => &around.expr,
            Expr::Paren(around) if self.places.contains(&around.span().byte_range()) => &around.expr,
            _ => return,
        };
        self.places.insert(place.span().byte_range());
    }

    /// Walks over a function, unless the compiler evaluates it or nothing but people reads what it says.
    fn function(&mut self, signature: &syn::Signature, attributes: &[Attribute], body: &'a syn::Block)
    where
        Self: Visit<'a>,
    {
        let name = signature.ident.to_string();
        let is_left_out = signature.constness.is_some() || is_switched(attributes) || is_text(&name);
        if is_left_out || !self.function.is_empty() {
            return;
        }
        self.function = if self.owner.is_empty() { name } else { format!("{}::{name}", self.owner) };
        self.names = Names::of(signature, body);
        self.empty(signature, body);
        self.visit_block(body);
        self.function.clear();
    }

    /// The function with nothing in it, if it answers nothing, a flag or perhaps something.
    fn empty(&mut self, signature: &syn::Signature, body: &'a syn::Block) {
        let Some(first) = body.stmts.first() else { return };
        let answers: &[&str] = match &signature.output {
            syn::ReturnType::Default => &["return;"],
            syn::ReturnType::Type(_, ty) => match self.text_of(&**ty) {
                "bool" => &["return true;", "return false;"],
                text if text.starts_with("Option<") => &["return None;"],
                text if text.starts_with("Result<()") => &["return Ok(());"],
                _ => return,
            },
        };
        // Before the first statement, which stays: what follows is not reached.
        let start = first.span().byte_range().start;
        let shown = self.text_of(first).lines().next().unwrap_or_default().trim();
        for answer in answers {
            let (kind, form) = (Kind::EmptyFunction, Form::Statement);
            self.add_at(kind, form, first, start..start, shown, (*answer).to_string());
        }
    }
}

/// Functions whose result only people read.
fn is_text(name: &str) -> bool {
    const TEXTS: &[&str] = &["fmt", "describe", "explain", "text", "name", "word", "listing", "to_json"];
    TEXTS.contains(&name)
}

/// Whether something is there only under conditions, such as in tests or on other machines.
fn is_switched(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let is_linux = || {
            let syn::Meta::List(list) = &attribute.meta else { return false };
            ["target_os = \"linux\"", "unix", "target_arch = \"x86_64\""]
                .contains(&list.tokens.to_string().as_str())
        };
        path.is_ident("test") || path.is_ident("cfg") && !is_linux()
    })
}

/// The attributes of an item.
fn attributes(item: &syn::Item) -> &[Attribute] {
    match item {
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast: 'a, 'a> Visit<'ast> for Finder<'a> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_switched(attributes(item)) {
            return;
        }
        match item {
            syn::Item::Fn(item) => self.function(&item.sig, &[], &item.block),
            syn::Item::Impl(item) => {
                let shows = |name: &syn::Ident| name == "Display" || name == "Debug";
                let shows = item
                    .trait_
                    .as_ref()
                    .and_then(|(path, _)| path.segments.last())
                    .is_some_and(|last| shows(&last.ident));
                if !shows {
                    let owner = self.text_of(&*item.self_ty);
                    self.owner = owner.split('<').next().unwrap_or_default().to_string();
                    visit::visit_item_impl(self, item);
                    self.owner.clear();
                }
            }
            syn::Item::Trait(item) => {
                self.owner = item.ident.to_string();
                visit::visit_item_trait(self, item);
                self.owner.clear();
            }
            syn::Item::Mod(item) => visit::visit_item_mod(self, item),
            // Types, constants, statics and macros are the compiler's.
            _ => {}
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        if let syn::ImplItem::Fn(item) = item {
            self.function(&item.sig, &item.attrs, &item.block);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        if let syn::TraitItem::Fn(item) = item
            && let Some(body) = &item.default
        {
            self.function(&item.sig, &item.attrs, body);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        match statement {
            Stmt::Expr(expression, Some(_)) => {
                self.statement(statement, expression);
                self.visit_expr(expression);
            }
            Stmt::Expr(expression, None) => self.visit_expr(expression),
            Stmt::Local(local) => visit::visit_local(self, local),
            Stmt::Item(_) | Stmt::Macro(_) => {}
        }
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        // A fault that is planted by name is no part of what the program does, nor is what it does.
        match expression {
            Expr::Binary(_) | Expr::Unary(_) if self.is_planted(expression) => return,
            Expr::If(planted) if self.is_planted(&planted.cond) => {
                if let Some((_, otherwise)) = &planted.else_branch {
                    self.visit_expr(otherwise);
                }
                return;
            }
            _ => {}
        }
        self.places_of(expression);
        self.expression(expression);
        match expression {
            // Evaluated by the compiler, or only text.
            Expr::Const(_) | Expr::Macro(_) | Expr::Repeat(_) => {}
            _ => visit::visit_expr(self, expression),
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        // Patterns are the compiler's; a guard is one with its pattern.
        if let syn::Pat::Guard(guarded) = &arm.pat {
            self.condition(&guarded.guard);
            self.visit_expr(&guarded.guard);
        }
        self.visit_expr(&arm.body);
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        // `S { x }` names a field; there is no room for an expression.
        if field.colon_token.is_some() {
            self.visit_expr(&field.expr);
        }
    }

    fn visit_pat(&mut self, _: &'ast syn::Pat) {}

    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_path(&mut self, _: &'ast syn::Path) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

#[cfg(test)]
mod tests;
