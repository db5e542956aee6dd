//! Our own scripts, a line each: `own/<area>/<what-it-shows>.wast`.
//!
//! They are written for any engine's runner. A test holds the list against the folder.

use crate::{OWN, SpecFile};

macro_rules! scripts {
    ($($area:literal $name:literal;)*) => {
        const SCRIPTS: &[(&str, &str)] = &[$(
            (concat!($area, "/", $name, ".wast"), include_str!(concat!("../own/", $area, "/", $name, ".wast"))),
        )*];
    };
}

scripts! {
    "calls" "tail-call-replaces-the-frame-before-the-host-runs";
    "memory" "a-failed-segment-keeps-what-earlier-ones-wrote";
    "references" "reference-locals-start-null";
    "tables" "indices-of-64-bits";
}

/// All of them.
pub(crate) fn files() -> Vec<SpecFile> {
    let file = |(name, text): &(&str, &'static str)| SpecFile { group: OWN, name: name.to_string(), text };
    SCRIPTS.iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_script_in_the_folder_is_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("own");
        let mut found = Vec::new();
        for area in fs::read_dir(folder).expect("our scripts are here") {
            let area = area.expect("readable");
            for file in fs::read_dir(area.path()).expect("an area is a folder") {
                let file = file.expect("readable").file_name();
                found.push(format!("{}/{}", area.file_name().display(), file.display()));
            }
        }
        let mut listed: Vec<_> = files().into_iter().map(|file| file.name).collect();
        found.sort();
        listed.sort();
        assert_eq!(found, listed);
    }
}
