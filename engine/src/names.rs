//! Names that a module chose, made fit to be shown.
//!
//! A name is any UTF-8 text of any length. Shown as it is, it could move a terminal's cursor, forge lines of a report, or
//! turn the direction of the text around it.

use std::fmt;

/// Characters of a name that are shown.
const NAME_CHARACTERS: usize = 100;
/// Characters of a message, which may hold several names.
const MESSAGE_CHARACTERS: usize = 500;

/// Shows a name on one line: control characters, line breaks and characters that change the direction of text are
/// escaped as `\u{...}`, and what comes after the first hundred characters is counted instead.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

/// Shows a message that may hold names, in the same way and with more room.
#[derive(Clone, Copy, Debug)]
pub struct ShownMessage<'a>(pub &'a str);

impl Shown<'_> {
    /// Whether a character shows as itself and changes nothing else.
    pub fn is_plain(character: char) -> bool {
        // Unicode's bidirectional formatting characters, line and paragraph separators, and what has no width.
        let is_formatting = matches!(
            character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        );
        !character.is_control() && !is_formatting
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, NAME_CHARACTERS, f)
    }
}

impl fmt::Display for ShownMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, MESSAGE_CHARACTERS, f)
    }
}

fn show(text: &str, most: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write;
    let mut rest = text.chars();
    for character in rest.by_ref().take(most) {
        if Shown::is_plain(character) {
            f.write_char(character)?;
        } else {
            write!(f, "{}", character.escape_unicode())?;
        }
    }
    match rest.as_str().len() {
        0 => Ok(()),
        left => write!(f, "... ({left} more bytes)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_cursors_or_lines_or_directions_is_escaped() {
        let shown = |name: &str| Shown(name).to_string();
        assert_eq!(shown("plain name-\u{e9}\u{5d0}"), "plain name-\u{e9}\u{5d0}");
        assert_eq!(shown("a\nb\x1b[2J"), r"a\u{a}b\u{1b}[2J");
        assert_eq!(shown("a\u{202e}b\u{2066}"), r"a\u{202e}b\u{2066}");
    }

    #[test]
    fn a_long_name_is_cut() {
        let shown = Shown(&"x".repeat(1_000_000)).to_string();
        assert_eq!(shown, format!("{}... (999900 more bytes)", "x".repeat(100)));
    }
}
