//! Which variables and fields may stand for one another.

use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The fields of all structures of a crate, by name.
#[derive(Default)]
pub struct Fields {
    /// Of each name, fields of the same type beside it.
    siblings: BTreeMap<String, Vec<String>>,
}

impl Fields {
    /// Adds the structures of a file. Fails if it is not Rust.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let parsed = syn::parse_file(text).map_err(|error| error.to_string())?;
        FieldFinder { text, fields: self }.visit_file(&parsed);
        Ok(())
    }

    /// Fields that stand beside one of that name and have its type.
    pub fn siblings(&self, name: &str) -> &[String] {
        self.siblings.get(name).map_or(&[], Vec::as_slice)
    }
}

struct FieldFinder<'a> {
    text: &'a str,
    fields: &'a mut Fields,
}

impl<'ast> Visit<'ast> for FieldFinder<'_> {
    fn visit_fields_named(&mut self, fields: &'ast syn::FieldsNamed) {
        let text = self.text;
        let named = |field: &syn::Field| {
            let ty = &text[field.ty.span().byte_range()];
            (field.ident.as_ref().map(ToString::to_string).unwrap_or_default(), ty)
        };
        let named: Vec<(String, &str)> = fields.named.iter().map(named).collect();
        for (name, ty) in &named {
            let others = named.iter().filter(|(other, other_ty)| other != name && other_ty == ty);
            let siblings = self.fields.siblings.entry(name.clone()).or_default();
            for (other, _) in others {
                if !siblings.contains(other) {
                    siblings.push(other.clone());
                }
            }
        }
    }
}

/// The variables of a function.
#[derive(Default)]
pub struct Names {
    /// Parameters, with their types.
    parameters: Vec<(String, String)>,
    /// What `let` and patterns bind, in the order of the text, with the byte behind which they are known.
    bound: Vec<(String, usize)>,
}

impl Names {
    /// The variables of a function.
    pub fn of(signature: &syn::Signature, body: &syn::Block) -> Names {
        let mut names = Names::default();
        for input in &signature.inputs {
            if let syn::FnArg::Typed(typed) = input
                && let syn::Pat::Ident(name) = &*typed.pat
            {
                let ty = typed.ty.span().source_text().unwrap_or_default();
                names.parameters.push((name.ident.to_string(), ty));
            }
        }
        names.visit_block(body);
        names
    }

    /// A variable that may stand for another at that byte: a parameter of the same type, or what was bound last before.
    pub fn instead_of(&self, name: &str, at: usize) -> Option<&str> {
        let ty = self.parameters.iter().find(|(parameter, _)| parameter == name).map(|(_, ty)| ty);
        let same =
            |ty: &String| self.parameters.iter().find(|(other, other_ty)| other != name && other_ty == ty);
        if let Some((other, _)) = ty.and_then(same) {
            return Some(other);
        }
        let is_bound = self.bound.iter().any(|(bound, from)| bound == name && *from < at);
        if ty.is_none() && !is_bound {
            return None;
        }
        let before = self.bound.iter().rev().find(|(other, from)| other != name && *from < at);
        before.map(|(other, _)| other.as_str())
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.bound.push((pattern.ident.to_string(), pattern.span().byte_range().end));
        visit::visit_pat_ident(self, pattern);
    }
}
