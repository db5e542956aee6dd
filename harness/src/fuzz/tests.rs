//! Every target on stable, in short: what it makes it can read, what it reads it can run, and any bytes are no panic.

use super::*;
use crate::draw::{Purpose, Stream};

/// Inputs of a target in the way a fuzzer comes to them: from nothing, each from one before.
fn inputs(target: &Target, count: u32) -> Vec<Vec<u8>> {
    let mutate = target.mutate.expect("it makes its own");
    let mut stream = Stream::new(1, Purpose::Mutation);
    let mut pool = vec![Vec::new()];
    for seed in 0..count {
        let parent: &Vec<u8> = stream.pick(&pool);
        pool.extend(mutate(parent, 1 << 20, seed));
    }
    pool.remove(0);
    assert!(pool.len() > count as usize / 2, "{}: {} of {count}", target.name, pool.len());
    pool
}

fn runs_clean(name: &str, count: u32) {
    let target = target(name).expect("it is in the table");
    let inputs = inputs(target, count);
    let kept = inputs.iter().filter(|bytes| target.run(bytes)).count();
    assert_eq!(kept, inputs.len(), "{name} can read all it makes");
}

#[test]
fn differential_runs_clean() {
    runs_clean("differential", 60);
}

#[test]
fn single_instruction_runs_clean() {
    runs_clean("single_instruction", 60);
}

#[test]
fn mutate_runs_clean() {
    runs_clean("mutate", 60);
}

#[test]
fn host_calls_runs_clean() {
    runs_clean("host_calls", 60);
}

#[test]
fn link_runs_clean() {
    runs_clean("link", 60);
}

#[test]
fn any_bytes_decode_without_a_panic() {
    let target = target("decode").expect("it is in the table");
    let modules = inputs(&TARGETS[0], 40);
    let engine = Engine::new(&Config::new(Mode::Interp));
    let valid = modules.iter().filter(|module| Module::new(&engine, module.as_slice()).is_ok());
    let ran = valid.inspect(|module| assert!(target.run(module), "what validates runs")).count();
    assert!(ran > modules.len() / 2, "{ran} of {}", modules.len());
    let mut stream = Stream::new(2, Purpose::Mutation);
    for module in &modules {
        let mutant = crate::generate::mutate::mutate(module, &modules[0], &mut stream);
        target.run(&mutant);
    }
    assert!(!target.run(b"") && !target.run(b"\0asm") && !target.run(&[0xff; 300]));
}

#[test]
fn any_text_is_a_script_or_refused() {
    let target = target("wast_text").expect("it is in the table");
    let script = r#"(module (func (export "f") (result i32) (i32.const 1)))
        (assert_return (invoke "f") (i32.const 2))"#;
    assert!(
        target.run(script.as_bytes()),
        "that a script expects what is not so is no difference between modes"
    );
    for cut in (0..script.len()).step_by(7) {
        target.run(&script.as_bytes()[..cut]);
    }
    assert!(!target.run(b"(module") && !target.run(&[0xff, 0xfe]));
}

#[test]
fn a_case_in_an_envelope_is_the_same_case() {
    for name in crate::generate::Generator::names() {
        for case_seed in 0..20 {
            let generated = crate::generate::Generator::default().case_of(name, case_seed);
            let Some(case) = generated else { continue };
            let bytes = envelope::write(&case).expect("it has a module");
            assert_eq!(envelope::read(&bytes).as_ref(), Some(&case), "{name} {case_seed}");
            // Damaged in the section it is a bare module, not an error.
            let mut damaged = bytes.clone();
            *damaged.last_mut().expect("a byte") ^= 0x55;
            assert!(envelope::read(&damaged).is_some(), "{name} {case_seed}");
        }
    }
}

#[test]
fn damaged_inputs_are_varied_or_given_up() {
    let mut stream = Stream::new(3, Purpose::Mutation);
    for target in TARGETS.iter().filter(|target| target.mutate.is_some()) {
        let mutate = target.mutate.expect("it makes its own");
        for bytes in inputs(target, 12) {
            for seed in 0..20 {
                let mut damaged = bytes.clone();
                let at = stream.below(damaged.len() as u64) as usize;
                damaged[at] ^= 1 << stream.below(8);
                mutate(&damaged, 1 << 20, seed);
            }
        }
    }
}

#[test]
fn new_inputs_follow_from_old_ones_and_the_seed() {
    for target in TARGETS.iter().filter(|target| target.mutate.is_some()) {
        assert_eq!(inputs(target, 12), inputs(target, 12), "{}", target.name);
    }
}
