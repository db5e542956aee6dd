//! What runs leave behind: shards that make the whole, a baseline that names what got worse, a page that a browser
//! opens without help, JSON of the documented shape, JUnit that can be read back.

use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("crosscheck-reports-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(path, text).expect("a temporary file");
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn json(&self, name: &str) -> Json {
        serde_json::from_str(&self.text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs the program there; it must end with that.
    fn run(&self, args: &[&str], exit: i32) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
        let output: Output = command.args(args).current_dir(&self.0).output().expect("the program starts");
        let told = [&output.stdout[..], &output.stderr[..]].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{args:?}: {told}");
        told
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const GOOD: &str = r#"(module (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
(assert_return (invoke "f" (i32.const 1)) (i32.const 2))
(assert_return (invoke "f" (i32.const 2)) (i32.const 3))
"#;
const SKIPPED: &str = "(module (func (export \"g\") (result i32) (i32.const 7)))
(assert_return (invoke \"g\") (i32.const 7))
(component)
(assert_return (invoke \"g\") (i32.const 7))
";
/// One assertion that does not hold, in a file whose name wants to be part of the page.
const BAD: &str = "(module (func (export \"h\") (result i32) (i32.const 7)))
(assert_return (invoke \"h\") (i32.const 8))
";

fn scripts(folder: &Folder) {
    folder.write("scripts/good.wast", GOOD);
    folder.write("scripts/skipped.wast", SKIPPED);
    folder.write("scripts/<b id=x>.wast", BAD);
}

/// A run of the scripts and a small campaign into that folder.
fn night(folder: &Folder, report: &str, shard: &str, exit: i32) {
    let modes = ["--modes", "interp,fast-interp", "--report", report, "--shard", shard];
    folder.run(&[&["spec", "scripts"], &modes[..]].concat(), exit);
    folder.run(&[&["fuzz", "--seed", "3", "--cases", "96"], &modes[..]].concat(), 0);
}

/// The totals without what depends on the clock and on who was asked.
fn totals(mut json: Json) -> Json {
    for field in ["argv", "wall_s", "cpu_s", "started_s", "took_ms", "cases_per_cpu_s", "throughput"] {
        json.as_object_mut().expect("an object").remove(field);
    }
    json
}

#[test]
fn shards_put_together_are_one_run() {
    let folder = Folder::new("shards");
    scripts(&folder);
    night(&folder, "whole", "0/1", 1);
    // Which of two shards has the failing script is not said here.
    for (shard, name) in [("0/2", "first"), ("1/2", "second")] {
        let spec = ["spec", "scripts", "--modes", "interp,fast-interp", "--report", name, "--shard", shard];
        let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
        command.args(spec).current_dir(&folder.0).output().expect("the program starts");
        folder.run(
            &[
                "fuzz",
                "--seed",
                "3",
                "--cases",
                "96",
                "--modes",
                "interp,fast-interp",
                "--report",
                name,
                "--shard",
                shard,
            ],
            0,
        );
    }
    folder.run(&["report", "second", "first", "--into", "both"], 1);
    let whole = folder.json("whole/report.json");
    let both = folder.json("both/report.json");
    for part in ["spec", "fuzz"] {
        assert_eq!(totals(whole[part].clone()), totals(both[part].clone()), "{part}");
    }
    assert_eq!(both["fuzz"]["cases"], 96);
    assert_eq!(both["spec"]["files"], 3);
    assert_eq!(folder.json("first/report.json")["fuzz"]["cases"], 48);
}

#[test]
fn part_of_a_run_is_incomplete_and_never_green() {
    let folder = Folder::new("part");
    scripts(&folder);
    folder.write("scripts/<b id=x>.wast", GOOD);
    let modes = ["--modes", "interp,fast-interp"];
    let told =
        folder.run(&[&["spec", "scripts", "--report", "first", "--shard", "0/2"], &modes[..]].concat(), 0);
    assert!(told.contains("incomplete    shard 0/2"), "{told}");
    assert!(folder.run(&["report", "first"], 3).contains("INCOMPLETE: suite: shard 0/2"));
    let report = folder.json("first/report.json");
    assert_eq!((&report["green"], &report["state"]), (&false.into(), &"incomplete".into()));
    assert!(folder.text("first/report.html").contains("Incomplete"));
    let complete = |folder: &Folder, name: &str| {
        let text = folder.text(&format!("{name}/junit.xml"));
        let report = quick_junit::Report::deserialize_from_str(&text).expect("JUnit");
        (report.errors, text.contains("incomplete: shard 0/2"))
    };
    assert_eq!(complete(&folder, "first"), (1, true));
    // The other shard makes the run whole.
    folder.run(&[&["spec", "scripts", "--report", "second", "--shard", "1/2"], &modes[..]].concat(), 0);
    assert!(folder.run(&["report", "first", "second", "--into", "both"], 0).contains("green; page"));
    assert_eq!(complete(&folder, "both"), (0, false));
}

#[test]
fn a_baseline_of_which_only_a_part_ran_is_not_green_unless_that_was_asked() {
    let folder = Folder::new("part-of-baseline");
    folder.write("scripts/a.wast", GOOD);
    folder.write("scripts/b.wast", GOOD);
    let modes = ["--modes", "interp,fast-interp"];
    folder.run(&[&["spec", "scripts", "--bless", "page.md"], &modes[..]].concat(), 0);
    let against = |what: &str, modes: &str, more: &[&str], exit| {
        let args = ["spec", what, "--modes", modes, "--baseline", "page.md"];
        folder.run(&[&args[..], more].concat(), exit)
    };
    let told = against("scripts/a.wast", "interp,fast-interp", &[], 3);
    assert!(told.contains("incomplete: 2 of 4 rows of the baseline did not run"), "{told}");
    let told = against("scripts", "interp", &[], 3);
    assert!(told.contains("incomplete: 2 of 4 rows of the baseline did not run"), "{told}");
    let told = against("scripts/a.wast", "interp,fast-interp", &["--part"], 0);
    assert!(told.contains("incomplete: 2 of 4 rows of the baseline did not run"), "{told}");
    against("scripts", "interp,fast-interp", &[], 0);
}

/// Every number before a word in a text, by line.
fn figures(line: &str, word: &str) -> Option<u64> {
    let before = line.split(&format!(" {word}")).next().filter(|before| before.len() < line.len())?;
    before.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[test]
fn all_counts_are_assertions_of_one_mode_and_add_up() {
    let folder = Folder::new("units");
    scripts(&folder);
    folder.write(
        "scripts/more.wast",
        "(module $m (func (export \"v\") (param v128) (result i32) (i32.const 1)))
        (assert_return (invoke \"v\" (v128.const i32x4 0 0 0 0)) (i32.const 1))
        (assert_return (invoke \"v\" (v128.const i32x4 0 0 0 0)) (i32.const 1))
        (register \"m\" $m) (invoke $m \"v\" (v128.const i32x4 0 0 0 0))
        (component) (assert_invalid (component (import \"a\" (func (type 9)))) \"unknown type\")
        (invoke \"nothing\")",
    );
    let told = folder.run(&["spec", "scripts", "--modes", "interp,baseline", "--report", "r"], 1);
    let spec = folder.json("r/spec.json");
    let count = |json: &Json, field: &str| json[field].as_u64().expect("a figure");
    let modes = spec["modes"].as_object().expect("modes");
    for (mode, counts) in modes {
        let (passed, failed) = (count(counts, "passed"), count(counts, "failed"));
        let (skipped, excused) = (count(counts, "skipped"), count(counts, "excused"));
        // So many assertions stand in the four scripts.
        assert_eq!(passed + failed + skipped + excused, 8, "{mode}: {counts}");
        let of_mode = |list: &str| -> Vec<Json> {
            let named = |entry: &&Json| match &entry["modes"] {
                Json::Array(modes) => modes.contains(&mode.clone().into()),
                _ => entry["mode"] == mode.as_str(),
            };
            spec[list].as_array().expect("a list").iter().filter(named).cloned().collect()
        };
        let sum: u64 = of_mode("skips").iter().map(|skip| count(skip, "count")).sum();
        assert_eq!(sum, skipped, "{mode}: skips add up");
        assert_eq!(of_mode("excuses").len() as u64, excused);
        assert_eq!(of_mode("failures").len() as u64, failed + count(counts, "steps_failed"));
        let by_file = spec["by_file"].as_object().expect("scripts").values();
        for field in ["passed", "failed", "skipped", "excused", "steps", "steps_failed"] {
            let sum: u64 = by_file.clone().map(|modes| count(&modes[mode.as_str()], field)).sum();
            assert_eq!(sum, count(counts, field), "{mode}: {field} by script");
        }
        let line = told.lines().find(|line| line.trim_start().starts_with(&format!("{mode} ")));
        let line = line.unwrap_or_else(|| panic!("{mode} is not in {told}"));
        for (word, figure) in
            [("passed", passed), ("failed", failed), ("skipped", skipped), ("excused", excused)]
        {
            assert_eq!(figures(line, word), Some(figure), "{line}");
        }
    }
    // The reasons on the terminal are all that was skipped; these are the same in both modes.
    let reasons = told.lines().filter_map(|line| line.trim_start().strip_prefix("skipped "));
    let reasons: u64 = reasons
        .map(|rest| rest.trim_start().split(':').next().expect("a figure").parse::<u64>().expect(rest))
        .sum();
    assert_eq!(reasons, count(&modes["interp"], "skipped"), "{told}");
    let page = folder.text("r/report.html");
    let interp = &modes["interp"];
    let (passed, failed) = (count(interp, "passed"), count(interp, "failed") + count(interp, "steps_failed"));
    let cell = format!("{passed} ({failed} failed, {} skipped)", count(interp, "skipped"));
    assert!(page.contains(&cell), "{cell} is not on the page");
}

#[test]
fn what_got_worse_than_the_baseline_is_named_and_fails() {
    let folder = Folder::new("baseline");
    scripts(&folder);
    let spec = |exit, more: &[&str]| {
        folder.run(&[&["spec", "scripts", "--modes", "interp,fast-interp"], more].concat(), exit)
    };
    spec(1, &["--bless", "page.md", "--json", "spec.json"]);
    for baseline in ["page.md", "spec.json"] {
        let told = spec(0, &["--baseline", baseline]);
        assert!(told.contains("baseline: 0 worse, 0 better"), "what failed before may fail: {told}");
    }
    folder.write("scripts/good.wast", &GOOD.replace("(i32.const 3))", "(i32.const 4))"));
    for baseline in ["page.md", "spec.json"] {
        let told = spec(1, &["--baseline", baseline]);
        assert!(told.contains("WORSE: scripts/good.wast:3: interp: failed, was passed"), "{told}");
        assert!(told.contains("baseline: 2 worse, 0 better"), "{told}");
    }
    // The other way round: the baseline says of an assertion that it passes, and it does not.
    folder.write("scripts/good.wast", GOOD);
    let page = folder.text("page.md");
    let kept: Vec<&str> = page.lines().filter(|line| !line.contains(": failed (")).collect();
    folder.write("flipped.md", &kept.join("\n"));
    let told = spec(1, &["--baseline", "flipped.md"]);
    assert!(told.contains("<b id=x>.wast:2: interp: failed, was passed"), "{told}");
    // And what got better is named too.
    folder.write("scripts/<b id=x>.wast", &BAD.replace('8', "7"));
    let told = spec(0, &["--baseline", "page.md"]);
    assert!(told.contains("better: scripts/<b id=x>.wast:2: fast-interp: passed, was failed"), "{told}");
    folder.write("broken.md", "nothing of the kind");
    let told = spec(2, &["--baseline", "broken.md"]);
    assert!(told.contains("broken.md:1: expected"), "{told}");
}

/// A finding as a campaign would have left it, in a folder that a run has written.
fn add_finding(folder: &Folder, report: &str) {
    let mut fuzz = folder.json(&format!("{report}/fuzz.json"));
    fuzz["diverge"] = 2.into();
    fuzz["agree"] = 94.into();
    fuzz["judged_differences"] = 1.into();
    fuzz["judges"] = serde_json::json!([{
        "subject": "toy", "version": "1.0", "not_compared": ["fuel", "depth"], "compared": 80, "to_the_end": 70,
        "actions": 300, "of_actions": 400, "unsupported": {"multiple <memories>": 3},
    }]);
    fuzz["findings"] = serde_json::json!([{
        "fingerprint": "fast-interp / interp|values|i32", "seed": 3, "index": 5,
        "subjects": [["interp"], ["fast-interp+no-fuel"]], "kind": "values", "triage": "look there",
        "first_difference": "action 1: result 0: i32:0x1 against i32:0x2", "cases": 2,
        "bug": "fast-interp|outcome|i32.add", "path": "elsewhere/findings/abc-3-5", "replay": "crosscheck replay <here> & there",
    }]);
    folder.write(&format!("{report}/fuzz.json"), &fuzz.to_string());
    let side = |name: &str| serde_json::json!({"name": name, "shows": ["result: i32:0x1"]});
    let record = serde_json::json!({
        "schema": 1, "fingerprint": "fast-interp / interp|values|i32", "seed": 3, "index": 5, "generator": "boundary",
        "subjects": [["interp"], ["fast-interp+no-fuel"]], "kind": "values", "triage": "look there",
        "first_difference": "action 1: result 0: i32:0x1 against i32:0x2", "replay": "crosscheck replay",
        "difference": {
            "action": 1, "kind": "values", "place": "i32", "exactly": "result 0",
            "left": "i32:0x1", "right": "</td><script>",
        },
        "commit": "", "rustc": "", "arch": "", "not_reduced": null,
        "reduced": {
            "fingerprint": "", "first_difference": "", "bug": "fast-interp|outcome|i32.add", "wasm_bytes": 40,
            "code_bytes": 8, "tried": 9, "seconds": 0.1, "not_localised": null,
            "localised": {
                "precision": "instruction", "remark": null, "action": 1, "operands": ["i32:0x7"],
                "place": {
                    "module": 0, "instance": 0, "function": 0, "name": "f", "offset": 37, "opcode": "i32.add",
                    "execution": 1,
                },
                "difference": "", "reference": side("interp"), "guilty": side("fast-interp"), "wasm": [],
                "machine_code": ["i32.add.ss <r1>"], "runs": 12,
            },
        },
    });
    folder.write(&format!("{report}/findings/abc-3-5/finding.json"), &record.to_string());
    folder.write(&format!("{report}/findings/abc-3-5/reduced.wast"), "(module (; </pre> ;))");
    folder.write(&format!("{report}/findings/abc-3-5/finding.md"), "machine code: 48 01 d8");
}

/// Holds a page against what any browser wants, and ours: every element closed in order, identifiers unique, links to
/// places that are there, and nothing from elsewhere.
fn assert_stands_alone(page: &str) {
    let rest = page.strip_prefix("<!DOCTYPE html>").expect("the kind of the document");
    let (style_start, style_end) =
        (rest.find("<style>").expect("a style"), rest.find("</style>").expect("closed"));
    let style = &rest[style_start..style_end];
    assert!(!style.contains("url(") && !style.contains("@import"), "the style fetches something");
    let markup = format!("{}{}", &rest[..style_start], &rest[style_end + "</style>".len()..]);
    let (mut open, mut ids, mut links): (Vec<String>, BTreeSet<String>, Vec<String>) = Default::default();
    for part in markup.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or_else(|| panic!("a tag without end: {part}"));
        assert!(!text.contains('>'), "unescaped text: {text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed in order");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "an element called `{name}`");
        assert!(!["script", "link", "iframe", "img", "object"].contains(&name), "<{name}>");
        for attribute in attributes.split("\" ").filter(|attribute| !attribute.is_empty()) {
            // What is open says so without a value.
            let (key, value) = attribute.split_once("=\"").unwrap_or((attribute, "open"));
            assert!(value != "open" || key == "open", "attribute {attribute}");
            let value = value.trim_end_matches('"');
            assert!(!key.starts_with("on") && key != "src", "{key}={value}");
            match key {
                "id" => assert!(ids.insert(value.to_string()), "two elements are {value}"),
                "href" => links.push(value.strip_prefix('#').expect("a place on the page").to_string()),
                "aria-labelledby" => links.push(value.to_string()),
                _ => {}
            }
        }
        if name != "meta" {
            open.push(name.to_string());
        }
    }
    assert_eq!(open, [""; 0], "all is closed");
    links.iter().for_each(|link| assert!(ids.contains(link), "nothing is called {link}"));
}

#[test]
fn the_page_stands_alone_and_says_where_to_start() {
    let folder = Folder::new("page");
    scripts(&folder);
    night(&folder, "night", "0/1", 1);
    add_finding(&folder, "night");
    folder.run(&["report", "night"], 1);
    let page = folder.text("night/report.html");
    assert_stands_alone(&page);
    for told in [
        "Not green",
        "look there",
        "crosscheck replay &lt;here&gt; &amp; there",
        "&lt;/td&gt;&lt;script&gt;",
        "(module (; &lt;/pre&gt; ;))",
        "machine code: 48 01 d8",
        "&lt;b id=x&gt;.wast:2",
        "fast-interp|outcome|i32.add",
        "On 1 cases all modes agree and only outside engines differ.",
        "toy (1.0)",
        "Never compared with toy: fuel, depth.",
        "75.0 %",
        "toy: multiple &lt;memories&gt;",
        "first parted at `i32.add` at 0x0025 of function 0",
        "i32.add.ss &lt;r1&gt;",
    ] {
        assert!(page.contains(told), "{told}");
    }
    assert!(page.len() < 2_000_000);
    let main = page.split("<main").nth(1).expect("the main part");
    let places =
        ["Not green", "What changed", "Where do I start", "Which mode", "id=\"findings\"", "id=\"suite\""];
    let places = places.map(|told| main.find(told).unwrap_or_else(|| panic!("{told}")));
    assert!(places.is_sorted(), "first what people ask first: {places:?}");
}

#[test]
fn a_folder_of_nights_is_told_as_a_trend() {
    let folder = Folder::new("nights");
    scripts(&folder);
    for (name, more) in
        [("nights/a", ""), ("nights/b", "(assert_return (invoke \"f\" (i32.const 4)) (i32.const 4))\n")]
    {
        folder.write("scripts/good.wast", &format!("{GOOD}{more}"));
        night(&folder, name, "0/1", 1);
        // Nights are far apart.
        let mut spec = folder.json(&format!("{name}/spec.json"));
        let started = spec["started_s"].as_u64().expect("a time");
        spec["started_s"] = (started - if name.ends_with('a') { 86_400 } else { 0 }).into();
        folder.write(&format!("{name}/spec.json"), &spec.to_string());
    }
    add_finding(&folder, "nights/b");
    let told = folder.run(&["report", "nights"], 1);
    for line in [
        "since a",
        "WORSE: scripts/good.wast:4: interp: failed, was passed",
        "NEW finding: fast-interp / interp|values|i32",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
    let report = folder.json("nights/report.json");
    let names: Vec<_> =
        report["trend"].as_array().expect("nights").iter().map(|point| &point["name"]).collect();
    assert_eq!(names, ["a", "b"]);
    let page = folder.text("nights/report.html");
    assert_stands_alone(&page);
    assert!(page.contains("<svg") && page.contains("id=\"trend\""));
    // A night knows those beside it.
    folder.run(&["report", "nights/b"], 1);
    assert_eq!(folder.json("nights/b/report.json")["since"]["before"], "a");
    for (args, told) in [
        (["report", "scripts"], "neither spec.json nor fuzz.json"),
        (["report", "none"], "expected a folder"),
    ] {
        assert!(folder.run(&args, 2).contains(told), "{told}");
    }
    folder.write("nights/c/fuzz.json", "{\"schema\": 1, ");
    assert!(folder.run(&["report", "nights/c"], 2).contains("fuzz.json: EOF"));
}

#[test]
fn junit_says_what_the_run_says_and_can_be_read_back() {
    let folder = Folder::new("junit");
    scripts(&folder);
    night(&folder, "night", "0/1", 1);
    add_finding(&folder, "night");
    folder.run(&["report", "night", "--junit", "out.xml"], 1);
    let text = folder.text("out.xml");
    let report = quick_junit::Report::deserialize_from_str(&text).expect("JUnit");
    // One script fails; so do the campaign, the mode that stands apart and the bug. One reason for skips is skipped.
    assert_eq!((report.tests, report.failures, report.errors), (13, 4, 0), "{text}");
    let suites: Vec<&str> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(suites, ["run", "scripts", "campaign"]);
    let names = |suite: usize| -> Vec<&str> {
        report.test_suites[suite].test_cases.iter().map(|test| test.name.as_str()).collect()
    };
    assert_eq!(
        names(1),
        [
            "scripts/<b id=x>.wast",
            "scripts/good.wast",
            "scripts/skipped.wast",
            "scripts/skipped.wast: components are not run (component-model)",
        ]
    );
    assert_eq!(names(2), ["all cases agree", "fast-interp", "interp", "toy", "fast-interp|outcome|i32.add"]);
    let is_skipped =
        |suite: &str| text.contains(&format!("<testsuite name=\"{suite}\" tests=\"4\" skipped=\"1\""));
    assert!(is_skipped("scripts"), "what is skipped is a skipped test: {text}");
    assert!(text.contains("<testcase name=\"scripts/good.wast\" classname=\"scripts\" time=\""), "{text}");
    // A green night has the same tests, but for those of bugs.
    folder.write("scripts/<b id=x>.wast", &BAD.replace('8', "7"));
    night(&folder, "green", "0/1", 0);
    let green = folder.text("green/junit.xml");
    let green = quick_junit::Report::deserialize_from_str(&green).expect("JUnit");
    let green = |suite: usize| -> Vec<&str> {
        green.test_suites[suite].test_cases.iter().map(|test| test.name.as_str()).collect()
    };
    assert_eq!((green(0), green(1)), (names(0), names(1)));
    assert_eq!(green(2), ["all cases agree", "fast-interp", "interp", "model"]);
    for suite in &report.test_suites {
        assert_eq!(suite.tests, suite.test_cases.len());
    }
    assert!(text.contains("&lt;b id=x&gt;.wast:2: "), "{text}");
    // What Jenkins knows, and holds every file against.
    for (element, known) in [
        ("<testsuites ", &["name", "tests", "failures", "errors", "time"][..]),
        ("<testsuite ", &["name", "tests", "failures", "errors", "skipped", "time"]),
        ("<testcase ", &["name", "classname", "time"]),
        ("<failure ", &["message"]),
    ] {
        let elements: Vec<&str> = text.split(element).skip(1).collect();
        assert!(!elements.is_empty(), "{element}");
        for tag in elements.iter().filter_map(|rest| rest.split('>').next()) {
            // Values are quoted, so keys are the odd ones out.
            let keys = tag.split('"').step_by(2).filter_map(|part| part.trim().strip_suffix('='));
            keys.for_each(|key| assert!(known.contains(&key), "{element}{tag}: {key}"));
        }
    }
}

#[test]
fn json_files_have_the_shape_that_is_documented() {
    let folder = Folder::new("schemas");
    scripts(&folder);
    night(&folder, "nights/a", "0/1", 1);
    night(&folder, "nights/b", "0/1", 1);
    add_finding(&folder, "nights/b");
    folder.run(&["report", "nights"], 1);
    let schemas: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../reports/schema"].iter().collect();
    for (schema, file) in [
        ("spec.json", "nights/a/spec.json"),
        ("fuzz.json", "nights/a/fuzz.json"),
        ("fuzz.json", "nights/b/fuzz.json"),
        ("report.json", "nights/a/report.json"),
        ("report.json", "nights/report.json"),
    ] {
        let mut wrong = Vec::new();
        Schemas(&schemas).check(&read(&schemas.join(schema)), schema, &folder.json(file), file, &mut wrong);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    // The check finds what it looks for.
    let mut json = folder.json("nights/b/fuzz.json");
    json["cases"] = "many".into();
    json["more"] = 1.into();
    json["findings"][0].as_object_mut().expect("a finding").remove("kind");
    let mut wrong = Vec::new();
    Schemas(&schemas).check(&read(&schemas.join("fuzz.json")), "fuzz.json", &json, "it", &mut wrong);
    wrong.sort();
    let expected = ["it.cases: expected \"integer\"", "it.findings[0]: no `kind`", "it.more: not documented"];
    assert_eq!(wrong, expected);
}

fn read(path: &Path) -> Json {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The part of JSON Schema that ours use: `type`, `properties`, `required`, `additionalProperties`, `items`, `enum`,
/// `anyOf`, and references to definitions and files.
struct Schemas<'a>(&'a Path);

impl Schemas<'_> {
    fn check(&self, schema: &Json, file: &str, value: &Json, at: &str, wrong: &mut Vec<String>) {
        if let Some(target) = schema["$ref"].as_str() {
            let (name, place) = target.split_once('#').unwrap_or((target, ""));
            let name = if name.is_empty() { file } else { name };
            let whole = read(&self.0.join(name));
            let part = whole.pointer(place).unwrap_or_else(|| panic!("{file}: nothing at {target}"));
            return self.check(part, name, value, at, wrong);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            let tried = choices.iter().map(|choice| {
                let mut found = Vec::new();
                self.check(choice, file, value, at, &mut found);
                found
            });
            return wrong.extend(tried.min_by_key(Vec::len).unwrap_or_default());
        }
        let kinds: Vec<&Json> = match &schema["type"] {
            Json::Array(kinds) => kinds.iter().collect(),
            Json::Null => Vec::new(),
            kind => vec![kind],
        };
        if !kinds.is_empty() && !kinds.iter().any(|kind| is_a(value, kind.as_str().expect("a word"))) {
            return wrong.push(format!("{at}: expected {}", schema["type"]));
        }
        if schema["enum"].as_array().is_some_and(|known| !known.contains(value)) {
            wrong.push(format!("{at}: {value} is none of {}", schema["enum"]));
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().expect("a name");
            if value.as_object().is_some_and(|fields| !fields.contains_key(name)) {
                wrong.push(format!("{at}: no `{name}`"));
            }
        }
        for (name, field) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            match (&schema["properties"][name], &schema["additionalProperties"]) {
                (Json::Null, Json::Bool(false)) => wrong.push(format!("{at}: not documented")),
                (Json::Null, Json::Null) => {}
                (Json::Null, all) => self.check(all, file, field, &at, wrong),
                (one, _) => self.check(one, file, field, &at, wrong),
            }
        }
        if schema["items"].is_object() {
            for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                self.check(&schema["items"], file, item, &format!("{at}[{number}]"), wrong);
            }
        }
    }
}

fn is_a(value: &Json, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("no type is called {other}"),
    }
}
