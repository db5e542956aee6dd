//! Makes a case of a module: hosts, calls, arguments and limits.
//!
//! A function of the module's bytes and one number, so that `replay` of a bare module with a finding's
//! case seed does exactly what the campaign did.

use crate::case::{Action, Case, CaseModule, HostPlan, Limits};
use crate::draw::{Purpose, Stream, values};
use crate::hosts::calls_back;
use wasmparser::{BinaryReaderError, CompositeInnerType, ExternalKind, Parser, Payload, TypeRef, ValType};

/// The name of the module in a case of one module.
pub const MODULE_NAME: &str = "m";

/// A choice of a number and its weight.
type Weighted = (u64, u32);

/// Fuel for each action. Mostly generous; sometimes so little that where it ends is what is compared. What
/// returns at all returns after a few thousand instructions; the rest would go on for ever.
const FUEL: &[Weighted] = &[(8_000, 10), (20_000, 5), (50_000, 2), (1_000, 1), (100, 1)];
/// Slots for all frames: some tens of frames, some thousands, as many as programs are used to.
const DEPTH_SLOTS: &[Weighted] = &[(400, 2), (8_000, 3), (60_000, 2)];
/// One in how many host calls traps; 0 is never.
const TRAP_ONE_IN: &[Weighted] = &[(0, 12), (20, 2), (3, 1)];
/// Bytes to which a memory may grow: a page, a few pages, more than is touched.
const MEMORY_BYTES: &[Weighted] = &[(1 << 16, 1), (1 << 20, 2), (1 << 26, 4)];
/// Elements to which a table may grow.
const TABLE_ELEMENTS: &[Weighted] = &[(10, 1), (1_000, 2), (100_000, 4)];

/// The case of one module that derives from that number.
///
/// Fails on bytes that do not decode as a module; the error says where. A module that decodes but is invalid gives
/// a case all the same: that all subjects refuse it is a verdict too.
pub fn plan(wasm: Vec<u8>, case_seed: u64) -> Result<Case, BinaryReaderError> {
    let exports = Exports::of(&wasm)?;
    let mut stream = Stream::new(case_seed, Purpose::Plan);
    let (hosts, limits) = surroundings(&mut stream);
    let mut actions = vec![Action::Instantiate { module: 0 }];
    add_calls(0, &exports, &mut stream, &mut actions);
    if !exports.globals.is_empty() && stream.percent(25) {
        actions.push(Action::Read { module: 0, export: stream.pick(&exports.globals).clone() });
    }
    let module = CaseModule { name: MODULE_NAME.to_owned(), wasm };
    Ok(Case { modules: vec![module], hosts, actions, limits })
}

/// What every case has beside modules and actions: hosts and limits.
pub fn surroundings(stream: &mut Stream) -> (HostPlan, Limits) {
    let hosts = HostPlan::new(stream.u64(), number(TRAP_ONE_IN, stream) as u32);
    let limits = Limits {
        fuel: Some(number(FUEL, stream)),
        depth_slots: number(DEPTH_SLOTS, stream) as u32,
        host_depth: 4,
        memory_bytes: number(MEMORY_BYTES, stream),
        table_elements: number(TABLE_ELEMENTS, stream),
        gc_bytes: Some(1 << 20),
    };
    (hosts, limits)
}

/// In half of the cases tries to make the first host function one that calls back.
pub fn rather_call_back(hosts: &mut HostPlan, stream: &mut Stream) {
    const TRIES: u32 = 12;
    let is_wanted = stream.percent(50);
    for _ in 0..TRIES {
        if is_wanted && !calls_back(*hosts, 0) {
            hosts.seed = stream.u64();
        }
    }
}

fn number(choices: &[Weighted], stream: &mut Stream) -> u64 {
    stream.weighted(choices, |choice| choice.1).0
}

/// Adds calls of a module of a case, with arguments at borders. Fails as [`plan`] does.
pub(super) fn add_calls_of(
    module: u32,
    wasm: &[u8],
    stream: &mut Stream,
    actions: &mut Vec<Action>,
) -> Result<(), BinaryReaderError> {
    add_calls(module, &Exports::of(wasm)?, stream, actions);
    Ok(())
}

/// Leaves out what is done with exports of a module that it has no more, or that take something else now. Fails as
/// [`plan`] does.
pub(super) fn keep_fitting(
    actions: &mut Vec<Action>,
    module: u32,
    before: &[u8],
    now: &[u8],
) -> Result<(), BinaryReaderError> {
    let (before, now) = (Exports::of(before)?, Exports::of(now)?);
    actions.retain(|action| match action {
        Action::Invoke { module: of, export, .. } if *of == module => {
            now.params(export).is_some_and(|params| before.params(export) == Some(params))
        }
        Action::Read { module: of, export } if *of == module => now.globals.contains(export),
        Action::Instantiate { .. } | Action::Invoke { .. } | Action::Read { .. } => true,
    });
    Ok(())
}

fn add_calls(module: u32, exports: &Exports, stream: &mut Stream, actions: &mut Vec<Action>) {
    let mut function = None;
    for _ in 0..stream.between(3, 8) {
        // The same function with other arguments takes another path through code that is warm by now.
        if function.is_none() || !stream.percent(30) {
            // A call straight into the host is a path of its own, but shows little of the module.
            let host = exports.functions.is_empty() || stream.percent(4);
            let candidates = if host { &exports.hosts } else { &exports.functions };
            function = if candidates.is_empty() { None } else { Some(stream.pick(candidates)) };
        }
        let Some(Function { name, params }) = function else { continue };
        let args: Option<Vec<_>> = params.iter().map(|ty| values::value(*ty, stream)).collect();
        // A parameter that no host can provide: the function is reached from inside only.
        if let Some(args) = args {
            actions.push(Action::Invoke { module, export: name.clone(), args });
        }
    }
}

/// What of a module can be called and read from outside.
#[derive(Default)]
struct Exports {
    /// Functions that the module defines.
    functions: Vec<Function>,
    /// Imported functions that the module exports again.
    hosts: Vec<Function>,
    globals: Vec<String>,
}

struct Function {
    name: String,
    params: Box<[ValType]>,
}

impl Exports {
    /// What the function of that name takes.
    fn params(&self, name: &str) -> Option<&[ValType]> {
        let functions = self.functions.iter().chain(&self.hosts);
        functions.into_iter().find(|function| function.name == name).map(|function| &*function.params)
    }

    fn of(wasm: &[u8]) -> Result<Exports, BinaryReaderError> {
        let mut exports = Exports::default();
        let mut types: Vec<Option<Box<[ValType]>>> = Vec::new();
        let mut functions: Vec<u32> = Vec::new();
        let mut imported = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        types.extend(group?.into_types().map(|ty| match ty.composite_type.inner {
                            CompositeInnerType::Func(func) => Some(func.params().into()),
                            CompositeInnerType::Array(_)
                            | CompositeInnerType::Struct(_)
                            | CompositeInnerType::Cont(_) => None,
                        }));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import?.ty {
                            functions.push(ty);
                        }
                    }
                    imported = functions.len();
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        functions.push(ty?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        match export.kind {
                            ExternalKind::Func | ExternalKind::FuncExact => {
                                let function = export.index as usize;
                                let ty = functions.get(function).and_then(|ty| types.get(*ty as usize));
                                let Some(Some(params)) = ty else { continue };
                                let found = Function { name: export.name.to_owned(), params: params.clone() };
                                if function < imported {
                                    exports.hosts.push(found);
                                } else {
                                    exports.functions.push(found);
                                }
                            }
                            ExternalKind::Global => exports.globals.push(export.name.to_owned()),
                            ExternalKind::Table | ExternalKind::Memory | ExternalKind::Tag => {}
                        }
                    }
                }
                // Nothing after the exports says what is exported.
                Payload::CodeSectionStart { .. } => break,
                _ => {}
            }
        }
        Ok(exports)
    }
}
