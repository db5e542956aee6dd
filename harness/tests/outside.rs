//! Our modes pass the scripts in `corpus/outside`, which some release of another engine does not.

use crosscheck::script::{Lane, Options, ScriptFile, run_script, scripts_below};
use std::fs;
use std::path::PathBuf;

#[test]
fn every_mode_passes_what_others_failed() {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "corpus", "outside"].iter().collect();
    let scripts = scripts_below(&folder).expect("a readable folder");
    for path in &scripts {
        let text = fs::read_to_string(path).expect("scripts are text");
        let file = ScriptFile::new(path.display().to_string(), text);
        let report =
            run_script(&file, &Lane::all_modes(), &Options::default()).expect("the file is a script");
        assert_eq!(report.failures, [], "{}", path.display());
        assert!(report.modes.iter().all(|(_, counts)| counts.passed > 0 && counts.skipped == 0));
    }
    assert!(!scripts.is_empty());
}
