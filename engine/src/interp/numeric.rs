//! Numbers, and moving them to and from memory.
//!
//! What an opcode computes is asked of `crate::numeric`, which hands out functions without state;
//! each becomes a handler of its own, and none is named here.

use super::dispatch::{Handler, plain};
use super::machine::{Machine, Memory, Regs, Stop, Trace};
use crate::numeric::{self, AccessVisitor, Slot, Visitor};
#[cfg(feature = "planted-faults")]
use crate::opcode::Opcode;
use crate::opcode::{Load, Numeric, Store, Wide};
use crate::trap::TrapKind;
use std::marker::PhantomData;

/// The handler of a scalar operator.
pub(super) fn operator<T: Trace, const FUEL: bool>(opcode: Numeric) -> Handler<T, FUEL> {
    numeric::visit(opcode, MakeHandler(PhantomData))
}

/// The handler of a load. Traps: `MemoryOutOfBounds`.
pub(super) fn load<T: Trace, const FUEL: bool>(opcode: Load) -> Handler<T, FUEL> {
    numeric::visit_load(opcode, MakeHandler(PhantomData))
}

/// The handler of a store. Traps: `MemoryOutOfBounds`.
pub(super) fn store<T: Trace, const FUEL: bool>(opcode: Store) -> Handler<T, FUEL> {
    numeric::visit_store(opcode, MakeHandler(PhantomData))
}

/// The handler of the opcode of a drawn fault, for meanings that are wrong.
#[cfg(feature = "planted-faults")]
pub(super) fn wrong<T: Trace, const FUEL: bool>(opcode: Opcode) -> Handler<T, FUEL> {
    let make = numeric::planted::Mutated(MakeHandler(PhantomData));
    match opcode {
        Opcode::Numeric(opcode) => numeric::visit(opcode, make),
        Opcode::Load(opcode) => numeric::visit_load(opcode, make),
        Opcode::Store(opcode) => numeric::visit_store(opcode, make),
        _ => unreachable!("faults are drawn for scalar operators, loads and stores"),
    }
}

/// The handler of an operator on pairs.
pub(super) fn wide<T: Trace, const FUEL: bool>(opcode: Wide) -> Handler<T, FUEL> {
    match opcode {
        Wide::I64Add128 => plain(|_, r| Ok(on_pairs(r, numeric::add128))),
        Wide::I64Sub128 => plain(|_, r| Ok(on_pairs(r, numeric::sub128))),
        Wide::I64MulWideS => plain(|_, r| Ok(to_pair(r, numeric::mul_wide_s))),
        Wide::I64MulWideU => plain(|_, r| Ok(to_pair(r, numeric::mul_wide_u))),
    }
}

#[inline(always)]
fn on_pairs(mut r: Regs, f: impl Fn(u64, u64, u64, u64) -> (u64, u64)) -> Regs {
    let (b_high, b_low) = (r.pop(), r.pop());
    to_pair(r, |a_low, a_high| f(a_low, a_high, b_low, b_high))
}

#[inline(always)]
fn to_pair(mut r: Regs, f: impl Fn(u64, u64) -> (u64, u64)) -> Regs {
    let (b, a) = (r.pop(), r.pop());
    let (low, high) = f(a, b);
    r.push(low);
    r.push(high);
    r
}

struct MakeHandler<T, const FUEL: bool>(PhantomData<T>);

impl<T: Trace, const FUEL: bool> Visitor for MakeHandler<T, FUEL> {
    type Output = Handler<T, FUEL>;

    fn unary<A: Slot, R: Slot>(self, f: impl Fn(A) -> R + Copy + 'static) -> Self::Output {
        plain(move |_, mut r| {
            let operand = r.top();
            *operand = f(A::from_slot(*operand)).to_slot();
            Ok(r)
        })
    }

    fn binary<A: Slot, B: Slot, R: Slot>(self, f: impl Fn(A, B) -> R + Copy + 'static) -> Self::Output {
        plain(move |_, mut r| {
            let right = r.pop();
            let left = r.top();
            *left = f(A::from_slot(*left), B::from_slot(right)).to_slot();
            Ok(r)
        })
    }

    fn try_unary<A: Slot, R: Slot>(
        self,
        f: impl Fn(A) -> Result<R, TrapKind> + Copy + 'static,
    ) -> Self::Output {
        plain(move |_, mut r| {
            let operand = r.top();
            *operand = f(A::from_slot(*operand))?.to_slot();
            Ok(r)
        })
    }

    fn try_binary<A: Slot, B: Slot, R: Slot>(
        self,
        f: impl Fn(A, B) -> Result<R, TrapKind> + Copy + 'static,
    ) -> Self::Output {
        plain(move |_, mut r| {
            let right = r.pop();
            let left = r.top();
            *left = f(A::from_slot(*left), B::from_slot(right))?.to_slot();
            Ok(r)
        })
    }
}

impl<T: Trace, const FUEL: bool> AccessVisitor for MakeHandler<T, FUEL> {
    type Output = Handler<T, FUEL>;

    fn load<const N: usize, R: Slot>(self, f: impl Fn([u8; N]) -> R + Copy + 'static) -> Self::Output {
        plain(move |m, mut r| {
            let place = Place::read(m, &mut r);
            let address = *r.top();
            let bytes = place.at::<N>(address)?;
            // SAFETY: the bytes are inside the memory.
            *r.top() = f(unsafe { bytes.read() }).to_slot();
            Ok(r)
        })
    }

    fn store<const N: usize, V: Slot>(self, f: impl Fn(V) -> [u8; N] + Copy + 'static) -> Self::Output {
        plain(move |m, mut r| {
            let place = Place::read(m, &mut r);
            let (value, address) = (r.pop(), r.pop());
            let bytes = place.at::<N>(address)?;
            // SAFETY: the bytes are inside the memory, to which there is no reference.
            unsafe { bytes.write(f(V::from_slot(value))) };
            Ok(r)
        })
    }
}

/// What the immediates of a load or store say.
struct Place<'m> {
    memory: &'m Memory,
    offset: u64,
}

impl<'m> Place<'m> {
    #[inline(always)]
    fn read<T: Trace, const FUEL: bool>(m: &'m Machine<'_, T, FUEL>, r: &mut Regs) -> Place<'m> {
        /// Says that a memory index follows; the other bits are a promise of alignment.
        const HAS_MEMORY: u32 = 1 << 6;
        let memory = if r.u32() & HAS_MEMORY == 0 { &m.memory } else { m.memory_at(r.u32()) };
        Place { memory, offset: r.u64() }
    }

    /// `N` bytes from the address and the offset on. Addresses of 32 bits are zero-extended in their slots,
    /// so the sum is that of the specification for both widths.
    #[inline(always)]
    fn at<const N: usize>(&self, address: u64) -> Result<*mut [u8; N], Stop> {
        let start = address.checked_add(self.offset);
        let end = start.and_then(|start| start.checked_add(N as u64));
        match (start, end) {
            (Some(start), Some(end)) if end <= self.memory.bytes => {
                Ok(self.memory.base.wrapping_add(start as usize).cast())
            }
            _ => Err(TrapKind::MemoryOutOfBounds.into()),
        }
    }
}
