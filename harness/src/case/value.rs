//! A value by its bits, as cases carry it and observations show it.
//!
//! Floats are bits, so that equality is bitwise: the two zeros differ, and a NaN equals itself. References
//! are by identity that every subject can compute for itself: no addresses, only numbers that follow from
//! the order of instantiation, of host values and of first discovery.

use super::bytes::{DecodeError, Reader, Writer};
use std::fmt;

/// A value by its bits.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// An `i32`.
    I32(u32),
    /// An `i64`.
    I64(u64),
    /// The bits of an `f32`.
    F32(u32),
    /// The bits of an `f64`.
    F64(u64),
    /// The bits of a `v128`, lane 0 in the low bits.
    V128(u128),
    /// A reference.
    Ref(RefValue),
}

/// A reference by its identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RefValue {
    /// The null of a type. At run time a null has no type; the kind is that of the place it was seen in.
    Null(HeapKind),
    /// The host's value of that number.
    Extern(u32),
    /// A function.
    Func(FuncIdentity),
    /// An `i31`: 31 bits, zero-extended.
    I31(u32),
    /// Any other object, by its number in the canonical walk of the object graph.
    Other {
        /// What kind of object it is.
        kind: HeapKind,
        /// In which place the walk met it first.
        number: u32,
    },
}

/// Which function a reference means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FuncIdentity {
    /// A function of a module.
    Wasm {
        /// Number of the instance that defines it, in order of instantiation.
        instance: u32,
        /// Function index in that instance's module, imports counted.
        func: u32,
    },
    /// A function of the host, by its number.
    Host(u32),
}

/// Which tag an exception has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TagIdentity {
    /// A tag of a module.
    Wasm {
        /// Number of the instance that defines it, in order of instantiation.
        instance: u32,
        /// Tag index in that instance's module, imports counted.
        tag: u32,
    },
    /// A tag of the host, by its number.
    Host(u32),
}

impl TagIdentity {
    /// Appends the identity: a byte that says whose tag it is, then its numbers.
    pub fn write(self, writer: &mut Writer) {
        match self {
            TagIdentity::Wasm { instance, tag } => {
                writer.u8(0);
                writer.u32(instance);
                writer.u32(tag);
            }
            TagIdentity::Host(number) => {
                writer.u8(1);
                writer.u32(number);
            }
        }
    }

    /// Reads what [`TagIdentity::write`] appended.
    pub fn read(reader: &mut Reader<'_>) -> Result<TagIdentity, DecodeError> {
        let at = reader.offset();
        Ok(match reader.u8()? {
            0 => TagIdentity::Wasm { instance: reader.u32()?, tag: reader.u32()? },
            1 => TagIdentity::Host(reader.u32()?),
            _ => return Err(DecodeError::new(at, "whose tag it is: 0 a module's, 1 the host's")),
        })
    }
}

/// A heap type, as far as values tell them apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HeapKind {
    /// `func`
    Func,
    /// `extern`
    Extern,
    /// `any`
    Any,
    /// `none`
    None,
    /// `nofunc`
    NoFunc,
    /// `noextern`
    NoExtern,
    /// `exn`
    Exn,
    /// `noexn`
    NoExn,
    /// `i31`
    I31,
    /// `struct`
    Struct,
    /// `array`
    Array,
    /// `eq`
    Eq,
    /// The defined type of that index in the module where the value was seen.
    Concrete(u32),
}

impl HeapKind {
    /// Kinds without an index, in the order of their codes.
    const ABSTRACT: [(HeapKind, &'static str); 12] = [
        (HeapKind::Func, "func"),
        (HeapKind::Extern, "extern"),
        (HeapKind::Any, "any"),
        (HeapKind::None, "none"),
        (HeapKind::NoFunc, "nofunc"),
        (HeapKind::NoExtern, "noextern"),
        (HeapKind::Exn, "exn"),
        (HeapKind::NoExn, "noexn"),
        (HeapKind::I31, "i31"),
        (HeapKind::Struct, "struct"),
        (HeapKind::Array, "array"),
        (HeapKind::Eq, "eq"),
    ];
    /// The code of [`HeapKind::Concrete`]: an index follows.
    const CONCRETE: u8 = 255;

    fn code(self) -> Option<u8> {
        let row = HeapKind::ABSTRACT.iter().position(|(kind, _)| *kind == self)?;
        Some(u8::try_from(row).expect("there are twelve rows"))
    }

    fn write(self, writer: &mut Writer) {
        match self {
            HeapKind::Concrete(index) => {
                writer.u8(HeapKind::CONCRETE);
                writer.u32(index);
            }
            kind => writer.u8(kind.code().expect("every kind without an index has a row")),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<HeapKind, DecodeError> {
        let at = reader.offset();
        let code = reader.u8()?;
        if code == HeapKind::CONCRETE {
            return Ok(HeapKind::Concrete(reader.u32()?));
        }
        let row = HeapKind::ABSTRACT.get(usize::from(code));
        row.map(|(kind, _)| *kind).ok_or(DecodeError::new(at, "the code of a heap type"))
    }
}

impl Value {
    /// Appends the value: a byte for its type, then its bits.
    pub fn write(&self, writer: &mut Writer) {
        match self {
            Value::I32(bits) => {
                writer.u8(0);
                writer.u32(*bits);
            }
            Value::I64(bits) => {
                writer.u8(1);
                writer.u64(*bits);
            }
            Value::F32(bits) => {
                writer.u8(2);
                writer.u32(*bits);
            }
            Value::F64(bits) => {
                writer.u8(3);
                writer.u64(*bits);
            }
            Value::V128(bits) => {
                writer.u8(4);
                writer.u128(*bits);
            }
            Value::Ref(RefValue::Null(kind)) => {
                writer.u8(5);
                kind.write(writer);
            }
            Value::Ref(RefValue::Extern(number)) => {
                writer.u8(6);
                writer.u32(*number);
            }
            Value::Ref(RefValue::Func(FuncIdentity::Wasm { instance, func })) => {
                writer.u8(7);
                writer.u32(*instance);
                writer.u32(*func);
            }
            Value::Ref(RefValue::Func(FuncIdentity::Host(number))) => {
                writer.u8(8);
                writer.u32(*number);
            }
            Value::Ref(RefValue::I31(bits)) => {
                writer.u8(9);
                writer.u32(*bits);
            }
            Value::Ref(RefValue::Other { kind, number }) => {
                writer.u8(10);
                kind.write(writer);
                writer.u32(*number);
            }
        }
    }

    /// Reads what [`Value::write`] appended; fails on an unknown type, or bits that are cut short.
    pub fn read(reader: &mut Reader<'_>) -> Result<Value, DecodeError> {
        let at = reader.offset();
        Ok(match reader.u8()? {
            0 => Value::I32(reader.u32()?),
            1 => Value::I64(reader.u64()?),
            2 => Value::F32(reader.u32()?),
            3 => Value::F64(reader.u64()?),
            4 => Value::V128(reader.u128()?),
            5 => Value::Ref(RefValue::Null(HeapKind::read(reader)?)),
            6 => Value::Ref(RefValue::Extern(reader.u32()?)),
            7 => Value::Ref(RefValue::Func(FuncIdentity::Wasm {
                instance: reader.u32()?,
                func: reader.u32()?,
            })),
            8 => Value::Ref(RefValue::Func(FuncIdentity::Host(reader.u32()?))),
            9 => Value::Ref(RefValue::I31(reader.u32()?)),
            10 => Value::Ref(RefValue::Other { kind: HeapKind::read(reader)?, number: reader.u32()? }),
            _ => return Err(DecodeError::new(at, "the code of a value's type, 0 to 10")),
        })
    }
}

/// `i32:0x2a`, `f64:0x7ff8000000000000`, `ref.null func`: floats and vectors in full width, integers without
/// leading zeros.
impl Value {
    /// The value as people read it: the bits, and for a number what they mean in decimal.
    pub fn described(&self) -> String {
        // As the text format writes what is no number.
        fn float(value: f64, text: String) -> String {
            if value.is_nan() { if value.is_sign_negative() { "-nan" } else { "nan" }.into() } else { text }
        }
        let decimal = match self {
            Value::I32(bits) => bits.cast_signed().to_string(),
            Value::I64(bits) => bits.cast_signed().to_string(),
            Value::F32(bits) => {
                let value = f32::from_bits(*bits);
                float(value.into(), format!("{value:?}"))
            }
            Value::F64(bits) => {
                let value = f64::from_bits(*bits);
                float(value, format!("{value:?}"))
            }
            Value::V128(_) | Value::Ref(_) => return self.to_string(),
        };
        format!("{self} ({decimal})")
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::I32(bits) => write!(f, "i32:{bits:#x}"),
            Value::I64(bits) => write!(f, "i64:{bits:#x}"),
            Value::F32(bits) => write!(f, "f32:{bits:#010x}"),
            Value::F64(bits) => write!(f, "f64:{bits:#018x}"),
            Value::V128(bits) => write!(f, "v128:{bits:#034x}"),
            Value::Ref(reference) => write!(f, "{reference}"),
        }
    }
}

impl fmt::Display for RefValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RefValue::Null(kind) => write!(f, "ref.null {kind}"),
            RefValue::Extern(number) => write!(f, "ref.extern {number}"),
            RefValue::Func(identity) => write!(f, "ref.func {identity}"),
            RefValue::I31(bits) => write!(f, "ref.i31 {bits:#x}"),
            RefValue::Other { kind, number } => write!(f, "ref.{kind} #{number}"),
        }
    }
}

/// `instance:function`, or `host NUMBER`.
impl fmt::Display for FuncIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FuncIdentity::Wasm { instance, func } => write!(f, "{instance}:{func}"),
            FuncIdentity::Host(number) => write!(f, "host {number}"),
        }
    }
}

/// `instance:tag`, or `host NUMBER`.
impl fmt::Display for TagIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TagIdentity::Wasm { instance, tag } => write!(f, "{instance}:{tag}"),
            TagIdentity::Host(number) => write!(f, "host {number}"),
        }
    }
}

/// As in the text format.
impl fmt::Display for HeapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let HeapKind::Concrete(index) = self {
            return write!(f, "{index}");
        }
        let row = HeapKind::ABSTRACT.iter().find(|(kind, _)| kind == self);
        f.write_str(row.expect("every kind without an index has a row").1)
    }
}
