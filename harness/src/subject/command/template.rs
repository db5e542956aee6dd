//! The words of a command, as a shell would take them, with places for what is different in each call.

use std::ffi::{OsStr, OsString};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::process::Command;

/// Stands for the name of the function to call. A command without it runs all that a module exports, which is then
/// that function alone.
const NAME: &str = "NAME";
/// Stands for the module's file.
const FILE: &str = "FILE";
/// Stands for a script's file.
const SCRIPT: &str = "SCRIPT";
/// Stands for the arguments of the call, of which there are none.
const ARGS: &str = "ARGS";

/// A command line with places.
#[derive(Clone, Debug)]
pub(super) struct Template {
    /// What the command finds in its environment beside what this process has.
    environment: Vec<(String, String)>,
    /// The program.
    pub(super) program: String,
    /// Its arguments, with the placeholders in them.
    arguments: Vec<String>,
}

impl Template {
    /// Reads a command line: `[KEY=value]... PROGRAM WORD...`, with quotes and backslashes as in a shell. Fails with what
    /// is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        Template::with(text, FILE, "the module's file")
    }

    /// Reads a command line that runs a whole script. Fails as [`Template::parse`] does.
    pub(super) fn of_script(text: &str) -> Result<Template, String> {
        Template::with(text, SCRIPT, "the script's file")
    }

    fn with(text: &str, placeholder: &str, what: &str) -> Result<Template, String> {
        let words = shell_words::split(text).map_err(|_| format!("a quote is not closed in `{text}`"))?;
        let mut words = words.into_iter().peekable();
        let mut environment = Vec::new();
        while let Some(variable) = words.peek().and_then(|word| variable(word)) {
            environment.push(variable);
            words.next();
        }
        let program = words.next().ok_or_else(|| format!("`{text}` names no program"))?;
        let template = Template { environment, program, arguments: words.collect() };
        if !template.has(placeholder) {
            return Err(format!("expected the word {placeholder} in `{text}`, where {what} goes"));
        }
        is_executable(&template.program)?;
        Ok(template)
    }

    /// Whether it can call one function of several.
    pub(super) fn names_the_function(&self) -> bool {
        self.has(NAME)
    }

    fn has(&self, placeholder: &str) -> bool {
        self.arguments.iter().any(|word| places(word, placeholder).next().is_some())
    }

    /// The command that runs a script.
    pub(super) fn of_file(&self, script: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command.args(self.arguments.iter().map(|word| filled(word, &[(SCRIPT, script.as_os_str())])));
        command
    }

    /// The command that calls a function of a file.
    pub(super) fn command(&self, name: &str, file: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        for word in self.arguments.iter().filter(|word| *word != ARGS) {
            command.arg(filled(
                word,
                &[(NAME, name.as_ref()), (FILE, file.as_os_str()), (ARGS, OsStr::new(""))],
            ));
        }
        command
    }
}

/// The variable that a word sets, if it does.
fn variable(word: &str) -> Option<(String, String)> {
    let (key, value) = word.split_once('=')?;
    let is_name = !key.is_empty()
        && !key.starts_with(|c: char| c.is_ascii_digit())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| (key.to_string(), value.to_string()))
}

/// Where a placeholder stands in a word: not inside another name, as in `FILENAME`.
fn places<'w>(word: &'w str, placeholder: &'w str) -> impl Iterator<Item = usize> + 'w {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    word.match_indices(placeholder).map(|(at, _)| at).filter(move |at| {
        let (before, after) = (&word[..*at], &word[at + placeholder.len()..]);
        !before.ends_with(is_of_name) && !after.starts_with(is_of_name)
    })
}

/// A word with values in the places of placeholders.
fn filled(word: &str, values: &[(&str, &OsStr)]) -> OsString {
    let mut places: Vec<(usize, usize, &OsStr)> = values
        .iter()
        .flat_map(|(placeholder, value)| places(word, placeholder).map(|at| (at, placeholder.len(), *value)))
        .collect();
    places.sort_by_key(|(at, ..)| *at);
    let (mut filled, mut done) = (OsString::new(), 0);
    for (at, length, value) in places {
        filled.push(&word[done..at]);
        filled.push(value);
        done = at + length;
    }
    filled.push(&word[done..]);
    filled
}

/// Whether a program of that name can be started, here or from PATH. Fails with why not.
pub(crate) fn is_executable(program: &str) -> Result<(), String> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let candidates: Vec<PathBuf> = match program.contains(MAIN_SEPARATOR) {
        true => vec![program.into()],
        false => std::env::split_paths(&paths).map(|folder| folder.join(program)).collect(),
    };
    let mut wrong = format!("there is no program `{program}`");
    for candidate in candidates {
        match std::fs::metadata(&candidate) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                wrong = format!("`{}` cannot be looked at: {error}", candidate.display());
            }
            Err(_) => {}
            Ok(metadata) if metadata.is_dir() => {
                wrong = format!("`{}` is a folder, not a program", candidate.display());
            }
            Ok(_) if may_execute(&candidate) => return Ok(()),
            Ok(_) => wrong = format!("`{}` is not executable", candidate.display()),
        }
    }
    Err(wrong)
}

fn may_execute(path: &Path) -> bool {
    let Ok(path) = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()) else { return false };
    // SAFETY: the text ends in a zero byte and outlives the call.
    unsafe { libc::access(path.as_ptr(), libc::X_OK) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that a template becomes, its variables first.
    fn words(text: &str) -> Vec<String> {
        let template = Template::parse(text).expect("it is a template");
        let command = template.command("f", Path::new("/a b/m.wasm"));
        let variables = command
            .get_envs()
            .map(|(key, value)| format!("{}={}", key.display(), value.expect("it is set").display()));
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        variables.chain(words.map(|word| word.display().to_string())).collect()
    }

    #[test]
    fn words_are_taken_as_a_shell_takes_them() {
        assert_eq!(words("true FILE NAME ARGS"), ["true", "/a b/m.wasm", "f"]);
        assert_eq!(words("true 'a b, c' \"x\"\\ y FILE"), ["true", "a b, c", "x y", "/a b/m.wasm"]);
        assert_eq!(words("A=1 B='x y' true FILE"), ["A=1", "B=x y", "true", "/a b/m.wasm"]);
    }

    #[test]
    fn places_are_found_inside_words_and_not_inside_names() {
        assert_eq!(
            words("true --invoke=NAME MYNAME FILENAME x:FILE,NAME"),
            ["true", "--invoke=f", "MYNAME", "FILENAME", "x:/a b/m.wasm,f"]
        );
        assert_eq!(words("true --call=NAME(ARGS) FILE"), ["true", "--call=f()", "/a b/m.wasm"]);
    }

    #[test]
    fn what_is_wrong_with_a_template_is_said() {
        let wrong = |text: &str| Template::parse(text).expect_err("it is wrong");
        assert_eq!(wrong("true NAME"), "expected the word FILE in `true NAME`, where the module's file goes");
        assert_eq!(wrong("true 'FILE"), "a quote is not closed in `true 'FILE`");
        assert_eq!(wrong("A=1"), "`A=1` names no program");
        assert_eq!(wrong("no-such-program-anywhere FILE"), "there is no program `no-such-program-anywhere`");
        assert_eq!(wrong("/ FILE"), "`/` is a folder, not a program");
        let plain = format!("{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(wrong(&format!("'{plain}' FILE")), format!("`{plain}` is not executable"));
    }
}
