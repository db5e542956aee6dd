//! Holds the `use` lines of the code against the arrows of ARCHITECTURE.md.
//!
//! The page has a block of lines `from -> to to ...`; everything it does not list is forbidden. Names
//! are crates, or files and rooms of the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), ".."].iter().collect()
}

/// The arrows of the block that starts with this fence.
fn arrows(fence: &str) -> BTreeMap<String, BTreeSet<String>> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page is there");
    let mut arrows = BTreeMap::new();
    let block = page.lines().skip_while(|line| *line != fence).skip(1).take_while(|line| *line != "```");
    for line in block {
        let (from, to) = line.split_once("->").unwrap_or_else(|| panic!("no arrow in `{line}`"));
        arrows.insert(from.trim().to_string(), to.split_whitespace().map(str::to_string).collect());
    }
    assert!(!arrows.is_empty(), "ARCHITECTURE.md has no block `{fence}`");
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

#[test]
fn engine_files_import_only_what_the_page_allows() {
    let arrows = arrows("```arrows engine");
    let source = root().join("engine/src");
    let modules: BTreeSet<String> = fs::read_dir(&source)
        .expect("the engine's source")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    let mut wrong = Vec::new();
    for file in rust_files(&source) {
        let inside = file.strip_prefix(&source).expect("listed below it");
        let first = inside.components().next().expect("not empty").as_os_str().to_string_lossy().into_owned();
        let from = first.trim_end_matches(".rs").to_string();
        // Tests may look at anything.
        if inside.components().any(|part| part.as_os_str() == "tests.rs" || part.as_os_str() == "tests") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("readable");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let allowed =
            arrows.get(&from).unwrap_or_else(|| panic!("ARCHITECTURE.md says nothing about {from}"));
        for to in mentions(text, "crate::").into_iter().filter(|to| modules.contains(to) && *to != from) {
            if !allowed.contains(&to) {
                wrong.push(format!("{}: {from} -> {to}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that ARCHITECTURE.md does not have:\n{}", wrong.join("\n"));
}

#[test]
fn the_single_pass_compiler_names_no_machine() {
    let room = root().join("engine/src/baseline");
    let neutral = rust_files(&room).into_iter().filter(|file| {
        let inside = file.strip_prefix(&room).expect("listed below it");
        !["x64", "x64.rs", "tests", "tests.rs"].iter().any(|part| inside.starts_with(part))
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
fn the_page_lists_no_arrow_that_the_engine_lacks() {
    let source = root().join("engine/src");
    for (from, allowed) in arrows("```arrows engine") {
        let files = rust_files(&source.join(&from)).into_iter().chain([source.join(format!("{from}.rs"))]);
        let texts: Vec<String> = files.filter_map(|file| fs::read_to_string(file).ok()).collect();
        assert!(!texts.is_empty(), "ARCHITECTURE.md names {from}, which is not there");
        let used: BTreeSet<String> = texts.iter().flat_map(|text| mentions(text, "crate::")).collect();
        let missing: Vec<_> = allowed.iter().filter(|to| !used.contains(*to) && from != "lib").collect();
        assert!(
            missing.is_empty(),
            "{from} no longer uses {missing:?}; take the arrows out of ARCHITECTURE.md"
        );
    }
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
    let compare = ["run", "generate"].map(|forbidden| (source.join("compare.rs"), forbidden));
    let runners = ["subject", "generate", "worker", "investigate", "reduce", "localise"];
    let report = report.flat_map(|file| runners.map(|forbidden| (file.clone(), forbidden)));
    for (file, forbidden) in report.chain(compare) {
        let text = fs::read_to_string(&file).expect("readable");
        let found = mentions(&text, "crate::");
        assert!(!found.contains(forbidden), "{} uses {forbidden}", file.display());
    }
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
