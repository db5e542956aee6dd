//! Arguments of calls as people write them.

use crate::case::{RefValue, Value};
use crate::observe::values;
use crosscheck_engine::ValType;
use std::ffi::OsString;

/// What stands for a hyphen before a number that the command line would take for an option: see [`with_hyphens`].
const MINUS: char = '\u{2212}';

/// Lets numbers through the command line that look like options: `-inf`, `-nan`, `-.5`, `-0x1`.
pub fn with_hyphens(argument: OsString) -> OsString {
    let number = |text: &str| {
        let digits = text.strip_prefix('-')?;
        let is_number = ["inf", "nan", ".", "0x", "0X"].iter().any(|start| digits.starts_with(start));
        is_number.then(|| format!("{MINUS}{digits}"))
    };
    argument.to_str().and_then(number).map_or(argument, OsString::from)
}

/// An argument: a number as the text format has them, in decimal or with 0x (the bits, for floats), with a sign or
/// without; `null`; or a host object's number. Fails with what was expected.
pub fn parse(text: &str, ty: ValType) -> Result<Value, String> {
    let text = text.replace(MINUS, "-");
    let wrong = || format!("`{text}` is not a value of type {ty}");
    match ty {
        ValType::I32 => integer(&text, 32).map(|bits| Value::I32(bits as u32)),
        ValType::I64 => integer(&text, 64).map(|bits| Value::I64(bits as u64)),
        ValType::F32 => float32(&text).map(Value::F32),
        ValType::F64 => float64(&text).map(Value::F64),
        ValType::V128 => hexadecimal(&text).map(Value::V128),
        ValType::Ref(ty) if text == "null" && ty.nullable => Some(values::null(ty)),
        ValType::EXTERNREF => text.parse().ok().map(|number| Value::Ref(RefValue::Extern(number))),
        ValType::Ref(_) => None,
    }
    .ok_or_else(wrong)
}

fn hexadecimal(text: &str) -> Option<u128> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    u128::from_str_radix(&digits.replace('_', ""), 16).ok()
}

/// An integer of that many bits, signed or unsigned.
fn integer(text: &str, bits: u32) -> Option<i128> {
    let (is_negative, digits) = signed(text);
    let size = match hexadecimal(digits) {
        Some(size) => i128::try_from(size).ok()?,
        None if digits.starts_with(|first: char| first.is_ascii_digit()) => {
            digits.replace('_', "").parse().ok()?
        }
        None => return None,
    };
    let number = if is_negative { -size } else { size };
    (-(1i128 << (bits - 1))..1i128 << bits).contains(&number).then_some(number)
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// The payload after `nan`, if a text is one: that of the canonical NaN if it names none.
fn nan_payload(digits: &str, canonical: u128, most: u128) -> Option<u128> {
    match digits.strip_prefix("nan")? {
        "" => Some(canonical),
        named => hexadecimal(named.strip_prefix(':')?).filter(|payload| (1..=most).contains(payload)),
    }
}

fn float32(text: &str) -> Option<u32> {
    let (is_negative, digits) = signed(text);
    let sign = u32::from(is_negative) << 31;
    if let Some(payload) = nan_payload(digits, 1 << 22, (1 << 23) - 1) {
        return Some(sign | 0x7f80_0000 | payload as u32);
    }
    if digits.starts_with("0x") || digits.starts_with("0X") {
        return if is_negative { None } else { hexadecimal(digits)?.try_into().ok() };
    }
    Some(digits.replace('_', "").parse::<f32>().ok()?.to_bits() | sign)
}

fn float64(text: &str) -> Option<u64> {
    let (is_negative, digits) = signed(text);
    let sign = u64::from(is_negative) << 63;
    if let Some(payload) = nan_payload(digits, 1 << 51, (1 << 52) - 1) {
        return Some(sign | 0x7ff0_0000_0000_0000 | payload as u64);
    }
    if digits.starts_with("0x") || digits.starts_with("0X") {
        return if is_negative { None } else { hexadecimal(digits)?.try_into().ok() };
    }
    Some(digits.replace('_', "").parse::<f64>().ok()?.to_bits() | sign)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, ty: ValType) -> Option<String> {
        let given = with_hyphens(text.into());
        parse(given.to_str().expect("it is text"), ty).ok().map(|value| value.to_string())
    }

    #[test]
    fn numbers_are_read_as_the_text_format_has_them() {
        for (text, ty, value) in [
            ("-inf", ValType::F32, "f32:0xff800000"),
            ("inf", ValType::F64, "f64:0x7ff0000000000000"),
            ("-nan", ValType::F32, "f32:0xffc00000"),
            ("nan:0x1", ValType::F64, "f64:0x7ff0000000000001"),
            ("-.5", ValType::F32, "f32:0xbf000000"),
            ("0x3fc00000", ValType::F32, "f32:0x3fc00000"),
            ("-0x1", ValType::I32, "i32:0xffffffff"),
            ("-1", ValType::I64, "i64:0xffffffffffffffff"),
            ("4294967295", ValType::I32, "i32:0xffffffff"),
            ("1_000", ValType::I64, "i64:0x3e8"),
        ] {
            assert_eq!(parsed(text, ty).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (text, ty) in [
            ("4294967296", ValType::I32),
            ("-2147483649", ValType::I32),
            ("-0x1", ValType::F32),
            ("0x1ffffffff", ValType::F32),
            ("nan:0x0", ValType::F32),
            ("--1", ValType::I32),
            ("x", ValType::F64),
            ("", ValType::I32),
        ] {
            assert_eq!(parsed(text, ty), None, "{text}");
        }
    }
}
