//! The embedding interface, in every mode: what embedders rely on and the contract promises.

use crosscheck_engine::{
    Caller, Config, Engine, Error, Exception, Extern, Func, FuncType, Global, GlobalType, Instance, Limits,
    Linker, Memory, MemoryType, Mode, Module, SharedMemory, Store, Tag, TagIdentity, Trap, TrapKind, Val,
    ValType,
};

fn wasm(text: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(text).expect("the test's text is well-formed");
    let mut module = wast::parser::parse::<wast::Wat<'_>>(&buffer).expect("the test's text is a module");
    module.encode().expect("the test's module encodes")
}

/// Runs `test` with an engine of every mode.
fn every_mode(config: impl Fn(Config) -> Config, test: impl Fn(&Engine)) {
    Mode::all().for_each(|mode| test(&Engine::new(&config(Config::new(mode)))));
}

fn plain(config: Config) -> Config {
    config
}

fn trap(error: Error) -> Trap {
    match error {
        Error::Trap(trap) => trap,
        other => panic!("a trap is expected, not: {other}"),
    }
}

fn frames(trap: &Trap) -> Vec<String> {
    trap.backtrace().expect("backtraces are on").frames().map(|(_, frame)| frame.name()).collect()
}

#[test]
fn a_host_function_sees_its_arguments_and_the_data_of_the_store() {
    every_mode(plain, |engine| {
        let text = r#"(module (import "env" "add" (func $add (param i32 i64) (result i64)))
            (func (export "f") (result i64) (call $add (i32.const -1) (i64.const 43))))"#;
        let module = Module::new(engine, wasm(text)).expect("valid");
        let mut store = Store::new(engine, 0u32);
        let mut linker = Linker::new();
        linker.func_wrap(&mut store, ("env", "add"), |mut caller: Caller<'_, u32>, (a, b): (i32, i64)| {
            *caller.data_mut() += 1;
            Ok(i64::from(a) + b)
        });
        let instance = linker.instantiate(&mut store, &module).expect("links");
        let f = instance.func(&store, "f").expect("exported").typed::<(), i64>(&store).expect("its type");
        assert_eq!(f.call(&mut store, ()), Ok(42));
        assert_eq!(*store.data(), 1);
    });
}

#[test]
fn vectors_among_arguments_and_results_do_not_shift_the_others() {
    let engine = Engine::new(&Config::new(Mode::Interp));
    let mut store = Store::new(&engine, ());
    let swap =
        Func::wrap(&mut store, "swap", |_: Caller<'_, ()>, (a, v, b): (i32, u128, f64)| Ok((b, a, v + 1)));
    let types = FuncType::new(
        [ValType::I32, ValType::V128, ValType::F64],
        [ValType::F64, ValType::I32, ValType::V128],
    );
    assert_eq!(swap.ty(&store), types);
    let vector = 5 | 7 << 64;
    let typed = swap.typed::<(i32, u128, f64), (f64, i32, u128)>(&store).expect("its type");
    assert_eq!(typed.call(&mut store, (3, vector, 0.5)), Ok((0.5, 3, vector + 1)));
    let arguments = [Val::I32(3), Val::V128(vector), Val::F64(0.5f64.to_bits())];
    let mut results = [Val::I32(0); 3];
    swap.call(&mut store, &arguments, &mut results).expect("it returns");
    assert_eq!(results, [Val::F64(0.5f64.to_bits()), Val::I32(3), Val::V128(vector + 1)]);
}

#[test]
fn a_missing_import_and_one_of_another_type_do_not_link() {
    every_mode(plain, |engine| {
        let module =
            Module::new(engine, wasm(r#"(module (import "env" "f" (func (param i32))))"#)).expect("valid");
        let mut store = Store::new(engine, ());
        let error = Linker::new().instantiate(&mut store, &module).expect_err("nothing is defined");
        assert_eq!(error.to_string(), "unknown import env.f (func [i32] -> [])");
        let mut linker = Linker::new();
        linker.func_wrap(&mut store, ("env", "f"), |_: Caller<'_, ()>, _: i64| Ok(()));
        let error = linker.instantiate(&mut store, &module).expect_err("another type");
        assert!(error.to_string().starts_with("incompatible import type"));
        assert!(Instance::all(&store).is_empty(), "a link error leaves nothing behind");
    });
}

#[test]
fn arguments_of_another_type_are_refused() {
    every_mode(plain, |engine| {
        let module = Module::new(engine, wasm(r#"(module (func (export "f") (param i32)))"#)).expect("valid");
        let mut store = Store::new(engine, ());
        let instance = Linker::new().instantiate(&mut store, &module).expect("links");
        let f = instance.func(&store, "f").expect("exported");
        assert!(matches!(f.call(&mut store, &[Val::I64(1)], &mut []), Err(Error::Usage(_))));
        assert!(matches!(f.call(&mut store, &[], &mut []), Err(Error::Usage(_))));
        assert_eq!(f.call(&mut store, &[Val::I32(1)], &mut []), Ok(()));
    });
}

#[test]
fn an_exception_that_a_host_function_throws_passes_through_guests_as_it_is() {
    every_mode(plain, |engine| {
        let text = r#"(module (import "env" "throw" (func $throw (param i32))) (tag (export "t") (param i32 f64))
            (func $inner (param i32) (call $throw (local.get 0)))
            (func (export "outer") (param i32) (call $inner (local.get 0))))"#;
        let module = Module::new(engine, wasm(text)).expect("valid");
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new();
        let payload = |thrown| [Val::I32(thrown), Val::F64(0xfff8_0000_0000_0001)];
        linker.func_wrap(&mut store, ("env", "throw"), move |caller: Caller<'_, ()>, thrown: i32| {
            let Some(Extern::Tag(tag)) = caller.export("t") else { panic!("the caller exports a tag") };
            Err::<(), Error>(Exception::new(&caller, tag, &payload(thrown))?.into())
        });
        let instance = linker.instantiate(&mut store, &module).expect("links");
        let outer = instance.func(&store, "outer").expect("exported");
        for thrown in [7, -7] {
            let error = outer.call(&mut store, &[Val::I32(thrown)], &mut []).expect_err("nothing catches");
            let Error::Exception(exception) = error else { panic!("an exception is expected, not: {error}") };
            assert_eq!(exception.payload(), payload(thrown));
            assert_eq!(exception.tag().identity(&store), TagIdentity::Wasm { instance: 0, tag: 0 });
            assert_eq!(exception.to_string(), "uncaught exception with tag number 0 of its store");
        }
    });
}

#[test]
fn an_exception_is_refused_values_that_are_not_of_its_tag() {
    let engine = Engine::new(&Config::new(Mode::Interp));
    let mut store = Store::new(&engine, ());
    let tag = Tag::new(&mut store, FuncType::new([ValType::I32], []));
    assert!(matches!(Exception::new(&store, tag, &[]), Err(Error::Usage(_))));
    assert!(matches!(Exception::new(&store, tag, &[Val::I64(1)]), Err(Error::Usage(_))));
    assert!(Exception::new(&store, tag, &[Val::I32(1)]).is_ok());
}

#[test]
fn a_tag_is_named_after_the_instance_that_defines_it_or_the_host() {
    let engine = Engine::new(&Config::new(Mode::Interp));
    let mut store = Store::new(&engine, ());
    let of_host = Tag::new(&mut store, FuncType::new([], []));
    let mut linker = Linker::new();
    linker.define("env", "host", of_host);
    for text in [
        r#"(module (import "env" "host" (tag)) (tag (export "own")) (export "host" (tag 0)))"#,
        r#"(module (import "first" "own" (tag)) (tag) (export "own" (tag 0)))"#,
    ] {
        let module = Module::new(&engine, wasm(text)).expect("valid");
        let instance = linker.instantiate(&mut store, &module).expect("links");
        linker.instance(&store, "first", instance);
        let Some(Extern::Tag(own)) = instance.export(&store, "own") else { panic!("a tag is exported") };
        assert_eq!(own.identity(&store), TagIdentity::Wasm { instance: 0, tag: 1 });
    }
    let Some(Extern::Tag(again)) = linker.get("first", "host") else { panic!("a tag is exported") };
    assert_eq!(again, of_host);
    assert_eq!(of_host.identity(&store), TagIdentity::Host(0));
}

#[test]
fn a_host_trap_shows_the_host_and_its_callers() {
    every_mode(plain, |engine| {
        let text = r#"(module (import "env" "no" (func $no)) (func $inner (call $no)) (func (export "outer") (call $inner)))"#;
        let module = Module::new(engine, wasm(text)).expect("valid");
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new();
        linker.func_wrap(&mut store, ("env", "no"), |_: Caller<'_, ()>, ()| -> Result<(), Error> {
            Err(Trap::host("out of milk").into())
        });
        let instance = linker.instantiate(&mut store, &module).expect("links");
        let outer = instance.func(&store, "outer").expect("exported");
        let trap = trap(outer.call(&mut store, &[], &mut []).expect_err("the host refuses"));
        assert_eq!(trap.kind(), TrapKind::Host);
        assert_eq!(trap.to_string(), "out of milk");
        assert_eq!(frames(&trap), ["env.no", "inner", "outer"]);
        let first = trap.backtrace().expect("on").to_string();
        assert!(first.starts_with("#00: host - env.no\n"), "{first}");
        assert!(trap.site().is_some(), "the guest's call is to blame");
    });
}

#[test]
fn a_host_called_from_outside_has_no_guest_to_blame() {
    every_mode(plain, |engine| {
        let mut store = Store::new(engine, ());
        let no = Func::wrap(&mut store, "env.no", |_: Caller<'_, ()>, ()| -> Result<(), Error> {
            Err(Trap::host("no").into())
        });
        let trap = trap(no.call(&mut store, &[], &mut []).expect_err("the host refuses"));
        assert_eq!((trap.site(), frames(&trap)), (None, vec!["env.no".to_string()]));
    });
}

#[test]
fn a_trap_inside_a_call_back_shows_both_stretches_of_the_stack() {
    every_mode(plain, |engine| {
        let text = r#"(module (import "env" "back" (func $back))
            (func $fails (export "fails") unreachable) (func (export "start") (call $back)))"#;
        let module = Module::new(engine, wasm(text)).expect("valid");
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new();
        linker.func_wrap(&mut store, ("env", "back"), |mut caller: Caller<'_, ()>, ()| {
            let fails = caller.export("fails").and_then(Extern::func).expect("exported");
            fails.call(&mut caller, &[], &mut [])
        });
        let instance = linker.instantiate(&mut store, &module).expect("links");
        let start = instance.func(&store, "start").expect("exported");
        let trap = trap(start.call(&mut store, &[], &mut []).expect_err("it traps"));
        assert_eq!(frames(&trap), ["fails", "env.back", "start"]);
    });
}

#[test]
fn endless_call_backs_end_in_the_host_frame() {
    every_mode(plain, |engine| {
        let text = r#"(module (import "env" "back" (func $back)) (func (export "f") (call $back)))"#;
        let module = Module::new(engine, wasm(text)).expect("valid");
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new();
        linker.func_wrap(&mut store, ("env", "back"), |mut caller: Caller<'_, ()>, ()| {
            let f = caller.export("f").and_then(Extern::func).expect("exported");
            f.call(&mut caller, &[], &mut [])
        });
        let instance = linker.instantiate(&mut store, &module).expect("links");
        let f = instance.func(&store, "f").expect("exported");
        let trap = trap(f.call(&mut store, &[], &mut []).expect_err("it is endless"));
        assert_eq!(trap.kind(), TrapKind::CallStackExhausted);
        assert_eq!(frames(&trap)[..2], ["env.back", "f"]);
        assert_eq!(
            trap.backtrace().expect("on").count(),
            2 * (u64::from(Limits::default().host_reentries) + 1)
        );
    });
}

#[test]
fn exhaustion_blames_the_callee_and_the_store_goes_on() {
    let limits = Limits { depth_slots: 1000, ..Limits::default() };
    every_mode(
        |config| config.limits(limits),
        |engine| {
            let text = r#"(module (func $f (export "f") (param i32) (result i32)
                (if (result i32) (local.get 0) (then (call $f (local.get 0))) (else (i32.const 7)))))"#;
            let module = Module::new(engine, wasm(text)).expect("valid");
            let mut store = Store::new(engine, ());
            let instance = Linker::new().instantiate(&mut store, &module).expect("links");
            let f =
                instance.func(&store, "f").expect("exported").typed::<i32, i32>(&store).expect("its type");
            for _ in 0..3 {
                let trap = trap(f.call(&mut store, 1).expect_err("endless"));
                assert_eq!(trap.kind(), TrapKind::CallStackExhausted);
                // 8 and one parameter and one operand: a hundred frames fit, and the callee that did not.
                let trace = trap.backtrace().expect("on");
                assert_eq!(trace.count(), 101);
                let (first, second) = (&trace.innermost()[0], &trace.innermost()[1]);
                assert!(
                    first.offset() < second.offset(),
                    "the callee is at its first opcode, its caller at the call"
                );
                assert_eq!(f.call(&mut store, 0), Ok(7));
            }
        },
    );
}

#[test]
fn writes_before_a_trapping_segment_stay() {
    every_mode(plain, |engine| {
        let text = r#"(module (import "env" "m" (memory 1)) (data (i32.const 0) "ab") (data (i32.const 65535) "cd"))"#;
        let module = Module::new(engine, wasm(text)).expect("valid");
        let mut store = Store::new(engine, ());
        let memory = Memory::new(&mut store, MemoryType::new(1, None)).expect("small");
        let mut linker = Linker::new();
        linker.define("env", "m", memory);
        let trap =
            trap(linker.instantiate(&mut store, &module).expect_err("the second segment does not fit"));
        assert_eq!(trap.kind(), TrapKind::MemoryOutOfBounds);
        assert_eq!(frames(&trap), Vec::<String>::new(), "no function is running");
        let mut bytes = [0; 2];
        memory.read(&store, 0, &mut bytes).expect("inside");
        assert_eq!(&bytes, b"ab");
        memory.read(&store, 65_534, &mut bytes).expect("inside");
        assert_eq!(bytes, [0, 0], "nothing of the second one");
    });
}

#[test]
fn limits_decide_growth() {
    let limits = Limits { memory_bytes: 3 << 16, table_elements: 4, ..Limits::default() };
    every_mode(
        |config| config.limits(limits),
        |engine| {
            let text = r#"(module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
            let module = Module::new(engine, wasm(text)).expect("valid");
            let mut store = Store::new(engine, ());
            let instance = Linker::new().instantiate(&mut store, &module).expect("links");
            let grow =
                instance.func(&store, "grow").expect("exported").typed::<i32, i32>(&store).expect("its type");
            assert_eq!(grow.call(&mut store, 3), Ok(-1));
            assert_eq!(grow.call(&mut store, 2), Ok(1));
            assert_eq!(grow.call(&mut store, 0), Ok(3));
            assert_eq!(grow.call(&mut store, 1), Ok(-1));
            let large = Module::new(engine, wasm("(module (memory 4))")).expect("valid");
            assert!(matches!(Linker::new().instantiate(&mut store, &large), Err(Error::Limit(_))));
            let wide = Module::new(engine, wasm("(module (table 5 funcref))")).expect("valid");
            assert!(matches!(Linker::new().instantiate(&mut store, &wide), Err(Error::Limit(_))));
        },
    );
}

#[test]
fn guest_pointers_are_checked_to_the_byte() {
    every_mode(plain, |engine| {
        let text = r#"(module (import "env" "see" (func $see (param i32 i32) (result i32))) (memory 1)
            (data (i32.const 65530) "abcdef")
            (func (export "see") (param i32 i32) (result i32) (call $see (local.get 0) (local.get 1))))"#;
        let module = Module::new(engine, wasm(text)).expect("valid");
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new();
        linker.func_wrap(
            &mut store,
            ("env", "see"),
            |caller: Caller<'_, ()>, (address, length): (u32, u32)| {
                let mut bytes = vec![0; length as usize];
                caller.read_guest(address.into(), &mut bytes)?;
                Ok(bytes.len() as u32)
            },
        );
        let instance = linker.instantiate(&mut store, &module).expect("links");
        let see = instance
            .func(&store, "see")
            .expect("exported")
            .typed::<(u32, u32), u32>(&store)
            .expect("its type");
        for (address, length) in [(0, 65536), (65530, 6), (65536, 0), (0, 0)] {
            assert_eq!(see.call(&mut store, (address, length)), Ok(length));
        }
        for (address, length) in [(65530, 7), (65537, 0), (u32::MAX, 1), (u32::MAX, 0), (0, 65537)] {
            let trap = trap(see.call(&mut store, (address, length)).expect_err("outside"));
            assert_eq!(trap.kind(), TrapKind::MemoryOutOfBounds);
        }
    });
}

#[test]
fn a_string_in_guest_memory_ends_at_its_zero_byte_or_not_at_all() {
    every_mode(plain, |engine| {
        let text = r#"(module (import "env" "read" (func $read (param i32) (result i32)))
            (memory (export "memory") 1) (data (i32.const 0) "ab\00c") (data (i32.const 65533) "end")
            (func (export "read") (param i32) (result i32) (call $read (local.get 0))))"#;
        let module = Module::new(engine, wasm(text)).expect("valid");
        let mut store = Store::new(engine, Vec::<u8>::new());
        let mut linker = Linker::new();
        linker.func_wrap(&mut store, ("env", "read"), |mut caller: Caller<'_, Vec<u8>>, address: u32| {
            let string = caller.guest_string(address.into())?;
            let length = string.len() as u32;
            *caller.data_mut() = string;
            Ok(length)
        });
        let instance = linker.instantiate(&mut store, &module).expect("links");
        let read =
            instance.func(&store, "read").expect("exported").typed::<u32, u32>(&store).expect("its type");
        assert_eq!(read.call(&mut store, 0), Ok(2));
        assert_eq!(store.data(), b"ab");
        assert_eq!(read.call(&mut store, 4), Ok(0));
        let memory = instance.export(&store, "memory").and_then(Extern::memory).expect("exported");
        memory.write(&mut store, 1000, &[b'x'; 200]).expect("inside");
        assert_eq!(read.call(&mut store, 1000), Ok(200), "longer than what is read at once");
        for address in [65533, 65536, u32::MAX] {
            let trap = trap(read.call(&mut store, address).expect_err("no zero byte follows"));
            assert_eq!(trap.kind(), TrapKind::MemoryOutOfBounds);
        }
    });
}

#[test]
fn stores_of_several_threads_see_the_same_shared_memory() {
    let engine = Engine::new(&Config::new(Mode::Interp));
    let ty = MemoryType { shared: true, ..MemoryType::new(1, Some(2)) };
    let shared = SharedMemory::new(&engine, ty).expect("a small memory");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut store = Store::new(&engine, ());
            let memory = Memory::from_shared(&mut store, &shared);
            assert_eq!(memory.grow(&mut store, 1), Ok(Some(1)));
            memory.write(&mut store, 70_000, b"hello").expect("inside");
        });
    });
    let mut store = Store::new(&engine, ());
    let memory = Memory::from_shared(&mut store, &shared);
    assert_eq!(memory.pages(&store), 2);
    let mut bytes = [0; 5];
    memory.read(&store, 70_000, &mut bytes).expect("inside");
    assert_eq!(&bytes, b"hello");
    assert_eq!(memory.shared(&store).map(|memory| memory.len()), Some(2 << 16));
    let own = Memory::new(&mut store, MemoryType::new(1, None)).expect("a small memory");
    assert!(own.shared(&store).is_none());
}

#[test]
fn globals_are_shared_between_host_and_guest() {
    every_mode(plain, |engine| {
        let text = r#"(module (import "env" "g" (global $g (mut i64)))
            (func (export "add") (param i64) (global.set $g (i64.add (global.get $g) (local.get 0)))))"#;
        let module = Module::new(engine, wasm(text)).expect("valid");
        let mut store = Store::new(engine, ());
        let ty = GlobalType { content: ValType::I64, mutable: true };
        let global = Global::new(&mut store, ty, Val::I64(40)).expect("its type");
        let mut linker = Linker::new();
        linker.define("env", "g", global);
        let instance = linker.instantiate(&mut store, &module).expect("links");
        let add = instance.func(&store, "add").expect("exported").typed::<i64, ()>(&store).expect("its type");
        add.call(&mut store, 2).expect("no trap");
        assert_eq!(global.get(&store), Val::I64(42));
        assert!(global.set(&mut store, Val::I32(0)).is_err());
    });
}

#[test]
fn fuel_is_charged_by_segments_and_not_touched_when_too_little_is_left() {
    every_mode(
        |config| config.fuel(true),
        |engine| {
            // One segment of 5 up to and with the call, then one of 2 (drop, const), then the end.
            let text = r#"(module (func $g) (func (export "f") (result i32)
                (drop (i32.add (i32.const 1) (i32.const 2))) (call $g) (nop) (i32.const 3)))"#;
            let module = Module::new(engine, wasm(text)).expect("valid");
            let mut store = Store::new(engine, ());
            let instance = Linker::new().instantiate(&mut store, &module).expect("links");
            let f = instance.func(&store, "f").expect("exported").typed::<(), i32>(&store).expect("its type");
            store.set_fuel(100);
            assert_eq!(f.call(&mut store, ()), Ok(3));
            assert_eq!(store.fuel(), 93);
            for (fuel, left) in [(0, 0), (4, 4), (5, 0), (6, 1)] {
                store.set_fuel(fuel);
                let trap = trap(f.call(&mut store, ()).expect_err("too little"));
                assert_eq!((trap.kind(), store.fuel()), (TrapKind::OutOfFuel, left), "with {fuel}");
            }
            store.set_fuel(7);
            assert_eq!(f.call(&mut store, ()), Ok(3));
            assert_eq!(store.fuel(), 0);
        },
    );
}

#[test]
fn an_invalid_module_says_where() {
    every_mode(plain, |engine| {
        let mut bytes = wasm(r#"(module (func (result i32) (i32.const 1)))"#);
        let last = bytes.len() - 2;
        // `i64.const` where `i32.const` stood.
        bytes[last - 1] = 0x42;
        match Module::new(engine, bytes.clone()) {
            Err(Error::Invalid { offset, .. }) => assert!(offset > 8 && offset <= bytes.len() as u64),
            other => panic!("expected an invalid module, got {:?}", other.map(|_| "a module")),
        }
    });
}

#[test]
fn a_host_function_of_any_type_takes_and_gives_several_values() {
    every_mode(plain, |engine| {
        let text = r#"(module (import "env" "swap" (func $swap (param i32 f64) (result f64 i32)))
            (func (export "f") (result f64 i32) (call $swap (i32.const 1) (f64.const 2))))"#;
        let module = Module::new(engine, wasm(text)).expect("valid");
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new();
        let ty = FuncType::new([ValType::I32, ValType::F64], [ValType::F64, ValType::I32]);
        linker.func_new(&mut store, ("env", "swap"), ty, |_, params, results| {
            results.copy_from_slice(&[params[1], params[0]]);
            Ok(())
        });
        let instance = linker.instantiate(&mut store, &module).expect("links");
        let mut results = [Val::I32(0); 2];
        instance.func(&store, "f").expect("exported").call(&mut store, &[], &mut results).expect("no trap");
        assert_eq!(results, [Val::F64(2f64.to_bits()), Val::I32(1)]);
    });
}
