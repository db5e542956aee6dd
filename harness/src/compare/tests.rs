//! What is a difference and what is not, on observations written by hand.

use super::*;
use crate::case::{HeapKind, RefValue, TagIdentity};
use crate::observe::{ObjectState, State, TypeIdentity};

/// What an action with this outcome shows.
fn shown(outcome: &Outcome) -> Observation {
    Observation { actions: vec![ActionObservation::last(outcome.clone())] }
}

/// The kind, the place and the text of what differs first between two observations.
fn different(a: &Observation, b: &Observation, capabilities: Capabilities) -> Option<(Kind, String, String)> {
    let testimony = |name, observation| Testimony { name, capabilities, observation };
    let found = difference(&testimony("a", a), &testimony("b", b))?;
    Some((found.kind, found.place.clone(), found.to_string()))
}

/// Asserts that two outcomes differ in this kind, place and text, among subjects that vouch for everything.
fn check(a: &Outcome, b: &Outcome, kind: Kind, place: &str, text: &str) {
    let found = different(&shown(a), &shown(b), Capabilities::ALL);
    assert_eq!(found, Some((kind, place.to_string(), format!("action 0: {text}"))));
}

fn check_same(a: &Outcome, b: &Outcome, capabilities: Capabilities) {
    assert_eq!(different(&shown(a), &shown(b), capabilities), None);
}

fn exception(tag: u32, payload: &[Value]) -> Outcome {
    Outcome::Exception { tag: TagIdentity::Wasm { instance: 0, tag }, payload: payload.to_vec() }
}

#[test]
fn exceptions_differ_by_their_tags() {
    let text = "tag of the exception: 0:1 against 0:2";
    check(&exception(1, &[]), &exception(2, &[]), Kind::Exception, "tag", text);
    check_same(&exception(1, &[]), &exception(1, &[]), Capabilities::ALL);
}

#[test]
fn tags_count_only_between_subjects_that_vouch_for_identity() {
    let blind = Capabilities { function_identity: false, ..Capabilities::ALL };
    check_same(&exception(1, &[Value::I32(3)]), &exception(2, &[Value::I32(3)]), blind);
}

#[test]
fn exceptions_differ_by_the_bits_of_their_values() {
    let thrown = |value| exception(0, &[Value::I64(5), value]);
    let (zero, negative) = (Value::F32(0), Value::F32(1 << 31));
    let text = "exception value 1: f32:0x00000000 against f32:0x80000000";
    check(&thrown(zero), &thrown(negative), Kind::Exception, "f32", text);
    let text = "number of exception values: 0 against 1";
    check(&exception(0, &[]), &exception(0, &[Value::I32(0)]), Kind::Exception, "count", text);
}

#[test]
fn nans_that_are_thrown_differ_only_under_the_deterministic_profile() {
    let thrown = |bits| exception(0, &[Value::F64(bits)]);
    let (canonical, other) = (thrown(0x7ff8_0000_0000_0000), thrown(0xfff8_0000_0000_0001));
    let text = "exception value 0: f64:0x7ff8000000000000 against f64:0xfff8000000000001";
    check(&canonical, &other, Kind::Exception, "f64", text);
    check_same(&canonical, &other, Capabilities { nan_bits: false, ..Capabilities::ALL });
}

#[test]
fn an_exception_is_neither_a_trap_nor_a_return() {
    let text = "how it ended: exception: tag 0:0 i32:0x1 against trap: unreachable";
    let trap = Outcome::trap(TrapKind::Unreachable, None);
    check(&exception(0, &[Value::I32(1)]), &trap, Kind::Outcome, "exception/unreachable", text);
    let returned = Outcome::Values(Vec::new());
    let text = "how it ended: ok against exception: tag 0:0";
    check(&returned, &exception(0, &[]), Kind::Outcome, "values/exception", text);
}

#[test]
fn misuse_is_compared_without_its_words_and_is_no_failure_to_link() {
    let usage = |words: &str| Outcome::Usage(words.into());
    check_same(&usage("there is no function `f` to call"), &usage("no such export"), Capabilities::ALL);
    let link = Outcome::Link("unknown import".into());
    let text = "how it ended: usage: no such export against link: unknown import";
    check(&usage("no such export"), &link, Kind::Outcome, "usage/link", text);
}

/// What an action shows after which these objects can be reached.
fn with_objects(gc: Vec<ObjectState>) -> Observation {
    let mut action = ActionObservation::last(Outcome::Values(Vec::new()));
    action.state = Some(State { gc, ..State::default() });
    Observation { actions: vec![action] }
}

fn structure(index: u32, fields: &[Value]) -> ObjectState {
    ObjectState::Struct { ty: TypeIdentity { instance: 0, index }, fields: fields.to_vec() }
}

/// Asserts what differs first between two lists of objects.
fn check_objects(a: Vec<ObjectState>, b: Vec<ObjectState>, text: &str) {
    let found = different(&with_objects(a), &with_objects(b), Capabilities::ALL);
    assert_eq!(found, Some((Kind::Objects, "objects".to_string(), format!("action 0: {text}"))));
}

#[test]
fn objects_differ_by_type_values_and_number() {
    let of = |index, value| vec![structure(index, &[Value::I64(1), value])];
    check_objects(
        of(1, Value::I32(2)),
        of(2, Value::I32(2)),
        "what object 0 is: struct 0:1 against struct 0:2",
    );
    check_objects(of(1, Value::I32(2)), of(1, Value::I32(3)), "object 0, value 1: i32:0x2 against i32:0x3");
    check_objects(of(1, Value::I32(2)), vec![], "number of objects: 1 against 0");
    let short = vec![structure(1, &[Value::I64(1)])];
    check_objects(of(1, Value::I32(2)), short, "number of values in object 0: 2 against 1");
}

#[test]
fn equal_objects_agree_and_a_reference_counts_by_the_number_of_its_object() {
    let linked_to = |number| {
        let next = Value::Ref(RefValue::Other { kind: HeapKind::Struct, number });
        vec![structure(0, &[next]), structure(0, &[]), structure(0, &[])]
    };
    let found = |a, b| different(&with_objects(a), &with_objects(b), Capabilities::ALL);
    assert_eq!(found(linked_to(1), linked_to(1)), None);
    check_objects(linked_to(1), linked_to(2), "object 0, value 0: ref.struct #1 against ref.struct #2");
}
