//! From bytes to a module: one walk over the sections, validating as it goes.

use super::analyse::{Analysed, Analysis};
use super::*;
use crate::error::Error;
use crate::limits::FRAME_OVERHEAD_SLOTS;
use crate::types::{
    CompositeType, FieldType, HeapType, RefType, StorageType, SubType, TypeRegistry, ValType, relative,
};
use wasmparser::{
    CompositeInnerType, ElementItems, ElementKind, FuncToValidate, FuncValidatorAllocations, FunctionBody,
    Payload, UnpackedIndex, ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

/// What modules may contain: WebAssembly 3.0 with threads, and the two small proposals that the
/// official suite carries scripts for.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES);

impl ModuleInner {
    /// Decodes and validates; fails with the file offset of what is wrong.
    pub fn decode(bytes: Arc<[u8]>, registry: &TypeRegistry) -> Result<ModuleInner, Error> {
        let mut decoder =
            Decoder { registry, module: ModuleInner::empty(bytes.clone()), functions: Vec::new() };
        decoder.sections(&bytes)?;
        decoder.bodies()?;
        Ok(decoder.module)
    }

    fn empty(bytes: Arc<[u8]>) -> ModuleInner {
        ModuleInner {
            bytes,
            types: Box::default(),
            func_types: Box::default(),
            imports: Vec::new(),
            funcs: Vec::new(),
            imported_funcs: 0,
            bodies: Vec::new(),
            imported_tables: 0,
            tables: Vec::new(),
            imported_memories: 0,
            memories: Vec::new(),
            imported_globals: 0,
            global_types: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            imported_tags: 0,
            exports: Vec::new(),
            start: None,
            elems: Vec::new(),
            datas: Vec::new(),
            func_names: HashMap::new(),
            opcodes: OpcodeSet::default(),
            vectors: None,
        }
    }
}

struct Decoder<'a> {
    registry: &'a TypeRegistry,
    module: ModuleInner,
    functions: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'a>)>,
}

impl<'a> Decoder<'a> {
    fn sections(&mut self, bytes: &'a [u8]) -> Result<(), Error> {
        if bytes.is_empty() {
            return Err(Error::invalid(0, "the file is empty; a module starts with `\\0asm`"));
        }
        let mut parser = wasmparser::Parser::new(0);
        parser.set_features(FEATURES);
        let mut validator = Validator::new_with_features(FEATURES);
        for payload in parser.parse_all(bytes) {
            let payload = payload.map_err(Error::decode)?;
            if let Payload::Version { encoding: wasmparser::Encoding::Component, .. } = payload {
                return Err(Error::invalid(4, "this is a component; a core module is expected"));
            }
            match validator.payload(&payload).map_err(Error::decode)? {
                ValidPayload::Func(function, body) => self.functions.push((function, body)),
                ValidPayload::Ok | ValidPayload::Parser(_) | ValidPayload::End(_) => self.section(payload)?,
            }
        }
        Ok(())
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), Error> {
        match payload {
            Payload::TypeSection(reader) => self.types(reader),
            Payload::ImportSection(reader) => self.imports(reader),
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    self.module.funcs.push(ty.map_err(Error::decode)?);
                }
                Ok(())
            }
            Payload::TableSection(reader) => self.tables(reader),
            Payload::MemorySection(reader) => {
                for ty in reader {
                    let ty = memory_type(&ty.map_err(Error::decode)?);
                    self.module.memories.push(ty);
                }
                Ok(())
            }
            Payload::TagSection(reader) => {
                for ty in reader {
                    let ty = ty.map_err(Error::decode)?;
                    let id = self.module.types[ty.func_type_idx as usize];
                    self.module.tags.push(id);
                }
                Ok(())
            }
            Payload::GlobalSection(reader) => self.globals(reader),
            Payload::ExportSection(reader) => self.exports(reader),
            Payload::StartSection { func, .. } => {
                self.module.start = Some(func);
                Ok(())
            }
            Payload::ElementSection(reader) => self.elems(reader),
            Payload::DataSection(reader) => self.datas(reader),
            Payload::CustomSection(reader) => {
                if let wasmparser::KnownCustom::Name(names) = reader.as_known() {
                    self.names(names);
                }
                Ok(())
            }
            // Nothing in these is needed to run, or the validator has already read it.
            _ => Ok(()),
        }
    }

    fn types(&mut self, reader: wasmparser::TypeSectionReader<'a>) -> Result<(), Error> {
        let mut ids: Vec<TypeId> = Vec::with_capacity(reader.count() as usize);
        for group in reader {
            let group = group.map_err(Error::decode)?;
            let first = ids.len() as u32;
            let convert = Converter { first, earlier: &ids };
            let group = group.types().map(|sub| convert.sub(sub)).collect::<Result<Vec<_>, _>>()?;
            ids.extend(self.registry.intern(group));
        }
        let func_types: Box<[_]> = ids.iter().map(|id| self.registry.func_type(*id)).collect();
        let has_vector = |ty: &Arc<FuncType>| {
            ty.params().contains(&ValType::V128) || ty.results().contains(&ValType::V128)
        };
        let vector = func_types.iter().position(|ty| ty.as_ref().is_some_and(has_vector));
        self.module.vectors = vector.map(|index| format!("type {index}"));
        self.module.types = ids.into();
        self.module.func_types = func_types;
        Ok(())
    }

    fn convert(&self) -> Converter<'_> {
        Converter { first: u32::MAX, earlier: &self.module.types }
    }

    fn imports(&mut self, reader: wasmparser::ImportSectionReader<'a>) -> Result<(), Error> {
        for import in reader.into_imports() {
            let import = import.map_err(Error::decode)?;
            let ty = match import.ty {
                wasmparser::TypeRef::Func(index) | wasmparser::TypeRef::FuncExact(index) => {
                    self.module.funcs.push(index);
                    self.module.imported_funcs += 1;
                    ExternType::Func(self.module.types[index as usize])
                }
                wasmparser::TypeRef::Table(ty) => {
                    let ty = self.convert().table(&ty)?;
                    self.module.imported_tables += 1;
                    self.module.tables.push(TableDecl { ty, init: None });
                    ExternType::Table(ty)
                }
                wasmparser::TypeRef::Memory(ty) => {
                    let ty = memory_type(&ty);
                    self.module.imported_memories += 1;
                    self.module.memories.push(ty);
                    ExternType::Memory(ty)
                }
                wasmparser::TypeRef::Global(ty) => {
                    let ty = self.global_type(&ty)?;
                    self.module.imported_globals += 1;
                    self.module.global_types.push(ty);
                    ExternType::Global(ty)
                }
                wasmparser::TypeRef::Tag(ty) => {
                    let id = self.module.types[ty.func_type_idx as usize];
                    self.module.imported_tags += 1;
                    self.module.tags.push(id);
                    ExternType::Tag(id)
                }
            };
            let (module, name) = (import.module.to_string(), import.name.to_string());
            self.module.imports.push(Import { module, name, ty });
        }
        Ok(())
    }

    fn global_type(&mut self, ty: &wasmparser::GlobalType) -> Result<GlobalType, Error> {
        let content = self.convert().val(ty.content_type)?;
        if content == ValType::V128 {
            let index = self.module.global_types.len();
            self.module.vectors.get_or_insert_with(|| format!("global {index}"));
        }
        Ok(GlobalType { content, mutable: ty.mutable })
    }

    fn tables(&mut self, reader: wasmparser::TableSectionReader<'a>) -> Result<(), Error> {
        for table in reader {
            let table = table.map_err(Error::decode)?;
            let init = match &table.init {
                wasmparser::TableInit::RefNull => None,
                wasmparser::TableInit::Expr(expr) => Some(ConstExpr::decode(expr, &mut self.module.opcodes)?),
            };
            let ty = self.convert().table(&table.ty)?;
            self.module.tables.push(TableDecl { ty, init });
        }
        Ok(())
    }

    fn globals(&mut self, reader: wasmparser::GlobalSectionReader<'a>) -> Result<(), Error> {
        for global in reader {
            let global = global.map_err(Error::decode)?;
            let ty = self.global_type(&global.ty)?;
            let init = ConstExpr::decode(&global.init_expr, &mut self.module.opcodes)?;
            self.module.global_types.push(ty);
            self.module.globals.push(GlobalDecl { ty, init });
        }
        Ok(())
    }

    fn exports(&mut self, reader: wasmparser::ExportSectionReader<'a>) -> Result<(), Error> {
        for export in reader {
            let export = export.map_err(Error::decode)?;
            let kind = match export.kind {
                wasmparser::ExternalKind::Func | wasmparser::ExternalKind::FuncExact => ExternKind::Func,
                wasmparser::ExternalKind::Table => ExternKind::Table,
                wasmparser::ExternalKind::Memory => ExternKind::Memory,
                wasmparser::ExternalKind::Global => ExternKind::Global,
                wasmparser::ExternalKind::Tag => ExternKind::Tag,
            };
            self.module.exports.push(Export { name: export.name.to_string(), kind, index: export.index });
        }
        Ok(())
    }

    fn elems(&mut self, reader: wasmparser::ElementSectionReader<'a>) -> Result<(), Error> {
        for elem in reader {
            let elem = elem.map_err(Error::decode)?;
            let mode = match &elem.kind {
                ElementKind::Passive => SegmentMode::Passive,
                ElementKind::Declared => SegmentMode::Declared,
                ElementKind::Active { table_index, offset_expr } => SegmentMode::Active {
                    target: table_index.unwrap_or(0),
                    offset: ConstExpr::decode(offset_expr, &mut self.module.opcodes)?,
                },
            };
            let items = match elem.items {
                ElementItems::Functions(functions) => {
                    let items = functions.into_iter().collect::<Result<_, _>>().map_err(Error::decode)?;
                    ElemItems::Functions(items)
                }
                ElementItems::Expressions(_, expressions) => {
                    let mut items = Vec::with_capacity(expressions.count() as usize);
                    for expr in expressions {
                        let expr = expr.map_err(Error::decode)?;
                        items.push(ConstExpr::decode(&expr, &mut self.module.opcodes)?);
                    }
                    ElemItems::Expressions(items.into())
                }
            };
            let offset = elem.range.start as u32;
            self.module.elems.push(ElemSegment { mode, items, offset });
        }
        Ok(())
    }

    fn datas(&mut self, reader: wasmparser::DataSectionReader<'a>) -> Result<(), Error> {
        for data in reader {
            let data = data.map_err(Error::decode)?;
            let mode = match &data.kind {
                wasmparser::DataKind::Passive => SegmentMode::Passive,
                wasmparser::DataKind::Active { memory_index, offset_expr } => SegmentMode::Active {
                    target: *memory_index,
                    offset: ConstExpr::decode(offset_expr, &mut self.module.opcodes)?,
                },
            };
            let end = data.range.end as u32;
            let bytes = end - data.data.len() as u32..end;
            self.module.datas.push(DataSegment { mode, bytes, offset: data.range.start as u32 });
        }
        Ok(())
    }

    /// Names are a convenience: a malformed name section is ignored from the malformed place on.
    fn names(&mut self, reader: wasmparser::NameSectionReader<'a>) {
        for subsection in reader {
            let Ok(wasmparser::Name::Function(names)) = subsection else { continue };
            for naming in names {
                let Ok(naming) = naming else { break };
                self.module.func_names.insert(naming.index, naming.name.to_string());
            }
        }
    }

    fn bodies(&mut self) -> Result<(), Error> {
        let mut allocations = FuncValidatorAllocations::default();
        let mut analysis = Analysis::default();
        for (function, body) in std::mem::take(&mut self.functions) {
            let mut validator = function.into_validator(allocations);
            let index = validator.index();
            let body = self.body(&mut validator, &body, &mut analysis);
            let body = body.map_err(|error| {
                error.in_function(format!("{index} `{}`", Shown(&self.module.func_name(index))))
            })?;
            self.module.bodies.push(body);
            allocations = validator.into_allocations();
        }
        Ok(())
    }

    fn body(
        &mut self,
        validator: &mut wasmparser::FuncValidator<ValidatorResources>,
        body: &FunctionBody<'a>,
        analysis: &mut Analysis,
    ) -> Result<FuncBody, Error> {
        let func = FuncIndex(validator.index());
        let mut bytes = body.get_binary_reader();
        // Where a signature or a global has vectors, any operand may be one.
        let mut vectors = self.module.vectors.is_some();
        let mut locals = Vec::new();
        for _ in 0..bytes.read_var_u32().map_err(Error::decode)? {
            let offset = bytes.original_position();
            let count = bytes.read_var_u32().map_err(Error::decode)?;
            let ty = bytes.read::<wasmparser::ValType>().map_err(Error::decode)?;
            validator.define_locals(offset, count, ty).map_err(Error::decode)?;
            if ty == wasmparser::ValType::V128 {
                vectors = true;
                self.module.vectors.get_or_insert_with(|| format!("a local of function {}", func.0));
            }
            let ty = self.convert().val(ty)?;
            locals.push((count, ty));
        }
        let code = bytes.original_position() as u32..body.range().end as u32;
        analysis.start();
        let mut reader = wasmparser::OperatorsReader::new(bytes);
        let file = self.module.bytes.clone();
        while !reader.eof() {
            let offset = reader.original_position();
            let op = reader.read().map_err(Error::decode)?;
            let (opcode, _) = Opcode::decode(&file[offset as usize..]).ok_or_else(|| {
                Error::invalid(offset, format!("no row of the opcode table describes {op:?}"))
            })?;
            if matches!(opcode, Opcode::Vector(_) | Opcode::VectorMemory(_)) {
                vectors = true;
                self.module
                    .vectors
                    .get_or_insert_with(|| format!("function {} at offset {offset:#x}", func.0));
            }
            let pops = vectors.then(|| op.operator_arity(validator).map_or(u32::MAX, |(pops, _)| pops));
            validator.op(offset, &op).map_err(Error::decode)?;
            self.module.opcodes.insert(opcode);
            analysis.step(opcode, offset as u32, validator, pops);
        }
        reader.finish().map_err(Error::decode)?;
        let Analysed { segments: fuel, operand_slots, has_vectors } = analysis.finish();
        let ty = self.module.func_type(func);
        let layout = Layout::new(ty, &locals);
        let is_wide = has_vectors || layout.locals().is_wide() || Row::results(ty).is_wide();
        let frame_cost = FRAME_OVERHEAD_SLOTS + layout.locals().slots + operand_slots;
        Ok(FuncBody { code, layout, operand_slots, is_wide, frame_cost, fuel })
    }
}

fn memory_type(ty: &wasmparser::MemoryType) -> MemoryType {
    MemoryType {
        minimum: ty.initial,
        maximum: ty.maximum,
        is_64: ty.memory64,
        shared: ty.shared,
        page_size_log2: ty.page_size_log2.unwrap_or(16),
    }
}

/// Turns wasmparser's types into canonical ones. Inside a recursion group that starts at `first`,
/// later indices become positions in the group.
struct Converter<'a> {
    first: u32,
    earlier: &'a [TypeId],
}

impl Converter<'_> {
    fn id(&self, index: u32) -> TypeId {
        if index >= self.first { relative(index - self.first) } else { self.earlier[index as usize] }
    }

    fn sub(&self, sub: &wasmparser::SubType) -> Result<SubType, Error> {
        let module_index =
            |index: &wasmparser::PackedIndex| index.as_module_index().expect("a reader gives module indices");
        let supertype = sub.supertype_idxs.first().map(|index| self.id(module_index(index)));
        let composite = match &sub.composite_type.inner {
            CompositeInnerType::Func(ty) => {
                let all = |types: &[wasmparser::ValType]| types.iter().map(|ty| self.val(*ty)).collect();
                let (params, results): (Result<Vec<_>, _>, Result<Vec<_>, _>) =
                    (all(ty.params()), all(ty.results()));
                CompositeType::Func(Arc::new(FuncType::new(params?, results?)))
            }
            CompositeInnerType::Struct(ty) => {
                CompositeType::Struct(ty.fields.iter().map(|ty| self.field(ty)).collect::<Result<_, _>>()?)
            }
            CompositeInnerType::Array(ty) => CompositeType::Array(self.field(&ty.0)?),
            CompositeInnerType::Cont(_) => return Err(Error::unsupported("stack-switching")),
        };
        Ok(SubType { is_final: sub.is_final, supertype, composite })
    }

    fn field(&self, field: &wasmparser::FieldType) -> Result<FieldType, Error> {
        let storage = match field.element_type {
            wasmparser::StorageType::I8 => StorageType::I8,
            wasmparser::StorageType::I16 => StorageType::I16,
            wasmparser::StorageType::Val(ty) => StorageType::Val(self.val(ty)?),
        };
        Ok(FieldType { storage, mutable: field.mutable })
    }

    fn val(&self, ty: wasmparser::ValType) -> Result<ValType, Error> {
        Ok(match ty {
            wasmparser::ValType::I32 => ValType::I32,
            wasmparser::ValType::I64 => ValType::I64,
            wasmparser::ValType::F32 => ValType::F32,
            wasmparser::ValType::F64 => ValType::F64,
            wasmparser::ValType::V128 => ValType::V128,
            wasmparser::ValType::Ref(ty) => ValType::Ref(self.reference(ty)?),
        })
    }

    fn reference(&self, ty: wasmparser::RefType) -> Result<RefType, Error> {
        use wasmparser::AbstractHeapType as A;
        let heap = match ty.heap_type() {
            wasmparser::HeapType::Concrete(UnpackedIndex::Module(index))
            | wasmparser::HeapType::Exact(UnpackedIndex::Module(index)) => HeapType::Concrete(self.id(index)),
            wasmparser::HeapType::Concrete(_) | wasmparser::HeapType::Exact(_) => {
                unreachable!("a reader gives module indices")
            }
            wasmparser::HeapType::Abstract { ty, .. } => match ty {
                A::Func => HeapType::Func,
                A::Extern => HeapType::Extern,
                A::Any => HeapType::Any,
                A::None => HeapType::None,
                A::NoExtern => HeapType::NoExtern,
                A::NoFunc => HeapType::NoFunc,
                A::Eq => HeapType::Eq,
                A::Struct => HeapType::Struct,
                A::Array => HeapType::Array,
                A::I31 => HeapType::I31,
                A::Exn => HeapType::Exn,
                A::NoExn => HeapType::NoExn,
                A::Cont | A::NoCont => return Err(Error::unsupported("stack-switching")),
            },
        };
        Ok(RefType { nullable: ty.is_nullable(), heap })
    }

    fn table(&self, ty: &wasmparser::TableType) -> Result<TableType, Error> {
        Ok(TableType {
            element: self.reference(ty.element_type)?,
            minimum: ty.initial,
            maximum: ty.maximum,
            is_64: ty.table64,
        })
    }
}
