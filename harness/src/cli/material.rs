//! The folder of `--material`: programs of the user's, of which a campaign makes cases.

use super::input::{self, Input};
use super::terminal::show_error;
use super::{Failure, input::module_case};
use crate::case::Case;
use crate::features::Features;
use crate::generate::material::Material;
use crate::guard::guarded;
use crate::script::{ScriptFile, cases, files_below};
use std::path::Path;

/// Files beyond this size are left out: a campaign makes a case of one again and again.
const LARGEST_FILE_BYTES: u64 = 4 << 20;

/// The programs in a folder and below it that use no other proposals than these. A file that is of no use is told in one
/// line. Fails if the folder cannot be read, or holds nothing of use.
pub fn read(folder: &Path, features: &Features) -> Result<Material, Failure> {
    let failure =
        |what: &dyn std::fmt::Display| Failure::Usage(format!("--material: {}: {what}", folder.display()));
    let files = files_below(folder, &["wasm", "wat", "wast"])
        .map_err(|error| failure(&format_args!("cannot read: {error}")))?;
    let mut all: Option<Material> = None;
    for file in &files {
        match of_file(file, features) {
            Ok(material) => {
                all = Some(match all {
                    Some(all) => all.and(material),
                    None => material,
                });
            }
            Err(Failure::Usage(line) | Failure::Bench(line)) => show_error(&line),
        }
    }
    all.ok_or_else(|| match files.len() {
        0 => failure(&"no .wasm, .wat or .wast file in this folder"),
        count => failure(&format_args!("none of the {count} files in this folder is of use")),
    })
}

fn of_file(path: &Path, features: &Features) -> Result<Material, Failure> {
    let failure =
        |what: &dyn std::fmt::Display| Failure::Usage(format!("{}: left out: {what}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| failure(&error))?.len();
    if size > LARGEST_FILE_BYTES {
        return Err(failure(&format_args!("{size} bytes; at most {LARGEST_FILE_BYTES} are taken")));
    }
    let programs = guarded(|| programs(path)).map_err(|panic| failure(&panic))??;
    let count = programs.len();
    Material::new(programs, features).ok_or_else(|| match count {
        0 => failure(&"there is no module in it"),
        _ => failure(&"it uses a proposal that not every mode executes"),
    })
}

/// The programs of a file. Of a module only that it is instantiated: what is called is drawn for each case.
fn programs(path: &Path) -> Result<Vec<Case>, Failure> {
    match input::read(path)? {
        Input::Module(wasm) => {
            let mut case = module_case(path, wasm, 0)?;
            case.actions.truncate(1);
            Ok(vec![case])
        }
        Input::Script(text) => {
            let file = ScriptFile::new(path.display().to_string(), text);
            cases(&file).map_err(|unreadable| Failure::Usage(unreadable.to_string()))
        }
        Input::Case(case) => Ok(vec![case]),
    }
}
