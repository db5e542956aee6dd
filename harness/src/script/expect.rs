//! What a script expects, and whether an outcome is that.

use super::lane::{Outcome, Skip, refused_here};
use super::value::{FuncName, Value, list};
use crosscheck_engine::{Error, Hierarchy};
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastRetCore};
use wast::token::{F32, F64, Index};
use wast::{QuoteWat, WastRet};

/// What must become of an action.
pub(super) enum Expectation<'a> {
    /// That it succeeds, whatever it gives.
    Success,
    /// These results, in order.
    Results(&'a [WastRet<'a>]),
    /// A trap whose text starts like this, or whose kind is called so.
    Trap(&'a str),
    /// A failure to link whose text starts like this.
    Unlinkable(&'a str),
    /// An uncaught exception.
    Exception,
    /// A suspension that nothing handles.
    Suspension,
}

/// What is said of one directive in one lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Passed,
    Failed(String),
    /// It failed, as it must since a later standard: the reason.
    Excused(&'static str),
    Skipped(Skip),
}

/// Texts that the suite itself does not spell alike: what is checked, and whether what follows it in
/// a script makes the script's text another spelling of it.
const SPELLINGS: &[(&str, IsVariant)] = &[
    // Some scripts name the index of the element, which a trap's text never has.
    ("uninitialized element", |rest| rest.trim_start().parse::<u32>().is_ok()),
];

type IsVariant = fn(rest: &str) -> bool;

pub(super) fn spelling(expected: &str) -> &str {
    let mut rows = SPELLINGS.iter();
    let row = rows.find(|(text, is_variant)| expected.strip_prefix(text).is_some_and(is_variant));
    row.map_or(expected, |(text, _)| text)
}

/// Judges an outcome of the directive on that line.
pub(super) fn judge(expectation: &Expectation<'_>, outcome: &Outcome, line: u32) -> Verdict {
    if let Outcome::Error(error) = outcome
        && let Some(reason) = refused_here(error)
    {
        return Verdict::Skipped(Skip { line, reason: reason.into() });
    }
    let met = match outcome {
        Outcome::Skipped(skip) => return Verdict::Skipped(skip.clone()),
        Outcome::Broken(message) => return Verdict::Failed(message.clone()),
        Outcome::Died(message) => return Verdict::Failed(message.clone()),
        Outcome::Values(values) => match expectation {
            Expectation::Success => true,
            Expectation::Results(results) => {
                results.len() == values.len()
                    && results.iter().zip(values).all(|(expected, value)| is_met(expected, value))
            }
            Expectation::Trap(_)
            | Expectation::Unlinkable(_)
            | Expectation::Exception
            | Expectation::Suspension => false,
        },
        Outcome::Error(Error::Trap(trap)) => match expectation {
            // A host has words of its own; that it was a host says the kind.
            Expectation::Trap(text) => {
                trap.to_string().starts_with(spelling(text)) || trap.kind().text() == *text
            }
            Expectation::Success
            | Expectation::Results(_)
            | Expectation::Unlinkable(_)
            | Expectation::Exception
            | Expectation::Suspension => false,
        },
        Outcome::Error(Error::Link(message)) => match expectation {
            Expectation::Unlinkable(text) => message.starts_with(spelling(text)),
            Expectation::Success
            | Expectation::Results(_)
            | Expectation::Trap(_)
            | Expectation::Exception
            | Expectation::Suspension => false,
        },
        Outcome::Error(Error::Exception(_)) => match expectation {
            Expectation::Exception => true,
            Expectation::Success
            | Expectation::Results(_)
            | Expectation::Trap(_)
            | Expectation::Unlinkable(_)
            | Expectation::Suspension => false,
        },
        Outcome::Error(
            Error::Usage(_)
            | Error::Invalid { .. }
            | Error::Unsupported(_)
            | Error::Limit(_)
            | Error::Resources(_),
        ) => false,
    };
    if met {
        Verdict::Passed
    } else {
        Verdict::Failed(format!("expected {}, got {outcome}", wanted(expectation)))
    }
}

/// What is expected, in words.
pub(super) fn wanted(expectation: &Expectation<'_>) -> String {
    match expectation {
        Expectation::Success => "success".to_string(),
        Expectation::Results(results) => list(results.iter().map(show)),
        Expectation::Trap(text) => format!("trap: {text}"),
        Expectation::Unlinkable(text) => format!("link error: {text}"),
        Expectation::Exception => "an exception".to_string(),
        Expectation::Suspension => "a suspension".to_string(),
    }
}

/// Whether a module that must be refused was. wasmparser does not always tell malformed from invalid,
/// and words its messages in its own way: as in other runners either kind of refusal will do, and its
/// text is not compared.
pub(super) fn judge_refusal(refused: Result<(), &str>) -> Verdict {
    match refused {
        Ok(()) => Verdict::Passed,
        Err(wanted) => {
            Verdict::Failed(format!("expected the module to be refused ({wanted}), it was accepted"))
        }
    }
}

/// Whether a quoted or plain module is a component, which nothing here runs.
pub(super) fn is_component(module: &QuoteWat<'_>) -> bool {
    match module {
        QuoteWat::Wat(wast::Wat::Module(_)) | QuoteWat::QuoteModule(..) => false,
        QuoteWat::Wat(wast::Wat::Component(_)) | QuoteWat::QuoteComponent(..) => true,
    }
}

fn is_met(expected: &WastRet<'_>, value: &Value) -> bool {
    match expected {
        WastRet::Core(expected) => core_is_met(expected, value),
        // Results of components, and what a later version of the parser may add.
        _ => false,
    }
}

pub(super) fn core_is_met(expected: &WastRetCore<'_>, value: &Value) -> bool {
    if let WastRetCore::Either(choices) = expected {
        return choices.iter().any(|choice| core_is_met(choice, value));
    }
    // By the value and not by the expectation, so that a new kind of value is asked about here.
    match value {
        Value::I32(value) => matches!(expected, WastRetCore::I32(wanted) if *wanted as u32 == *value),
        Value::I64(value) => matches!(expected, WastRetCore::I64(wanted) if *wanted as u64 == *value),
        Value::F32(bits) => matches!(expected, WastRetCore::F32(pattern) if f32_is_met(pattern, *bits)),
        Value::F64(bits) => matches!(expected, WastRetCore::F64(pattern) if f64_is_met(pattern, *bits)),
        Value::V128(bits) => {
            matches!(expected, WastRetCore::V128(pattern) if v128_is_met(pattern, bits.to_le_bytes()))
        }
        Value::Null(hierarchy) => match expected {
            WastRetCore::RefNull(None) => true,
            WastRetCore::RefNull(Some(heap)) => hierarchies(heap).contains(hierarchy),
            _ => false,
        },
        Value::Func(name) => match (expected, name) {
            (WastRetCore::RefFunc(None), _) => true,
            // Names of functions are gone once a module is encoded, so only a number can be checked.
            (WastRetCore::RefFunc(Some(Index::Num(wanted, _))), FuncName::Wasm { func, .. }) => {
                wanted == func
            }
            _ => false,
        },
        Value::Extern(number) => match expected {
            WastRetCore::RefExtern(None) => true,
            WastRetCore::RefExtern(wanted) => wanted == number,
            _ => false,
        },
        Value::I31(_) => matches!(expected, WastRetCore::RefI31 | WastRetCore::RefEq | WastRetCore::RefAny),
        // Which of them an object is, its reference does not say.
        Value::Object(_) => matches!(
            expected,
            WastRetCore::RefStruct | WastRetCore::RefArray | WastRetCore::RefEq | WastRetCore::RefAny
        ),
        // Scripts have no word for a reference to an exception.
        Value::Exn(_) => false,
    }
}

/// The hierarchies whose null a `ref.null` of this type may be: the type of an index is not known.
fn hierarchies(heap: &HeapType<'_>) -> &'static [Hierarchy] {
    use AbstractHeapType as A;
    match heap {
        HeapType::Abstract { ty: A::Func | A::NoFunc, .. } => &[Hierarchy::Func],
        HeapType::Abstract { ty: A::Extern | A::NoExtern, .. } => &[Hierarchy::Extern],
        HeapType::Abstract { ty: A::Exn | A::NoExn, .. } => &[Hierarchy::Exn],
        HeapType::Abstract { ty: A::Any | A::Eq | A::Struct | A::Array | A::I31 | A::None, .. } => {
            &[Hierarchy::Any]
        }
        HeapType::Abstract { ty: A::Cont | A::NoCont, .. } => &[],
        HeapType::Concrete(_) | HeapType::Exact(_) => &[Hierarchy::Func, Hierarchy::Any],
    }
}

/// A canonical NaN has only the highest payload bit set, and any sign; an arithmetic one has at least
/// that bit (specification, section 4.3.3, "NaN Propagation").
fn f32_is_met(pattern: &NanPattern<F32>, bits: u32) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(wanted) => wanted.bits == bits,
    }
}

fn f64_is_met(pattern: &NanPattern<F64>, bits: u64) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(wanted) => wanted.bits == bits,
    }
}

fn v128_is_met(pattern: &V128Pattern, bytes: [u8; 16]) -> bool {
    match pattern {
        V128Pattern::I8x16(lanes) => lanes.iter().zip(bytes).all(|(wanted, byte)| *wanted as u8 == byte),
        V128Pattern::I16x8(lanes) => {
            lanes.iter().zip(chunks(bytes)).all(|(wanted, lane)| *wanted == i16::from_le_bytes(lane))
        }
        V128Pattern::I32x4(lanes) => {
            lanes.iter().zip(chunks(bytes)).all(|(wanted, lane)| *wanted == i32::from_le_bytes(lane))
        }
        V128Pattern::I64x2(lanes) => {
            lanes.iter().zip(chunks(bytes)).all(|(wanted, lane)| *wanted == i64::from_le_bytes(lane))
        }
        V128Pattern::F32x4(lanes) => {
            lanes.iter().zip(chunks(bytes)).all(|(wanted, lane)| f32_is_met(wanted, u32::from_le_bytes(lane)))
        }
        V128Pattern::F64x2(lanes) => {
            lanes.iter().zip(chunks(bytes)).all(|(wanted, lane)| f64_is_met(wanted, u64::from_le_bytes(lane)))
        }
    }
}

fn chunks<const N: usize>(bytes: [u8; 16]) -> impl Iterator<Item = [u8; N]> {
    (0..16 / N).map(move |lane| std::array::from_fn(|byte| bytes[lane * N + byte]))
}

fn show(expected: &WastRet<'_>) -> String {
    match expected {
        WastRet::Core(expected) => show_core(expected),
        // As in `is_met`.
        other => format!("{other:?}"),
    }
}

fn show_core(expected: &WastRetCore<'_>) -> String {
    match expected {
        WastRetCore::I32(value) => Value::I32(*value as u32).to_string(),
        WastRetCore::I64(value) => Value::I64(*value as u64).to_string(),
        WastRetCore::F32(pattern) => show_nan("f32", pattern, |value| Value::F32(value.bits)),
        WastRetCore::F64(pattern) => show_nan("f64", pattern, |value| Value::F64(value.bits)),
        WastRetCore::V128(pattern) => show_v128(pattern),
        WastRetCore::RefNull(None) => "ref.null".to_string(),
        WastRetCore::RefNull(Some(heap)) => {
            let hierarchies: Vec<_> = hierarchies(heap).iter().map(|h| format!("ref.null {h}")).collect();
            hierarchies.join(" or ")
        }
        WastRetCore::RefExtern(number) => {
            number.map_or("ref.extern".to_string(), |number| format!("ref.extern {number}"))
        }
        WastRetCore::RefHost(number) => format!("ref.host {number}"),
        WastRetCore::RefFunc(None) => "ref.func".to_string(),
        WastRetCore::RefFunc(Some(Index::Num(number, _))) => format!("ref.func {number}"),
        WastRetCore::RefFunc(Some(Index::Id(id))) => {
            format!("ref.func ${} (functions are known by number only)", id.name())
        }
        WastRetCore::RefAny => "ref.any".to_string(),
        WastRetCore::RefEq => "ref.eq".to_string(),
        WastRetCore::RefArray => "ref.array".to_string(),
        WastRetCore::RefStruct => "ref.struct".to_string(),
        WastRetCore::RefI31 => "ref.i31".to_string(),
        WastRetCore::RefI31Shared => "ref.i31_shared".to_string(),
        WastRetCore::Either(choices) => choices.iter().map(show_core).collect::<Vec<_>>().join(" or "),
    }
}

fn show_nan<T>(ty: &str, pattern: &NanPattern<T>, value: impl Fn(&T) -> Value) -> String {
    match pattern {
        NanPattern::CanonicalNan => format!("{ty}:nan:canonical"),
        NanPattern::ArithmeticNan => format!("{ty}:nan:arithmetic"),
        NanPattern::Value(wanted) => value(wanted).to_string(),
    }
}

fn show_v128(pattern: &V128Pattern) -> String {
    fn lanes<T: std::fmt::Display>(shape: &str, lanes: &[T]) -> String {
        format!("v128 {shape} {}", list(lanes))
    }
    match pattern {
        V128Pattern::I8x16(values) => lanes("i8x16", &values.map(|value| format!("{:#x}", value as u8))),
        V128Pattern::I16x8(values) => lanes("i16x8", &values.map(|value| format!("{:#x}", value as u16))),
        V128Pattern::I32x4(values) => lanes("i32x4", &values.map(|value| format!("{:#x}", value as u32))),
        V128Pattern::I64x2(values) => lanes("i64x2", &values.map(|value| format!("{:#x}", value as u64))),
        V128Pattern::F32x4(values) => {
            lanes("f32x4", &values.map(|value| show_nan("f32", &value, |value| Value::F32(value.bits))))
        }
        V128Pattern::F64x2(values) => {
            lanes("f64x2", &values.map(|value| show_nan("f64", &value, |value| Value::F64(value.bits))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_in_an_expected_text_is_left_out_and_nothing_else() {
        assert_eq!(spelling("uninitialized element 7"), "uninitialized element");
        assert_eq!(spelling("uninitialized"), "uninitialized");
        assert_eq!(spelling("uninitialized element seven"), "uninitialized element seven");
    }

    #[test]
    fn nan_patterns_look_at_the_payload_and_not_at_the_sign() {
        let meets = |pattern, bits| f32_is_met(&pattern, bits);
        assert!(meets(NanPattern::CanonicalNan, 0x7fc0_0000));
        assert!(meets(NanPattern::CanonicalNan, 0xffc0_0000));
        assert!(!meets(NanPattern::CanonicalNan, 0x7fc0_0001));
        assert!(meets(NanPattern::ArithmeticNan, 0x7fc0_0001));
        assert!(!meets(NanPattern::ArithmeticNan, 0x7fa0_0000));
        assert!(f64_is_met(&NanPattern::CanonicalNan, 0xfff8_0000_0000_0000));
        assert!(!f64_is_met(&NanPattern::ArithmeticNan, 0x7ff4_0000_0000_0000));
    }

    #[test]
    fn vector_lanes_are_compared_lowest_first() {
        let bytes = 0x0004_0003_0002_0001u128.to_le_bytes();
        assert!(v128_is_met(&V128Pattern::I16x8([1, 2, 3, 4, 0, 0, 0, 0]), bytes));
        assert!(!v128_is_met(&V128Pattern::I16x8([4, 3, 2, 1, 0, 0, 0, 0]), bytes));
    }
}
