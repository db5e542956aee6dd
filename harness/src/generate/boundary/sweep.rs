//! One operator, or one place in memory, and many numbers at borders: what an operator does wrong of few operands
//! only is met by trying many, not by computing with whatever the last instruction gave.

use super::Ty;
use super::exercise::Body;
use super::operand::Spot;
use crate::case::Value;
use crate::draw::values;
use crate::generate::linked::operators::Operator;
use crate::generate::numbers::{NUMBERS, constant_of, number_type};
use crosscheck_engine::numeric::evaluate;

impl Body<'_> {
    /// An operator on numbers at borders.
    pub(super) fn sweep(&mut self) {
        let result = self.number();
        let operator = self.stream.pick(Operator::giving(result));
        if !self.plan.choices.allows(operator) {
            return self.compute();
        }
        let mut trapping = None;
        for _ in 0..self.stream.between(8, 24) {
            let mut operands: Vec<Value> = operator.operands.iter().map(|ty| self.border(*ty)).collect();
            if let [left, right] = &mut operands[..] {
                match self.stream.below(16) {
                    0 | 1 => left.clone_from(right),
                    // What a quotient of does not fit.
                    2 => match (left, right) {
                        (Value::I32(left), Value::I32(right)) => (*left, *right) = (1 << 31, u32::MAX),
                        (Value::I64(left), Value::I64(right)) => (*left, *right) = (1 << 63, u64::MAX),
                        _ => {}
                    },
                    _ => {}
                }
            }
            let slots: Vec<u64> = operands.iter().map(bits).collect();
            if evaluate(operator.opcode, &slots).is_err() {
                trapping = Some(operands);
            } else {
                self.apply(operator, &operands);
                self.mix(result);
            }
        }
        // What traps comes last.
        if let Some(operands) = trapping.filter(|_| self.stream.percent(25)) {
            self.apply(operator, &operands);
            self.mix(result);
            self.is_over = true;
        }
    }

    fn apply(&mut self, operator: &Operator, operands: &[Value]) {
        for (ty, value) in operator.operands.iter().zip(operands) {
            self.number_from_somewhere(*ty, value);
        }
        operator.write(&mut self.code);
    }

    /// Numbers at borders stored at a place, and read back in every way.
    pub(super) fn sweep_memory(&mut self) {
        let Spot { address, offset } = self.spot(8);
        for _ in 0..self.stream.between(4, 12) {
            let ty = self.number();
            let value = self.border(ty);
            self.store(ty, Spot { address, offset }, |body| body.number_from_somewhere(ty, &value));
            for ty in NUMBERS {
                if self.plan.choices.floats || matches!(ty, Ty::I32 | Ty::I64) {
                    self.load(ty, Spot { address, offset });
                    self.mix(ty);
                }
            }
        }
    }

    fn border(&mut self, ty: Ty) -> Value {
        // Two to a power at which conversions to integers and back change their ways.
        const BIAS: u64 = 1023;
        let power = f64::from_bits((BIAS - 2 + self.stream.below(68)) << 52);
        match ty {
            Ty::F32 if self.stream.percent(20) => return Value::F32((power as f32).to_bits()),
            Ty::F64 if self.stream.percent(20) => return Value::F64(power.to_bits()),
            _ => {}
        }
        values::value(number_type(ty), self.stream).expect("a number")
    }

    /// A number as a constant, by way of a local, or made so that no compiler knows it.
    fn number_from_somewhere(&mut self, ty: Ty, value: &Value) {
        let way = self.stream.below(8);
        if way == 0 && matches!(ty, Ty::I32 | Ty::I64) {
            return self.known(ty, bits(value));
        }
        constant_of(value, &mut self.op());
        if way < 3 {
            let local = self.local(ty);
            self.op().local_set(local).local_get(local);
        }
    }
}

fn bits(value: &Value) -> u64 {
    match *value {
        Value::I32(bits) | Value::F32(bits) => u64::from(bits),
        Value::I64(bits) | Value::F64(bits) => bits,
        Value::V128(_) | Value::Ref(_) => unreachable!("only numbers are drawn"),
    }
}
