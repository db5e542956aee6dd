//! Whole memories and tables.

use super::*;

#[test]
fn memories_grow_up_to_their_limit() {
    check(
        "(module (memory 1 3) (func (export \"f\") (result i32 i32 i32 i32 i32)
            (memory.grow (i32.const 2)) (memory.size) (memory.grow (i32.const 1))
            (i32.store (i32.const 196604) (i32.const 8)) (i32.load (i32.const 196604))
            (memory.grow (i32.const 0))))",
        "f",
        &[],
        &[1, 3, -1, 8, 3].map(Val::I32),
    );
    check(
        "(module (memory i64 1 2) (func (export \"f\") (result i64 i64 i64)
            (memory.grow (i64.const 1)) (memory.size) (memory.grow (i64.const 1))))",
        "f",
        &[],
        &[1, 2, -1].map(Val::I64),
    );
}

#[test]
fn growing_a_memory_under_another_index_shows_in_the_first() {
    let mut store = Store::new(&Engine::new(&config().moving_memory(true)), Vec::new());
    let memory = crate::Memory::new(&mut store, crate::MemoryType::new(1, None)).unwrap();
    let module = "(module (import \"m\" \"a\" (memory 1)) (import \"m\" \"b\" (memory 1))
        (func (export \"f\") (result i32) (i32.store (i32.const 0) (i32.const 5))
            (drop (memory.grow 1 (i32.const 1))) (i32.store 1 (i32.const 70000) (i32.const 9))
            (i32.add (i32.load (i32.const 0)) (i32.load (i32.const 70000)))))";
    let mut linker = Linker::<Vec<i32>>::new();
    linker.define("m", "a", memory);
    linker.define("m", "b", memory);
    let module = Module::new(store.engine(), assemble(module)).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    assert_eq!(call(&mut store, &instance, "f", &[]), Ok(vec![Val::I32(14)]));
}

#[test]
fn copies_may_overlap_and_cross_memories() {
    check(
        "(module (memory 1) (memory 1) (data (i32.const 0) \"abcdef\")
            (func (export \"f\") (result i64 i64)
                (memory.copy (i32.const 1) (i32.const 0) (i32.const 5))
                (memory.copy 1 0 (i32.const 2) (i32.const 0) (i32.const 3))
                (i64.load (i32.const 0)) (i64.load 1 (i32.const 0))))",
        "f",
        &[],
        &[Val::I64(i64::from_le_bytes(*b"aabcde\0\0")), Val::I64(i64::from_le_bytes(*b"\0\0aab\0\0\0"))],
    );
}

#[test]
fn a_dropped_data_segment_is_empty() {
    let text = "(module (memory 1) (data \"xyz\")
        (func (export \"f\") (param i32) (result i32)
            (memory.init 0 (i32.const 4) (i32.const 1) (i32.const 2))
            (if (local.get 0) (then (data.drop 0)))
            (memory.init 0 (i32.const 8) (i32.const 0) (local.get 0))
            (memory.init 0 (i32.const 8) (i32.const 0) (i32.const 0))
            (i32.load (i32.const 4))))";
    check_i32(text, &[0], i32::from_le_bytes(*b"yz\0\0"));
    check_trap(text, "f", &[Val::I32(1)], TrapKind::MemoryOutOfBounds);
}

#[test]
fn nothing_at_all_may_be_written_just_behind_the_end_and_no_further() {
    let text = "(module (memory 1) (table 3 funcref) (data \"\") (elem func)
        (func (export \"fill\") (param i32) (memory.fill (local.get 0) (i32.const 0) (i32.const 0)))
        (func (export \"copy\") (param i32) (memory.copy (i32.const 0) (local.get 0) (i32.const 0)))
        (func (export \"init\") (param i32) (memory.init 0 (i32.const 0) (local.get 0) (i32.const 0)))
        (func (export \"table.fill\") (param i32)
            (table.fill (local.get 0) (ref.null func) (i32.const 0)))
        (func (export \"table.init\") (param i32) (table.init 0 (local.get 0) (i32.const 0) (i32.const 0))))";
    for (name, end, kind) in [
        ("fill", 65_536, TrapKind::MemoryOutOfBounds),
        ("copy", 65_536, TrapKind::MemoryOutOfBounds),
        ("init", 0, TrapKind::MemoryOutOfBounds),
        ("table.fill", 3, TrapKind::TableOutOfBounds),
        ("table.init", 3, TrapKind::TableOutOfBounds),
    ] {
        check(text, name, &[Val::I32(end)], &[]);
        check_trap(text, name, &[Val::I32(end + 1)], kind);
        check_trap(text, name, &[Val::I32(-1)], kind);
    }
}

#[test]
fn the_site_of_a_bulk_trap_is_its_prefix() {
    let mut world = World::new(
        "(module (memory 1) (func (export \"f\")
            (memory.fill (i32.const -1) (i32.const 0) (i32.const 1))))",
    );
    let trap = world.trap("f", &[]);
    assert_eq!(trap.site(), Some(world.find(&[0xfc, 0x0b, 0x00])));
}

#[test]
fn a_bulk_opcode_may_be_written_at_length() {
    // memory.fill as 0xfc 0x8b 0x80 0x00 instead of 0xfc 0x0b; the body and section grow by two.
    let mut bytes = assemble(
        "(module (memory 1) (func (export \"f\")
            (memory.fill (i32.const -1) (i32.const 0) (i32.const 1))))",
    );
    let at = bytes.windows(2).position(|window| window == [0xfc, 0x0b]).unwrap();
    bytes.splice(at + 1..at + 2, [0x8b, 0x80, 0x00]);
    // Behind the code section's id stand its size, the number of bodies and the body's size.
    let code = bytes.iter().rposition(|byte| *byte == 10).unwrap();
    bytes[code + 1] += 2;
    bytes[code + 3] += 2;
    let mut store = Store::new(&Engine::new(&config()), Vec::new());
    let module = Module::new(store.engine(), bytes).unwrap();
    let instance = Linker::<Vec<i32>>::new().instantiate(&mut store, &module).unwrap();
    let error = call(&mut store, &instance, "f", &[]).unwrap_err();
    assert_eq!(error.as_trap().unwrap().site(), Some(at as u32));
}

#[test]
fn tables_are_read_written_grown_and_filled() {
    check(
        "(module (table $t 2 5 funcref) (elem declare func $g) (func $g)
            (func (export \"f\") (result i32 i32 i32 i32 i32)
                (table.grow $t (ref.func $g) (i32.const 2)) (table.size $t)
                (ref.is_null (table.get $t (i32.const 3)))
                (table.set $t (i32.const 3) (ref.null func)) (ref.is_null (table.get $t (i32.const 3)))
                (table.fill $t (i32.const 0) (ref.func $g) (i32.const 1))
                (table.grow $t (ref.null func) (i32.const 2))))",
        "f",
        &[],
        &[2, 4, 0, 1, -1].map(Val::I32),
    );
    let text =
        "(module (table 2 externref) (func (export \"get\") (param i32) (drop (table.get (local.get 0))))
        (func (export \"set\") (param i32) (table.set (local.get 0) (ref.null extern))))";
    check_trap(text, "get", &[Val::I32(2)], TrapKind::TableOutOfBounds);
    check_trap(text, "set", &[Val::I32(-1)], TrapKind::TableOutOfBounds);
}

#[test]
fn tables_of_64_bits_take_long_indices() {
    let text = "(module (table $t i64 2 4 funcref) (elem declare func $g) (func $g)
        (func (export \"f\") (param i64) (result i64 i64)
            (table.grow $t (ref.func $g) (local.get 0)) (table.size $t))
        (func (export \"call\") (param i64) (call_indirect $t (local.get 0))))";
    check(text, "f", &[Val::I64(2)], &[Val::I64(2), Val::I64(4)]);
    check(text, "f", &[Val::I64(1 << 32)], &[Val::I64(-1), Val::I64(2)]);
    check_trap(text, "call", &[Val::I64(1 << 32)], TrapKind::UndefinedElement);
}

#[test]
fn table_copies_cross_tables_and_segments_can_be_dropped() {
    let text = "(module (type $t (func (result i32))) (table $a 4 funcref) (table $b 4 funcref)
        (elem $e func $one $two) (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
        (func (export \"f\") (param i32) (result i32)
            (table.init $a $e (i32.const 1) (i32.const 0) (i32.const 2))
            (table.copy $b $a (i32.const 0) (i32.const 1) (i32.const 2))
            (table.copy $b $b (i32.const 1) (i32.const 0) (i32.const 2))
            (if (local.get 0) (then (elem.drop $e)))
            (table.init $a $e (i32.const 0) (i32.const 1) (i32.const 1))
            (i32.add (i32.mul (i32.const 100) (call_indirect $a (type $t) (i32.const 0)))
                (i32.add (i32.mul (i32.const 10) (call_indirect $b (type $t) (i32.const 1)))
                    (call_indirect $b (type $t) (i32.const 2))))))";
    check_i32(text, &[0], 212);
    check_trap(text, "f", &[Val::I32(1)], TrapKind::TableOutOfBounds);
}
