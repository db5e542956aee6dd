use super::*;

/// The mutants of a text, as `kind: original -> replacement`.
fn found(text: &str) -> Vec<String> {
    let mut fields = Fields::default();
    fields.add(text).unwrap();
    let mutants = mutants(Room::Floor, Path::new("a.rs"), text, &fields).unwrap();
    let line =
        |mutant: &Mutant| format!("{}: {} -> {}", mutant.kind.name(), mutant.original, mutant.replacement);
    mutants.iter().map(line).collect()
}

#[test]
fn a_comparison_is_one_off_the_opposite_and_never() {
    assert_eq!(
        found("fn f(a: u32) -> u32 { if a < 10 { a } else { 0 } }"),
        [
            "negated-condition: a < 10 -> !(a < 10)",
            "fixed-answer: a < 10 -> true",
            "fixed-answer: a < 10 -> false",
            "comparison: a < 10 -> a <= 10",
            "comparison: a < 10 -> a >= 10",
            "constant: 10 -> 11",
            "constant: 10 -> 9",
            "constant: 10 -> 0",
            "constant: 0 -> 1",
        ]
    );
}

#[test]
fn statements_are_skipped_and_repeated() {
    let found = found("fn f(list: &mut Vec<u8>) { list.push(a); }");
    assert!(found.contains(&"skipped-statement: list.push(a); -> ".to_string()), "{found:?}");
    assert!(found.contains(&"repeated-statement: list.push(a); -> list.push(a); list.push(a);".to_string()));
    assert!(found.contains(&"empty-function: list.push(a); -> return;".to_string()));
}

#[test]
fn what_is_written_to_or_borrowed_is_not_a_choice_between_two() {
    let text = "struct S { a: u8, b: u8 } fn f(s: &mut S) { s.a = 1; g(&mut s.a); s.a.h(); g(s.a); }";
    let names = found(text).into_iter().filter(|line| line.starts_with("another-name"));
    assert_eq!(names.collect::<Vec<_>>(), ["another-name: s.a -> s.b"], "the last one alone is a value");
}

#[test]
fn arms_that_bind_the_same_names_may_be_taken_for_one_another() {
    let found = found("fn f(x: E) -> u8 { match x { E::A(n) => n, E::B(n) => g(n), E::C => 7 } }");
    let arms: Vec<&String> = found.iter().filter(|line| line.starts_with("neighbour-arm")).collect();
    assert_eq!(
        arms,
        ["neighbour-arm: n -> g(n)", "neighbour-arm: g(n) -> n", "neighbour-arm: g(n) -> 7"]
            .iter()
            .collect::<Vec<_>>()
    );
}

#[test]
fn what_the_compiler_evaluates_and_what_only_people_read_has_none() {
    let text = "const A: u8 = 1 + 2; const fn f() -> u8 { 3 } fn g() { assert!(1 < 2) } \
                impl Display for T { fn fmt(&self) { f(1); } } \
                #[cfg(test)] mod tests { fn t() { f(1); } } fn describe() { f(1); }";
    // The body of `g` has nothing but a macro.
    assert_eq!(found(text), ["empty-function: assert!(1 < 2) -> return;"]);
}

#[test]
fn faults_that_are_planted_by_name_are_left_alone() {
    let text = r#"fn f(a: bool) -> u8 { if a && fault!("x") { 1 } else { 2 } }"#;
    assert_eq!(found(text), ["constant: 2 -> 3", "constant: 2 -> 1", "constant: 2 -> 0"]);
}

#[test]
fn a_switchable_mutant_is_the_original_unless_it_is_switched_on() {
    let text = "fn f(a: u32) -> u32 { a + 1 }";
    let mutants = mutants(Room::Floor, Path::new("a.rs"), text, &Fields::default()).unwrap();
    let sum = mutants.iter().find(|mutant| mutant.kind == Kind::Arithmetic).unwrap();
    assert_eq!(sum.switchable(7), "(if ::crosscheck_engine::mutant::on(7) { a - 1 } else { a + 1 })");
}
