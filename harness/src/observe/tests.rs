//! Observations written by hand or drawn, in their byte form, as JSON and as text.

use super::*;
use crate::case::tests::value;
use crate::case::{Case, CaseModule, HeapKind, HostPlan, Limits, RefValue};
use proptest::collection::vec;
use proptest::prelude::*;

fn tag() -> impl Strategy<Value = TagIdentity> {
    prop_oneof![
        any::<(u32, u32)>().prop_map(|(instance, tag)| TagIdentity::Wasm { instance, tag }),
        any::<u32>().prop_map(TagIdentity::Host),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        vec(value(), 0..4).prop_map(Outcome::Values),
        (tag(), vec(value(), 0..4)).prop_map(|(tag, payload)| Outcome::Exception { tag, payload }),
        any::<String>().prop_map(Outcome::Link),
        any::<String>().prop_map(Outcome::Usage),
        any::<String>().prop_map(Outcome::Limit),
        any::<String>().prop_map(Outcome::Unsupported),
    ]
}

fn object() -> impl Strategy<Value = ObjectState> {
    let ty = || any::<(u32, u32)>().prop_map(|(instance, index)| TypeIdentity { instance, index });
    prop_oneof![
        (ty(), vec(value(), 0..4)).prop_map(|(ty, fields)| ObjectState::Struct { ty, fields }),
        (ty(), vec(value(), 0..4)).prop_map(|(ty, elements)| ObjectState::Array { ty, elements }),
        (tag(), vec(value(), 0..4)).prop_map(|(tag, payload)| ObjectState::Exception { tag, payload }),
    ]
}

/// What one action showed that ended like this, after which these objects can be reached.
fn shown(outcome: Outcome, gc: Vec<ObjectState>) -> Observation {
    let state = Some(State { gc, ..State::default() });
    Observation { actions: vec![ActionObservation { state, ..ActionObservation::last(outcome) }] }
}

proptest! {
    #[test]
    fn outcomes_and_objects_come_back_from_bytes(outcome in outcome(), gc in vec(object(), 0..4)) {
        let observation = shown(outcome, gc);
        prop_assert_eq!(Observation::from_bytes(&observation.to_bytes()), Ok(observation));
    }
}

#[test]
fn an_observation_of_the_old_format_is_refused_by_its_version() {
    let mut bytes = shown(Outcome::Usage("no".into()), vec![]).to_bytes();
    bytes[4..6].copy_from_slice(&1u16.to_le_bytes());
    let error = Observation::from_bytes(&bytes).expect_err("there is one version at a time");
    assert_eq!(error.to_string(), "at offset 0x4: expected version 2 of the observation format");
}

fn exception() -> Outcome {
    let tag = TagIdentity::Wasm { instance: 0, tag: 2 };
    Outcome::Exception { tag, payload: vec![Value::I32(42), Value::Ref(RefValue::I31(5))] }
}

#[test]
fn an_exception_is_shown_with_its_tag_and_its_values() {
    assert_eq!(exception().describe(), "exception: tag 0:2 i32:0x2a ref.i31 0x5");
    assert_eq!(exception().kind(), "exception");
    let of_host = Outcome::Exception { tag: TagIdentity::Host(1), payload: vec![] };
    assert_eq!(of_host.describe(), "exception: tag host 1");
    assert_eq!(of_host.failure(), None);
}

#[test]
fn misuse_is_shown_in_the_words_of_the_subject() {
    let usage = Outcome::Usage("there is no function `f` to call".into());
    assert_eq!(usage.describe(), "usage: there is no function `f` to call");
    assert_eq!(usage.kind(), "usage");
}

#[test]
fn objects_are_shown_by_kind_and_type_or_tag() {
    let ty = TypeIdentity { instance: 0, index: 3 };
    assert_eq!(ObjectState::Struct { ty, fields: vec![] }.to_string(), "struct 0:3");
    assert_eq!(ObjectState::Array { ty, elements: vec![] }.to_string(), "array 0:3");
    let thrown = ObjectState::Exception { tag: TagIdentity::Host(4), payload: vec![] };
    assert_eq!(thrown.to_string(), "exn host 4");
}

#[test]
fn json_has_the_exception_and_the_objects() {
    let case = Case {
        modules: vec![CaseModule { name: String::new(), wasm: vec![] }],
        hosts: HostPlan::new(0, 0),
        actions: vec![crate::case::Action::Read { module: 0, export: "g".into() }],
        limits: Limits::default(),
    };
    let ty = TypeIdentity { instance: 0, index: 3 };
    let next = Value::Ref(RefValue::Other { kind: HeapKind::Struct, number: 0 });
    let gc = vec![ObjectState::Struct { ty, fields: vec![Value::I32(1), next] }];
    let json = json::observation_json(&case, &shown(exception(), gc), false);
    let action = &json["actions"][0];
    assert_eq!(action["outcome"], "exception");
    assert_eq!(
        action["exception"],
        serde_json::json!({"tag": "0:2", "payload": ["i32:0x2a", "ref.i31 0x5"]})
    );
    assert_eq!(action["values"], serde_json::Value::Null);
    assert_eq!(
        json["state"]["gc"],
        serde_json::json!([{"kind": "struct", "type": "0:3", "values": ["i32:0x1", "ref.struct #0"]}])
    );
    let returned = json::observation_json(&case, &shown(Outcome::Values(vec![]), vec![]), false);
    assert_eq!(returned["actions"][0]["exception"], serde_json::Value::Null);
    assert_eq!(returned["state"]["gc"], serde_json::json!([]));
}

#[test]
fn what_is_exhausted_is_told_from_traps_by_its_word() {
    for kind in [TrapKind::CallStackExhausted, TrapKind::OutOfFuel, TrapKind::AllocationBudgetExhausted] {
        assert_eq!(Outcome::trap(kind, None).kind(), "exhausted");
    }
    assert_eq!(Outcome::trap(TrapKind::Unreachable, None).kind(), "trap");
}
