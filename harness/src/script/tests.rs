//! The runner on small scripts: above all that it fails where a script is wrong.

mod suite;

use super::*;
use crosscheck_engine::Limits;

fn run(text: &'static str) -> ScriptReport {
    run_in(text, &Lane::all_modes())
}

fn run_in(text: &'static str, lanes: &[Lane]) -> ScriptReport {
    run_script(&ScriptFile::new("test.wast", text), lanes, &Options::default()).expect("a script")
}

/// Runs a script in every mode and compares its failures, as `line: message`. A mode that does not
/// execute what the script needs says nothing here: it must have failed nothing either.
fn check(text: &'static str, failures: &[&str]) {
    let report = run(text);
    for (mode, counts) in &report.modes {
        let of_mode = report.failures.iter().filter(|failure| failure.mode == *mode);
        let found: Vec<_> = of_mode.map(|failure| format!("{}: {}", failure.line, failure.message)).collect();
        if counts.skipped > 0 {
            assert!(found.len() <= failures.len(), "{mode} fails what others do not: {found:?}");
        } else {
            assert_eq!(found, failures, "in {mode}");
        }
    }
}

/// Figures of the first mode: passed, failed, skipped.
fn figures(report: &ScriptReport) -> (u64, u64, u64) {
    let (_, counts) = &report.modes[0];
    (counts.passed, counts.failed, counts.skipped)
}

const GLOBALS: &str = r#"
    (module
      (import "spectest" "global_i32" (global i32)) (export "i32" (global 0))
      (import "spectest" "global_i64" (global i64)) (export "i64" (global 1))
      (import "spectest" "global_f32" (global f32)) (export "f32" (global 2))
      (import "spectest" "global_f64" (global f64)) (export "f64" (global 3)))
    (assert_return (get "i32") (i32.const 666))
    (assert_return (get "i64") (i64.const 666))
    (assert_return (get "f32") (f32.const 666.6))
    (assert_return (get "f64") (f64.const 666.6))
    (assert_return (get "i32") (either (i32.const 1) (i32.const 666)))"#;

#[test]
fn expectations_that_hold_are_counted_in_every_mode() {
    let report = run(GLOBALS);
    assert!(report.is_clean(), "{report:?}");
    for (mode, counts) in &report.modes {
        assert_eq!(*counts, ModeCounts { passed: 5, steps: 1, ..ModeCounts::default() }, "in {mode}");
    }
}

#[test]
fn a_wrong_value_fails_with_both_values() {
    check(
        r#"(module (import "spectest" "global_i32" (global i32)) (export "g" (global 0)))
           (assert_return (get "g") (i32.const 1))
           (assert_return (get "g") (i64.const 666))
           (assert_return (get "g"))
           (assert_return (get "g") (i32.const 666) (i32.const 666))
           (assert_return (get "g") (either (i32.const 1) (f32.const nan:canonical)))
           (assert_return (get "g") (ref.null))"#,
        &[
            "2: expected [i32:0x1], got [i32:0x29a]",
            "3: expected [i64:0x29a], got [i32:0x29a]",
            "4: expected [], got [i32:0x29a]",
            "5: expected [i32:0x29a i32:0x29a], got [i32:0x29a]",
            "6: expected [i32:0x1 or f32:nan:canonical], got [i32:0x29a]",
            "7: expected [ref.null], got [i32:0x29a]",
        ],
    );
}

#[test]
fn a_result_where_a_failure_is_expected_fails() {
    check(
        r#"(module (import "spectest" "print" (func)) (export "f" (func 0)))
           (assert_trap (invoke "f") "unreachable")
           (assert_exhaustion (invoke "f") "call stack exhausted")
           (assert_exception (invoke "f"))
           (assert_suspension (invoke "f") "unhandled")
           (assert_return (invoke "f"))"#,
        &[
            "2: expected trap: unreachable, got []",
            "3: expected trap: call stack exhausted, got []",
            "4: expected an exception, got []",
            "5: expected a suspension, got []",
        ],
    );
}

#[test]
fn what_is_not_there_fails() {
    check(
        r#"(invoke "f")
           (register "m")
           (module instance $i $m)
           (module (import "spectest" "memory" (memory 1)) (export "m" (memory 0)))
           (invoke "f")
           (assert_return (get "m") (i32.const 0))
           (assert_return (get $m "m") (i32.const 0))"#,
        &[
            "1: there is no module yet",
            "2: there is no module yet",
            "3: no module is called $m",
            "5: no function is exported as \"f\"",
            "6: no global is exported as \"m\"",
            "7: no module is called $m",
        ],
    );
}

#[test]
fn arguments_of_another_type_fail() {
    let report = run(r#"(module (import "spectest" "print_i32" (func (param i32))) (export "f" (func 0)))
                        (invoke "f" (i32.const 1))
                        (invoke "f" (i64.const 1))
                        (assert_return (invoke "f"))"#);
    let lines: Vec<_> = report.failures.iter().map(|failure| failure.line).collect();
    let modes = Mode::all().count();
    assert_eq!(lines, [vec![3; modes], vec![4; modes]].concat());
}

#[test]
fn valid_modules_are_not_malformed_or_invalid() {
    check(
        r#"(assert_invalid (module) "type mismatch")
           (assert_malformed (module quote "(module)") "unexpected token")
           (assert_malformed (module binary "\00asm\01\00\00\00") "magic header")
           (assert_invalid_custom (module) "custom")
           (assert_malformed_custom (module quote "(module)") "custom")"#,
        &[
            "1: expected the module to be refused (type mismatch), it was accepted",
            "2: expected the module to be refused (unexpected token), it was accepted",
            "3: expected the module to be refused (magic header), it was accepted",
            "4: expected the module to be refused (custom), it was accepted",
            "5: expected the module to be refused (custom), it was accepted",
        ],
    );
}

#[test]
fn malformed_and_invalid_modules_are_refused() {
    let report = run(r#"(assert_invalid (module (func (result i32))) "type mismatch")
                        (assert_malformed (module quote "(func") "unexpected token")
                        (assert_malformed (module quote "(func (call $nowhere))") "unknown function")
                        (assert_malformed (module binary "\00asm\02\00\00\00") "unknown binary version")
                        (assert_malformed_custom (module quote "(@custom)") "missing section name")"#);
    assert_eq!((figures(&report), report.failures), ((5, 0, 0), vec![]));
}

#[test]
fn a_module_that_is_refused_fails_and_so_does_what_needs_it() {
    let report = run(r#"(module $m (func (result i32)))
                        (invoke "f")
                        (register "m" $m)
                        (module (import "m" "f" (func)))"#);
    let messages: Vec<_> = report.failures.iter().map(|failure| (failure.line, &*failure.message)).collect();
    assert!(messages[0].1.starts_with("the module was refused: "), "{messages:?}");
    let lost = "this needs the module of line 1, which failed";
    let modes = Mode::all().count();
    let expected = [2, 3, 4].map(|line| vec![(line, lost); modes]).concat();
    assert_eq!(messages[modes..], expected);
}

#[test]
fn imports_that_do_not_fit_are_unlinkable() {
    let report = run(r#"(assert_unlinkable (module (import "missing" "f" (func))) "unknown import")
               (assert_unlinkable (module (import "spectest" "nothing" (func))) "unknown import")
               (assert_unlinkable (module (import "spectest" "print" (func (param i32))))
                 "incompatible import type")
               (assert_unlinkable (module (import "spectest" "memory" (memory 3))) "incompatible import type")
               (assert_unlinkable (module (import "spectest" "table" (table 10 19 funcref)))
                 "incompatible import type")"#);
    assert_eq!((figures(&report), report.failures), ((5, 0, 0), vec![]));
}

#[test]
fn imports_that_fit_or_fail_otherwise_are_not_what_is_expected() {
    check(
        r#"(assert_unlinkable (module (import "spectest" "print" (func))) "unknown import")
           (assert_unlinkable (module (import "missing" "f" (func))) "incompatible import type")
           (assert_trap (module (import "missing" "f" (func))) "unreachable")
           (module (import "missing" "f" (func)))"#,
        &[
            "1: expected link error: unknown import, got []",
            "2: expected link error: incompatible import type, got link error: unknown import missing.f",
            "3: expected trap: unreachable, got link error: unknown import missing.f",
            "4: expected success, got link error: unknown import missing.f",
        ],
    );
}

#[test]
fn a_link_that_was_expected_to_fail_leaves_the_current_module_alone() {
    check(
        r#"(module (import "spectest" "global_i32" (global i32)) (export "g" (global 0)))
           (assert_unlinkable (module (import "missing" "f" (func))) "unknown import")
           (assert_return (get "g") (i32.const 666))"#,
        &[],
    );
}

#[test]
fn modules_are_known_by_name_and_register_replaces_all_of_a_name() {
    check(
        r#"(module $a (import "spectest" "global_i32" (global i32)) (export "g" (global 0)))
           (module $b (import "spectest" "global_i64" (global i64)) (export "h" (global 0)))
           (assert_return (get $a "g") (i32.const 666))
           (assert_return (get $b "h") (i64.const 666))
           (register "lib" $a)
           (module (import "lib" "g" (global i32)))
           (register "lib" $b)
           (module (import "lib" "h" (global i64)))
           (assert_unlinkable (module (import "lib" "g" (global i32))) "unknown import")"#,
        &[],
    );
}

#[test]
fn a_definition_is_instantiated_as_often_as_the_script_says() {
    check(
        r#"(module definition $m (memory (export "m") 1))
           (module instance $a $m)
           (module instance $b $m)
           (register "a" $a)
           (register "b" $b)
           (module (import "a" "m" (memory 1)) (import "b" "m" (memory 1)))
           (module definition (import "spectest" "global_i32" (global i32)) (export "g" (global 0)))
           (module instance)
           (assert_return (get "g") (i32.const 666))"#,
        &[],
    );
}

#[test]
fn the_host_module_has_everything_that_scripts_import() {
    check(
        r#"(module
             (import "spectest" "print" (func))
             (import "spectest" "print_i32" (func (param i32)))
             (import "spectest" "print_i64" (func (param i64)))
             (import "spectest" "print_f32" (func (param f32)))
             (import "spectest" "print_f64" (func (param f64)))
             (import "spectest" "print_i32_f32" (func (param i32 f32)))
             (import "spectest" "print_f64_f64" (func (param f64 f64)))
             (import "spectest" "table" (table 10 20 funcref))
             (import "spectest" "table64" (table i64 10 20 funcref))
             (import "spectest" "memory" (memory 1 2)))
           (assert_unlinkable (module (import "spectest" "memory" (memory i64 1 2)))
             "incompatible import type")"#,
        &[],
    );
}

#[test]
fn what_no_mode_runs_is_skipped_with_its_reason_and_never_passes() {
    let report = run(r#"(component $c)
                        (assert_return (invoke "f"))
                        (assert_invalid (component (import "a" (func (type 9)))) "unknown type")
                        (thread $t (assert_return (invoke "f")) (invoke "f"))
                        (wait $t)"#);
    assert_eq!((figures(&report), &*report.failures), ((0, 0, 3), &[][..]));
    let skips: Vec<_> = report.skips.iter().map(|skip| (skip.line, skip.count, &*skip.reason)).collect();
    let component = "components are not run (component-model)";
    let threads = "scripts with several threads are not run (threads)";
    assert_eq!(skips, [(1, 1, component), (3, 1, component), (4, 1, threads), (5, 0, threads)]);
}

#[test]
fn a_module_of_an_unknown_proposal_is_skipped_and_so_is_what_needs_it() {
    let report = run(
        r#"(module $m (rec (type $a (descriptor $b) (struct)) (type $b (describes $a) (struct))))
                        (register "m" $m)
                        (module (import "m" "f" (func)))
                        (assert_return (invoke "f"))
                        (assert_invalid (module (rec (type (descriptor 1) (struct)) (type (struct)))) "descriptor")"#,
    );
    assert_eq!((figures(&report), &*report.failures), ((0, 0, 2), &[][..]));
    let reason = "no mode executes modules of custom-descriptors yet".to_string();
    let modes: Vec<String> = report.modes.iter().map(|(mode, _)| mode.clone()).collect();
    let skip = |line, count| SkipEntry {
        file: "test.wast".to_string(),
        line,
        count,
        modes: modes.clone(),
        reason: reason.clone(),
    };
    assert_eq!(report.skips, [skip(1, 1), skip(5, 1)]);
}

#[test]
fn after_a_skipped_module_a_wrong_result_is_no_failure_and_a_right_one_passes() {
    let report = run(r#"(module $m (import "spectest" "global_i32" (global i32)) (export "g" (global 0)))
                        (component)
                        (assert_return (get $m "g") (i32.const 666))
                        (assert_return (get $m "g") (i32.const 667))"#);
    assert_eq!((figures(&report), report.failures), ((1, 0, 1), vec![]));
}

#[test]
fn lanes_that_disagree_fail_even_where_the_script_is_content() {
    let small = Limits { memory_bytes: 2 << 16, ..Limits::default() };
    let mut lanes = vec![Lane::of(Mode::Interp); 2];
    lanes[1] = Lane { name: "small".to_string(), config: lanes[1].config.limits(small) };
    let report = run_in(r#"(assert_unlinkable (module (memory 3)) "limit")"#, &lanes);
    assert_eq!(report.mode("interp").expect("it ran").failed, 1);
    assert_eq!(report.mode("small").expect("it ran").failed, 1);
    let report = run_in("(module (memory 3))", &lanes);
    let failures: Vec<_> = report.failures.iter().map(|failure| &*failure.mode).collect();
    assert_eq!(failures, ["small"]);
}

/// Files from elsewhere say nothing of their standard: a module that a proposal allows is not invalid.
#[test]
fn a_refusal_for_want_of_a_proposal_is_a_skip_that_names_it() {
    let cases = [
        ("stack-switching", "(type $f (func)) (type $c (cont $f)) (func (param (ref $c)))"),
        (
            "stack-switching",
            "(type $f (func)) (type $c (cont $f)) (func $g) (elem declare func $g) (func (result (ref $c)) (cont.new $c (ref.func $g)))",
        ),
        ("shared-everything-threads", "(type (shared (struct)))"),
        ("shared-everything-threads", "(global (shared mut i32) (i32.const 0))"),
        ("custom-descriptors", "(rec (type $a (descriptor $b) (struct)) (type $b (describes $a) (struct)))"),
        (
            "acquire-release-atomics",
            "(memory 1 1 shared) (func (drop (i32.atomic.load acqrel (i32.const 0))))",
        ),
    ];
    for (proposal, fields) in cases {
        let text = format!("(assert_invalid (module {fields}) \"type mismatch\")");
        let report = run_script(&ScriptFile::new("a.wast", text), &Lane::all_modes(), &Options::default());
        let report = report.unwrap_or_else(|error| panic!("{fields}: {error}"));
        assert_eq!((figures(&report), &*report.failures), ((0, 0, 1), &[][..]), "{fields}");
        assert_eq!(report.skips[0].reason, format!("no mode executes modules of {proposal} yet"), "{fields}");
    }
}

#[test]
fn a_module_that_every_proposal_leaves_invalid_is_refused_for_what_it_is() {
    let report = run(r#"(assert_invalid (module (func (result i32) (i64.const 0))) "type mismatch")
        (assert_invalid (module (memory 1) (func (i32.load align=8 (i32.const 0)) drop)) "alignment")
        (assert_invalid (module (type $f (func)) (func (call_ref $f (i32.const 0)))) "type mismatch")
        (assert_malformed (module binary "\00asm\02\00\00\00") "unknown binary version")"#);
    assert_eq!((figures(&report), report.failures), ((4, 0, 0), vec![]));
}

#[test]
fn legacy_exceptions_are_read_past_and_the_rest_of_the_script_runs() {
    let text = r#"(module $m (func (export "f") (result i32) (i32.const 1)))
        (assert_return (invoke "f") (i32.const 1))
        (module $try (tag $e)
          (func (export "g") (result i32)
            (try (result i32) (do (throw $e)) (catch $e (i32.const 2)))))
        (assert_return (invoke "g") (i32.const 2))
        (assert_return (invoke $try "g") (i32.const 2))
        (assert_invalid (module (func (try (do) (delegate 5)))) "unknown label")
        (assert_malformed (module quote "(func (try (do) (catch_all) (catch_all)))") "unexpected token")
        (assert_invalid (module binary
          "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0a\08\01\06\00\06\40\19\0b\0b") "type")
        (assert_return (invoke $m "f") (i32.const 1))"#;
    let report = run(text);
    assert_eq!((figures(&report), &*report.failures), ((2, 0, 5), &[][..]), "{:#?}", report.skips);
    let told: Vec<_> =
        report.skips.iter().map(|skip| (skip.line, skip.count, skip.reason.as_str())).collect();
    let reason = "no mode executes modules of legacy-exceptions yet";
    assert_eq!(told, [(3, 2, reason), (8, 1, reason), (9, 1, reason), (10, 1, reason)]);
}

#[test]
fn a_mistake_beside_what_is_read_past_still_makes_a_script_unreadable() {
    let text = "(module (func (try (do) (catch_all))))\n(module (func (i32.ad)))";
    let error = run_script(&ScriptFile::new("a.wast", text), &Lane::all_modes(), &Options::default());
    let error = error.expect_err("there is no such instruction");
    assert_eq!((error.line, error.column), (2, 16));
}

#[test]
fn directives_about_custom_sections_are_checked_or_skipped() {
    let report = run(r#"(assert_malformed_custom (module quote "(@custom)") "missing section name")
        (assert_malformed_custom (module quote "(func (i32.const))") "anything")
        (assert_invalid_custom (module quote "(func (@metadata.code.branch_hint \"\\01\") (if (i32.const 0) (then)))") "branch hint")
        (assert_malformed_custom (module binary "\00asm\01\00\00\00" "\00\02\01\ff") "malformed UTF-8")"#);
    assert_eq!((figures(&report), &*report.failures), ((1, 0, 3), &[][..]), "{:#?}", report.skips);
    assert!(report.skips.iter().all(|skip| skip.reason.ends_with("(custom sections)")), "{:?}", report.skips);
}

#[test]
fn a_limit_of_this_bench_is_a_skip_and_can_be_raised() {
    let memories = "(memory 0)".repeat(101);
    let many = format!("(module {memories}) (assert_invalid (module {memories}) \"multiple memories\")");
    let large = "(module (memory i64 65537) (func (export \"size\") (result i64) (memory.size)))
        (assert_return (invoke \"size\") (i64.const 65537))";
    let raised = format!(";;! memory-bytes: 8589934592\n{large}");
    for (text, expected) in [(many.as_str(), (0, 0, 1)), (large, (0, 0, 1)), (&raised, (1, 0, 0))] {
        let file = ScriptFile::new("a.wast", text.to_string());
        let report = run_script(&file, &Lane::all_modes(), &Options::default()).expect("a script");
        assert_eq!((figures(&report), &*report.failures), (expected, &[][..]), "{text}");
        assert!(report.skips.iter().all(|skip| skip.reason.starts_with("limit: ")), "{:?}", report.skips);
    }
}

#[test]
fn a_script_that_cannot_be_read_says_where_and_why() {
    let file = ScriptFile::new("dir/broken.wast", "(module)\n  (assert_nothing (module))");
    let error = run_script(&file, &Lane::all_modes(), &Options::default()).expect_err("no such directive");
    assert_eq!((&*error.file, error.line, error.column), ("dir/broken.wast", 2, 4));
    assert!(error.to_string().starts_with("dir/broken.wast:2:4: "), "{error}");
}

#[test]
fn many_files_add_up_and_an_unreadable_one_does_not_stop_the_rest() {
    let files =
        [ScriptFile::new("a", GLOBALS), ScriptFile::new("b", "(module"), ScriptFile::new("c", GLOBALS)];
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |file: &ScriptFile, _: &ScriptReport| {
        seen.lock().expect("no panic happens here").push(file.name.clone());
    };
    let report =
        run_files(&files, &Lane::all_modes(), &Options::default(), &AtomicBool::new(false), &progress);
    assert_eq!((figures(&report), report.files), ((10, 0, 0), 2));
    assert_eq!(report.unreadable.len(), 1);
    assert_eq!(seen.into_inner().expect("no panic happens here").len(), 3);
}

#[test]
fn a_run_that_is_stopped_says_how_many_files_ran() {
    let files = [ScriptFile::new("a", GLOBALS)];
    let report =
        run_files(&files, &Lane::all_modes(), &Options::default(), &AtomicBool::new(true), &|_, _| {});
    assert_eq!((report.files, figures(&report)), (0, (0, 0, 0)));
}

#[test]
fn traps_are_told_apart_by_the_start_of_their_text() {
    check(
        r#"(module
             (table 1 funcref) (memory 1)
             (func (export "unreachable") unreachable)
             (func (export "divide") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
             (func (export "load") (result i32) (i32.load (i32.const -1)))
             (func (export "null") (call_indirect (i32.const 0)))
             (func $f (export "deep") (call $f)))
           (assert_trap (invoke "unreachable") "unreachable")
           (assert_trap (invoke "load") "out of bounds")
           (assert_trap (invoke "null") "uninitialized element 0")
           (assert_exhaustion (invoke "deep") "call stack exhausted")
           (assert_trap (invoke "unreachable") "integer overflow")
           (assert_return (invoke "unreachable"))
           (assert_exhaustion (invoke "unreachable") "call stack exhausted")
           (invoke "unreachable")"#,
        &[
            "12: expected trap: integer overflow, got trap: unreachable at 0x59",
            "13: expected [], got trap: unreachable at 0x59",
            "14: expected trap: call stack exhausted, got trap: unreachable at 0x59",
            "15: expected success, got trap: unreachable at 0x59",
        ],
    );
}

#[test]
fn references_are_told_apart_by_kind_and_number() {
    check(
        r#"(module
             (func $f (export "func") (result funcref) (ref.func $f))
             (func (export "extern") (param externref) (result externref) (local.get 0))
             (func (export "null") (result funcref) (ref.null func)))
           (assert_return (invoke "func") (ref.func))
           (assert_return (invoke "func") (ref.func 0))
           (assert_return (invoke "extern" (ref.extern 7)) (ref.extern 7))
           (assert_return (invoke "extern" (ref.extern 7)) (ref.extern))
           (assert_return (invoke "extern" (ref.null extern)) (ref.null extern))
           (assert_return (invoke "null") (ref.null))
           (assert_return (invoke "null") (ref.null func))
           (assert_return (invoke "func") (ref.func 1))
           (assert_return (invoke "func") (ref.null func))
           (assert_return (invoke "extern" (ref.extern 7)) (ref.extern 8))
           (assert_return (invoke "null") (ref.null extern))
           (assert_return (invoke "null") (ref.func))"#,
        &[
            "12: expected [ref.func 1], got [ref.func 0]",
            "13: expected [ref.null func], got [ref.func 0]",
            "14: expected [ref.extern 8], got [ref.extern 7]",
            "15: expected [ref.null extern], got [ref.null func]",
            "16: expected [ref.func], got [ref.null func]",
        ],
    );
}

#[test]
fn floats_are_compared_by_their_bits() {
    check(
        r#"(module
             (func (export "zero") (result f32) (f32.const -0))
             (func (export "nan") (result f64) (f64.const nan:0x4)))
           (assert_return (invoke "zero") (f32.const -0))
           (assert_return (invoke "zero") (f32.const 0))
           (assert_return (invoke "nan") (f64.const nan:0x4))
           (assert_return (invoke "nan") (f64.const nan:0x5))
           (assert_return (invoke "nan") (f64.const nan:canonical))
           (assert_return (invoke "nan") (f64.const nan:arithmetic))"#,
        &[
            "5: expected [f32:0x0], got [f32:0x80000000]",
            "7: expected [f64:0x7ff0000000000005], got [f64:0x7ff0000000000004]",
            "8: expected [f64:nan:canonical], got [f64:0x7ff0000000000004]",
            "9: expected [f64:nan:arithmetic], got [f64:0x7ff0000000000004]",
        ],
    );
}

#[test]
fn headers_limit_what_a_script_may_use() {
    let text = |headers: &str, expected: &str| {
        format!(
            "{headers}(module (memory 1) (func $f (export \"f\") (call $f))
                (func (export \"g\") (result i32) (memory.grow (i32.const 1))))
            {expected}"
        )
    };
    let endless = "(assert_trap (invoke \"f\") \"out of fuel\")";
    let deep = "(assert_exhaustion (invoke \"f\") \"call stack exhausted\")";
    let full = "(assert_return (invoke \"g\") (i32.const -1))";
    let roomy = "(assert_return (invoke \"g\") (i32.const 1))";
    for (headers, expected, passes) in [
        ("", deep, true),
        (";;! fuel: 50\n", endless, true),
        (";;! fuel: 50\n;;! depth-slots: 40\n", deep, true),
        (";;! fuel: 50\n", deep, false),
        (";;! memory-bytes: 65536\n", full, true),
        ("", roomy, true),
    ] {
        let file = ScriptFile::new("headers.wast", text(headers, expected));
        let report = run_script(&file, &Lane::all_modes(), &Options::default()).expect("it is a script");
        assert_eq!(report.failures.is_empty(), passes, "{headers}{expected}: {:?}", report.failures);
    }
}

#[test]
fn a_header_that_makes_no_sense_is_named_with_its_line() {
    let file = ScriptFile::new("x.wast", ";; title\n;;! fuel: much\n(module)");
    let unreadable =
        run_script(&file, &Lane::all_modes(), &Options::default()).expect_err("much is no number");
    assert_eq!(unreadable.to_string(), "x.wast:2:1: header `fuel`: expected a number, not `much`");
    let file = ScriptFile::new("x.wast", ";;! lanes: interp+none\n(module)");
    let unreadable = run_script(&file, &Lane::all_modes(), &Options::default()).expect_err("no such switch");
    assert!(unreadable.to_string().starts_with("x.wast:1:1: header `lanes`: no lane switch"));
}
