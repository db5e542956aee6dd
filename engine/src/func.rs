//! Functions: calling them from outside, and writing them in Rust.

use crate::error::Error;
use crate::handle::{Func, Val};
use crate::module::ExternKind;
use crate::slots::in_a_row;
use crate::store::{
    AsContext, AsContextMut, Context, ContextMut, FuncId, FuncKind, FuncRecord, HostFunc, InstanceId,
    StoreInner,
};
use crate::trap::TrapKind;
use crate::types::{FuncType, ValType, slots_of};
use crate::val::{vector_of, vector_slots};
use std::marker::PhantomData;
use std::sync::Arc;

/// What makes two functions the same one, in every mode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FuncIdentity {
    /// Number of the instance in its store, and function index in its module.
    Wasm {
        /// Instance number.
        instance: u32,
        /// Function index, imports counted.
        func: u32,
    },
    /// A host function, by its number among all functions of the store.
    Host(u32),
}

impl Func {
    /// A host function of any type. `name` is what backtraces call it.
    pub fn new<T: 'static>(
        mut store: impl AsContextMut,
        name: &str,
        ty: FuncType,
        call: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Func {
        let store = store.context_mut().0;
        let func_type = Arc::new(ty.clone());
        let raw = move |store: &mut StoreInner, instance: Option<InstanceId>, slots: &mut [u64]| {
            let params = read_all(func_type.params(), slots, store);
            let types = store.engine.types();
            let default = |ty: &ValType| Val::default_of(*ty, types).unwrap_or(Val::FuncRef(None));
            let mut results: Vec<Val> = func_type.results().iter().map(default).collect();
            call(Caller::new(store, instance), &params, &mut results)?;
            write_all(func_type.results(), &results, slots, store)
                .map_err(|message| Error::Usage(format!("a host function gave wrong results: {message}")))
        };
        Func::raw(store, name, ty, Box::new(raw))
    }

    /// A host function whose type is that of a Rust closure.
    pub fn wrap<T: 'static, P: WasmValues, R: WasmValues>(
        mut store: impl AsContextMut,
        name: &str,
        call: impl Fn(Caller<'_, T>, P) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Func {
        let store = store.context_mut().0;
        let raw = move |store: &mut StoreInner, instance: Option<InstanceId>, slots: &mut [u64]| {
            let params = P::read(slots);
            call(Caller::new(store, instance), params)?.write(slots);
            Ok(())
        };
        Func::raw(store, name, FuncType::new(P::types(), R::types()), Box::new(raw))
    }

    fn raw(store: &mut StoreInner, name: &str, ty: FuncType, call: Box<crate::store::HostCall>) -> Func {
        let func_type = Arc::new(ty.clone());
        let ty = store.engine.types().func(ty);
        let kind = FuncKind::Host(Arc::new(HostFunc { name: name.into(), call }));
        let id = store.add_func(FuncRecord { ty, func_type, kind });
        store.func_handle(id)
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        let store = store.context().0;
        (*store.func(self.id(store)).func_type).clone()
    }

    /// What makes it the same function in every mode.
    pub fn identity(&self, store: impl AsContext) -> FuncIdentity {
        let store = store.context().0;
        let id = self.id(store);
        match &store.func(id).kind {
            FuncKind::Wasm { instance, func, .. } => {
                let func = store.instance(*instance).module.func_index(*func).0;
                FuncIdentity::Wasm { instance: instance.0, func }
            }
            FuncKind::Host(_) => FuncIdentity::Host(id.0),
        }
    }

    /// Calls it. `results` is as long as its result types and is overwritten.
    ///
    /// Fails with [`Error::Usage`] if the arguments are not of its type, or with the trap if it traps.
    pub fn call(
        &self,
        mut store: impl AsContextMut,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<(), Error> {
        let store = store.context_mut().0;
        let id = self.id(store);
        let ty = store.func(id).func_type.clone();
        if results.len() != ty.results().len() {
            let (given, wanted) = (results.len(), ty.results().len());
            return Err(Error::Usage(format!("room for {given} results where the function has {wanted}")));
        }
        let mut slots = vec![0; ty.param_slots().max(ty.result_slots()) as usize];
        write_all(ty.params(), params, &mut slots, store).map_err(Error::Usage)?;
        store.invoke(id, &mut slots)?;
        results.copy_from_slice(&read_all(ty.results(), &slots, store));
        Ok(())
    }

    /// The function as one of known Rust types; fails if its type is another.
    pub fn typed<P: WasmValues, R: WasmValues>(
        &self,
        store: impl AsContext,
    ) -> Result<TypedFunc<P, R>, Error> {
        let ty = self.ty(store);
        if ty.params() != &*P::types() || ty.results() != &*R::types() {
            return Err(Error::Usage(format!("the function has type {ty}")));
        }
        Ok(TypedFunc { func: *self, types: PhantomData })
    }

    fn id(&self, store: &StoreInner) -> FuncId {
        FuncId(store.own(self.stored))
    }
}

fn read_all(types: &[ValType], slots: &[u64], store: &StoreInner) -> Vec<Val> {
    let mut next = in_a_row();
    types.iter().map(|ty| Val::read(*ty, &slots[next(*ty)], store)).collect()
}

fn write_all(types: &[ValType], values: &[Val], slots: &mut [u64], store: &StoreInner) -> Result<(), String> {
    if types.len() != values.len() {
        return Err(format!("{} values where {} are expected", values.len(), types.len()));
    }
    let mut next = in_a_row();
    for (position, (ty, value)) in types.iter().zip(values).enumerate() {
        if !value.is_a(*ty, store) {
            return Err(format!("value {position} is {value:?} where {ty} is expected"));
        }
        value.write(&mut slots[next(*ty)], store);
    }
    Ok(())
}

/// A function of known Rust types.
#[derive(Clone, Copy)]
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<(P, R)>,
}

impl<P: WasmValues, R: WasmValues> TypedFunc<P, R> {
    /// Calls it; fails with the trap if it traps.
    pub fn call(&self, mut store: impl AsContextMut, params: P) -> Result<R, Error> {
        let store = store.context_mut().0;
        let mut slots = vec![0; slots_of(&P::types()).max(slots_of(&R::types())) as usize];
        params.write(&mut slots);
        store.invoke(self.func.id(store), &mut slots)?;
        Ok(R::read(&slots))
    }
}

/// A Rust type that is a WebAssembly value type. A `u128` is the bits of a vector, first lane lowest.
pub trait WasmValue: Copy {
    #[doc(hidden)]
    const TYPE: ValType;
    /// Writes the value to as many slots as its type takes.
    #[doc(hidden)]
    fn write_slots(self, slots: &mut [u64]);
    /// Reads a value from as many slots as its type takes.
    #[doc(hidden)]
    fn read_slots(slots: &[u64]) -> Self;
}

/// A value by way of a function, which gives closures their types.
fn converted<A, B>(value: A, by: fn(A) -> B) -> B {
    by(value)
}

macro_rules! wasm_value {
    ($($rust:ty, $wasm:ident, $to:expr, $from:expr;)*) => {$(
        impl WasmValue for $rust {
            const TYPE: ValType = ValType::$wasm;
            fn write_slots(self, slots: &mut [u64]) {
                slots[0] = converted(self, $to);
            }
            fn read_slots(slots: &[u64]) -> $rust {
                converted(slots[0], $from)
            }
        }
    )*};
}

wasm_value! {
    i32, I32, |value| u64::from(value as u32), |slot| slot as i32;
    u32, I32, u64::from, |slot| slot as u32;
    i64, I64, |value| value as u64, |slot| slot as i64;
    u64, I64, |value| value, |slot| slot;
    f32, F32, |value| u64::from(value.to_bits()), |slot| f32::from_bits(slot as u32);
    f64, F64, f64::to_bits, f64::from_bits;
}

impl WasmValue for u128 {
    const TYPE: ValType = ValType::V128;
    fn write_slots(self, slots: &mut [u64]) {
        slots[..2].copy_from_slice(&vector_slots(self));
    }
    fn read_slots(slots: &[u64]) -> u128 {
        vector_of([slots[0], slots[1]])
    }
}

/// Parameters or results as a Rust type: nothing, one value, or a tuple of values.
pub trait WasmValues {
    #[doc(hidden)]
    fn types() -> Box<[ValType]>;
    #[doc(hidden)]
    fn write(self, slots: &mut [u64]);
    #[doc(hidden)]
    fn read(slots: &[u64]) -> Self;
}

impl<V: WasmValue> WasmValues for V {
    fn types() -> Box<[ValType]> {
        Box::new([V::TYPE])
    }
    fn write(self, slots: &mut [u64]) {
        self.write_slots(slots);
    }
    fn read(slots: &[u64]) -> V {
        V::read_slots(slots)
    }
}

impl WasmValues for () {
    fn types() -> Box<[ValType]> {
        Box::default()
    }
    fn write(self, _: &mut [u64]) {}
    fn read(_: &[u64]) -> Self {}
}

macro_rules! wasm_values {
    ($($value:ident $position:tt),*) => {
        impl<$($value: WasmValue),*> WasmValues for ($($value,)*) {
            fn types() -> Box<[ValType]> {
                Box::new([$($value::TYPE),*])
            }
            fn write(self, slots: &mut [u64]) {
                let mut next = in_a_row();
                $(self.$position.write_slots(&mut slots[next($value::TYPE)]);)*
            }
            fn read(slots: &[u64]) -> Self {
                let mut next = in_a_row();
                ($($value::read_slots(&slots[next($value::TYPE)]),)*)
            }
        }
    };
}

wasm_values!(A 0);
wasm_values!(A 0, B 1);
wasm_values!(A 0, B 1, C 2);
wasm_values!(A 0, B 1, C 2, D 3);
wasm_values!(A 0, B 1, C 2, D 3, E 4);
wasm_values!(A 0, B 1, C 2, D 3, E 4, F 5);

/// What a host function knows of its caller: the store, and the instance that executed the call.
pub struct Caller<'a, T> {
    store: &'a mut StoreInner,
    instance: Option<InstanceId>,
    data: PhantomData<T>,
}

impl<'a, T: 'static> Caller<'a, T> {
    pub(crate) fn new(store: &'a mut StoreInner, instance: Option<InstanceId>) -> Caller<'a, T> {
        Caller { store, instance, data: PhantomData }
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        self.store.host_data.downcast_ref().expect("host functions and store have the same data type")
    }

    /// The embedder's data, to change.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.host_data.downcast_mut().expect("host functions and store have the same data type")
    }

    /// Number of the calling instance in its store; `None` if called from outside.
    pub fn instance(&self) -> Option<u32> {
        self.instance.map(|id| id.0)
    }

    /// An export of the calling instance.
    pub fn export(&self, name: &str) -> Option<crate::instance::Extern> {
        let id = self.instance?;
        crate::instance::export(self.store, id, name)
    }

    /// The calling instance's first memory, if it is exported.
    pub fn exported_first_memory(&self) -> Option<crate::entities::Memory> {
        let exports = &self.store.instance(self.instance?).module.exports;
        let first = exports.iter().find(|export| export.kind == ExternKind::Memory && export.index == 0)?;
        self.export(&first.name)?.memory()
    }

    /// The functions the calling instance exports, in the order of its exports.
    pub fn exported_funcs(&self) -> Vec<Func> {
        let Some(instance) = self.instance else { return Vec::new() };
        let exports = self.store.instance(instance).module.exports.iter();
        exports.filter_map(|export| self.export(&export.name)?.func()).collect()
    }

    /// The number of the one of that name among them.
    pub fn exported_func_number(&self, name: &str) -> Option<usize> {
        let exports = self.store.instance(self.instance?).module.exports.iter();
        exports.filter(|export| export.kind == ExternKind::Func).position(|export| export.name == name)
    }

    /// Fuel that is left.
    pub fn fuel(&self) -> u64 {
        self.store.fuel
    }

    /// Copies bytes of the caller's first memory from `address` on into a buffer. All of them must be inside; an
    /// empty range may start at the end of the memory but not beyond it. Traps with "out of bounds memory access".
    pub fn read_guest(&self, address: u64, buffer: &mut [u8]) -> Result<(), Error> {
        let memory = self.first_memory()?;
        self.store.memories[memory].read(address, buffer).ok_or_else(out_of_bounds)
    }

    /// Copies bytes into the caller's first memory from `address` on. Traps as [`Caller::read_guest`], with nothing
    /// written.
    pub fn write_guest(&mut self, address: u64, bytes: &[u8]) -> Result<(), Error> {
        let memory = self.first_memory()?;
        self.store.memories[memory].write(address, bytes).ok_or_else(out_of_bounds)
    }

    /// The bytes from `address` up to a zero byte, which must be inside the memory. Traps as [`Caller::read_guest`].
    pub fn guest_string(&self, address: u64) -> Result<Vec<u8>, Error> {
        let memory = &self.store.memories[self.first_memory()?];
        let (mut string, mut chunk) = (Vec::new(), [0; 64]);
        loop {
            let at = address.checked_add(string.len() as u64).ok_or_else(out_of_bounds)?;
            let left = memory.len().checked_sub(at).filter(|left| *left > 0).ok_or_else(out_of_bounds)?;
            let read = &mut chunk[..left.min(64) as usize];
            memory.read(at, read).ok_or_else(out_of_bounds)?;
            match read.iter().position(|byte| *byte == 0) {
                Some(end) => {
                    string.extend_from_slice(&read[..end]);
                    return Ok(string);
                }
                None => string.extend_from_slice(read),
            }
        }
    }

    fn first_memory(&self) -> Result<usize, Error> {
        let instance = self.instance.ok_or_else(out_of_bounds)?;
        let memory = self.store.instance(instance).memories.first().ok_or_else(out_of_bounds)?;
        Ok(*memory as usize)
    }
}

fn out_of_bounds() -> Error {
    TrapKind::MemoryOutOfBounds.into()
}

impl<T> AsContext for Caller<'_, T> {
    fn context(&self) -> Context<'_> {
        Context(self.store)
    }
}

impl<T> AsContextMut for Caller<'_, T> {
    fn context_mut(&mut self) -> ContextMut<'_> {
        ContextMut(self.store)
    }
}
