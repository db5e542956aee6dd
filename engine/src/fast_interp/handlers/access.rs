//! Loads and stores.
//!
//! Most accesses of most programs go to memory 0 by a 32-bit address: those have handlers by the place
//! of address and value, and the machine's own base and length. All others share one handler an opcode.

use super::super::context::Context;
use super::super::dispatch::{Class, Flow, Machine, Op, handler};
use super::numeric::Results;
use super::{ACCUMULATOR, IMMEDIATE, SLOT, conjure, result};
use crate::numeric::{AccessVisitor, Slot};
use crate::trap::TrapKind;
use std::marker::PhantomData;

/// The value of a store is in the accumulator for floats.
const FLOAT_ACCUMULATOR: u8 = 3;

/// Handlers of a load.
pub(in super::super) struct LoadForms {
    /// By class of result (integer or float), then by place of the address.
    pub near: [[Results; 3]; 2],
    /// Any memory and any index type.
    pub far: u64,
}

/// Handlers of a store.
pub(in super::super) struct StoreForms {
    /// By place of the address, then of the value; the last is the accumulator for floats.
    pub near: [[u64; 4]; 3],
    /// Any memory and any index type.
    pub far: u64,
}

/// Makes the handlers of a load.
pub(in super::super) struct LoadFormsOf;

/// Makes the handlers of a store.
pub(in super::super) struct StoreFormsOf;

impl AccessVisitor for LoadFormsOf {
    type Output = LoadForms;

    fn load<const N: usize, R: Slot>(self, f: impl Fn([u8; N]) -> R + Copy + 'static) -> LoadForms {
        load_forms(f)
    }

    fn store<const N: usize, V: Slot>(self, _: impl Fn(V) -> [u8; N] + Copy + 'static) -> LoadForms {
        unreachable!("loads have the meaning of loads")
    }
}

impl AccessVisitor for StoreFormsOf {
    type Output = StoreForms;

    fn load<const N: usize, R: Slot>(self, _: impl Fn([u8; N]) -> R + Copy + 'static) -> StoreForms {
        unreachable!("stores have the meaning of stores")
    }

    fn store<const N: usize, V: Slot>(self, f: impl Fn(V) -> [u8; N] + Copy + 'static) -> StoreForms {
        store_forms(f)
    }
}

fn load_forms<F: Fn([u8; N]) -> R + Copy + 'static, const N: usize, R: Slot>(_: F) -> LoadForms {
    fn near<F, const N: usize, R: Slot, const ADDRESS: u8, const FLOAT: bool>() -> Results
    where
        F: Fn([u8; N]) -> R + Copy + 'static,
    {
        Results {
            stored: handler::<Load<F, N, R, ADDRESS, FLOAT, true>>(),
            quiet: handler::<Load<F, N, R, ADDRESS, FLOAT, false>>(),
        }
    }
    LoadForms {
        near: [
            [
                near::<F, N, R, SLOT, false>(),
                near::<F, N, R, ACCUMULATOR, false>(),
                near::<F, N, R, IMMEDIATE, false>(),
            ],
            [
                near::<F, N, R, SLOT, true>(),
                near::<F, N, R, ACCUMULATOR, true>(),
                near::<F, N, R, IMMEDIATE, true>(),
            ],
        ],
        far: handler::<LoadFar<F, N, R>>(),
    }
}

fn store_forms<F: Fn(V) -> [u8; N] + Copy + 'static, const N: usize, V: Slot>(_: F) -> StoreForms {
    fn near<F, const N: usize, V: Slot, const ADDRESS: u8>() -> [u64; 4]
    where
        F: Fn(V) -> [u8; N] + Copy + 'static,
    {
        [
            handler::<Store<F, N, V, ADDRESS, SLOT>>(),
            handler::<Store<F, N, V, ADDRESS, ACCUMULATOR>>(),
            handler::<Store<F, N, V, ADDRESS, IMMEDIATE>>(),
            handler::<Store<F, N, V, ADDRESS, FLOAT_ACCUMULATOR>>(),
        ]
    }
    StoreForms {
        near: [near::<F, N, V, SLOT>(), near::<F, N, V, ACCUMULATOR>(), near::<F, N, V, IMMEDIATE>()],
        far: handler::<StoreFar<F, N, V>>(),
    }
}

/// The accumulator for floats of so many bytes.
#[inline(always)]
fn float_class<const N: usize>() -> Class {
    if N == 4 { Class::Single } else { Class::Double }
}

/// Where an access of `N` bytes to memory 0 goes: static offset and place of the address.
///
/// # Safety
/// As for [`Op::run`].
#[inline(always)]
unsafe fn near_address<const N: usize, const ADDRESS: u8>(
    machine: &Machine,
    field: usize,
) -> Option<*mut u8> {
    // SAFETY: the caller's.
    let (base, offset) = unsafe {
        let base = match ADDRESS {
            SLOT => machine.slot(machine.field(field)) as u32,
            ACCUMULATOR => machine.int as u32,
            _ => 0,
        };
        (u64::from(base), u64::from(machine.half(1)))
    };
    // Both are less than 2^32, so nothing wraps.
    let start = base + offset;
    if start + N as u64 <= machine.memory_len {
        // SAFETY: the access lies inside the memory.
        Some(unsafe { machine.memory.add(start as usize) })
    } else {
        None
    }
}

struct Load<F, const N: usize, R, const ADDRESS: u8, const FLOAT: bool, const STORED: bool>(
    PhantomData<(F, R)>,
);

impl<F, const N: usize, R: Slot, const ADDRESS: u8, const FLOAT: bool, const STORED: bool> Op
    for Load<F, N, R, ADDRESS, FLOAT, STORED>
where
    F: Fn([u8; N]) -> R + Copy + 'static,
{
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; the address is inside the memory.
        unsafe {
            let Some(address) = near_address::<N, ADDRESS>(machine, 1) else {
                return machine.trap(TrapKind::MemoryOutOfBounds);
            };
            let slot = conjure::<F>()(address.cast::<[u8; N]>().read()).to_slot();
            result::<STORED>(machine, if FLOAT { float_class::<N>() } else { Class::Int }, slot);
            machine.advance(2)
        }
    }
}

struct Store<F, const N: usize, V, const ADDRESS: u8, const VALUE: u8>(PhantomData<(F, V)>);

impl<F, const N: usize, V: Slot, const ADDRESS: u8, const VALUE: u8> Op for Store<F, N, V, ADDRESS, VALUE>
where
    F: Fn(V) -> [u8; N] + Copy + 'static,
{
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; the address is inside the memory.
        unsafe {
            let value = match VALUE {
                SLOT => machine.slot(machine.field(1)),
                ACCUMULATOR => machine.int,
                FLOAT_ACCUMULATOR => machine.accumulator(float_class::<N>()),
                _ => machine.word(2),
            };
            let Some(address) = near_address::<N, ADDRESS>(machine, 0) else {
                return machine.trap(TrapKind::MemoryOutOfBounds);
            };
            address.cast::<[u8; N]>().write(conjure::<F>()(V::from_slot(value)));
            machine.advance(if VALUE == IMMEDIATE { 3 } else { 2 })
        }
    }
}

/// Where an access goes in any memory: fields of the address, the memory's number, the offset.
///
/// # Safety
/// As for [`Op::run`].
#[inline(always)]
unsafe fn far_address<const N: usize>(machine: &Machine, field: usize) -> Option<*mut u8> {
    // SAFETY: the caller's; the context is the running activation's.
    unsafe {
        let base = machine.slot(machine.field(field));
        let (memory, offset) = (machine.half(1), machine.word(2));
        let context: &mut Context = &mut *machine.context;
        let number = context.instance().memories[memory as usize];
        let memory = &context.store().memories[number as usize];
        let end = base.checked_add(offset)?.checked_add(N as u64)?;
        if end > memory.len() {
            return None;
        }
        Some(memory.base().add((end - N as u64) as usize))
    }
}

struct LoadFar<F, const N: usize, R>(PhantomData<(F, R)>);

impl<F: Fn([u8; N]) -> R + Copy + 'static, const N: usize, R: Slot> Op for LoadFar<F, N, R> {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; the address is inside the memory.
        unsafe {
            let Some(address) = far_address::<N>(machine, 1) else {
                return machine.trap(TrapKind::MemoryOutOfBounds);
            };
            let slot = conjure::<F>()(address.cast::<[u8; N]>().read()).to_slot();
            machine.set_slot(machine.field(0), slot);
            machine.int = slot;
            machine.advance(3)
        }
    }
}

struct StoreFar<F, const N: usize, V>(PhantomData<(F, V)>);

impl<F: Fn(V) -> [u8; N] + Copy + 'static, const N: usize, V: Slot> Op for StoreFar<F, N, V> {
    #[inline(always)]
    unsafe fn run(machine: &mut Machine) -> Flow {
        // SAFETY: the caller's; the address is inside the memory.
        unsafe {
            let value = V::from_slot(machine.slot(machine.field(1)));
            let Some(address) = far_address::<N>(machine, 0) else {
                return machine.trap(TrapKind::MemoryOutOfBounds);
            };
            address.cast::<[u8; N]>().write(conjure::<F>()(value));
            machine.advance(3)
        }
    }
}
