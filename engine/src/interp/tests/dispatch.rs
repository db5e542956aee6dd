//! Dispatch itself: that every handler goes on without growing the native stack.

use super::*;
use crate::opcode::{Family, Opcode, Operand};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Watches, and does next to nothing.
#[derive(Default)]
struct Counter(AtomicU64);

impl crate::Trace for Counter {
    fn instruction(&self, _: u32, _: u32, _: Opcode, _: &[u64]) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Every opcode whose operands are plain numbers, with constants for them, and all that it leaves dropped.
fn every_plain_opcode() -> String {
    let mut body = String::new();
    for row in Opcode::all().map(Opcode::row).filter(|row| Mode::Interp.executes(row.opcode)) {
        let immediates = match row.family {
            Family::Const => "1",
            Family::Numeric | Family::Wide | Family::Load | Family::Store => "",
            _ => continue,
        };
        for operand in row.operands {
            body += match operand {
                Operand::I32 | Operand::Address => "i32.const 1 ",
                Operand::I64 => "i64.const 1 ",
                Operand::F32 => "f32.const 1 ",
                Operand::F64 => "f64.const 1 ",
                other => unreachable!("{other:?} is no number"),
            };
        }
        body += &format!("{} {immediates} {}\n", row.text, "drop ".repeat(row.results.len()));
    }
    body
}

const OTHERS: &str = "
    nop (block) (loop) (block (br 0)) (block (br_if 0 (i32.const 0)) (br_if 0 (i32.const 1)))
    (block (block (br_table 0 1 (i32.const 0)))) (if (i32.const 0) (then) (else)) (if (i32.const 1) (then) (else))
    (block (br_on_null 0 (ref.null $t)) drop)
    (drop (block (result (ref $t)) (br_on_non_null 0 (ref.func $g)) (ref.func $g)))
    (local.set $x (local.tee $x (local.get $x))) (global.set 0 (global.get 0))
    (drop (select (i32.const 1) (i32.const 2) (i32.const 0)))
    (drop (select (result i32) (i32.const 1) (i32.const 2) (i32.const 0)))
    (drop (ref.is_null (ref.null func))) (drop (ref.as_non_null (ref.func $g)))
    (call $g) (call_indirect (type $t) (i32.const 0)) (call_ref $t (ref.func $g)) (call $host)
    (call $tail) (call $tail_indirect) (call $tail_ref) (call $tail_host) (call $return) (call $far)
    (drop (memory.size)) (drop (memory.grow (i32.const 0)))
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop 0)
    (memory.copy (i32.const 0) (i32.const 0) (i32.const 1))
    (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0))
    (table.set (i32.const 1) (table.get (i32.const 0))) (drop (table.size)) (elem.drop 0)
    (drop (table.grow (ref.null func) (i32.const 0))) (table.fill (i32.const 1) (ref.func $g) (i32.const 1))
    (table.copy (i32.const 1) (i32.const 0) (i32.const 1))
    (table.init 0 (i32.const 0) (i32.const 0) (i32.const 0))";

#[test]
fn no_handler_grows_the_native_stack() {
    const TURNS: u32 = 20_000;
    // Less than eight bytes a turn.
    const STACK_BYTES: usize = 128 << 10;
    let text = format!(
        "(module (type $t (func)) (import \"host\" \"nothing\" (func $host)) (import \"host\" \"far\" (func $far))
            (memory 1) (table 2 funcref) (global (mut i32) (i32.const 0)) (data \"\") (elem func)
            (elem (i32.const 0) $g)
            (func $g) (func $return (return)) (func $tail (return_call $g))
            (func $tail_indirect (return_call_indirect (type $t) (i32.const 0)))
            (func $tail_ref (return_call_ref $t (ref.func $g))) (func $tail_host (return_call $host))
            (func (export \"f\") (local $x i32) (local $turns i32)
                (local.set $turns (i32.const {TURNS}))
                loop $again
                    {OTHERS}
                    {}
                    (br_if $again (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))
                end))",
        every_plain_opcode()
    );
    let body = move || {
        let configs = [config(), config().fuel(true)];
        for (config, is_watched) in configs.into_iter().flat_map(|config| [(config, false), (config, true)]) {
            let mut store = Store::new(&Engine::new(&config), Vec::new());
            let watcher: Arc<dyn crate::Trace> = Arc::new(Counter::default());
            store.set_trace(is_watched.then_some(watcher));
            store.set_fuel(u64::MAX);
            let mut linker = Linker::<Vec<i32>>::new();
            let nothing = Func::wrap(&mut store, "host.nothing", |_: Caller<'_, Vec<i32>>, (): ()| Ok(()));
            linker.define("host", "nothing", nothing);
            let far = Module::new(store.engine(), assemble("(module (func (export \"far\")))")).unwrap();
            let far = linker.instantiate(&mut store, &far).unwrap();
            linker.instance(&store, "host", far);
            let module = Module::new(store.engine(), assemble(&text)).unwrap();
            let instance = linker.instantiate(&mut store, &module).unwrap();
            call(&mut store, &instance, "f", &[]).unwrap();
        }
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(body).unwrap().join().unwrap();
}
