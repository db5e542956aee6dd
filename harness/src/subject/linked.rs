//! What a case's host provides to a store of our engine: functions, globals, memories, tables and tags.

use crate::case::{NamedHosts, Value};
use crate::hosts::{self, Host, OUT_OF_BOUNDS, Refusal, World, named};
use crate::observe::values;
use crosscheck_engine::{
    self as engine, Caller, Engine, Error, Extern, ExternType, Func, FuncType, Global, Import, Linker,
    Memory, Store, Table, Tag, Trap, TrapKind, Val, ValType,
};
use std::sync::Arc;

/// What lives as long as a store, with a host in it.
pub trait Hosted: Send + 'static {
    /// The host.
    fn host(&mut self) -> &mut Host;
}

impl Hosted for Host {
    fn host(&mut self) -> &mut Host {
        self
    }
}

/// What the host provides for import number `index` of a module. Fails if it has no value of the type.
pub fn import<T: Hosted>(
    store: &mut Store<T>,
    engine: &Engine,
    import: &Import,
    index: u32,
) -> Result<Extern, Error> {
    let types = engine.types();
    let no_value = |ty: ValType| Error::Link(format!("the host has no value of type {ty}"));
    Ok(match &import.ty {
        ExternType::Func(_) if store.data_mut().host().throws() => {
            let what = "hosts that throw exceptions (exception-handling) are not run yet";
            return Err(Error::Unsupported(what.to_string()));
        }
        ExternType::Func(id) => {
            let ty = (*types.func_type(*id).expect("functions have function types")).clone();
            let name = format!("{}.{}", import.module, import.name);
            Extern::Func(host_function(store, &name, index, ty))
        }
        ExternType::Global(ty) => {
            let value = store.data_mut().host().global(index, ty.content);
            let value = value.ok_or_else(|| no_value(ty.content))?;
            let value = values::to_val(store, &value).ok_or_else(|| no_value(ty.content))?;
            Extern::Global(Global::new(store, *ty, value)?)
        }
        ExternType::Memory(ty) => Extern::Memory(Memory::new(store, *ty)?),
        ExternType::Table(ty) => {
            let element = ValType::Ref(ty.element);
            let init = Val::default_of(element, types).ok_or_else(|| no_value(element))?;
            Extern::Table(Table::new(store, *ty, init)?)
        }
        ExternType::Tag(id) => {
            let ty = (*types.func_type(*id).expect("tags have function types")).clone();
            Extern::Tag(Tag::new(store, ty))
        }
    })
}

/// Defines the named host functions of a plan.
pub fn define<T: Hosted>(named: NamedHosts, linker: &mut Linker<T>, store: &mut Store<T>) {
    for ((module, function), index) in named::functions(named).zip(0..) {
        let import = format!("{module}.{}", function.name);
        let ty = FuncType::new(function.params.to_vec(), function.results.to_vec());
        let func = host_function(store, &import, index, ty);
        linker.define(module, function.name, func);
    }
}

/// Calls a function; its results as they are observed.
pub(super) fn call(
    store: &mut impl engine::AsContextMut,
    func: Func,
    params: &[Val],
) -> Result<Vec<Value>, Error> {
    let ty = func.ty(&*store);
    // Overwritten by the call, whatever they are.
    let mut results = vec![Val::I32(0); ty.results().len()];
    func.call(&mut *store, params, &mut results)?;
    Ok(results.iter().zip(ty.results()).map(|(value, ty)| values::observed(store, *value, *ty)).collect())
}

fn host_function<T: Hosted>(store: &mut Store<T>, name: &str, index: u32, ty: FuncType) -> Func {
    let known_as: Arc<str> = name.into();
    let (params, answers) = (ty.params().to_vec(), ty.results().to_vec());
    Func::new(store, name, ty, move |caller: Caller<'_, T>, args, results| {
        let mut world = LaneWorld { caller, failure: None };
        let args: Vec<Value> = args
            .iter()
            .zip(&params)
            .map(|(value, ty)| values::observed(&world.caller, *value, *ty))
            .collect();
        match hosts::call(&mut world, index, &known_as, &args, &answers) {
            Ok(values) => {
                for (result, value) in results.iter_mut().zip(values) {
                    *result = values::to_val(&mut world.caller, &value)
                        .expect("hosts answer with numbers and nulls");
                }
                Ok(())
            }
            Err(Refusal::Trap(message)) => Err(Trap::host(message).into()),
            Err(Refusal::OutOfBounds) if world.host().traps_as_engine() => {
                Err(TrapKind::MemoryOutOfBounds.into())
            }
            Err(Refusal::OutOfBounds) => Err(Trap::host(OUT_OF_BOUNDS).into()),
            Err(Refusal::CallBack) => Err(world.failure.expect("a failed call back leaves its failure")),
        }
    })
}

/// The world of a host function called from our engine.
struct LaneWorld<'a, T> {
    caller: Caller<'a, T>,
    failure: Option<Error>,
}

impl<T: Hosted> World for LaneWorld<'_, T> {
    fn memory_bytes(&mut self) -> Option<u64> {
        self.caller.exported_first_memory().map(|memory| memory.len(&self.caller))
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        self.caller.read_guest(address, buffer).is_ok()
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        self.caller.write_guest(address, bytes).is_ok()
    }

    fn exported_funcs(&mut self) -> Vec<Vec<ValType>> {
        let funcs = self.caller.exported_funcs();
        funcs.iter().map(|func| func.ty(&self.caller).params().to_vec()).collect()
    }

    fn exported_func(&mut self, name: &str) -> Option<usize> {
        self.caller.exported_func_number(name)
    }

    fn call_exported_func(&mut self, number: usize, args: &[Value]) -> Option<Vec<Value>> {
        let func = self.caller.exported_funcs()[number];
        let to_val = |value| values::to_val(&mut self.caller, value).expect("call backs are given numbers");
        let params: Vec<Val> = args.iter().map(to_val).collect();
        call(&mut self.caller, func, &params).map_err(|error| self.failure = Some(error)).ok()
    }

    fn host(&mut self) -> &mut Host {
        self.caller.data_mut().host()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::HostPlan;
    use crate::observe::Capture;
    use crosscheck_engine::{Config, Mode, Module};

    #[test]
    fn hosts_that_throw_are_not_taken_for_hosts_that_do_not() {
        let engine = Engine::new(&Config::new(Mode::Interp));
        // (module (import "e" "f" (func)))
        let wasm = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x07\x01\x01e\x01f\0\0";
        let module = Module::new(&engine, &wasm[..]).expect("valid");
        let provided = |plan| {
            let mut store = Store::new(&engine, Host::new(plan, Capture::Digest));
            import(&mut store, &engine, &module.imports()[0], 0)
        };
        assert!(provided(HostPlan::new(1, 0)).is_ok());
        let throwing = provided(HostPlan { throw_one_in: 1, ..HostPlan::new(1, 0) });
        assert!(matches!(throwing, Err(Error::Unsupported(_))));
    }
}
