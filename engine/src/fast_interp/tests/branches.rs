//! Branches that carry many values: what they cost, and that every value arrives.

use super::*;
use crate::fast_interp::lower::lower_module;
use crate::limits::Settings;
use crate::module::ModuleInner;
use proptest::prelude::*;

/// Words of register code for a module's fields.
fn words(fields: &str) -> usize {
    let bytes = assemble(&format!("(module {fields})"));
    let module = ModuleInner::decode(bytes.into(), Engine::new(&config()).types()).expect("valid");
    lower_module(&module, &Settings::default()).words.len()
}

#[test]
fn code_grows_with_the_branches_and_not_with_what_they_carry() {
    const VALUES: usize = 1000;
    const BRANCHES: usize = 10_000;
    let types = "i32 ".repeat(VALUES);
    for value in ["(i32.const 7)", "(local.get 0)", "(i32.eqz (local.get 0))"] {
        let values = value.repeat(VALUES);
        // One value of a thousand is new before every branch, or none.
        for again in ["(br_if 0 (local.get 0))", "(br_if 0 (local.get 0)) (drop) (i32.const 3)"] {
            let branches = again.repeat(BRANCHES);
            let shapes = [
                format!("{values} {branches}"),
                format!("(block (result {types}) {values} {branches})"),
                format!("(block (result {types}) (f64.const 5) {values} {branches} (br 0))"),
                format!("{values} (loop (param {types}) (result {types}) {branches})"),
            ];
            for shape in shapes {
                let words = words(&format!("(func (param i32) (result {types}) {shape})"));
                let most = 10 * BRANCHES + 6 * VALUES;
                assert!(words <= most, "{words} words are no more than {most}: {value} {again}");
            }
        }
    }
}

#[test]
fn a_branch_with_few_values_copies_them_on_its_taken_path() {
    let branches = "(br_if 0 (local.get 0))".repeat(1000);
    let fields = format!(
        "(func (param i32) (result i32 i32 i32 i64)
            (i32.const 1) (i32.const 2) (i32.const 3) (i64.const 0x7fffffffffff) {branches})"
    );
    assert!(words(&fields) <= 14 * 1000 + 20, "at most four constants, a return and a branch for each");
}

/// What a generated function does next; numbers are taken modulo whatever is there.
#[derive(Clone, Debug)]
enum Step {
    Constant(i8),
    Get(u8),
    Set(u8),
    Tee(u8),
    Add,
    Drop,
    /// Branches if a local is less than a number.
    BranchIf {
        depth: u8,
        local: u8,
        less_than: i8,
    },
    Begin {
        kind: Kind,
        params: u8,
        results: u8,
    },
    End,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Block,
    Loop,
    If,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(Kind::Block), Just(Kind::Loop), Just(Kind::If)];
    prop_oneof![
        6 => any::<i8>().prop_map(Step::Constant),
        6 => any::<u8>().prop_map(Step::Get),
        1 => any::<u8>().prop_map(Step::Set),
        1 => any::<u8>().prop_map(Step::Tee),
        1 => Just(Step::Add),
        1 => Just(Step::Drop),
        4 => (any::<u8>(), any::<u8>(), any::<i8>())
            .prop_map(|(depth, local, less_than)| Step::BranchIf { depth, local, less_than }),
        2 => (kind, 0u8..12, 0u8..12)
            .prop_map(|(kind, params, results)| Step::Begin { kind, params, results }),
        1 => Just(Step::End),
    ]
}

/// A block that is open in a generated function.
struct Open {
    kind: Kind,
    /// Operands below its parameters.
    height: usize,
    params: usize,
    results: usize,
}

const LOCALS: u8 = 3;
const RESULTS: usize = 7;

/// The function of some steps, as the text of a module.
fn function(steps: &[Step]) -> String {
    let mut body = String::new();
    let mut height = 0;
    let mut open = vec![Open { kind: Kind::Block, height: 0, params: 0, results: RESULTS }];
    for step in steps {
        let top = open.last().expect("the function itself stays open");
        let above = height - top.height;
        match *step {
            Step::Constant(value) => {
                body += &format!("i32.const {value} ");
                height += 1;
            }
            Step::Get(local) => {
                body += &format!("local.get {} ", local % LOCALS);
                height += 1;
            }
            Step::Set(local) if above > 0 => {
                body += &format!("local.set {} ", local % LOCALS);
                height -= 1;
            }
            Step::Tee(local) if above > 0 => body += &format!("local.tee {} ", local % LOCALS),
            Step::Add if above > 1 => {
                body += "i32.add ";
                height -= 1;
            }
            Step::Drop if above > 0 => {
                body += "drop ";
                height -= 1;
            }
            Step::BranchIf { depth, local, less_than } => {
                let depth = usize::from(depth) % open.len();
                let to = &open[open.len() - 1 - depth];
                let carried = if let Kind::Loop = to.kind { to.params } else { to.results };
                if carried <= above {
                    let local = local % LOCALS;
                    body +=
                        &format!("(br_if {depth} (i32.lt_s (local.get {local}) (i32.const {less_than}))) ");
                }
            }
            Step::Begin { kind, params, results } if usize::from(params) <= above => {
                let (params, results) = (usize::from(params), usize::from(results));
                let keyword = match kind {
                    Kind::Block => "block",
                    Kind::Loop => "loop",
                    Kind::If => "local.get 0 if",
                };
                let (taken, left) = ("i32 ".repeat(params), "i32 ".repeat(results));
                body += &format!("{keyword} (param {taken}) (result {left})\n");
                open.push(Open { kind, height: height - params, params, results });
            }
            Step::End if open.len() > 1 => end(&mut open, &mut height, &mut body),
            Step::Set(_) | Step::Tee(_) | Step::Add | Step::Drop | Step::Begin { .. } | Step::End => {}
        }
    }
    while !open.is_empty() {
        end(&mut open, &mut height, &mut body);
    }
    let results = "i32 ".repeat(RESULTS);
    format!("(module (func (export \"f\") (param i32 i32 i32) (result {results}) {body}))")
}

/// Ends the innermost block, with as many values as it must leave.
fn end(open: &mut Vec<Open>, height: &mut usize, body: &mut String) {
    let block = open.pop().expect("a block is open");
    let adjust = |body: &mut String, above: usize| {
        *body += &"drop ".repeat(above.saturating_sub(block.results));
        *body += &"local.get 1 ".repeat(block.results.saturating_sub(above));
    };
    adjust(body, *height - block.height);
    *height = block.height + block.results;
    if let Kind::If = block.kind {
        *body += "else ";
        adjust(body, block.params);
    }
    if !open.is_empty() {
        *body += "end\n";
    }
}

proptest! {
    #[test]
    fn values_arrive_however_blocks_and_branches_are_nested(
        steps in prop::collection::vec(step(), 0..120),
        arguments in any::<[i8; 3]>(),
    ) {
        let text = function(&steps);
        let arguments = arguments.map(|argument| Val::I32(i32::from(argument)));
        let [reference, ours] = [Mode::Interp, Mode::FastInterp].map(|mode| {
            let (mut store, instance) = instantiate(&Config::new(mode).fuel(true), &text);
            store.set_fuel(2000);
            let func = instance.func(&store, "f").expect("exported");
            let outcome = call(&mut store, func, &arguments);
            (outcome.map_err(|error| trap(Err(error)).kind()), store.fuel())
        });
        prop_assert_eq!(reference, ours, "{}", text);
    }
}
