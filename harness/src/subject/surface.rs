//! What of a module stands at its border: types, imports, exports and the start function, by index.

use crate::wasm::sections::{EXPORT_SECTION, START_SECTION, Sections};
use wasm_encoder::Encode;
use wasmparser::{
    BinaryReaderError, CompositeInnerType, ExternalKind, FuncType, GlobalType, MemoryType, Operator, Parser,
    Payload, TableType, TypeRef, ValType,
};

/// An export.
#[derive(Clone, Debug)]
pub(in crate::subject) struct Export {
    pub name: String,
    pub kind: ExternalKind,
    pub index: u32,
}

/// A memory or table, and which import it is, if it is one.
#[derive(Clone, Debug)]
pub(in crate::subject) struct Placed<T> {
    pub ty: T,
    pub import: Option<u32>,
}

/// What stands at the border of a module.
#[derive(Default, Debug)]
pub(in crate::subject) struct Surface {
    /// The content of the type section; what has none has an empty one.
    pub type_section: Vec<u8>,
    /// Function types by type index; none for what is no function type.
    pub types: Vec<Option<FuncType>>,
    /// What is imported, in order.
    pub imports: Vec<TypeRef>,
    /// Which import each imported function is.
    pub imported_funcs: Vec<u32>,
    /// The type index of each function, imports first.
    pub funcs: Vec<u32>,
    /// The types of all globals, imports first.
    pub globals: Vec<GlobalType>,
    pub memories: Vec<Placed<MemoryType>>,
    pub tables: Vec<Placed<TableType>>,
    pub exports: Vec<Export>,
    pub start: Option<u32>,
    /// Functions whose references the module makes: who holds one may call it from anywhere.
    pub referenced: Vec<u32>,
}

impl Surface {
    /// The border of a module. Fails where it cannot be read.
    pub fn of(wasm: &[u8]) -> Result<Surface, BinaryReaderError> {
        let mut surface = Surface { type_section: vec![0], ..Surface::default() };
        for payload in Parser::new(0).parse_all(wasm) {
            surface.add(wasm, payload?)?;
        }
        Ok(surface)
    }

    fn add(&mut self, wasm: &[u8], payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::TypeSection(section) => {
                let range = section.range();
                self.type_section = wasm[range.start as usize..range.end as usize].to_vec();
                for group in section {
                    self.types.extend(group?.types().map(|ty| match &ty.composite_type.inner {
                        CompositeInnerType::Func(ty) => Some(ty.clone()),
                        _ => None,
                    }));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.add_import(import?.ty);
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.funcs.push(ty?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.tables.push(Placed { ty: table?.ty, import: None });
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memories.push(Placed { ty: memory?, import: None });
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    self.globals.push(global.ty);
                    self.add_references(global.init_expr.get_operators_reader())?;
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    let (name, index) = (export.name.to_string(), export.index);
                    self.exports.push(Export { name, kind: export.kind, index });
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => {
                for element in section {
                    match element?.items {
                        wasmparser::ElementItems::Functions(functions) => {
                            for function in functions {
                                self.referenced.push(function?);
                            }
                        }
                        wasmparser::ElementItems::Expressions(_, expressions) => {
                            for expression in expressions {
                                self.add_references(expression?.get_operators_reader())?;
                            }
                        }
                    }
                }
            }
            // Which functions bodies may refer to is declared in the above, but for exports.
            Payload::CodeSectionEntry(body) if !self.imported_funcs.is_empty() => {
                self.add_references(body.get_operators_reader()?)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn add_import(&mut self, ty: TypeRef) {
        let import = Some(self.imports.len() as u32);
        match ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.imported_funcs.push(self.imports.len() as u32);
                self.funcs.push(ty);
            }
            TypeRef::Global(ty) => self.globals.push(ty),
            TypeRef::Table(ty) => self.tables.push(Placed { ty, import }),
            TypeRef::Memory(ty) => self.memories.push(Placed { ty, import }),
            TypeRef::Tag(_) => {}
        }
        self.imports.push(ty);
    }

    fn add_references(
        &mut self,
        mut operators: wasmparser::OperatorsReader<'_>,
    ) -> Result<(), BinaryReaderError> {
        while !operators.eof() {
            if let Operator::RefFunc { function_index } = operators.read()? {
                self.referenced.push(function_index);
            }
        }
        Ok(())
    }

    /// The type of a function.
    pub fn func_type(&self, func: u32) -> &FuncType {
        let ty = self.types[self.funcs[func as usize] as usize].as_ref();
        ty.expect("validation gives functions function types")
    }

    /// The type of what an exported global holds.
    pub fn content(&self, global: &Export) -> ValType {
        self.globals[global.index as usize].content_type
    }

    /// The import that a function is, if it is one.
    pub fn import_of(&self, func: u32) -> Option<u32> {
        self.imported_funcs.get(func as usize).copied()
    }

    /// The exports of a kind, in order.
    pub fn exports_of(&self, kind: ExternalKind) -> impl Iterator<Item = &Export> + Clone {
        self.exports.iter().filter(move |export| export.kind == kind)
    }

    /// The name under which memory 0 is first exported.
    pub fn first_memory(&self) -> Option<&str> {
        let first = self.exports_of(ExternalKind::Memory).find(|export| export.index == 0)?;
        Some(&first.name)
    }
}

/// The module without its start function, which is exported under the name that is given back instead.
///
/// JavaScript sees the exports of an instance only once its start function has returned, but hosts that are called from
/// there are to find memory and functions. So it is called afterwards, which is what the specification says.
pub(in crate::subject) fn with_start_exported(
    wasm: &[u8],
    surface: &Surface,
    start: u32,
) -> Result<(Vec<u8>, String), BinaryReaderError> {
    let mut name = "start".to_owned();
    while surface.exports.iter().any(|export| export.name == name) {
        name.push('_');
    }
    let mut entry = Vec::with_capacity(16);
    name.encode(&mut entry);
    wasm_encoder::ExportKind::Func.encode(&mut entry);
    start.encode(&mut entry);

    let mut sections = Sections::of(wasm)?;
    sections.remove(START_SECTION);
    sections.extend(EXPORT_SECTION, 1, &entry)?;
    Ok((sections.module(), name))
}
