//! How values and bytes are written in the line protocol.

use crate::case::{FuncIdentity, HeapKind, RefValue, Value};
use std::fmt::Write;

/// Bytes in hexadecimal digits; `-` for none, so that a line's words can be counted.
pub fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".into();
    }
    let mut text = String::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|byte| _ = write!(text, "{byte:02x}"));
    text
}

/// The bytes of hexadecimal digits.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    if text == "-" {
        return Some(Vec::new());
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// A value; none if no driver can be passed it.
pub fn value(value: &Value) -> Option<String> {
    Some(match value {
        Value::I32(bits) => format!("i32:{bits:x}"),
        Value::I64(bits) => format!("i64:{bits:x}"),
        Value::F32(bits) => format!("f32:{bits:x}"),
        Value::F64(bits) => format!("f64:{bits:x}"),
        Value::V128(bits) => format!("v128:{bits:x}"),
        Value::Ref(RefValue::Null(HeapKind::Func | HeapKind::NoFunc)) => "func:null".into(),
        Value::Ref(RefValue::Null(HeapKind::Extern | HeapKind::NoExtern)) => "extern:null".into(),
        Value::Ref(RefValue::Null(_)) => "ref:null".into(),
        Value::Ref(RefValue::Extern(number)) => format!("extern:{number:x}"),
        Value::Ref(_) => return None,
    })
}

fn read(word: &str) -> Option<Value> {
    let (ty, bits) = word.split_once(':')?;
    let narrow = || u32::from_str_radix(bits, 16).ok();
    let wide = || u64::from_str_radix(bits, 16).ok();
    Some(match (ty, bits) {
        ("i32", _) => Value::I32(narrow()?),
        ("i64", _) => Value::I64(wide()?),
        ("f32", _) => Value::F32(narrow()?),
        ("f64", _) => Value::F64(wide()?),
        ("v128", _) => Value::V128(u128::from_str_radix(bits, 16).ok()?),
        ("func", "null") => Value::Ref(RefValue::Null(HeapKind::Func)),
        // Which function it is the protocol does not say, and the capabilities say so.
        ("func", "some") => Value::Ref(RefValue::Func(FuncIdentity::Host(0))),
        ("extern", "null") => Value::Ref(RefValue::Null(HeapKind::Extern)),
        ("extern", _) => Value::Ref(RefValue::Extern(narrow()?)),
        ("ref", "null") => Value::Ref(RefValue::Null(HeapKind::Any)),
        _ => return None,
    })
}

/// The values of the words of a text; none if one is no value.
pub fn values(text: &str) -> Option<Vec<Value>> {
    text.split_whitespace().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_bytes_come_back() {
        let all = [
            Value::I32(u32::MAX),
            Value::F64(0x7ff0_0000_0000_0001),
            Value::V128(u128::MAX - 1),
            Value::Ref(RefValue::Null(HeapKind::Extern)),
            Value::Ref(RefValue::Extern(12)),
        ];
        let text: Vec<String> = all.iter().map(|one| value(one).expect("it can be passed")).collect();
        assert_eq!(values(&text.join(" ")), Some(all.to_vec()));
        assert_eq!(values(" i32:zz"), None);
        assert_eq!(bytes(&hex(&[0, 255, 16])), Some(vec![0, 255, 16]));
        assert_eq!((bytes(&hex(&[])), bytes("abc"), bytes("xy")), (Some(Vec::new()), None, None));
    }
}
