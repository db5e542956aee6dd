//! Floating-point arithmetic and comparisons.
//!
//! The machine's own NaN results differ from the canonical one, so a result that may be NaN is marked, and
//! made canonical when its bits can be seen: stored, passed, converted bit by bit, or its sign changed.

use super::X64;
use super::target::{Parity, Test};
use super::{Compiler, Operand, Place};
use crate::baseline::operand::Ty;
use crate::baseline::target::Invertible;
use crate::native::x64::asm::*;
use crate::native::x64::{FLOAT_SCRATCH, SCRATCH};
use crate::opcode::Numeric;
use crate::opcode::reader::Reader;

fn ty_of(float: Float) -> Ty {
    match float {
        Float::Single => Ty::F32,
        Float::Double => Ty::F64,
    }
}

/// All bits of a float but the sign.
fn magnitude_bits(float: Float) -> u64 {
    match float {
        Float::Single => 0x7fff_ffff,
        Float::Double => 0x7fff_ffff_ffff_ffff,
    }
}

fn sign_bit(float: Float) -> u64 {
    match float {
        Float::Single => 0x8000_0000,
        Float::Double => 0x8000_0000_0000_0000,
    }
}

impl Compiler<'_, X64> {
    pub(super) fn float(&mut self, opcode: Numeric, reader: &Reader) {
        use Float::{Double, Single};
        use Numeric::*;
        match opcode {
            F32Eq => self.compare_equal(Single, true, reader),
            F32Ne => self.compare_equal(Single, false, reader),
            F32Lt => self.compare_order(Single, Cond::Above, true, reader),
            F32Gt => self.compare_order(Single, Cond::Above, false, reader),
            F32Le => self.compare_order(Single, Cond::AboveEqual, true, reader),
            F32Ge => self.compare_order(Single, Cond::AboveEqual, false, reader),
            F64Eq => self.compare_equal(Double, true, reader),
            F64Ne => self.compare_equal(Double, false, reader),
            F64Lt => self.compare_order(Double, Cond::Above, true, reader),
            F64Gt => self.compare_order(Double, Cond::Above, false, reader),
            F64Le => self.compare_order(Double, Cond::AboveEqual, true, reader),
            F64Ge => self.compare_order(Double, Cond::AboveEqual, false, reader),
            F32Abs => self.absolute(Single),
            F32Neg => self.negate(Single),
            F32Ceil => self.round(Single, Round::Up),
            F32Floor => self.round(Single, Round::Down),
            F32Trunc => self.round(Single, Round::Zero),
            F32Nearest => self.round(Single, Round::Nearest),
            F32Sqrt => self.root(Single, reader),
            F32Add => self.arithmetic(Single, Sse::Add, reader),
            F32Sub => self.arithmetic(Single, Sse::Sub, reader),
            F32Mul => self.arithmetic(Single, Sse::Mul, reader),
            F32Div => self.arithmetic(Single, Sse::Div, reader),
            F32Min => self.extreme(Single, Sse::Min),
            F32Max => self.extreme(Single, Sse::Max),
            F32Copysign => self.copy_sign(Single),
            F64Abs => self.absolute(Double),
            F64Neg => self.negate(Double),
            F64Ceil => self.round(Double, Round::Up),
            F64Floor => self.round(Double, Round::Down),
            F64Trunc => self.round(Double, Round::Zero),
            F64Nearest => self.round(Double, Round::Nearest),
            F64Sqrt => self.root(Double, reader),
            F64Add => self.arithmetic(Double, Sse::Add, reader),
            F64Sub => self.arithmetic(Double, Sse::Sub, reader),
            F64Mul => self.arithmetic(Double, Sse::Mul, reader),
            F64Div => self.arithmetic(Double, Sse::Div, reader),
            F64Min => self.extreme(Double, Sse::Min),
            F64Max => self.extreme(Double, Sse::Max),
            F64Copysign => self.copy_sign(Double),
            _ => unreachable!("the caller knows the floating-point operators"),
        }
    }

    // Comparisons.

    /// Equality must see NaN, which looks equal in the other flags.
    fn compare_equal(&mut self, float: Float, equal: bool, reader: &Reader) {
        self.compare_floats(float, false);
        let test = Test { cond: Cond::Equal, parity: Parity::Without };
        self.push_test(if equal { test } else { test.inverted() }, reader);
    }

    /// Orders are asked so that NaN, which looks "below", makes them false.
    fn compare_order(&mut self, float: Float, cond: Cond, swap: bool, reader: &Reader) {
        self.compare_floats(float, swap);
        self.push_test(Test::of(cond), reader);
    }

    fn compare_floats(&mut self, float: Float, swap: bool) {
        // A comparison does not look at NaN bits, but what comes after it may, when flags are in use.
        let (mut right, mut left) = (self.pop(), self.pop());
        self.canonical_all();
        let (a, b) = (self.read_float(&mut left), self.read_float(&mut right));
        let (a, b) = if swap { (b, a) } else { (a, b) };
        self.asm.ucomis_rr(float, a, b);
        self.free(left);
        self.free(right);
    }

    // Arithmetic.

    fn arithmetic(&mut self, float: Float, op: Sse, reader: &Reader) {
        let (mut right, mut left) = (self.pop(), self.pop());
        let target = self.float_target(reader);
        let commutes = matches!(op, Sse::Add | Sse::Mul);
        let owned = |operand: &Operand| matches!(operand.place, Place::Float(_));
        let is_target = |operand: &Operand| target.is_some_and(|to| operand.place == Place::Local(to.local));
        let swaps =
            if is_target(&left) { false } else { is_target(&right) || !owned(&left) && owned(&right) };
        if commutes && swaps {
            (left, right) = (right, left);
        }
        // The second operand must outlive the first one's move.
        let target = target.filter(|_| is_target(&left) || !is_target(&right));
        let memory = self.memory_operand(&right);
        let to = match target {
            Some(target) if is_target(&left) => {
                self.float_home(&left);
                target.reg
            }
            Some(target) => {
                self.load_float(target.reg, left);
                self.free(left);
                target.reg
            }
            None => self.own_float(left),
        };
        match memory {
            Some(mem) => self.asm.sse_rm(float, op, to, mem),
            None => {
                let from = self.read_float(&mut right);
                self.asm.sse_rr(float, op, to, from);
            }
        }
        self.free(right);
        self.push_float(ty_of(float), to, target);
    }

    fn root(&mut self, float: Float, reader: &Reader) {
        let mut operand = self.pop();
        let from = self.read_float(&mut operand);
        let target = self.float_target(reader);
        let to = match (target, operand.place) {
            (Some(target), _) => {
                self.free(operand);
                target.reg
            }
            (None, Place::Float(reg)) => reg,
            (None, _) => self.alloc_float(),
        };
        self.asm.sse_rr(float, Sse::Sqrt, to, from);
        self.push_float(ty_of(float), to, target);
    }

    fn round(&mut self, float: Float, mode: Round) {
        let mut operand = self.pop();
        let from = self.read_float(&mut operand);
        let to = if let Place::Float(reg) = operand.place { reg } else { self.alloc_float() };
        self.asm.round(float, mode, to, from);
        self.push_raw(ty_of(float), to);
    }

    /// The machine's minimum and maximum give their second operand for NaN and for zeros of any signs.
    fn extreme(&mut self, float: Float, op: Sse) {
        let (mut right, left) = (self.pop(), self.pop());
        let to = self.own_float(left);
        let from = self.read_float(&mut right);
        let (nan, differ, done) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.ucomis_rr(float, to, from);
        self.asm.jcc(Cond::Parity, nan);
        self.asm.jcc(Cond::NotEqual, differ);
        // Equal: the same bits, or zeros, of which the minimum is negative if either is.
        let zeros = if op == Sse::Min { Bits::Or } else { Bits::And };
        self.asm.bits_rr(float, zeros, to, from);
        self.asm.jmp(done);
        self.asm.bind(nan);
        // A sum with a NaN is a NaN.
        self.asm.sse_rr(float, Sse::Add, to, from);
        self.asm.jmp(done);
        self.asm.bind(differ);
        self.asm.sse_rr(float, op, to, from);
        self.asm.bind(done);
        self.free(right);
        self.push_raw(ty_of(float), to);
    }

    // Bits.

    /// A mask in the floating-point scratch register.
    fn mask(&mut self, bits: u64) {
        self.asm.mov_ri(SCRATCH, bits);
        self.asm.mov_xr(Width::W64, FLOAT_SCRATCH, SCRATCH);
    }

    fn absolute(&mut self, float: Float) {
        let operand = self.pop_seen();
        let reg = self.own_float(operand);
        self.mask(magnitude_bits(float));
        self.asm.bits_rr(float, Bits::And, reg, FLOAT_SCRATCH);
        self.push(ty_of(float), Place::Float(reg));
    }

    fn negate(&mut self, float: Float) {
        let operand = self.pop_seen();
        let reg = self.own_float(operand);
        self.mask(sign_bit(float));
        self.asm.bits_rr(float, Bits::Xor, reg, FLOAT_SCRATCH);
        self.push(ty_of(float), Place::Float(reg));
    }

    fn copy_sign(&mut self, float: Float) {
        let right = self.pop_seen();
        let left = self.pop_seen();
        let sign = self.own_float(right);
        let to = self.own_float(left);
        self.mask(magnitude_bits(float));
        self.asm.bits_rr(float, Bits::And, to, FLOAT_SCRATCH);
        // The mask's complement of the sign operand is its sign.
        self.asm.bits_rr(float, Bits::AndNot, FLOAT_SCRATCH, sign);
        self.asm.bits_rr(float, Bits::Or, to, FLOAT_SCRATCH);
        self.free_float(sign);
        self.push(ty_of(float), Place::Float(to));
    }
}
