//! The named faults of the engine, a row each: what it does, whose it is, and who is to find it.
//!
//! The harness has rows of its own for the faults of its own; a test holds both against the names in the code.

use super::Room;

/// A named fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its name, under which it is planted and switched on.
    pub name: &'static str,
    /// Where it is.
    pub room: Room,
    /// What goes wrong, in a sentence without a subject.
    pub what: &'static str,
    /// The opcodes at which subjects may first part, as the text format has them; empty if it may be any.
    pub opcodes: &'static [&'static str],
    /// Who is to find it.
    pub seen_by: SeenBy,
}

/// Who finds a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SeenBy {
    /// A campaign: modes differ.
    Campaign,
    /// The official suite, by this file of this group: it is in what all modes share.
    Suite {
        /// The group.
        group: &'static str,
        /// The file's name.
        file: &'static str,
    },
    /// An own check of the harness: it is in the comparison.
    OwnCheck,
}

const fn row(name: &'static str, room: Room, what: &'static str, opcodes: &'static [&'static str]) -> Row {
    Row { name, room, what, opcodes, seen_by: SeenBy::Campaign }
}

const fn shared(name: &'static str, what: &'static str, group: &'static str, file: &'static str) -> Row {
    Row { name, room: Room::Floor, what, opcodes: &[], seen_by: SeenBy::Suite { group, file } }
}

const CALLS: &[&str] = &["call", "call_indirect", "call_ref"];
const TAIL_CALLS: &[&str] = &["return_call", "return_call_indirect", "return_call_ref"];
const ALL_CALLS: &[&str] =
    &["call", "call_indirect", "call_ref", "return_call", "return_call_indirect", "return_call_ref"];
/// Where a wrong size of a memory shows: nothing else asks for it.
const SIZES: &[&str] = &[
    "memory.grow",
    "memory.size",
    "i32.load",
    "i64.load",
    "f32.load",
    "f64.load",
    "i32.load8_s",
    "i32.load8_u",
    "i32.load16_s",
    "i32.load16_u",
    "i64.load8_s",
    "i64.load8_u",
    "i64.load16_s",
    "i64.load16_u",
    "i64.load32_s",
    "i64.load32_u",
    "i32.store",
    "i64.store",
    "f32.store",
    "f64.store",
    "i32.store8",
    "i32.store16",
    "i64.store8",
    "i64.store16",
    "i64.store32",
];
const BRANCHES: &[&str] = &["br", "br_if", "br_table", "end", "br_on_null", "br_on_non_null"];
const DIVISIONS: &[&str] =
    &["i32.div_s", "i32.div_u", "i32.rem_s", "i32.rem_u", "i64.div_s", "i64.div_u", "i64.rem_s", "i64.rem_u"];
const LOADS: &[&str] = &[
    "i32.load",
    "i64.load",
    "f32.load",
    "f64.load",
    "i32.load8_s",
    "i32.load8_u",
    "i32.load16_s",
    "i32.load16_u",
    "i64.load8_s",
    "i64.load8_u",
    "i64.load16_s",
    "i64.load16_u",
    "i64.load32_s",
    "i64.load32_u",
];
const ACCESSES: &[&str] = &[
    "i32.load",
    "i64.load",
    "f32.load",
    "f64.load",
    "i32.load8_s",
    "i32.load8_u",
    "i32.load16_s",
    "i32.load16_u",
    "i64.load8_s",
    "i64.load8_u",
    "i64.load16_s",
    "i64.load16_u",
    "i64.load32_s",
    "i64.load32_u",
    "i32.store",
    "i64.store",
    "f32.store",
    "f64.store",
    "i32.store8",
    "i32.store16",
    "i64.store8",
    "i64.store16",
    "i64.store32",
];
const SHIFTS: &[&str] = &[
    "i32.shl",
    "i32.shr_s",
    "i32.shr_u",
    "i32.rotl",
    "i32.rotr",
    "i64.shl",
    "i64.shr_s",
    "i64.shr_u",
    "i64.rotl",
    "i64.rotr",
];

/// The rows, room by room.
pub const ROWS: &[Row] = {
    use Room::{Baseline, FastInterp, Interp, Native};
    &[
        row(
            "interp-branch-keeps-lower-operands",
            Interp,
            "takes the one value that a branch keeps an operand too low",
            BRANCHES,
        ),
        row(
            "interp-tail-call-to-host-resumes-freed-frame",
            Interp,
            "goes on where the frame says that a tail call to a host has freed",
            TAIL_CALLS,
        ),
        row(
            "interp-memory-grows-a-page-more",
            Interp,
            "grows a memory by a page more than was asked for",
            &["memory.grow"],
        ),
        row(
            "fast-interp-branch-forgets-negation",
            FastInterp,
            "branches on a comparison where it was negated",
            &["br_if", "if", "i32.eqz", "i64.eqz"],
        ),
        row(
            "fast-interp-tail-call-to-host-resumes-freed-frame",
            FastInterp,
            "reads where to go on from a header that the arguments of a tail call to a host have overwritten",
            TAIL_CALLS,
        ),
        row(
            "baseline-wrap-keeps-upper-half",
            Baseline,
            "leaves the upper half of a register when it wraps an i64",
            &["i32.wrap_i64"],
        ),
        row("baseline-slot-read-wide", Baseline, "reads eight bytes of a slot that holds an i32", &[]),
        row(
            "baseline-locals-kept-across-growth",
            Baseline,
            "believes that registers keep locals while a memory grows",
            &["memory.grow"],
        ),
        row(
            "baseline-flags-lost-to-canonical-nan",
            Baseline,
            "makes NaN bits canonical between a comparison and the instruction that takes its flags",
            &[],
        ),
        row(
            "baseline-written-local-changes-operands",
            Baseline,
            "lets operands that mean a local see what is written to it later",
            &["local.set", "local.tee"],
        ),
        row("baseline-cycle-of-moves-is-cut", Baseline, "carries out a cycle of moves one by one", ALL_CALLS),
        row(
            "baseline-values-carried-from-the-top",
            Baseline,
            "carries the values of a branch to their slots in an order that overwrites some",
            BRANCHES,
        ),
        row(
            "baseline-jump-table-takes-the-locals-register",
            Baseline,
            "uses the register of a local to look up a jump table",
            &["br_table"],
        ),
        row(
            "baseline-memory-base-kept-after-calls",
            Baseline,
            "keeps the memory's base across calls, in which it may have moved",
            ACCESSES,
        ),
        row(
            "baseline-guarded-offset-wraps",
            Baseline,
            "adds address and offset in 32 bits where guard pages check bounds",
            ACCESSES,
        ),
        row(
            "baseline-checked-offset-wraps",
            Baseline,
            "adds address and offset in 32 bits where a comparison checks bounds",
            ACCESSES,
        ),
        row(
            "baseline-far-offset-is-negative",
            Baseline,
            "takes an offset beyond 2^31 for a negative one",
            ACCESSES,
        ),
        row(
            "baseline-constant-address-wraps",
            Baseline,
            "adds a constant address and the offset in 32 bits",
            ACCESSES,
        ),
        row("baseline-load-from-nowhere", Baseline, "loads from further away than any memory reaches", LOADS),
        row(
            "baseline-dropped-load-is-left-out",
            Baseline,
            "leaves out a load whose result is dropped",
            LOADS,
        ),
        row(
            "baseline-constant-extends-its-sign",
            Baseline,
            "writes an i64 constant with bit 31 as a short immediate",
            &[],
        ),
        row(
            "baseline-long-constant-stored-short",
            Baseline,
            "stores four bytes of an i64 constant",
            &["i64.store"],
        ),
        row(
            "baseline-long-shift-masks-five-bits",
            Baseline,
            "takes five bits of a constant count for an i64",
            SHIFTS,
        ),
        row("baseline-compiler-panics-at-rotation", Baseline, "panics where it compiles `i64.rotl`", &[]),
        row(
            "baseline-shift-by-width-clears",
            Baseline,
            "shifts everything out if a constant count is the width or more",
            SHIFTS,
        ),
        row(
            "baseline-constant-divisor-is-trusted",
            Baseline,
            "does not check a constant divisor of zero",
            DIVISIONS,
        ),
        row(
            "baseline-remainder-by-minus-one-is-divided",
            Baseline,
            "divides by a constant -1 for a remainder",
            DIVISIONS,
        ),
        row(
            "baseline-long-minimum-is-32-bits",
            Baseline,
            "compares with the smallest i32 before an i64 is divided by -1",
            DIVISIONS,
        ),
        row(
            "baseline-nan-seen-in-stores",
            Baseline,
            "stores a NaN as the machine made it",
            &["f32.store", "f64.store"],
        ),
        row("baseline-nan-seen-in-arguments", Baseline, "passes a NaN as the machine made it", CALLS),
        row(
            "baseline-nan-seen-in-globals",
            Baseline,
            "writes a NaN to a global as the machine made it",
            &["global.set"],
        ),
        row(
            "baseline-nan-seen-by-reinterpretation",
            Baseline,
            "shows a NaN's bits as the machine made them",
            &["i32.reinterpret_f32", "i64.reinterpret_f64"],
        ),
        row(
            "baseline-nan-seen-behind-branches",
            Baseline,
            "carries a NaN along a branch as the machine made it",
            BRANCHES,
        ),
        row(
            "baseline-traps-of-a-kind-share-their-row",
            Baseline,
            "lets neighbouring traps of a kind share their site",
            &[],
        ),
        row("baseline-fuel-of-the-next-segment", Baseline, "charges a segment what the next one costs", &[]),
        row("baseline-frame-one-slot-large", Baseline, "makes frames a slot larger than their cost", &[]),
        row(
            "baseline-tail-call-keeps-its-frame",
            Baseline,
            "calls and returns where it should replace its frame",
            TAIL_CALLS,
        ),
        row(
            "baseline-address-for-host-misses-its-addend",
            Baseline,
            "passes constant addresses to imported functions four bytes too low",
            &["call", "return_call"],
        ),
        row(
            "native-memory-length-kept-after-growth",
            Native,
            "keeps the memory's old size when it has grown",
            SIZES,
        ),
        row(
            "native-memory-length-kept-after-crossing",
            Native,
            "keeps the size of the memory of the instance that was called",
            SIZES,
        ),
        row(
            "native-tail-call-never-crosses-back",
            Native,
            "does not note the instance to come back to at a tail call",
            TAIL_CALLS,
        ),
        row("native-innermost-frame-at-zero", Native, "says that the innermost frame is at offset 0", &[]),
        row(
            "native-branch-out-of-range-is-cut",
            Native,
            "cuts the distance of a call that does not reach, as if it did",
            CALLS,
        ),
        row(
            "native-island-written-one-place-on",
            Native,
            "writes a call's island over what stands behind it",
            CALLS,
        ),
        Row {
            name: "numeric-i32-rem-s-keeps-divisor-sign",
            room: Room::Floor,
            what: "gives i32.rem_s the divisor's sign, in the meanings that interpreters share",
            opcodes: &["i32.rem_s"],
            seen_by: SeenBy::Suite { group: "wasm-v1", file: "i32.wast" },
        },
        shared(
            "store-import-minimum-ignored",
            "lets a memory or table be imported that is too small",
            "wasm-v1",
            "imports.wast",
        ),
        shared(
            "store-data-segment-loses-its-last-byte",
            "writes all of an active data segment but its last byte",
            "wasm-v1",
            "data.wast",
        ),
        shared(
            "store-element-segment-is-reversed",
            "writes an active element segment backwards",
            "wasm-v1",
            "call_indirect.wast",
        ),
        shared(
            "floor-reference-locals-are-not-null",
            "makes locals that are references what is not null, in every mode",
            "own",
            "references/reference-locals-start-null.wast",
        ),
    ]
};

/// The row of that name.
pub fn row_of(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}
