//! Puts a module together: its sections, of what it sees, owns and exports.

use super::MODULE_NAMES;
use super::types::Ty;
use super::world::{BASE, BASE_VALUE, Origin, SINK, World, func_name, global_name};
use crate::draw::Stream;
use std::borrow::Cow;
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, FunctionSection, GlobalSection, GlobalType, HeapType, ImportSection, MemorySection,
    MemoryType, Module, StartSection, TableSection, TableType,
};

/// The bytes of a module of the case.
pub(super) fn encode(world: &World, module: usize, bodies: &[Vec<u8>], stream: &mut Stream) -> Vec<u8> {
    let mut encoder = Encoder { world, module, stream };
    let view = &world.views[module];
    let mut bytes = Module::new();
    bytes.section(&view.type_section);
    bytes.section(&encoder.imports());
    bytes.section(&encoder.functions());
    bytes.section(&encoder.tables());
    bytes.section(&encoder.memories());
    bytes.section(&encoder.globals());
    bytes.section(&encoder.exports());
    if let Some(function_index) = encoder.start() {
        bytes.section(&StartSection { function_index });
    }
    bytes.section(&encoder.elements());
    let (count, data) = encoder.data();
    if world.choices.bulk {
        bytes.section(&DataCountSection { count });
    }
    let mut code = CodeSection::new();
    for (number, _) in encoder.own_funcs() {
        code.raw(&bodies[number]);
    }
    bytes.section(&code);
    bytes.section(&data);
    bytes.finish()
}

struct Encoder<'a, 'b> {
    world: &'a World,
    module: usize,
    stream: &'b mut Stream,
}

impl<'a> Encoder<'a, '_> {
    /// The functions that the module defines: number and type.
    fn own_funcs(&self) -> impl Iterator<Item = (usize, usize)> + 'a {
        let (world, module) = (self.world, self.module);
        world.views[module].funcs.iter().filter_map(move |seen| match seen.origin {
            Origin::Defined(number) if world.funcs[number].owner == module => Some((number, seen.ty)),
            Origin::Defined(_) | Origin::Host => None,
        })
    }

    /// The index of a function of the pool's type that the module itself defines.
    fn own_func(&mut self, of: usize) -> Option<u32> {
        let (world, module) = (self.world, self.module);
        let funcs = world.views[module].funcs.iter().zip(0..);
        let fitting = funcs.filter(|(seen, _)| {
            let own = matches!(seen.origin, Origin::Defined(number) if world.funcs[number].owner == module);
            own && world.types.is_subtype(seen.ty, of)
        });
        super::world::pick(fitting, self.stream).map(|(_, index)| index)
    }

    fn global_type(&self, number: usize) -> GlobalType {
        let global = &self.world.globals[number];
        let val_type = global.ty.encoded(&self.world.views[self.module].types);
        GlobalType { val_type, mutable: global.mutable, shared: false }
    }

    fn memory_type(&self, number: usize) -> MemoryType {
        let memory = &self.world.memories[number];
        MemoryType {
            minimum: memory.pages,
            maximum: memory.maximum,
            memory64: memory.is_64,
            shared: false,
            page_size_log2: None,
        }
    }

    fn table_type(&self, number: usize) -> TableType {
        let table = &self.world.tables[number];
        TableType {
            element_type: table.element.reference(&self.world.views[self.module].types),
            table64: table.is_64,
            minimum: table.slots.len() as u64,
            maximum: table.maximum,
            shared: false,
        }
    }

    fn imports(&self) -> ImportSection {
        let (world, module) = (self.world, self.module);
        let view = &world.views[module];
        let mut imports = ImportSection::new();
        for (seen, index) in view.funcs.iter().zip(0u32..) {
            let ty = EntityType::Function(view.types[seen.ty]);
            match seen.origin {
                Origin::Host => {
                    imports.import("env", &format!("h{index}"), ty);
                }
                Origin::Defined(number) => {
                    let owner = world.funcs[number].owner;
                    if owner < module {
                        imports.import(MODULE_NAMES[owner], &func_name(number), ty);
                    }
                }
            }
        }
        for number in &view.memories {
            let owner = world.memories[*number].owner;
            if owner < module {
                imports.import(MODULE_NAMES[owner], &format!("m{number}"), self.memory_type(*number));
            }
        }
        for number in &view.tables {
            let owner = world.tables[*number].owner;
            if owner < module {
                imports.import(MODULE_NAMES[owner], &format!("t{number}"), self.table_type(*number));
            }
        }
        for number in &view.globals {
            let owner = world.globals[*number].owner;
            if owner < module {
                imports.import(MODULE_NAMES[owner], &global_name(*number), self.global_type(*number));
            }
        }
        imports
    }

    fn functions(&self) -> FunctionSection {
        let mut functions = FunctionSection::new();
        for (_, ty) in self.own_funcs() {
            functions.function(self.world.views[self.module].types[ty]);
        }
        functions
    }

    fn tables(&mut self) -> TableSection {
        let world = self.world;
        let mut tables = TableSection::new();
        for number in &world.views[self.module].tables {
            let table = &world.tables[*number];
            if table.owner == self.module {
                let ty = self.table_type(*number);
                match (table.filler, table.element) {
                    (Some(_), Ty::Typed { of, .. }) => {
                        let func =
                            self.own_func(of).expect("the owner has a function to fill the table with");
                        tables.table_with_init(ty, &ConstExpr::ref_func(func));
                    }
                    _ => {
                        tables.table(ty);
                    }
                }
            }
        }
        tables
    }

    fn memories(&self) -> MemorySection {
        let mut memories = MemorySection::new();
        for number in &self.world.views[self.module].memories {
            if self.world.memories[*number].owner == self.module {
                memories.memory(self.memory_type(*number));
            }
        }
        memories
    }

    fn globals(&mut self) -> GlobalSection {
        let world = self.world;
        let mut globals = GlobalSection::new();
        for number in &world.views[self.module].globals {
            if world.globals[*number].owner == self.module {
                let ty = self.global_type(*number);
                let init = self.initial_value(*number);
                globals.global(ty, &init);
            }
        }
        globals
    }

    fn initial_value(&mut self, number: usize) -> ConstExpr {
        let global = &self.world.globals[number];
        let random = self.stream.u64();
        match global.ty {
            // Mixing zeros into zero would show nothing.
            Ty::I64 if number == SINK => ConstExpr::i64_const(random as i64),
            Ty::I32 if number == BASE => ConstExpr::i32_const(BASE_VALUE as i32),
            Ty::I32 if self.world.choices.extended_const && self.module > 0 && self.stream.percent(50) => {
                self.base().with_i32_const(random as i32).with_i32_mul()
            }
            Ty::I32 => ConstExpr::i32_const(random as i32),
            Ty::I64 => ConstExpr::i64_const(random as i64),
            Ty::F32 => ConstExpr::f32_const((random as i32 as f32).into()),
            Ty::F64 => ConstExpr::f64_const((random as i64 as f64).into()),
            Ty::Extern => ConstExpr::ref_null(HeapType::EXTERN),
            Ty::Func => {
                let funcs = self.world.views[self.module].funcs.len() as u64;
                match random % (funcs + 1) {
                    0 => ConstExpr::ref_null(HeapType::FUNC),
                    index => ConstExpr::ref_func(index as u32 - 1),
                }
            }
            Ty::Typed { of, nullable } => match self.own_func(of) {
                Some(func) if !nullable || random.is_multiple_of(2) => ConstExpr::ref_func(func),
                _ => ConstExpr::ref_null(HeapType::Concrete(self.world.views[self.module].types[of])),
            },
        }
    }

    /// The constant global, by the index that it has here.
    fn base(&self) -> ConstExpr {
        let globals = &self.world.views[self.module].globals;
        let index = globals.iter().position(|global| *global == BASE).expect("every module has it");
        ConstExpr::global_get(index as u32)
    }

    fn exports(&mut self) -> ExportSection {
        let (world, module) = (self.world, self.module);
        let view = &world.views[module];
        let mut exports = ExportSection::new();
        for (seen, index) in view.funcs.iter().zip(0u32..) {
            match seen.origin {
                Origin::Defined(number) if world.funcs[number].owner == module => {
                    exports.export(&func_name(number), ExportKind::Func, index);
                }
                // What is imported and exported again is still the other's.
                Origin::Defined(_) | Origin::Host if self.stream.percent(20) => {
                    exports.export(&format!("i{index}"), ExportKind::Func, index);
                }
                Origin::Defined(_) | Origin::Host => {}
            }
        }
        for (number, index) in view.memories.iter().zip(0u32..) {
            exports.export(&format!("m{number}"), ExportKind::Memory, index);
        }
        for (number, index) in view.tables.iter().zip(0u32..) {
            exports.export(&format!("t{number}"), ExportKind::Table, index);
        }
        for (number, index) in view.globals.iter().zip(0u32..) {
            exports.export(&global_name(*number), ExportKind::Global, index);
        }
        exports
    }

    /// A function without parameters and results, in a quarter of the modules that have one.
    fn start(&mut self) -> Option<u32> {
        let types = &self.world.types.pool;
        let plain = |ty: usize| types[ty].params.is_empty() && types[ty].results.is_empty();
        let funcs = &self.world.views[self.module].funcs;
        let found = funcs.iter().rposition(|seen| plain(seen.ty)).map(|index| index as u32);
        found.filter(|_| self.stream.percent(25))
    }

    /// An offset of a segment: a constant, or counted from the constant global.
    fn offset(&mut self, offset: u64, is_64: bool) -> ConstExpr {
        if is_64 {
            return ConstExpr::i64_const(offset as i64);
        }
        // Before the proposal only imported globals counted as constant.
        let base = u64::from(BASE_VALUE);
        if self.world.choices.extended_const && self.module > 0 && offset >= base && self.stream.percent(40) {
            return self.base().with_i32_const((offset - base) as i32).with_i32_add();
        }
        ConstExpr::i32_const(offset as i32)
    }

    fn elements(&mut self) -> ElementSection {
        let world = self.world;
        let view = &world.views[self.module];
        let mut elements = ElementSection::new();
        for (number, index) in view.tables.iter().zip(0u32..) {
            let table = &world.tables[*number];
            for (start, funcs) in world.runs(self.module, *number) {
                let offset = self.offset(start as u64, table.is_64);
                // By name where nothing but the first version of the format is there.
                let table_index = (index > 0 || table.element != Ty::Func).then_some(index);
                let expressions: Vec<ConstExpr>;
                let list = if table.element == Ty::Func {
                    Elements::Functions(Cow::Borrowed(&funcs))
                } else {
                    expressions = funcs.iter().map(|func| ConstExpr::ref_func(*func)).collect();
                    Elements::Expressions(table.element.reference(&view.types), Cow::Borrowed(&expressions))
                };
                elements.active(table_index.or((table.element != Ty::Func).then_some(0)), &offset, list);
            }
        }
        for funcs in &view.passive_elements {
            elements.passive(Elements::Functions(Cow::Borrowed(funcs)));
        }
        let referenced = (0..view.funcs.len() as u32).filter(|func| view.referenced[*func as usize]);
        let referenced: Vec<u32> = referenced.collect();
        if !referenced.is_empty() {
            elements.declared(Elements::Functions(Cow::Owned(referenced)));
        }
        elements
    }

    /// How many data segments, and the segments: the passive ones first.
    fn data(&mut self) -> (u32, DataSection) {
        let view = &self.world.views[self.module];
        let mut data = DataSection::new();
        for bytes in &view.passive_data {
            data.passive(bytes.iter().copied());
        }
        for (number, index) in view.memories.iter().zip(0u32..) {
            if self.stream.percent(50) {
                let memory = &self.world.memories[*number];
                let bytes: Vec<u8> =
                    (0..self.stream.between(1, 24)).map(|_| self.stream.u32() as u8).collect();
                // A few do not fit, and leave a half-made instance behind.
                let wild = self.world.choices.wild > 0 && self.stream.percent(6);
                let end = if wild { (memory.pages << 16) - 2 } else { self.stream.below(0x8000) };
                let offset = self.offset(end, memory.is_64);
                data.active(index, &offset, bytes);
            }
        }
        (data.len(), data)
    }
}
