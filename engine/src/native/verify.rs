//! Checks code before it may run: decodes it as the machine would and proves where every branch goes.
//!
//! Nothing here believes the assembler, the linker or the maps. A fault found is a fault of ours, so it is
//! reported as text and whoever compiles panics with it. What is proved of every function:
//!
//! - its bytes decode from entry to end without a gap, and regions neither overlap nor leave the code;
//! - a branch stays on instruction boundaries of its own function, or is a planned call or jump whose target
//!   is the planned function's entry, or an island of its own region that leads there;
//! - every other call goes through the context or the link of a function; every other jump through the
//!   context, a link, or a jump table whose every entry is an instruction of the function;
//! - a row of the maps is at an instruction of its kind: a return address behind a call, a fault at an
//!   access of memory; and every call has its row.

use super::code::{CodeMap, FuncRange};
use super::link::{CallSite, Plan, Region};
use super::x64::decode::{Class, Decoder};
use super::x64::{DISTANCE_BYTES, ISLAND_BYTES};
use std::ops::RangeInclusive;

/// What is checked.
pub(crate) struct Subject<'a> {
    pub code: &'a [u8],
    pub plan: &'a Plan,
    pub map: &'a CodeMap,
    /// How far a direct call may reach.
    pub range: &'a RangeInclusive<i64>,
    /// File offsets of a function's code, by its number among the module's.
    pub bodies: &'a dyn Fn(u32) -> std::ops::Range<u32>,
}

/// What is reused from one function to the next.
#[derive(Default)]
struct Scratch {
    /// A bit for each byte of the function: whether an instruction begins there.
    starts: Vec<u64>,
    /// Branches within the function, to be looked at when all starts are known.
    targets: Vec<(u32, u32)>,
}

impl Scratch {
    fn begin(&mut self, bytes: u32) {
        self.starts.clear();
        self.starts.resize((bytes as usize + 1).div_ceil(64), 0);
        self.targets.clear();
    }

    fn start(&mut self, offset: u32) {
        self.starts[offset as usize / 64] |= 1 << (offset % 64);
    }

    fn is_start(&self, offset: u32) -> bool {
        self.starts.get(offset as usize / 64).is_some_and(|word| word >> (offset % 64) & 1 != 0)
    }
}

/// Says what is wrong, if anything is.
pub(crate) fn verify(subject: &Subject) -> Result<(), String> {
    let Subject { code, plan, map, .. } = subject;
    if plan.regions.len() != map.funcs.len() {
        return Err(format!("{} regions for {} functions", plan.regions.len(), map.funcs.len()));
    }
    ascending(map.sites.iter().map(|site| site.code), "return addresses")?;
    ascending(map.faults.iter().map(|fault| fault.code), "faults")?;
    ascending(plan.calls.iter().map(|call| call.at), "calls")?;
    let (mut written, mut calls, mut sites, mut faults) = (0, 0, 0, 0);
    let mut scratch = Scratch::default();
    let mut entries = Vec::new();
    for region in &plan.regions {
        let number = region.func.0 as usize;
        if entries.len() <= number {
            entries.resize(number + 1, None);
        }
        if entries[number].replace(region.bytes.start).is_some() {
            return Err(format!("function {number} has two regions"));
        }
    }
    for (region, func) in plan.regions.iter().zip(&map.funcs) {
        if region.bytes.start < written || region.bytes.end as usize > code.len() || region.func != func.func
        {
            return Err(format!("region {:?} overlaps, ends outside, or is another's", region.bytes));
        }
        if func.code.start != region.bytes.start || func.code.end > region.bytes.end {
            return Err(format!("code {:?} is not what region {:?} begins with", func.code, region.bytes));
        }
        written = region.bytes.end;
        if region.calls.start != calls
            || region.calls.end < calls
            || region.calls.end as usize > plan.calls.len()
        {
            return Err(format!("calls {:?} are not the next", region.calls));
        }
        calls = region.calls.end;
        let mut function = Function { subject, region, func, scratch: &mut scratch, entries: &entries };
        sites = function.check(sites, &mut faults)?;
    }
    if calls as usize != plan.calls.len() || sites != map.sites.len() || faults != map.faults.len() {
        return Err("rows are left that belong to no function".to_string());
    }
    Ok(())
}

fn ascending(offsets: impl Iterator<Item = u32>, what: &str) -> Result<(), String> {
    let mut last = None;
    for offset in offsets {
        if last.is_some_and(|last| last >= offset) {
            return Err(format!("{what} do not ascend at {offset:#x}"));
        }
        last = Some(offset);
    }
    Ok(())
}

/// One function under examination.
struct Function<'a> {
    subject: &'a Subject<'a>,
    region: &'a Region,
    func: &'a FuncRange,
    scratch: &'a mut Scratch,
    entries: &'a [Option<u32>],
}

impl Function<'_> {
    /// Checks all of it; the rows of the maps from `site` and `fault` on are its own until they leave it.
    fn check(&mut self, mut site: usize, fault: &mut usize) -> Result<usize, String> {
        let (code, map) = (self.subject.code, self.subject.map);
        let range = self.func.code.clone();
        let mut calls =
            self.subject.plan.calls[self.region.calls.start as usize..self.region.calls.end as usize].iter();
        let mut next_call = calls.next();
        self.scratch.begin(range.end - range.start);
        let mut decoder = Decoder::new(&code[..range.end as usize], range.start);
        let mut table = None;
        for instruction in decoder.by_ref() {
            let (start, end) = (instruction.start, instruction.end);
            self.scratch.start(start - range.start);
            let planned = next_call.filter(|call| call.at + DISTANCE_BYTES == end && call.at > start);
            if planned.is_none() && next_call.is_some_and(|call| call.at < end) {
                return Err(format!("a call is planned inside of the instruction at {start:#x}"));
            }
            match instruction.class {
                Class::Call(target) | Class::Jump(target) if planned.is_some() => {
                    let call = planned.expect("just asked");
                    self.check_link(call, end, target)?;
                    next_call = calls.next();
                }
                Class::Call(target) => {
                    return Err(format!("the call at {start:#x} to {target:#x} is not planned"));
                }
                Class::Jump(target) | Class::Branch(target) => {
                    let inside =
                        target.checked_sub(range.start).filter(|offset| *offset < range.end - range.start);
                    if let Some(offset) = inside {
                        self.scratch.targets.push((start, offset));
                    } else if !self.is_island(start, target) {
                        return Err(format!("the branch at {start:#x} leaves its function for {target:#x}"));
                    }
                }
                Class::CallThrough | Class::Return | Class::JumpThrough | Class::Trap => {}
                Class::CallElsewhere => return Err(format!("the call at {start:#x} goes anywhere")),
                Class::TableAddress(target) => table = Some((start, target)),
                Class::JumpTable => {
                    let (at, first) =
                        table.take().ok_or_else(|| format!("the jump at {start:#x} goes anywhere"))?;
                    self.check_table(at, first)?;
                }
                Class::Access | Class::Plain => {}
                Class::Invalid => {
                    return Err(format!("the bytes at {start:#x} are no instruction that we write"));
                }
            }
            let is_call = matches!(instruction.class, Class::Call(_) | Class::CallThrough);
            let row = map.sites.get(site).filter(|row| row.code <= end);
            match (is_call, row) {
                (true, Some(row)) if row.code == end => {
                    self.check_wasm(row.wasm)?;
                    site += 1;
                }
                (false, None) => {}
                (true, _) => return Err(format!("the call at {start:#x} has no row")),
                (false, Some(row)) => return Err(format!("the row of {:#x} is not behind a call", row.code)),
            }
            if let Some(row) = map.faults.get(*fault).filter(|row| row.code < end) {
                if row.code != start || instruction.class != Class::Access {
                    return Err(format!("the row of {:#x} is no access of memory", row.code));
                }
                self.check_wasm(row.wasm)?;
                *fault += 1;
            } else if instruction.class == Class::Access && instruction.may_fault {
                return Err(format!("the access at {start:#x} may fault and has no row"));
            }
            if end > range.end {
                return Err(format!("the instruction at {start:#x} ends outside of its function"));
            }
        }
        if decoder.at() != range.end || next_call.is_some() {
            return Err(format!(
                "function {} ends inside of an instruction or before a call",
                self.func.func.0
            ));
        }
        for (from, target) in &self.scratch.targets {
            if !self.scratch.is_start(*target) {
                return Err(format!("the branch at {from:#x} goes into the middle of an instruction"));
            }
        }
        Ok(site)
    }

    /// Whether a file offset is one of the function's own.
    fn check_wasm(&self, wasm: u32) -> Result<(), String> {
        let body = (self.subject.bodies)(self.func.func.0);
        if body.contains(&wasm) {
            return Ok(());
        }
        Err(format!("file offset {wasm:#x} is not of function {}", self.func.func.0))
    }

    /// A planned call or jump goes to its function, directly or over its island.
    fn check_link(&mut self, call: &CallSite, end: u32, target: u32) -> Result<(), String> {
        let entry = self.entries.get(call.target.0 as usize).copied().flatten();
        let entry =
            entry.ok_or_else(|| format!("a call of function {}, which is not here", call.target.0))?;
        let distance = i64::from(target) - i64::from(end);
        if !self.subject.range.contains(&distance) {
            return Err(format!("the call at {:#x} reaches further than calls may", call.at));
        }
        if target == entry {
            return Ok(());
        }
        let island = call.island.filter(|island| *island == target && self.func.code.contains(island));
        let Some(island) = island else {
            return Err(format!("the call at {:#x} goes to {target:#x}, not to {entry:#x}", call.at));
        };
        let bytes = &self.subject.code[..(island + ISLAND_BYTES) as usize];
        match Decoder::new(bytes, island).next().map(|instruction| instruction.class) {
            Some(Class::Jump(target)) if target == entry => {
                self.scratch.targets.push((call.at, island - self.func.code.start));
                Ok(())
            }
            _ => Err(format!("the island at {island:#x} does not lead to {entry:#x}")),
        }
    }

    /// Whether an instruction is a planned island that leaves for its function.
    fn is_island(&self, start: u32, target: u32) -> bool {
        let calls =
            &self.subject.plan.calls[self.region.calls.start as usize..self.region.calls.end as usize];
        let found = calls.binary_search_by_key(&Some(start), |call| call.island);
        found.is_ok_and(|at| self.entries.get(calls[at].target.0 as usize) == Some(&Some(target)))
    }

    /// A jump table lies behind the code, and its entries go to instructions of the function.
    fn check_table(&mut self, at: u32, first: u32) -> Result<(), String> {
        let outside = || format!("the jump table of {at:#x} is not behind the function's code");
        if first < self.func.code.end || first >= self.region.bytes.end {
            return Err(outside());
        }
        // Tables lie one behind the other, and each jump is guarded by a comparison with its length, which
        // is the distance to the next table at most: so all entries to the end are checked once, by whoever
        // comes first.
        let bytes = &self.subject.code[first as usize..self.region.bytes.end as usize];
        let range = self.func.code.clone();
        let entries = bytes.as_chunks::<4>().0;
        let length = self.table_length(first, entries.len());
        for entry in &entries[..length] {
            let target = first.wrapping_add(u32::from_le_bytes(*entry));
            let offset = target.checked_sub(range.start).filter(|offset| *offset < range.end - range.start);
            self.scratch.targets.push((at, offset.ok_or_else(outside)?));
        }
        Ok(())
    }

    fn table_length(&self, first: u32, most: usize) -> usize {
        let next = self.func.tables.iter().find(|table| **table > first);
        next.map_or(most, |next| ((next - first) / 4) as usize).min(most)
    }
}
