//! Conversions between integers and floats.

use super::X64;
use super::{Compiler, Place};
use crate::baseline::operand::Ty;
use crate::faults::fault;
use crate::native::x64::asm::*;
use crate::native::x64::{FLOAT_SCRATCH, SCRATCH};
use crate::opcode::Numeric;
use crate::trap::TrapKind;

/// From a float to an integer.
#[derive(Clone, Copy)]
struct Truncation {
    from: Float,
    to: Width,
    signed: bool,
}

impl Compiler<'_, X64> {
    pub(super) fn convert(&mut self, opcode: Numeric) {
        use Float::{Double, Single};
        use Numeric::*;
        use Width::{W32, W64};
        let truncation = |from, to, signed| Truncation { from, to, signed };
        match opcode {
            I32TruncF32S => self.truncate(truncation(Single, W32, true)),
            I32TruncF32U => self.truncate(truncation(Single, W32, false)),
            I32TruncF64S => self.truncate(truncation(Double, W32, true)),
            I32TruncF64U => self.truncate(truncation(Double, W32, false)),
            I64TruncF32S => self.truncate(truncation(Single, W64, true)),
            I64TruncF32U => self.truncate(truncation(Single, W64, false)),
            I64TruncF64S => self.truncate(truncation(Double, W64, true)),
            I64TruncF64U => self.truncate(truncation(Double, W64, false)),
            I32TruncSatF32S => self.saturate(truncation(Single, W32, true)),
            I32TruncSatF32U => self.saturate(truncation(Single, W32, false)),
            I32TruncSatF64S => self.saturate(truncation(Double, W32, true)),
            I32TruncSatF64U => self.saturate(truncation(Double, W32, false)),
            I64TruncSatF32S => self.saturate(truncation(Single, W64, true)),
            I64TruncSatF32U => self.saturate(truncation(Single, W64, false)),
            I64TruncSatF64S => self.saturate(truncation(Double, W64, true)),
            I64TruncSatF64U => self.saturate(truncation(Double, W64, false)),
            // An `i32` in a register is a positive `i64` of the same unsigned value.
            F32ConvertI32S => self.convert_signed(W32, Ty::F32),
            F32ConvertI32U => self.convert_signed(W64, Ty::F32),
            F32ConvertI64S => self.convert_signed(W64, Ty::F32),
            F32ConvertI64U => self.convert_unsigned(Ty::F32),
            F64ConvertI32S => self.convert_signed(W32, Ty::F64),
            F64ConvertI32U => self.convert_signed(W64, Ty::F64),
            F64ConvertI64S => self.convert_signed(W64, Ty::F64),
            F64ConvertI64U => self.convert_unsigned(Ty::F64),
            F32DemoteF64 => self.change_precision(Double, Ty::F32),
            F64PromoteF32 => self.change_precision(Single, Ty::F64),
            I32ReinterpretF32 => self.float_bits(Ty::I32),
            I64ReinterpretF64 => self.float_bits(Ty::I64),
            F32ReinterpretI32 => self.bits_float(Ty::F32),
            F64ReinterpretI64 => self.bits_float(Ty::F64),
            _ => unreachable!("the caller knows the conversions"),
        }
    }

    fn convert_signed(&mut self, width: Width, ty: Ty) {
        let mut operand = self.pop();
        let from = self.read_int(&mut operand);
        let to = self.alloc_float();
        // The conversion writes a part of the register only, and would wait for the rest.
        self.asm.bits_rr(Float::Single, Bits::Xor, to, to);
        self.asm.cvtsi2s(ty.float().expect("a float type"), width, to, from);
        self.free(operand);
        self.push(ty, Place::Float(to));
    }

    /// Halves what does not fit a signed number, keeping the lowest bit for rounding, and doubles the
    /// result.
    fn convert_unsigned(&mut self, ty: Ty) {
        const W64: Width = Width::W64;
        let float = ty.float().expect("a float type");
        let operand = self.pop();
        let from = self.own_int(operand);
        let to = self.alloc_float();
        let (large, done) = (self.asm.label(), self.asm.label());
        self.asm.bits_rr(Float::Single, Bits::Xor, to, to);
        self.asm.test_rr(W64, from, from);
        self.asm.jcc(Cond::Sign, large);
        self.asm.cvtsi2s(float, W64, to, from);
        self.asm.jmp(done);
        self.asm.bind(large);
        self.asm.mov_rr(W64, SCRATCH, from);
        self.asm.shift_ri(W64, Shift::Shr, from, 1);
        self.asm.alu_ri(W64, Alu::And, SCRATCH, 1);
        self.asm.alu_rr(W64, Alu::Or, from, SCRATCH);
        self.asm.cvtsi2s(float, W64, to, from);
        self.asm.sse_rr(float, Sse::Add, to, to);
        self.asm.bind(done);
        self.free_int(from);
        self.push(ty, Place::Float(to));
    }

    fn change_precision(&mut self, from: Float, ty: Ty) {
        let operand = self.pop();
        let reg = self.own_float(operand);
        self.asm.cvts2s(from, reg, reg);
        self.push_raw(ty, reg);
    }

    fn float_bits(&mut self, ty: Ty) {
        let mut operand =
            if fault!("baseline-nan-seen-by-reinterpretation") { self.pop() } else { self.pop_seen() };
        if let Place::Const(bits) = operand.place {
            self.push(ty, Place::Const(bits));
            return;
        }
        let to = self.alloc_int();
        match self.memory_operand(&operand) {
            Some(mem) => self.asm.mov_rm(ty.width(), to, mem),
            None => {
                let from = self.read_float(&mut operand);
                self.asm.mov_rx(ty.width(), to, from);
            }
        }
        self.free(operand);
        self.push(ty, Place::Int(to));
    }

    fn bits_float(&mut self, ty: Ty) {
        let mut operand = self.pop();
        if let Place::Const(bits) = operand.place {
            self.push(ty, Place::Const(bits));
            return;
        }
        let from = self.read_int(&mut operand);
        let to = self.alloc_float();
        self.asm.mov_xr(ty.width(), to, from);
        self.free(operand);
        self.push(ty, Place::Float(to));
    }

    /// A constant in the floating-point scratch register.
    fn float_constant(&mut self, float: Float, value: f64) {
        let (width, bits) = match float {
            Float::Single => (Width::W32, u64::from((value as f32).to_bits())),
            Float::Double => (Width::W64, value.to_bits()),
        };
        self.asm.mov_ri(SCRATCH, bits);
        self.asm.mov_xr(width, FLOAT_SCRATCH, SCRATCH);
    }

    /// Compares with bounds first. Traps: `InvalidConversionToInteger`, `IntegerOverflow`.
    fn truncate(&mut self, truncation: Truncation) {
        let Truncation { from: float, to: width, signed } = truncation;
        let operand = self.pop();
        let from = self.own_float(operand);
        let to = self.alloc_int();
        let invalid = self.trap(TrapKind::InvalidConversionToInteger);
        let overflow = self.trap(TrapKind::IntegerOverflow);
        self.asm.ucomis_rr(float, from, from);
        self.asm.jcc(Cond::Parity, invalid);
        let (low, low_cond, high) = bounds(truncation);
        self.float_constant(float, low);
        self.asm.ucomis_rr(float, from, FLOAT_SCRATCH);
        self.asm.jcc(low_cond, overflow);
        self.float_constant(float, high);
        self.asm.ucomis_rr(float, from, FLOAT_SCRATCH);
        self.asm.jcc(Cond::AboveEqual, overflow);
        self.integer_of(float, width, signed, to, from);
        self.free_float(from);
        self.push(if width == Width::W32 { Ty::I32 } else { Ty::I64 }, Place::Int(to));
    }

    /// Converts what is known to fit.
    fn integer_of(&mut self, float: Float, width: Width, signed: bool, to: Gpr, from: Xmm) {
        match (width, signed) {
            (_, true) => self.asm.cvtts2si(float, width, to, from),
            // Fits a signed number of twice the width.
            (Width::W32, false) => {
                self.asm.cvtts2si(float, Width::W64, to, from);
                self.asm.mov_rr(Width::W32, to, to);
            }
            (Width::W64, false) => {
                let (large, done) = (self.asm.label(), self.asm.label());
                self.float_constant(float, TWO_63);
                self.asm.ucomis_rr(float, from, FLOAT_SCRATCH);
                self.asm.jcc(Cond::AboveEqual, large);
                self.asm.cvtts2si(float, Width::W64, to, from);
                self.asm.jmp(done);
                self.asm.bind(large);
                self.asm.sse_rr(float, Sse::Sub, from, FLOAT_SCRATCH);
                self.asm.cvtts2si(float, Width::W64, to, from);
                self.asm.mov_ri(SCRATCH, 1 << 63);
                self.asm.alu_rr(Width::W64, Alu::Xor, to, SCRATCH);
                self.asm.bind(done);
            }
        }
    }

    fn saturate(&mut self, truncation: Truncation) {
        let Truncation { from: float, to: width, signed } = truncation;
        let operand = self.pop();
        let from = self.own_float(operand);
        let to = self.alloc_int();
        let (zero, least, most, done) =
            (self.asm.label(), self.asm.label(), self.asm.label(), self.asm.label());
        let (smallest, largest) = limits(width, signed);
        self.asm.ucomis_rr(float, from, from);
        self.asm.jcc(Cond::Parity, zero);
        let (low, low_cond, high) = bounds(truncation);
        self.float_constant(float, low);
        self.asm.ucomis_rr(float, from, FLOAT_SCRATCH);
        self.asm.jcc(low_cond, least);
        self.float_constant(float, high);
        self.asm.ucomis_rr(float, from, FLOAT_SCRATCH);
        self.asm.jcc(Cond::AboveEqual, most);
        self.integer_of(float, width, signed, to, from);
        self.asm.jmp(done);
        for (label, value) in [(zero, 0), (least, smallest), (most, largest)] {
            self.asm.bind(label);
            self.asm.mov_ri(to, value);
            if label != most {
                self.asm.jmp(done);
            }
        }
        self.asm.bind(done);
        self.free_float(from);
        self.push(if width == Width::W32 { Ty::I32 } else { Ty::I64 }, Place::Int(to));
    }
}

const TWO_31: f64 = 2_147_483_648.0;
const TWO_32: f64 = 4_294_967_296.0;
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

/// The largest float too small and the condition for being too small, and the smallest float too large.
fn bounds(Truncation { from, to, signed }: Truncation) -> (f64, Cond, f64) {
    match (to, signed, from) {
        // Between these and the next smaller integer there are floats that truncate to the limit.
        (Width::W32, true, Float::Double) => (-TWO_31 - 1.0, Cond::BelowEqual, TWO_31),
        // Here there are none: the limit itself is the bound.
        (Width::W32, true, Float::Single) => (-TWO_31, Cond::Below, TWO_31),
        (Width::W64, true, _) => (-TWO_63, Cond::Below, TWO_63),
        (Width::W32, false, _) => (-1.0, Cond::BelowEqual, TWO_32),
        (Width::W64, false, _) => (-1.0, Cond::BelowEqual, TWO_64),
    }
}

/// Smallest and largest integer.
fn limits(width: Width, signed: bool) -> (u64, u64) {
    match (width, signed) {
        (Width::W32, true) => (u64::from(i32::MIN as u32), i32::MAX as u64),
        (Width::W32, false) => (0, u64::from(u32::MAX)),
        (Width::W64, true) => (i64::MIN as u64, i64::MAX as u64),
        (Width::W64, false) => (0, u64::MAX),
    }
}
