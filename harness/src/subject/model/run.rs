//! Execution: an instruction after the other, blocks, branches and calls (specification, section 4.6, "Instructions").
//!
//! A straight-line segment is paid for where it begins, a frame where it is entered. Calls of modules do not nest here: their frames
//! are a list, so that the depth of a program costs no stack of this process.

use super::code::{Code, Step};
use super::numeric::computed;
use super::store::{Call, Extern, Frame, FuncKind, Label, Stop, Store};
use super::types::Signature;
use super::value::{Reference, Val};
use crate::case::Value;
use crate::observe::Outcome;
use crosscheck_engine::TrapKind;
use std::rc::Rc;
use wasmparser::Operator;

/// Where execution goes on.
enum Flow {
    /// In the same frame.
    Here,
    /// In another frame, or nowhere.
    Elsewhere,
}

/// How a function is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Call,
    /// In place of the frame that calls.
    Tail,
}

impl<'a> Store<'a> {
    /// Calls an exported function with values from outside; its results as they are seen from there.
    pub fn invoke(&mut self, func: usize, args: &[Value]) -> Result<Vec<Value>, Stop> {
        let Signature { params, results } = self.types.signature(self.funcs[func].ty).clone();
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            let value = Val::of_case(arg);
            values
                .push(value.ok_or_else(|| Outcome::Unsupported(format!("cannot pass {arg} from outside")))?);
        }
        let fit = values.len() == params.len()
            && values.iter().zip(&params).all(|(value, ty)| self.is_of(*value, *ty));
        if !fit {
            return Err(Outcome::Usage("the arguments are not of the function's type".into()).into());
        }
        let values = self.enter_from_outside(func, values)?;
        Ok(self.all_seen(&values, &results))
    }

    /// Calls a function that no frame calls: its results.
    pub fn enter_from_outside(&mut self, func: usize, args: Vec<Val>) -> Result<Vec<Val>, Stop> {
        let FuncKind::Wasm { instance, code } = self.funcs[func].kind.clone() else {
            return self.call_host(func, None, None, args);
        };
        if self.entries > self.limits.host_depth {
            return Err(TrapKind::CallStackExhausted.into());
        }
        let (floor, height, depth) = (self.calls.len(), self.operands.0.len(), self.depth);
        self.entries += 1;
        let results = code.result_count;
        let ended = self.enter(instance, code, args).and_then(|()| self.run(floor));
        // What is left of a call that failed goes with it.
        self.entries -= 1;
        self.depth = depth;
        self.calls.truncate(floor);
        let values = ended.map(|()| self.operands.take(results));
        self.operands.0.truncate(height);
        values
    }

    /// Puts a frame on the calls, which must have room for it.
    fn enter(&mut self, instance: usize, code: Rc<Code<'a>>, args: Vec<Val>) -> Result<(), Stop> {
        let mut locals = args;
        locals.extend(code.locals.iter().map(|ty| Val::default_of(*ty)));
        let (height, site, cost) = (self.operands.0.len(), code.steps[0].offset, code.frame_cost);
        let labels = Vec::new();
        self.calls.push(Call::Wasm(Frame { instance, code, locals, labels, height, next: 0, site }));
        match self.depth.checked_sub(cost) {
            Some(left) => self.depth = left,
            None => return Err(self.located(TrapKind::CallStackExhausted.into(), Some(site))),
        }
        Ok(())
    }

    /// Runs until no more calls are in progress than that.
    fn run(&mut self, floor: usize) -> Result<(), Stop> {
        while self.calls.len() > floor {
            let code = self.frame().code.clone();
            self.run_frame(&code)?;
        }
        Ok(())
    }

    fn run_frame(&mut self, code: &Code<'a>) -> Result<(), Stop> {
        loop {
            let frame = self.frame();
            let number = frame.next;
            let step = &code.steps[number];
            frame.next += 1;
            frame.site = step.offset;
            match self.step(step, number) {
                Ok(Flow::Here) => {}
                Ok(Flow::Elsewhere) => return Ok(()),
                Err(stop) => return Err(self.located(stop, Some(step.offset))),
            }
        }
    }

    /// The frame of the innermost call.
    pub fn frame(&mut self) -> &mut Frame<'a> {
        match self.calls.last_mut() {
            Some(Call::Wasm(frame)) => frame,
            Some(Call::Host(_)) | None => unreachable!("a module's function is running"),
        }
    }

    fn step(&mut self, step: &Step<'a>, number: usize) -> Result<Flow, Stop> {
        use Operator as O;
        self.pay(step.cost)?;
        let block = step.block;
        match &step.operator {
            O::Unreachable => return Err(TrapKind::Unreachable.into()),
            O::Block { .. } => self.begin(block.end + 1, false, block.results, block.params),
            O::Loop { .. } => self.begin(number + 1, true, block.params, block.params),
            O::If { .. } => match (self.operands.pop_i32(), block.otherwise) {
                (0, None) => self.frame().next = block.end + 1,
                (condition, otherwise) => {
                    self.begin(block.end + 1, false, block.results, block.params);
                    if let (0, Some(otherwise)) = (condition, otherwise) {
                        self.frame().next = otherwise + 1;
                    }
                }
            },
            // The first arm has come to its end.
            O::Else => return Ok(self.branch(0)),
            O::End => match self.frame().labels.pop() {
                Some(_) => {}
                None => return Ok(self.leave()),
            },
            O::Br { relative_depth } => return Ok(self.branch(*relative_depth)),
            O::BrIf { relative_depth } if self.operands.pop_i32() != 0 => {
                return Ok(self.branch(*relative_depth));
            }
            O::BrIf { .. } => {}
            O::BrTable { targets } => {
                let chosen = self.operands.pop_i32() as usize;
                let chosen = targets.targets().nth(chosen).and_then(Result::ok);
                return Ok(self.branch(chosen.unwrap_or(targets.default())));
            }
            O::BrOnNull { relative_depth } => {
                let reference = self.operands.pop();
                if reference.reference() == Reference::Null {
                    return Ok(self.branch(*relative_depth));
                }
                self.operands.push(reference);
            }
            O::BrOnNonNull { relative_depth } => {
                if self.operands.top().reference() != Reference::Null {
                    return Ok(self.branch(*relative_depth));
                }
                self.operands.pop();
            }
            O::Return => return Ok(self.leave()),
            other => match self.callee(other)? {
                Some((func, way)) => return self.call(func, way),
                None => self.plain(other)?,
            },
        }
        Ok(Flow::Here)
    }

    /// Pays fuel, if there is as much.
    pub fn pay(&mut self, cost: u64) -> Result<(), Stop> {
        self.fuel = self.fuel.checked_sub(cost).ok_or(TrapKind::OutOfFuel)?;
        Ok(())
    }

    /// Enters a block whose parameters are on the stack.
    fn begin(&mut self, target: usize, is_loop: bool, arity: usize, params: usize) {
        let height = self.operands.0.len() - params;
        self.frame().labels.push(Label { target, is_loop, arity, height });
    }

    /// Branches to the label of that depth; the outermost is the function itself.
    fn branch(&mut self, depth: u32) -> Flow {
        let frame = self.frame();
        let Some(place) = frame.labels.len().checked_sub(depth as usize + 1) else { return self.leave() };
        let label = frame.labels[place];
        frame.next = label.target;
        frame.labels.truncate(if label.is_loop { place + 1 } else { place });
        self.operands.unwind(label.height, label.arity);
        Flow::Here
    }

    /// Returns from the innermost frame with the results that are on the stack.
    fn leave(&mut self) -> Flow {
        let frame = self.frame();
        let (height, results, cost) = (frame.height, frame.code.result_count, frame.code.frame_cost);
        self.calls.pop();
        self.depth += cost;
        self.operands.unwind(height, results);
        Flow::Elsewhere
    }

    /// The function that an instruction calls, and how; `None` if it is no call.
    fn callee(&mut self, operator: &Operator<'a>) -> Result<Option<(usize, Way)>, Stop> {
        use Operator as O;
        let way = match operator {
            O::Call { .. } | O::CallIndirect { .. } | O::CallRef { .. } => Way::Call,
            O::ReturnCall { .. } | O::ReturnCallIndirect { .. } | O::ReturnCallRef { .. } => Way::Tail,
            _ => return Ok(None),
        };
        let func = match operator {
            O::Call { function_index } | O::ReturnCall { function_index } => {
                self.instance().funcs[*function_index as usize]
            }
            O::CallIndirect { type_index, table_index }
            | O::ReturnCallIndirect { type_index, table_index } => {
                self.element_to_call(*type_index, *table_index)?
            }
            _ => match self.operands.pop().reference() {
                Reference::Func(func) => func,
                Reference::Null => return Err(TrapKind::NullFunctionReference.into()),
                Reference::Extern(_) => unreachable!("validation wants a function here"),
            },
        };
        Ok(Some((func, way)))
    }

    /// The function that the element of a table refers to, which must be of a type.
    fn element_to_call(&mut self, ty: u32, table: u32) -> Result<usize, Stop> {
        let index = self.operands.pop_index();
        let instance = self.instance();
        let wanted = instance.module.types[ty as usize];
        let elements = &self.tables[instance.tables[table as usize]].elements;
        let element = usize::try_from(index).ok().and_then(|index| elements.get(index));
        match *element.ok_or(TrapKind::UndefinedElement)? {
            Reference::Func(func) if self.types.is_below(self.funcs[func].ty, wanted) => Ok(func),
            Reference::Func(_) => Err(TrapKind::IndirectCallTypeMismatch.into()),
            Reference::Null => Err(TrapKind::UninitializedElement.into()),
            Reference::Extern(_) => unreachable!("validation wants a table of functions here"),
        }
    }

    fn call(&mut self, func: usize, way: Way) -> Result<Flow, Stop> {
        let params = self.types.signature(self.funcs[func].ty).params.len();
        let args = self.operands.take(params);
        let (caller, mut site) = (self.frame().instance, Some(self.frame().site));
        if way == Way::Tail {
            let (height, cost) = (self.frame().height, self.frame().code.frame_cost);
            self.calls.pop();
            self.depth += cost;
            self.operands.0.truncate(height);
            site = None;
        }
        match self.funcs[func].kind.clone() {
            FuncKind::Wasm { instance, code } => {
                self.enter(instance, code, args)?;
                Ok(Flow::Elsewhere)
            }
            FuncKind::Host { .. } => {
                let results = self.call_host(func, Some(caller), site, args)?;
                self.operands.0.extend(results);
                Ok(if way == Way::Tail { Flow::Elsewhere } else { Flow::Here })
            }
        }
    }

    /// Instructions that go on with the next one.
    fn plain(&mut self, operator: &Operator<'a>) -> Result<(), Stop> {
        use Operator as O;
        match operator {
            O::LocalGet { local_index } => {
                let value = self.frame().locals[*local_index as usize];
                self.operands.push(value);
            }
            O::LocalSet { local_index } => {
                let value = self.operands.pop();
                self.frame().locals[*local_index as usize] = value;
            }
            O::LocalTee { local_index } => {
                let value = self.operands.top();
                self.frame().locals[*local_index as usize] = value;
            }
            O::GlobalGet { global_index } => {
                let global = self.instance().globals[*global_index as usize];
                self.operands.push(self.globals[global].value);
            }
            O::GlobalSet { global_index } => {
                let global = self.instance().globals[*global_index as usize];
                self.globals[global].value = self.operands.pop();
            }
            O::RefFunc { function_index } => {
                let func = self.instance().funcs[*function_index as usize];
                self.operands.push(Val::Ref(Reference::Func(func)));
            }
            other => match computed(other, &mut self.operands) {
                Some(done) => done?,
                None => self.on_state(other)?,
            },
        }
        Ok(())
    }

    /// The functions that an instance exports, in the order of its exports.
    pub fn exported_funcs(&self, instance: usize) -> Vec<usize> {
        let exports = self.instances[instance].module.exports.iter();
        let funcs = exports.filter_map(|(name, ..)| match self.export(instance, name) {
            Some(Extern::Func(func)) => Some(func),
            Some(Extern::Table(_) | Extern::Memory(_) | Extern::Global(_)) | None => None,
        });
        funcs.collect()
    }
}
