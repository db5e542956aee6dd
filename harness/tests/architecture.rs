//! Holds the `use` lines of the code against the arrows of ARCHITECTURE.md.
//!
//! The page has blocks of lines `from -> to to ...`; an import that it does not list is forbidden, and one that it lists
//! must be there. Names are crates, or files and rooms of the engine and of the harness.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), ".."].iter().collect()
}

/// The lines of the block that starts with this fence.
fn block(fence: &str) -> String {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page is there");
    let lines = page.lines().skip_while(|line| *line != fence).skip(1).take_while(|line| *line != "```");
    let block: String = lines.map(|line| format!("{line}\n")).collect();
    assert!(!block.is_empty(), "ARCHITECTURE.md has no block `{fence}`");
    block
}

/// The arrows of the block that starts with this fence.
fn arrows(fence: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut arrows = BTreeMap::new();
    for line in block(fence).lines() {
        let (from, to) = line.split_once("->").unwrap_or_else(|| panic!("no arrow in `{line}`"));
        arrows.insert(from.trim().to_string(), to.split_whitespace().map(str::to_string).collect());
    }
    arrows
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return files };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Every `crate::NAME` in the code of a file, comments left out.
fn mentions(text: &str, prefix: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for part in code.split(prefix).skip(1) {
        // `crate::{a::X, b}` names several.
        let names: Vec<&str> = match part.strip_prefix('{') {
            Some(list) => top_level(list),
            None => vec![part],
        };
        for name in names {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            found.insert(name[..end].to_string());
        }
    }
    found.remove("");
    found
}

/// The items of a brace list, without the braces inside.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(list[start..at].trim());
                return items;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items
}

/// The code of a file without its tests, which may look at anything.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// The names after more steps out of a file's module than it is deep: what `super::super::NAME` takes from the crate's
/// root. A top-level file is 1 deep.
fn taken_from_above(text: &str, depth: usize) -> BTreeSet<String> {
    mentions(text, &"super::".repeat(depth))
}

/// What each top-level module of a crate imports of the others, with the files that do.
struct Imports {
    of: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Imports {
    /// Those of the crate whose source is there.
    fn of(source: &Path) -> Imports {
        let mut modules: BTreeMap<String, BTreeMap<String, Vec<String>>> = fs::read_dir(source)
            .expect("the crate's source")
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
            .filter(|name| name != "main" && name != "tests")
            .map(|name| (name, BTreeMap::new()))
            .collect();
        let names: BTreeSet<String> = modules.keys().cloned().collect();
        for file in rust_files(source) {
            let inside = file.strip_prefix(source).expect("listed below it");
            let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let from = parts[0].trim_end_matches(".rs").to_string();
            if from == "main" || parts.iter().any(|part| *part == "tests.rs" || *part == "tests") {
                continue;
            }
            let text = fs::read_to_string(&file).expect("readable");
            let code = without_tests(&text);
            let found = mentions(code, "crate::").into_iter().chain(taken_from_above(code, parts.len()));
            let imports = modules.get_mut(&from).unwrap_or_else(|| panic!("{from} has a folder and no file"));
            for to in found.filter(|to| names.contains(to) && *to != from) {
                imports.entry(to).or_default().push(inside.display().to_string());
            }
        }
        Imports { of: modules }
    }

    /// Asserts that the page has these arrows and no others. `lib` imports whatever it shows.
    fn assert_page(&self, fence: &str) {
        let mut page = arrows(fence);
        page.entry("lib".to_string()).or_default();
        let mut wrong = Vec::new();
        for (from, imports) in &self.of {
            let Some(allowed) = page.remove(from) else {
                wrong.push(format!("the page says nothing about {from}"));
                continue;
            };
            let unlisted = imports.iter().filter(|(to, _)| !allowed.contains(*to));
            wrong
                .extend(unlisted.map(|(to, files)| format!("not on the page: {from} -> {to}, in {files:?}")));
            let gone = allowed.iter().filter(|to| !imports.contains_key(*to) && from != "lib");
            wrong.extend(gone.map(|to| format!("on the page, and not in the code: {from} -> {to}")));
        }
        wrong.extend(page.keys().map(|name| format!("on the page, and not in the code: {name}")));
        assert!(wrong.is_empty(), "`{fence}` of ARCHITECTURE.md is not true:\n{}", wrong.join("\n"));
    }

    /// The modules that import themselves by way of others, those that import one another together.
    fn cycles(&self) -> BTreeSet<BTreeSet<String>> {
        let reached: BTreeMap<&String, BTreeSet<String>> =
            self.of.keys().map(|from| (from, self.reached(from))).collect();
        let within = |name: &&String| reached[name].contains(*name);
        let cycle = |name: &String| {
            reached[name].iter().filter(|other| reached[other].contains(name)).cloned().collect()
        };
        self.of.keys().filter(within).map(cycle).collect()
    }

    /// All that a module imports, by way of others too.
    fn reached(&self, from: &str) -> BTreeSet<String> {
        let (mut reached, mut left) = (BTreeSet::new(), vec![from.to_string()]);
        while let Some(next) = left.pop() {
            left.extend(self.of[&next].keys().filter(|to| reached.insert((*to).clone())).cloned());
        }
        reached
    }
}

/// Holds the files of a room of the engine, but for those of a machine and tests, to naming no machine.
fn assert_names_no_machine(room: &str, of_machines: &[&str]) {
    let room = root().join(room);
    let neutral = rust_files(&room).into_iter().filter(|file| {
        let inside = file.strip_prefix(&room).expect("listed below it");
        !of_machines.iter().any(|part| inside.starts_with(part))
            && inside.file_name().is_some_and(|name| name != "tests.rs")
    });
    let mut count = 0;
    for file in neutral {
        let text = fs::read_to_string(&file).expect("readable");
        assert!(!text.contains("x64"), "{} names x86-64", file.display());
        count += 1;
    }
    assert!(count > 10, "{count} files");
}

#[test]
fn the_single_pass_compiler_names_no_machine() {
    assert_names_no_machine("engine/src/baseline", &["x64", "x64.rs", "tests"]);
}

#[test]
fn native_knows_a_machine_only_where_the_host_is_chosen() {
    assert_names_no_machine("engine/src/native", &["x64", "x64.rs", "host.rs"]);
}

#[test]
fn few_files_ask_for_the_architecture() {
    const ALLOWED: [&str; 6] = [
        "engine/src/fast_interp/dispatch.rs",
        "engine/src/mode.rs",
        "engine/src/native/host.rs",
        "engine/src/platform/faults.rs",
        "harness/src/machine.rs",
        "harness/src/worker/crash.rs",
    ];
    let mut asking = BTreeSet::new();
    for source in ["engine/src", "harness/src"] {
        for file in rust_files(&root().join(source)) {
            let inside = file.strip_prefix(root()).expect("listed below it").display().to_string();
            let text = fs::read_to_string(&file).expect("readable");
            // Tests of the interpreters read the machine code of the build that they are part of.
            let is_test = inside.contains("/tests/") || inside.ends_with("/tests.rs");
            if !is_test && without_tests(&text).contains("target_arch") {
                asking.insert(inside);
            }
        }
    }
    assert_eq!(asking, ALLOWED.map(str::to_string).into());
}

#[test]
fn engine_files_import_what_the_page_lists_and_nothing_else() {
    Imports::of(&root().join("engine/src")).assert_page("```arrows engine");
}

#[test]
fn harness_files_import_what_the_page_lists_and_nothing_else() {
    Imports::of(&root().join("harness/src")).assert_page("```arrows harness");
}

#[test]
fn no_module_of_the_harness_imports_itself_by_way_of_others() {
    assert_eq!(Imports::of(&root().join("harness/src")).cycles(), BTreeSet::new());
}

#[test]
fn modules_of_the_harness_import_what_stands_below_them_on_the_page() {
    let block = block("```arrows harness");
    let lines: Vec<(&str, &str)> = block.lines().filter_map(|line| line.split_once("->")).collect();
    for (number, (from, to)) in lines.iter().enumerate() {
        let is_below = |name: &str| lines[number + 1..].iter().any(|(from, _)| from.trim() == name);
        let above: Vec<&str> = to.split_whitespace().filter(|name| !is_below(name)).collect();
        assert!(above.is_empty(), "{from}-> {above:?}");
    }
}

#[test]
fn the_engine_has_the_cycles_that_the_page_names_and_no_others() {
    let block = block("```cycles engine");
    let named = block.lines().map(|line| {
        let (modules, reason) = line.split_once(':').unwrap_or_else(|| panic!("no reason in `{line}`"));
        assert!(!reason.trim().is_empty(), "no reason in `{line}`");
        modules.split_whitespace().map(str::to_string).collect()
    });
    assert_eq!(Imports::of(&root().join("engine/src")).cycles(), named.collect());
}

#[test]
fn a_cycle_is_found_and_what_leads_to_it_is_no_part_of_it() {
    let imports = |to: &[&str]| to.iter().map(|to| (to.to_string(), Vec::new())).collect();
    let of = [("a", &["b"][..]), ("b", &["c"]), ("c", &["b", "d"]), ("d", &[])];
    let of = of.map(|(from, to)| (from.to_string(), imports(to))).into_iter().collect();
    let cycle = ["b", "c"].map(str::to_string).into_iter().collect();
    assert_eq!(Imports { of }.cycles(), BTreeSet::from([cycle]));
}

#[test]
fn imports_are_read_from_paths_and_lists_at_any_depth() {
    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<BTreeSet<_>>();
    let text = "use crate::{a::{B, C}, d};\nuse crate::e::f; // crate::comment\n";
    assert_eq!(mentions(text, "crate::"), names(&["a", "d", "e"]));
    assert_eq!(taken_from_above("use super::super::a;\nuse super::b;", 2), names(&["a"]));
    assert_eq!(without_tests("x\n#[cfg(test)]\nmod tests {\ny"), "x\n");
}

#[test]
fn crates_depend_only_as_the_page_allows() {
    let arrows = arrows("```arrows crates");
    for (from, allowed) in &arrows {
        let manifest = fs::read_to_string(root().join(from).join("Cargo.toml")).expect("a crate of the page");
        // Tests may use anything.
        let sections = manifest.split("\n[").filter(|section| !section.starts_with("dev-dependencies]"));
        let manifest = sections.collect::<Vec<_>>().join("\n");
        for (to, name) in [
            ("engine", "crosscheck-engine"),
            ("spec-tests", "crosscheck-spec-tests"),
            ("harness", "crosscheck"),
        ] {
            let depends = manifest.lines().any(|line| {
                line.strip_prefix(name).is_some_and(|rest| rest.starts_with('.') || rest.starts_with(' '))
            });
            assert_eq!(depends, allowed.contains(to), "{from} -> {to}");
        }
    }
}

#[test]
fn compare_and_report_run_nothing_and_run_judges_nothing() {
    let source = root().join("harness/src");
    let report = rust_files(&source.join("report")).into_iter().chain([source.join("report.rs")]);
    let compare = rust_files(&source.join("compare")).into_iter().chain([source.join("compare.rs")]);
    let compare = compare
        .flat_map(|file| ["run", "trial", "worker", "generate"].map(|forbidden| (file.clone(), forbidden)));
    let runners = ["subject", "generate", "worker", "run", "trial", "triage", "reduce", "localise"];
    let report = report.flat_map(|file| runners.map(|forbidden| (file.clone(), forbidden)));
    let worker = rust_files(&source.join("worker")).into_iter();
    let run = worker.chain(["worker.rs", "run.rs"].map(|file| source.join(file)));
    let judging = ["compare", "trial", "fingerprint"];
    let run = run.flat_map(|file| judging.map(|forbidden| (file.clone(), forbidden)));
    for (file, forbidden) in report.chain(compare).chain(run) {
        let text = fs::read_to_string(&file).expect("readable");
        let found = mentions(&text, "crate::");
        assert!(!found.contains(forbidden), "{} uses {forbidden}", file.display());
    }
}

/// What a file takes from a crate, by the last names of its `use` lines.
fn taken_from(text: &str, name: &str) -> BTreeSet<String> {
    let uses = text.split(name).skip(1).filter_map(|part| part.strip_prefix("::"));
    let names = uses.flat_map(|part| match part.strip_prefix('{') {
        Some(list) => top_level(list),
        None => vec![part.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()],
    });
    names.map(str::to_string).collect()
}

#[test]
fn the_model_has_names_from_the_engine_and_no_code() {
    let folder = root().join("harness/src/subject/model");
    let files = rust_files(&folder).into_iter().chain([folder.with_extension("rs")]);
    let files = files.filter(|file| !file.ends_with("tests.rs"));
    let mut taken = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("readable").replace(" as engine", "");
        let aliased =
            text.replace("engine::", "crosscheck_engine::").replace("crosscheck_crosscheck_", "crosscheck_");
        taken.extend(taken_from(&aliased, "crosscheck_engine"));
    }
    taken.remove("self");
    let names = ["HeapType", "RefType", "TrapKind", "ValType"];
    assert_eq!(taken, names.map(str::to_string).into());
}

#[test]
fn nothing_public_is_said_by_the_engine() {
    for file in rust_files(&root().join("engine/src")) {
        let text = fs::read_to_string(&file).expect("readable");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for forbidden in ["println!(", "eprintln!(", "std::env::", "std::net"] {
            assert!(!code.contains(forbidden), "{}: {forbidden}", file.display());
        }
    }
}
