//! Arguments of calls as people write them.

use crate::case::{RefValue, Value};
use crate::subject::values;
use crosscheck_engine::ValType;

/// An argument: a number in decimal or with 0x (the bits, for floats), `null`, or a host object's number. Fails with
/// what was expected.
pub fn parse(text: &str, ty: ValType) -> Result<Value, String> {
    let wrong = || format!("`{text}` is not a value of type {ty}");
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let hex = hex.map(|digits| u128::from_str_radix(&digits.replace('_', ""), 16));
    Ok(match (ty, hex) {
        (ValType::I32, Some(Ok(bits))) => Value::I32(u32::try_from(bits).map_err(|_| wrong())?),
        (ValType::I64, Some(Ok(bits))) => Value::I64(u64::try_from(bits).map_err(|_| wrong())?),
        (ValType::F32, Some(Ok(bits))) => Value::F32(u32::try_from(bits).map_err(|_| wrong())?),
        (ValType::F64, Some(Ok(bits))) => Value::F64(u64::try_from(bits).map_err(|_| wrong())?),
        (ValType::V128, Some(Ok(bits))) => Value::V128(bits),
        (ValType::I32, None) => {
            let number: i64 = text.parse().map_err(|_| wrong())?;
            let signed = i32::try_from(number).map(|number| number as u32);
            Value::I32(signed.or_else(|_| u32::try_from(number)).map_err(|_| wrong())?)
        }
        (ValType::I64, None) => {
            let number: i128 = text.parse().map_err(|_| wrong())?;
            let signed = i64::try_from(number).map(|number| number as u64);
            Value::I64(signed.or_else(|_| u64::try_from(number)).map_err(|_| wrong())?)
        }
        (ValType::F32, None) => Value::F32(text.parse::<f32>().map_err(|_| wrong())?.to_bits()),
        (ValType::F64, None) => Value::F64(text.parse::<f64>().map_err(|_| wrong())?.to_bits()),
        (ValType::Ref(ty), _) if text == "null" && ty.nullable => values::null(ty),
        (ValType::EXTERNREF, None) => Value::Ref(RefValue::Extern(text.parse().map_err(|_| wrong())?)),
        (ValType::V128 | ValType::Ref(_), _) | (_, Some(Err(_))) => return Err(wrong()),
    })
}

/// The arguments of a call of a function with these parameters. Fails with what was expected.
pub fn parse_all(name: &str, texts: &[String], params: &[ValType]) -> Result<Vec<Value>, String> {
    if texts.len() != params.len() {
        let types: Vec<String> = params.iter().map(ToString::to_string).collect();
        let (wanted, given) = (params.len(), texts.len());
        return Err(format!("`{name}` takes {wanted} arguments ({}), {given} given", types.join(" ")));
    }
    texts.iter().zip(params).map(|(text, ty)| parse(text, *ty)).collect()
}
