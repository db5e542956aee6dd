//! The protocol against a peer that is no node: these run where there is none.

use super::run::Run;
use super::wire::Wire;
use super::{TIERS, V8Subject};
use crate::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crate::observe::{Capture, Outcome};
use crate::subject::surface::{Surface, with_start_exported};
use crate::subject::{Prepared, Subject, Unwatched};
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use wasmparser::{Validator, WasmFeatures};

fn encode(wat: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
    let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
    module.encode().expect("the test's text can be encoded")
}

fn case(wat: &str, calls: &[&str]) -> Case {
    let calls = calls.iter().map(|export| Action::Invoke {
        module: 0,
        export: export.to_string(),
        args: vec![Value::I32(7)],
    });
    Case {
        modules: vec![CaseModule { name: "m".into(), wasm: encode(wat) }],
        hosts: HostPlan::new(1, 0),
        actions: std::iter::once(Action::Instantiate { module: 0 }).chain(calls).collect(),
        limits: Limits::default(),
    }
}

/// A peer with a script: for each frame of a kind, the frames that it says.
struct Peer {
    from: PipeReader,
    to: PipeWriter,
}

impl Peer {
    fn hears(&mut self, kind: u8) -> Vec<u8> {
        let mut head = [0; 4];
        self.from.read_exact(&mut head).expect("there is a frame");
        let mut frame = vec![0; u32::from_le_bytes(head) as usize];
        self.from.read_exact(&mut frame).expect("the frame is whole");
        assert_eq!(char::from(frame[0]), char::from(kind));
        frame
    }

    fn says(&mut self, kind: u8, fields: &[&[u8]]) {
        let payload: Vec<u8> = std::iter::once(kind).chain(fields.concat()).collect();
        self.to.write_all(&(payload.len() as u32).to_le_bytes()).expect("the other end is open");
        self.to.write_all(&payload).expect("the other end is open");
    }
}

fn blob(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

/// What each action shows that a peer answers; words for what is wrong with the peer.
fn observed(case: &Case, peer: impl FnOnce(Peer) + Send) -> Vec<Result<(Outcome, Vec<String>), String>> {
    let (from, to_us) = pipe().expect("there are pipes");
    let (their_from, to) = pipe().expect("there are pipes");
    let prepared = Prepared::new(case);
    let mut wire = Wire::new(to, from);
    std::thread::scope(|scope| {
        scope.spawn(|| peer(Peer { from: their_from, to: to_us }));
        let mut run = Run::new(&prepared, &mut wire, WasmFeatures::WASM1, Capture::Full);
        let action = |action| {
            let observed = run.action(action).map_err(|stopped| stopped.0.to_string())?;
            let calls = observed.host_calls.first.iter();
            let calls = calls.map(|call| format!("{}({:?}) {:?}", call.import, call.args, call.results));
            Ok((observed.outcome, calls.collect()))
        };
        case.actions.iter().map(action).collect()
    })
}

const ASKS: &str = r#"(module (import "h" "ask" (func $ask (param f32) (result i64)))
    (global (export "g") i32 (i32.const 5))
    (func (export "f") (param i32) (result f64) (f64.const 0)) (start $start)
    (func $start (drop (call $ask (f32.const 1)))))"#;

#[test]
fn a_host_is_asked_between_a_question_and_its_answer() {
    let nan = 0x7fa0_0001u32;
    let seen = observed(&case(ASKS, &["f"]), |mut peer| {
        peer.hears(b'L');
        peer.hears(b'I');
        let mut slot = [0; 16];
        slot[..4].copy_from_slice(&nan.to_le_bytes());
        peer.says(b'H', &[&0u32.to_le_bytes(), &blob(&slot), &[0; 4]]);
        let answer = peer.hears(b'A');
        assert_eq!((answer[1], answer.len()), (1, 1 + 1 + 4 + 16));
        peer.says(b'O', &[]);
        peer.hears(b'S');
        peer.says(b'S', &[&blob(&[5; 16])]);
        let call = peer.hears(b'C');
        assert!(call.windows(16).any(|bytes| u128::from_le_bytes(bytes.try_into().unwrap()) == 7));
        let mut slot = [0; 16];
        slot[..8].copy_from_slice(&f64::NAN.to_bits().to_le_bytes());
        peer.says(b'V', &[&blob(&slot), &[0; 4]]);
        peer.hears(b'S');
        peer.says(b'S', &[&blob(&[5; 16])]);
    });
    let [Ok((made, asked)), Ok((called, _))] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(*made, Outcome::Values(Vec::new()));
    assert!(asked[0].starts_with("h.ask([F32(2141192193)]) Some([I64("), "{asked:?}");
    assert_eq!(*called, Outcome::Values(vec![Value::F64(f64::NAN.to_bits())]));
}

#[test]
fn a_host_that_refuses_decides_what_the_trap_is() {
    let mut case = case(ASKS, &[]);
    case.hosts.trap_one_in = 1;
    let seen = observed(&case, |mut peer| {
        peer.hears(b'L');
        peer.hears(b'I');
        peer.says(b'H', &[&0u32.to_le_bytes(), &blob(&[0; 16]), &[0; 4]]);
        assert_eq!(peer.hears(b'A')[1], 0);
        peer.says(b'F', &[&blob(b"start"), &blob(b"RuntimeError"), &blob(b"unreachable")]);
    });
    let [Ok((Outcome::Trap(trap), _))] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(trap.message.as_deref(), Some("the host refuses"));
}

#[test]
fn what_cannot_be_understood_is_an_error_and_no_panic() {
    let says = |kind: u8, fields: &'static [&'static [u8]]| {
        let seen = observed(&case(ASKS, &[]), move |mut peer| {
            peer.hears(b'L');
            peer.hears(b'I');
            peer.says(kind, fields);
        });
        match seen.into_iter().next() {
            Some(Err(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    assert!(says(b'?', &[]).contains("a kind of message"));
    assert!(says(b'H', &[&[9, 0, 0, 0], &[0; 4], &[0; 4]]).contains("unknown host"));
    assert!(says(b'H', &[&[0; 4], &[0; 4], &[0; 4]]).contains("too few values"));
    assert!(says(b'F', &[&[255; 4]]).contains("byte"));
    assert!(says(b'V', &[&[0; 4], &[0; 4]]).contains("instantiation"));
    assert!(says(b'O', &[&[1]]).contains("end"));
    // Then the peer is gone.
    assert!(!says(b'O', &[]).is_empty());
}

#[test]
fn a_process_that_is_gone_is_replaced() {
    let v8 = match V8Subject::start(TIERS[0]) {
        Ok(v8) => v8,
        Err(error) => {
            // Past the test's own output, which is not shown if it passes.
            let _ = writeln!(std::io::stderr(), "NOT TESTED: V8, for {error}");
            return;
        }
    };
    let case = case(ASKS, &["f"]);
    for _ in 0..2 {
        let mut idle = v8.idle.lock().expect("no thread panicked");
        idle[0].child.kill().expect("it is there");
        idle[0].child.wait().expect("it ends");
        drop(idle);
        let seen = v8.observe(&Prepared::new(&case), Capture::Digest, &mut Unwatched);
        assert_eq!(seen.actions[1].outcome, Outcome::Values(vec![Value::F64(0)]));
    }
}

#[test]
fn a_state_that_is_cut_short_is_an_error() {
    for state in [vec![], blob(&[]), blob(&[0; 15])] {
        let seen = observed(&case(ASKS, &[]), move |mut peer| {
            peer.hears(b'L');
            peer.hears(b'I');
            peer.says(b'O', &[]);
            peer.hears(b'S');
            peer.says(b'S', &[&state]);
        });
        assert!(matches!(seen[..], [Err(_)]), "{seen:?}");
    }
}

#[test]
fn a_start_function_becomes_an_export_of_a_new_name() {
    let plain = r#"(module (func $f (export "start")) (func $start) (start $start))"#;
    let bare = "(module (func $start) (start $start))";
    for (wat, expected) in [(plain, "start_"), (bare, "start")] {
        let wasm = encode(wat);
        let surface = Surface::of(&wasm).expect("the module is valid");
        let start = surface.start.expect("it has one");
        let (wasm, name) = with_start_exported(&wasm, &surface, start).expect("the module is valid");
        assert_eq!(name, expected);
        Validator::new().validate_all(&wasm).expect("the module stays valid");
        let surface = Surface::of(&wasm).expect("the module is valid");
        assert_eq!(surface.start, None);
        assert!(surface.exports.iter().any(|export| export.name == expected && export.index == start));
    }
}

#[test]
fn modules_without_what_there_is_to_see_show_nothing() {
    let seen = observed(&case("(module)", &["f"]), |mut peer| {
        peer.hears(b'L');
        peer.hears(b'I');
        peer.says(b'O', &[]);
        for _ in 0..2 {
            peer.hears(b'S');
            peer.says(b'S', &[&blob(&[])]);
        }
    });
    assert!(matches!(&seen[1], Ok((Outcome::Usage(_), _))), "{seen:?}");
}
