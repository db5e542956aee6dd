//! Instructions that look at operands alone: constants, and operators on numbers.

use super::convert::conversion;
use super::float::{on_f32, on_f64};
use super::integer::{Done, on_i32, on_i64};
use super::value::{Operands, Reference, Val};
use crosscheck_engine::TrapKind;
use wasmparser::Operator;

/// Executes an instruction that looks at operands alone; `None` if it is another.
pub(super) fn computed(operator: &Operator<'_>, stack: &mut Operands) -> Option<Done> {
    plain(operator, stack)
        .or_else(|| on_i32(operator, stack))
        .or_else(|| on_i64(operator, stack))
        .or_else(|| on_f32(operator, stack))
        .or_else(|| on_f64(operator, stack))
        .or_else(|| conversion(operator, stack))
}

fn plain(operator: &Operator<'_>, stack: &mut Operands) -> Option<Done> {
    use Operator as O;
    match operator {
        O::I32Const { value } => stack.push(Val::I32(*value as u32)),
        O::I64Const { value } => stack.push(Val::I64(*value as u64)),
        O::F32Const { value } => stack.push(Val::F32(value.bits())),
        O::F64Const { value } => stack.push(Val::F64(value.bits())),
        O::RefNull { .. } => stack.push(Val::Ref(Reference::Null)),
        O::RefIsNull => {
            let is_null = stack.pop().reference() == Reference::Null;
            stack.push(Val::I32(u32::from(is_null)));
        }
        O::RefAsNonNull if stack.top().reference() == Reference::Null => {
            return Some(Err(TrapKind::NullReference));
        }
        O::RefAsNonNull | O::Nop => {}
        O::Drop => _ = stack.pop(),
        O::Select | O::TypedSelect { .. } => {
            let condition = stack.pop_i32();
            let (second, first) = (stack.pop(), stack.pop());
            stack.push(if condition != 0 { first } else { second });
        }
        _ => return None,
    }
    Some(Ok(()))
}
