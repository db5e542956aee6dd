//! Fills in the distances of direct calls: first a plan of disjoint regions, then each region is written
//! through a slice of exactly its bytes.
//!
//! A call whose target is out of reach goes through an island: a jump that the compiler has reserved within
//! reach, in the caller's own region. How far a call reaches is data, so that a lane can pretend that it is
//! little: then nearly every call goes through an island, however small the module. Islands may be further away
//! than that, or one would follow each call and never two stand side by side.

use super::arch::Arch;
use crate::faults::fault;
use crate::limits::Settings;
use crate::module::DefinedFuncIndex;
use std::ops::{Range, RangeInclusive};

/// A direct call or jump to a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CallSite {
    /// Offset of its distance.
    pub at: u32,
    pub target: DefinedFuncIndex,
    /// Offset of the island reserved for it, if one is.
    pub island: Option<u32>,
}

/// A function's bytes and the calls in them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Region {
    pub func: DefinedFuncIndex,
    pub bytes: Range<u32>,
    /// Its calls, as a range of all calls.
    pub calls: Range<u32>,
}

/// A branch within a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Branch {
    /// Offset after it.
    pub end: u32,
    /// Offset that it goes to.
    pub target: u32,
    /// Number of its condition, if it has one.
    pub condition: Option<u8>,
}

/// Where everything goes.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    /// The regions, ascending.
    pub regions: Vec<Region>,
    /// The calls of all regions, ascending.
    pub calls: Vec<CallSite>,
    /// The branches within functions, ascending.
    pub branches: Vec<Branch>,
    /// Where the entries of jump tables lead, table by table.
    pub targets: Vec<u32>,
}

/// How far direct calls reach under these settings.
pub(crate) fn call_range<A: Arch>(settings: &Settings) -> RangeInclusive<i64> {
    if settings.short_branches { A::SHORT_RANGE } else { A::DIRECT_RANGE }
}

impl Plan {
    /// Writes all distances into the code; direct calls reach so far.
    pub fn write<A: Arch>(&self, code: &mut [u8], range: &RangeInclusive<i64>) {
        if self.calls.is_empty() {
            return;
        }
        let last = self.regions.iter().map(|region| region.func.0).max().expect("calls are in regions");
        let mut entries = vec![u32::MAX; last as usize + 1];
        for region in &self.regions {
            entries[region.func.0 as usize] = region.bytes.start;
        }
        let (mut rest, mut written) = (code, 0);
        for region in &self.regions {
            let gap = region.bytes.start.checked_sub(written).expect("regions are disjoint and ascend");
            let (bytes, after) = rest[gap as usize..].split_at_mut(region.bytes.len());
            for call in &self.calls[region.calls.start as usize..region.calls.end as usize] {
                write_call::<A>(bytes, region.bytes.start, call, entries[call.target.0 as usize], range);
            }
            (rest, written) = (after, region.bytes.end);
        }
    }
}

/// Writes one call in the bytes of a region that begins at `start`.
fn write_call<A: Arch>(
    bytes: &mut [u8],
    start: u32,
    call: &CallSite,
    entry: u32,
    range: &RangeInclusive<i64>,
) {
    let distance = |from: u32, to: u32| i64::from(to) - i64::from(from);
    let at = (call.at - start) as usize;
    let (place, origin) = (at..at + A::DISTANCE_BYTES as usize, call.at + A::DISTANCE_ORIGIN);
    let direct = distance(origin, entry);
    let short = fault!("native-branch-out-of-range-is-cut");
    if range.contains(&direct) || short {
        // As many bits as the range has, and no look at the others.
        let direct = if range.contains(&direct) { direct } else { direct % *range.end() };
        A::write_distance(&mut bytes[place], direct);
        return;
    }
    let island = call.island.expect("a call that may be out of reach has an island");
    let near = distance(origin, island);
    assert!(A::ISLAND_RANGE.contains(&near), "an island is within reach of its calls");
    A::write_distance(&mut bytes[place], near);
    let beyond = fault!("native-island-written-one-place-on");
    let island = if beyond { island + A::ISLAND_BYTES } else { island };
    let at = (island - start) as usize;
    A::write_island(&mut bytes[at..at + A::ISLAND_BYTES as usize], distance(island, entry));
}
