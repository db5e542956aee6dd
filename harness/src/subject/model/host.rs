//! Calls of the host's functions, and what those can do to the instance that calls them.

use super::store::{Call, Extern, FuncKind, Stop, Store};
use super::value::Val;
use crate::case::Value;
use crate::hosts::{self, Host, OUT_OF_BOUNDS, Refusal, World};
use crosscheck_engine::ValType;
use wasmparser::ExternalKind;

impl Store<'_> {
    /// Calls a function of the host's on behalf of an instance, or of no instance if it is called from outside. `site` is
    /// the instruction that calls it, if its frame is still there.
    pub fn call_host(
        &mut self,
        func: usize,
        caller: Option<usize>,
        site: Option<u32>,
        args: Vec<Val>,
    ) -> Result<Vec<Val>, Stop> {
        let FuncKind::Host { import, name } = self.funcs[func].kind.clone() else {
            unreachable!("the function is the host's")
        };
        let signature = self.types.signature(self.funcs[func].ty).clone();
        let args = self.all_seen(&args, &signature.params);
        let results: Vec<ValType> = signature.results.iter().map(|ty| ty.for_hosts()).collect();
        self.calls.push(Call::Host(func));
        let mut world = ModelWorld { store: self, caller, failure: None };
        let answer = hosts::call(&mut world, import, &name, &args, &results);
        let failure = world.failure;
        let answer = answer.map_err(|refusal| match refusal {
            Refusal::Trap(words) => Stop::Host(words),
            Refusal::OutOfBounds => Stop::Host(OUT_OF_BOUNDS),
            Refusal::CallBack => failure.expect("a failed call back leaves its failure"),
        });
        let answer = answer.map_err(|stop| self.located(stop, site));
        self.calls.pop();
        let made = |value| Val::of_case(value).expect("hosts answer with numbers and nulls");
        Ok(answer?.iter().map(made).collect())
    }
}

/// The world of a host's function.
struct ModelWorld<'s, 'a> {
    store: &'s mut Store<'a>,
    caller: Option<usize>,
    failure: Option<Stop>,
}

impl ModelWorld<'_, '_> {
    /// The address of the first memory of the instance that calls.
    fn memory(&self) -> Option<usize> {
        self.store.instances[self.caller?].memories.first().copied()
    }

    fn funcs(&self) -> Vec<usize> {
        self.caller.map_or(Vec::new(), |caller| self.store.exported_funcs(caller))
    }
}

impl World for ModelWorld<'_, '_> {
    fn memory_bytes(&mut self) -> Option<u64> {
        let exports = &self.store.instances[self.caller?].module.exports;
        exports.iter().find(|(_, kind, index)| *kind == ExternalKind::Memory && *index == 0)?;
        Some(self.store.memories[self.memory()?].bytes())
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        self.memory().is_some_and(|memory| self.store.memories[memory].read(address, buffer).is_some())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        self.memory().is_some_and(|memory| self.store.memories[memory].write(address, bytes).is_some())
    }

    fn exported_funcs(&mut self) -> Vec<Vec<ValType>> {
        let params = |func: usize| {
            let signature = self.store.types.signature(self.store.funcs[func].ty);
            signature.params.iter().map(|ty| ty.for_hosts()).collect()
        };
        self.funcs().into_iter().map(params).collect()
    }

    fn exported_func(&mut self, name: &str) -> Option<usize> {
        let Extern::Func(_) = self.store.export(self.caller?, name)? else { return None };
        let exports = &self.store.instances[self.caller?].module.exports;
        exports.iter().filter(|(_, kind, _)| super::module::is_func(*kind)).position(|(n, ..)| *n == name)
    }

    fn call_exported_func(&mut self, number: usize, args: &[Value]) -> Option<Vec<Value>> {
        let func = self.funcs()[number];
        self.store.invoke(func, args).map_err(|stop| self.failure = Some(stop)).ok()
    }

    fn host(&mut self) -> &mut Host {
        &mut self.store.host
    }
}
