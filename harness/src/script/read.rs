//! From a text to the directives of a script.
//!
//! The parser takes a script whole or not at all. Proposals that it has no words for would make a script unreadable in
//! which only some directives use them, so such a directive is read past: it stands in the script as [`Part::Unread`],
//! with what it would take to read it. Every other mistake makes the script unreadable, as it should.

use super::text::Lines;
use super::{ScriptFile, Unreadable};
use std::borrow::Cow;
use wast::lexer::{Lexer, TokenKind};
use wast::parser::{self, ParseBuffer};
use wast::token::Span;
use wast::{Wast, WastDirective};

/// Words that the parser does not know, and the proposal that each of them is of. A word that ends in a dot stands for
/// all that begin so.
const UNKNOWN_WORDS: [(&str, &str); 13] = [
    ("try", "legacy-exceptions"),
    ("delegate", "legacy-exceptions"),
    ("rethrow", "legacy-exceptions"),
    ("memory.discard", "memory-control"),
    ("memory.protect", "memory-control"),
    ("memory.map", "memory-control"),
    ("memory.unmap", "memory-control"),
    ("string.", "stringref"),
    ("stringview_wtf8.", "stringref"),
    ("stringview_wtf16.", "stringref"),
    ("stringref", "stringref"),
    ("f16x8.", "half-precision"),
    ("f32.load_f16", "half-precision"),
];

/// A part of a script.
pub(super) enum Part<'a> {
    /// A directive.
    Directive(Box<WastDirective<'a>>),
    /// A directive that the parser cannot read.
    Unread(Unread),
}

/// A directive that the parser cannot read, as far as its first words tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unread {
    offset: usize,
    /// Its keyword: `module`, `assert_invalid`.
    pub keyword: String,
    /// What a module would be called.
    pub name: Option<String>,
    /// The proposal that it needs.
    pub proposal: &'static str,
}

impl Part<'_> {
    /// Where it starts.
    pub fn span(&self) -> Span {
        match self {
            Part::Directive(directive) => directive.span(),
            Part::Unread(unread) => Span::from_offset(unread.offset),
        }
    }
}

impl Unread {
    /// Whether it asserts something.
    pub fn is_assertion(&self) -> bool {
        self.keyword.starts_with("assert_")
    }

    /// Why it is skipped.
    pub fn reason(&self) -> String {
        not_executed(self.proposal)
    }
}

/// Why what needs a proposal is skipped.
pub(super) fn not_executed(proposal: &str) -> String {
    format!("no mode executes modules of {proposal} yet")
}

/// Hands the parts of a script to `work`. Fails if the text is not a script.
pub(super) fn read<T>(
    file: &ScriptFile,
    lines: &Lines,
    work: impl FnOnce(Vec<Part<'_>>) -> Result<T, Unreadable>,
) -> Result<T, Unreadable> {
    let unreadable = |error: &wast::Error| Unreadable {
        file: file.path(),
        line: lines.line(error.span()),
        column: lines.column(error.span()),
        message: error.message(),
    };
    let mut unread: Vec<Unread> = Vec::new();
    let mut text: Cow<'_, str> = Cow::Borrowed(&file.text);
    loop {
        let buffer = ParseBuffer::new_with_lexer(lexer(&text)).map_err(|error| unreadable(&error))?;
        let error = match parser::parse::<Wast<'_>>(&buffer) {
            Ok(script) => return work(in_order(script.directives, unread)),
            Err(error) => error,
        };
        let form = form_around(&text, error.span().offset()).ok_or_else(|| unreadable(&error))?;
        let found = form.unread(&text).ok_or_else(|| unreadable(&error))?;
        let blanked = format!("{}{}{}", &text[..form.start], blanks(form.of(&text)), &text[form.end..]);
        drop(buffer);
        text = Cow::Owned(blanked);
        unread.push(found);
    }
}

/// The proposal of the first word in a text that the parser does not know.
pub(super) fn unknown_proposal(text: &str) -> Option<&'static str> {
    lexer(text).iter(0).map_while(Result::ok).filter(|token| token.kind == TokenKind::Keyword).find_map(
        |token| {
            let word = token.keyword(text);
            let is_it = |row: &&(&str, &str)| match row.0.strip_suffix('.') {
                Some(_) => word.starts_with(row.0),
                None => word == row.0,
            };
            UNKNOWN_WORDS.iter().find(is_it).map(|(_, proposal)| *proposal)
        },
    )
}

fn lexer(text: &str) -> Lexer<'_> {
    let mut lexer = Lexer::new(text);
    // The suite has names in right-to-left scripts on purpose.
    lexer.allow_confusing_unicode(true);
    lexer
}

fn in_order<'a>(directives: Vec<WastDirective<'a>>, unread: Vec<Unread>) -> Vec<Part<'a>> {
    let directives = directives.into_iter().map(|directive| Part::Directive(Box::new(directive)));
    let mut parts: Vec<Part<'a>> = directives.chain(unread.into_iter().map(Part::Unread)).collect();
    parts.sort_by_key(|part| part.span().offset());
    parts
}

/// The same text without anything in it: places after it stay what they are.
fn blanks(text: &str) -> String {
    text.chars().flat_map(|c| std::iter::repeat_n(if c == '\n' { '\n' } else { ' ' }, c.len_utf8())).collect()
}

/// A pair of parentheses that no other is around, and what it holds.
struct Form {
    start: usize,
    end: usize,
}

/// The outermost parentheses around a place.
fn form_around(text: &str, place: usize) -> Option<Form> {
    let (mut depth, mut start) = (0_u32, 0);
    for token in lexer(text).iter(0).map_while(Result::ok) {
        match token.kind {
            TokenKind::LParen => {
                if depth == 0 {
                    start = token.offset;
                }
                depth += 1;
            }
            TokenKind::RParen => {
                depth = depth.checked_sub(1)?;
                let end = token.offset + 1;
                if depth == 0 && (start..end).contains(&place) {
                    return Some(Form { start, end });
                }
            }
            _ => {}
        }
    }
    None
}

impl Form {
    fn of<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start..self.end]
    }

    /// What is known of it, if a word of a proposal explains that it cannot be read.
    fn unread(&self, text: &str) -> Option<Unread> {
        let form = self.of(text);
        let proposal = unknown_proposal(form)?;
        let is_word = |kind: TokenKind| matches!(kind, TokenKind::Keyword | TokenKind::Id);
        let lexer = lexer(form);
        let mut words = lexer.iter(0).map_while(Result::ok).skip(1).take_while(|token| {
            is_word(token.kind) || matches!(token.kind, TokenKind::Whitespace | TokenKind::LineComment)
        });
        let keyword = words.find(|token| token.kind == TokenKind::Keyword)?;
        let name = words.find(|token| token.kind == TokenKind::Id);
        Some(Unread {
            // Where the parser says that a directive starts: at its keyword.
            offset: self.start + keyword.offset,
            keyword: keyword.keyword(form).to_string(),
            name: name.and_then(|name| Some(name.src(form).strip_prefix('$')?.to_string())),
            proposal,
        })
    }
}
