//! HTML that is well-formed by construction: an element is closed where the function that fills it ends, and every
//! text and attribute is escaped.

use std::fmt::{Display, Write};

/// A piece of a page.
#[derive(Default)]
pub struct Html {
    text: String,
}

impl Html {
    /// The text of it.
    pub fn finish(self) -> String {
        self.text
    }

    /// An element with attributes and what stands in it.
    pub fn element(&mut self, name: &str, attributes: &[(&str, &str)], inside: impl FnOnce(&mut Html)) {
        self.open(name, attributes);
        inside(self);
        let _ = write!(self.text, "</{name}>");
    }

    /// An element without attributes that holds text.
    pub fn simple(&mut self, name: &str, text: impl Display) {
        self.element(name, &[], |html| html.text(text));
    }

    /// An element that never holds anything.
    pub fn void(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.open(name, attributes);
    }

    /// Text.
    pub fn text(&mut self, text: impl Display) {
        let text = text.to_string();
        self.escaped(&text);
    }

    /// A style sheet of ours: no text of others goes into it.
    pub fn style(&mut self, sheet: &'static str) {
        let _ = write!(self.text, "<style>\n{sheet}</style>");
    }

    /// A table in a box of its own, which scrolls where the page is too narrow for it. Its first row and its first
    /// column say what the others are about.
    pub fn table(&mut self, caption: &str, columns: &[&str], rows: impl FnOnce(&mut Rows<'_>)) {
        let frame = [("class", "scrolls"), ("tabindex", "0"), ("role", "group"), ("aria-label", caption)];
        // Not a `caption`, which would scroll away with the table.
        self.element("p", &[("class", "caption")], |html| html.text(caption));
        self.element("div", &frame, |html| {
            html.element("table", &[], |html| {
                html.element("thead", &[], |html| {
                    html.element("tr", &[], |html| {
                        for column in columns {
                            html.element("th", &[("scope", "col")], |html| html.text(column));
                        }
                    });
                });
                html.element("tbody", &[], |html| rows(&mut Rows { html }));
            });
        });
    }

    /// Something that is folded away until the reader opens it.
    pub fn details(&mut self, summary: impl Display, inside: impl FnOnce(&mut Html)) {
        self.element("details", &[], |html| {
            html.simple("summary", summary);
            inside(html);
        });
    }

    /// Text of a file or a program, as it is.
    pub fn listing(&mut self, label: &str, text: &str) {
        let attributes = [("tabindex", "0"), ("role", "group"), ("aria-label", label)];
        self.element("pre", &attributes, |html| html.text(text));
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let _ = write!(self.text, "<{name}");
        for (key, value) in attributes {
            let _ = write!(self.text, " {key}");
            if !value.is_empty() {
                self.text.push_str("=\"");
                self.escaped(value);
                self.text.push('"');
            }
        }
        self.text.push('>');
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\n' | '\t' => self.text.push(c),
                // HTML has no control characters, not even as references.
                c if c.is_control() => self.text.push('\u{fffd}'),
                c => self.text.push(c),
            }
        }
    }
}

/// The rows of a table that is being written.
pub struct Rows<'a> {
    html: &'a mut Html,
}

/// A cell: its text, and how it looks.
pub struct Cell {
    text: String,
    class: &'static str,
    title: String,
}

impl Cell {
    /// Words.
    pub fn words(text: impl Display) -> Cell {
        Cell { text: text.to_string(), class: "", title: String::new() }
    }

    /// A number, aligned so that numbers can be compared.
    pub fn number(number: impl Display) -> Cell {
        Cell { class: "number", ..Cell::words(number) }
    }

    /// The same in another look.
    pub fn class(self, class: &'static str) -> Cell {
        Cell { class, ..self }
    }

    /// The same with more for those who ask.
    pub fn title(self, title: impl Display) -> Cell {
        Cell { title: title.to_string(), ..self }
    }
}

impl Rows<'_> {
    /// A row: what it is about, then its cells.
    pub fn row(&mut self, head: impl Display, cells: impl IntoIterator<Item = Cell>) {
        self.html.element("tr", &[], |html| {
            html.element("th", &[("scope", "row")], |html| html.text(head));
            for cell in cells {
                let mut attributes = Vec::with_capacity(2);
                if !cell.class.is_empty() {
                    attributes.push(("class", cell.class));
                }
                if !cell.title.is_empty() {
                    attributes.push(("title", cell.title.as_str()));
                }
                html.element("td", &attributes, |html| html.text(&cell.text));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_becomes_part_of_the_page() {
        let mut html = Html::default();
        html.element("p", &[("title", "\"><script>")], |html| html.text("</p>&\u{1}"));
        let text = "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;/p&gt;&amp;\u{fffd}</p>";
        assert_eq!(html.finish(), text);
    }
}
