//! The usual faults of single-pass compilers, planted one at a time, are found by generated cases.
//!
//! Each comes from what such compilers were seen to get wrong: upper halves of registers, flags and registers across
//! helpers, moves that happen at once, a memory that moved, offsets near 2^32, immediates with signs, constants at the
//! corners of shifts and divisions, NaN bits, and the bookkeeping of traps, fuel and depth. A fault may well kill
//! whoever runs it, so it is planted in worker processes; that they die is a way of being found.

#![cfg(all(feature = "planted-faults", unix, target_arch = "x86_64"))]

use crosscheck::campaign::{Campaign, Lanes};
use crosscheck::corpus::Started;
use crosscheck::events::{Events, Tally};
use crosscheck::features::Features;
use crosscheck::finding::Finding;
use crosscheck::run::Ground;
use crosscheck::worker::{Options, Workers};
use crosscheck_engine::Mode;
use crosscheck_engine::faults::table::{SeenBy, row_of};
use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Ends the campaign with the first finding.
struct UntilFound<'a>(&'a AtomicBool);

impl Events for UntilFound<'_> {
    fn progress(&mut self, _: &Tally, _: Option<u64>, _: Duration) {}
    fn finding(&mut self, _: &Finding) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A campaign finds the fault within so many cases, and blames the mode that has it.
#[allow(clippy::print_stdout, reason = "in which case it was found says how much of the margin is left")]
fn found_within(cases: u64, name: &str) {
    assert!(row_of(name).is_some_and(|row| row.seen_by == SeenBy::Campaign), "{name} has no row");
    let program: [OsString; 3] =
        [env!("CARGO_BIN_EXE_crosscheck").into(), crosscheck::worker::PLANTED.into(), name.into()];
    let workers = Workers::start(Options { command: program.into(), ..Options::of("") }).expect("a worker");
    let campaign = Campaign {
        seed: 1,
        first: 0,
        cases: Some(cases),
        time: None,
        shard: (0, 1),
        lanes: Lanes::Swarm(Mode::all().collect()),
        judges: Vec::new(),
        model_percent: 0,
        features: Features::executed(),
        material: None,
    };
    let stop = AtomicBool::new(false);
    let tally = campaign.run_on(Ground::Workers(&workers), &mut UntilFound(&stop), &stop);
    let tally = tally.expect("workers are to be had");
    let first = tally.findings.iter().min_by_key(|finding| finding.index);
    let first = first.unwrap_or_else(|| panic!("{name} was not found in {cases} cases"));
    println!(
        "{name} was found by {} in case {}: {}",
        first.generator,
        first.index,
        first.divergence.fingerprint()
    );
    let command = first.replay_command(Path::new("finding"), &Started::default());
    let lanes = first.divergence.groups.iter().flatten();
    lanes.for_each(|lane| assert!(command.contains(lane.as_str()), "{command} leaves out {lane}"));
    let alone = |group: &Vec<String>| group.iter().all(|name| name.starts_with("baseline"));
    assert!(tally.findings.iter().any(|finding| finding.divergence.groups.iter().any(alone)), "{name}");
}

// Upper halves of registers.

#[test]
fn wrap_keeps_upper_half() {
    found_within(1_000, "baseline-wrap-keeps-upper-half");
}

#[test]
fn slot_read_wide() {
    found_within(1_000, "baseline-slot-read-wide");
}

// Flags and registers across calls, helpers and writes.

#[test]
fn locals_kept_across_growth() {
    found_within(10_000, "baseline-locals-kept-across-growth");
}

#[test]
fn flags_lost_to_canonical_nan() {
    found_within(1_000, "baseline-flags-lost-to-canonical-nan");
}

#[test]
fn written_local_changes_operands() {
    found_within(1_000, "baseline-written-local-changes-operands");
}

// Moves that happen at once.

#[test]
fn cycle_of_moves_is_cut() {
    found_within(1_000, "baseline-cycle-of-moves-is-cut");
}

#[test]
fn values_carried_from_the_top() {
    found_within(1_000, "baseline-values-carried-from-the-top");
}

#[test]
fn jump_table_takes_the_locals_register() {
    found_within(1_000, "baseline-jump-table-takes-the-locals-register");
}

// Memory that somebody else has grown, or that is another one.

#[test]
fn memory_base_kept_after_calls() {
    found_within(1_000, "baseline-memory-base-kept-after-calls");
}

#[test]
fn memory_length_kept_after_crossing() {
    found_within(1_000, "native-memory-length-kept-after-crossing");
}

#[test]
fn memory_length_kept_after_growth() {
    found_within(1_000, "native-memory-length-kept-after-growth");
}

// Addresses and offsets near 2^31 and 2^32.

#[test]
fn guarded_offset_wraps() {
    found_within(1_000, "baseline-guarded-offset-wraps");
}

#[test]
fn checked_offset_wraps() {
    found_within(1_000, "baseline-checked-offset-wraps");
}

#[test]
fn far_offset_is_negative() {
    found_within(2_000, "baseline-far-offset-is-negative");
}

#[test]
fn constant_address_wraps() {
    found_within(6_000, "baseline-constant-address-wraps");
}

// Immediates with signs.

#[test]
fn constant_extends_its_sign() {
    found_within(1_000, "baseline-constant-extends-its-sign");
}

#[test]
fn long_constant_stored_short() {
    found_within(5_000, "baseline-long-constant-stored-short");
}

// Constants at the corners of shifts and divisions.

#[test]
fn long_shift_masks_five_bits() {
    found_within(1_000, "baseline-long-shift-masks-five-bits");
}

#[test]
fn shift_by_width_clears() {
    found_within(1_000, "baseline-shift-by-width-clears");
}

#[test]
fn constant_divisor_is_trusted() {
    found_within(1_000, "baseline-constant-divisor-is-trusted");
}

#[test]
fn remainder_by_minus_one_is_divided() {
    found_within(6_000, "baseline-remainder-by-minus-one-is-divided");
}

#[test]
fn long_minimum_is_32_bits() {
    found_within(5_000, "baseline-long-minimum-is-32-bits");
}

// NaN bits, wherever they can be seen.

#[test]
fn nan_seen_in_stores() {
    found_within(1_000, "baseline-nan-seen-in-stores");
}

#[test]
fn nan_seen_in_arguments() {
    found_within(1_000, "baseline-nan-seen-in-arguments");
}

#[test]
fn nan_seen_in_globals() {
    found_within(1_000, "baseline-nan-seen-in-globals");
}

#[test]
fn nan_seen_by_reinterpretation() {
    found_within(1_000, "baseline-nan-seen-by-reinterpretation");
}

#[test]
fn nan_seen_behind_branches() {
    found_within(1_000, "baseline-nan-seen-behind-branches");
}

// Traps, fuel and depth.

#[test]
fn dropped_load_is_left_out() {
    found_within(1_000, "baseline-dropped-load-is-left-out");
}

#[test]
fn traps_of_a_kind_share_their_row() {
    found_within(2_000, "baseline-traps-of-a-kind-share-their-row");
}

#[test]
fn fuel_of_the_next_segment() {
    found_within(1_000, "baseline-fuel-of-the-next-segment");
}

#[test]
fn frame_one_slot_large() {
    found_within(1_000, "baseline-frame-one-slot-large");
}

#[test]
fn tail_call_keeps_its_frame() {
    found_within(1_000, "baseline-tail-call-keeps-its-frame");
}

#[test]
fn tail_call_never_crosses_back() {
    found_within(1_000, "native-tail-call-never-crosses-back");
}
