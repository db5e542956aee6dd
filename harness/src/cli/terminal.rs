//! What the program prints. Every line passes here: what a terminal would act on is escaped, and colour is decided in
//! one place.

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use crosscheck_engine::Shown;
use std::borrow::Cow;
use std::io::{ErrorKind, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

static COLOR: OnceLock<Color> = OnceLock::new();

/// Set once a line could not be printed, for another reason than that its reader has gone.
static IS_UNTOLD: AtomicBool = AtomicBool::new(false);

/// Decides on colour, once.
pub fn set_color(color: Color) {
    COLOR.get_or_init(|| color);
}

/// Whether a line could not be printed, for another reason than that its reader has gone.
pub fn is_untold() -> bool {
    IS_UNTOLD.load(Ordering::Relaxed)
}

/// Prints lines. A reader that has seen enough and gone (`| head`) changes nothing about what the command does or how
/// it ends; output that cannot be written otherwise lets it go on, and end as a failure of the bench.
pub fn show(text: impl std::fmt::Display) {
    let painted: Vec<String> = escaped(&text.to_string()).lines().map(painted).collect();
    let mut stdout = AutoStream::new(std::io::stdout(), choice()).lock();
    let written = writeln!(stdout, "{}", painted.join("\n"));
    if written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
        IS_UNTOLD.store(true, Ordering::Relaxed);
    }
}

/// Prints one line that says what is wrong, on standard error.
pub fn show_error(message: &str) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let message = escaped(message).replace('\n', " ");
    let mut stderr = AutoStream::new(std::io::stderr(), choice()).lock();
    // There is no other place to say that standard error cannot be written.
    let _ = writeln!(stderr, "{style}error:{style:#} {message}");
}

fn choice() -> ColorChoice {
    match COLOR.get().copied().unwrap_or_default() {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
}

/// The text without anything that a terminal acts on, but for ends of lines and tabs.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_fine = |character: char| matches!(character, '\n' | '\t') || Shown::is_plain(character);
    if text.chars().all(is_fine) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_fine(character) {
            plain.push(character);
        } else {
            plain.extend(character.escape_unicode());
        }
    }
    Cow::Owned(plain)
}

/// A line in the colour of what it says.
fn painted(line: &str) -> String {
    let starts = |words: &[&str]| words.iter().any(|word| line.trim_start().starts_with(word));
    let color = if starts(&["\u{2260}", "finding:", "NOT GREEN", "verdict: diverge", "failed:"]) {
        AnsiColor::Red
    } else if starts(&["green;", "green:", "verdict: agree"]) {
        AnsiColor::Green
    } else if starts(&["verdict: inconclusive", "no evidence:", "recorded:", "interrupted", "incomplete"]) {
        AnsiColor::Yellow
    } else {
        return line.to_string();
    };
    let style = Style::new().fg_color(Some(color.into()));
    format!("{style}{line}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_escaped() {
        assert_eq!(escaped("a\tb\nc"), "a\tb\nc");
        assert_eq!(escaped("a\x1b[31mb\u{202e}"), r"a\u{1b}[31mb\u{202e}");
    }

    #[test]
    fn a_line_has_the_colour_of_what_it_says() {
        assert_eq!(painted("  0: invoke"), "  0: invoke");
        assert!(painted("verdict: agree").starts_with("\x1b[32m"));
        assert!(painted("    \u{2260} interp").starts_with("\x1b[31m"));
    }
}
