//! How values cross the interface, and modules that carry those that it has no words for.
//!
//! The interface has numbers and references to functions of any type. For a function with other types an adapter stands
//! between: a module that has the guest's types, and gives a vector as two integers. A reference that leaves the guest
//! becomes whether it is null; into the guest goes null, for the harness gives no other to these engines.

use super::super::provider::{Known, known};
use super::super::surface::Surface;
use super::api::{self, Payload, Val};
use crate::case::{FuncIdentity, HeapKind, RefValue, Value};
use crate::wasm::sections::extend_section;
use wasm_encoder::{
    CodeSection, Encode, EntityType, ExportKind, ExportSection, Function, FunctionSection, HeapType,
    ImportSection, InstructionSink, Module, RawSection, RefType, ValType,
};

/// What a value is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// It crosses as it is, as the kind that the interface gives it.
    Plain(u8),
    /// A reference that does not cross, with the kind of its null.
    Reference(HeapKind),
    /// A vector.
    Vector,
}

/// Which function a reference means the interface does not say, and the capabilities say so.
pub const SOME_FUNCTION: Value = Value::Ref(RefValue::Func(FuncIdentity::Host(0)));

/// Something that is not null and cannot be shown.
const SOMETHING: Value = Value::Ref(RefValue::Other { kind: HeapKind::Any, number: 0 });

impl Shape {
    /// The shape of values of a type.
    pub fn of(surface: &Surface, ty: wasmparser::ValType) -> Shape {
        match ty {
            wasmparser::ValType::I32 => Shape::Plain(api::I32),
            wasmparser::ValType::I64 => Shape::Plain(api::I64),
            wasmparser::ValType::F32 => Shape::Plain(api::F32),
            wasmparser::ValType::F64 => Shape::Plain(api::F64),
            wasmparser::ValType::V128 => Shape::Vector,
            wasmparser::ValType::Ref(wasmparser::RefType::FUNCREF) => Shape::Plain(api::FUNCREF),
            wasmparser::ValType::Ref(ty) => Shape::Reference(null_kind(surface, ty)),
        }
    }

    /// The shapes of several.
    pub fn all(surface: &Surface, types: &[wasmparser::ValType]) -> Vec<Shape> {
        types.iter().map(|ty| Shape::of(surface, *ty)).collect()
    }

    /// The kinds of what crosses in its place, out of the guest or into it.
    fn kinds(self, outwards: bool) -> Vec<u8> {
        match self {
            Shape::Plain(kind) => vec![kind],
            Shape::Reference(_) if outwards => vec![api::I32],
            Shape::Reference(_) => Vec::new(),
            Shape::Vector => vec![api::I64, api::I64],
        }
    }
}

/// Whether all of these cross as they are.
pub fn are_plain<'a>(shapes: impl IntoIterator<Item = &'a Shape>) -> bool {
    shapes.into_iter().all(|shape| matches!(shape, Shape::Plain(_)))
}

/// The kinds of what crosses, out of the guest or into it.
pub fn kinds(shapes: &[Shape], outwards: bool) -> Vec<u8> {
    shapes.iter().flat_map(|shape| shape.kinds(outwards)).collect()
}

/// Whether references of a type are to functions.
pub fn is_function(surface: &Surface, ty: wasmparser::RefType) -> bool {
    match ty.heap_type() {
        wasmparser::HeapType::Concrete(index) => {
            index.as_module_index().is_some_and(|index| surface.types[index as usize].is_some())
        }
        wasmparser::HeapType::Abstract { ty, .. } => {
            matches!(ty, wasmparser::AbstractHeapType::Func | wasmparser::AbstractHeapType::NoFunc)
        }
        wasmparser::HeapType::Exact(_) => false,
    }
}

/// The kind of the null of a type, as all subjects name it.
fn null_kind(surface: &Surface, ty: wasmparser::RefType) -> HeapKind {
    use wasmparser::AbstractHeapType;
    let wasmparser::HeapType::Abstract { ty: heap, .. } = ty.heap_type() else {
        return if is_function(surface, ty) { HeapKind::Func } else { HeapKind::Any };
    };
    match heap {
        AbstractHeapType::Func => HeapKind::Func,
        AbstractHeapType::NoFunc => HeapKind::NoFunc,
        AbstractHeapType::Extern => HeapKind::Extern,
        AbstractHeapType::NoExtern => HeapKind::NoExtern,
        AbstractHeapType::Exn => HeapKind::Exn,
        AbstractHeapType::NoExn => HeapKind::NoExn,
        AbstractHeapType::None => HeapKind::None,
        AbstractHeapType::Eq => HeapKind::Eq,
        AbstractHeapType::Struct => HeapKind::Struct,
        AbstractHeapType::Array => HeapKind::Array,
        AbstractHeapType::I31 => HeapKind::I31,
        AbstractHeapType::Any | AbstractHeapType::Cont | AbstractHeapType::NoCont => HeapKind::Any,
    }
}

/// A value of that many bits.
fn val(kind: u8, bits64: u64) -> Val {
    Val { kind, of: Payload { bits64 } }
}

/// Values on their way into the guest. Fails with the one that cannot be made from outside.
pub fn into_guest(values: &[Value]) -> Result<Vec<Val>, &Value> {
    let mut vals = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::I32(bits) => vals.push(val(api::I32, u64::from(*bits))),
            Value::I64(bits) => vals.push(val(api::I64, *bits)),
            Value::F32(bits) => vals.push(val(api::F32, u64::from(*bits))),
            Value::F64(bits) => vals.push(val(api::F64, *bits)),
            Value::V128(bits) => {
                vals.extend([val(api::I64, *bits as u64), val(api::I64, (*bits >> 64) as u64)])
            }
            Value::Ref(RefValue::Null(HeapKind::Func)) => vals.push(val(api::FUNCREF, 0)),
            Value::Ref(RefValue::Null(_)) => {}
            Value::Ref(_) => return Err(value),
        }
    }
    Ok(vals)
}

/// Values on their way into a guest that asks for these shapes: what a typed reference to a function is in cases is the
/// null of all functions.
pub fn fitted(shapes: &[Shape], values: &[Value]) -> Vec<Value> {
    let fit = |(shape, value): (&Shape, &Value)| match (shape, value) {
        (Shape::Reference(_), Value::Ref(RefValue::Null(_))) => Value::Ref(RefValue::Null(HeapKind::None)),
        (Shape::Plain(api::FUNCREF), Value::Ref(RefValue::Null(_))) => {
            Value::Ref(RefValue::Null(HeapKind::Func))
        }
        _ => value.clone(),
    };
    shapes.iter().zip(values).map(fit).collect()
}

/// Values that came out of the guest.
pub fn out_of_guest(shapes: &[Shape], vals: &[Val]) -> Vec<Value> {
    let mut vals = vals.iter();
    let mut next = || vals.next().expect("there are as many as the shapes say");
    shapes.iter().map(|shape| one_out_of_guest(*shape, &mut next)).collect()
}

fn one_out_of_guest<'v>(shape: Shape, next: &mut impl FnMut() -> &'v Val) -> Value {
    let of = next().of;
    // SAFETY: the library filled the field that the kind says, and all bits of a number's value are there.
    unsafe {
        match shape {
            Shape::Plain(api::I32) => Value::I32(of.bits32),
            Shape::Plain(api::I64) => Value::I64(of.bits64),
            Shape::Plain(api::F32) => Value::F32(of.bits32),
            Shape::Plain(api::F64) => Value::F64(of.bits64),
            Shape::Plain(_) if of.reference.is_null() => Value::Ref(RefValue::Null(HeapKind::Func)),
            Shape::Plain(_) => SOME_FUNCTION,
            Shape::Reference(kind) if of.bits32 != 0 => Value::Ref(RefValue::Null(kind)),
            Shape::Reference(HeapKind::Func | HeapKind::NoFunc) => SOME_FUNCTION,
            Shape::Reference(_) => SOMETHING,
            Shape::Vector => Value::V128(u128::from(of.bits64) | u128::from(next().of.bits64) << 64),
        }
    }
}

/// What an adapter exports its function by.
pub const ADAPTED: &str = "adapted";

/// A module that imports a function of that type index and exports it for callers outside.
pub fn caller(surface: &Surface, ty: u32) -> Known<Vec<u8>> {
    let signature = surface.types[ty as usize].as_ref().expect("functions have function types");
    let (params, results) =
        (Shape::all(surface, signature.params()), Shape::all(surface, signature.results()));
    let mut body = Body::new(kinds(&params, false).len(), signature.results())?;
    for (shape, ty) in params.iter().zip(signature.params()) {
        body.enter(*shape, *ty)?;
    }
    body.call(0);
    for (number, shape) in (0..).zip(&results) {
        body.leave(*shape, number);
    }
    let own = (kinds(&params, false), kinds(&results, true));
    adapter(surface, own, |own| (ty, own), body)
}

/// A module that imports a host function and exports it as one of that type index.
pub fn host(surface: &Surface, ty: u32) -> Known<Vec<u8>> {
    let signature = surface.types[ty as usize].as_ref().expect("functions have function types");
    let (params, results) =
        (Shape::all(surface, signature.params()), Shape::all(surface, signature.results()));
    let crossing: Vec<wasmparser::ValType> = kinds(&results, false).into_iter().map(number_type).collect();
    let mut body = Body::new(params.len(), &crossing)?;
    for (number, shape) in (0..).zip(&params) {
        body.leave_local(*shape, number);
    }
    body.call(0);
    body.next = params.len() as u32;
    for (shape, ty) in results.iter().zip(signature.results()) {
        body.enter(*shape, *ty)?;
    }
    let own = (kinds(&params, true), kinds(&results, false));
    adapter(surface, own, |own| (own, ty), body)
}

fn number_type(kind: u8) -> wasmparser::ValType {
    match kind {
        api::I32 => wasmparser::ValType::I32,
        api::I64 => wasmparser::ValType::I64,
        api::F32 => wasmparser::ValType::F32,
        api::F64 => wasmparser::ValType::F64,
        _ => wasmparser::ValType::FUNCREF,
    }
}

/// The body of an adapter's function: its parameters first, then locals for the results of what it calls.
struct Body {
    function: Function,
    /// The first local for results.
    first_result: u32,
    /// The number of results.
    results: u32,
    /// The next parameter or local to be carried inwards.
    next: u32,
}

impl Body {
    fn new(params: usize, results: &[wasmparser::ValType]) -> Known<Body> {
        let locals = results.iter().map(|ty| known(*ty)).collect::<Known<Vec<ValType>>>()?;
        Ok(Body {
            function: Function::new_with_locals_types(locals),
            first_result: params as u32,
            results: results.len() as u32,
            next: 0,
        })
    }

    fn code(&mut self) -> InstructionSink<'_> {
        self.function.instructions()
    }

    /// Calls a function with what is on the stack; results go to their locals.
    fn call(&mut self, func: u32) {
        let results = self.first_result..self.first_result + self.results;
        let mut code = self.code();
        code.call(func);
        results.rev().for_each(|local| {
            code.local_set(local);
        });
    }

    /// Makes a value of the guest's of what crosses inwards.
    fn enter(&mut self, shape: Shape, ty: wasmparser::ValType) -> Known<()> {
        let local = self.next;
        self.next += shape.kinds(false).len() as u32;
        let mut code = self.code();
        match (shape, known(ty)?) {
            (Shape::Plain(_), _) => code.local_get(local),
            (Shape::Vector, _) => {
                code.local_get(local).i64x2_splat().local_get(local + 1).i64x2_replace_lane(1)
            }
            (Shape::Reference(_), ValType::Ref(RefType { nullable: true, heap_type })) => {
                code.ref_null(heap_type)
            }
            // No such value can be made from outside.
            (Shape::Reference(_), _) => code.unreachable(),
        };
        Ok(())
    }

    /// Makes what crosses outwards of a result.
    fn leave(&mut self, shape: Shape, result: u32) {
        self.leave_local(shape, self.first_result + result);
    }

    fn leave_local(&mut self, shape: Shape, local: u32) {
        let mut code = self.code();
        match shape {
            Shape::Plain(_) => code.local_get(local),
            Shape::Reference(_) => code.local_get(local).ref_is_null(),
            Shape::Vector => {
                code.local_get(local).i64x2_extract_lane(0).local_get(local).i64x2_extract_lane(1)
            }
        };
    }
}

/// A module with the guest's types and one more, a function that it imports and one that it exports.
fn adapter(
    surface: &Surface,
    own: (Vec<u8>, Vec<u8>),
    types: impl FnOnce(u32) -> (u32, u32),
    mut body: Body,
) -> Known<Vec<u8>> {
    let mut entry = vec![0x60];
    for kinds in [&own.0, &own.1] {
        let kinds: Vec<ValType> = kinds.iter().map(|kind| encoded(*kind)).collect();
        kinds.as_slice().encode(&mut entry);
    }
    let section = extend_section(&surface.type_section, 1, &entry).map_err(|error| error.to_string())?;
    let (imported, exported) = types(surface.types.len() as u32);
    let (mut imports, mut functions) = (ImportSection::new(), FunctionSection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    imports.import("", "", EntityType::Function(imported));
    functions.function(exported);
    exports.export(ADAPTED, ExportKind::Func, 1);
    body.code().end();
    code.function(&body.function);
    let mut module = Module::new();
    module.section(&RawSection { id: 1, data: &section });
    module.section(&imports).section(&functions).section(&exports).section(&code);
    Ok(module.finish())
}

fn encoded(kind: u8) -> ValType {
    match kind {
        api::I32 => ValType::I32,
        api::I64 => ValType::I64,
        api::F32 => ValType::F32,
        api::F64 => ValType::F64,
        _ => ValType::Ref(RefType { nullable: true, heap_type: HeapType::FUNC }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::Validator;

    fn surface(wat: &str) -> Surface {
        let buffer = wast::parser::ParseBuffer::new(wat).expect("the test's text can be read");
        let mut module: wast::Wat = wast::parser::parse(&buffer).expect("the test's text is well-formed");
        Surface::of(&module.encode().expect("the test's text can be encoded")).expect("it is valid")
    }

    const TYPES: &str =
        "(module (type $f (func (result i32))) (type (func (param externref i32 v128 (ref null $f) funcref)
        (result f64 (ref null $f) v128 externref))))";

    #[test]
    fn adapters_of_every_type_are_valid() {
        let surface = surface(TYPES);
        for wasm in [caller(&surface, 1), host(&surface, 1)] {
            let wasm = wasm.expect("all types are known");
            let features = crosscheck_engine::Module::FEATURES;
            let text = wasmprinter::print_bytes(&wasm).expect("it can be printed");
            Validator::new_with_features(features)
                .validate_all(&wasm)
                .unwrap_or_else(|e| panic!("{e}: {text}"));
        }
    }

    #[test]
    fn what_leaves_a_guest_is_what_went_in() {
        let values = [Value::F64(u64::MAX), Value::V128(u128::MAX - 7), Value::I32(3)];
        let shapes = [Shape::Plain(api::F64), Shape::Vector, Shape::Plain(api::I32)];
        let vals = into_guest(&values).expect("they are numbers");
        assert_eq!(vals.iter().map(|val| val.kind).collect::<Vec<_>>(), kinds(&shapes, false));
        assert_eq!(out_of_guest(&shapes, &vals), values);
        assert!(into_guest(&[Value::Ref(RefValue::Extern(1))]).is_err());
    }
}
