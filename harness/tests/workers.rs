//! Subjects that die, and benches that don't.
//!
//! This program is the tests and the workers they start: with the workers' argument it serves, beside the lanes,
//! subjects that crash, hang and exhaust memory on purpose. That is why it has its own `main`.

#[cfg(unix)]
mod unix {
    use crosscheck::campaign::{Campaign, Lanes};
    use crosscheck::case::{Action, Case, CaseModule, HostPlan, Limits};
    use crosscheck::compare::Kind;
    use crosscheck::events::{Events, Tally};
    use crosscheck::features::Features;
    use crosscheck::finding::Finding;
    use crosscheck::observe::{ActionObservation, Capture, Observation, Outcome};
    use crosscheck::run::Ground;
    use crosscheck::script::{self, ScriptFile, ScriptReport};
    use crosscheck::subject::{self, Capabilities, Lane, LaneSubject, Prepared, Subject, Task, Watch};
    use crosscheck::triage::{Budget, Question};
    use crosscheck::trial::run_task;
    use crosscheck::worker::{self, Options, Workers};
    use crosscheck_engine::Mode;
    use std::process::ExitCode;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    /// What a faulty subject does where it is triggered.
    #[derive(Clone, Copy)]
    enum Fault {
        Signal(i32),
        /// A read near address zero.
        Read,
        /// Recursion without end on the native stack.
        Recurse,
        Abort,
        Exit,
        Hang,
        Memory,
    }

    const FAULTS: [(&str, Fault); 9] = [
        ("faulty-segv", Fault::Signal(libc::SIGSEGV)),
        ("faulty-ill", Fault::Signal(libc::SIGILL)),
        ("faulty-killed", Fault::Signal(libc::SIGKILL)),
        ("faulty-read", Fault::Read),
        ("faulty-recursion", Fault::Recurse),
        ("faulty-abort", Fault::Abort),
        ("faulty-exit", Fault::Exit),
        ("faulty-hang", Fault::Hang),
        ("faulty-memory", Fault::Memory),
    ];

    impl Fault {
        fn strike(self) {
            match self {
                // SAFETY: the process is meant to die of it.
                Fault::Signal(signal) => unsafe {
                    libc::raise(signal);
                },
                // SAFETY: none: the page of address zero is not mapped, and the process is meant to die of it.
                Fault::Read => unsafe {
                    std::ptr::read_volatile(std::ptr::without_provenance::<u8>(0x10));
                },
                Fault::Recurse => drop(recurse(0)),
                Fault::Abort => std::process::abort(),
                Fault::Exit => std::process::exit(3),
                Fault::Hang => loop {
                    std::thread::sleep(Duration::from_secs(1));
                },
                Fault::Memory => {
                    let mut all = Vec::new();
                    loop {
                        all.push(vec![1u8; 32 << 20]);
                        std::thread::sleep(Duration::from_millis(10));
                    }
                }
            }
        }
    }

    /// Takes a page of the native stack, and then another one.
    fn recurse(depth: u64) -> u64 {
        let page = std::hint::black_box([depth; 512]);
        if std::hint::black_box(true) { recurse(depth + 1) + page[depth as usize % 512] } else { depth }
    }

    /// An interpreter that has a fault in its second action on some cases.
    struct Faulty {
        name: &'static str,
        fault: Fault,
    }

    /// One case in this many triggers the fault.
    const ONE_IN: u64 = 40;

    fn is_triggered(case: &Case) -> bool {
        case.hosts.seed.is_multiple_of(ONE_IN) && case.actions.len() > 1
    }

    impl Subject for Faulty {
        fn name(&self) -> &str {
            self.name
        }

        fn capabilities(&self) -> Capabilities {
            Capabilities::ALL
        }

        fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
            let healthy = LaneSubject::new(Lane::plain(Mode::Interp));
            if !is_triggered(prepared.case) {
                return healthy.observe(prepared, capture, watch);
            }
            healthy.observe(prepared, capture, &mut Striking { watch, fault: self.fault })
        }
    }

    struct Striking<'a> {
        watch: &'a mut dyn Watch,
        fault: Fault,
    }

    impl Watch for Striking<'_> {
        fn begins(&mut self, action: usize) {
            self.watch.begins(action);
            if action == 1 {
                self.fault.strike();
            }
        }

        fn ended(&mut self, observed: &ActionObservation) {
            self.watch.ended(observed);
        }
    }

    fn find(name: &str) -> Result<Arc<dyn Subject>, String> {
        match FAULTS.iter().find(|(known, _)| *known == name) {
            Some((name, fault)) => Ok(Arc::new(Faulty { name, fault: *fault })),
            None => subject::named(name),
        }
    }

    /// A worker; before its argument may stand what is to happen to it.
    fn serve(arguments: &[String]) -> ExitCode {
        match arguments.first().map(String::as_str) {
            Some("killed") => die_soon(libc::SIGKILL),
            Some("aborted") => die_soon(libc::SIGABRT),
            Some("located") => worker::crash::set_locator(|pc| {
                let place = worker::protocol::CodePlace { func: 3, code_offset: 0x12, wasm_offset: 0x158 };
                (pc != 0).then_some(place)
            }),
            #[cfg(feature = "planted-faults")]
            Some("astray") => crosscheck_engine::faults::plant(Some(
                crosscheck_engine::faults::Fault::named("baseline-load-from-nowhere"),
            )),
            Some(_) | None => {}
        }
        worker::serve_as(&find)
    }

    /// Kills this process after a time that differs from process to process.
    fn die_soon(signal: i32) {
        let time = Duration::from_millis(100 + u64::from(std::process::id()) % 7 * 15);
        std::thread::spawn(move || {
            std::thread::sleep(time);
            // SAFETY: the process is meant to die of it.
            unsafe { libc::kill(libc::getpid(), signal) };
        });
    }

    /// Workers that this happens to.
    fn doomed(fate: &str) -> Options {
        let mut options = options();
        options.command.push(fate.into());
        options
    }

    fn options() -> Options {
        Options::of(std::env::current_exe().expect("this program is a file"))
    }

    fn start(options: Options) -> Workers {
        Workers::start(options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Listens to a campaign and keeps its findings.
    #[derive(Default)]
    struct Heard(Vec<Finding>);

    impl Events for Heard {
        fn progress(&mut self, _: &Tally, _: Option<u64>, _: Duration) {}
        fn finding(&mut self, finding: &Finding) {
            self.0.push(finding.clone());
        }
    }

    fn campaign(cases: u64, faulty: Option<&str>) -> Campaign {
        Campaign {
            seed: 1,
            first: 0,
            cases: Some(cases),
            time: None,
            shard: (0, 1),
            lanes: Lanes::Swarm(Mode::all().collect()),
            judges: faulty.into_iter().map(|name| find(name).expect("a faulty subject")).collect(),
            model_percent: 0,
            features: Features::executed(),
            material: None,
        }
    }

    fn run(campaign: &Campaign, ground: Ground<'_>) -> Tally {
        let tally = campaign.run_on(ground, &mut Heard::default(), &AtomicBool::new(false));
        tally.unwrap_or_else(|error| panic!("{error}"))
    }

    /// How many of the first cases of a campaign trigger a fault, and which is the first.
    fn triggered(campaign: &Campaign, cases: u64) -> (u64, u64) {
        let mut generator = campaign.generator();
        let made = (0..cases).filter_map(|index| Some((index, generator.case(campaign.seed, index)?.case)));
        let indices: Vec<u64> = made.filter(|(_, case)| is_triggered(case)).map(|(index, _)| index).collect();
        (indices.len() as u64, *indices.first().expect("some case triggers the fault"))
    }

    /// All that must not depend on where subjects run.
    fn figures(tally: &Tally) -> String {
        let mut tally = tally.clone();
        tally.workers_lost = 0;
        let findings: Vec<String> = tally.findings.drain(..).map(|finding| finding.folder_name()).collect();
        format!("{tally:#?} {findings:?}")
    }

    fn the_same_campaign_gives_the_same_totals_on_both_grounds() {
        let workers = start(options());
        let campaign = campaign(600, None);
        let (here, there) = (run(&campaign, Ground::InProcess), run(&campaign, Ground::Workers(&workers)));
        assert_eq!(figures(&here), figures(&there));
        assert_eq!((there.workers_lost, there.diverge), (0, 0));
        assert!(there.agree > 590);
    }

    /// A fault is found in exactly the cases that trigger it, with everybody else's verdict untouched.
    fn is_found(name: &str, kind: Kind, told: &str, options: Options, cases: u64) {
        let workers = start(options);
        let campaign = campaign(cases, Some(name));
        let (times, first) = triggered(&campaign, cases);
        let mut heard = Heard::default();
        let tally = campaign.run_on(Ground::Workers(&workers), &mut heard, &AtomicBool::new(false));
        let tally = tally.unwrap_or_else(|error| panic!("{error}"));
        let failures = if kind == Kind::Hang { tally.hangs } else { tally.crashes };
        assert_eq!((tally.diverge, failures, tally.crashes + tally.hangs), (times, times, times), "{name}");
        assert_eq!(tally.agree + tally.diverge + tally.invalid + tally.inconclusive_cases(), cases, "{name}");
        assert_eq!(tally.inconclusive_cases(), 0, "{name}: {:?}", tally.inconclusive);
        assert!(tally.workers_lost >= times, "{name}");
        assert_eq!(heard.0.len(), 1, "{name}: one fault, one fingerprint");
        let finding = &heard.0[0];
        assert_eq!(finding.index, first, "{name}");
        let difference = &finding.divergence.first;
        assert_eq!((difference.kind, difference.action), (kind, 1), "{name}: {difference}");
        assert!(difference.right.to_string().contains(told), "{name}: {difference}");
        let groups = &finding.divergence.groups;
        assert_eq!((groups.len(), &groups[1][..]), (2, &[name.to_string()][..]), "{name}: {groups:?}");
        assert!(groups[0].contains(&"interp".to_string()) || groups[0].len() >= 2, "{name}: {groups:?}");
    }

    fn a_crash_is_a_finding_of_its_case_and_the_run_goes_on() {
        is_found("faulty-segv", Kind::Crash, "SIGSEGV", options(), 300);
        is_found("faulty-ill", Kind::Crash, "SIGILL", options(), 100);
        is_found("faulty-read", Kind::Crash, "SIGSEGV, address 0x10", options(), 100);
        is_found("faulty-recursion", Kind::Crash, "SIGSEGV, the native stack is exhausted", options(), 100);
        is_found("faulty-abort", Kind::Crash, "SIGABRT", options(), 100);
    }

    fn a_crash_in_generated_code_is_told_with_its_place() {
        if cfg!(target_os = "linux") {
            let told = "SIGSEGV at f3+0x12 (wasm 0x158), address 0x10";
            is_found("faulty-read", Kind::Crash, told, doomed("located"), 60);
        }
    }

    /// A load of compiled code goes astray: the second opcode of the second function, whose index is 2.
    fn a_crash_of_compiled_code_is_told_with_its_function_and_opcode() {
        if !cfg!(all(feature = "planted-faults", target_os = "linux", target_arch = "x86_64")) {
            return;
        }
        let wat = r#"(module (import "host" "h" (func)) (memory 1)
            (func $g (result i32) (i32.const 1))
            (func (export "f") (result i32) (i32.load (i32.const 8)) (i32.add (call $g))))"#;
        let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
        let mut module: wast::Wat<'_> = wast::parser::parse(&buffer).expect("the test's text is well-formed");
        let wasm = module.encode().expect("the test's text can be encoded");
        let load = wasm.windows(3).position(|bytes| bytes == [0x28, 2, 0]).expect("there is one load");
        let call = Action::Invoke { module: 0, export: "f".into(), args: Vec::new() };
        let case = Case {
            modules: vec![CaseModule { name: "m".into(), wasm }],
            hosts: HostPlan::new(1, 0),
            actions: vec![Action::Instantiate { module: 0 }, call],
            limits: Limits::default(),
        };
        let workers = start(doomed("astray"));
        for lane in ["baseline", "baseline+few-registers", "baseline+lazy", "baseline+short-branches"] {
            let subjects = ["interp", lane].map(|name| subject::named(name).expect("a lane"));
            let task = Task { case: case.clone(), subjects: subjects.to_vec() };
            let run = run_task(Ground::Workers(&workers), &task, Capture::Digest).expect("a worker");
            let Outcome::Crash(told) = &run.observations[1].1.actions[1].outcome else {
                panic!("{lane}: it does not crash")
            };
            assert!(told.starts_with("SIGSEGV at f2+0x"), "{lane}: {told}");
            assert!(told.contains(&format!("(wasm {load:#x})")), "{lane}: {told}, not {load:#x}");
        }
    }

    /// Not a word is lost of a crash that the case doesn't show again: it was something's fault.
    fn a_crash_that_does_not_repeat_is_a_finding_all_the_same() {
        let workers = start(doomed("aborted"));
        let tally = run(&campaign(1500, None), Ground::Workers(&workers));
        // A second worker may be hit on the same case: both are one crash.
        assert!(tally.crashes > 0 && tally.crashes <= tally.workers_lost, "{} crashes", tally.crashes);
        assert_eq!(tally.crashes, tally.diverge);
        assert_eq!(tally.agree + tally.diverge + tally.inconclusive_cases(), 1500);
        let first = &tally.findings[0].divergence.first;
        assert!(first.right.to_string().ends_with("SIGABRT; not when it was run again"), "{first}");
        assert_eq!(first.place, "SIGABRT");
    }

    fn a_process_that_ends_by_itself_is_a_crash_too() {
        is_found("faulty-exit", Kind::Crash, "ends with code 3", options(), 100);
        is_found("faulty-killed", Kind::Crash, "SIGKILL", options(), 100);
    }

    fn a_hang_is_a_finding_after_the_time_that_was_given() {
        let hasty = Options { timeout: Duration::from_millis(1500), ..options() };
        is_found("faulty-hang", Kind::Hang, "not done in 1.5 s", hasty, 60);
    }

    /// Workers that would wait an hour for a subject that hangs.
    fn patient() -> Workers {
        start(Options { timeout: Duration::from_secs(3600), ..options() })
    }

    fn an_interrupt_ends_a_campaign_although_a_subject_hangs() {
        let workers = patient();
        let campaign = campaign(4000, Some("faulty-hang"));
        let stop = AtomicBool::new(false);
        let tally = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(500));
                stop.store(true, Ordering::Relaxed);
            });
            campaign.run_on(Ground::Workers(&workers), &mut Heard::default(), &stop)
        });
        let tally = tally.unwrap_or_else(|error| panic!("{error}"));
        assert!(!tally.complete && tally.cases < 4000, "{} cases", tally.cases);
        assert_eq!(tally.cases, tally.next_index, "what is counted is what need not be run again");
        let counted = tally.agree + tally.diverge + tally.invalid + tally.inconclusive_cases();
        assert_eq!(counted, tally.cases);
    }

    fn a_campaign_keeps_its_time_although_a_subject_hangs() {
        let workers = patient();
        let campaign =
            Campaign { time: Some(Duration::from_millis(500)), ..campaign(4000, Some("faulty-hang")) };
        let tally =
            campaign.run_on(Ground::Workers(&workers), &mut Heard::default(), &AtomicBool::new(false));
        let tally = tally.unwrap_or_else(|error| panic!("{error}"));
        assert!(!tally.complete && tally.cases == tally.next_index, "{} cases", tally.cases);
    }

    fn looking_into_a_hang_keeps_its_time() {
        let quick = start(Options { timeout: Duration::from_millis(1500), ..options() });
        let mut heard = Heard::default();
        let campaign = campaign(300, Some("faulty-hang"));
        campaign.run_on(Ground::Workers(&quick), &mut heard, &AtomicBool::new(false)).expect("a worker");
        let Finding { case, divergence, .. } = heard.0.first().expect("a hang is found");
        let names = divergence.groups.iter().flatten();
        let subjects: Vec<_> = names.map(|name| find(name).expect("a subject")).collect();
        let stop = AtomicBool::new(false);
        // A short timeout shows a hang that is known as well: it is reduced.
        let budget = |time| Budget { stop: &stop, time: Some(time) };
        let question =
            Question::new(Ground::Workers(&quick), case, divergence, &subjects).expect("it hangs again");
        let found =
            question.investigate(case, &budget(Duration::from_secs(20)), &|_| ()).expect("it is reduced");
        assert!(found.reduced.case.wasm_bytes() < case.wasm_bytes());
        // Where even that takes longer than there is time, the time ends it.
        let workers = patient();
        let until = Some(Instant::now() + Duration::from_millis(300));
        let ground = Ground::Workers(&workers).until(&stop, until);
        assert!(Question::new(ground, case, divergence, &subjects).is_err());
    }

    fn memory_without_end_is_a_crash() {
        if cfg!(target_os = "linux") {
            let tight = Options { resident_bytes: 512 << 20, ..options() };
            is_found("faulty-memory", Kind::Crash, "out of memory: more than 512 MiB", tight, 60);
        }
    }

    fn workers_that_are_killed_from_outside_lose_nothing_and_count_nothing_twice() {
        let workers = start(doomed("killed"));
        let campaign = campaign(1500, None);
        let (here, there) = (run(&campaign, Ground::InProcess), run(&campaign, Ground::Workers(&workers)));
        assert_eq!(figures(&here), figures(&there));
        assert!(there.workers_lost > 0, "nobody was killed");
        assert!(workers.lost() >= there.workers_lost);
    }

    /// The others' actions are there although one subject died in the middle.
    fn a_replay_shows_what_a_subject_did_before_it_died() {
        let workers = start(options());
        let campaign = campaign(200, Some("faulty-segv"));
        let (_, first) = triggered(&campaign, 200);
        let case = campaign.generator().case(1, first).expect("it was made before").case;
        let subjects = ["interp", "faulty-segv", "fast-interp"].map(|name| find(name).expect("a subject"));
        let task = Task { case, subjects: subjects.to_vec() };
        let run = run_task(Ground::Workers(&workers), &task, Capture::Full).unwrap_or_else(|e| panic!("{e}"));
        let seen = |name: &str| {
            let found = run.observations.iter().find(|(subject, _)| subject == name);
            found.map(|(_, observation)| observation.actions.clone()).expect("everybody is observed")
        };
        let (mut healthy, faulty) = (seen("interp"), seen("faulty-segv"));
        assert_eq!(healthy, seen("fast-interp"));
        assert_eq!(healthy.len(), task.case.actions.len());
        // The dead leave a digest of their state, and not the state.
        assert!(healthy[0].state.take().is_some());
        assert_eq!((faulty.len(), &faulty[0]), (2, &healthy[0]));
        assert!(matches!(&faulty[1].outcome, Outcome::Crash(message) if message == "SIGSEGV"));
    }

    const SPINNING: &str = r#"(module
        (func (export "one") (result i32) (i32.const 1))
        (func (export "spin") (loop (br 0))))
      (assert_return (invoke "one") (i32.const 1))
      (assert_return (invoke "spin"))
      (assert_return (invoke "one") (i32.const 1))"#;

    fn run_scripts(options: Options, texts: &[&'static str]) -> ScriptReport {
        let workers = start(options);
        let files: Vec<ScriptFile> = texts.iter().map(|text| ScriptFile::new("test.wast", *text)).collect();
        let stop = AtomicBool::new(false);
        let (lanes, options) = (script::Lane::all_modes(), script::Options::default());
        let report = worker::scripts::run_files(&workers, &files, &lanes, &options, &stop, &|_, _| {});
        report.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every lane fails line 5 and skips what follows; the other script passes.
    fn fails_where_it_spins(options: Options, told: &str) {
        let report =
            run_scripts(options, &[SPINNING, "(module) (assert_invalid (module (func i32.add)) \"\")"]);
        assert_eq!(report.files, 2);
        for (mode, counts) in &report.modes {
            assert_eq!((counts.passed, counts.failed, counts.skipped), (2, 1, 1), "in {mode}: {report:#?}");
        }
        for failure in &report.failures {
            assert_eq!(failure.line, 5);
            assert!(failure.message.contains(told), "{failure:?}");
        }
    }

    fn a_script_that_kills_its_worker_fails_the_directive_in_every_lane_that_does() {
        fails_where_it_spins(doomed("aborted"), "crash: SIGABRT");
    }

    fn a_script_that_does_not_end_fails_the_directive() {
        let hasty = Options { timeout: Duration::from_millis(700), ..options() };
        fails_where_it_spins(hasty, "hang: not done in 0.7 s");
    }

    fn scripts_give_the_same_report_on_both_grounds() {
        let group: crosscheck_spec_tests::Group = "wasm-v1".parse().expect("a group of the suite");
        let files: Vec<ScriptFile> = group.files().into_iter().map(ScriptFile::from).collect();
        let (lanes, settings) = (script::Lane::all_modes(), script::Options::default());
        let (stop, workers) = (AtomicBool::new(false), start(options()));
        let here = script::run_files(&files, &lanes, &settings, &stop, &|_, _| {});
        let there = worker::scripts::run_files(&workers, &files, &lanes, &settings, &stop, &|_, _| {});
        let timeless = |report| ScriptReport { took: Duration::ZERO, ..report };
        assert_eq!(Ok(timeless(here)), there.map(timeless));
    }

    fn a_worker_of_another_version_is_refused_in_one_sentence() {
        let greet = |bytes: &str| Options {
            command: ["sh", "-c"]
                .map(Into::into)
                .into_iter()
                .chain([format!("printf '{bytes}'").into()])
                .collect(),
            ..options()
        };
        let refused = |options: Options| Workers::start(options).err().expect("it is no worker of ours");
        let error = refused(greet(r"\007\000\000\000\000xwrk\347\003"));
        let ours = format!("this program version {}", worker::protocol::VERSION);
        assert!(error.contains(&format!("speaks version 999 of the protocol, {ours}")), "{error}");
        for strange in [r"hello", r"", r"\007\000\000\000\000nope\001\000", r"\377\377\377\377"] {
            let error = refused(greet(strange));
            assert!(error.contains("is no worker") && !error.contains('\n'), "{error}");
        }
        let error = refused(Options::of("/nowhere/at/all"));
        assert!(error.contains("cannot start the worker `/nowhere/at/all`"), "{error}");
    }

    fn a_worker_says_what_it_is() {
        let workers = start(options());
        let greeting = workers.greeting();
        assert_eq!(greeting.arch, std::env::consts::ARCH);
        assert!(greeting.subjects.iter().any(|name| name == "interp"));
        assert!(greeting.switches.iter().any(|name| name == "moving-memory"));
    }

    fn a_subject_that_the_worker_has_not_is_an_error_and_not_a_verdict() {
        let workers = start(options());
        let case = campaign(1, None).generator().case(1, 0).expect("a case").case;
        let stranger = Arc::new(Faulty { name: "stranger", fault: Fault::Exit });
        let task = Task { case, subjects: vec![find("interp").expect("a mode"), stranger] };
        let Err(error) = run_task(Ground::Workers(&workers), &task, Capture::Digest) else {
            panic!("nobody knows the stranger")
        };
        assert!(error.contains("no mode is called `stranger`"), "{error}");
    }

    type Test = (&'static str, fn());

    macro_rules! tests {
        ($($name:ident),* $(,)?) => { &[$((stringify!($name), $name)),*] };
    }

    const TESTS: &[Test] = tests![
        a_worker_says_what_it_is,
        a_worker_of_another_version_is_refused_in_one_sentence,
        a_subject_that_the_worker_has_not_is_an_error_and_not_a_verdict,
        the_same_campaign_gives_the_same_totals_on_both_grounds,
        a_crash_is_a_finding_of_its_case_and_the_run_goes_on,
        a_crash_in_generated_code_is_told_with_its_place,
        a_crash_of_compiled_code_is_told_with_its_function_and_opcode,
        a_crash_that_does_not_repeat_is_a_finding_all_the_same,
        a_process_that_ends_by_itself_is_a_crash_too,
        a_hang_is_a_finding_after_the_time_that_was_given,
        an_interrupt_ends_a_campaign_although_a_subject_hangs,
        a_campaign_keeps_its_time_although_a_subject_hangs,
        looking_into_a_hang_keeps_its_time,
        memory_without_end_is_a_crash,
        workers_that_are_killed_from_outside_lose_nothing_and_count_nothing_twice,
        a_replay_shows_what_a_subject_did_before_it_died,
        a_script_that_kills_its_worker_fails_the_directive_in_every_lane_that_does,
        a_script_that_does_not_end_fails_the_directive,
        scripts_give_the_same_report_on_both_grounds,
    ];

    /// Serves as a worker, or runs the tests whose names contain one of the arguments.
    #[allow(clippy::print_stdout, reason = "as test programs do")]
    pub fn main() -> ExitCode {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if let Some((last, before)) = arguments.split_last()
            && last == worker::ARGUMENT
        {
            return serve(before);
        }
        let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
        let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(*part));
        if arguments.iter().any(|argument| argument == "--list") {
            TESTS.iter().for_each(|(name, _)| println!("{name}: test"));
            return ExitCode::SUCCESS;
        }
        let mut failed = 0;
        for (name, test) in TESTS.iter().filter(|(name, _)| is_wanted(name)) {
            let started = Instant::now();
            let outcome = std::panic::catch_unwind(test);
            failed += u8::from(outcome.is_err());
            let word = if outcome.is_ok() { "ok" } else { "FAILED" };
            println!("test {name} ... {word} ({:.1} s)", started.elapsed().as_secs_f64());
        }
        println!("\ntest result: {}. {failed} failed", if failed == 0 { "ok" } else { "FAILED" });
        ExitCode::from(failed)
    }
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::main()
}

/// Workers need a Unix.
#[cfg(not(unix))]
fn main() {}
