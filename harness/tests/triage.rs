//! What is done with a divergence, as a program that uses the library does it: without the command line.

#[path = "../examples/own_engine.rs"]
#[allow(dead_code, reason = "the example's engine is wanted, not its program")]
mod own_engine;

use crosscheck::case::{Action, Case, CaseModule, HostPlan, Limits, Value};
use crosscheck::corpus::finding::{Kinship, Record};
use crosscheck::corpus::{FINDINGS, Started};
use crosscheck::finding::Finding;
use crosscheck::observe::Capture;
use crosscheck::run::Ground;
use crosscheck::subject::{Lane, LaneSubject, Subject, Task};
use crosscheck::triage::{Findings, Listener, LookedInto, Looking, Step};
use crosscheck::trial::run_task;
use crosscheck_engine::Mode;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Writes down what it hears.
#[derive(Default)]
struct Heard {
    steps: Mutex<Vec<String>>,
}

impl Heard {
    fn note(&self, step: impl Into<String>) {
        let mut steps = self.steps.lock().expect("no thread panics");
        let step = step.into();
        // How often the case became smaller is left open.
        if steps.last() != Some(&step) {
            steps.push(step);
        }
    }
}

impl Listener for Heard {
    fn saved(&self, _: &Finding, folder: &Path) {
        assert!(folder.join("finding.md").is_file(), "a finding that is told of is complete");
        self.note("saved");
    }

    fn begins(&self, finding: &Finding) {
        self.note(format!("begins {}", finding.index));
    }

    fn step(&self, step: Step<'_>) {
        self.note(match step {
            Step::Smaller(_) => "smaller",
            Step::Reduced(_) => "reduced",
            Step::Localised(_) => "localised",
            Step::Related(_) => "related",
        });
    }

    fn looked_into(&self, looked: &LookedInto<'_>) {
        let kin = looked.kin.map(|(kinship, _)| kinship);
        self.note(format!("looked into {} {kin:?}", looked.reduction.is_ok()));
    }
}

/// A case in which the example's engine shifts wrongly, and the subjects that run it.
fn task(by: u32) -> Task {
    let wat = r#"(module
        (func (export "twice") (param i32) (result i32) (i32.add (local.get 0) (local.get 0)))
        (func (export "shift") (param i32 i32) (result i32)
            (i32.add (i32.const 5) (i32.shl (local.get 0) (local.get 1)))))"#;
    let buffer = wast::parser::ParseBuffer::new(wat).expect("the text is a constant");
    let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the text is a constant");
    let wasm = module.encode().expect("the text is a constant");
    let invoke = |export: &str, args: Vec<Value>| Action::Invoke { module: 0, export: export.into(), args };
    let case = Case {
        modules: vec![CaseModule { name: "m".into(), wasm }],
        hosts: HostPlan::new(0, 0),
        actions: vec![
            Action::Instantiate { module: 0 },
            invoke("twice", vec![Value::I32(4)]),
            invoke("shift", vec![Value::I32(1), Value::I32(by)]),
        ],
        limits: Limits { fuel: Some(1000), ..Limits::default() },
    };
    let lanes = Mode::all().map(|mode| LaneSubject::shared(Lane::plain(mode)));
    Task { case, subjects: lanes.chain([Arc::new(own_engine::Toy) as Arc<dyn Subject>]).collect() }
}

fn found(task: &Task, index: u64) -> Finding {
    let run = run_task(Ground::InProcess, task, Capture::Full).expect("this process is there");
    run.finding(task.clone(), "by hand", 0, index).expect("the example shifts wrongly")
}

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("crosscheck-triage-{name}-{}", std::process::id()))
}

fn looking(stop: &AtomicBool, most: Option<u64>) -> Looking<'_> {
    Looking { ground: Ground::InProcess, stop, each: Duration::from_secs(600), until: None, most }
}

#[test]
fn a_case_becomes_a_finished_finding() {
    let (folder, stop, heard) = (folder("finished"), AtomicBool::new(false), Heard::default());
    let mut findings = Findings::new(&folder.join(FINDINGS), Started::default(), looking(&stop, None));
    let task = task(33);
    let finding = found(&task, 1);
    findings.take_of(&finding, &task.subjects, &heard).expect("the folder can be written");
    let steps = ["saved", "begins 1", "smaller", "reduced", "localised", "related", "looked into true None"];
    assert_eq!(*heard.steps.lock().expect("no thread panics"), steps);
    let place = folder.join(FINDINGS).join(finding.folder_name());
    let reduced = Record::load(&place).expect("it was written").reduced.expect("it was reduced");
    let bug = reduced.bug.to_string();
    assert!(bug.starts_with("toy|"), "{bug}");
    assert!(reduced.code_bytes < 16, "{}", reduced.code_bytes);
    let page = std::fs::read_to_string(place.join("finding.md")).expect("it was written");
    assert!(page.contains("i32.shl") && page.contains(&bug), "{page}");
    assert!(place.join("reduced.wast").is_file() && place.join("reduced.xchk").is_file());
    std::fs::remove_dir_all(&folder).expect("it is there");
}

#[test]
fn findings_of_one_bug_are_told_of_each_other() {
    let (folder, stop, heard) = (folder("kin"), AtomicBool::new(false), Heard::default());
    let mut findings = Findings::new(&folder, Started::default(), looking(&stop, None));
    for (by, index) in [(33, 1), (40, 2)] {
        let task = task(by);
        findings.take_of(&found(&task, index), &task.subjects, &heard).expect("the folder can be written");
    }
    let steps = heard.steps.into_inner().expect("no thread panics");
    let kin = format!("looked into true {:?}", Some(Kinship::Perhaps));
    let same = format!("looked into true {:?}", Some(Kinship::Same));
    assert!(steps.last().is_some_and(|last| [kin, same].contains(last)), "{steps:?}");
    std::fs::remove_dir_all(&folder).expect("it is there");
}

#[test]
fn a_run_ends_with_as_many_findings_as_were_asked_for() {
    let (folder, stop, heard) = (folder("enough"), AtomicBool::new(false), Heard::default());
    let looking = Looking { each: Duration::ZERO, ..looking(&stop, Some(1)) };
    let mut findings = Findings::new(&folder, Started::default(), looking);
    let task = task(33);
    assert!(!findings.are_enough());
    findings.take_of(&found(&task, 1), &task.subjects, &heard).expect("the folder can be written");
    assert!(findings.are_enough() && stop.load(Ordering::Relaxed));
    let steps = heard.steps.into_inner().expect("no thread panics");
    assert_eq!(steps, ["saved"], "without time no finding is looked into");
    std::fs::remove_dir_all(&folder).expect("it is there");
}

#[test]
fn what_cannot_be_saved_is_told() {
    let (file, stop) = (folder("file"), AtomicBool::new(false));
    std::fs::write(&file, "").expect("a temporary file");
    let mut findings = Findings::new(&file, Started::default(), looking(&stop, None));
    let task = task(33);
    let unsaved = findings.take_of(&found(&task, 1), &task.subjects, &Heard::default());
    let unsaved = unsaved.expect_err("a folder cannot be made below a file").to_string();
    assert!(unsaved.starts_with("cannot save a finding: "), "{unsaved}");
    std::fs::remove_file(&file).expect("it is there");
}
