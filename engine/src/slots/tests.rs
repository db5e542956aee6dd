//! Layouts and heights against counting by hand, and against the frame costs that modules are charged.

use super::*;
use crate::limits::FRAME_OVERHEAD_SLOTS;
use crate::module::ModuleInner;
use crate::opcode::reader::BlockType;
use crate::types::TypeRegistry;
use proptest::prelude::*;

const I32: ValType = ValType::I32;
const V128: ValType = ValType::V128;

#[test]
fn a_vector_moves_every_local_after_it_by_one_slot() {
    let layout = Layout::new(&FuncType::new([I32, V128], []), &[(2, V128), (0, I32), (1, I32)]);
    let locals: Vec<_> = (0..5).map(|index| layout.local(LocalIndex(index))).collect();
    let local = |slot, width| Local { slot: SlotIndex(slot), width };
    let (one, two) = (Width::One, Width::Two);
    assert_eq!(locals, [local(0, one), local(1, two), local(3, two), local(5, two), local(7, one)]);
    assert_eq!(layout.params(), Extent { values: 2, slots: 3 });
    assert_eq!(layout.locals(), Extent { values: 5, slots: 8 });
    assert_eq!(layout.declared_slots(), 5);
}

#[test]
fn references_are_found_by_their_slots_among_the_declared_locals() {
    let reference = ValType::EXTERNREF;
    let declared = [(2, reference), (1, V128), (1, reference), (1, I32), (1, reference)];
    let layout = Layout::new(&FuncType::new([V128, reference], []), &declared);
    let slots: Vec<_> = layout.declared_references().map(|slot| slot.0).collect();
    assert_eq!(slots, [0, 1, 4, 6]);
}

#[test]
fn a_block_of_one_vector_takes_nothing_and_leaves_two_slots() {
    let module = decode("(module (type (func (param v128 i32) (result f64 v128 v128))))");
    let of = |ty| {
        let Signature { params, results } = module.block_signature(ty);
        (params.extent, results.extent)
    };
    let extent = |values, slots| Extent { values, slots };
    assert_eq!(of(BlockType::Empty), (extent(0, 0), extent(0, 0)));
    assert_eq!(of(BlockType::Value(wasmparser::ValType::V128)), (extent(0, 0), extent(1, 2)));
    assert_eq!(of(BlockType::Value(wasmparser::ValType::I64)), (extent(0, 0), extent(1, 1)));
    assert_eq!(of(BlockType::Type(0)), (extent(2, 3), extent(3, 5)));
}

#[test]
fn a_function_is_wide_if_reachable_code_has_a_vector_anywhere() {
    let is_wide = |func: &str| {
        decode(&format!("(module (global $v v128 (v128.const i64x2 1 2)) {func})")).bodies[0].is_wide
    };
    assert!(!is_wide("(func (param i32) (local externref))"));
    assert!(is_wide("(func (param v128))"));
    assert!(is_wide("(func (local v128))"));
    assert!(is_wide("(func (result v128) (unreachable))"));
    assert!(is_wide("(func (drop (global.get $v)))"));
    assert!(is_wide("(func (block (result v128) (unreachable)) (drop))"));
    assert!(!is_wide("(func (unreachable) (drop (global.get $v)))"));
}

fn decode(text: &str) -> ModuleInner {
    let buffer = wast::parser::ParseBuffer::new(text).expect("the text has tokens");
    let mut wat = wast::parser::parse::<wast::Wat>(&buffer).expect("the text is a module");
    let bytes = wat.encode().expect("the module has a binary form");
    ModuleInner::decode(bytes.into(), &TypeRegistry::default()).expect("the module is valid")
}

fn types() -> impl Strategy<Value = Vec<ValType>> {
    let ty = prop_oneof![
        Just(I32),
        Just(ValType::I64),
        Just(ValType::F32),
        Just(ValType::F64),
        Just(V128),
        Just(ValType::FUNCREF),
    ];
    prop::collection::vec(ty, 0..12)
}

/// The slots that values of these types take, counted without the code under test.
fn counted(types: &[ValType]) -> u32 {
    types.iter().map(|ty| if *ty == V128 { 2 } else { 1 }).sum()
}

fn text(types: &[ValType]) -> String {
    types.iter().map(|ty| format!(" {ty}")).collect()
}

proptest! {
    #[test]
    fn every_local_begins_where_those_before_it_end(params in types(), declared in types(), repeated in 0..3u32) {
        let runs: Vec<_> = declared.iter().map(|ty| (repeated, *ty)).collect();
        let ty = FuncType::new(params.clone(), []);
        let layout = Layout::new(&ty, &runs);
        let declared = declared.iter().flat_map(|ty| std::iter::repeat_n(*ty, repeated as usize));
        let locals: Vec<ValType> = params.iter().copied().chain(declared).collect();
        prop_assert_eq!(layout.types().collect::<Vec<_>>(), locals.clone());
        for (index, ty) in locals.iter().enumerate() {
            let local = layout.local(LocalIndex(index as u32));
            prop_assert_eq!(local.slot, SlotIndex(counted(&locals[..index])));
            prop_assert_eq!(local.width.slots(), counted(&[*ty]));
        }
        prop_assert_eq!(layout.params().slots, ty.param_slots());
        let extent = Extent { values: locals.len() as u32, slots: counted(&locals) };
        prop_assert_eq!(layout.locals(), extent);
    }

    #[test]
    fn heights_follow_operands_that_come_and_go(steps in prop::collection::vec((types(), any::<prop::sample::Index>()), 0..8)) {
        let (mut heights, mut stack) = (Heights::default(), Vec::new());
        heights.start(true);
        for (types, height) in steps {
            let ty = FuncType::new(types.clone(), []);
            heights.push_row(Row::params(&ty));
            stack.extend(types);
            for position in 0..stack.len() {
                prop_assert_eq!(heights.slots_below(position as u32), counted(&stack[..position]));
                prop_assert_eq!(heights.width(position as u32), Width::of(stack[position]));
            }
            prop_assert_eq!(heights.extent(), Extent { values: stack.len() as u32, slots: counted(&stack) });
            stack.truncate(height.index(stack.len() + 1));
            heights.go_back_to(stack.len() as u32);
        }
    }

    #[test]
    fn frames_cost_what_the_layout_and_the_highest_stack_take(params in types(), declared in types(), results in types()) {
        let module = decode(&module_of(&params, &declared, &results));
        let body = &module.bodies[1];
        let locals = counted(&params) + counted(&declared);
        prop_assert_eq!(body.layout.locals().slots, locals);
        // Where the branch is, they are all on the stack, with the other results and the condition above them.
        let highest = locals + counted(&results) + 1;
        prop_assert_eq!(body.operand_slots, highest);
        prop_assert_eq!(body.frame_cost, FRAME_OVERHEAD_SLOTS + locals + highest);
        let vectors = [&params, &declared, &results].into_iter().any(|types| types.contains(&V128));
        prop_assert_eq!(body.is_wide, vectors);
    }
}

/// A function that reads all its locals, and then has a block that takes them and leaves them and more: through
/// its end, and through a branch on a condition.
fn module_of(params: &[ValType], declared: &[ValType], more: &[ValType]) -> String {
    let (locals, more) = (text(params) + &text(declared), text(more));
    let read: String =
        (0..params.len() + declared.len()).map(|local| format!("(local.get {local})")).collect();
    format!(
        "(module
            (type $block (func (param {locals}) (result {locals} {more})))
            (func $more (result {more}) (unreachable))
            (func (param {}) (result {locals} {more}) (local {})
                {read}
                (block (type $block)
                    (br_if 1 (call $more) (i32.const 1)))))",
        text(params),
        text(declared),
    )
}
