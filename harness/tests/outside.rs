//! Our modes pass the scripts in `corpus/outside`, which some release of another engine does not.

use crosscheck::script::{Lane, Options, ScriptFile, run_script};
use std::fs;
use std::path::PathBuf;

#[test]
fn every_mode_passes_what_others_failed() {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "corpus", "outside"].iter().collect();
    let engines =
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("readable").path());
    let mut scripts = 0;
    for engine in engines.filter(|path| path.is_dir()) {
        for script in fs::read_dir(engine).expect("a folder an engine") {
            let path = script.expect("readable").path();
            let text = fs::read_to_string(&path).expect("scripts are text");
            let file = ScriptFile::new(path.display().to_string(), text);
            let report =
                run_script(&file, &Lane::all_modes(), &Options::default()).expect("the file is a script");
            assert_eq!(report.failures, [], "{}", path.display());
            assert!(report.modes.iter().all(|(_, counts)| counts.passed > 0 && counts.skipped == 0));
            scripts += 1;
        }
    }
    assert!(scripts > 0);
}
