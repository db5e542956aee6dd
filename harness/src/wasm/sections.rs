//! A module as its sections, to which entries are added without reading those that stand there.

use wasm_encoder::Encode;
use wasmparser::{BinaryReader, BinaryReaderError, Parser};

pub const TYPE_SECTION: u8 = 1;
pub const IMPORT_SECTION: u8 = 2;
pub const FUNCTION_SECTION: u8 = 3;
pub const GLOBAL_SECTION: u8 = 6;
pub const EXPORT_SECTION: u8 = 7;
pub const START_SECTION: u8 = 8;
pub const ELEMENT_SECTION: u8 = 9;
pub const CODE_SECTION: u8 = 10;

/// Sections in the order in which they stand in a module (WebAssembly 3.0, section 5.5.15).
const SECTION_ORDER: [u8; 13] =
    [1, 2, 3, 4, 5, 13, GLOBAL_SECTION, EXPORT_SECTION, START_SECTION, ELEMENT_SECTION, 12, 10, 11];

/// Where a section stands; `None` for custom sections, which may stand anywhere.
pub fn rank(section: u8) -> Option<usize> {
    SECTION_ORDER.iter().position(|other| *other == section)
}

/// The content of a section with `count` more entries.
pub fn extend_section(old: &[u8], count: u32, entries: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut reader = BinaryReader::new(old, 0);
    let old_count = reader.read_var_u32()?;
    let mut extended = Vec::with_capacity(old.len() + entries.len() + 1);
    (old_count + count).encode(&mut extended);
    extended.extend_from_slice(&old[reader.original_position() as usize..]);
    extended.extend_from_slice(entries);
    Ok(extended)
}

/// The sections of a module in their order: their numbers and contents.
#[derive(Clone, Default)]
pub struct Sections(Vec<(u8, Vec<u8>)>);

impl Sections {
    /// All sections of a module. Fails on a module that cannot be read.
    pub fn of(wasm: &[u8]) -> Result<Sections, BinaryReaderError> {
        let mut sections = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            if let Some((id, range)) = payload?.as_section() {
                sections.push((id, wasm[range.start as usize..range.end as usize].to_vec()));
            }
        }
        Ok(Sections(sections))
    }

    /// Those that the specification gives a meaning to, which leaves out the custom ones.
    pub fn without_custom(mut self) -> Sections {
        self.0.retain(|(id, _)| rank(*id).is_some());
        self
    }

    /// The module.
    pub fn module(&self) -> Vec<u8> {
        let mut module = wasm_encoder::Module::new();
        for (id, data) in &self.0 {
            module.section(&wasm_encoder::RawSection { id: *id, data });
        }
        module.finish()
    }

    /// Gives a section these entries and no others.
    pub fn replace(&mut self, id: u8, entries: &[&[u8]]) {
        let content = self.content(id);
        content.clear();
        entries.len().encode(content);
        entries.iter().for_each(|entry| content.extend_from_slice(entry));
    }

    /// Takes a section out, if it is there.
    pub fn remove(&mut self, id: u8) {
        self.0.retain(|(other, _)| *other != id);
    }

    /// Puts entries before those of a section. Fails if the section does not begin with a count.
    pub fn prepend(&mut self, id: u8, entries: &[&[u8]]) -> Result<(), BinaryReaderError> {
        let content = self.content(id);
        let mut reader = BinaryReader::new(content, 0);
        let count = reader.read_var_u32()?;
        let mut extended = Vec::new();
        (count as usize + entries.len()).encode(&mut extended);
        entries.iter().for_each(|entry| extended.extend_from_slice(entry));
        extended.extend_from_slice(&content[reader.original_position() as usize..]);
        *content = extended;
        Ok(())
    }

    /// Puts an entry after those of a section, and gives its number. Fails if the section does not begin with a count.
    pub fn append(&mut self, id: u8, entry: &[u8]) -> Result<u32, BinaryReaderError> {
        let number = BinaryReader::new(self.content(id), 0).read_var_u32()?;
        self.extend(id, 1, entry)?;
        Ok(number)
    }

    /// Puts `count` entries after those of a section. Fails if the section does not begin with a count.
    pub fn extend(&mut self, id: u8, count: u32, entries: &[u8]) -> Result<(), BinaryReaderError> {
        if count > 0 {
            let content = self.content(id);
            *content = extend_section(content, count, entries)?;
        }
        Ok(())
    }

    /// The content of a section. One that is not there is put where it belongs, without entries.
    fn content(&mut self, id: u8) -> &mut Vec<u8> {
        let there = self.0.iter().position(|(other, _)| *other == id);
        let at = there.unwrap_or_else(|| {
            let place = self.0.iter().position(|(other, _)| rank(*other) > rank(id));
            let at = place.unwrap_or(self.0.len());
            self.0.insert(at, (id, vec![0]));
            at
        });
        &mut self.0[at].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of a module's sections, in their order.
    fn numbers(sections: &Sections) -> Vec<u8> {
        sections.0.iter().map(|(id, _)| *id).collect()
    }

    #[test]
    fn a_new_section_stands_where_it_belongs_and_custom_ones_stay() {
        let wat = r#"(module (import "a" "f" (func)) (func $g) (start $g))"#;
        let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
        let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
        let wasm = module.encode().expect("the test's text can be encoded");
        let mut sections = Sections::of(&wasm).expect("the module is valid");
        assert_eq!(sections.module(), wasm);
        assert_eq!(numbers(&sections), [1, 2, 3, 8, 10, 0]);
        // An immutable i32 of 7, and the export `x` of it.
        assert_eq!(sections.append(GLOBAL_SECTION, &[0x7f, 0, 0x41, 7, 0x0b]).ok(), Some(0));
        sections.extend(EXPORT_SECTION, 1, &[1, b'x', 3, 0]).expect("the section begins with a count");
        sections.remove(START_SECTION);
        assert_eq!(numbers(&sections), [1, 2, 3, 6, 7, 10, 0]);
        wasmparser::validate(&sections.module()).expect("the module is still valid");
        assert_eq!(numbers(&sections.without_custom()), [1, 2, 3, 6, 7, 10]);
    }

    #[test]
    fn entries_are_counted_wherever_they_are_put() {
        let mut sections = Sections::default();
        sections.replace(TYPE_SECTION, &[&[0x60, 0, 0]]);
        sections.prepend(TYPE_SECTION, &[&[0x60, 1, 0x7f, 0]]).expect("the section begins with a count");
        assert_eq!(sections.append(TYPE_SECTION, &[0x60, 0, 1, 0x7e]).ok(), Some(2));
        assert_eq!(sections.0, [(TYPE_SECTION, vec![3, 0x60, 1, 0x7f, 0, 0x60, 0, 0, 0x60, 0, 1, 0x7e])]);
    }
}
