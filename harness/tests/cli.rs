//! Bad input gets one clear line and exit code 2; the other exit codes mean what they say.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("crosscheck-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path.display().to_string()
    }

    /// A command that lets the shell run this.
    #[cfg(unix)]
    fn program(&self, name: &str, text: &str) -> String {
        format!("sh {}", self.file(name, text.as_bytes()))
    }

    fn path(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn crosscheck(folder: &Folder, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
    command.args(args).current_dir(&folder.0);
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The program ends with 2 and one line that holds all of `told`.
fn refuses(folder: &Folder, args: &[&str], told: &[&str]) {
    let output = crosscheck(folder, args);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
    assert!(stderr.starts_with("error: "), "{args:?}: {stderr}");
    for part in told {
        assert!(stderr.contains(part), "{args:?}: `{part}` is not in: {stderr}");
    }
}

const ADD: &str = r#"(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "neg") (param f32) (result f32) (f32.neg (local.get 0)))
  (func (export "fail") (unreachable))
  (func (export "spin") (loop (br 0))))"#;

#[test]
fn an_empty_file_is_refused() {
    let folder = Folder::new("empty");
    let file = folder.file("empty.wasm", b"");
    for command in ["run", "replay"] {
        refuses(&folder, &[command, &file], &["empty.wasm", "offset 0"]);
    }
    let nameless = folder.file("nameless", b"");
    refuses(&folder, &["run", &nameless], &["nameless", "empty"]);
}

#[test]
fn a_truncated_module_is_refused_with_the_offset() {
    let folder = Folder::new("truncated");
    let file = folder.file("cut.wasm", b"\0asm\x01\0\0\0\x01\x05\x01\x60");
    for command in ["run", "replay"] {
        refuses(&folder, &[command, &file], &["cut.wasm", "offset 0x"]);
    }
}

#[test]
fn random_bytes_are_refused() {
    let folder = Folder::new("random");
    let mut state = 1u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(1000)
    .collect();
    for name in ["random.wasm", "random.wat", "random.wast", "random.xchk", "random"] {
        let file = folder.file(name, &bytes);
        refuses(&folder, &["replay", &file], &[name]);
    }
}

#[test]
fn a_hundred_megabytes_of_zeros_are_refused() {
    let folder = Folder::new("zeros");
    let file = folder.file("zeros.wasm", &vec![0; 100 << 20]);
    refuses(&folder, &["run", &file], &["zeros.wasm", "offset 0x0"]);
    refuses(&folder, &["replay", &file], &["zeros.wasm", "offset 0x0"]);
}

#[test]
fn folders_and_missing_files_are_refused() {
    let folder = Folder::new("folder");
    refuses(&folder, &["run", &folder.path()], &["folder"]);
    refuses(&folder, &["replay", &folder.path()], &["case.xchk"]);
    refuses(&folder, &["run", "missing.wasm"], &["missing.wasm"]);
    refuses(&folder, &["replay", "missing.wasm"], &["missing.wasm"]);
    refuses(&folder, &["spec", "missing.wast"], &["missing.wast"]);
    refuses(&folder, &["spec", &folder.path()], &["no .wast file"]);
}

#[test]
fn a_script_with_a_syntax_error_is_refused_with_line_and_column() {
    let folder = Folder::new("syntax");
    let file = folder.file("bad.wast", b"(module)\n(assert_return (invok \"f\"))\n");
    let output = crosscheck(&folder, &["spec", &file]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("bad.wast:2:"), "{}", text(&output.stderr));
    let module = folder.file("bad.wat", b"(module\n  (func (i32.ad)))");
    refuses(&folder, &["run", &module], &["bad.wat:2:"]);
}

#[test]
fn a_broken_file_in_a_folder_is_listed_and_the_rest_runs() {
    let folder = Folder::new("mixed");
    folder.file("bad.wast", b"(modul");
    folder.file("good.wast", b"(module (func (export \"f\") (result i32) (i32.const 1)))\n(assert_return (invoke \"f\") (i32.const 1))\n");
    let output = crosscheck(&folder, &["spec", &folder.path(), "--json", "out.json"]);
    assert_eq!(output.status.code(), Some(2));
    let json =
        std::fs::read_to_string(folder.0.join("out.json")).expect("the report is written all the same");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["modes"]["interp"]["passed"], 1);
    assert_eq!(json["schema"], 1);
}

#[test]
fn contradictory_and_unknown_options_are_refused() {
    let folder = Folder::new("options");
    refuses(&folder, &["fuzz", "--modes", "interp"], &["at least two subjects"]);
    refuses(&folder, &["fuzz", "--modes", "interp,interp"], &["named twice"]);
    refuses(&folder, &["fuzz", "--modes", "warp"], &["no mode is called `warp`"]);
    refuses(&folder, &["fuzz", "--modes", "interp+warp,fast-interp"], &["no lane switch is called `warp`"]);
    refuses(&folder, &["fuzz", "--shard", "4/4"], &["I/N"]);
    refuses(&folder, &["fuzz", "--cases", "many"], &["--cases"]);
    refuses(&folder, &["fuzz", "--time", "60parsecs"], &["60parsecs"]);
    refuses(&folder, &["fuzz", "--min-verdicts", "101"], &["--min-verdicts"]);
    refuses(&folder, &["fuzz", "--with", "nobody"], &["nobody"]);
    refuses(&folder, &["frobnicate"], &["frobnicate"]);
    refuses(&folder, &["spec", "no-such-group"], &["no-such-group", "wasm-v3"]);
}

#[test]
fn run_prints_results_and_traps() {
    let folder = Folder::new("run");
    let file = folder.file("add.wat", ADD.as_bytes());
    for mode in ["interp", "fast-interp"] {
        let output = crosscheck(&folder, &["run", &file, "--mode", mode, "--invoke", "add", "-1", "0x2b"]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "i32:0x2a (42)\n".to_string()));
        let output = crosscheck(&folder, &["run", &file, "--mode", mode, "--invoke", "neg", "1.5"]);
        assert_eq!(text(&output.stdout), "f32:0xbfc00000 (-1.5)\n");
        let output = crosscheck(&folder, &["run", &file, "--mode", mode, "--invoke", "fail"]);
        assert_eq!(output.status.code(), Some(1));
        let stderr = text(&output.stderr);
        assert!(stderr.starts_with("trap: unreachable\n#00: 0x00"), "{stderr}");
        let output =
            crosscheck(&folder, &["run", &file, "--mode", mode, "--fuel", "1000", "--invoke", "spin"]);
        assert!(text(&output.stderr).starts_with("trap: out of fuel\n"));
        let output = crosscheck(&folder, &["run", &file, "--mode", mode]);
        assert_eq!(output.status.code(), Some(0), "a module without _start is only instantiated");
    }
}

#[test]
fn run_refuses_what_does_not_fit() {
    let folder = Folder::new("misfit");
    let file = folder.file("add.wat", ADD.as_bytes());
    refuses(&folder, &["run", &file, "--invoke", "add", "1"], &["takes 2 arguments"]);
    refuses(&folder, &["run", &file, "--invoke", "add", "1", "x"], &["`x` is not a value of type i32"]);
    refuses(&folder, &["run", &file, "--invoke", "add", "1", "4294967296"], &["4294967296"]);
    refuses(&folder, &["run", &file, "--invoke", "sub"], &["no exported function is called `sub`"]);
    refuses(&folder, &["run", &file, "--mode", "warp"], &["warp"]);
    refuses(&folder, &["run", &file, "--host", "nobody"], &["nobody"]);
    let needy = folder.file("needy.wat", b"(module (import \"env\" \"gone\" (func)))");
    refuses(&folder, &["run", &needy], &["unknown import env.gone"]);
}

#[test]
fn a_small_campaign_is_green_and_says_so_in_json() {
    let folder = Folder::new("campaign");
    let output =
        crosscheck(&folder, &["fuzz", "--seed", "7", "--cases", "200", "--json", "out.json", "--jobs", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let json = std::fs::read_to_string(folder.0.join("out.json")).expect("the JSON file");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let number = |key: &str| json[key].as_u64().unwrap_or_else(|| panic!("{key} is a number"));
    let inconclusive: u64 =
        json["inconclusive"].as_object().expect("an object").values().filter_map(|n| n.as_u64()).sum();
    assert_eq!(number("cases"), 200);
    assert_eq!(number("cases"), number("agree") + number("diverge") + number("invalid") + inconclusive);
    assert_eq!(number("next_index"), 200);
    assert_eq!(number("diverge"), 0);
    assert!(number("returned") * 2 >= number("calls"));
    assert!(Path::new(&folder.path()).join("reports/latest/fuzz.json").exists());
}

#[test]
fn shards_add_up_to_the_whole() {
    let folder = Folder::new("shards");
    let agree = |shard: &str| {
        let args =
            ["fuzz", "--seed", "3", "--cases", "120", "--shard", shard, "--json", "out.json", "--jobs", "1"];
        assert_eq!(crosscheck(&folder, &args).status.code(), Some(0));
        let json = std::fs::read_to_string(folder.0.join("out.json")).expect("the JSON file");
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        (json["cases"].as_u64().expect("a number"), json["calls"].as_u64().expect("a number"))
    };
    let (first, second, whole) = (agree("0/2"), agree("1/2"), agree("0/1"));
    assert_eq!((first.0 + second.0, first.1 + second.1), whole);
}

#[test]
fn replay_of_a_module_is_the_case_its_seed_says() {
    let folder = Folder::new("replay");
    let file = folder.file("add.wat", ADD.as_bytes());
    let run = |seed: &str| text(&crosscheck(&folder, &["replay", &file, "--seed", seed]).stdout);
    assert_eq!(run("5"), run("5"));
    assert!(run("5").contains("verdict: agree"), "{}", run("5"));
    assert_ne!(run("5"), run("6"));
}

/// What a fuzz campaign says in JSON but for times and its own command line.
#[cfg(unix)]
fn campaign_json(folder: &Folder, more: &[&str]) -> serde_json::Value {
    let args = ["fuzz", "--seed", "5", "--cases", "150", "--json", "out.json"];
    let output = crosscheck(folder, &[&args[..], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let json = std::fs::read_to_string(folder.0.join("out.json")).expect("the JSON file");
    let mut json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let fields = json.as_object_mut().expect("an object");
    for field in ["argv", "wall_s", "cpu_s", "started_s", "cases_per_cpu_s", "throughput"] {
        assert!(fields.remove(field).is_some(), "{field}");
    }
    json
}

#[cfg(unix)]
#[test]
fn workers_change_nothing_that_is_reported() {
    let folder = Folder::new("grounds");
    let workers = campaign_json(&folder, &[]);
    assert_eq!(workers, campaign_json(&folder, &["--in-process"]));
    let mut named = campaign_json(&folder, &["--worker", env!("CARGO_BIN_EXE_crosscheck")]);
    let worker = named.as_object_mut().and_then(|fields| fields.remove("worker"));
    assert_eq!(worker.expect("who ran the subjects")["arch"], workers["arch"]);
    assert_eq!(workers, named);
    assert_eq!((&workers["crashes"], &workers["hangs"]), (&0.into(), &0.into()));
}

#[cfg(unix)]
#[test]
fn workers_that_are_none_fail_the_bench_in_one_line() {
    let folder = Folder::new("strangers");
    let script = folder.file("good.wast", b"(module)");
    // The greeting of a later version: a frame of 7 bytes, of kind 0.
    let later = folder.program("later", r"printf '\007\000\000\000\000xwrk\347\003'");
    for (worker, told) in [(&*later, "version 999"), ("/nowhere", "cannot start"), ("true", "is no worker")] {
        for command in [&["fuzz", "--cases", "1"][..], &["spec", &script], &["replay", &script]] {
            let output = crosscheck(&folder, &[command, &["--worker", worker]].concat());
            let stderr = text(&output.stderr);
            assert_eq!(output.status.code(), Some(4), "{command:?}: {stderr}");
            assert_eq!(stderr.lines().count(), 1, "{command:?}: {stderr}");
            assert!(stderr.starts_with("error: ") && stderr.contains(told), "{command:?}: {stderr}");
        }
    }
}

/// A worker whose parent is gone ends, and says nothing about it.
#[cfg(unix)]
#[test]
fn a_worker_ends_quietly_with_its_pipes() {
    use std::io::Write;
    use std::process::Stdio;
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
        command.arg("__worker").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    };
    let output = start().wait_with_output().expect("it ends with its input");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    assert!(output.stdout[5..].starts_with(b"xwrk"), "it greets");

    let mut deaf = start();
    drop(deaf.stdout.take());
    // A request that cannot be read is answered too, and here the answer goes nowhere.
    let _ = deaf.stdin.as_mut().expect("it is piped").write_all(&[2, 0, 0, 0, 1, 255]);
    let output = deaf.wait_with_output().expect("it ends with its output");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(4), String::new()));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_campaign_with_what_there_is() {
    let folder = Folder::new("interrupt");
    // The program is ready for interrupts before it starts its first worker, which leaves a file.
    let program = env!("CARGO_BIN_EXE_crosscheck");
    let worker = folder.program("worker", &format!("touch started\nexec {program} \"$@\"\n"));
    let mut command = Command::new(program);
    command.args(["fuzz", "--time", "10m", "--json", "out.json", "--jobs", "2", "--worker", &worker]);
    let child = command.current_dir(&folder.0).stdout(std::process::Stdio::piped()).spawn();
    let child = child.expect("the program starts");
    while !folder.0.join("started").exists() {
        std::thread::yield_now();
    }
    // SAFETY: the call takes two numbers; the process is our child and not yet waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let json = std::fs::read_to_string(folder.0.join("out.json")).expect("a report all the same");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["complete"], &json["workers_lost"]), (&false.into(), &0.into()));
    assert_eq!(json["cases"], json["agree"]);
    assert_eq!(json["cases"], json["next_index"]);
}

/// A reader that goes before the end ends the command, without a word.
#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_changes_nothing() {
    let folder = Folder::new("reader");
    let report = folder.path();
    told_to_nobody(&["ops"], 0);
    // How it ends is as true as with a reader.
    let nothing = ["fuzz", "--cases", "0", "--report", &report];
    assert_eq!(crosscheck(&folder, &nothing).status.code(), Some(3));
    told_to_nobody(&nothing, 3);
}

/// The program, whose stdout nobody reads, says nothing else and ends with that.
fn told_to_nobody(args: &[&str], exit: i32) {
    use std::io::Read;
    let mut child = Command::new(env!("CARGO_BIN_EXE_crosscheck"))
        .args(args)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary stands beside the tests");
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    assert_eq!(said, "");
    assert_eq!(child.wait().expect("it ends").code(), Some(exit));
}

#[test]
fn a_campaign_is_gone_on_with_or_the_reason_is_told() {
    let folder = Folder::new("resume");
    let report = folder.path();
    let fuzz = |seed: &str, cases: &str| {
        let modes = "interp,fast-interp";
        let args =
            ["fuzz", "--seed", seed, "--cases", cases, "--modes", modes, "--resume", "--report", &report];
        crosscheck(&folder, &args)
    };
    let cases = || {
        let json = std::fs::read(folder.0.join("fuzz.json")).expect("a report");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        (json["cases"].as_u64(), json["agree"].as_u64())
    };
    assert_eq!(fuzz("7", "20").status.code(), Some(0), "nothing was begun, so it is new");
    assert_eq!(cases(), (Some(20), Some(20)));
    assert_eq!(fuzz("7", "30").status.code(), Some(0));
    assert_eq!(cases(), (Some(30), Some(30)), "ten more, and no case twice");
    let other = fuzz("8", "30");
    let told = text(&other.stderr);
    assert_eq!(other.status.code(), Some(2), "{told}");
    assert!(told.contains("campaign.json: another campaign was begun here: seed 7, not 8"), "{told}");
    folder.file("campaign.json", b"{\"schema\": 1, \"camp");
    let damaged = fuzz("7", "30");
    let told = text(&damaged.stderr);
    assert_eq!((damaged.status.code(), told.lines().count()), (Some(2), 1), "{told}");
    assert!(told.contains("campaign.json") && told.contains("line 1 column"), "{told}");
}

#[test]
fn a_campaign_takes_programs_from_a_folder_or_says_why_not() {
    let folder = Folder::new("material");
    refuses(&folder, &["fuzz", "--material", "nowhere"], &["--material: nowhere: cannot read"]);
    refuses(&folder, &["fuzz", "--material", &folder.path()], &["no .wasm, .wat or .wast file"]);
    folder.file("bad.wat", b"(modul");
    let output = crosscheck(&folder, &["fuzz", "--material", &folder.path()]);
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count()), (Some(2), 2), "{told}");
    assert!(told.contains("bad.wat:1:2") && told.contains("none of the 1 files"), "{told}");
    folder.file("good.wat", ADD.as_bytes());
    let report = folder.path();
    let fuzz = || {
        let args = ["fuzz", "--seed", "3", "--cases", "40", "--modes", "interp,fast-interp", "--resume"];
        let more = ["--material", &report, "--report", &report, "--json", "totals.json"];
        crosscheck(&folder, &[&args[..], &more[..]].concat())
    };
    let output = fuzz();
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count()), (Some(0), 1), "{told}");
    // Another program in the folder makes another campaign.
    folder.file("more.wat", b"(module (func (export \"f\")))");
    let output = fuzz();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("another campaign was begun here: material"), "{told}");
}

#[test]
fn scripts_refuse_engines_that_there_are_not_before_anything_runs() {
    let folder = Folder::new("script-judges");
    let script = folder.file("good.wast", b"(module)");
    for command in ["spec", "replay"] {
        refuses(&folder, &[command, &script, "--with", "nobody"], &["--with", "nobody"]);
    }
    assert!(!folder.0.join("reports").exists(), "nothing was run or written");
}

#[test]
fn a_script_of_which_nothing_runs_ends_with_3_and_says_so() {
    let folder = Folder::new("no-evidence");
    let skipped = b"(component) (assert_return (invoke \"f\"))".as_slice();
    for (name, script) in [("skipped.wast", skipped), ("module.wast", b"(component)")] {
        let script = folder.file(name, script);
        for command in ["spec", "replay"] {
            let output = crosscheck(&folder, &[command, &script]);
            let stdout = text(&output.stdout);
            assert_eq!(output.status.code(), Some(3), "{command} {name}: {stdout}");
            assert!(stdout.contains("nothing was judged in interp"), "{command} {name}: {stdout}");
        }
    }
}

/// What a run of scripts says in JSON.
fn script_json(folder: &Folder) -> serde_json::Value {
    let json = std::fs::read(folder.0.join("out.json")).expect("the JSON file");
    serde_json::from_slice(&json).expect("JSON")
}

const FAILING: &[u8] = b"(module (func (export \"f\") (result i32) i32.const 1))
(assert_return (invoke \"f\") (i32.const 2))";

#[test]
fn a_filter_leaves_scripts_by_their_path() {
    let folder = Folder::new("filter");
    folder.file("good.wast", b"(module) (assert_invalid (module (func (result i32))) \"type mismatch\")");
    folder.file("bad.wast", FAILING);
    let run = |text: &str| {
        let args = ["spec", &folder.path(), "--filter", text, "--json", "out.json"];
        let output = crosscheck(&folder, &args);
        (output.status.code(), script_json(&folder)["files"].as_u64())
    };
    assert_eq!(run("good"), (Some(0), Some(1)));
    assert_eq!(run("bad.w"), (Some(1), Some(1)));
    assert_eq!(run(".wast"), (Some(1), Some(2)));
    refuses(&folder, &["spec", &folder.path(), "--filter", "nothing"], &["--filter", "`nothing`"]);
}

/// The second call gives 2 only if the first was made, whose assertion fails and is not counted; the third is not made.
#[test]
fn a_line_of_a_script_is_judged_alone() {
    let folder = Folder::new("line");
    let script = folder.file(
        "counter.wast",
        b"(module (global $n (mut i32) (i32.const 0))
  (func (export \"next\") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))
(assert_return (invoke \"next\") (i32.const 7))
(assert_return
  (invoke \"next\") (i32.const 2))
(assert_return (invoke \"next\") (i32.const 7))",
    );
    let at = |line: u32| format!("{script}:{line}");
    for ground in [&[][..], &["--in-process"]] {
        for (line, exit, figures) in [(5, 0, [1, 0]), (4, 1, [0, 1]), (7, 1, [0, 1])] {
            let args = ["spec", &at(line), "--json", "out.json"];
            let output = crosscheck(&folder, &[&args[..], ground].concat());
            assert_eq!(output.status.code(), Some(exit), "line {line}: {}", text(&output.stdout));
            let json = script_json(&folder);
            for mode in ["interp", "baseline"] {
                let counts = &json["modes"][mode];
                let said = [&counts["passed"], &counts["failed"]].map(|count| count.as_u64());
                assert_eq!(said, figures.map(Some), "line {line}: {json}");
            }
        }
    }
    refuses(&folder, &["spec", &at(6)], &["counter.wast", "line 6", "start at 5 and 7"]);
    refuses(&folder, &["spec", &at(8)], &["line 8", "start at 7"]);
    refuses(&folder, &["spec", &at(5), "--bless", "page.md"], &["--bless", ":5` is a part of a script"]);
    assert!(!folder.0.join("page.md").exists());
}

/// What a report calls a failure is what the command takes.
#[test]
fn scripts_and_lines_of_the_suite_are_named_as_reports_name_them() {
    let folder = Folder::new("suite-line");
    let run = |name: &str| {
        let output = crosscheck(&folder, &["spec", name, "--modes", "interp", "--json", "out.json"]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output.stdout));
        script_json(&folder)["modes"]["interp"]["passed"].as_u64().expect("a count")
    };
    let whole = run("wasm-v1/fac.wast");
    assert!(whole > 1, "{whole} assertions passed");
    refuses(&folder, &["spec", "wasm-v1/fac.wast:2"], &["wasm-v1/fac.wast", "line 2"]);
    refuses(&folder, &["spec", "wasm-v1/none.wast"], &["wasm-v1/none.wast"]);
    refuses(&folder, &["spec", "wasm-v4"], &["did you mean `wasm-v"]);
}

#[test]
fn the_first_script_with_a_failure_ends_a_run_that_is_to_fail_fast() {
    let folder = Folder::new("fail-fast");
    let mut names = ["a.wast", "b.wast"].map(|name| folder.file(name, FAILING));
    let run = |names: &[String; 2]| {
        let [first, second] = names;
        let args = ["spec", first, second, "--fail-fast", "--jobs", "1", "--json", "out.json"];
        let output = crosscheck(&folder, &args);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        let json = script_json(&folder);
        (text(&output.stdout), json["files"].as_u64(), json["complete"].as_bool())
    };
    let (said, files, complete) = run(&names);
    assert_eq!((files, complete), (Some(1), Some(false)), "{said}");
    assert!(said.contains("ended after the first script with a failure: 1 of 2 scripts ran"), "{said}");
    let page = std::fs::read_to_string(folder.0.join("reports/latest/report.html")).expect("a page");
    assert!(page.contains("ended before all was done"), "{page}");

    names[0] = folder
        .file("good.wast", b"(module) (assert_trap (module (func unreachable) (start 0)) \"unreachable\")");
    let (said, files, complete) = run(&names);
    assert_eq!((files, complete), (Some(2), Some(true)), "{said}");
    assert!(!said.contains("ended after"), "{said}");
    assert_eq!(said.lines().last(), Some("report: reports/latest/report.html"), "{said}");
}
