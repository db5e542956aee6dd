//! What is promised of every machine, held against what its decoder reads.

use super::{Arch, Class, Decoder, Instruction, Pointer};
use crate::native::context::VmContext;
use crate::native::x64::X64;
use std::mem::offset_of;

/// The instructions of code.
fn decoded<A: Arch>(code: &[u8]) -> Vec<Instruction> {
    let mut decoder = A::Decoder::new(code, 0);
    let instructions: Vec<_> = decoder.by_ref().collect();
    assert_eq!(decoder.at() as usize, code.len(), "code is decoded to its end");
    instructions
}

/// Distances to the ends of a range and near its start.
fn distances<A: Arch>() -> [i64; 5] {
    [*A::DIRECT_RANGE.start(), -A::ISLAND_RANGE.end(), 0, *A::SHORT_RANGE.end(), *A::DIRECT_RANGE.end()]
}

fn distances_are_read_as_written<A: Arch>() {
    for distance in distances::<A>() {
        let mut bytes = vec![0; A::DISTANCE_BYTES as usize];
        A::write_distance(&mut bytes, distance);
        assert_eq!(A::read_distance(&bytes), distance);
    }
}

fn an_island_is_a_jump_to_its_target<A: Arch>() {
    const START: u32 = 4096;
    for distance in [-i64::from(START), 16, 4096, 1 << 20] {
        let mut code = vec![0; (START + A::ISLAND_BYTES) as usize];
        A::write_island(&mut code[START as usize..], distance);
        let target = (i64::from(START) + distance) as u32;
        let island = A::Decoder::new(&code, START).next().expect("there is an instruction");
        assert_eq!(island.class, Class::Jump(target));
        assert_eq!((island.start, island.end), (START, START + A::ISLAND_BYTES));
    }
}

fn padding_stops<A: Arch>() {
    let code = A::PADDING.repeat(3);
    assert!(decoded::<A>(&code).iter().all(|instruction| instruction.class == Class::Trap));
    assert_eq!(decoded::<A>(&code).len(), 3);
    let is_multiple = |bytes: u32| bytes.is_multiple_of(A::PADDING.len() as u32);
    assert!(is_multiple(A::ISLAND_BYTES) && is_multiple(A::ALIGNMENT), "padding fills what it has to");
}

fn every_stub_jumps_to_the_compiler<A: Arch>() {
    const FUNCTIONS: u32 = 300;
    let (code, starts) = A::lazy_stubs(FUNCTIONS);
    let compile = Class::JumpThrough(Pointer::Context(offset_of!(VmContext, compile) as i32));
    let instructions = decoded::<A>(&code);
    let ends = starts.iter().skip(1).copied().chain([code.len() as u32]);
    assert_eq!(starts.len(), FUNCTIONS as usize);
    for (start, end) in starts.iter().zip(ends) {
        let last = instructions.iter().find(|instruction| instruction.end == end);
        assert_eq!(last.map(|last| last.class), Some(compile));
        assert!(instructions.iter().any(|instruction| instruction.start == *start));
    }
}

#[test]
fn x64_keeps_what_is_promised_of_a_machine() {
    distances_are_read_as_written::<X64>();
    an_island_is_a_jump_to_its_target::<X64>();
    padding_stops::<X64>();
    every_stub_jumps_to_the_compiler::<X64>();
}
