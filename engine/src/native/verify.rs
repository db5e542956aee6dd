//! Checks code before it may run: decodes it as the machine would and proves where every branch goes.
//!
//! Nothing here believes the assembler, the linker or the maps. A fault found is a fault of the compiler, so it is
//! reported as text, with which the compiler panics. What is proved:
//!
//! - regions follow one another from the first byte to the last, with nothing but padding between; each is a
//!   function's code and then its jump tables, and the code decodes from entry to end without a gap;
//! - a branch is a planned one, which goes to the planned instruction of its own function; or a planned call or
//!   jump whose target is the planned function's entry, or an island of its own region that leads there;
//! - every other call or jump goes through the pointer of the context or of a function's link that belongs to
//!   the instruction, or through a jump table of the planned length whose every entry is planned;
//! - islands are where they are planned, and nothing else is never meant to run;
//! - the rows of the maps ascend, each at an instruction of its kind: a return address after a call, a fault at an
//!   access of memory whose address was not compared before; and every such instruction has its row;
//! - the compiler's [`ledger`] agrees: of code of one pass, that the rows are exactly those that the body asks for.

pub(crate) mod ledger;
mod pointer;

use super::arch::{Arch, Class, Decoder, Instruction};
use super::code::{CodeMap, FuncRange, Site};
use super::link::{Branch, CallSite, Plan, Region};
use super::side_tables::{Point, PointKind, SideTable};
use crate::limits::Settings;
use crate::module::ModuleInner;
use ledger::{Ledger, Role};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::ops::{Range, RangeInclusive};

/// What is checked.
pub(crate) struct Subject<'a> {
    pub code: &'a [u8],
    pub plan: &'a Plan,
    pub map: &'a CodeMap,
    /// How far a direct call may reach.
    pub range: &'a RangeInclusive<i64>,
    pub module: &'a ModuleInner,
    pub settings: &'a Settings,
}

/// What is reused from one function to the next, and how far the rows have been used up.
#[derive(Default)]
struct Progress<L> {
    /// A bit for each byte of the function: whether an instruction begins there.
    starts: Vec<u64>,
    ledger: L,
    /// File offsets, as far as they are known, of the calls of this function whose islands are still to come.
    islands: VecDeque<Option<u32>>,
    /// Numbers of the next rows.
    site: usize,
    fault: usize,
    call: usize,
    branch: usize,
    target: usize,
    inlined: usize,
    handler: usize,
    root: usize,
}

impl<L> Progress<L> {
    fn begin(&mut self, bytes: u32) {
        self.islands.clear();
        self.starts.clear();
        self.starts.resize((bytes as usize + 1).div_ceil(64), 0);
    }

    fn start(&mut self, offset: u32) {
        self.starts[offset as usize / 64] |= 1 << (offset % 64);
    }

    fn is_start(&self, offset: u32) -> bool {
        self.starts.get(offset as usize / 64).is_some_and(|word| word >> (offset % 64) & 1 != 0)
    }
}

/// Says what is wrong with code of a machine, if anything is.
pub(crate) fn verify<A: Arch, L: Ledger>(subject: &Subject) -> Result<(), String> {
    let Subject { code, plan, map, module, .. } = subject;
    if plan.regions.len() != map.funcs.len() || map.imported_funcs != module.imported_funcs {
        return Err(format!("{} regions for {} functions", plan.regions.len(), map.funcs.len()));
    }
    let entries = entries(plan, module)?;
    let mut progress = Progress::<L>::default();
    let mut written = 0;
    for (region, func) in plan.regions.iter().zip(&map.funcs) {
        check_gap::<A>(code, written, region.bytes.start)?;
        check_layout(code, region, func)?;
        check_frame(module, func)?;
        written = region.bytes.end;
        let (entries, progress, island) = (&entries, &mut progress, None);
        let mut function =
            Function::<A, L> { subject, region, func, entries, progress, island, arch: PhantomData };
        function.check().map_err(|fault| {
            // Readers of reports look for the place after the word.
            let place = progress.ledger.place().unwrap_or(module.body(func.func).code.start);
            format!("{fault} in function {} (wasm {place:#x})", func.func.0)
        })?;
    }
    if written as usize != code.len() {
        return Err(format!("there is more after the last function, which ends at {written:#x}"));
    }
    let Progress { site, fault, call, branch, target, inlined, handler, root, .. } = progress;
    let used = [site, fault, call, branch, target, inlined, handler, root];
    let all = [
        map.sites.len(),
        map.faults.len(),
        plan.calls.len(),
        plan.branches.len(),
        plan.targets.len(),
        map.inlined.rows.len(),
        map.handlers.rows.len(),
        map.roots.rows.len(),
    ];
    if used != all {
        return Err(format!("rows are left that belong to no function: {used:?} of {all:?}"));
    }
    Ok(())
}

/// Where each function begins, by its number.
fn entries(plan: &Plan, module: &ModuleInner) -> Result<Vec<Option<u32>>, String> {
    let mut entries = vec![None; module.bodies.len()];
    for region in &plan.regions {
        match entries.get_mut(region.func.0 as usize) {
            Some(entry @ None) => *entry = Some(region.bytes.start),
            Some(Some(_)) => return Err(format!("function {} has two regions", region.func.0)),
            None => return Err(format!("there is no function {}", region.func.0)),
        }
    }
    Ok(entries)
}

/// Between regions there is padding up to the next multiple, and nothing before the first.
fn check_gap<A: Arch>(code: &[u8], written: u32, start: u32) -> Result<(), String> {
    if start != written.next_multiple_of(A::ALIGNMENT) || start as usize > code.len() {
        return Err(format!("a region begins at {start:#x} after one that ends at {written:#x}"));
    }
    let padding = code[written as usize..start as usize].chunks(A::PADDING.len());
    if padding.into_iter().any(|bytes| bytes != A::PADDING) {
        return Err(format!("what is before {start:#x} could run"));
    }
    Ok(())
}

/// A region is code, then jump tables one after the other.
fn check_layout(code: &[u8], region: &Region, func: &FuncRange) -> Result<(), String> {
    let Range { start, end } = region.bytes;
    let mut at = func.code.end;
    let mut fits =
        region.func == func.func && func.code.start == start && at > start && end as usize <= code.len();
    for table in &func.tables {
        fits &= table.start == at && table.end > at && (table.end - at).is_multiple_of(4);
        at = table.end;
    }
    if fits && at == end {
        return Ok(());
    }
    Err(format!("code {:?} and tables {:?} are not region {:?}", func.code, func.tables, region.bytes))
}

/// A frame is as large as the budget is charged for it, in every mode.
fn check_frame(module: &ModuleInner, func: &FuncRange) -> Result<(), String> {
    let cost = module.body(func.func).frame_cost;
    if func.frame_slots == cost {
        return Ok(());
    }
    Err(format!("function {} has a frame of {} slots, not {cost}", func.func.0, func.frame_slots))
}

/// One function under examination.
struct Function<'a, A, L> {
    subject: &'a Subject<'a>,
    region: &'a Region,
    func: &'a FuncRange,
    entries: &'a [Option<u32>],
    progress: &'a mut Progress<L>,
    /// Number of the call whose island is the next.
    island: Option<usize>,
    arch: PhantomData<A>,
}

impl<A: Arch, L: Ledger> Function<'_, A, L> {
    /// Checks all of it; the rows from the next on are its own until they leave it.
    fn check(&mut self) -> Result<(), String> {
        let Subject { code, module, settings, plan, .. } = *self.subject;
        let lazy_entries = if settings.lazy { module.bodies.len() as u32 } else { 0 };
        let range = self.func.code.clone();
        let calls = self.region.calls.clone();
        if calls.start as usize != self.progress.call
            || calls.end as usize > plan.calls.len()
            || calls.end < calls.start
        {
            return Err(format!("calls {calls:?} are not the next"));
        }
        self.progress.begin(range.end - range.start);
        self.progress.ledger.open(module, settings, self.func.func);
        self.island = self.next_island(calls.start as usize);
        let first_branch = self.progress.branch;
        let (mut bound, mut table, mut tables) = (None, None, self.func.tables.iter());
        let mut decoder = A::Decoder::new(&code[..range.end as usize], range.start);
        while let Some(instruction) = decoder.next() {
            let start = instruction.start;
            self.progress.start(start - range.start);
            match instruction.class {
                Class::Call(target) | Class::Jump(target) if self.is_planned(&instruction) => {
                    self.check_link(&instruction, target)?;
                }
                Class::Call(target) => {
                    return Err(format!("the call at {start:#x} to {target:#x} is not planned"));
                }
                Class::Jump(target) if self.is_island(start) => self.check_island(&instruction, target)?,
                Class::Jump(target) => self.check_branch(&instruction, target, None)?,
                Class::Branch(condition, target) => {
                    self.check_branch(&instruction, target, Some(condition))?;
                }
                Class::CallThrough(pointer) => {
                    let row = self.site(&instruction)?;
                    let role = pointer::called(&self.progress.ledger, pointer, row.trap(), lazy_entries)?;
                    self.progress.ledger.has(role, Some(row.wasm))?;
                }
                Class::JumpThrough(pointer) => {
                    let role = pointer::jumped(&self.progress.ledger, pointer, lazy_entries)?;
                    self.progress.ledger.has(role, None)?;
                }
                Class::TableAddress(target) => {
                    table = tables.next().filter(|table| table.start == target);
                    let entries = table.map(|table| (table.end - table.start) / 4);
                    if entries.is_none() || entries != bound {
                        return Err(format!(
                            "the table of {start:#x} has {entries:?} entries, not {bound:?}"
                        ));
                    }
                    self.progress.ledger.has_table(entries.expect("just compared"))?;
                }
                Class::JumpTable if table.take().is_some() => {}
                Class::JumpTable => return Err(format!("the jump at {start:#x} goes anywhere")),
                Class::Trap if self.is_island(start) => self.check_unused_island(&mut decoder, start)?,
                Class::Trap => return Err(format!("what is at {start:#x} is not meant to run")),
                Class::CallElsewhere => return Err(format!("the call at {start:#x} goes anywhere")),
                Class::Invalid => return Err(format!("at {start:#x} is no instruction that is written")),
                Class::Return | Class::Access | Class::Plain | Class::Compare(_) => {}
            }
            self.check_fault(&instruction)?;
            bound = match instruction.class {
                Class::Compare(bound) => Some(bound),
                Class::Branch(..) => bound,
                _ => None,
            };
        }
        if decoder.at() != range.end || self.progress.call != calls.end as usize || self.island.is_some() {
            return Err("ends inside of an instruction, or before a call or an island".to_string());
        }
        if tables.next().is_some() {
            return Err("a jump table belongs to no jump".to_string());
        }
        self.check_targets(first_branch)?;
        self.check_rows_are_used_up()?;
        self.check_side_tables()?;
        self.progress.ledger.close()
    }

    /// No row is left at a place of this function.
    fn check_rows_are_used_up(&self) -> Result<(), String> {
        let Subject { map, plan, .. } = self.subject;
        let (code, end) = (self.func.code.end, self.region.bytes.end);
        let next = &self.progress;
        let early = [
            map.sites.get(next.site).is_some_and(|site| site.code <= code),
            map.faults.get(next.fault).is_some_and(|fault| fault.code < end),
            plan.branches.get(next.branch).is_some_and(|branch| branch.end <= code),
        ];
        if early.contains(&true) { Err("a row is not at its instruction".to_string()) } else { Ok(()) }
    }

    /// The side tables' rows of this function are at places that have a row, and fit the function.
    fn check_side_tables(&mut self) -> Result<(), String> {
        let Subject { map, module, .. } = self.subject;
        for (point, inlined) in self.side_rows(&map.inlined, self.progress.inlined)? {
            self.progress.inlined += 1;
            if inlined.func.0 as usize >= module.bodies.len() {
                return Err(format!("at {point:x?} a function is inlined that is not there"));
            }
        }
        for (point, handler) in self.side_rows(&map.handlers, self.progress.handler)? {
            self.progress.handler += 1;
            let code = &self.func.code;
            let is_inside = code.contains(&handler.code) && self.progress.is_start(handler.code - code.start);
            if !is_inside || handler.tag.is_some_and(|tag| tag as usize >= module.tags.len()) {
                return Err(format!("at {point:x?} nothing is caught by {handler:x?}"));
            }
        }
        for (point, root) in self.side_rows(&map.roots, self.progress.root)? {
            self.progress.root += 1;
            if root.slot >= self.func.frame_slots {
                return Err(format!("at {point:x?} the frame has no {root:?}"));
            }
        }
        Ok(())
    }

    /// The rows of a table from the next on that belong to this function, which ascend and are at places with a row.
    fn side_rows<'t, T>(&self, table: &'t SideTable<T>, next: usize) -> Result<&'t [(Point, T)], String> {
        let map = self.subject.map;
        let rest = &table.rows[next..];
        let is_own = |point: Point| match point.kind {
            PointKind::Return => point.code <= self.func.code.end,
            PointKind::Fault => point.code < self.func.code.end,
        };
        let own = &rest[..rest.partition_point(|(point, _)| is_own(*point))];
        let has_row = |point: Point| match point.kind {
            PointKind::Return => map.sites.binary_search_by_key(&point.code, |site| site.code).is_ok(),
            PointKind::Fault => map.faults.binary_search_by_key(&point.code, |fault| fault.code).is_ok(),
        };
        match own.iter().find(|(point, _)| point.code < self.func.code.start || !has_row(*point)) {
            None if own.is_sorted_by_key(|(point, _)| *point) => Ok(own),
            wrong => {
                Err(format!("rows of a side table are not in order: {:x?}", wrong.map(|(point, _)| point)))
            }
        }
    }

    /// The row of a call, which is the next.
    fn site(&mut self, instruction: &Instruction) -> Result<Site, String> {
        match self.subject.map.sites.get(self.progress.site) {
            Some(site) if site.code == instruction.end => {
                self.progress.site += 1;
                Ok(*site)
            }
            next => Err(format!("the call at {:#x} has no row; the next is {next:?}", instruction.start)),
        }
    }

    /// An access that may fault has the next row, and nothing else has one.
    fn check_fault(&mut self, instruction: &Instruction) -> Result<(), String> {
        let row = self.subject.map.faults.get(self.progress.fault).filter(|row| row.code < instruction.end);
        match row {
            None if !instruction.may_fault => Ok(()),
            Some(row) if instruction.may_fault && row.code == instruction.start => {
                self.progress.fault += 1;
                self.progress.ledger.has_fault(row.wasm)
            }
            row => Err(format!("{instruction:?} has the row {row:?}")),
        }
    }

    fn is_planned(&self, instruction: &Instruction) -> bool {
        let call = self.subject.plan.calls.get(self.progress.call);
        call.is_some_and(|call| {
            call.at.checked_add(A::DISTANCE_BYTES) == Some(instruction.end) && call.at >= instruction.start
        })
    }

    /// A planned call or jump is of the function that the body says, and goes there directly or over its island.
    fn check_link(&mut self, instruction: &Instruction, target: u32) -> Result<(), String> {
        let call = self.subject.plan.calls[self.progress.call];
        self.progress.call += 1;
        let (role, wasm) = match instruction.class {
            Class::Call(_) => {
                let row = self.site(instruction)?;
                if row.trap().is_some() {
                    return Err(format!("the call at {:#x} is no trap", call.at));
                }
                (Role::Call(call.target), Some(row.wasm))
            }
            _ => (Role::TailCall(call.target), None),
        };
        self.progress.ledger.has(role, wasm)?;
        if call.island.is_some() {
            self.progress.islands.push_back(self.progress.ledger.place());
        }
        let distance = i64::from(target) - i64::from(call.at + A::DISTANCE_ORIGIN);
        let is_over_island = call.island == Some(target);
        let range = if is_over_island { A::ISLAND_RANGE } else { self.subject.range.clone() };
        if !range.contains(&distance) {
            return Err(format!("the call at {:#x} reaches further than calls may", call.at));
        }
        if target == self.entry(&call)? || is_over_island {
            return Ok(());
        }
        Err(format!("the call at {:#x} goes to {target:#x}, not to its function or island", call.at))
    }

    fn entry(&self, call: &CallSite) -> Result<u32, String> {
        let entry = self.entries.get(call.target.0 as usize).copied().flatten();
        entry.ok_or_else(|| format!("a call of function {}, which is not here", call.target.0))
    }

    /// The first call from a number on that has an island.
    fn next_island(&self, from: usize) -> Option<usize> {
        let calls = &self.subject.plan.calls[..self.region.calls.end as usize];
        (from..calls.len()).find(|call| calls[*call].island.is_some())
    }

    fn is_island(&self, start: u32) -> bool {
        self.island.is_some_and(|call| self.subject.plan.calls[call].island == Some(start))
    }

    /// The number of the call whose island is next, which is looked at now.
    fn take_island(&mut self) -> usize {
        let number = self.island.expect("just asked");
        self.island = self.next_island(number + 1);
        if let Some(Some(place)) = self.progress.islands.pop_front() {
            self.progress.ledger.look_at(place);
        }
        number
    }

    /// A used island leads to the function of its call, which goes over it.
    fn check_island(&mut self, instruction: &Instruction, target: u32) -> Result<(), String> {
        let number = self.take_island();
        let call = &self.subject.plan.calls[number];
        if number < self.progress.call
            && instruction.end - instruction.start == A::ISLAND_BYTES
            && target == self.entry(call)?
            && self.goes_to(call, instruction.start)
        {
            return Ok(());
        }
        Err(format!("the island at {:#x} is not its call's", instruction.start))
    }

    /// The call of an unused island goes elsewhere.
    fn check_unused_island(&mut self, decoder: &mut A::Decoder<'_>, start: u32) -> Result<(), String> {
        let number = self.take_island();
        let call = &self.subject.plan.calls[number];
        // One of the instructions was just read.
        let others = A::ISLAND_BYTES as usize / A::PADDING.len() - 1;
        let rest = decoder.by_ref().take(others);
        let unused = rest.filter(|instruction| instruction.class == Class::Trap).count();
        if number < self.progress.call && unused == others && !self.goes_to(call, start) {
            return Ok(());
        }
        Err(format!("the island at {start:#x} is used or cut off"))
    }

    /// Whether a call's distance leads to an offset.
    fn goes_to(&self, call: &CallSite, offset: u32) -> bool {
        let at = call.at as usize;
        let distance = self.subject.code.get(at..at + A::DISTANCE_BYTES as usize).map(A::read_distance);
        distance.map(|distance| i64::from(call.at + A::DISTANCE_ORIGIN) + distance) == Some(i64::from(offset))
    }

    /// A branch within the function is the next that is planned.
    fn check_branch(
        &mut self,
        instruction: &Instruction,
        target: u32,
        condition: Option<u8>,
    ) -> Result<(), String> {
        let next = self.subject.plan.branches.get(self.progress.branch);
        self.progress.branch += 1;
        match next {
            Some(next) if *next == (Branch { end: instruction.end, target, condition }) => Ok(()),
            next => Err(format!("the branch at {:#x} to {target:#x} is not {next:?}", instruction.start)),
        }
    }

    /// Where branches and jump tables go are instructions of the function.
    fn check_targets(&mut self, first_branch: usize) -> Result<(), String> {
        let Subject { code, plan, .. } = self.subject;
        let range = &self.func.code;
        let is_inside = |progress: &Progress<L>, target: u32| {
            range.contains(&target) && progress.is_start(target - range.start)
        };
        for branch in &plan.branches[first_branch..self.progress.branch] {
            if !is_inside(self.progress, branch.target) {
                return Err(format!("the branch before {:#x} goes to no instruction", branch.end));
            }
        }
        for table in &self.func.tables {
            for entry in code[table.start as usize..table.end as usize].as_chunks::<4>().0 {
                let target = table.start.wrapping_add(u32::from_le_bytes(*entry));
                let planned = plan.targets.get(self.progress.target);
                if planned != Some(&target) || !is_inside(self.progress, target) {
                    return Err(format!(
                        "the table at {:#x} leads to {target:#x}, not {planned:x?}",
                        table.start
                    ));
                }
                self.progress.target += 1;
            }
        }
        Ok(())
    }
}
