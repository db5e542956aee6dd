//! What becomes of the outcome of a comparison: it is taken at once by the next instruction, or made a number.

use super::compiler::Compiler;
use super::operand::{Place, Ty};
use super::target::{Assembler, Target};
use crate::native::width::Width;
use crate::opcode::reader::Reader;
use crate::opcode::{Control, Numeric, Opcode, Parametric};

/// Whether an instruction can take the outcome of a comparison before it was made a number.
fn takes_outcome(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Control(Control::If | Control::BrIf)
            | Opcode::Parametric(Parametric::Select)
            | Opcode::Numeric(Numeric::I32Eqz)
    )
}

impl<T: Target> Compiler<'_, T> {
    /// Pushes the outcome of a comparison: as it is if the next instruction takes it so, else as a number.
    pub(super) fn push_test(&mut self, test: T::Test, reader: &Reader) {
        if reader.peek().is_some_and(takes_outcome) {
            self.push(Ty::I32, Place::Outcome(test));
            return;
        }
        let reg = self.alloc_int();
        self.asm.set_from(test, reg);
        self.push(Ty::I32, Place::Int(reg));
    }

    /// Takes the condition on top of the stack, and tests it. From here on nothing may change the outcome until
    /// it is asked for; all NaN bits are canonical.
    pub(super) fn test(&mut self) -> T::Test {
        let mut operand = self.pop();
        if let Place::Outcome(test) = operand.place {
            return test;
        }
        self.canonical_all();
        let reg = self.read_int(&mut operand);
        let test = self.asm.test_nonzero(Width::W32, reg);
        self.free(operand);
        test
    }

    pub(super) fn select(&mut self) {
        let mut condition = self.pop();
        let [.., left, right] = self.stack[..] else {
            unreachable!("validation keeps the stack deep enough")
        };
        if left.raw_nan || right.raw_nan {
            // Comparisons whose outcome is passed on have made all bits canonical already.
            self.canonical_all();
        }
        let (mut right, left) = (self.pop(), self.pop());
        let ty = left.ty;
        let place = if ty.float().is_some() {
            let to = self.own_float(left);
            let from = self.read_float(&mut right);
            let test = T::condition(self, &mut condition);
            self.asm.select_float(test, to, from);
            Place::Float(to)
        } else {
            let to = self.own_int(left);
            let from = self.read_int(&mut right);
            let test = T::condition(self, &mut condition);
            self.asm.select_int(test, ty.width(), to, from);
            Place::Int(to)
        };
        self.free(right);
        self.free(condition);
        self.push(ty, place);
    }
}
