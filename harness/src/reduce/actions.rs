//! Leaves out actions and modules, and makes arguments, hosts and limits those that need no words.

use super::proposal::{Look, Proposal, halvings};
use crate::case::{Action, Case, HostPlan, Limits, Value};

/// Actions left out: all but the last and the instantiations, halves, then one by one; late ones first.
pub fn fewer_actions(look: &Look<'_>) -> Vec<Proposal> {
    let numbers: Vec<usize> = (0..look.case.actions.len()).rev().collect();
    let without = |gone: Vec<usize>| {
        let mut case = look.case.clone();
        let mut number = 0;
        case.actions.retain(|_| (!gone.contains(&number), number += 1).0);
        Proposal::Case(case)
    };
    let is_call = |number: &usize| !matches!(look.case.actions[*number], Action::Instantiate { .. });
    let calls: Vec<usize> = numbers.iter().copied().filter(is_call).collect();
    let mut proposals = Vec::new();
    // What shows something is mostly one call alone.
    if calls.len() > 2 {
        let all_but = |kept: &usize| calls.iter().copied().filter(|call| call != kept).collect::<Vec<_>>();
        proposals.extend(calls.iter().map(|kept| without(all_but(kept))));
    }
    proposals.extend(halvings(&numbers).into_iter().map(without));
    proposals
}

/// Modules left out, with what is done to them.
pub fn fewer_modules(look: &Look<'_>) -> Vec<Proposal> {
    let without = |module: usize| {
        let mut case = look.case.clone();
        case.modules.remove(module);
        case.actions.retain_mut(|action| {
            let (Action::Instantiate { module: of }
            | Action::Invoke { module: of, .. }
            | Action::Read { module: of, .. }) = action;
            let stays = *of as usize != module;
            *of -= u32::from(*of as usize > module);
            stays
        });
        Proposal::Case(case)
    };
    (0..look.case.modules.len()).rev().map(without).collect()
}

/// Arguments made simple, one at a time.
pub fn simpler_arguments(look: &Look<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (number, action) in look.case.actions.iter().enumerate() {
        let Action::Invoke { args, .. } = action else { continue };
        for (argument, value) in args.iter().enumerate() {
            for simple in simpler(value) {
                let mut case = look.case.clone();
                if let Action::Invoke { args, .. } = &mut case.actions[number] {
                    args[argument] = simple;
                }
                proposals.push(Proposal::Case(case));
            }
        }
    }
    proposals
}

/// Values to try instead of one, the simplest first.
fn simpler(value: &Value) -> Vec<Value> {
    let simple: &[Value] = match value {
        Value::I32(_) => &[Value::I32(0), Value::I32(1), Value::I32(u32::MAX)],
        Value::I64(_) => &[Value::I64(0), Value::I64(1), Value::I64(u64::MAX)],
        Value::F32(_) => &[Value::F32(0), Value::F32(0x3f80_0000), Value::F32(0x7fc0_0000)],
        Value::F64(_) => &[Value::F64(0), Value::F64(0x3ff0 << 48), Value::F64(0x7ff8 << 48)],
        Value::V128(_) => &[Value::V128(0)],
        Value::Ref(_) => &[],
    };
    simple.iter().take_while(|simple| *simple != value).cloned().collect()
}

/// Hosts that never trap or throw, and do the least.
pub fn simpler_hosts(look: &Look<'_>) -> Vec<Proposal> {
    let hosts = look.case.hosts;
    let quiet = HostPlan { trap_one_in: 0, throw_one_in: 0, ..hosts };
    let ways = [HostPlan { seed: 0, ..quiet }, quiet, HostPlan { seed: 0, ..hosts }];
    let simpler = ways.into_iter().filter(|way| *way != hosts);
    simpler.map(|hosts| Proposal::Case(Case { hosts, ..look.case.clone() })).collect()
}

/// Fuel that is soon used up, so that what follows is fast.
pub fn less_fuel(look: &Look<'_>) -> Vec<Proposal> {
    let Some(fuel) = look.case.limits.fuel else { return Vec::new() };
    let less = [30, 100, 1_000, 5_000].into_iter().filter(|less| *less < fuel);
    less.map(|less| limited(look.case, Limits { fuel: Some(less), ..look.case.limits })).collect()
}

/// Limits as people have them, unless they are what it takes. Without end is nothing: a loop would show it too late.
pub fn usual_limits(look: &Look<'_>) -> Vec<Proposal> {
    // Those of scripts that say nothing.
    let depth_slots = crosscheck_engine::Limits::default().depth_slots;
    let (limits, usual) = (look.case.limits, Limits { depth_slots, ..Limits::default() });
    let all = Limits { fuel: limits.fuel, ..usual };
    let ways = [
        all,
        Limits { depth_slots: usual.depth_slots, ..limits },
        Limits { host_depth: usual.host_depth, ..limits },
        Limits { memory_bytes: usual.memory_bytes, table_elements: usual.table_elements, ..limits },
        Limits { gc_bytes: usual.gc_bytes, ..limits },
    ];
    ways.into_iter().filter(|way| *way != limits).map(|way| limited(look.case, way)).collect()
}

fn limited(case: &Case, limits: Limits) -> Proposal {
    Proposal::Case(Case { limits, ..case.clone() })
}
