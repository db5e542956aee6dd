//! Expressions: a value of a wanted type on the stack.

use super::super::operators::{Danger, Operator, loads};
use super::super::types::Ty;
use super::super::world::pick;
use super::Body;
use crate::generate::sink::Float;
use wasm_encoder::{BlockType, HeapType};

/// Integers on which arithmetic has its edges.
const EDGES: &[i64] = &[
    0,
    1,
    -1,
    2,
    7,
    31,
    32,
    63,
    64,
    0x7f,
    0xff,
    0xffff,
    i32::MAX as i64,
    i32::MIN as i64,
    i64::MAX,
    i64::MIN,
];
/// Floats where rounding and conversion have theirs.
const FLOATS: &[f64] =
    &[0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2_147_483_648.0, -9.2e18, 1e30, -1e-30, f64::INFINITY];

impl Body<'_> {
    /// Whether a value of the type can be made here.
    pub(super) fn available(&self, ty: Ty) -> bool {
        let fits = |local: u32| self.world.types.fits(self.locals[local as usize], ty);
        match ty {
            Ty::Typed { of, nullable: false } => self.has_function_of(of) || self.variables.clone().any(fits),
            _ => true,
        }
    }

    /// Writes a value of an available type, of at most so many operators on top of each other.
    pub(super) fn value(&mut self, ty: Ty, depth: u32) {
        self.left -= 1;
        match ty {
            Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 => self.number(ty, depth),
            Ty::Func | Ty::Extern | Ty::Typed { .. } => self.reference(ty, depth),
        }
    }

    fn number(&mut self, ty: Ty, depth: u32) {
        if depth == 0 || self.left <= 0 {
            return self.leaf(ty);
        }
        match self.stream.below(26) {
            0..10 => self.operator(ty, depth),
            10..14 if !self.view.memories.is_empty() => {
                let access = *self.stream.pick(loads(ty));
                let memory = self.address();
                self.access(access, memory);
            }
            14..17 if self.call(|results| results == [ty]).is_some() => {}
            17 => {
                self.value(ty, depth - 1);
                self.value(ty, depth - 1);
                self.value(Ty::I32, depth - 1);
                self.op().select();
            }
            18 => self.either(ty, depth),
            19 => self.early(ty, depth),
            20 => match self.variable(ty) {
                Some(local) => {
                    self.value(ty, depth - 1);
                    self.op().local_tee(local);
                }
                None => self.leaf(ty),
            },
            21 => self.size(ty),
            22 if ty == Ty::I32 && self.choices.references => {
                let reference = self.world.types.any(u32::MAX, self.choices, self.stream);
                if reference.is_number() || !reference.has_default() {
                    return self.leaf(ty);
                }
                self.value(reference, 1);
                self.op().ref_is_null();
            }
            _ => self.leaf(ty),
        }
    }

    /// One of two values, by a condition.
    fn either(&mut self, ty: Ty, depth: u32) {
        self.value(Ty::I32, depth - 1);
        let result = BlockType::Result(ty.encoded(&self.view.types));
        self.op().if_(result);
        self.labels.push(false);
        self.value(ty, depth - 1);
        self.op().else_();
        self.value(ty, depth - 1);
        self.labels.pop();
        self.op().end();
    }

    /// A value that a branch takes along, or another.
    fn early(&mut self, ty: Ty, depth: u32) {
        let result = BlockType::Result(ty.encoded(&self.view.types));
        self.op().block(result);
        self.labels.push(false);
        self.value(ty, depth - 1);
        self.value(Ty::I32, depth - 1);
        self.op().br_if(0);
        self.keep(ty);
        self.value(ty, depth - 1);
        self.labels.pop();
        self.op().end();
    }

    fn leaf(&mut self, ty: Ty) {
        match self.stream.below(10) {
            0..5 => {
                if let Some(local) = self.variable(ty) {
                    self.op().local_get(local);
                    return;
                }
            }
            5 | 6 => {
                if let Some((global, _)) = self.global(move |held, _| held == ty) {
                    self.op().global_get(global);
                    return;
                }
            }
            _ => {}
        }
        self.constant(ty);
    }

    fn constant(&mut self, ty: Ty) {
        let integer = match self.stream.below(4) {
            0 => self.stream.u64() as i64,
            1 => self.stream.below(64) as i64,
            _ => *self.stream.pick(EDGES),
        };
        let float = if self.stream.percent(60) { *self.stream.pick(FLOATS) } else { integer as f64 };
        match ty {
            Ty::I32 => self.op().i32_const(integer as i32),
            Ty::I64 => self.op().i64_const(integer),
            Ty::F32 => self.op().f32_const((float as f32).into()),
            Ty::F64 => self.op().f64_const(float.into()),
            Ty::Func | Ty::Extern | Ty::Typed { .. } => unreachable!("references have no constants here"),
        };
    }

    /// The size of a memory or table, where it is counted in that type.
    fn size(&mut self, ty: Ty) {
        let (memories, tables) = (&self.world.memories, &self.world.tables);
        let counted = |is_64: bool| ty == if is_64 { Ty::I64 } else { Ty::I32 };
        let memory = self.view.memories.iter().position(|memory| counted(memories[*memory].is_64));
        let table = self.view.tables.iter().rposition(|table| counted(tables[*table].is_64));
        match (memory, table) {
            (_, Some(table)) if self.choices.references && self.stream.percent(50) => {
                self.op().table_size(table as u32);
            }
            (Some(memory), _) => {
                self.op().memory_size(memory as u32);
            }
            (None, _) => self.leaf(ty),
        }
    }

    fn operator(&mut self, ty: Ty, depth: u32) {
        let operators = Operator::giving(ty);
        let mut operator = self.stream.pick(operators);
        // A few tries: what a case does without is the minority, but for an `f32` of integers.
        for _ in 0..8 {
            if operator.allowed(self.choices) {
                break;
            }
            operator = self.stream.pick(operators);
        }
        if !operator.allowed(self.choices) {
            return self.leaf(ty);
        }
        for operand in &operator.operands {
            self.value(*operand, depth - 1);
        }
        let tame = operator.danger != Danger::None && !self.wild();
        match (operator.danger, operator.operands.last()) {
            (Danger::Division, Some(Ty::I32)) if tame => {
                self.op().i32_const(1).i32_or();
            }
            (Danger::Division, Some(Ty::I64)) if tame => {
                self.op().i64_const(1).i64_or();
            }
            // A number from 0 to 2, made of whatever the operand is.
            (Danger::Truncation, Some(Ty::F32)) if tame => {
                self.op().i32_reinterpret_f32().i32_const(0x3fff_ffff).i32_and().f32_reinterpret_i32();
            }
            (Danger::Truncation, Some(Ty::F64)) if tame => {
                let mask = 0x3fff_ffff_ffff_ffff;
                self.op().i64_reinterpret_f64().i64_const(mask).i64_and().f64_reinterpret_i64();
            }
            _ => {}
        }
        self.cost += 5 * self.times;
        operator.write(&mut self.code);
        if operator.new_nans && self.choices.canonical_nans {
            let float = if ty == Ty::F32 { Float::F32 } else { Float::F64 };
            let scratch = self.scratch(ty);
            self.cost += 6 * self.times;
            float.canonicalise(scratch, &mut self.code);
        }
    }

    // References.

    /// Whether the module sees a function of the type or a subtype of it.
    pub(super) fn has_function_of(&self, of: usize) -> bool {
        self.view.funcs.iter().any(|seen| self.world.types.is_subtype(seen.ty, of))
    }

    /// A function of the type, or a subtype, that the module sees.
    pub(super) fn function_of(&mut self, of: usize) -> Option<u32> {
        let types = &self.world.types;
        let fitting = self.view.funcs.iter().enumerate().filter(|(_, seen)| types.is_subtype(seen.ty, of));
        pick(fitting, self.stream).map(|(index, _)| index as u32)
    }

    /// A variable that holds such references.
    fn fitting_variable(&mut self, ty: Ty) -> Option<u32> {
        let (locals, types) = (&self.locals, &self.world.types);
        let fitting = self.variables.clone().filter(|local| types.fits(locals[*local as usize], ty));
        pick(fitting, self.stream)
    }

    pub(super) fn reference_to(&mut self, func: u32) {
        self.referenced.push(func);
        self.op().ref_func(func);
    }

    fn reference(&mut self, ty: Ty, depth: u32) {
        let done = match self.stream.below(10) {
            0..3 => match self.fitting_variable(ty) {
                Some(local) => {
                    self.op().local_get(local);
                    true
                }
                None => false,
            },
            3 | 4 => {
                let types = &self.world.types;
                match self.global(move |held, _| types.fits(held, ty)) {
                    Some((global, _)) => {
                        self.op().global_get(global);
                        true
                    }
                    None => false,
                }
            }
            5 | 6 => self.slot(ty),
            7 | 8 if depth > 0 && self.left > 0 && self.choices.typed => self.branched(ty, depth),
            _ => false,
        };
        if !done {
            self.plain_reference(ty);
        }
    }

    /// A function, or null where there is none.
    fn plain_reference(&mut self, ty: Ty) {
        let func = match ty {
            Ty::Func => pick(0..self.view.funcs.len() as u32, self.stream),
            Ty::Typed { of, .. } => self.function_of(of),
            Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 | Ty::Extern => None,
        };
        let null = ty.has_default() && self.stream.percent(10);
        match func {
            Some(func) if !null => self.reference_to(func),
            _ if ty.has_default() => {
                let heap_type = match ty {
                    Ty::Extern => HeapType::EXTERN,
                    Ty::Typed { of, .. } => HeapType::Concrete(self.view.types[of]),
                    _ => HeapType::FUNC,
                };
                self.op().ref_null(heap_type);
            }
            _ => {
                let local = self.fitting_variable(ty).expect("the type is available");
                self.op().local_get(local);
            }
        }
    }

    /// What a slot of a table holds, if some table holds such references.
    fn slot(&mut self, ty: Ty) -> bool {
        let (types, tables) = (&self.world.types, &self.world.tables);
        let seen = self.view.tables.iter().enumerate();
        let fitting = seen.filter(|(_, table)| types.fits(tables[**table].element, ty));
        let Some((index, table)) = pick(fitting, self.stream) else { return false };
        let table = &tables[*table];
        let slot = self.stream.below(table.slots.len() as u64);
        self.index(table.is_64, slot);
        self.op().table_get(index as u32);
        true
    }

    /// A reference by way of another: of two, or of one that may be null and one that is not.
    fn branched(&mut self, ty: Ty, depth: u32) -> bool {
        let not_null = match ty {
            Ty::Typed { of, .. } => Ty::Typed { of, nullable: false },
            other => other,
        };
        if !self.available(not_null) {
            return false;
        }
        let Ty::Typed { of, .. } = ty else {
            self.value(ty, depth - 1);
            self.value(ty, depth - 1);
            self.value(Ty::I32, depth - 1);
            let encoded = ty.encoded(&self.view.types);
            self.op().typed_select(encoded);
            return true;
        };
        let nullable = Ty::Typed { of, nullable: true };
        if self.stream.percent(35) && self.has_function_of(of) {
            if self.wild() {
                self.value(nullable, depth - 1);
            } else {
                // Only the block's type says that it may be null.
                let result = BlockType::Result(nullable.encoded(&self.view.types));
                self.op().block(result);
                let func = self.function_of(of).expect("there is one");
                self.reference_to(func);
                self.op().end();
            }
            self.op().ref_as_non_null();
            return true;
        }
        let result = BlockType::Result(not_null.encoded(&self.view.types));
        self.op().block(result);
        self.labels.push(false);
        self.value(nullable, depth - 1);
        self.op().br_on_non_null(0);
        self.value(not_null, depth - 1);
        self.labels.pop();
        self.op().end();
        true
    }
}
