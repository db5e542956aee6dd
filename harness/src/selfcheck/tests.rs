//! That lies are about everything. That all of them are seen, a test with workers says.

use super::*;
use crate::observe::leaves::Field::*;

/// What no engine here can be brought to show, or to show on its own: exceptions and objects, which no mode makes yet,
/// values of their types, failures of the subject, and what the engine derives from what else it shows.
const NOT_MADE: &[Field] = &[
    Actions,
    Exception,
    Unsupported,
    Unclear,
    Resources,
    Crash,
    Hang,
    PayloadCount,
    Payload,
    Message,
    TrapMessage,
    TrapFrames,
    FrameCount,
    FramesKept,
    FrameNumber,
    Trap,
    HostArgCount,
    HostRefuses,
    HostResultCount,
    NoteCount,
    Modules,
    Objects,
    GlobalCount,
    TableCount,
    MemoryCount,
    ExportCount,
    ExportKind,
    ObjectKind,
    ObjectType,
    ObjectTag,
    FieldCount,
    StructField,
    ElementCount,
    ArrayElement,
    ThrownCount,
    Thrown,
    V128,
    NullKind,
    I31,
    ReferenceKind,
    Reference,
    TypeInstance,
    TypeIndex,
    TagInstance,
    TagIndex,
    HostTag,
];

/// Whether a lie is about a field and, but for what the field is part of or the other variant, about no other.
fn is_about(lie: &Lie, field: Field) -> bool {
    lie.fields[0] == field || lie.fields.len() == 2 && lie.fields[1] == field
}

#[test]
fn there_is_a_lie_about_every_field() {
    for field in Field::ALL {
        assert!(Lie::all().iter().any(|lie| is_about(lie, *field)), "there is no lie about {field:?}");
    }
}

#[test]
fn the_engine_itself_is_brought_to_lie_about_all_that_it_can_show() {
    for field in Field::ALL {
        let is_made = Lie::all().iter().any(|lie| lie.is_made_by_the_engine() && is_about(lie, *field));
        assert_eq!(is_made, !NOT_MADE.contains(field), "{field:?}");
    }
}

#[test]
fn lies_have_names_of_their_own_and_are_found_by_their_definitions() {
    let names: BTreeSet<&str> = Lie::all().iter().map(|lie| lie.name).collect();
    assert_eq!(names.len(), Lie::all().len());
    for subject in Lie::all().iter().flat_map(|lie| lie.task().subjects) {
        let found = crate::subject::named(subject.definition()).expect("the definition is of a subject");
        assert_eq!((found.name(), found.definition()), (subject.name(), subject.definition()));
    }
    let unknown = crate::subject::named("lie:interp:unheard-of").err();
    assert_eq!(unknown.as_deref(), Some("there is no lie `unheard-of`"));
}

#[test]
fn a_capability_without_a_lie_is_noticed() {
    let mut all = crate::subject::Capabilities::ALL;
    for (name, _) in all.rows() {
        let names = |lie: &Lie| lie.unseen_without.contains(&name);
        // What is exported is part of all state, so it is tried together with that.
        assert!(name == "exported_state" || Lie::all().iter().any(names), "{name}");
    }
}
