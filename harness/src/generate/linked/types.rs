//! The function types that the modules of a case share, and what a value of them may be.
//!
//! One pool for the whole case; every module writes it down in its own order, between types that no other module has,
//! so that equal types have unequal indices. A type stands at a *height*: its functions call functions of lower
//! types only. That holds for calls of any kind, because what a table or a reference holds is known by its
//! type, and so calls end whatever becomes of the tables. Types with *rounds* are the exception: their functions
//! call each other round and round, each time with one round less.

use super::Choices;
use crate::draw::Stream;
use std::ops::Range;
use wasm_encoder::{CompositeInnerType, CompositeType, HeapType, RefType, SubType, TypeSection, ValType};

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::generate) enum Ty {
    I32,
    I64,
    F32,
    F64,
    /// `funcref`
    Func,
    /// `externref`
    Extern,
    /// A reference to functions of one type.
    Typed {
        of: usize,
        nullable: bool,
    },
}

/// A type of functions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct FuncType {
    pub params: Vec<Ty>,
    pub results: Vec<Ty>,
    /// Functions of this type call functions of lower ones.
    pub height: u32,
    pub supertype: Option<usize>,
    /// Whether it may have subtypes.
    pub open: bool,
    /// A mask for the first parameter, which counts how often functions of this type go on calling each other.
    pub rounds: Option<u32>,
}

/// All function types of a case; they refer to earlier ones only.
#[derive(Default)]
pub(super) struct Types {
    pub pool: Vec<FuncType>,
    /// The recursion groups, in order.
    groups: Vec<Range<usize>>,
}

impl Ty {
    /// Whether it is a number.
    pub fn is_number(self) -> bool {
        match self {
            Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 => true,
            Ty::Func | Ty::Extern | Ty::Typed { .. } => false,
        }
    }

    /// Whether locals of the type have a value from the start.
    pub fn has_default(self) -> bool {
        !matches!(self, Ty::Typed { nullable: false, .. })
    }

    /// The type as a module writes it whose indices of the pool are these.
    pub fn encoded(self, indices: &[u32]) -> ValType {
        match self {
            Ty::I32 => ValType::I32,
            Ty::I64 => ValType::I64,
            Ty::F32 => ValType::F32,
            Ty::F64 => ValType::F64,
            Ty::Func | Ty::Extern | Ty::Typed { .. } => ValType::Ref(self.reference(indices)),
        }
    }

    /// The same of a reference type.
    pub fn reference(self, indices: &[u32]) -> RefType {
        match self {
            Ty::Func => RefType::FUNCREF,
            Ty::Extern => RefType::EXTERNREF,
            Ty::Typed { of, nullable } => RefType { nullable, heap_type: HeapType::Concrete(indices[of]) },
            Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 => unreachable!("a number is no reference"),
        }
    }
}

impl FuncType {
    fn mentioned(&self) -> impl Iterator<Item = usize> + '_ {
        let typed = |ty: &Ty| match ty {
            Ty::Typed { of, .. } => Some(*of),
            Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 | Ty::Func | Ty::Extern => None,
        };
        self.params.iter().chain(&self.results).filter_map(typed).chain(self.supertype)
    }
}

impl Types {
    /// Draws the types of a case.
    pub fn draw(choices: &Choices, stream: &mut Stream) -> Types {
        let mut types = Types::default();
        for height in 0..=choices.top {
            for _ in 0..stream.between(1, 3) {
                let mut ty = types.any_type(height, choices, stream);
                ty.open = choices.typed && stream.percent(40);
                let number = types.add(ty);
                if types.pool[number].open && stream.percent(80) {
                    let sub = types.subtype(number, stream);
                    types.add(sub);
                }
            }
        }
        if stream.percent(30) {
            // What start functions have.
            types.add(FuncType {
                params: Vec::new(),
                results: Vec::new(),
                height: choices.top,
                supertype: None,
                open: false,
                rounds: None,
            });
        }
        types.group(choices, stream);
        types
    }

    fn any_type(&self, height: u32, choices: &Choices, stream: &mut Stream) -> FuncType {
        let rounds = (height > 0 && stream.percent(25)).then(|| *stream.pick(&[7, 15, 31, 63]));
        let mut params: Vec<Ty> = rounds.iter().map(|_| Ty::I32).collect();
        for _ in 0..stream.between(0, 4) {
            params.push(self.any(height, choices, stream));
        }
        let most = if choices.multi_value { 3 } else { 1 };
        let results = (0..stream.between(0, most).max(stream.between(0, 1)))
            .map(|_| match self.any(height, choices, stream) {
                // Whether a body can make one is not known yet.
                Ty::Typed { of, .. } => Ty::Typed { of, nullable: true },
                other => other,
            })
            .collect();
        FuncType { params, results, height, supertype: None, open: false, rounds }
    }

    /// A type of values, among them references to functions of lower types.
    pub fn any(&self, height: u32, choices: &Choices, stream: &mut Stream) -> Ty {
        let lower = self.pool.iter().filter(|ty| ty.height < height).count();
        match stream.below(20) {
            0 if choices.references => Ty::Func,
            1 if choices.references => Ty::Extern,
            2..=5 if choices.typed && lower > 0 => {
                Ty::Typed { of: stream.below(lower as u64) as usize, nullable: stream.percent(60) }
            }
            _ => choices.number(stream),
        }
    }

    /// A subtype: parameters that take more, results that promise more (WebAssembly 3.0, section 3.3.9).
    fn subtype(&self, supertype: usize, stream: &mut Stream) -> FuncType {
        let mut ty = self.pool[supertype].clone();
        for param in &mut ty.params {
            match *param {
                Ty::Typed { of, nullable: false } if stream.percent(50) => {
                    *param = Ty::Typed { of, nullable: true };
                }
                Ty::Typed { .. } if stream.percent(50) => *param = Ty::Func,
                _ => {}
            }
        }
        for result in &mut ty.results {
            if let Ty::Typed { of, .. } = *result {
                *result = Ty::Typed { of, nullable: false };
            }
        }
        FuncType { supertype: Some(supertype), open: stream.percent(30), ..ty }
    }

    /// Adds a type that is different from all others.
    fn add(&mut self, mut ty: FuncType) -> usize {
        let same = |other: &FuncType, ty: &FuncType| {
            other.params == ty.params
                && other.results == ty.results
                && (other.open, other.supertype) == (ty.open, ty.supertype)
        };
        if ty.supertype.is_none() {
            while self.pool.iter().any(|other| same(other, &ty)) {
                ty.params.push(Ty::I32);
            }
        }
        // An equal subtype of the same type is the same type, which does no harm: its height is the same too.
        self.pool.push(ty);
        self.pool.len() - 1
    }

    /// Puts neighbours into recursion groups, which makes them types of their own.
    fn group(&mut self, choices: &Choices, stream: &mut Stream) {
        let mut start = 0;
        while start < self.pool.len() {
            let most = if choices.typed && stream.percent(25) { 3 } else { 1 };
            let end = (start + most).min(self.pool.len());
            self.groups.push(start..end);
            start = end;
        }
    }

    /// Whether a function of the one type is a function of the other.
    pub fn is_subtype(&self, mut sub: usize, of: usize) -> bool {
        loop {
            if sub == of {
                return true;
            }
            match self.pool[sub].supertype {
                Some(supertype) => sub = supertype,
                None => return false,
            }
        }
    }

    /// Whether the type is what host functions have: final, and in no recursion group with others.
    pub fn is_plain(&self, number: usize) -> bool {
        let ty = &self.pool[number];
        !ty.open && ty.supertype.is_none() && self.groups.contains(&(number..number + 1))
    }

    /// Whether a value of the one type is a value of the other.
    pub fn fits(&self, value: Ty, place: Ty) -> bool {
        match (value, place) {
            (Ty::Typed { .. }, Ty::Func) => true,
            (Ty::Typed { of: sub, nullable: may }, Ty::Typed { of, nullable }) => {
                (nullable || !may) && self.is_subtype(sub, of)
            }
            (value, place) => value == place,
        }
    }

    /// Writes the types in an order of the module's own; gives the index of each.
    pub fn encode(&self, section: &mut TypeSection, stream: &mut Stream) -> Vec<u32> {
        let mut indices = vec![u32::MAX; self.pool.len()];
        let mut left: Vec<&Range<usize>> = self.groups.iter().collect();
        let mut next = 0;
        while !left.is_empty() {
            if stream.percent(20) {
                // A type that is not used, for the sake of the indices.
                section.ty().function([ValType::I64; 5], []);
                next += 1;
            }
            let is_ready = |group: &Range<usize>| {
                let mut mentioned = self.pool[group.clone()].iter().flat_map(FuncType::mentioned);
                mentioned.all(|other| group.contains(&other) || indices[other] != u32::MAX)
            };
            let ready: Vec<usize> = (0..left.len()).filter(|number| is_ready(left[*number])).collect();
            let group = left.remove(*stream.pick(&ready));
            for number in group.clone() {
                indices[number] = next;
                next += 1;
            }
            let sub_type = |ty: &FuncType| SubType {
                is_final: !ty.open,
                supertype_idxs: ty.supertype.iter().map(|number| indices[*number]).collect(),
                composite_type: CompositeType {
                    inner: CompositeInnerType::Func(wasm_encoder::FuncType::new(
                        ty.params.iter().map(|ty| ty.encoded(&indices)),
                        ty.results.iter().map(|ty| ty.encoded(&indices)),
                    )),
                    shared: false,
                    descriptor: None,
                    describes: None,
                },
            };
            match &self.pool[group.clone()] {
                [ty] => section.ty().subtype(&sub_type(ty)),
                several => section.ty().rec(several.iter().map(sub_type).collect::<Vec<_>>()),
            }
        }
        indices
    }
}
