//! Frames are found from maps and a stack that are made by hand, as code of any compiler could leave them.

use super::*;
use crate::module::DefinedFuncIndex;
use crate::native::code::{CodeMap, Fault as FaultRow, FuncRange, Site, What};
use crate::native::side_tables::Inlined;
use crate::{AsContextMut, Config, Engine, Linker, Mode, Module, Store};

/// Bytes of code of each function.
const FUNC_BYTES: u32 = 64;
/// Stand for the places that called functions return to.
const ENTER_RETURN: u64 = 1;
const CROSS_RETURN: u64 = 2;
/// Functions that the module imports, which come first in its index space.
const IMPORTED: u32 = 1;

/// Three defined functions after an imported one.
const MODULE: &str = r#"(module (import "host" "f" (func)) (func) (func) (func))"#;

fn row(code: u32, wasm: u32) -> Site {
    Site { code, wasm, what: What::Call }
}

/// A map in which the first function calls at offset 20, the second at 84 and with its very last instruction, and the
/// third has an access that may fault at 140. The second is entered where a call of the first has its return address.
fn map() -> CodeMap {
    let func = |func: u32| FuncRange {
        func: DefinedFuncIndex(func),
        code: func * FUNC_BYTES..(func + 1) * FUNC_BYTES,
        tables: Vec::new(),
        frame_slots: 2,
    };
    CodeMap {
        imported_funcs: IMPORTED,
        funcs: (0..3).map(func).collect(),
        sites: vec![row(20, 1020), row(64, 1064), row(84, 1084), row(128, 1128), row(140, 1140)],
        faults: vec![FaultRow { code: 140, wasm: 2140 }],
        ..CodeMap::default()
    }
}

/// A store with two instances of the module.
fn store() -> Store<()> {
    let engine = Engine::new(&Config::new(Mode::Interp));
    let wasm = wast::parser::ParseBuffer::new(MODULE)
        .and_then(|buffer| wast::parser::parse::<wast::Wat<'_>>(&buffer)?.encode())
        .expect("the test's text is well-formed");
    let module = Module::new(&engine, &wasm[..]).expect("the test's module is valid");
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new();
    linker.func_wrap(&mut store, ("host", "f"), |_, ()| Ok(()));
    for _ in 0..2 {
        linker.instantiate(&mut store, &module).expect("the module needs nothing else");
    }
    store
}

/// Where the guest was when it was looked at, and how it got there, outwards: offsets of return addresses in the unit,
/// or the number of the instance that a call has come from.
enum Step {
    Return(u32),
    Crossing(u64),
}

/// The frames, innermost first, as (instance, function, file offset); the guest is in instance 1, at a call with this
/// return address, or at an access that has faulted.
fn frames(map: CodeMap, innermost: Point, outwards: &[Step]) -> Vec<(u32, u32, u32)> {
    let code = vec![0; 3 * FUNC_BYTES as usize];
    let unit = CodeUnit::publish(&code, map).expect("there is room");
    let address = |code: u32| unit.address(code) as u64;
    // Three words a step: the number of an instance, the caller's frame pointer, the return address.
    let mut stack = vec![[0; 3]; outwards.len() + 1];
    let frame_pointer = |stack: &Vec<[u64; 3]>, step: usize| &raw const stack[step][1] as u64;
    for step in 0..stack.len() {
        let caller = if step + 1 < stack.len() { frame_pointer(&stack, step + 1) } else { 0 };
        let back = match outwards.get(step) {
            Some(Step::Return(code)) => address(*code),
            Some(Step::Crossing(_)) => CROSS_RETURN,
            None => ENTER_RETURN,
        };
        stack[step][1..].copy_from_slice(&[caller, back]);
        // The frame of a crossing is the one outside of the frame that returns to it.
        if let Some(Step::Crossing(from)) = outwards.get(step) {
            stack[step + 1][0] = *from;
        }
    }
    let left = [address(innermost.code)];
    let mut store = store();
    let store = store.context_mut();
    let nowhere = Host::thunks().1.map(|_| std::ptr::null());
    let mut context = VmContext::new(store.0, &nowhere, std::ptr::null_mut(), 1 << 40);
    (context.enter_return, context.cross_return) = (ENTER_RETURN, CROSS_RETURN);
    (context.instance, context.guest_fp) = (1, frame_pointer(&stack, 0));
    match innermost.kind {
        PointKind::Return => context.guest_sp = left.as_ptr() as u64,
        PointKind::Fault => context.fault_pc = left[0],
    }
    let mut seen = Vec::new();
    context.walk(&mut |frame: RawFrame| seen.push((frame.owner, frame.func, frame.offset)));
    seen
}

#[test]
fn frames_are_told_by_return_addresses() {
    let outwards = [Step::Return(84), Step::Return(20)];
    let seen = frames(map(), Point::of_return(20), &outwards);
    assert_eq!(seen, [(1, 1, 1020), (1, 2, 1084), (1, 1, 1020)]);
}

#[test]
fn a_call_belongs_to_its_function_where_the_next_one_begins_at_its_return_address() {
    let seen = frames(map(), Point::of_return(64), &[Step::Return(128)]);
    assert_eq!(seen, [(1, 1, 1064), (1, 2, 1128)]);
}

#[test]
fn a_fault_is_told_from_a_call_that_returns_to_the_same_offset() {
    assert_eq!(frames(map(), Point::of_fault(140), &[]), [(1, 3, 2140)]);
    assert_eq!(frames(map(), Point::of_return(140), &[]), [(1, 3, 1140)]);
}

#[test]
fn outside_of_a_crossing_frames_are_of_the_instance_that_called() {
    let outwards = [Step::Return(84), Step::Crossing(0), Step::Return(84)];
    let seen = frames(map(), Point::of_return(20), &outwards);
    assert_eq!(seen, [(1, 1, 1020), (1, 2, 1084), (0, 2, 1084)]);
}

#[test]
fn inlined_functions_have_frames_of_their_own() {
    let mut map = map();
    let inlined = |func, call| Inlined { func: DefinedFuncIndex(func), call };
    map.inlined.rows = vec![
        (Point::of_return(84), inlined(2, 300)),
        (Point::of_return(84), inlined(0, 400)),
        (Point::of_return(140), inlined(0, 500)),
        (Point::of_fault(140), inlined(1, 600)),
    ];
    let seen = frames(map.clone(), Point::of_return(20), &[Step::Return(84), Step::Return(20)]);
    assert_eq!(seen, [(1, 1, 1020), (1, 3, 1084), (1, 1, 300), (1, 2, 400), (1, 1, 1020)]);
    let seen = frames(map, Point::of_fault(140), &[Step::Return(140)]);
    assert_eq!(seen, [(1, 2, 2140), (1, 3, 600), (1, 1, 1140), (1, 3, 500)]);
}
