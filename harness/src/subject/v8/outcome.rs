//! From V8's errors to outcomes. JavaScript gives a class and a text, so texts are what there is to go by.

use crate::observe::Outcome;
use crosscheck_engine::TrapKind;

/// Where a part of a text stands for a kind of trap, in V8's words of any release since 10.
///
/// Some kinds V8 does not tell apart: see [`Capabilities`](crate::subject::Capabilities).
const TRAPS: [(&str, TrapKind); 24] = [
    ("unreachable", TrapKind::Unreachable),
    ("memory access out of bounds", TrapKind::MemoryOutOfBounds),
    ("data segment", TrapKind::MemoryOutOfBounds),
    ("element segment", TrapKind::TableOutOfBounds),
    ("table initializer", TrapKind::TableOutOfBounds),
    ("table index is out of bounds", TrapKind::TableOutOfBounds),
    ("table access out of bounds", TrapKind::TableOutOfBounds),
    ("table or segment", TrapKind::TableOutOfBounds),
    ("divide by zero", TrapKind::IntegerDivideByZero),
    ("remainder by zero", TrapKind::IntegerDivideByZero),
    ("divide result unrepresentable", TrapKind::IntegerOverflow),
    ("float unrepresentable in integer range", TrapKind::IntegerOverflow),
    ("null function or function signature mismatch", TrapKind::IndirectCallTypeMismatch),
    ("function signature mismatch", TrapKind::IndirectCallTypeMismatch),
    ("dereferencing a null pointer", TrapKind::NullReference),
    ("illegal cast", TrapKind::CastFailure),
    ("array element access out of bounds", TrapKind::ArrayOutOfBounds),
    ("array is too large", TrapKind::AllocationBudgetExhausted),
    ("requested new array is too large", TrapKind::AllocationBudgetExhausted),
    ("rethrowing null value", TrapKind::NullExceptionReference),
    ("operation does not support unaligned accesses", TrapKind::UnalignedAtomic),
    ("Atomics.wait cannot be called in this context", TrapKind::ExpectedSharedMemory),
    ("atomic wait", TrapKind::ExpectedSharedMemory),
    ("Maximum call stack size exceeded", TrapKind::CallStackExhausted),
];

/// Words with which V8 refuses sizes: the specification lets an implementation choose them (appendix
/// "Implementation Limitations").
const SIZES: [&str; 4] = ["limit", "maximum", "too large", "exceeds"];

/// How a failure of V8 is observed. `is_known` asks whether the module is within what V8 executes: if so, that V8 refuses it
/// is a [`Outcome::Link`], a difference.
pub(super) fn outcome(stage: &str, name: &str, message: &str, is_known: impl Fn() -> bool) -> Outcome {
    let text = || format!("{name}: {message}");
    let is_about_size = SIZES.iter().any(|word| message.contains(word));
    match (stage, name) {
        (_, "RangeError") if message.contains("Maximum call stack") => {
            Outcome::trap(TrapKind::CallStackExhausted, None)
        }
        (_, "RangeError") if message.to_lowercase().contains("out of memory") => Outcome::Resources(text()),
        (_, "RangeError") if is_about_size => Outcome::Limit(text()),
        // Without the place, so that one reason is one reason in all modules.
        ("compile", "CompileError") if is_about_size || !is_known() => {
            Outcome::Unsupported(text().split(" @+").next().unwrap_or_default().to_string())
        }
        ("compile", "CompileError") | ("instantiate", "LinkError") => Outcome::Link(text()),
        ("instantiate" | "start" | "call", "RuntimeError") => {
            match TRAPS.iter().find(|(words, _)| message.contains(words)) {
                Some((_, kind)) => Outcome::trap(*kind, None),
                None => Outcome::Crash(format!("a trap that is not known: {message}")),
            }
        }
        // An exception that reached JavaScript; cases have no word for it yet.
        ("start" | "call", "Exception" | "object") => Outcome::Unsupported(text()),
        // A value of a type that JavaScript is not shown.
        (_, "TypeError") => Outcome::Unsupported(text()),
        // If any of it happens, the bench or V8 is at fault.
        _ => Outcome::Crash(format!("{stage}: {}", text())),
    }
}
