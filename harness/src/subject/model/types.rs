//! Types of values and functions, and when two of them are the same.
//!
//! Types are equal if their whole recursion groups are, wherever they are written (specification, section 3.1.3,
//! "Defined Types"). So a group is written down with its own members by their place in the group and everything else by the number
//! that it got here before; equal writings are equal types, and get equal numbers.

use crate::observe::Outcome;
use crosscheck_engine::{self as engine, HeapType};
use wasmparser::{AbstractHeapType, CompositeInnerType, UnpackedIndex};

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum ValueType {
    I32,
    I64,
    F32,
    F64,
    Ref { nullable: bool, heap: Heap },
}

/// What a reference refers to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Heap {
    Func,
    NoFunc,
    Extern,
    NoExtern,
    /// The defined type of that number.
    Defined(Defined),
}

/// A defined type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Defined {
    /// By the number that it has in its store.
    Number(usize),
    /// By its place in the recursion group that is being written down.
    InGroup(usize),
}

/// Parameters and results.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Signature {
    pub params: Vec<ValueType>,
    pub results: Vec<ValueType>,
}

/// A type with its place among types.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct SubType {
    is_final: bool,
    supertype: Option<Defined>,
    signature: Signature,
}

/// The defined types of a store.
#[derive(Default, Debug)]
pub(super) struct Types {
    /// Groups as they are written down, with the number of their first member.
    groups: Vec<(Vec<SubType>, usize)>,
    /// By number: signature and supertype, whose own members have numbers too.
    known: Vec<(Signature, Option<usize>)>,
}

/// What the model leaves out, in words.
pub(super) fn left_out(what: &str) -> Outcome {
    Outcome::Unsupported(format!("the model does not execute {what}"))
}

impl Types {
    /// The numbers of the members of a recursion group; `earlier` are those of the module's types before it.
    pub fn define(&mut self, group: &wasmparser::RecGroup, earlier: &[usize]) -> Result<Vec<usize>, Outcome> {
        let scope = Scope { earlier };
        let group = group.types().map(|sub| scope.sub_type(sub)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.numbers(group))
    }

    /// The number of a function type that stands alone, as those of host functions do.
    pub fn alone(&mut self, signature: Signature) -> usize {
        self.numbers(vec![SubType { is_final: true, supertype: None, signature }])[0]
    }

    fn numbers(&mut self, group: Vec<SubType>) -> Vec<usize> {
        let members = group.len();
        if let Some((_, first)) = self.groups.iter().find(|(known, _)| *known == group) {
            return (*first..first + members).collect();
        }
        let first = self.known.len();
        for sub in &group {
            let supertype = sub.supertype.map(|supertype| supertype.number(first));
            self.known.push((sub.signature.numbered(first), supertype));
        }
        self.groups.push((group, first));
        (first..first + members).collect()
    }

    /// The signature of a type.
    pub fn signature(&self, number: usize) -> &Signature {
        &self.known[number].0
    }

    /// Whether a type is another one, or declared below it.
    pub fn is_below(&self, sub: usize, above: usize) -> bool {
        let mut next = Some(sub);
        while let Some(number) = next {
            if number == above {
                return true;
            }
            next = self.known[number].1;
        }
        false
    }

    /// Whether every value of one type is a value of another.
    pub fn matches(&self, sub: ValueType, above: ValueType) -> bool {
        match (sub, above) {
            (
                ValueType::Ref { nullable, heap },
                ValueType::Ref { nullable: may_be_null, heap: heap_above },
            ) => (may_be_null || !nullable) && self.heap_matches(heap, heap_above),
            (sub, above) => sub == above,
        }
    }

    fn heap_matches(&self, sub: Heap, above: Heap) -> bool {
        match (sub, above) {
            (Heap::Defined(sub), Heap::Defined(above)) => self.is_below(sub.number(0), above.number(0)),
            (Heap::Defined(_) | Heap::Func | Heap::NoFunc, Heap::Func) => true,
            (Heap::NoFunc, Heap::NoFunc | Heap::Defined(_)) => true,
            (Heap::Extern | Heap::NoExtern, Heap::Extern) | (Heap::NoExtern, Heap::NoExtern) => true,
            (
                Heap::Defined(_) | Heap::Func | Heap::NoFunc | Heap::Extern | Heap::NoExtern,
                Heap::Defined(_) | Heap::Func | Heap::NoFunc | Heap::Extern | Heap::NoExtern,
            ) => false,
        }
    }
}

impl Defined {
    /// The number of a type in its store; `first` is that of its group's first member.
    fn number(self, first: usize) -> usize {
        match self {
            Defined::Number(number) => number,
            Defined::InGroup(place) => first + place,
        }
    }
}

impl Signature {
    /// The same, with members of its own group by their numbers.
    fn numbered(&self, first: usize) -> Signature {
        let all = |types: &[ValueType]| {
            let numbered = |ty: &ValueType| match *ty {
                ValueType::Ref { nullable, heap: Heap::Defined(ty) } => {
                    ValueType::Ref { nullable, heap: Heap::Defined(Defined::Number(ty.number(first))) }
                }
                other => other,
            };
            types.iter().map(numbered).collect()
        };
        Signature { params: all(&self.params), results: all(&self.results) }
    }
}

impl ValueType {
    /// The type in the words that hosts take. Defined types are function types here, and hosts tell only nulls of them.
    pub fn for_hosts(self) -> engine::ValType {
        match self {
            ValueType::I32 => engine::ValType::I32,
            ValueType::I64 => engine::ValType::I64,
            ValueType::F32 => engine::ValType::F32,
            ValueType::F64 => engine::ValType::F64,
            ValueType::Ref { nullable, heap } => {
                let heap = match heap {
                    Heap::Func | Heap::Defined(_) => HeapType::Func,
                    Heap::NoFunc => HeapType::NoFunc,
                    Heap::Extern => HeapType::Extern,
                    Heap::NoExtern => HeapType::NoExtern,
                };
                engine::ValType::Ref(engine::RefType { nullable, heap })
            }
        }
    }
}

/// What the type indices of a module mean: the numbers of its types so far. Indices beyond those are of the group that is
/// being written down.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub earlier: &'a [usize],
}

impl Scope<'_> {
    fn defined(self, index: u32) -> Defined {
        let index = index as usize;
        match self.earlier.get(index) {
            Some(number) => Defined::Number(*number),
            None => Defined::InGroup(index - self.earlier.len()),
        }
    }

    fn sub_type(self, sub: &wasmparser::SubType) -> Result<SubType, Outcome> {
        let supertype = sub.supertype_idxs.first().and_then(|index| index.as_module_index());
        let CompositeInnerType::Func(ty) = &sub.composite_type.inner else {
            return Err(left_out("structures and arrays (gc)"));
        };
        let all = |types: &[wasmparser::ValType]| {
            types.iter().map(|ty| self.value_type(*ty)).collect::<Result<Vec<_>, _>>()
        };
        let signature = Signature { params: all(ty.params())?, results: all(ty.results())? };
        Ok(SubType {
            is_final: sub.is_final,
            supertype: supertype.map(|index| self.defined(index)),
            signature,
        })
    }

    /// A type of values. Fails for those that the model leaves out.
    pub fn value_type(self, ty: wasmparser::ValType) -> Result<ValueType, Outcome> {
        Ok(match ty {
            wasmparser::ValType::I32 => ValueType::I32,
            wasmparser::ValType::I64 => ValueType::I64,
            wasmparser::ValType::F32 => ValueType::F32,
            wasmparser::ValType::F64 => ValueType::F64,
            wasmparser::ValType::V128 => return Err(left_out("vectors (simd)")),
            wasmparser::ValType::Ref(ty) => self.reference(ty)?,
        })
    }

    /// A type of references. Fails for those that the model leaves out.
    pub fn reference(self, ty: wasmparser::RefType) -> Result<ValueType, Outcome> {
        let heap = match ty.heap_type() {
            wasmparser::HeapType::Concrete(UnpackedIndex::Module(index)) => {
                Heap::Defined(self.defined(index))
            }
            wasmparser::HeapType::Abstract { shared: false, ty } => match ty {
                AbstractHeapType::Func => Heap::Func,
                AbstractHeapType::NoFunc => Heap::NoFunc,
                AbstractHeapType::Extern => Heap::Extern,
                AbstractHeapType::NoExtern => Heap::NoExtern,
                _ => return Err(left_out("references but those of functions and of the host (gc)")),
            },
            _ => return Err(left_out("references that are shared or exact")),
        };
        Ok(ValueType::Ref { nullable: ty.is_nullable(), heap })
    }
}
