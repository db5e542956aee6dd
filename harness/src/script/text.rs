//! Places in a script's text, and the lines at its top that only this bench reads.

use wast::token::Span;

/// Where the lines of a text start, so that a place is found without reading the text again.
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub fn of(text: &str) -> Lines {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines { starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// The line of a place, from 1.
    pub fn line(&self, span: Span) -> u32 {
        self.starts.partition_point(|start| *start <= span.offset()) as u32
    }

    /// The column of a place in bytes, from 1.
    pub fn column(&self, span: Span) -> u32 {
        let start = self.starts[self.line(span) as usize - 1];
        (span.offset() - start) as u32 + 1
    }
}

/// The header lines of a script, `;;! key: value`, in order. They stand at the top, before the first
/// directive, and say what the script format cannot; other engines read them as comments.
pub fn headers(text: &str) -> Vec<(String, String)> {
    numbered_headers(text).into_iter().map(|(_, key, value)| (key, value)).collect()
}

/// The same with the line of each, from 1.
pub(super) fn numbered_headers(text: &str) -> Vec<(u32, String, String)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let top = lines.take_while(|(_, line)| line.is_empty() || line.starts_with(";;"));
    let split = |(number, line): (u32, &str)| {
        let (key, value) = line.strip_prefix(";;!")?.split_once(':')?;
        Some((number, key.trim().to_string(), value.trim().to_string()))
    };
    top.filter_map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let lines = Lines::of("ab\n\ncd");
        let place = |offset| {
            let span = Span::from_offset(offset);
            (lines.line(span), lines.column(span))
        };
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 6].map(place),
            [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2), (3, 3)]
        );
    }

    #[test]
    fn headers_are_read_from_the_top_only() {
        let text = ";; a title\n;;! fuel: 100\n\n;;! frames: #00: 0x21 - $f\n(module)\n;;! late: 1\n";
        let expected = [("fuel", "100"), ("frames", "#00: 0x21 - $f")];
        assert_eq!(headers(text), expected.map(|(key, value)| (key.to_string(), value.to_string())));
    }
}
