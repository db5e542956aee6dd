//! Every method's output is the intended instruction with the intended operands, says an independent
//! disassembler, for every register and every class of displacement; and our own decoder agrees with it.

use super::*;
use crate::native::arch::{Class, Decoder as _, Pointer};
use crate::native::x64::decode::Decoder;
use iced_x86::{Code, FlowControl, Instruction, Mnemonic, OpKind, Register};

/// An intended operand.
#[derive(Clone, Copy, Debug)]
enum Operand {
    Int(Gpr, u32),
    Vector(Xmm),
    /// So many bytes of memory; 0 where none is accessed.
    Memory(Mem, u32),
    Number(i64),
    /// Of which the upper half means nothing.
    Narrow(i32),
}

use Operand::{Int, Memory, Narrow, Number, Vector};

const GPRS: [Gpr; 16] = [RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15];
/// None, one byte and four bytes, and the ends of each.
const DISPLACEMENTS: [i32; 10] = [0, 1, -1, 8, 127, -128, 128, -129, i32::MAX, i32::MIN];
const NUMBERS: [i32; 9] = [0, 1, -1, 127, -128, 128, -129, i32::MAX, i32::MIN];
const WIDTHS: [Width; 2] = [Width::W32, Width::W64];
const FLOATS: [Float; 2] = [Float::Single, Float::Double];
const CONDITIONS: [Cond; 13] = [
    Cond::Below,
    Cond::AboveEqual,
    Cond::Equal,
    Cond::NotEqual,
    Cond::BelowEqual,
    Cond::Above,
    Cond::Sign,
    Cond::Parity,
    Cond::NoParity,
    Cond::Less,
    Cond::GreaterEqual,
    Cond::LessEqual,
    Cond::Greater,
];

fn vectors() -> impl Iterator<Item = Xmm> {
    (0..16).map(Xmm)
}

/// Every pair of registers.
fn pairs() -> impl Iterator<Item = (Gpr, Gpr)> {
    GPRS.into_iter().flat_map(|a| GPRS.map(|b| (a, b)))
}

/// Every base, index, scale and class of displacement.
fn addresses() -> Vec<Mem> {
    let mut all = Vec::new();
    for disp in DISPLACEMENTS {
        for base in GPRS {
            all.push(Mem::at(base, disp));
            for index in GPRS.into_iter().filter(|index| *index != RSP) {
                all.push(Mem::indexed(base, index, disp));
                all.extend((1..=3).map(|scale| Mem::scaled(base, index, scale, disp)));
            }
        }
    }
    all
}

fn bytes(width: Width) -> u32 {
    match width {
        Width::W32 => 4,
        Width::W64 => 8,
    }
}

fn float_bytes(float: Float) -> u32 {
    match float {
        Float::Single => 4,
        Float::Double => 8,
    }
}

fn register(reg: Gpr, bytes: u32) -> Register {
    let number = u32::from(reg.0);
    match bytes {
        1 if number < 4 => Register::AL + number,
        1 => Register::SPL + (number - 4),
        2 => Register::AX + number,
        4 => Register::EAX + number,
        _ => Register::RAX + number,
    }
}

/// What both decoders make of the one instruction that `write` writes.
fn decoded(write: impl FnOnce(&mut Asm)) -> Instruction {
    let mut asm = Asm::default();
    write(&mut asm);
    let code = asm.code.bytes();
    let instruction = iced_x86::Decoder::with_ip(64, code, 0, iced_x86::DecoderOptions::NONE).decode();
    assert_eq!(instruction.len(), code.len(), "{code:02x?}: {:?}", instruction.mnemonic());
    let ours = Decoder::new(code, 0).next().expect("there is an instruction");
    assert_eq!((ours.start, ours.end as usize), (0, code.len()), "{code:02x?}");
    assert_eq!((ours.class, ours.may_fault), classified(&instruction), "{code:02x?}");
    instruction
}

/// What our decoder should say of an instruction.
fn classified(decoded: &Instruction) -> (Class, bool) {
    let target = || decoded.near_branch_target() as u32;
    let pointer = || match (decoded.memory_base(), decoded.memory_index()) {
        (Register::R15, Register::None) => Pointer::Context(decoded.memory_displacement64() as i32),
        (Register::R11, Register::None) => Pointer::Scratch(decoded.memory_displacement64() as i32),
        _ => Pointer::Elsewhere,
    };
    let is_register = decoded.op0_kind() == OpKind::Register;
    let class = match decoded.flow_control() {
        FlowControl::Next => return not_control(decoded),
        FlowControl::UnconditionalBranch => Class::Jump(target()),
        FlowControl::ConditionalBranch => Class::Branch(decoded.condition_code() as u8 - 1, target()),
        FlowControl::Call => Class::Call(target()),
        FlowControl::IndirectCall if is_register => Class::CallElsewhere,
        FlowControl::IndirectCall => Class::CallThrough(pointer()),
        FlowControl::IndirectBranch if decoded.op0_register() == Register::R11 => Class::JumpTable,
        FlowControl::IndirectBranch if is_register => Class::Invalid,
        FlowControl::IndirectBranch => Class::JumpThrough(pointer()),
        FlowControl::Return => Class::Return,
        FlowControl::Interrupt if decoded.code() == Code::Int3 => Class::Trap,
        FlowControl::Interrupt | FlowControl::XbeginXabortXend | FlowControl::Exception => Class::Invalid,
    };
    (class, false)
}

fn not_control(decoded: &Instruction) -> (Class, bool) {
    if decoded.memory_base() == Register::RIP {
        return (Class::TableAddress(decoded.memory_displacement64() as u32), false);
    }
    let accesses = !matches!(decoded.mnemonic(), Mnemonic::Lea | Mnemonic::Push);
    if decoded.memory_base() == Register::R14 && accesses {
        let is_compared =
            decoded.memory_index() == Register::R11 && (decoded.memory_displacement64() as i64) < 0;
        return (Class::Access, !is_compared);
    }
    let is_number = matches!(decoded.op1_kind(), OpKind::Immediate32 | OpKind::Immediate8to32);
    if decoded.mnemonic() == Mnemonic::Cmp && decoded.op0_register().is_gpr32() && is_number {
        return (Class::Compare(decoded.immediate(1) as u32), false);
    }
    (Class::Plain, false)
}

/// The instruction that `write` writes is this one, with these operands.
#[track_caller]
fn check(mnemonic: Mnemonic, operands: &[Operand], write: impl FnOnce(&mut Asm)) {
    let decoded = decoded(write);
    assert_eq!(decoded.mnemonic(), mnemonic);
    for (number, operand) in operands.iter().enumerate() {
        let number = number as u32;
        match *operand {
            Int(reg, bytes) => assert_eq!(decoded.op_register(number), register(reg, bytes), "{operands:?}"),
            Vector(reg) => {
                assert_eq!(decoded.op_register(number), Register::XMM0 + u32::from(reg.0), "{operands:?}");
            }
            Memory(mem, bytes) => {
                assert_eq!(decoded.op_kind(number), OpKind::Memory, "{operands:?}");
                assert_eq!(decoded.memory_base(), register(mem.base, 8), "{operands:?}");
                let index = mem.index.map_or(Register::None, |index| register(index, 8));
                assert_eq!(decoded.memory_index(), index, "{operands:?}");
                assert_eq!(decoded.memory_index_scale(), 1 << mem.scale, "{operands:?}");
                assert_eq!(decoded.memory_displacement64() as i64, i64::from(mem.disp), "{operands:?}");
                if bytes > 0 {
                    assert_eq!(decoded.memory_size().size(), bytes as usize, "{operands:?}");
                }
            }
            Number(value) => assert_eq!(decoded.immediate(number) as i64, value, "{operands:?}"),
            Narrow(value) => assert_eq!(decoded.immediate(number) as i32, value, "{operands:?}"),
        }
    }
    assert_eq!(decoded.op_count() as usize, operands.len(), "{operands:?}");
}

/// A number as an instruction of this width takes it.
fn number(width: Width, value: i32) -> Operand {
    match width {
        Width::W32 => Narrow(value),
        Width::W64 => Number(i64::from(value)),
    }
}

/// A register that goes with an address, so that all of both are seen together.
fn partner(mem: Mem) -> (Gpr, Xmm) {
    let index = mem.index.map_or(3, |index| u32::from(index.0) * 5);
    let mixed = u32::from(mem.base.0) * 7 + index + (mem.disp as u32 & 0xff) + u32::from(mem.scale);
    (GPRS[mixed as usize % 16], Xmm((mixed / 3 % 16) as u8))
}

const ALUS: [(Alu, Mnemonic); 8] = [
    (Alu::Add, Mnemonic::Add),
    (Alu::Or, Mnemonic::Or),
    (Alu::Adc, Mnemonic::Adc),
    (Alu::Sbb, Mnemonic::Sbb),
    (Alu::And, Mnemonic::And),
    (Alu::Sub, Mnemonic::Sub),
    (Alu::Xor, Mnemonic::Xor),
    (Alu::Cmp, Mnemonic::Cmp),
];
const SHIFTS: [(Shift, Mnemonic); 5] = [
    (Shift::Rol, Mnemonic::Rol),
    (Shift::Ror, Mnemonic::Ror),
    (Shift::Shl, Mnemonic::Shl),
    (Shift::Shr, Mnemonic::Shr),
    (Shift::Sar, Mnemonic::Sar),
];
const UNARIES: [(Unary, Mnemonic); 4] = [
    (Unary::Mul, Mnemonic::Mul),
    (Unary::Imul, Mnemonic::Imul),
    (Unary::Div, Mnemonic::Div),
    (Unary::Idiv, Mnemonic::Idiv),
];
const SSES: [(Sse, Mnemonic, Mnemonic); 7] = [
    (Sse::Sqrt, Mnemonic::Sqrtss, Mnemonic::Sqrtsd),
    (Sse::Add, Mnemonic::Addss, Mnemonic::Addsd),
    (Sse::Mul, Mnemonic::Mulss, Mnemonic::Mulsd),
    (Sse::Sub, Mnemonic::Subss, Mnemonic::Subsd),
    (Sse::Min, Mnemonic::Minss, Mnemonic::Minsd),
    (Sse::Div, Mnemonic::Divss, Mnemonic::Divsd),
    (Sse::Max, Mnemonic::Maxss, Mnemonic::Maxsd),
];
const BITS: [(Bits, Mnemonic, Mnemonic); 4] = [
    (Bits::And, Mnemonic::Andps, Mnemonic::Andpd),
    (Bits::AndNot, Mnemonic::Andnps, Mnemonic::Andnpd),
    (Bits::Or, Mnemonic::Orps, Mnemonic::Orpd),
    (Bits::Xor, Mnemonic::Xorps, Mnemonic::Xorpd),
];

fn of(float: Float, single: Mnemonic, double: Mnemonic) -> Mnemonic {
    match float {
        Float::Single => single,
        Float::Double => double,
    }
}

#[test]
fn moves_between_registers() {
    for (a, b) in pairs() {
        for width in WIDTHS {
            let w = bytes(width);
            check(Mnemonic::Mov, &[Int(a, w), Int(b, w)], |asm| asm.mov_rr(width, a, b));
            check(Mnemonic::Movsx, &[Int(a, w), Int(b, 1)], |asm| asm.movsx_rr8(width, a, b));
            check(Mnemonic::Movsx, &[Int(a, w), Int(b, 2)], |asm| asm.movsx_rr16(width, a, b));
        }
        check(Mnemonic::Movzx, &[Int(a, 4), Int(b, 1)], |asm| asm.movzx_rr8(a, b));
        check(Mnemonic::Movsxd, &[Int(a, 8), Int(b, 4)], |asm| asm.movsxd_rr(a, b));
        let swapped = decoded(|asm| asm.xchg_rr(a, b));
        let mut registers = [swapped.op0_register(), swapped.op1_register()];
        let mut expected = [register(a, 8), register(b, 8)];
        registers.sort();
        expected.sort();
        assert_eq!((swapped.mnemonic(), registers), (Mnemonic::Xchg, expected));
    }
    for reg in GPRS {
        check(Mnemonic::Push, &[Int(reg, 8)], |asm| asm.push(reg));
        check(Mnemonic::Pop, &[Int(reg, 8)], |asm| asm.pop(reg));
        for value in [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32, u64::MAX, 1 << 63, u64::MAX << 31]
        {
            let decoded = decoded(|asm| asm.mov_ri(reg, value));
            assert_eq!(decoded.mnemonic(), Mnemonic::Mov);
            assert_eq!(decoded.op0_register().full_register(), register(reg, 8));
            // The upper half of a 32-bit register's destination becomes zero.
            let narrow = decoded.op0_register().size() == 4;
            let given = decoded.immediate(1);
            assert_eq!(if narrow { given & 0xffff_ffff } else { given }, value);
            assert!(!narrow || given >> 32 == 0);
        }
    }
}

#[test]
fn moves_from_and_to_memory() {
    for mem in addresses() {
        let (reg, vector) = partner(mem);
        for width in WIDTHS {
            let w = bytes(width);
            check(Mnemonic::Mov, &[Int(reg, w), Memory(mem, w)], |asm| asm.mov_rm(width, reg, mem));
            check(Mnemonic::Mov, &[Memory(mem, w), Int(reg, w)], |asm| asm.mov_mr(width, mem, reg));
            check(Mnemonic::Movsx, &[Int(reg, w), Memory(mem, 1)], |asm| asm.movsx_rm8(width, reg, mem));
            check(Mnemonic::Movsx, &[Int(reg, w), Memory(mem, 2)], |asm| asm.movsx_rm16(width, reg, mem));
            check(Mnemonic::Lea, &[Int(reg, w), Memory(mem, 0)], |asm| asm.lea(width, reg, mem));
            for value in [0, -1, i32::MAX] {
                let operands = [Memory(mem, w), number(width, value)];
                check(Mnemonic::Mov, &operands, |asm| asm.mov_mi(width, mem, value));
            }
        }
        check(Mnemonic::Mov, &[Memory(mem, 1), Int(reg, 1)], |asm| asm.mov_m8r(mem, reg));
        check(Mnemonic::Mov, &[Memory(mem, 2), Int(reg, 2)], |asm| asm.mov_m16r(mem, reg));
        check(Mnemonic::Movzx, &[Int(reg, 4), Memory(mem, 1)], |asm| asm.movzx_rm8(reg, mem));
        check(Mnemonic::Movzx, &[Int(reg, 4), Memory(mem, 2)], |asm| asm.movzx_rm16(reg, mem));
        check(Mnemonic::Movsxd, &[Int(reg, 8), Memory(mem, 4)], |asm| asm.movsxd_rm(reg, mem));
        check(Mnemonic::Push, &[Memory(mem, 8)], |asm| asm.push_m(mem));
        for float in FLOATS {
            let (f, mnemonic) = (float_bytes(float), of(float, Mnemonic::Movss, Mnemonic::Movsd));
            check(mnemonic, &[Vector(vector), Memory(mem, f)], |asm| asm.movs_rm(float, vector, mem));
            check(mnemonic, &[Memory(mem, f), Vector(vector)], |asm| asm.movs_mr(float, mem, vector));
        }
    }
}

#[test]
fn every_register_goes_with_every_plain_address() {
    for mem in addresses().into_iter().filter(|mem| mem.index.is_none()) {
        for reg in GPRS {
            check(Mnemonic::Mov, &[Int(reg, 8), Memory(mem, 8)], |asm| asm.mov_rm(Width::W64, reg, mem));
            check(Mnemonic::Mov, &[Memory(mem, 1), Int(reg, 1)], |asm| asm.mov_m8r(mem, reg));
            check(Mnemonic::Mov, &[Memory(mem, 2), Int(reg, 2)], |asm| asm.mov_m16r(mem, reg));
        }
    }
}

#[test]
fn integer_arithmetic() {
    for width in WIDTHS {
        let w = bytes(width);
        for (a, b) in pairs() {
            for (op, mnemonic) in ALUS {
                check(mnemonic, &[Int(a, w), Int(b, w)], |asm| asm.alu_rr(width, op, a, b));
            }
            check(Mnemonic::Test, &[Int(a, w), Int(b, w)], |asm| asm.test_rr(width, a, b));
            check(Mnemonic::Imul, &[Int(a, w), Int(b, w)], |asm| asm.imul_rr(width, a, b));
            check(Mnemonic::Bsf, &[Int(a, w), Int(b, w)], |asm| asm.bsf(width, a, b));
            check(Mnemonic::Bsr, &[Int(a, w), Int(b, w)], |asm| asm.bsr(width, a, b));
            check(Mnemonic::Popcnt, &[Int(a, w), Int(b, w)], |asm| asm.popcnt(width, a, b));
            for value in NUMBERS {
                let operands = [Int(a, w), Int(b, w), number(width, value)];
                check(Mnemonic::Imul, &operands, |asm| asm.imul_rri(width, a, b, value));
            }
        }
        for reg in GPRS {
            for (op, mnemonic) in ALUS {
                for value in NUMBERS {
                    let operands = [Int(reg, w), number(width, value)];
                    check(mnemonic, &operands, |asm| asm.alu_ri(width, op, reg, value));
                }
            }
            for (op, mnemonic) in UNARIES {
                check(mnemonic, &[Int(reg, w)], |asm| asm.unary(width, op, reg));
            }
            for (op, mnemonic) in SHIFTS {
                for count in 0..8 * w as u8 {
                    let operands = [Int(reg, w), Number(i64::from(count))];
                    check(mnemonic, &operands, |asm| asm.shift_ri(width, op, reg, count));
                }
                check(mnemonic, &[Int(reg, w), Int(RCX, 1)], |asm| asm.shift_cl(width, op, reg));
            }
        }
        for mem in addresses() {
            let (reg, _) = partner(mem);
            for (op, mnemonic) in ALUS {
                check(mnemonic, &[Int(reg, w), Memory(mem, w)], |asm| asm.alu_rm(width, op, reg, mem));
                check(mnemonic, &[Memory(mem, w), Int(reg, w)], |asm| asm.alu_mr(width, op, mem, reg));
            }
            check(Mnemonic::Imul, &[Int(reg, w), Memory(mem, w)], |asm| asm.imul_rm(width, reg, mem));
            for value in [1, -1, 1000] {
                let operands = [Memory(mem, w), number(width, value)];
                check(Mnemonic::Sub, &operands, |asm| asm.alu_mi(width, Alu::Sub, mem, value));
            }
        }
    }
    check(Mnemonic::Cdq, &[], |asm| asm.sign_into_rdx(Width::W32));
    check(Mnemonic::Cqo, &[], |asm| asm.sign_into_rdx(Width::W64));
    let stores = decoded(|asm| asm.rep_stosq());
    assert_eq!((stores.mnemonic(), stores.has_rep_prefix()), (Mnemonic::Stosq, true));
}

#[test]
fn conditions() {
    for (at, cond) in CONDITIONS.into_iter().enumerate() {
        for reg in GPRS {
            let set = decoded(|asm| asm.setcc(cond, reg));
            assert_eq!((set.op0_register(), set.op_count()), (register(reg, 1), 1));
            assert_eq!(set.condition_code() as u8 - 1, cond as u8, "condition {at}");
        }
        for (a, b) in pairs() {
            for width in WIDTHS {
                let w = bytes(width);
                let moved = decoded(|asm| asm.cmov(width, cond, a, b));
                assert_eq!(moved.condition_code() as u8 - 1, cond as u8);
                assert_eq!([moved.op0_register(), moved.op1_register()], [register(a, w), register(b, w)]);
            }
        }
    }
}

#[test]
fn floating_point() {
    for float in FLOATS {
        for (a, b) in vectors().flat_map(|a| vectors().map(move |b| (a, b))) {
            let both = [Vector(a), Vector(b)];
            for (op, single, double) in SSES {
                check(of(float, single, double), &both, |asm| asm.sse_rr(float, op, a, b));
            }
            for (op, single, double) in BITS {
                check(of(float, single, double), &both, |asm| asm.bits_rr(float, op, a, b));
            }
            let compares = of(float, Mnemonic::Ucomiss, Mnemonic::Ucomisd);
            check(compares, &both, |asm| asm.ucomis_rr(float, a, b));
            let converts = of(float, Mnemonic::Cvtss2sd, Mnemonic::Cvtsd2ss);
            check(converts, &both, |asm| asm.cvts2s(float, a, b));
            check(Mnemonic::Movaps, &both, |asm| asm.movaps(a, b));
            for mode in [Round::Nearest, Round::Down, Round::Up, Round::Zero] {
                let operands = [Vector(a), Vector(b), Number(mode as i64)];
                let rounds = of(float, Mnemonic::Roundss, Mnemonic::Roundsd);
                check(rounds, &operands, |asm| asm.round(float, mode, a, b));
            }
        }
        for (reg, vector) in GPRS.into_iter().flat_map(|reg| vectors().map(move |vector| (reg, vector))) {
            for width in WIDTHS {
                let w = bytes(width);
                let moves = if width == Width::W32 { Mnemonic::Movd } else { Mnemonic::Movq };
                check(moves, &[Vector(vector), Int(reg, w)], |asm| asm.mov_xr(width, vector, reg));
                check(moves, &[Int(reg, w), Vector(vector)], |asm| asm.mov_rx(width, reg, vector));
                let from = of(float, Mnemonic::Cvtsi2ss, Mnemonic::Cvtsi2sd);
                check(from, &[Vector(vector), Int(reg, w)], |asm| asm.cvtsi2s(float, width, vector, reg));
                let to = of(float, Mnemonic::Cvttss2si, Mnemonic::Cvttsd2si);
                check(to, &[Int(reg, w), Vector(vector)], |asm| asm.cvtts2si(float, width, reg, vector));
            }
        }
        for mem in addresses() {
            let (_, vector) = partner(mem);
            for (op, single, double) in SSES {
                let operands = [Vector(vector), Memory(mem, float_bytes(float))];
                check(of(float, single, double), &operands, |asm| asm.sse_rm(float, op, vector, mem));
            }
        }
    }
}

#[test]
fn calls_and_jumps() {
    for mem in addresses() {
        check(Mnemonic::Call, &[Memory(mem, 8)], |asm| asm.call_m(mem));
        check(Mnemonic::Jmp, &[Memory(mem, 8)], |asm| asm.jmp_m(mem));
    }
    for reg in GPRS {
        check(Mnemonic::Call, &[Int(reg, 8)], |asm| asm.call_r(reg));
    }
    // The only register that we jump through.
    check(Mnemonic::Jmp, &[Int(R11, 8)], |asm| asm.jmp_r(R11));
    check(Mnemonic::Leave, &[], Asm::leave);
    check(Mnemonic::Ret, &[], Asm::ret);
    check(Mnemonic::Int3, &[], Asm::int3);
    assert_eq!(decoded(|asm| assert_eq!(asm.call_linked(), 1)).near_branch_target(), 5);
    assert_eq!(decoded(|asm| assert_eq!(asm.jmp_linked(), 1)).near_branch_target(), 5);
}

/// Branches at every distance around where a short one ends, backwards and forwards.
#[test]
fn branches_reach_their_labels() {
    for distance in (0..300).chain([4000, 70_000]) {
        for backwards in [true, false] {
            let mut asm = Asm::default();
            let (label, table) = (asm.label(), asm.label());
            let pad = |asm: &mut Asm| (0..distance).for_each(|_| asm.int3());
            if backwards {
                asm.bind(label);
                pad(&mut asm);
            }
            let writes: [&dyn Fn(&mut Asm); 4] = [
                &|asm| asm.jmp(label),
                &|asm| asm.jcc(Cond::Parity, label),
                &|asm| asm.lea_label(R11, label),
                &|asm| asm.lea_label(R8, table),
            ];
            let starts = writes.map(|write| {
                let start = asm.here();
                write(&mut asm);
                start
            });
            if !backwards {
                pad(&mut asm);
                asm.bind(label);
            }
            asm.bind(table);
            let origin = asm.here();
            asm.distance_data(origin, label);
            let planned: Vec<_> = asm.branches().collect();
            let place = asm.position(label);
            let code = asm.code.bytes();
            let at = |start: u32| {
                let rest = &code[start as usize..];
                iced_x86::Decoder::with_ip(64, rest, u64::from(start), iced_x86::DecoderOptions::NONE)
                    .decode()
            };
            let [jump, branch] = [at(starts[0]), at(starts[1])];
            assert_eq!([jump.mnemonic(), branch.mnemonic()], [Mnemonic::Jmp, Mnemonic::Jp]);
            for (instruction, planned, condition) in
                [(jump, planned[0], None), (branch, planned[1], Some(10))]
            {
                assert_eq!(instruction.near_branch_target(), u64::from(place));
                let branch = Branch { end: instruction.next_ip() as u32, target: place, condition };
                assert_eq!(planned, branch);
            }
            for (start, reg, target) in [(starts[2], R11, place), (starts[3], R8, origin)] {
                let lea = at(start);
                assert_eq!((lea.mnemonic(), lea.op0_register()), (Mnemonic::Lea, register(reg, 8)));
                assert_eq!(lea.ip_rel_memory_address(), u64::from(target));
            }
            let data = code[origin as usize..].try_into().expect("four bytes");
            assert_eq!(origin.wrapping_add(u32::from_le_bytes(data)), place);
        }
    }
}
