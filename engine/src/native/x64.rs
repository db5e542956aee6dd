//! x86-64 as compiled modes see it: the assembler, the decoder, which registers play which part, and the pieces of
//! code between Rust and compiled code.

pub(crate) mod asm;
pub(crate) mod decode;
pub(crate) mod thunks;

use super::arch::Arch;
use super::context::VmContext;
use super::thunks::Pieces;
use asm::*;
use std::ops::RangeInclusive;
use thunks::field;

/// The machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct X64;

/// Address of the running activation's context.
pub(crate) const CONTEXT: Gpr = R15;
/// Base of memory 0, in functions that use it.
pub(crate) const MEMORY: Gpr = R14;
/// What is left of the fuel while guest code runs that counts it; elsewhere the context has it.
pub(crate) const FUEL: Gpr = R10;
/// Never holds a value from one instruction of the module to the next.
pub(crate) const SCRATCH: Gpr = R11;
/// The same for floats.
pub(crate) const FLOAT_SCRATCH: Xmm = Xmm(15);
/// Integer and reference arguments, in order.
pub(crate) const INT_ARGUMENTS: [Gpr; 6] = [RDI, RSI, RDX, RCX, R8, R9];
/// Floating-point arguments, in order.
pub(crate) const FLOAT_ARGUMENTS: [Xmm; 8] = [Xmm(0), Xmm(1), Xmm(2), Xmm(3), Xmm(4), Xmm(5), Xmm(6), Xmm(7)];
/// A single integer result.
pub(crate) const INT_RESULT: Gpr = RAX;
/// A single floating-point result.
pub(crate) const FLOAT_RESULT: Xmm = Xmm(0);

/// The opcode of a direct jump, before its distance.
const JUMP: u8 = 0xe9;
/// The breakpoint instruction.
const TRAP: u8 = 0xcc;

impl Arch for X64 {
    type Decoder<'a> = decode::Decoder<'a>;

    const DIRECT_RANGE: RangeInclusive<i64> = i32::MIN as i64..=i32::MAX as i64;
    const SHORT_RANGE: RangeInclusive<i64> = -128..=127;
    const ISLAND_RANGE: RangeInclusive<i64> = -4096..=4095;
    const DISTANCE_BYTES: u32 = 4;
    // A distance counts from the end of the instruction.
    const DISTANCE_ORIGIN: u32 = 4;
    const ISLAND_BYTES: u32 = 5;
    const ALIGNMENT: u32 = 16;
    const PADDING: &'static [u8] = &[TRAP];

    const INT_ARGUMENT_REGISTERS: usize = INT_ARGUMENTS.len();
    const FLOAT_ARGUMENT_REGISTERS: usize = FLOAT_ARGUMENTS.len();
    const CONTEXT_REGISTER: u8 = CONTEXT.0;
    const FRAME_REGISTER: u8 = RBP.0;
    const CALL_BYTES: u64 = 8;
    const CROSSING_BYTES: u64 = 24;

    fn write_distance(bytes: &mut [u8], distance: i64) {
        bytes.copy_from_slice(&(distance as i32).to_le_bytes());
    }

    fn read_distance(bytes: &[u8]) -> i64 {
        i64::from(i32::from_le_bytes(bytes.try_into().expect("a distance has four bytes")))
    }

    fn write_island(bytes: &mut [u8], distance: i64) {
        let distance = distance - i64::from(X64::ISLAND_BYTES);
        assert!(X64::DIRECT_RANGE.contains(&distance), "code is never larger than what a jump reaches");
        let (opcode, rest) = bytes.split_first_mut().expect("an island has five bytes");
        *opcode = JUMP;
        X64::write_distance(rest, distance);
    }

    fn thunks() -> (Vec<u8>, Pieces<u32>) {
        thunks::emit()
    }

    fn lazy_stubs(functions: u32) -> (Vec<u8>, Vec<u32>) {
        let mut asm = Asm::default();
        let stub = |func| {
            let start = asm.here();
            asm.mov_ri(RAX, u64::from(func));
            asm.jmp_m(field!(compile));
            start
        };
        let starts = (0..functions).map(stub).collect();
        (asm.code.into_bytes(), starts)
    }

    unsafe fn return_address(context: &VmContext) -> u64 {
        // SAFETY: the call has pushed the return address, and the caller promises that the context says where; where
        // a frame was given up, its return address is on top.
        unsafe { (context.guest_sp as *const u64).read() }
    }
}
