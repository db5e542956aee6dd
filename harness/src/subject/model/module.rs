//! A module, decoded section by section: what it declares, and the operators of its functions.
//!
//! Modules are valid before the model sees them, so what cannot be read here is our own mistake; what the model leaves out is an
//! [`Outcome::Unsupported`].

use super::code::Code;
use super::memory::Bounds;
use super::types::{Scope, Types, ValueType, left_out};
use crate::observe::Outcome;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasmparser::{
    DataKind, ElementItems, ElementKind, ExternalKind, KnownCustom, Name, Operator, Parser, Payload,
    TableInit, TypeRef,
};

/// Why a module can be read.
const VALID: &str = "the module is valid";

/// A module.
#[derive(Default)]
pub(super) struct Module<'a> {
    /// The numbers that its types have in the store.
    pub types: Vec<usize>,
    pub imports: Vec<Import<'a>>,
    /// The types of all functions, imports first, by their index in `types`.
    pub funcs: Vec<u32>,
    pub imported_funcs: usize,
    /// The code of the functions that are defined here.
    pub code: Vec<Rc<Code<'a>>>,
    /// The tables that are defined here.
    pub tables: Vec<TableDeclaration<'a>>,
    /// The memories that are defined here.
    pub memories: Vec<MemoryType>,
    /// The globals that are defined here.
    pub globals: Vec<(GlobalType, Constant<'a>)>,
    pub exports: Vec<(&'a str, ExternalKind, u32)>,
    pub start: Option<u32>,
    pub elems: Vec<Elements<'a>>,
    pub datas: Vec<Bytes<'a>>,
    names: BTreeMap<u32, &'a str>,
}

/// An import.
pub(super) struct Import<'a> {
    pub module: &'a str,
    pub name: &'a str,
    pub wanted: Wanted,
}

/// What an import must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// A function of a type of that number in the store.
    Func(usize),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TableType {
    pub bounds: Bounds,
    pub element: ValueType,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct MemoryType {
    pub bounds: Bounds,
    pub page_size_log2: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct GlobalType {
    pub content: ValueType,
    pub mutable: bool,
}

/// A table with what its elements are at first, if that is no null.
pub(super) struct TableDeclaration<'a> {
    pub ty: TableType,
    pub init: Option<Constant<'a>>,
}

/// A constant expression.
pub(super) type Constant<'a> = Vec<Operator<'a>>;

/// Where a segment goes when its module is instantiated.
pub(super) enum Placement<'a> {
    Passive,
    Declared,
    /// Into the table or memory of that index.
    Active(u32, Constant<'a>),
}

/// An element segment.
pub(super) struct Elements<'a> {
    pub placement: Placement<'a>,
    pub items: Vec<Constant<'a>>,
    /// The file offset of the segment.
    pub offset: u32,
}

/// A data segment.
pub(super) struct Bytes<'a> {
    pub placement: Placement<'a>,
    pub bytes: &'a [u8],
    /// The file offset of the segment.
    pub offset: u32,
}

impl<'a> Module<'a> {
    /// Decodes a valid module, whose types get numbers among those of the store.
    pub fn decode(wasm: &'a [u8], types: &mut Types) -> Result<Module<'a>, Outcome> {
        let mut module = Module::default();
        let mut bodies = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.expect(VALID) {
                Payload::CodeSectionEntry(body) => bodies.push(body),
                payload => module.section(payload, types)?,
            }
        }
        for (body, func) in bodies.into_iter().zip(module.imported_funcs..) {
            let code = Code::decode(&module, types, func as u32, &body)?;
            module.code.push(Rc::new(code));
        }
        Ok(module)
    }

    fn section(&mut self, payload: Payload<'a>, types: &mut Types) -> Result<(), Outcome> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    let numbers = types.define(&group.expect(VALID), &self.types)?;
                    self.types.extend(numbers);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.import(&import.expect(VALID))?;
                }
            }
            Payload::FunctionSection(section) => {
                self.funcs.extend(section.into_iter().map(|ty| ty.expect(VALID)));
            }
            Payload::TableSection(section) => {
                for table in section {
                    let table = table.expect(VALID);
                    let init = match &table.init {
                        TableInit::RefNull => None,
                        TableInit::Expr(expression) => Some(constant(expression)?),
                    };
                    self.tables.push(TableDeclaration { ty: self.table_type(&table.ty)?, init });
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memories.push(memory_type(&memory.expect(VALID))?);
                }
            }
            Payload::TagSection(_) => return Err(left_out("tags (exception-handling)")),
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global.expect(VALID);
                    self.globals.push((self.global_type(&global.ty)?, constant(&global.init_expr)?));
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.expect(VALID);
                    self.exports.push((export.name, export.kind, export.index));
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => {
                for elements in section {
                    self.elems.push(elements_of(&elements.expect(VALID))?);
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    self.datas.push(bytes_of(&data.expect(VALID))?);
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.take_names(names);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: &wasmparser::Import<'a>) -> Result<(), Outcome> {
        let wanted = match import.ty {
            TypeRef::Func(index) | TypeRef::FuncExact(index) => {
                self.funcs.push(index);
                self.imported_funcs += 1;
                Wanted::Func(self.types[index as usize])
            }
            TypeRef::Table(ty) => Wanted::Table(self.table_type(&ty)?),
            TypeRef::Memory(ty) => Wanted::Memory(memory_type(&ty)?),
            TypeRef::Global(ty) => Wanted::Global(self.global_type(&ty)?),
            TypeRef::Tag(_) => return Err(left_out("tags (exception-handling)")),
        };
        self.imports.push(Import { module: import.module, name: import.name, wanted });
        Ok(())
    }

    /// What its type indices mean.
    pub fn scope(&self) -> Scope<'_> {
        Scope { earlier: &self.types }
    }

    fn table_type(&self, ty: &wasmparser::TableType) -> Result<TableType, Outcome> {
        let bounds = Bounds { minimum: ty.initial, maximum: ty.maximum, is_64: ty.table64 };
        Ok(TableType { bounds, element: self.scope().reference(ty.element_type)? })
    }

    fn global_type(&self, ty: &wasmparser::GlobalType) -> Result<GlobalType, Outcome> {
        Ok(GlobalType { content: self.scope().value_type(ty.content_type)?, mutable: ty.mutable })
    }

    /// Names are for people: what cannot be read of them is left out.
    fn take_names(&mut self, names: wasmparser::NameSectionReader<'a>) {
        for section in names {
            let Ok(Name::Function(names)) = section else { continue };
            self.names.extend(names.into_iter().map_while(Result::ok).map(|name| (name.index, name.name)));
        }
    }

    /// What people call a function: its import, its name, its first export, or its number.
    pub fn name_of(&self, func: u32) -> String {
        let funcs = self.imports.iter().filter(|import| matches!(import.wanted, Wanted::Func(_)));
        if let Some(import) = funcs.into_iter().nth(func as usize) {
            return format!("{}.{}", import.module, import.name);
        }
        if let Some(name) = self.names.get(&func) {
            return name.to_string();
        }
        let exported = self.exports.iter().find(|(_, kind, index)| is_func(*kind) && *index == func);
        exported.map_or_else(|| format!("$f{func}"), |(name, ..)| name.to_string())
    }
}

/// Whether an export is a function.
pub(super) fn is_func(kind: ExternalKind) -> bool {
    matches!(kind, ExternalKind::Func | ExternalKind::FuncExact)
}

fn memory_type(ty: &wasmparser::MemoryType) -> Result<MemoryType, Outcome> {
    if ty.shared {
        return Err(left_out("shared memories (threads)"));
    }
    let bounds = Bounds { minimum: ty.initial, maximum: ty.maximum, is_64: ty.memory64 };
    Ok(MemoryType { bounds, page_size_log2: ty.page_size_log2.unwrap_or(16) })
}

fn elements_of<'a>(elements: &wasmparser::Element<'a>) -> Result<Elements<'a>, Outcome> {
    let placement = match &elements.kind {
        ElementKind::Passive => Placement::Passive,
        ElementKind::Declared => Placement::Declared,
        ElementKind::Active { table_index, offset_expr } => {
            Placement::Active(table_index.unwrap_or(0), constant(offset_expr)?)
        }
    };
    let items = match &elements.items {
        ElementItems::Functions(funcs) => {
            let item = |func: wasmparser::Result<u32>| {
                vec![Operator::RefFunc { function_index: func.expect(VALID) }, Operator::End]
            };
            funcs.clone().into_iter().map(item).collect()
        }
        ElementItems::Expressions(_, expressions) => expressions
            .clone()
            .into_iter()
            .map(|item| constant(&item.expect(VALID)))
            .collect::<Result<_, _>>()?,
    };
    Ok(Elements { placement, items, offset: elements.range.start as u32 })
}

fn bytes_of<'a>(data: &wasmparser::Data<'a>) -> Result<Bytes<'a>, Outcome> {
    let placement = match &data.kind {
        DataKind::Passive => Placement::Passive,
        DataKind::Active { memory_index, offset_expr } => {
            Placement::Active(*memory_index, constant(offset_expr)?)
        }
    };
    Ok(Bytes { placement, bytes: data.data, offset: data.range.start as u32 })
}

fn constant<'a>(expression: &wasmparser::ConstExpr<'a>) -> Result<Constant<'a>, Outcome> {
    let mut reader = expression.get_operators_reader();
    let mut operators = Vec::new();
    while !reader.eof() {
        let operator = reader.read().expect(VALID);
        is_executed(&operator)?;
        operators.push(operator);
    }
    Ok(operators)
}

/// Fails for operators of proposals that the model leaves out.
pub(super) fn is_executed(operator: &Operator<'_>) -> Result<(), Outcome> {
    macro_rules! executed {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            match operator {
                $(Operator::$op { .. } => executed!(@$proposal),)*
                _ => Err("a later version"),
            }
        };
        (@mvp) => { Ok(()) };
        (@sign_extension) => { Ok(()) };
        (@saturating_float_to_int) => { Ok(()) };
        (@bulk_memory) => { Ok(()) };
        (@reference_types) => { Ok(()) };
        (@tail_call) => { Ok(()) };
        (@function_references) => { Ok(()) };
        (@wide_arithmetic) => { Ok(()) };
        (@$other:ident) => { Err(stringify!($other)) };
    }
    let executed: Result<(), &str> = wasmparser::for_each_operator!(executed);
    executed.map_err(|proposal| left_out(&format!("instructions of {proposal}")))
}
