use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn heap_kind() -> impl Strategy<Value = HeapKind> {
    use HeapKind::*;
    prop_oneof![
        proptest::sample::select(vec![
            Func, Extern, Any, None, NoFunc, NoExtern, Exn, NoExn, I31, Struct, Array, Eq
        ]),
        any::<u32>().prop_map(Concrete),
    ]
}

/// Any value.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let wasm_func = |(instance, func)| Value::Ref(RefValue::Func(FuncIdentity::Wasm { instance, func }));
    prop_oneof![
        any::<u32>().prop_map(Value::I32),
        any::<u64>().prop_map(Value::I64),
        any::<u32>().prop_map(Value::F32),
        any::<u64>().prop_map(Value::F64),
        any::<u128>().prop_map(Value::V128),
        heap_kind().prop_map(|kind| Value::Ref(RefValue::Null(kind))),
        any::<u32>().prop_map(|number| Value::Ref(RefValue::Extern(number))),
        any::<(u32, u32)>().prop_map(wasm_func),
        any::<u32>().prop_map(|number| Value::Ref(RefValue::Func(FuncIdentity::Host(number)))),
        any::<u32>().prop_map(|bits| Value::Ref(RefValue::I31(bits))),
        (heap_kind(), any::<u32>()).prop_map(|(kind, number)| Value::Ref(RefValue::Other { kind, number })),
    ]
}

fn action(modules: u32) -> impl Strategy<Value = Action> {
    prop_oneof![
        (0..modules).prop_map(|module| Action::Instantiate { module }),
        (0..modules, any::<String>(), vec(value(), 0..4)).prop_map(|(module, export, args)| Action::Invoke {
            module,
            export,
            args
        }),
        (0..modules, any::<String>()).prop_map(|(module, export)| Action::Read { module, export }),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    any::<(Option<u64>, u32, u32, u64, u64, Option<u64>)>().prop_map(
        |(fuel, depth_slots, host_depth, memory_bytes, table_elements, gc_bytes)| Limits {
            fuel,
            depth_slots,
            host_depth,
            memory_bytes,
            table_elements,
            gc_bytes,
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let module =
        (any::<String>(), vec(any::<u8>(), 0..32)).prop_map(|(name, wasm)| CaseModule { name, wasm });
    let plan = any::<(u64, u32, Option<u32>, Option<bool>)>();
    let hosts = plan.prop_map(|(seed, trap_one_in, throw_one_in, set)| {
        let named = set.map_or(NamedHosts::NONE, |second| NamedHosts::NONE.with(u8::from(second)));
        let throw_one_in = throw_one_in.unwrap_or(0);
        HostPlan { named, throw_one_in, ..HostPlan::new(seed, trap_one_in) }
    });
    (vec(module, 1..4), hosts, vec(action(1), 0..6), limits())
        .prop_map(|(modules, hosts, actions, limits)| Case { modules, hosts, actions, limits })
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(case in case()) {
        prop_assert_eq!(Case::from_bytes(&case.to_bytes()), Ok(case));
    }

    #[test]
    fn every_case_cut_short_is_an_error_within_the_input(case in case(), cut in any::<proptest::sample::Index>()) {
        let bytes = case.to_bytes();
        let short = &bytes[..cut.index(bytes.len())];
        let error = Case::from_bytes(short).expect_err("a case has no proper prefix that is a case");
        prop_assert!(error.offset() <= short.len());
    }

    #[test]
    fn mutated_bytes_give_a_case_or_an_error_but_no_panic(
        case in case(),
        changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = case.to_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        // What is accepted must mean itself: there is one spelling of every case.
        if let Ok(case) = Case::from_bytes(&bytes) {
            prop_assert_eq!(case.to_bytes(), bytes);
        }
    }
}

fn check_error(bytes: &[u8], expected: &str) {
    let error = Case::from_bytes(bytes).expect_err("the input is broken");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_module_is_not_a_case() {
    check_error(b"\0asm\x01\0\0\0", "at offset 0x0: expected a case, which starts with `xchk`");
}

#[test]
fn another_version_is_refused() {
    check_error(b"xchk\x04\0", "at offset 0x4: expected version 1, 2 or 3 of the case format");
    check_error(b"xchk\0\0", "at offset 0x4: expected version 1, 2 or 3 of the case format");
}

/// A case without modules and actions.
fn empty(hosts: HostPlan) -> Case {
    Case { modules: vec![], hosts, actions: vec![], limits: Limits::default() }
}

#[test]
fn a_case_has_the_oldest_version_that_says_all_of_it() {
    let plain = HostPlan::new(5, 2);
    let named = HostPlan { named: NamedHosts::NONE.with(1), ..plain };
    for (hosts, version, bytes_more) in [
        (plain, 1, 0),
        (named, 2, 1),
        (HostPlan { throw_one_in: 7, ..plain }, 3, 5),
        (HostPlan { throw_one_in: 7, ..named }, 3, 5),
    ] {
        let bytes = empty(hosts).to_bytes();
        assert_eq!(u16::from_le_bytes([bytes[4], bytes[5]]), version, "{hosts:?}");
        assert_eq!(bytes.len(), empty(plain).to_bytes().len() + bytes_more, "{hosts:?}");
        assert_eq!(Case::from_bytes(&bytes), Ok(empty(hosts)));
    }
}

#[test]
fn cases_that_older_releases_wrote_are_read() {
    // Neither modules nor actions, seed 5, a trap in one of 2 calls, and limits.
    let limits = [&[0; 1][..], &[0, 0, 1, 0], &[64, 0, 0, 0], &[0, 0, 0, 0, 1, 0, 0, 0]].concat();
    let limits = [&limits[..], &[0x80, 0x96, 0x98, 0, 0, 0, 0, 0], &[0]].concat();
    let start = |version: u8| {
        [&b"xchk"[..], &[version, 0], &[0; 4], &[5, 0, 0, 0, 0, 0, 0, 0], &[2, 0, 0, 0]].concat()
    };
    let first = [&start(1)[..], &[0; 4], &limits].concat();
    assert_eq!(Case::from_bytes(&first), Ok(empty(HostPlan::new(5, 2))));
    let second = [&start(2)[..], &[2], &[0; 4], &limits].concat();
    let named = HostPlan { named: NamedHosts::NONE.with(1), ..HostPlan::new(5, 2) };
    assert_eq!(Case::from_bytes(&second), Ok(empty(named)));
}

#[test]
fn a_version_that_was_raised_for_nothing_is_refused() {
    let mut bytes = empty(HostPlan { throw_one_in: 1, ..HostPlan::new(0, 0) }).to_bytes();
    bytes[23..27].fill(0);
    check_error(&bytes, "at offset 0x16: expected what the version was raised for: named or throwing hosts");
}

#[test]
fn a_count_of_four_billion_modules_is_refused_before_anything_is_allocated() {
    check_error(
        b"xchk\x01\0\xff\xff\xff\xff",
        "at offset 0x6: expected a count that the remaining bytes can hold",
    );
}

#[test]
fn an_action_on_a_module_that_is_not_there_is_refused() {
    let case = Case {
        modules: vec![],
        hosts: HostPlan::new(0, 0),
        actions: vec![Action::Instantiate { module: 0 }],
        limits: Limits::default(),
    };
    check_error(&case.to_bytes(), "at offset 0x1b: expected the index of a module of the case");
}

#[test]
fn bytes_after_the_case_are_refused() {
    let case =
        Case { modules: vec![], hosts: HostPlan::new(0, 0), actions: vec![], limits: Limits::default() };
    let mut bytes = case.to_bytes();
    let end = bytes.len();
    bytes.push(0);
    check_error(&bytes, &format!("at offset {end:#x}: expected the end"));
}

fn check_text(value: Value, expected: &str) {
    assert_eq!(value.to_string(), expected);
}

#[test]
fn integers_are_shown_without_leading_zeros() {
    check_text(Value::I32(42), "i32:0x2a");
    check_text(Value::I64(u64::MAX), "i64:0xffffffffffffffff");
    check_text(Value::I32(0), "i32:0x0");
}

#[test]
fn floats_and_vectors_are_shown_in_full_width() {
    check_text(Value::F32(0), "f32:0x00000000");
    check_text(Value::F32(f32::NAN.to_bits()), "f32:0x7fc00000");
    check_text(Value::F64(1), "f64:0x0000000000000001");
    check_text(Value::V128(0xab), "v128:0x000000000000000000000000000000ab");
}

#[test]
fn references_are_shown_by_identity() {
    check_text(Value::Ref(RefValue::Null(HeapKind::Func)), "ref.null func");
    check_text(Value::Ref(RefValue::Null(HeapKind::Concrete(3))), "ref.null 3");
    check_text(Value::Ref(RefValue::Extern(3)), "ref.extern 3");
    let func = FuncIdentity::Wasm { instance: 0, func: 5 };
    check_text(Value::Ref(RefValue::Func(func)), "ref.func 0:5");
    check_text(Value::Ref(RefValue::Func(FuncIdentity::Host(2))), "ref.func host 2");
    check_text(Value::Ref(RefValue::I31(0x10)), "ref.i31 0x10");
    check_text(Value::Ref(RefValue::Other { kind: HeapKind::Struct, number: 1 }), "ref.struct #1");
}
