//! A module as its sections, to which entries are added without reading those that stand there.

use wasm_encoder::Encode;
use wasmparser::{BinaryReader, BinaryReaderError, Parser};

pub const TYPE_SECTION: u8 = 1;
pub const IMPORT_SECTION: u8 = 2;
pub const FUNCTION_SECTION: u8 = 3;
pub const GLOBAL_SECTION: u8 = 6;
pub const EXPORT_SECTION: u8 = 7;
pub const ELEMENT_SECTION: u8 = 9;
pub const CODE_SECTION: u8 = 10;

/// Sections in the order in which they stand in a module (WebAssembly 3.0, section 5.5.15).
const SECTION_ORDER: [u8; 13] =
    [1, 2, 3, 4, 5, 13, GLOBAL_SECTION, EXPORT_SECTION, 8, ELEMENT_SECTION, 12, 10, 11];

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
