//! Any engine that is a library with the standard C API as a subject: `--with 'NAME=lib:/path/to/libengine.so'`, with
//! settings of the engine after the path where its row has some: `libwasmtime.so+winch`.
//!
//! The interface (`wasm.h` of the `wasm-c-api` proposal) compiles, instantiates and calls, lets a host be called, and
//! shows exported globals, memories and tables. So a library is compared on nearly all that an engine built into this
//! program is. What the interface lacks: fuel and limits of a store (limits of the case become limits of types), which
//! instance calls a host function (each instance has its own), `v128` and, in the engines that were tried, `externref`
//! (modules of ours carry vectors and nulls, see [`shape`]).
//! It cannot say why a module is refused either.
//!
//! [`api`] loads a library, [`quirks`] is what differs between engines, [`store`] is a case under way in a [`context`],
//! [`host`] what a guest calls, and [`shape`] how values cross. A library runs in this process, and a fault of it ends the process: cases run in workers, and what
//! the library executes is asked in a process of its own ([`features`]).

mod api;
mod context;
mod features;
mod host;
mod quirks;
mod shape;
mod store;

use super::embedding::{accepts_by, observe};
use super::probe::features::Executed;
use super::{Acceptance, Capabilities, Prepared, Subject, Watch};
use crate::case::{HostPlan, Limits};
use crate::features::Features;
use crate::hosts::Host;
use crate::observe::{Capture, Observation};
use api::{Api, Engine};
use quirks::{Quirks, Setting};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use store::LibraryStore;

/// What stands before the path of a library.
const PREFIX: &str = "lib:";

/// A library with the C API.
pub struct LibrarySubject {
    /// What people call it: the label.
    name: String,
    /// The whole of it: `LABEL=lib:PATH`.
    definition: String,
    loaded: Arc<Loaded>,
}

/// A library and its engine objects.
struct Loaded {
    path: PathBuf,
    api: Api,
    quirks: Quirks,
    /// What the user set.
    settings: Vec<Setting>,
    version: String,
    /// What the library executes.
    executed: OnceLock<Executed>,
    /// Engine objects that wait for a case.
    idle: Mutex<Vec<Idle>>,
}

/// An engine object that no case uses.
struct Idle(*mut Engine);

// SAFETY: the interface lets an engine object be used by any thread, and one that is idle is used by none.
unsafe impl Send for Idle {}

impl Loaded {
    /// The library that a text names, `PATH` or `PATH+SETTING+SETTING`, which is loaded and asked once. Fails, in one
    /// sentence, with what is wrong with it.
    fn of(text: &str) -> Result<Arc<Loaded>, String> {
        static ALL: Mutex<BTreeMap<String, Arc<Loaded>>> = Mutex::new(BTreeMap::new());
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = all.get(text) {
            return Ok(loaded.clone());
        }
        let (path, names) = path_and_settings(text);
        features::survive_loading(&path)?;
        let api = Api::load(&path)?;
        let quirks = Quirks::of(&api);
        let settings = quirks.chosen(&api, &names)?;
        let (executed, idle) = (OnceLock::new(), Mutex::default());
        let mut loaded = Loaded { path, api, quirks, settings, version: String::new(), executed, idle };
        // Before anything else, for an engine may start threads, and a process made by `fork` has none of them.
        let (runs_anything, executed) = features::executed(&loaded);
        loaded.executed.set(executed).expect("nothing was asked before");
        // What does not run the simplest module might end the process that asks for its release.
        loaded.version = match runs_anything {
            true => quirks.release(&loaded),
            false => format!("{}, which does not run the simplest module", quirks.engine),
        };
        for name in names {
            loaded.version += &format!(", {name}");
        }
        let loaded = Arc::new(loaded);
        all.insert(text.to_string(), loaded.clone());
        Ok(loaded)
    }

    /// What the library executes.
    fn executed(&self) -> &Executed {
        self.executed.get().expect("it was asked when the library was loaded")
    }

    /// An engine object for a case.
    fn engine(&self) -> *mut Engine {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.quirks.engine(&self.api, &self.settings), |Idle(engine)| engine)
    }

    /// Takes an engine object back, all of whose stores are deleted.
    fn give_back(&self, engine: *mut Engine) {
        if self.quirks.keeps_code {
            // SAFETY: nothing uses it any more.
            unsafe { (self.api.wasm_engine_delete)(engine) };
        } else {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(Idle(engine));
        }
    }
}

/// The path of a library and the names of settings after it. A file may have a `+` in its name.
fn path_and_settings(text: &str) -> (PathBuf, Vec<&str>) {
    let mut parts = text.split('+');
    let mut path = parts.next().unwrap_or_default().to_string();
    let mut names: Vec<&str> = Vec::new();
    for part in parts {
        let longer = [&[path.as_str()], &names[..], &[part]].concat().join("+");
        if Path::new(&longer).is_file() {
            (path, names) = (longer, Vec::new());
        } else {
            names.push(part);
        }
    }
    (PathBuf::from(path), names)
}

impl LibrarySubject {
    /// The subject of `LABEL=lib:PATH` or `LABEL=lib:PATH+SETTING`; none if the text is not one. Fails, in one sentence, with what is wrong with the
    /// library.
    pub fn parse(text: &str) -> Option<Result<LibrarySubject, String>> {
        let (label, rest) = text.split_once('=')?;
        let library = rest.strip_prefix(PREFIX)?;
        if label.is_empty() || label.contains(char::is_whitespace) {
            return Some(Err(format!(
                "expected LABEL={PREFIX}PATH in `{text}`, with a label without spaces"
            )));
        }
        Some(LibrarySubject::load(label, text, library))
    }

    fn load(label: &str, definition: &str, library: &str) -> Result<LibrarySubject, String> {
        let loaded = Loaded::of(library)?;
        Ok(LibrarySubject { name: label.to_string(), definition: definition.to_string(), loaded })
    }
}

impl Subject for LibrarySubject {
    fn name(&self) -> &str {
        &self.name
    }

    fn definition(&self) -> &str {
        &self.definition
    }

    fn version(&self) -> Option<&str> {
        Some(&self.loaded.version)
    }

    /// NaN bits are vouched for because judged cases make them canonical themselves, see
    /// [`Profile::Judged`](crate::generate::Profile::Judged).
    fn capabilities(&self) -> Capabilities {
        self.loaded.quirks.capabilities()
    }

    fn features(&self) -> Features {
        self.loaded.executed().makes.clone()
    }

    fn observe(&self, prepared: &Prepared<'_>, capture: Capture, watch: &mut dyn Watch) -> Observation {
        let host = Host::new(prepared.case.hosts, capture);
        let features = self.loaded.executed().reads;
        let store = LibraryStore::new(&self.loaded, prepared.case.limits, host, features);
        observe(store, prepared, capture, watch)
    }

    fn accepts(&self, wasm: &[u8]) -> Acceptance {
        let host = Host::new(HostPlan::new(0, 0), Capture::Digest);
        let features = self.loaded.executed().reads;
        let store = LibraryStore::new(&self.loaded, Limits::default(), host, features);
        accepts_by(wasm, features, || store.compile_as_it_is(wasm))
    }
}

impl std::fmt::Debug for LibrarySubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LibrarySubject").field("path", &self.loaded.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        LibrarySubject::parse(text).expect("it names a library").expect_err("it is wrong")
    }

    #[test]
    fn what_is_wrong_with_a_library_is_said() {
        assert!(LibrarySubject::parse("wasmi").is_none());
        assert!(LibrarySubject::parse("x=iwasm -f NAME FILE").is_none());
        assert_eq!(wrong("x=lib:/nowhere/libx.so"), "there is no file `/nowhere/libx.so`");
        assert!(wrong("a b=lib:/x.so").contains("a label without spaces"));
        let text = concat!("x=lib:", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert!(wrong(text).contains("cannot be loaded as a library"), "{}", wrong(text));
    }

    #[test]
    fn settings_stand_after_a_path_that_may_have_a_plus_itself() {
        let folder = std::env::temp_dir().join(format!("crosscheck-plus+{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a writable folder");
        let file = folder.join("lib+x.so");
        std::fs::write(&file, "").expect("a writable folder");
        let text = format!("{}+winch+no-signals", file.display());
        assert_eq!(path_and_settings(&text), (file.clone(), vec!["winch", "no-signals"]));
        assert_eq!(path_and_settings("/nowhere/l.so"), (PathBuf::from("/nowhere/l.so"), Vec::new()));
        std::fs::remove_dir_all(&folder).expect("it was made above");
    }
}
