//! What the operators on integers compute (specification, section 4.3.2, "Integer Operations").

use super::value::{Operands, Val};
use crosscheck_engine::TrapKind;
use wasmparser::Operator;

/// How an operator ended.
pub(super) type Done = Result<(), TrapKind>;

/// Executes an operator on `i32`; `None` if it is another.
pub(super) fn on_i32(operator: &Operator<'_>, stack: &mut Operands) -> Option<Done> {
    use Operator as O;
    match operator {
        O::I32Eqz => stack.unary_i32(|a| u32::from(a == 0)),
        O::I32Clz => stack.unary_i32(|a| leading_zeros(u64::from(a)) - 32),
        O::I32Ctz => stack.unary_i32(|a| trailing_zeros(u64::from(a) | 1 << 32)),
        O::I32Popcnt => stack.unary_i32(|a| ones(u64::from(a))),
        O::I32Extend8S => stack.unary_i32(|a| a as u8 as i8 as u32),
        O::I32Extend16S => stack.unary_i32(|a| a as u16 as i16 as u32),
        O::I32Eq => stack.binary_i32(|a, b| u32::from(a == b)),
        O::I32Ne => stack.binary_i32(|a, b| u32::from(a != b)),
        O::I32LtS => stack.binary_i32(|a, b| u32::from((a as i32) < b as i32)),
        O::I32LtU => stack.binary_i32(|a, b| u32::from(a < b)),
        O::I32GtS => stack.binary_i32(|a, b| u32::from(a as i32 > b as i32)),
        O::I32GtU => stack.binary_i32(|a, b| u32::from(a > b)),
        O::I32LeS => stack.binary_i32(|a, b| u32::from(a as i32 <= b as i32)),
        O::I32LeU => stack.binary_i32(|a, b| u32::from(a <= b)),
        O::I32GeS => stack.binary_i32(|a, b| u32::from(a as i32 >= b as i32)),
        O::I32GeU => stack.binary_i32(|a, b| u32::from(a >= b)),
        O::I32Add => stack.binary_i32(|a, b| (u64::from(a) + u64::from(b)) as u32),
        O::I32Sub => stack.binary_i32(|a, b| (u64::from(a) + (1 << 32) - u64::from(b)) as u32),
        O::I32Mul => stack.binary_i32(|a, b| (u64::from(a) * u64::from(b)) as u32),
        O::I32And => stack.binary_i32(|a, b| a & b),
        O::I32Or => stack.binary_i32(|a, b| a | b),
        O::I32Xor => stack.binary_i32(|a, b| a ^ b),
        O::I32Shl => stack.binary_i32(|a, b| (u64::from(a) << (b % 32)) as u32),
        O::I32ShrS => stack.binary_i32(|a, b| (i64::from(a as i32) >> (b % 32)) as u32),
        O::I32ShrU => stack.binary_i32(|a, b| a >> (b % 32)),
        // The bits twice over, of which a window is taken.
        O::I32Rotl => stack.binary_i32(|a, b| (twice(a) >> (32 - b % 32)) as u32),
        O::I32Rotr => stack.binary_i32(|a, b| (twice(a) >> (b % 32)) as u32),
        O::I32DivS | O::I32DivU | O::I32RemS | O::I32RemU => return Some(divide_i32(operator, stack)),
        _ => return None,
    }
    Some(Ok(()))
}

fn twice(bits: u32) -> u64 {
    u64::from(bits) << 32 | u64::from(bits)
}

fn divide_i32(operator: &Operator<'_>, stack: &mut Operands) -> Done {
    use Operator as O;
    let (divisor, dividend) = (stack.pop_i32(), stack.pop_i32());
    if divisor == 0 {
        return Err(TrapKind::IntegerDivideByZero);
    }
    // In twice the width nothing overflows.
    let (signed, by) = (i64::from(dividend as i32), i64::from(divisor as i32));
    let result = match operator {
        O::I32DivS => i32::try_from(signed / by).map_err(|_| TrapKind::IntegerOverflow)? as u32,
        O::I32RemS => (signed % by) as u32,
        O::I32DivU => dividend / divisor,
        _ => dividend % divisor,
    };
    stack.push(Val::I32(result));
    Ok(())
}

/// Executes an operator on `i64`; `None` if it is another.
pub(super) fn on_i64(operator: &Operator<'_>, stack: &mut Operands) -> Option<Done> {
    use Operator as O;
    match operator {
        O::I64Eqz => {
            let value = stack.pop_i64();
            stack.push(Val::I32(u32::from(value == 0)));
        }
        O::I64Clz => stack.unary_i64(|a| u64::from(leading_zeros(a))),
        O::I64Ctz => stack.unary_i64(|a| u64::from(trailing_zeros(a))),
        O::I64Popcnt => stack.unary_i64(|a| u64::from(ones(a))),
        O::I64Extend8S => stack.unary_i64(|a| a as u8 as i8 as u64),
        O::I64Extend16S => stack.unary_i64(|a| a as u16 as i16 as u64),
        O::I64Extend32S => stack.unary_i64(|a| a as u32 as i32 as u64),
        O::I64Eq => stack.compare_i64(|a, b| a == b),
        O::I64Ne => stack.compare_i64(|a, b| a != b),
        O::I64LtS => stack.compare_i64(|a, b| (a as i64) < b as i64),
        O::I64LtU => stack.compare_i64(|a, b| a < b),
        O::I64GtS => stack.compare_i64(|a, b| a as i64 > b as i64),
        O::I64GtU => stack.compare_i64(|a, b| a > b),
        O::I64LeS => stack.compare_i64(|a, b| a as i64 <= b as i64),
        O::I64LeU => stack.compare_i64(|a, b| a <= b),
        O::I64GeS => stack.compare_i64(|a, b| a as i64 >= b as i64),
        O::I64GeU => stack.compare_i64(|a, b| a >= b),
        O::I64Add => stack.binary_i64(|a, b| (u128::from(a) + u128::from(b)) as u64),
        O::I64Sub => stack.binary_i64(|a, b| (u128::from(a) + (1 << 64) - u128::from(b)) as u64),
        O::I64Mul => stack.binary_i64(|a, b| (u128::from(a) * u128::from(b)) as u64),
        O::I64And => stack.binary_i64(|a, b| a & b),
        O::I64Or => stack.binary_i64(|a, b| a | b),
        O::I64Xor => stack.binary_i64(|a, b| a ^ b),
        O::I64Shl => stack.binary_i64(|a, b| (u128::from(a) << (b % 64)) as u64),
        O::I64ShrS => stack.binary_i64(|a, b| (i128::from(a as i64) >> (b % 64)) as u64),
        O::I64ShrU => stack.binary_i64(|a, b| a >> (b % 64)),
        O::I64Rotl => stack.binary_i64(|a, b| (twice_wide(a) >> (64 - b % 64)) as u64),
        O::I64Rotr => stack.binary_i64(|a, b| (twice_wide(a) >> (b % 64)) as u64),
        O::I64DivS | O::I64DivU | O::I64RemS | O::I64RemU => return Some(divide_i64(operator, stack)),
        O::I64Add128 | O::I64Sub128 | O::I64MulWideS | O::I64MulWideU => wide(operator, stack),
        _ => return None,
    }
    Some(Ok(()))
}

fn twice_wide(bits: u64) -> u128 {
    u128::from(bits) << 64 | u128::from(bits)
}

fn divide_i64(operator: &Operator<'_>, stack: &mut Operands) -> Done {
    use Operator as O;
    let (divisor, dividend) = (stack.pop_i64(), stack.pop_i64());
    if divisor == 0 {
        return Err(TrapKind::IntegerDivideByZero);
    }
    let (signed, by) = (i128::from(dividend as i64), i128::from(divisor as i64));
    let result = match operator {
        O::I64DivS => i64::try_from(signed / by).map_err(|_| TrapKind::IntegerOverflow)? as u64,
        O::I64RemS => (signed % by) as u64,
        O::I64DivU => dividend / divisor,
        _ => dividend % divisor,
    };
    stack.push(Val::I64(result));
    Ok(())
}

/// The wide-arithmetic proposal: numbers of 128 bits are two operands, the low half first.
fn wide(operator: &Operator<'_>, stack: &mut Operands) {
    use Operator as O;
    let result = match operator {
        O::I64MulWideS => {
            let (b, a) = (stack.pop_i64() as i64, stack.pop_i64() as i64);
            (i128::from(a) * i128::from(b)) as u128
        }
        O::I64MulWideU => {
            let (b, a) = (stack.pop_i64(), stack.pop_i64());
            u128::from(a) * u128::from(b)
        }
        _ => {
            let mut pair = || u128::from(stack.pop_i64()) << 64 | u128::from(stack.pop_i64());
            let (b, a) = (pair(), pair());
            if matches!(operator, O::I64Add128) { a.wrapping_add(b) } else { a.wrapping_sub(b) }
        }
    };
    stack.push(Val::I64(result as u64));
    stack.push(Val::I64((result >> 64) as u64));
}

/// Zeros above the highest bit that is set, in 64 bits.
fn leading_zeros(bits: u64) -> u32 {
    (0..64).take_while(|place| bits >> (63 - place) == 0).count() as u32
}

/// Zeros below the lowest bit that is set, in 64 bits.
fn trailing_zeros(bits: u64) -> u32 {
    (0..64).take_while(|place| bits >> place & 1 == 0).count() as u32
}

fn ones(bits: u64) -> u32 {
    (0..64).filter(|place| bits >> place & 1 == 1).count() as u32
}

impl Operands {
    fn unary_i32(&mut self, compute: impl Fn(u32) -> u32) {
        let a = self.pop_i32();
        self.push(Val::I32(compute(a)));
    }

    fn binary_i32(&mut self, compute: impl Fn(u32, u32) -> u32) {
        let (b, a) = (self.pop_i32(), self.pop_i32());
        self.push(Val::I32(compute(a, b)));
    }

    fn unary_i64(&mut self, compute: impl Fn(u64) -> u64) {
        let a = self.pop_i64();
        self.push(Val::I64(compute(a)));
    }

    fn binary_i64(&mut self, compute: impl Fn(u64, u64) -> u64) {
        let (b, a) = (self.pop_i64(), self.pop_i64());
        self.push(Val::I64(compute(a, b)));
    }

    fn compare_i64(&mut self, holds: impl Fn(u64, u64) -> bool) {
        let (b, a) = (self.pop_i64(), self.pop_i64());
        self.push(Val::I32(u32::from(holds(a, b))));
    }
}
