//! How the program was started, so that a command it prints repeats what it did: with the same program, on the same
//! workers, with the same timeout.

/// A program and the options that every command it prints needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Started {
    /// The program's words, as a shell takes them.
    program: Vec<String>,
    /// Options that change where and how subjects run.
    options: Vec<String>,
}

impl Default for Started {
    fn default() -> Started {
        Started { program: vec!["crosscheck".into()], options: Vec::new() }
    }
}

impl Started {
    /// Started as that program, with options that its commands need.
    pub fn new(program: Vec<String>, options: Vec<String>) -> Started {
        Started { program, options }
    }

    /// The line for a shell that starts the program again, to do this.
    pub fn command(&self, words: &[String]) -> String {
        shell_words::join(self.program.iter().chain(words).chain(&self.options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_keeps_what_it_was_started_with() {
        let words = |text: &str| text.split('|').map(str::to_string).collect::<Vec<_>>();
        let started = Started::new(words("a dir/crosscheck"), words("--worker|qemu-x ./crosscheck"));
        let command = started.command(&words("replay|reports/x"));
        assert_eq!(command, "'a dir/crosscheck' replay reports/x --worker 'qemu-x ./crosscheck'");
        assert_eq!(Started::default().command(&words("modes")), "crosscheck modes");
    }
}
