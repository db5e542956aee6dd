//! Follows control through a function's listing, and proves that every location that is read was written on every
//! way that leads there.
//!
//! The state before an instruction is the set of locations that were written on all ways; where ways meet, the
//! intersection. States only shrink, so the walk ends.

use super::write::Written;
use super::{FUEL, Location, Loses, Recording};
use crate::baseline::target::{Register, Target};

/// Locations that were written, whichever way control came.
#[derive(Clone, PartialEq, Eq)]
struct State {
    /// A bit for each location that is no slot and no outcome.
    registers: u64,
    outcome: Option<u32>,
    /// A bit for each slot of the frame.
    slots: Vec<u64>,
}

/// Bit of a location among a state's registers.
fn register_bit(location: Location) -> u64 {
    match location {
        Location::Int(reg) => 1 << reg.number(),
        Location::Float(reg) => 1 << (16 + reg.number()),
        Location::Scratch => 1 << 32,
        Location::Memory => 1 << 33,
        Location::Outcome(_) | Location::Slot(_) => 0,
    }
}

fn bits(locations: impl IntoIterator<Item = Location>) -> u64 {
    locations.into_iter().fold(0, |bits, location| bits | register_bit(location))
}

impl State {
    fn contains(&self, location: Location) -> bool {
        match location {
            Location::Int(_) | Location::Float(_) | Location::Scratch | Location::Memory => {
                self.registers & register_bit(location) != 0
            }
            Location::Outcome(comparison) => self.outcome == Some(comparison),
            Location::Slot(slot) => {
                self.slots.get(slot as usize / 64).is_some_and(|word| word & 1 << (slot % 64) != 0)
            }
        }
    }

    fn write(&mut self, location: Location) {
        match location {
            Location::Int(_) | Location::Float(_) | Location::Scratch | Location::Memory => {
                self.registers |= register_bit(location);
            }
            Location::Outcome(comparison) => self.outcome = Some(comparison),
            Location::Slot(slot) => {
                let word = slot as usize / 64;
                if self.slots.len() <= word {
                    self.slots.resize(word + 1, 0);
                }
                self.slots[word] |= 1 << (slot % 64);
            }
        }
    }

    fn lose(&mut self, loses: Loses, counts_fuel: bool) {
        let fuel = register_bit(Location::Int(FUEL));
        match loses {
            Loses::Nothing => {}
            Loses::Outcome => self.outcome = None,
            Loses::Registers => {
                self.registers &= if counts_fuel { fuel } else { 0 };
                self.outcome = None;
            }
            Loses::Ints => self.registers &= !bits(Recording::INTS.iter().copied().map(Location::Int)),
        }
    }

    /// Keeps what another state has as well; says whether that is less than before.
    fn meet(&mut self, other: &State) -> bool {
        let before = self.clone();
        self.registers &= other.registers;
        self.outcome = self.outcome.filter(|outcome| other.outcome == Some(*outcome));
        self.slots.truncate(other.slots.len());
        self.slots.iter_mut().zip(&other.slots).for_each(|(word, other)| *word &= other);
        *self != before
    }
}

/// Checks the instructions of a function, the first of which is at `first` in the listing. `arrivals` is what the
/// caller has written. Gives the first instruction that is wrong.
pub(super) fn check(
    instructions: &[Written],
    first: u32,
    arrivals: impl IntoIterator<Item = Location>,
) -> Result<(), String> {
    let entry = State { registers: bits(arrivals), outcome: None, slots: Vec::new() };
    let counts_fuel = entry.contains(Location::Int(FUEL));
    let mut states: Vec<Option<State>> = vec![None; instructions.len()];
    states[0] = Some(entry);
    let mut pending = vec![0];
    while let Some(at) = pending.pop() {
        let written = &instructions[at];
        let wrong = |what: String| Err(format!("{:06x} {}: {what}", first + at as u32, written.text));
        let mut state = states[at].clone().expect("what is pending has been reached");
        if let Some(missing) = written.reads.iter().find(|location| !state.contains(**location)) {
            return wrong(format!("{missing:?} may not have been written"));
        }
        state.lose(written.loses, counts_fuel);
        // An instruction that leaves by a branch has written nothing.
        for target in &written.targets {
            arrive(&mut states, &mut pending, (target - first) as usize, &state);
        }
        written.writes.iter().for_each(|location| state.write(*location));
        if written.goes_on {
            if at + 1 == instructions.len() {
                return wrong("control leaves the function".to_string());
            }
            arrive(&mut states, &mut pending, at + 1, &state);
        }
    }
    Ok(())
}

/// Control arrives at an instruction in a state.
fn arrive(states: &mut [Option<State>], pending: &mut Vec<usize>, at: usize, state: &State) {
    let is_news = match &mut states[at] {
        Some(known) => known.meet(state),
        unknown => {
            *unknown = Some(state.clone());
            true
        }
    };
    if is_news {
        pending.push(at);
    }
}

#[cfg(test)]
mod tests {
    use super::super::write::Listing;
    use super::super::{Int, Outcome};
    use super::*;
    use crate::baseline::operand::Slot;
    use crate::baseline::target::Assembler;
    use crate::native::width::Width::W64;

    const ONE: Int = Int(0);
    const OTHER: Int = Int(1);

    /// Writes a function with a frame of four slots, and checks it.
    fn checked(write: impl FnOnce(&mut Listing)) -> Result<(), String> {
        let mut listing = Listing::default();
        listing.align();
        let trap = listing.label();
        listing.enter(32, trap);
        write(&mut listing);
        listing.bind(trap);
        listing.call_trap();
        listing.forget_labels();
        check(listing.since(0), 0, [Location::Int(ONE)])
    }

    fn is_wrong(write: impl FnOnce(&mut Listing), instruction: &str) {
        let message = checked(write).expect_err("something is wrong");
        assert!(message.contains(instruction), "{message}");
    }

    #[test]
    fn what_arrived_or_was_written_may_be_read() {
        let sound = checked(|listing| {
            listing.store_int(W64, Slot::Frame(3), ONE);
            listing.load_int(W64, OTHER, Slot::Frame(3));
            listing.copy_int(W64, ONE, OTHER);
            listing.ret();
        });
        assert_eq!(sound, Ok(()));
    }

    #[test]
    fn a_register_that_was_not_written_is_found() {
        is_wrong(|listing| listing.copy_int(W64, ONE, OTHER), "r0 = r1");
    }

    #[test]
    fn a_slot_that_was_not_written_is_found() {
        is_wrong(|listing| listing.load_int(W64, ONE, Slot::Frame(2)), "r0 = [s2]");
    }

    #[test]
    #[should_panic(expected = "slot 4 is within the frame of 4 slots")]
    fn a_slot_beyond_the_frame_is_found() {
        let _ = checked(|listing| listing.store_int(W64, Slot::Frame(4), ONE));
    }

    #[test]
    fn a_register_that_is_written_on_one_of_two_ways_is_found() {
        is_wrong(
            |listing| {
                let skip = listing.label();
                listing.jump_if_null(ONE, skip);
                listing.set_int(OTHER, 1);
                listing.bind(skip);
                listing.copy_int(W64, ONE, OTHER);
            },
            "r0 = r1",
        );
    }

    #[test]
    fn a_register_that_is_lost_in_a_loop_is_found() {
        is_wrong(
            |listing| {
                let head = listing.label();
                listing.bind(head);
                listing.copy_int(W64, OTHER, ONE);
                listing.call_helper(crate::native::helpers::Helper::DataDrop);
                listing.jump(head);
            },
            "r1 = r0",
        );
    }

    #[test]
    fn an_outcome_that_another_comparison_replaced_is_found() {
        let ask = |listing: &mut Listing, outcome: Outcome| {
            let label = listing.label();
            listing.jump_if(outcome, label);
            listing.bind(label);
        };
        is_wrong(
            |listing| {
                let outcome = listing.test_nonzero(W64, ONE);
                let later = listing.test_nonzero(W64, ONE);
                ask(listing, later);
                ask(listing, outcome);
            },
            "jump if t",
        );
    }

    #[test]
    fn control_that_runs_out_of_the_function_is_found() {
        let mut listing = Listing::default();
        listing.set_int(ONE, 1);
        let message = check(listing.since(0), 0, []).expect_err("there is no return");
        assert!(message.contains("control leaves the function"), "{message}");
    }

    #[test]
    #[should_panic(expected = "a label that is gone to is bound")]
    fn a_label_without_a_place_is_found() {
        let mut listing = Listing::default();
        let label = listing.label();
        listing.jump(label);
        listing.forget_labels();
    }

    #[test]
    #[should_panic(expected = "a label has one place")]
    fn a_label_with_two_places_is_found() {
        let mut listing = Listing::default();
        let label = listing.label();
        listing.bind(label);
        listing.jump(label);
        listing.bind(label);
    }
}
