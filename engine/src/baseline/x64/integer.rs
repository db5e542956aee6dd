//! Integer arithmetic, comparisons and 128-bit arithmetic.

use super::X64;
use super::target::{Source, Test, immediate, mem};
use super::{Compiler, Operand, Place};
use crate::baseline::operand::Ty;
use crate::baseline::registers::LocalTarget;
use crate::baseline::target::Invertible;
use crate::faults::fault;
use crate::native::x64::SCRATCH;
use crate::native::x64::asm::*;
use crate::opcode::reader::Reader;
use crate::opcode::{Numeric, Wide};
use crate::trap::TrapKind;

/// A division: what it gives and how it reads its operands.
#[derive(Clone, Copy)]
struct Division {
    signed: bool,
    remainder: bool,
}

impl Compiler<'_, X64> {
    pub(super) fn numeric(&mut self, opcode: Numeric, reader: &Reader) {
        use Numeric::*;
        const W32: Width = Width::W32;
        const W64: Width = Width::W64;
        let division = |signed, remainder| Division { signed, remainder };
        match opcode {
            I32Eqz => self.eqz(W32, reader),
            I32Eq => self.compare(W32, Cond::Equal, reader),
            I32Ne => self.compare(W32, Cond::NotEqual, reader),
            I32LtS => self.compare(W32, Cond::Less, reader),
            I32LtU => self.compare(W32, Cond::Below, reader),
            I32GtS => self.compare(W32, Cond::Greater, reader),
            I32GtU => self.compare(W32, Cond::Above, reader),
            I32LeS => self.compare(W32, Cond::LessEqual, reader),
            I32LeU => self.compare(W32, Cond::BelowEqual, reader),
            I32GeS => self.compare(W32, Cond::GreaterEqual, reader),
            I32GeU => self.compare(W32, Cond::AboveEqual, reader),
            I64Eqz => self.eqz(W64, reader),
            I64Eq => self.compare(W64, Cond::Equal, reader),
            I64Ne => self.compare(W64, Cond::NotEqual, reader),
            I64LtS => self.compare(W64, Cond::Less, reader),
            I64LtU => self.compare(W64, Cond::Below, reader),
            I64GtS => self.compare(W64, Cond::Greater, reader),
            I64GtU => self.compare(W64, Cond::Above, reader),
            I64LeS => self.compare(W64, Cond::LessEqual, reader),
            I64LeU => self.compare(W64, Cond::BelowEqual, reader),
            I64GeS => self.compare(W64, Cond::GreaterEqual, reader),
            I64GeU => self.compare(W64, Cond::AboveEqual, reader),
            I32Clz => self.count_leading(W32),
            I32Ctz => self.count_trailing(W32),
            I32Popcnt => self.in_place(Ty::I32, reader, |asm, reg| asm.popcnt(W32, reg, reg)),
            I32Add => self.add(Ty::I32, reader),
            I32Sub => self.subtract(Ty::I32, reader),
            I32Mul => self.multiply(Ty::I32, reader),
            I32DivS => self.divide(Ty::I32, division(true, false)),
            I32DivU => self.divide(Ty::I32, division(false, false)),
            I32RemS => self.divide(Ty::I32, division(true, true)),
            I32RemU => self.divide(Ty::I32, division(false, true)),
            I32And => self.alu(Ty::I32, Alu::And, reader),
            I32Or => self.alu(Ty::I32, Alu::Or, reader),
            I32Xor => self.alu(Ty::I32, Alu::Xor, reader),
            I32Shl => self.shift(Ty::I32, Shift::Shl, reader),
            I32ShrS => self.shift(Ty::I32, Shift::Sar, reader),
            I32ShrU => self.shift(Ty::I32, Shift::Shr, reader),
            I32Rotl => self.shift(Ty::I32, Shift::Rol, reader),
            I32Rotr => self.shift(Ty::I32, Shift::Ror, reader),
            I64Clz => self.count_leading(W64),
            I64Ctz => self.count_trailing(W64),
            I64Popcnt => self.in_place(Ty::I64, reader, |asm, reg| asm.popcnt(W64, reg, reg)),
            I64Add => self.add(Ty::I64, reader),
            I64Sub => self.subtract(Ty::I64, reader),
            I64Mul => self.multiply(Ty::I64, reader),
            I64DivS => self.divide(Ty::I64, division(true, false)),
            I64DivU => self.divide(Ty::I64, division(false, false)),
            I64RemS => self.divide(Ty::I64, division(true, true)),
            I64RemU => self.divide(Ty::I64, division(false, true)),
            I64And => self.alu(Ty::I64, Alu::And, reader),
            I64Or => self.alu(Ty::I64, Alu::Or, reader),
            I64Xor => self.alu(Ty::I64, Alu::Xor, reader),
            I64Shl => self.shift(Ty::I64, Shift::Shl, reader),
            I64ShrS => self.shift(Ty::I64, Shift::Sar, reader),
            I64ShrU => self.shift(Ty::I64, Shift::Shr, reader),
            I64Rotl => {
                if fault!("baseline-compiler-panics-at-rotation") {
                    panic!("the compiler has no code for a rotation");
                }
                self.shift(Ty::I64, Shift::Rol, reader);
            }
            I64Rotr => self.shift(Ty::I64, Shift::Ror, reader),
            I32WrapI64 => self.in_place(Ty::I32, reader, |asm, reg| {
                if !fault!("baseline-wrap-keeps-upper-half") {
                    asm.mov_rr(W32, reg, reg);
                }
            }),
            I64ExtendI32S => self.in_place(Ty::I64, reader, |asm, reg| asm.movsxd_rr(reg, reg)),
            I64ExtendI32U => self.extend_unsigned(),
            I32Extend8S => self.in_place(Ty::I32, reader, |asm, reg| asm.movsx_rr8(W32, reg, reg)),
            I32Extend16S => self.in_place(Ty::I32, reader, |asm, reg| asm.movsx_rr16(W32, reg, reg)),
            I64Extend8S => self.in_place(Ty::I64, reader, |asm, reg| asm.movsx_rr8(W64, reg, reg)),
            I64Extend16S => self.in_place(Ty::I64, reader, |asm, reg| asm.movsx_rr16(W64, reg, reg)),
            I64Extend32S => self.in_place(Ty::I64, reader, |asm, reg| asm.movsxd_rr(reg, reg)),
            F32Eq | F32Ne | F32Lt | F32Gt | F32Le | F32Ge | F64Eq | F64Ne | F64Lt | F64Gt | F64Le | F64Ge
            | F32Abs | F32Neg | F32Ceil | F32Floor | F32Trunc | F32Nearest | F32Sqrt | F32Add | F32Sub
            | F32Mul | F32Div | F32Min | F32Max | F32Copysign | F64Abs | F64Neg | F64Ceil | F64Floor
            | F64Trunc | F64Nearest | F64Sqrt | F64Add | F64Sub | F64Mul | F64Div | F64Min | F64Max
            | F64Copysign => self.float(opcode, reader),
            I32TruncF32S | I32TruncF32U | I32TruncF64S | I32TruncF64U | I64TruncF32S | I64TruncF32U
            | I64TruncF64S | I64TruncF64U | F32ConvertI32S | F32ConvertI32U | F32ConvertI64S
            | F32ConvertI64U | F32DemoteF64 | F64ConvertI32S | F64ConvertI32U | F64ConvertI64S
            | F64ConvertI64U | F64PromoteF32 | I32ReinterpretF32 | I64ReinterpretF64 | F32ReinterpretI32
            | F64ReinterpretI64 | I32TruncSatF32S | I32TruncSatF32U | I32TruncSatF64S | I32TruncSatF64U
            | I64TruncSatF32S | I64TruncSatF32U | I64TruncSatF64S | I64TruncSatF64U => self.convert(opcode),
        }
    }

    // Comparisons.

    fn compare(&mut self, width: Width, cond: Cond, reader: &Reader) {
        if !fault!("baseline-flags-lost-to-canonical-nan") {
            self.canonical_all();
        }
        let (mut right, mut left) = (self.pop(), self.pop());
        let mut cond = cond;
        if let Place::Const(_) = left.place {
            (left, right, cond) = (right, left, cond.swapped());
        }
        let source = self.source(&mut right, width);
        match (source, self.memory_operand(&left)) {
            (Source::Imm(0), None) if matches!(cond, Cond::Equal | Cond::NotEqual) => {
                let reg = self.read_int(&mut left);
                self.asm.test_rr(width, reg, reg);
            }
            (Source::Imm(value), Some(mem)) => self.asm.alu_mi(width, Alu::Cmp, mem, value),
            (Source::Reg(reg), Some(mem)) => self.asm.alu_mr(width, Alu::Cmp, mem, reg),
            (Source::Imm(value), None) => {
                let reg = self.read_int(&mut left);
                self.asm.alu_ri(width, Alu::Cmp, reg, value);
            }
            (Source::Reg(from), None) => {
                let reg = self.read_int(&mut left);
                self.asm.alu_rr(width, Alu::Cmp, reg, from);
            }
            (Source::Mem(mem), _) => {
                let reg = self.read_int(&mut left);
                self.asm.alu_rm(width, Alu::Cmp, reg, mem);
            }
        }
        self.free(left);
        self.free(right);
        self.push_test(Test::of(cond), reader);
    }

    fn eqz(&mut self, width: Width, reader: &Reader) {
        self.canonical_all();
        let mut operand = self.pop();
        if let Place::Outcome(test) = operand.place {
            self.push_test(test.inverted(), reader);
            return;
        }
        match self.memory_operand(&operand) {
            Some(mem) => self.asm.alu_mi(width, Alu::Cmp, mem, 0),
            None => {
                let reg = self.read_int(&mut operand);
                self.asm.test_rr(width, reg, reg);
            }
        }
        self.free(operand);
        self.push_test(Test::of(Cond::Equal), reader);
    }

    // Arithmetic.

    /// An operation that replaces its operand.
    fn in_place(&mut self, result: Ty, reader: &Reader, emit: impl Fn(&mut Asm, Gpr)) {
        let operand = self.pop();
        match self.int_target(reader) {
            Some(target) => {
                self.load_target(target, operand);
                self.free(operand);
                emit(&mut self.asm, target.reg);
                self.push_target(result, target.local);
            }
            None => {
                let reg = self.own_int(operand);
                emit(&mut self.asm, reg);
                self.push(result, Place::Int(reg));
            }
        }
    }

    fn apply(&mut self, width: Width, op: Alu, to: Gpr, source: Source) {
        match source {
            Source::Reg(reg) => self.asm.alu_rr(width, op, to, reg),
            Source::Mem(mem) => self.asm.alu_rm(width, op, to, mem),
            Source::Imm(value) => self.asm.alu_ri(width, op, to, value),
        }
    }

    fn alu(&mut self, ty: Ty, op: Alu, reader: &Reader) {
        let commutes = matches!(op, Alu::And | Alu::Or | Alu::Xor | Alu::Add);
        let width = ty.width();
        self.binary(ty, commutes, reader, |compiler, to, source| compiler.apply(width, op, to, source));
    }

    /// A binary operation whose first operand and result are one register.
    fn binary(&mut self, ty: Ty, commutes: bool, reader: &Reader, emit: impl Fn(&mut Self, Gpr, Source)) {
        let (right, left) = (self.pop(), self.pop());
        self.binary_of(ty, commutes, reader, (left, right), emit);
    }

    /// The same of operands that were taken.
    fn binary_of(
        &mut self,
        ty: Ty,
        commutes: bool,
        reader: &Reader,
        (mut left, mut right): (Operand, Operand),
        emit: impl Fn(&mut Self, Gpr, Source),
    ) {
        let movable = |operand: &Operand| !matches!(operand.place, Place::Int(_));
        if commutes && (matches!(left.place, Place::Const(_)) || (movable(&left) && !movable(&right))) {
            (left, right) = (right, left);
        }
        let width = ty.width();
        let Some(target) = self.int_target(reader) else {
            let reg = self.own_int(left);
            let source = self.source(&mut right, width);
            emit(self, reg, source);
            self.free(right);
            self.push(ty, Place::Int(reg));
            return;
        };
        if self.is_in(&right, target.reg) && !self.is_in(&left, target.reg) {
            if commutes {
                (left, right) = (right, left);
            } else {
                // The target is the second operand, so the result is made elsewhere.
                let reg = self.own_int(left);
                let source = self.source(&mut right, width);
                emit(self, reg, source);
                self.asm.mov_rr(width, target.reg, reg);
                self.free_int(reg);
                self.free(right);
                self.push_target(ty, target.local);
                return;
            }
        }
        let source = self.source(&mut right, width);
        self.load_target(target, left);
        emit(self, target.reg, source);
        self.free(left);
        self.free(right);
        self.push_target(ty, target.local);
    }

    /// Puts the first operand into the target, unless it is the local that the target belongs to.
    fn load_target(&mut self, target: LocalTarget<Gpr>, operand: Operand) {
        if operand.place == Place::Local(target.local) {
            // Makes it valid, and nothing else.
            let mut operand = operand;
            self.read_int(&mut operand);
        } else {
            self.load_int(target.reg, operand);
        }
    }

    /// Without a register to overwrite, an address computation adds and moves at once.
    fn add(&mut self, ty: Ty, reader: &Reader) {
        let (mut right, mut left) = (self.pop(), self.pop());
        let target = self.int_target(reader).map(|target| target.reg);
        let elsewhere = |reg: Option<Gpr>| reg.is_some() && target.is_none_or(|target| Some(target) != reg);
        if elsewhere(self.home_of(&left)) {
            let immediate = match right.place {
                Place::Const(value) => immediate(ty.width(), value),
                _ => None,
            };
            if let Some(value) = immediate {
                let base = self.read_int(&mut left);
                return self.lea_result(ty, Mem::at(base, value), reader);
            }
            if elsewhere(self.home_of(&right)) {
                let (base, index) = (self.read_int(&mut left), self.read_int(&mut right));
                return self.lea_result(ty, Mem::indexed(base, index, 0), reader);
            }
        }
        let apply = |compiler: &mut Self, to, source| compiler.apply(ty.width(), Alu::Add, to, source);
        self.binary_of(ty, true, reader, (left, right), apply);
    }

    /// A constant is added negated, so that an address computation can move as well.
    fn subtract(&mut self, ty: Ty, reader: &Reader) {
        let right = self.stack.last_mut().expect("validation keeps the stack deep enough");
        if let Place::Const(value) = right.place {
            let negated = 0u64.wrapping_sub(value);
            right.place = Place::Const(if ty == Ty::I32 { negated & u64::from(u32::MAX) } else { negated });
            return self.add(ty, reader);
        }
        self.alu(ty, Alu::Sub, reader);
    }

    fn lea_result(&mut self, ty: Ty, mem: Mem, reader: &Reader) {
        match self.int_target(reader) {
            Some(target) => {
                self.asm.lea(ty.width(), target.reg, mem);
                self.push_target(ty, target.local);
            }
            None => {
                let reg = self.alloc_int();
                self.asm.lea(ty.width(), reg, mem);
                self.push(ty, Place::Int(reg));
            }
        }
    }

    fn multiply(&mut self, ty: Ty, reader: &Reader) {
        let width = ty.width();
        self.binary(ty, true, reader, |compiler, to, source| match source {
            Source::Reg(reg) => compiler.asm.imul_rr(width, to, reg),
            Source::Mem(mem) => compiler.asm.imul_rm(width, to, mem),
            Source::Imm(value) => compiler.asm.imul_rri(width, to, to, value),
        });
    }

    /// Shifts take their count in rcx, or as an immediate; the machine masks it as WebAssembly does.
    fn shift(&mut self, ty: Ty, op: Shift, reader: &Reader) {
        let width = ty.width();
        let narrow = fault!("baseline-long-shift-masks-five-bits");
        let mask = if width == Width::W32 || narrow { 31 } else { 63 };
        let count = self.pop();
        if let Place::Const(value) = count.place {
            if value > mask && fault!("baseline-shift-by-width-clears") {
                let operand = self.pop();
                self.free(operand);
                return self.push_const(ty, 0);
            }
            self.in_place(ty, reader, |asm, reg| asm.shift_ri(width, op, reg, (value & mask) as u8));
            return;
        }
        let operand = self.pop();
        // The operand leaves rcx before the count comes.
        let reg = match operand.place {
            Place::Int(reg) if reg != RCX && count.place != Place::Int(RCX) => reg,
            Place::Int(RCX) => {
                let reg = self.alloc_int_but(&[RCX]);
                self.asm.mov_rr(width, reg, RCX);
                self.free_int(RCX);
                reg
            }
            Place::Int(reg) => reg,
            Place::Const(_) | Place::Local(_) | Place::Slot | Place::Float(_) | Place::Outcome(_) => {
                let reg = self.alloc_int_but(&[RCX]);
                self.load_int(reg, operand);
                reg
            }
        };
        if count.place != Place::Int(RCX) {
            self.claim_int(RCX);
            self.load_int(RCX, count);
            self.free(count);
        }
        self.asm.shift_cl(width, op, reg);
        self.free_int(RCX);
        self.push(ty, Place::Int(reg));
    }

    /// Zero counts as all bits. The bit scans leave their destination alone for zero, and say so.
    fn count_leading(&mut self, width: Width) {
        let (ty, bits) = if width == Width::W32 { (Ty::I32, 32) } else { (Ty::I64, 64) };
        let operand = self.pop();
        let reg = self.own_int(operand);
        // Twice the width less one, so that the exclusive or below gives the width.
        self.asm.mov_ri(SCRATCH, 2 * bits - 1);
        self.asm.bsr(width, reg, reg);
        self.asm.cmov(width, Cond::Equal, reg, SCRATCH);
        self.asm.alu_ri(width, Alu::Xor, reg, bits as i32 - 1);
        self.push(ty, Place::Int(reg));
    }

    fn count_trailing(&mut self, width: Width) {
        let (ty, bits) = if width == Width::W32 { (Ty::I32, 32) } else { (Ty::I64, 64) };
        let operand = self.pop();
        let reg = self.own_int(operand);
        self.asm.mov_ri(SCRATCH, bits);
        self.asm.bsf(width, reg, reg);
        self.asm.cmov(width, Cond::Equal, reg, SCRATCH);
        self.push(ty, Place::Int(reg));
    }

    /// An `i32` in a register has a clear upper half already; elsewhere a load clears it.
    fn extend_unsigned(&mut self) {
        let operand = self.pop();
        if let Place::Const(value) = operand.place {
            self.push(Ty::I64, Place::Const(value));
            return;
        }
        let reg = self.own_int(operand);
        self.push(Ty::I64, Place::Int(reg));
    }

    /// Takes two operands for the instructions that work on rax and rdx: the left one goes to rax, the right one to
    /// a register that is neither, constants as well. Gives that register, and where the right operand was.
    fn for_rax_and_rdx(&mut self) -> (Gpr, Place) {
        let (right, left) = (self.pop(), self.pop());
        let reg = match right.place {
            Place::Int(reg) if reg != RAX && reg != RDX => reg,
            _ => {
                let reg = self.alloc_int_but(&[RAX, RDX]);
                self.load_int(reg, right);
                self.free(right);
                reg
            }
        };
        if left.place != Place::Int(RAX) {
            self.claim_int(RAX);
            self.load_int(RAX, left);
            self.free(left);
        }
        self.claim_int(RDX);
        (reg, right.place)
    }

    /// Division takes rax and rdx. Traps: `IntegerDivideByZero`, `IntegerOverflow`.
    fn divide(&mut self, ty: Ty, Division { signed, remainder }: Division) {
        let width = ty.width();
        let (divisor, right) = self.for_rax_and_rdx();
        let constant = if let Place::Const(value) = right { Some(value) } else { None };
        let trusted = fault!("baseline-constant-divisor-is-trusted");
        if constant.is_none_or(|value| value == 0 && !trusted) {
            let trap = self.trap(TrapKind::IntegerDivideByZero);
            self.asm.test_rr(width, divisor, divisor);
            self.asm.jcc(Cond::Equal, trap);
        }
        let minus_one = if width == Width::W32 { u64::from(u32::MAX) } else { u64::MAX };
        let done = self.asm.label();
        let unguarded = remainder && constant.is_some();
        let unguarded = unguarded && fault!("baseline-remainder-by-minus-one-is-divided");
        if signed && !unguarded && constant.is_none_or(|value| value == minus_one) {
            self.guard_overflow(width, divisor, remainder, done);
        }
        if signed {
            self.asm.sign_into_rdx(width);
            self.asm.unary(width, Unary::Idiv, divisor);
        } else {
            self.asm.alu_rr(Width::W32, Alu::Xor, RDX, RDX);
            self.asm.unary(width, Unary::Div, divisor);
        }
        self.asm.bind(done);
        self.free_int(divisor);
        let (result, other) = if remainder { (RDX, RAX) } else { (RAX, RDX) };
        self.free_int(other);
        self.push(ty, Place::Int(result));
    }

    /// The machine faults where the quotient does not fit, also for remainders, which are zero then.
    fn guard_overflow(&mut self, width: Width, divisor: Gpr, remainder: bool, done: Label) {
        let fine = self.asm.label();
        self.asm.alu_ri(width, Alu::Cmp, divisor, -1);
        if remainder {
            self.asm.mov_ri(RDX, 0);
            self.asm.jcc(Cond::Equal, done);
            return;
        }
        self.asm.jcc(Cond::NotEqual, fine);
        let trap = self.trap(TrapKind::IntegerOverflow);
        match width {
            Width::W64 if fault!("baseline-long-minimum-is-32-bits") => {
                self.asm.alu_ri(width, Alu::Cmp, RAX, i32::MIN);
            }
            Width::W32 => self.asm.alu_ri(width, Alu::Cmp, RAX, i32::MIN),
            Width::W64 => {
                self.asm.mov_ri(SCRATCH, i64::MIN as u64);
                self.asm.alu_rr(width, Alu::Cmp, RAX, SCRATCH);
            }
        }
        self.asm.jcc(Cond::Equal, trap);
        self.asm.bind(fine);
    }

    /// Tests whether an `i32` that was taken is other than zero.
    pub(super) fn condition(&mut self, operand: &mut Operand) -> Test {
        if let Place::Outcome(test) = operand.place {
            return test;
        }
        match self.memory_operand(operand) {
            Some(mem) => self.asm.alu_mi(Width::W32, Alu::Cmp, mem, 0),
            None => {
                let reg = self.read_int(operand);
                self.asm.test_rr(Width::W32, reg, reg);
            }
        }
        Test::of(Cond::NotEqual)
    }

    // 128-bit arithmetic.

    pub(super) fn wide(&mut self, opcode: Wide) {
        match opcode {
            Wide::I64Add128 => self.wide_sum(Alu::Add, Alu::Adc),
            Wide::I64Sub128 => self.wide_sum(Alu::Sub, Alu::Sbb),
            Wide::I64MulWideS => self.wide_product(Unary::Imul),
            Wide::I64MulWideU => self.wide_product(Unary::Mul),
        }
    }

    fn wide_sum(&mut self, low: Alu, high: Alu) {
        const W64: Width = Width::W64;
        // All in slots: four operands are more than the lane of few registers can hold at once.
        for position in self.stack.len() - 4..self.stack.len() {
            self.spill(position);
        }
        let (right_high, right_low, left_high, left_low) = (self.pop(), self.pop(), self.pop(), self.pop());
        let (to_low, to_high) = (self.own_int(left_low), self.own_int(left_high));
        let right_low = mem(self.operand_slot(right_low.slot));
        let right_high = mem(self.operand_slot(right_high.slot));
        self.asm.alu_rm(W64, low, to_low, right_low);
        self.asm.alu_rm(W64, high, to_high, right_high);
        self.push(Ty::I64, Place::Int(to_low));
        self.push(Ty::I64, Place::Int(to_high));
    }

    fn wide_product(&mut self, op: Unary) {
        let (factor, _) = self.for_rax_and_rdx();
        self.asm.unary(Width::W64, op, factor);
        self.free_int(factor);
        self.push(Ty::I64, Place::Int(RAX));
        self.push(Ty::I64, Place::Int(RDX));
    }
}
