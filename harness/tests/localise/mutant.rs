//! A subject with a known fault: one instruction of one module means another to it.

use crosscheck::case::Case;
use crosscheck::observe::{Capture, Observation};
use crosscheck::subject::{Capabilities, LaneSubject, Prepared, Subject, Watch};
use wasmparser::{Parser, Payload};

/// Pairs of one-byte opcodes of the same type. None on the left is one that probes are made of.
const OTHERS: &[(u8, u8)] = &[
    (0x2c, 0x2d), // i32.load8_s, i32.load8_u
    (0x2d, 0x2c),
    (0x2e, 0x2f), // i32.load16_s, i32.load16_u
    (0x2f, 0x2e),
    (0x30, 0x31), // i64.load8_s, i64.load8_u
    (0x31, 0x30),
    (0x46, 0x47), // i32.eq, i32.ne
    (0x47, 0x46),
    (0x48, 0x49), // i32.lt_s, i32.lt_u
    (0x49, 0x4a),
    (0x4c, 0x4d), // i32.le_s, i32.le_u
    (0x4e, 0x4c), // i32.ge_s, i32.le_s
    (0x51, 0x52), // i64.eq, i64.ne
    (0x52, 0x51),
    (0x53, 0x54), // i64.lt_s, i64.lt_u
    (0x5d, 0x5e), // f32.lt, f32.gt
    (0x63, 0x65), // f64.lt, f64.le
    (0x67, 0x68), // i32.clz, i32.ctz
    (0x69, 0x67), // i32.popcnt, i32.clz
    (0x6a, 0x73), // i32.add, i32.xor
    (0x6c, 0x6a), // i32.mul, i32.add
    (0x6d, 0x6e), // i32.div_s, i32.div_u
    (0x6f, 0x70), // i32.rem_s, i32.rem_u
    (0x71, 0x72), // i32.and, i32.or
    (0x72, 0x71),
    (0x73, 0x72),
    (0x74, 0x76), // i32.shl, i32.shr_u
    (0x75, 0x76), // i32.shr_s, i32.shr_u
    (0x76, 0x75),
    (0x77, 0x78), // i32.rotl, i32.rotr
    (0x79, 0x7a), // i64.clz, i64.ctz
    (0x7c, 0x7d), // i64.add, i64.sub
    (0x7d, 0x7c),
    (0x7e, 0x7c), // i64.mul, i64.add
    (0x83, 0x84), // i64.and, i64.or
    (0x84, 0x83),
    (0x86, 0x88), // i64.shl, i64.shr_u
    (0x87, 0x88), // i64.shr_s, i64.shr_u
    (0x88, 0x87),
    (0x8b, 0x8c), // f32.abs, f32.neg
    (0x8c, 0x8b),
    (0x8f, 0x90), // f32.trunc, f32.nearest
    (0x92, 0x93), // f32.add, f32.sub
    (0x94, 0x92), // f32.mul, f32.add
    (0x96, 0x97), // f32.min, f32.max
    (0x99, 0x9a), // f64.abs, f64.neg
    (0x9a, 0x99),
    (0xa0, 0xa1), // f64.add, f64.sub
    (0xa2, 0xa0), // f64.mul, f64.add
    (0xa4, 0xa5), // f64.min, f64.max
    (0xac, 0xad), // i64.extend_i32_s, i64.extend_i32_u
    (0xb2, 0xb3), // f32.convert_i32_s, f32.convert_i32_u
    (0xb7, 0xb8), // f64.convert_i32_s, f64.convert_i32_u
    (0xc0, 0xc1), // i32.extend8_s, i32.extend16_s
];

/// Which instruction means something else, told so that a probe elsewhere in the module does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mutation {
    pub module: usize,
    body: usize,
    from: u8,
    to: u8,
    /// The how manyth of its opcode in the body.
    number: usize,
    /// Its file offset in the module without probes.
    pub offset: usize,
}

/// All mutations that the modules of a case offer.
pub fn mutations(case: &Case) -> Vec<Mutation> {
    let mut all = Vec::new();
    for (module, wasm) in case.modules.iter().map(|module| &module.wasm).enumerate() {
        for (body, offsets) in bodies(wasm).into_iter().enumerate() {
            for offset in &offsets {
                let Some((from, to)) = OTHERS.iter().find(|(from, _)| *from == wasm[*offset]) else {
                    continue;
                };
                let same = |other: &&usize| *other < offset && wasm[**other] == *from;
                let number = offsets.iter().filter(same).count();
                all.push(Mutation { module, body, from: *from, to: *to, number, offset: *offset });
            }
        }
    }
    all
}

/// Offsets of the instructions of each body.
pub fn bodies(wasm: &[u8]) -> Vec<Vec<usize>> {
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Ok(Payload::CodeSectionEntry(body)) = payload else { continue };
        let operators = body.get_operators_reader().expect("the module is valid").into_iter_with_offsets();
        bodies.push(operators.map(|item| item.expect("the module is valid").1 as usize).collect());
    }
    bodies
}

/// A lane to which the instruction means something else.
pub struct Mutant {
    pub lane: LaneSubject,
    pub mutation: Mutation,
}

impl Subject for Mutant {
    fn name(&self) -> &str {
        "mutant"
    }

    fn capabilities(&self) -> Capabilities {
        self.lane.capabilities()
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let Mutation { module, body, from, to, number, .. } = self.mutation;
        let mut case = prepared.case.clone();
        let wasm = &mut case.modules[module].wasm;
        let offset = bodies(wasm)[body].iter().copied().filter(|offset| wasm[*offset] == from).nth(number);
        wasm[offset.expect("probes leave the instruction where it is")] = to;
        self.lane.observe(&Prepared::new(&case), capture, watch)
    }
}
