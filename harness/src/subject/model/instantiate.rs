//! Instantiation, step by step as the specification has it (section 4.7.2, "Instantiation").
//!
//! What a segment wrote before a later one traps stays written, and the instance stays in the store.

use super::memory::{Memory, Table};
use super::module::{Constant, Module, Placement, Wanted};
use super::numeric::computed;
use super::store::{Extern, Func, FuncKind, Global, Instance, Stop, Store};
use super::value::{Operands, Reference, Val};
use crate::observe::Outcome;
use crosscheck_engine::TrapKind;
use std::rc::Rc;
use wasmparser::Operator;

impl<'a> Store<'a> {
    /// Instantiates a module with its imports in order; the instance's number.
    pub fn instantiate(&mut self, module: Module<'a>, imports: &[Extern]) -> Result<usize, Stop> {
        for (import, given) in module.imports.iter().zip(imports) {
            if !self.fits(import.wanted, *given) {
                let message = format!("what is given does not fit {}.{}", import.module, import.name);
                return Err(Outcome::Link(message).into());
            }
        }
        let instance = self.allocate(Rc::new(module), imports)?;
        self.place_elements(instance)?;
        self.place_bytes(instance)?;
        if let Some(start) = self.instances[instance].module.start {
            self.enter_from_outside(self.instances[instance].funcs[start as usize], Vec::new())?;
        }
        Ok(instance)
    }

    /// Whether what is given is what an import asks for (specification, section 4.5.3, "Import Matching").
    fn fits(&self, wanted: Wanted, given: Extern) -> bool {
        match (wanted, given) {
            (Wanted::Func(ty), Extern::Func(func)) => self.types.is_below(self.funcs[func].ty, ty),
            (Wanted::Table(ty), Extern::Table(table)) => {
                let table = &self.tables[table];
                table.element == ty.element && ty.bounds.admit(table.size(), table.bounds)
            }
            (Wanted::Memory(ty), Extern::Memory(memory)) => {
                let memory = &self.memories[memory];
                memory.page_size_log2 == ty.page_size_log2 && ty.bounds.admit(memory.pages(), memory.bounds)
            }
            (Wanted::Global(ty), Extern::Global(global)) => {
                let given = self.globals[global].ty;
                // What can be written must be of the very type, else it need only be below it.
                given.mutable == ty.mutable
                    && self.types.matches(given.content, ty.content)
                    && (!ty.mutable || self.types.matches(ty.content, given.content))
            }
            (
                Wanted::Func(_) | Wanted::Table(_) | Wanted::Memory(_) | Wanted::Global(_),
                Extern::Func(_) | Extern::Table(_) | Extern::Memory(_) | Extern::Global(_),
            ) => false,
        }
    }

    /// Makes an instance with everything that belongs to it, and nothing written yet.
    fn allocate(&mut self, module: Rc<Module<'a>>, imports: &[Extern]) -> Result<usize, Outcome> {
        let number = self.instances.len();
        let (mut funcs, mut tables, mut memories, mut globals) = (vec![], vec![], vec![], vec![]);
        for import in imports {
            match import {
                Extern::Func(func) => funcs.push(*func),
                Extern::Table(table) => tables.push(*table),
                Extern::Memory(memory) => memories.push(*memory),
                Extern::Global(global) => globals.push(*global),
            }
        }
        for ty in &module.memories {
            memories.push(self.add_memory(Memory::new(
                ty.bounds,
                ty.page_size_log2,
                self.limits.memory_bytes,
            )?));
        }
        for code in &module.code {
            let ty = module.types[module.funcs[code.func as usize] as usize];
            let kind = FuncKind::Wasm { instance: number, code: code.clone() };
            funcs.push(self.add_func(Func { ty, kind }));
        }
        for (ty, init) in &module.globals {
            let value = self.constant(init, &funcs, &globals);
            globals.push(self.add_global(Global { ty: *ty, value }));
        }
        for declaration in &module.tables {
            let init = match &declaration.init {
                Some(init) => self.constant(init, &funcs, &globals).reference(),
                None => Reference::Null,
            };
            let ty = declaration.ty;
            let table = Table::new(ty.bounds, ty.element, init, self.limits.table_elements)?;
            tables.push(self.add_table(table));
        }
        let references = |items: &Vec<Constant<'a>>| {
            items.iter().map(|item| self.constant(item, &funcs, &globals).reference()).collect()
        };
        let elems: Vec<Vec<Reference>> =
            module.elems.iter().map(|segment| references(&segment.items)).collect();
        let (dropped_elems, dropped_datas) = (vec![false; elems.len()], vec![false; module.datas.len()]);
        self.instances.push(Instance {
            module,
            funcs,
            tables,
            memories,
            globals,
            elems,
            dropped_elems,
            dropped_datas,
        });
        Ok(number)
    }

    pub fn add_func(&mut self, func: Func<'a>) -> usize {
        self.funcs.push(func);
        self.funcs.len() - 1
    }

    pub fn add_table(&mut self, table: Table) -> usize {
        self.tables.push(table);
        self.tables.len() - 1
    }

    pub fn add_memory(&mut self, memory: Memory) -> usize {
        self.memories.push(memory);
        self.memories.len() - 1
    }

    pub fn add_global(&mut self, global: Global) -> usize {
        self.globals.push(global);
        self.globals.len() - 1
    }

    /// The value of a constant expression, by the addresses of an instance's functions and globals so far.
    fn constant(&self, constant: &[Operator<'_>], funcs: &[usize], globals: &[usize]) -> Val {
        use Operator as O;
        let mut stack = Operands::default();
        for operator in constant {
            match operator {
                O::End => break,
                O::GlobalGet { global_index } => {
                    stack.push(self.globals[globals[*global_index as usize]].value);
                }
                O::RefFunc { function_index } => {
                    stack.push(Val::Ref(Reference::Func(funcs[*function_index as usize])));
                }
                other => {
                    computed(other, &mut stack)
                        .expect("validation lets only constant instructions through")
                        .expect("no constant instruction traps");
                }
            }
        }
        stack.pop()
    }

    /// Writes the active element segments, and drops them and the declared ones.
    fn place_elements(&mut self, instance: usize) -> Result<(), Stop> {
        let module = self.instances[instance].module.clone();
        for (number, segment) in module.elems.iter().enumerate() {
            match &segment.placement {
                Placement::Passive => continue,
                Placement::Declared => {}
                Placement::Active(table, offset) => {
                    let start = self.offset(instance, offset);
                    let owner = &self.instances[instance];
                    let items = &owner.elems[number];
                    let table = &mut self.tables[owner.tables[*table as usize]];
                    let end = start.checked_add(items.len() as u64).filter(|end| *end <= table.size());
                    let Some(end) = end else {
                        return Err(self.located(TrapKind::TableOutOfBounds.into(), Some(segment.offset)));
                    };
                    table.elements[start as usize..end as usize].copy_from_slice(items);
                }
            }
            self.instances[instance].drop_elements(number);
        }
        Ok(())
    }

    /// Writes the active data segments, and drops them.
    fn place_bytes(&mut self, instance: usize) -> Result<(), Stop> {
        let module = self.instances[instance].module.clone();
        for (number, segment) in module.datas.iter().enumerate() {
            let Placement::Active(memory, offset) = &segment.placement else { continue };
            let start = self.offset(instance, offset);
            let memory = self.instances[instance].memories[*memory as usize];
            if self.memories[memory].write(start, segment.bytes).is_none() {
                return Err(self.located(TrapKind::MemoryOutOfBounds.into(), Some(segment.offset)));
            }
            self.instances[instance].dropped_datas[number] = true;
        }
        Ok(())
    }

    fn offset(&self, instance: usize, offset: &[Operator<'_>]) -> u64 {
        let Instance { funcs, globals, .. } = &self.instances[instance];
        self.constant(offset, funcs, globals).index()
    }
}

impl Instance<'_> {
    /// Drops an element segment, which is empty from then on.
    pub fn drop_elements(&mut self, number: usize) {
        self.elems[number].clear();
        self.dropped_elems[number] = true;
    }
}
