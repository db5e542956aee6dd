//! Leaves out parameters and results of functions, with what callers give and expect.
//!
//! A signature changes for one function, or for a type: then for all functions of the type, and for all calls through
//! tables and references that name it. What a call no longer gives is not made any more; what it no longer gets is a
//! constant, unless it was dropped anyway. A parameter that is used becomes a local.

use super::body::locals::declared;
use super::body::{DROP, push_simplest};
use super::proposal::{Look, Proposal};
use crate::case::{Action, Case};
use crate::wasm::edit::{Edit, apply};
use crate::wasm::functions::{function_types, signatures};
use crate::wasm::tree::{Body, Node, Operand};
use crosscheck_engine::opcode::{Control, Immediate, Opcode};
use std::ops::Range;
use wasm_encoder::Encode;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasmparser::{CompositeInnerType, ExternalKind, FuncType, Parser, Payload};

/// Signatures without all parameters that no body uses, without one parameter, without results, without the last one.
pub fn shorter(look: &Look<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (module, bodies) in look.bodies().iter().enumerate() {
        let wasm = &look.case.modules[module].wasm;
        let (Ok(types), Ok(signatures)) = (function_types(wasm), signatures(wasm)) else { continue };
        let Some(imported) = types.len().checked_sub(bodies.len()) else { continue };
        for scope in scopes(&types, imported) {
            let concerned = |body: &&Body| scope.has(&types, imported + body.number);
            let ty = match scope {
                Scope::Type(ty) => ty,
                Scope::Func(func) => types[func],
            };
            let Some(Some(old)) = signatures.get(ty as usize) else { continue };
            let change =
                Change { look, module, types: &types, imported, scope, old, params: Vec::new(), results: 0 };
            let is_called = bodies.iter().any(|body| change.is_called_in(body));
            for (params, results) in ways(old, is_called, bodies.iter().filter(concerned)) {
                let change = Change { params, results, ..change };
                proposals.extend(change.made(&signatures).map(Proposal::Smaller));
            }
        }
    }
    proposals
}

/// Whose signature changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scope {
    /// That of all functions of a type.
    Type(u32),
    /// That of one function, whose type others have too.
    Func(usize),
}

impl Scope {
    fn has(self, types: &[u32], func: usize) -> bool {
        match self {
            Scope::Type(ty) => types[func] == ty,
            Scope::Func(of) => of == func,
        }
    }
}

/// The types of functions with a body, and the functions that share one.
fn scopes(types: &[u32], imported: usize) -> Vec<Scope> {
    let mut of_bodies = types[imported..].to_vec();
    of_bodies.sort_unstable();
    of_bodies.dedup();
    let shares = |func: &usize| types.iter().filter(|ty| **ty == types[*func]).count() > 1;
    let funcs = (imported..types.len()).filter(shares);
    of_bodies.into_iter().map(Scope::Type).chain(funcs.map(Scope::Func)).collect()
}

/// What may be left out: parameters, and so many of the last results. To make a local of a parameter that is used is
/// worth it only where calls get shorter.
fn ways<'b>(
    old: &FuncType,
    is_called: bool,
    bodies: impl Iterator<Item = &'b Body>,
) -> Vec<(Vec<usize>, usize)> {
    let mut unused: Vec<usize> = (0..old.params().len()).collect();
    for body in bodies {
        unused.retain(|param| body.local_names().all(|name| name.index as usize != *param));
    }
    let mut ways = Vec::new();
    if unused.len() > 1 {
        ways.push((unused.clone(), 0));
    }
    let single = (0..old.params().len()).rev().filter(|param| is_called || unused.contains(param));
    ways.extend(single.map(|param| (vec![param], 0)));
    let results = old.results().len();
    if results > 1 {
        ways.push((Vec::new(), results));
    }
    if results > 0 {
        ways.push((Vec::new(), 1));
    }
    ways
}

/// A signature that changes.
struct Change<'a> {
    look: &'a Look<'a>,
    module: usize,
    /// The type of each function.
    types: &'a [u32],
    imported: usize,
    scope: Scope,
    old: &'a FuncType,
    /// Parameters that go.
    params: Vec<usize>,
    /// How many results go, the last ones.
    results: usize,
}

impl Change<'_> {
    fn wasm(&self) -> &[u8] {
        &self.look.case.modules[self.module].wasm
    }

    /// The case with the change; `None` where a call gets what it gives in a way that cannot be taken apart.
    fn made(&self, signatures: &[Option<FuncType>]) -> Option<Case> {
        let bodies = &self.look.bodies()[self.module];
        let edits: Vec<Vec<Edit>> = bodies.iter().map(|body| self.edits(body)).collect::<Option<_>>()?;
        let changed = apply(self.wasm(), &edits.concat())?;
        let params = self.old.params().iter().enumerate();
        let kept = params.filter(|(param, _)| !self.params.contains(param)).map(|(_, ty)| *ty);
        let results = &self.old.results()[..self.old.results().len() - self.results];
        let new = FuncType::new(kept, results.iter().copied());
        let same = signatures.iter().position(|other| other.as_ref() == Some(&new));
        let place = same.unwrap_or(signatures.len()) as u32;
        let (scope, imported, is_new) = (self.scope, self.imported, same.is_none());
        let mut writing = Writing { scope, imported, new, place, is_new, types: 0 };
        let mut module = wasm_encoder::Module::new();
        writing.parse_core_module(&mut module, Parser::new(0), &changed).ok()?;
        let mut case = self.look.case.clone();
        case.modules[self.module].wasm = module.finish();
        let exports = self.exports()?;
        for action in &mut case.actions {
            if let Action::Invoke { module, export, args } = action
                && *module as usize == self.module
                && exports.contains(export)
            {
                let mut number = 0;
                args.retain(|_| (!self.params.contains(&number), number += 1).0);
            }
        }
        Some(case)
    }

    /// The names by which functions with the signature are exported.
    fn exports(&self) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for payload in Parser::new(0).parse_all(self.wasm()) {
            let Payload::ExportSection(section) = payload.ok()? else { continue };
            for export in section {
                let export = export.ok()?;
                if export.kind == ExternalKind::Func && self.scope.has(self.types, export.index as usize) {
                    names.push(export.name.to_string());
                }
            }
        }
        Some(names)
    }

    /// What changes in a body: as one of those with the signature, and where it calls one.
    fn edits(&self, body: &Body) -> Option<Vec<Edit>> {
        let is_concerned = self.scope.has(self.types, self.imported + body.number);
        let mut gone = Gone(Vec::new());
        if is_concerned {
            gone.results(&body.left, self.results)?;
        }
        let mut edits = Vec::new();
        // What takes comes before what it takes.
        for node in body.nodes.iter().rev() {
            if gone.has(&node.bytes) {
                continue;
            }
            if let Some(beside) = self.call(body, node) {
                gone.arguments(&node.operands, self.old.params().len() + beside, &self.params)?;
                edits.push(self.after_call(body, node)?);
            } else if is_concerned && leaves_function(body, node) {
                gone.results(&node.operands, self.results)?;
            }
        }
        if is_concerned && !self.params.is_empty() {
            edits.extend(self.renumbered(body, &gone)?);
        }
        edits.retain(|edit| !edit.range.is_empty() || !edit.code.is_empty());
        edits.retain(|edit| !gone.has(&edit.range));
        let cut = |range| Edit { body: body.number, range, code: Vec::new() };
        edits.extend(gone.0.into_iter().map(cut));
        Some(edits)
    }

    fn is_called_in(&self, body: &Body) -> bool {
        body.nodes.iter().any(|node| self.call(body, node).is_some())
    }

    /// How much a node takes beside arguments, if it calls something with the signature.
    fn call(&self, body: &Body, node: &Node) -> Option<usize> {
        use Control::{Call, CallIndirect, CallRef, ReturnCall, ReturnCallIndirect, ReturnCallRef};
        let Opcode::Control(control) = node.opcode else { return None };
        let is_direct = matches!(control, Call | ReturnCall);
        if !is_direct && !matches!(control, CallIndirect | CallRef | ReturnCallIndirect | ReturnCallRef) {
            return None;
        }
        let of = if is_direct { Immediate::Func } else { Immediate::Type };
        let index = body.names_in(&node.immediates).find(|name| name.of == of)?.index;
        let is_concerned = match is_direct {
            true => self.scope.has(self.types, index as usize),
            false => self.scope == Scope::Type(index),
        };
        is_concerned.then_some(usize::from(!is_direct))
    }

    /// Behind a call that gives less: drops of what it gave, or constants in its place.
    fn after_call(&self, body: &Body, node: &Node) -> Option<Edit> {
        let end = node.bytes.end;
        let mut edit = Edit { body: body.number, range: end..end, code: Vec::new() };
        if node.results.is_empty() {
            // It does not come back, or gave nothing.
            return Some(edit);
        }
        let after = self.wasm()[end..body.code.end].iter();
        let dropped = after.take(self.results).take_while(|byte| **byte == DROP).count();
        edit.range.end += dropped;
        let results = self.old.results();
        let missing = &results[results.len() - self.results..results.len() - dropped];
        missing.iter().all(|ty| push_simplest(*ty, &mut edit.code)).then_some(edit)
    }

    /// Other numbers for locals; parameters that go and are used are declared.
    fn renumbered(&self, body: &Body, gone: &Gone) -> Option<Vec<Edit>> {
        let names: Vec<_> = body.local_names().filter(|name| !gone.has(&name.bytes)).collect();
        let is_used = |param: &usize| names.iter().any(|name| name.index as usize == *param);
        let declares: Vec<usize> = self.params.iter().copied().filter(is_used).collect();
        let kept = (0..body.params).filter(|param| !self.params.contains(param));
        let own = body.params..body.locals.len();
        let order: Vec<usize> = kept.chain(declares.iter().copied()).chain(own.clone()).collect();
        let mut edits = Vec::new();
        if !declares.is_empty() {
            let types = declares.into_iter().chain(own).map(|local| body.locals[local]);
            let range = body.start..body.code.start;
            edits.push(Edit { body: body.number, range, code: declared(types)? });
        }
        for name in names {
            let now = order.iter().position(|local| *local == name.index as usize)?;
            let mut code = Vec::new();
            (now as u32).encode(&mut code);
            edits.push(Edit { body: body.number, range: name.bytes.clone(), code });
        }
        Some(edits)
    }
}

/// Whether a node takes the function's results and leaves.
fn leaves_function(body: &Body, node: &Node) -> bool {
    match node.opcode {
        Opcode::Control(Control::Return) => true,
        Opcode::Control(Control::Br) => body.names_in(&node.immediates).any(|name| name.index == 0),
        _ => false,
    }
}

/// Code that goes.
struct Gone(Vec<Range<usize>>);

impl Gone {
    fn has(&self, range: &Range<usize>) -> bool {
        self.0.iter().any(|gone| gone.start <= range.start && range.end <= gone.end && gone.start < range.end)
    }

    /// What makes an operand goes; `None` if that makes something else as well.
    fn operand(&mut self, operand: &Operand) -> Option<()> {
        operand.ty?;
        self.0.push(operand.bytes.clone());
        Some(())
    }

    /// What makes the last so many results goes, as far as they are made: not where control does not get.
    fn results(&mut self, made: &[Operand], count: usize) -> Option<()> {
        made.iter().rev().take(count).try_for_each(|operand| self.operand(operand))
    }

    /// What makes some of so many arguments goes. Where control does not get there may be fewer, the last ones.
    fn arguments(&mut self, operands: &[Operand], count: usize, gone: &[usize]) -> Option<()> {
        let missing = count - operands.len();
        let made = gone.iter().filter_map(|param| operands.get(param.checked_sub(missing)?));
        made.into_iter().try_for_each(|operand| self.operand(operand))
    }
}

/// A module written anew with another type, for all functions that have it or for one.
struct Writing {
    scope: Scope,
    imported: usize,
    /// The new signature, and its type in the place where one is made for a function.
    new: FuncType,
    place: u32,
    /// Whether nothing has that type yet.
    is_new: bool,
    /// Types that have gone by.
    types: u32,
}

type Written<T> = Result<T, Error>;

impl Reencode for Writing {
    type Error = std::convert::Infallible;

    fn sub_type(&mut self, mut ty: wasmparser::SubType) -> Written<wasm_encoder::SubType> {
        let number = self.types;
        self.types += 1;
        if self.scope == Scope::Type(number) {
            ty.composite_type.inner = CompositeInnerType::Func(self.new.clone());
        }
        utils::sub_type(self, ty)
    }

    fn parse_type_section(
        &mut self,
        types: &mut wasm_encoder::TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Written<()> {
        utils::parse_type_section(self, types, section)?;
        if let (Scope::Func(_), true) = (self.scope, self.is_new) {
            let new = self.func_type(self.new.clone())?;
            types.ty().func_type(&new);
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut wasm_encoder::FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Written<()> {
        for (func, ty) in (self.imported..).zip(section) {
            let ty = ty?;
            functions.function(if self.scope == Scope::Func(func) { self.place } else { ty });
        }
        Ok(())
    }
}
