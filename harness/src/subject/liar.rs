//! Subjects that lie in exactly one place of what they show, for the bench's check of itself.
//!
//! A bench that loses something between a mode's answer and a verdict finds nothing and says that all is well. So for
//! every field of an observation there is a lie, in one of two ways:
//!
//! - **Twins**: the liar runs another case, of the same actions, which differs from the true one in one thing. So the lie
//!   is in the engine's own store, traps and host calls, and all that comes after is checked: capture and digest too.
//! - **Answers**: all subjects show one observation that is written down here, which the liar changes. This can be about
//!   what no mode makes yet.
//!
//! Workers find the liars by their definitions, `lie:LANE:NAME`; no list of engines shows them.

mod answers;
mod twins;

use super::{Capabilities, Lane, LaneSubject, Prepared, Subject, Task, Watch};
use crate::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crate::hosts;
use crate::observe::leaves::Field;
use crate::observe::{Capture, Observation};
use crosscheck_engine::Mode;
use std::sync::{Arc, OnceLock};

/// What definitions of liars begin with.
const LIE: &str = "lie:";
/// What definitions of their true counterparts begin with.
const TRUTH: &str = "truth:";

/// A lie.
pub struct Lie {
    /// Its name.
    pub name: &'static str,
    /// The fields in which what is shown differs, with everything spelled out; the first is what the lie is about.
    /// Digests differ as well where what they are of does, and stand here where nothing else shows a lie.
    pub fields: &'static [Field],
    /// What a comparison is to say.
    pub shows: Shows,
    /// The capabilities without which the lie is not seen, as [`Capabilities::rows`] names them.
    pub unseen_without: &'static [&'static str],
    specimen: Specimen,
}

/// What a comparison is to say of a lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shows {
    /// That it differs.
    Difference {
        /// The kind of difference and the place, as the fingerprint has them.
        what: &'static str,
        /// The difference in words, or how they begin if they end with `...`: digests of everything change with the
        /// harness.
        told: &'static str,
        /// Whether that is with everything spelled out alone, or by digest alone.
        with: With,
    },
    /// Nothing: the field is free, for that reason.
    Nothing(&'static str),
    /// That nothing can be said of the case, for that reason.
    Inconclusive(&'static str),
}

/// In which captures a lie is seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum With {
    /// In all.
    Both,
    /// By digest, and not with everything spelled out.
    Digest,
    /// With everything spelled out, and not by digest.
    Full,
}

enum Specimen {
    Twins(Twins),
    Answer(fn(&mut Observation)),
}

/// Two cases in one: where they are not the same, a text has `{true|lying}`.
#[derive(Clone, Copy)]
struct Twins {
    /// The modules, as text.
    modules: &'static [&'static str],
    /// The actions: a number instantiates the module, a name calls an export of the last module, `>name` reads a global.
    actions: &'static str,
    /// What every call is given; whether to lie is said.
    args: fn(bool) -> Vec<Value>,
    /// How hosts behave; whether to lie is said.
    hosts: fn(bool) -> HostPlan,
    /// Bytes to which a memory may grow; whether to lie is said.
    memory_bytes: fn(bool) -> u64,
}

impl Lie {
    /// All lies, an observation's first field first.
    pub fn all() -> &'static [Lie] {
        static ALL: OnceLock<Vec<Lie>> = OnceLock::new();
        ALL.get_or_init(|| twins::lies().into_iter().chain(answers::lies()).collect())
    }

    /// Whether the engine itself is brought to show it, so that capture and digests are checked too.
    pub fn is_made_by_the_engine(&self) -> bool {
        matches!(self.specimen, Specimen::Twins(_))
    }

    /// The case that shows it, and who runs it: two that say the truth, and the liar between them.
    pub fn task(&'static self) -> Task {
        let [interp, fast] = [Mode::Interp, Mode::FastInterp].map(Lane::plain);
        let moving = interp.with(super::Switch::MovingMemory);
        let liar = |lane, is_lying| Arc::new(Liar::new(self, lane, is_lying)) as Arc<dyn Subject>;
        Task {
            case: self.case(false),
            subjects: vec![liar(interp, false), liar(fast, true), liar(moving, false)],
        }
    }

    fn case(&self, is_lying: bool) -> Case {
        match &self.specimen {
            Specimen::Twins(twins) => twins.case(is_lying),
            Specimen::Answer(_) => answers::case(),
        }
    }
}

impl Twins {
    fn case(&self, is_lying: bool) -> Case {
        let encode = |text: &&str| {
            let text = chosen(text, is_lying);
            let buffer = wast::parser::ParseBuffer::new(&text).expect("the text of a lie can be read");
            let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the text of a lie is a module");
            module.encode().expect("the module of a lie can be written")
        };
        let named =
            |(number, text): (usize, &&str)| CaseModule { name: format!("m{number}"), wasm: encode(text) };
        let last = self.modules.len() as u32 - 1;
        let action = |word: &str| match (word.parse(), word.strip_prefix('>')) {
            (Ok(module), _) => Action::Instantiate { module },
            (Err(_), Some(export)) => Action::Read { module: last, export: export.to_string() },
            (Err(_), None) => {
                Action::Invoke { module: last, export: word.to_string(), args: (self.args)(is_lying) }
            }
        };
        Case {
            modules: self.modules.iter().enumerate().map(named).collect(),
            hosts: (self.hosts)(is_lying),
            actions: chosen(self.actions, is_lying).split_whitespace().map(action).collect(),
            limits: Limits {
                fuel: Some(20_000),
                depth_slots: 4_000,
                memory_bytes: (self.memory_bytes)(is_lying),
                ..Limits::default()
            },
        }
    }
}

/// A text with the first of each two alternatives, or with the second.
fn chosen(text: &str, is_second: bool) -> String {
    let mut parts = text.split(['{', '|', '}']);
    let mut chosen = parts.next().unwrap_or_default().to_string();
    while let (Some(first), Some(second), Some(rest)) = (parts.next(), parts.next(), parts.next()) {
        chosen.push_str(if is_second { second } else { first });
        chosen.push_str(rest);
    }
    chosen
}

/// A plan whose hosts do what they say, found by its seed: the first `skipped` ones that would do are left out.
fn plan(fits: fn(HostPlan) -> bool, skipped: usize) -> HostPlan {
    let plans = (0..).map(|seed| HostPlan::new(seed, 0));
    plans.filter(|plan| fits(*plan)).nth(skipped).expect("seeds do not run out")
}

/// Whether the first two imports of a case only answer.
fn answers(plan: HostPlan) -> bool {
    let acts =
        |import| hosts::reads(plan, import) || hosts::writes(plan, import) || hosts::calls_back(plan, import);
    !acts(0) && !acts(1)
}

/// A subject that lies, or its counterpart that does not.
pub struct Liar {
    lie: &'static Lie,
    is_lying: bool,
    lane: LaneSubject,
    definition: String,
    /// What a twin that lies runs instead.
    twin: Option<Case>,
}

impl Liar {
    fn new(lie: &'static Lie, lane: Lane, is_lying: bool) -> Liar {
        let definition = format!("{}{lane}:{}", if is_lying { LIE } else { TRUTH }, lie.name);
        let twin = (is_lying && lie.is_made_by_the_engine()).then(|| lie.case(true));
        Liar { lie, is_lying, lane: LaneSubject::new(lane), definition, twin }
    }

    /// The subject of that definition, if it is one of a liar; fails with what is not there.
    pub(super) fn parse(definition: &str) -> Option<Result<Arc<dyn Subject>, String>> {
        let lying = definition.strip_prefix(LIE).map(|rest| (rest, true));
        let (rest, is_lying) = lying.or_else(|| Some((definition.strip_prefix(TRUTH)?, false)))?;
        let (lane, name) = rest.split_once(':')?;
        let found = || {
            let lie = Lie::all().iter().find(|lie| lie.name == name);
            let lie = lie.ok_or_else(|| format!("there is no lie `{name}`"))?;
            Ok(Arc::new(Liar::new(lie, lane.parse()?, is_lying)) as Arc<dyn Subject>)
        };
        Some(found())
    }
}

impl Subject for Liar {
    fn name(&self) -> &str {
        self.lane.name()
    }

    fn definition(&self) -> &str {
        &self.definition
    }

    fn capabilities(&self) -> Capabilities {
        self.lane.capabilities()
    }

    fn is_outside(&self) -> bool {
        false
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        match (&self.lie.specimen, &self.twin) {
            (Specimen::Answer(lie), _) => {
                let observation = answers::shown(self.is_lying.then_some(*lie), capture);
                for (number, action) in observation.actions.iter().enumerate() {
                    watch.begins(number);
                    watch.ended(action);
                }
                observation
            }
            (Specimen::Twins(_), Some(twin)) => self.lane.observe(&Prepared::new(twin), capture, watch),
            (Specimen::Twins(_), None) => self.lane.observe(prepared, capture, watch),
        }
    }
}

// How rows are written.
impl Lie {
    fn seen(self, what: &'static str, told: &'static str) -> Lie {
        Lie { shows: Shows::Difference { what, told, with: With::Both }, ..self }
    }

    fn by_digest(self, what: &'static str, told: &'static str) -> Lie {
        Lie { shows: Shows::Difference { what, told, with: With::Digest }, ..self }
    }

    fn in_full(self, what: &'static str, told: &'static str) -> Lie {
        Lie { shows: Shows::Difference { what, told, with: With::Full }, ..self }
    }

    fn free(self, why: &'static str) -> Lie {
        Lie { shows: Shows::Nothing(why), ..self }
    }

    fn inconclusive(self, why: &'static str) -> Lie {
        Lie { shows: Shows::Inconclusive(why), ..self }
    }

    fn unseen_without(self, capabilities: &'static [&'static str]) -> Lie {
        Lie { unseen_without: capabilities, ..self }
    }
}
