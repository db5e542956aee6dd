//! A module as its sections, to which entries are added without a look at what else stands in them.

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

/// The sections of a module in their order, custom ones left out: their numbers and contents.
#[derive(Clone, Default)]
pub struct Sections(Vec<(u8, Vec<u8>)>);

/// Where new entries of a section go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Front,
    Back,
}

impl Sections {
    /// Those of a module; `None` if it cannot be read.
    pub fn of(wasm: &[u8]) -> Option<Sections> {
        let mut sections = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            if let Some((id, range)) = payload.ok()?.as_section()
                && id != 0
            {
                sections.push((id, wasm[range.start as usize..range.end as usize].to_vec()));
            }
        }
        Some(Sections(sections))
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
        let mut content = Vec::new();
        entries.len().encode(&mut content);
        entries.iter().for_each(|entry| content.extend_from_slice(entry));
        match self.0.iter_mut().find(|(other, _)| *other == id) {
            Some((_, old)) => *old = content,
            None => {
                let place = self.0.iter().position(|(other, _)| rank(*other) > rank(id));
                self.0.insert(place.unwrap_or(self.0.len()), (id, content));
            }
        }
    }

    /// Puts entries in front of those of a section.
    pub fn prepend(&mut self, id: u8, entries: &[&[u8]]) -> Option<()> {
        self.add(id, entries, Place::Front)
    }

    /// Puts an entry behind those of a section, and gives its number.
    pub fn append(&mut self, id: u8, entry: &[u8]) -> Option<u32> {
        let count = self.entries(id)?.0;
        self.add(id, &[entry], Place::Back)?;
        Some(count)
    }

    fn add(&mut self, id: u8, entries: &[&[u8]], place: Place) -> Option<()> {
        let (count, rest) = self.entries(id)?;
        let rest = rest.to_vec();
        let mut content = Vec::new();
        (count as usize + entries.len()).encode(&mut content);
        if place == Place::Back {
            content.extend_from_slice(&rest);
        }
        entries.iter().for_each(|entry| content.extend_from_slice(entry));
        if place == Place::Front {
            content.extend_from_slice(&rest);
        }
        self.replace(id, &[]);
        let section = self.0.iter_mut().find(|(other, _)| *other == id);
        section.expect("it was made").1 = content;
        Some(())
    }

    /// How many entries a section has, and the bytes of all.
    fn entries(&self, id: u8) -> Option<(u32, &[u8])> {
        let Some((_, content)) = self.0.iter().find(|(other, _)| *other == id) else { return Some((0, &[])) };
        let mut reader = BinaryReader::new(content, 0);
        let count = reader.read_var_u32().ok()?;
        Some((count, &content[reader.original_position() as usize..]))
    }
}
