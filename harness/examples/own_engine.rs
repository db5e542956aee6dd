//! An engine of one's own under the bench: the whole `crosscheck` program with one more engine in it.
//!
//! ```sh
//! cargo run -p crosscheck --example own_engine -- replay harness/examples/own_engine.wat --with toy
//! ```
//!
//! The toy adds and shifts numbers of 32 bits, shifts wrongly, which this command finds, and says of everything else that
//! it has none. So a campaign (`fuzz --with toy`) compares it on next to nothing, says so and ends with 3. A real
//! engine fills in the same two traits: [`Subject`] says what of its observations can be relied on, [`Embedding`] how
//! its embedding interface does what a case asks for.

use crosscheck::case::Value;
use crosscheck::hosts::Host;
use crosscheck::observe::{Capture, Observation, Outcome};
use crosscheck::subject::embedding::{Embedding, Entity, Provided, observe};
use crosscheck::subject::{Capabilities, Outside, Prepared, Subject, Watch};
use std::collections::HashMap;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use wasmparser::{ExternalKind, Operator, Parser, Payload, ValType, WasmFeatures};

/// The program.
pub fn main() -> ExitCode {
    crosscheck::cli::main_with(vec![Outside::new("toy", || Ok(Arc::new(Toy)))])
}

/// The engine as a subject.
pub struct Toy;

impl Subject for Toy {
    fn name(&self) -> &str {
        "toy"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { exported_state: true, to_the_end: true, nan_bits: true, ..Capabilities::NONE }
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let store = ToyStore { host: Host::new(prepared.case.hosts, capture) };
        observe(store, prepared, capture, watch)
    }
}

/// A compiled module.
#[derive(Default)]
struct ToyModule {
    exports: HashMap<String, u32>,
    functions: Vec<Vec<Op>>,
}

/// What it executes.
enum Op {
    Get(u32),
    Constant(u32),
    Binary(fn(u32, u32) -> u32),
}

/// What lives as long as a case. There is no state to keep but the host's.
struct ToyStore {
    host: Host,
}

fn unsupported(what: impl std::fmt::Debug) -> Outcome {
    Outcome::Unsupported(format!("the toy has no {what:?}"))
}

impl Embedding for ToyStore {
    type Module = Rc<ToyModule>;
    type Instance = Rc<ToyModule>;
    type Item = (Rc<ToyModule>, u32);

    fn features(&self) -> WasmFeatures {
        WasmFeatures::WASM1
    }

    fn begin_action(&mut self) {}

    fn compile(&mut self, wasm: &[u8]) -> Result<Rc<ToyModule>, Outcome> {
        let mut module = ToyModule::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.expect("the bench gives valid modules only") {
                Payload::TypeSection(types) => {
                    for ty in types.into_iter_err_on_gc_types() {
                        let ty = ty.map_err(unsupported)?;
                        if ty.params().iter().chain(ty.results()).any(|ty| *ty != ValType::I32) {
                            return Err(unsupported(ty));
                        }
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export.expect("the module is valid");
                        if export.kind != ExternalKind::Func {
                            return Err(unsupported(export.kind));
                        }
                        module.exports.insert(export.name.to_string(), export.index);
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let mut ops = Vec::new();
                    for operator in body.get_operators_reader().expect("the module is valid") {
                        ops.push(match operator.expect("the module is valid") {
                            Operator::LocalGet { local_index } => Op::Get(local_index),
                            Operator::I32Const { value } => Op::Constant(value as u32),
                            Operator::I32Add => Op::Binary(u32::wrapping_add),
                            Operator::I32Sub => Op::Binary(u32::wrapping_sub),
                            // Wrong: the count is to be taken modulo 32.
                            Operator::I32Shl => Op::Binary(|a, b| a.checked_shl(b).unwrap_or(0)),
                            Operator::End => break,
                            other => return Err(unsupported(other)),
                        });
                    }
                    module.functions.push(ops);
                }
                Payload::Version { .. } | Payload::FunctionSection(_) | Payload::CodeSectionStart { .. } => {}
                Payload::CustomSection(_) | Payload::End(_) => {}
                other => return Err(unsupported(other)),
            }
        }
        Ok(Rc::new(module))
    }

    fn provide(&mut self, _: &Rc<ToyModule>, _: Provided) -> Result<Self::Item, Outcome> {
        Err(unsupported("imports"))
    }

    fn instantiate(&mut self, module: &Rc<ToyModule>, _: Vec<Self::Item>) -> Result<Rc<ToyModule>, Outcome> {
        Ok(module.clone())
    }

    fn export(&mut self, instance: &Rc<ToyModule>, name: &str) -> Option<Self::Item> {
        Some((instance.clone(), *instance.exports.get(name)?))
    }

    fn call(&mut self, (module, index): &Self::Item, args: &[Value]) -> Result<Vec<Value>, Outcome> {
        let mut stack = Vec::new();
        for op in &module.functions[*index as usize] {
            let value = match op {
                Op::Get(index) => match args.get(*index as usize) {
                    Some(Value::I32(bits)) => *bits,
                    // A local that is no parameter is zero, for nothing here sets any.
                    _ => 0,
                },
                Op::Constant(bits) => *bits,
                Op::Binary(compute) => {
                    let right = stack.pop().expect("the module is valid");
                    compute(stack.pop().expect("the module is valid"), right)
                }
            };
            stack.push(value);
        }
        Ok(stack.into_iter().map(Value::I32).collect())
    }

    fn look(&mut self, _: &Self::Item) -> Entity {
        Entity::Func
    }

    fn host(&mut self) -> &mut Host {
        &mut self.host
    }
}
