//! The pipe to the other end: frames with a length and a kind, answers with host calls between.
//!
//! Says the same as `peer.js`. What comes is read with suspicion: a frame that cannot be understood is an error, and
//! nothing that the other end says makes this one panic.

use super::bridge::SLOT_BYTES;
use crate::case::bytes::{DecodeError, Reader, Writer};
use crate::case::{FuncIdentity, HeapKind, RefValue, Value};
use crate::observe::{MemoryState, OS_PAGE_BYTES, TableState};
use std::io::{self, ErrorKind, Read, Write};
use wasmparser::{AbstractHeapType, HeapType, ValType};

/// Frames larger than this are not believed: no case has so much to show.
const LARGEST_FRAME_BYTES: u32 = 1 << 30;

/// The pipe.
pub(super) struct Wire {
    to: Box<dyn Write + Send>,
    from: Box<dyn Read + Send>,
    buffer: Vec<u8>,
}

/// A frame to be sent.
pub(super) struct Frame(Writer);

impl Frame {
    /// A frame of that kind.
    pub fn new(kind: u8) -> Frame {
        let mut writer = Writer::default();
        writer.u8(kind);
        Frame(writer)
    }

    pub fn fields(&mut self) -> &mut Writer {
        &mut self.0
    }

    /// Numbers in their slots, then references; fails on one that cannot be passed from outside.
    pub fn values(&mut self, values: &[Value]) -> Result<(), RefValue> {
        self.0.blob(&slots(values));
        let refs = values.iter().filter_map(|value| match value {
            Value::Ref(value) => Some(*value),
            Value::I32(_) | Value::I64(_) | Value::F32(_) | Value::F64(_) | Value::V128(_) => None,
        });
        let refs: Vec<RefValue> = refs.collect();
        self.0.count(refs.len());
        for value in refs {
            match value {
                RefValue::Null(_) => self.0.u8(0),
                RefValue::Extern(number) => {
                    self.0.u8(1);
                    self.0.u32(number);
                }
                RefValue::Func(_) | RefValue::I31(_) | RefValue::Other { .. } => return Err(value),
            }
        }
        Ok(())
    }
}

/// Numbers in their slots; those of references are empty.
pub(super) fn slots(values: &[Value]) -> Vec<u8> {
    let bits = values.iter().map(|value| match value {
        Value::I32(bits) | Value::F32(bits) => u128::from(*bits),
        Value::I64(bits) | Value::F64(bits) => u128::from(*bits),
        Value::V128(bits) => *bits,
        Value::Ref(_) => 0,
    });
    bits.flat_map(u128::to_le_bytes).collect()
}

/// A value of that type from its slot, or from the next reference.
fn value(ty: ValType, slot: &[u8], refs: &mut impl Iterator<Item = Value>) -> Option<Value> {
    let bits = u128::from_le_bytes(slot.try_into().ok()?);
    Some(match ty {
        ValType::I32 => Value::I32(bits as u32),
        ValType::I64 => Value::I64(bits as u64),
        ValType::F32 => Value::F32(bits as u32),
        ValType::F64 => Value::F64(bits as u64),
        ValType::V128 => Value::V128(bits),
        ValType::Ref(ty) => match refs.next()? {
            Value::Ref(RefValue::Null(_)) => Value::Ref(RefValue::Null(heap_kind(ty.heap_type()))),
            other => other,
        },
    })
}

fn heap_kind(ty: HeapType) -> HeapKind {
    match ty {
        HeapType::Abstract { ty: AbstractHeapType::Extern | AbstractHeapType::NoExtern, .. } => {
            HeapKind::Extern
        }
        HeapType::Abstract { ty: AbstractHeapType::Func | AbstractHeapType::NoFunc, .. }
        | HeapType::Concrete(_)
        | HeapType::Exact(_) => HeapKind::Func,
        HeapType::Abstract { .. } => HeapKind::Any,
    }
}

/// What the other end says.
pub(super) enum Message {
    Greeting {
        node: String,
        v8: String,
    },
    /// An instance is made.
    Made,
    Values {
        slots: Vec<u8>,
        refs: Vec<Value>,
    },
    Failed {
        stage: String,
        name: String,
        message: String,
    },
    HostCall {
        wrapper: u32,
        slots: Vec<u8>,
        refs: Vec<Value>,
    },
    /// The rest is read by who knows what was asked for.
    State(Vec<u8>),
    MemoryBytes(Option<u64>),
    Bytes(Option<Vec<u8>>),
    Wrote(bool),
    IsValid(bool),
}

fn reference(reader: &mut Reader<'_>) -> Result<Value, DecodeError> {
    let at = reader.offset();
    Ok(Value::Ref(match reader.u8()? {
        0 => RefValue::Null(HeapKind::Func),
        1 => RefValue::Extern(reader.u32()?),
        // JavaScript does not say which function it is, and the capabilities say so.
        2 => RefValue::Func(FuncIdentity::Host(0)),
        3 => RefValue::Other { kind: HeapKind::Any, number: 0 },
        _ => return Err(DecodeError::new(at, "a reference: 0 null, 1 number, 2 function, 3 other")),
    }))
}

impl Message {
    fn read(bytes: &[u8]) -> Result<Message, DecodeError> {
        let mut reader = Reader::new(bytes);
        let message = match reader.u8()? {
            b'G' => Message::Greeting { node: reader.string()?.to_owned(), v8: reader.string()?.to_owned() },
            b'O' => Message::Made,
            b'V' => Message::Values { slots: reader.blob()?.to_vec(), refs: reader.list(1, reference)? },
            b'F' => Message::Failed {
                stage: reader.string()?.to_owned(),
                name: reader.string()?.to_owned(),
                message: reader.string()?.to_owned(),
            },
            b'H' => Message::HostCall {
                wrapper: reader.u32()?,
                slots: reader.blob()?.to_vec(),
                refs: reader.list(1, reference)?,
            },
            b'S' => return Ok(Message::State(bytes[1..].to_vec())),
            b'Z' => {
                let is_there = reader.u8()? == 1;
                let bytes = reader.u64()?;
                Message::MemoryBytes(is_there.then_some(bytes))
            }
            b'R' => {
                let is_there = reader.u8()? == 1;
                let bytes = reader.blob()?.to_vec();
                Message::Bytes(is_there.then_some(bytes))
            }
            b'W' => Message::Wrote(reader.u8()? == 1),
            b'B' => Message::IsValid(reader.u8()? == 1),
            _ => return Err(DecodeError::new(0, "a kind of message")),
        };
        reader.end()?;
        Ok(message)
    }
}

impl Wire {
    pub fn new(to: impl Write + Send + 'static, from: impl Read + Send + 'static) -> Wire {
        Wire { to: Box::new(to), from: Box::new(from), buffer: Vec::new() }
    }

    pub fn send(&mut self, frame: Frame) -> io::Result<()> {
        let payload = frame.0.finish();
        // One write a frame: the other end wakes once.
        let mut bytes = Vec::with_capacity(payload.len() + 4);
        bytes.extend((payload.len() as u32).to_le_bytes());
        bytes.extend(payload);
        self.to.write_all(&bytes)
    }

    /// The next message. Fails when the other end is gone or cannot be understood.
    pub fn receive(&mut self) -> io::Result<Message> {
        let mut head = [0; 4];
        self.from.read_exact(&mut head)?;
        let length = u32::from_le_bytes(head);
        if length > LARGEST_FRAME_BYTES {
            return Err(io::Error::new(ErrorKind::InvalidData, format!("a frame of {length} bytes")));
        }
        // Read as it comes: a length is a claim, and buys no memory.
        self.buffer.clear();
        (&mut self.from).take(u64::from(length)).read_to_end(&mut self.buffer)?;
        if self.buffer.len() != length as usize {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Message::read(&self.buffer).map_err(garbled)
    }
}

/// The error of a message that cannot be understood.
pub(super) fn garbled(error: impl ToString) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error.to_string())
}

/// Values of these types, from slots and references. Fails if there are too few of either.
pub(super) fn values(types: &[ValType], slots: &[u8], refs: Vec<Value>) -> io::Result<Vec<Value>> {
    let mut refs = refs.into_iter();
    let slots = slots.chunks_exact(SLOT_BYTES);
    let values: Option<Vec<Value>> =
        types.iter().zip(slots).map(|(ty, slot)| value(*ty, slot, &mut refs)).collect();
    let complete = values.filter(|values| values.len() == types.len());
    complete.ok_or_else(|| garbled(format!("too few values for {types:?}")))
}

/// What an instance shows: the slots of its globals, and the rest in the order in which it was asked for.
pub(super) struct StateReader<'a>(Reader<'a>);

impl<'a> StateReader<'a> {
    pub fn new(bytes: &'a [u8]) -> StateReader<'a> {
        StateReader(Reader::new(bytes))
    }

    pub fn globals(&mut self) -> io::Result<&'a [u8]> {
        self.0.blob().map_err(garbled)
    }

    pub fn reference(&mut self, ty: ValType) -> io::Result<Value> {
        let seen = reference(&mut self.0).map_err(garbled)?;
        value(ty, &[0; SLOT_BYTES], &mut std::iter::once(seen)).ok_or_else(|| garbled("no reference"))
    }

    pub fn table(&mut self) -> io::Result<TableState> {
        let read = |reader: &mut Reader<'a>| {
            let elements = reader.u64()?;
            let non_null = reader.list(9, |reader| Ok((reader.u64()?, reference(reader)?)))?;
            Ok(TableState { elements, non_null: non_null.into_iter().collect() })
        };
        read(&mut self.0).map_err(|error: DecodeError| garbled(error))
    }

    pub fn memory(&mut self) -> io::Result<MemoryState> {
        let read = |reader: &mut Reader<'a>| {
            let mut memory = MemoryState::new(reader.u64()?);
            for _ in 0..reader.u32()? {
                let at = reader.u64()?;
                memory.add(at, reader.raw(OS_PAGE_BYTES as usize)?);
            }
            Ok(memory)
        };
        read(&mut self.0).map_err(|error: DecodeError| garbled(error))
    }
}
