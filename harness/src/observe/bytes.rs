//! Observations as bytes: little-endian and versioned, read with suspicion.

use super::*;
use crate::case::bytes::{DecodeError, Reader, Writer};
use crosscheck_engine::faults::fault;
use std::collections::BTreeMap;

const MAGIC: &[u8; 4] = b"xobs";
/// Raise it whenever a reader of the old layout would misread the new one.
const VERSION: u16 = 2;

impl Observation {
    /// The observation as bytes, the same on every platform.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64 + self.actions.len() * 64);
        writer.raw(MAGIC);
        writer.u16(VERSION);
        writer.count(self.actions.len());
        for action in &self.actions {
            action.write(&mut writer);
        }
        writer.finish()
    }

    /// The observation that [`Observation::to_bytes`] wrote; fails with the offset of what cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Observation, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.raw(MAGIC.len())? != MAGIC {
            return Err(DecodeError::new(0, "an observation, which starts with `xobs`"));
        }
        let at = reader.offset();
        if reader.u16()? != VERSION {
            return Err(DecodeError::new(at, "version 2 of the observation format"));
        }
        let actions = reader.list(26, ActionObservation::read)?;
        reader.end()?;
        Ok(Observation { actions })
    }
}

impl ActionObservation {
    /// Appends the observation of one action.
    pub(crate) fn write(&self, writer: &mut Writer) {
        self.outcome.write(writer);
        writer.u64(self.fuel_left);
        self.host_calls.write(writer);
        writer.u64(self.state_digest);
        match &self.state {
            None => writer.u8(0),
            Some(state) => {
                writer.u8(1);
                state.write(writer);
            }
        }
    }

    /// Reads what [`ActionObservation::write`] appended.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<ActionObservation, DecodeError> {
        Ok(ActionObservation {
            outcome: Outcome::read(reader)?,
            fuel_left: reader.u64()?,
            host_calls: HostCalls::read(reader)?,
            state_digest: reader.u64()?,
            state: optional(reader, State::read)?,
        })
    }
}

fn optional<T>(
    reader: &mut Reader<'_>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    let at = reader.offset();
    match reader.u8()? {
        0 => Ok(None),
        1 => Ok(Some(read(reader)?)),
        _ => Err(DecodeError::new(at, "0 for absent or 1 for present")),
    }
}

fn write_values(values: &[Value], writer: &mut Writer) {
    writer.count(values.len());
    values.iter().for_each(|value| value.write(writer));
}

fn read_values(reader: &mut Reader<'_>) -> Result<Vec<Value>, DecodeError> {
    reader.list(2, Value::read)
}

fn text(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    Ok(reader.string()?.to_owned())
}

impl Outcome {
    fn write(&self, writer: &mut Writer) {
        let mut tagged = |tag: u8, message: &str| {
            writer.u8(tag);
            writer.string(message);
        };
        match self {
            Outcome::Link(message) => tagged(2, message),
            Outcome::Limit(message) => tagged(3, message),
            Outcome::Unsupported(message) => tagged(4, message),
            Outcome::Resources(message) => tagged(5, message),
            Outcome::Crash(message) => tagged(6, message),
            Outcome::Hang(message) => tagged(7, message),
            Outcome::Unclear(message) => tagged(8, message),
            Outcome::Usage(message) => tagged(9, message),
            Outcome::Values(values) => {
                writer.u8(0);
                write_values(values, writer);
            }
            Outcome::Trap(trap) => {
                writer.u8(1);
                trap.write(writer);
            }
            Outcome::Exception { tag, payload } => {
                writer.u8(10);
                tag.write(writer);
                write_values(payload, writer);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Outcome, DecodeError> {
        let at = reader.offset();
        Ok(match reader.u8()? {
            0 => Outcome::Values(read_values(reader)?),
            1 => Outcome::Trap(TrapObservation::read(reader)?),
            2 => Outcome::Link(text(reader)?),
            3 => Outcome::Limit(text(reader)?),
            4 => Outcome::Unsupported(text(reader)?),
            5 => Outcome::Resources(text(reader)?),
            6 => Outcome::Crash(text(reader)?),
            7 => Outcome::Hang(text(reader)?),
            8 => Outcome::Unclear(text(reader)?),
            9 => Outcome::Usage(text(reader)?),
            10 => Outcome::Exception { tag: TagIdentity::read(reader)?, payload: read_values(reader)? },
            _ => return Err(DecodeError::new(at, "an outcome: 0 to 10")),
        })
    }
}

impl TrapObservation {
    fn write(&self, writer: &mut Writer) {
        writer.u8(self.kind as u8);
        writer.u8(self.message.is_some().into());
        if let Some(message) = &self.message {
            writer.string(message);
        }
        writer.option_u64(self.site.map(u64::from));
        writer.u8(self.frames.is_some().into());
        if let Some(frames) = &self.frames {
            writer.u64(frames.count);
            writer.u64(frames.hash);
            writer.count(frames.kept.len());
            frames.kept.iter().for_each(|frame| frame.write(writer));
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<TrapObservation, DecodeError> {
        let at = reader.offset();
        let code = usize::from(reader.u8()?);
        let kind = TrapKind::ALL.get(code).copied().ok_or(DecodeError::new(at, "the code of a trap kind"))?;
        let message = optional(reader, text)?;
        let site_at = reader.offset();
        let site = match reader.option_u64()? {
            None => None,
            Some(site) => Some(u32::try_from(site).map_err(|_| DecodeError::new(site_at, "a file offset"))?),
        };
        let frames = optional(reader, |reader| {
            Ok(Frames { count: reader.u64()?, hash: reader.u64()?, kept: reader.list(14, Frame::read)? })
        })?;
        Ok(TrapObservation { kind, message, site, frames })
    }
}

impl Frame {
    fn write(&self, writer: &mut Writer) {
        writer.u64(self.number);
        writer.option_u64(self.function.map(|(instance, func)| u64::from(instance) << 32 | u64::from(func)));
        writer.option_u64(self.offset.map(u64::from));
        writer.string(&self.name);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Frame, DecodeError> {
        Ok(Frame {
            number: reader.u64()?,
            function: reader.option_u64()?.map(|both| ((both >> 32) as u32, both as u32)),
            offset: reader.option_u64()?.map(|offset| offset as u32),
            name: text(reader)?,
        })
    }
}

impl HostCalls {
    fn write(&self, writer: &mut Writer) {
        let is_lost = fault!("wire-loses-the-digest-of-many-host-calls") && self.count > 4;
        writer.u64(self.count);
        writer.u64(if is_lost { 0 } else { self.digest });
        writer.count(self.first.len());
        for call in &self.first {
            writer.string(&call.import);
            write_values(&call.args, writer);
            writer.u8(call.results.is_some().into());
            if let Some(results) = &call.results {
                write_values(results, writer);
            }
            writer.count(call.notes.len());
            call.notes.iter().for_each(|note| writer.string(note));
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<HostCalls, DecodeError> {
        Ok(HostCalls {
            count: reader.u64()?,
            digest: reader.u64()?,
            first: reader.list(13, |reader| {
                Ok(HostCall {
                    import: text(reader)?,
                    args: read_values(reader)?,
                    results: optional(reader, read_values)?,
                    notes: reader.list(4, text)?,
                })
            })?,
        })
    }
}

impl State {
    fn write(&self, writer: &mut Writer) {
        writer.count(self.instances.len());
        for instance in &self.instances {
            write_values(&instance.globals, writer);
            writer.count(instance.tables.len());
            for table in &instance.tables {
                writer.u64(table.elements);
                writer.count(table.non_null.len());
                for (index, value) in &table.non_null {
                    writer.u64(*index);
                    value.write(writer);
                }
            }
            writer.count(instance.memories.len());
            for memory in &instance.memories {
                writer.u64(memory.bytes);
                writer.count(memory.pages.len());
                for (number, page) in &memory.pages {
                    writer.u64(*number);
                    writer.blob(page);
                }
            }
            for dropped in [&instance.dropped_elems, &instance.dropped_datas] {
                writer.count(dropped.len());
                dropped.iter().for_each(|number| writer.u32(*number));
            }
            writer.count(instance.exports.len());
            for (name, export) in &instance.exports {
                writer.string(name);
                export.write(writer);
            }
        }
        writer.count(self.modules.len());
        self.modules.iter().for_each(|instance| writer.option_u64(instance.map(u64::from)));
        writer.count(self.gc.len());
        self.gc.iter().for_each(|object| object.write(writer));
    }

    fn read(reader: &mut Reader<'_>) -> Result<State, DecodeError> {
        let instances = reader.list(24, |reader| {
            let globals = read_values(reader)?;
            let tables = reader.list(12, |reader| {
                let elements = reader.u64()?;
                let non_null = reader.list(10, |reader| Ok((reader.u64()?, Value::read(reader)?)))?;
                Ok(TableState { elements, non_null: BTreeMap::from_iter(non_null) })
            })?;
            let memories = reader.list(12, |reader| {
                let bytes = reader.u64()?;
                let pages = reader.list(12, |reader| Ok((reader.u64()?, reader.blob()?.to_vec())))?;
                Ok(MemoryState { bytes, pages: BTreeMap::from_iter(pages) })
            })?;
            let dropped_elems = reader.list(4, Reader::u32)?;
            let dropped_datas = reader.list(4, Reader::u32)?;
            let exports = reader.list(9, |reader| Ok((text(reader)?, ExportState::read(reader)?)))?;
            Ok(InstanceState { globals, tables, memories, dropped_elems, dropped_datas, exports })
        })?;
        let modules = reader.list(1, |reader| {
            let at = reader.offset();
            let number = reader.option_u64()?;
            number
                .map(|number| u32::try_from(number).map_err(|_| DecodeError::new(at, "an instance")))
                .transpose()
        })?;
        let gc = reader.list(9, ObjectState::read)?;
        Ok(State { instances, modules, gc })
    }
}

impl ObjectState {
    fn write(&self, writer: &mut Writer) {
        match self {
            ObjectState::Struct { ty, .. } => {
                writer.u8(0);
                ty.write(writer);
            }
            ObjectState::Array { ty, .. } => {
                writer.u8(1);
                ty.write(writer);
            }
            ObjectState::Exception { tag, .. } => {
                writer.u8(2);
                tag.write(writer);
            }
        }
        write_values(self.values(), writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<ObjectState, DecodeError> {
        let at = reader.offset();
        Ok(match reader.u8()? {
            0 => ObjectState::Struct { ty: TypeIdentity::read(reader)?, fields: read_values(reader)? },
            1 => ObjectState::Array { ty: TypeIdentity::read(reader)?, elements: read_values(reader)? },
            2 => ObjectState::Exception { tag: TagIdentity::read(reader)?, payload: read_values(reader)? },
            _ => return Err(DecodeError::new(at, "an object: 0 structure, 1 array, 2 exception")),
        })
    }
}

impl TypeIdentity {
    fn write(self, writer: &mut Writer) {
        writer.u32(self.instance);
        writer.u32(self.index);
    }

    fn read(reader: &mut Reader<'_>) -> Result<TypeIdentity, DecodeError> {
        Ok(TypeIdentity { instance: reader.u32()?, index: reader.u32()? })
    }
}

impl ExportState {
    fn write(&self, writer: &mut Writer) {
        let (kind, number) = self.code();
        writer.u8(kind);
        writer.u32(number);
    }

    fn read(reader: &mut Reader<'_>) -> Result<ExportState, DecodeError> {
        let at = reader.offset();
        let kind: fn(u32) -> ExportState = match reader.u8()? {
            0 => ExportState::Global,
            1 => ExportState::Table,
            2 => ExportState::Memory,
            3 => |_| ExportState::Unseen,
            _ => return Err(DecodeError::new(at, "an export: 0 global, 1 table, 2 memory, 3 unseen")),
        };
        Ok(kind(reader.u32()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Observation {
        let frame = Frame { number: 3, function: Some((1, 7)), offset: Some(0x158), name: "$f7".into() };
        let host = Frame { number: 4, function: None, offset: None, name: "env.sum".into() };
        let trap = TrapObservation {
            kind: TrapKind::Host,
            message: Some("no".into()),
            site: Some(9),
            frames: Some(Frames { count: 2, hash: 5, kept: vec![frame, host] }),
        };
        let call = HostCall {
            import: "env.sum".into(),
            args: vec![Value::I32(1)],
            results: Some(vec![Value::F64(3)]),
            notes: vec!["read 4 bytes".into()],
        };
        let instance = InstanceState {
            globals: vec![Value::I64(4)],
            tables: vec![TableState { elements: 3, non_null: BTreeMap::from([(1, Value::I32(0))]) }],
            memories: vec![MemoryState { bytes: 65536, pages: BTreeMap::from([(2, vec![1, 2, 3])]) }],
            dropped_elems: vec![0],
            dropped_datas: vec![1, 2],
            exports: vec![
                ("t".into(), ExportState::Table(0)),
                ("m".into(), ExportState::Memory(0)),
                ("u".into(), ExportState::Unseen),
            ],
        };
        let action = |outcome| ActionObservation {
            outcome,
            fuel_left: 12,
            host_calls: HostCalls { count: 1, digest: 2, first: vec![call.clone()] },
            state_digest: 3,
            state: Some(State {
                instances: vec![instance.clone()],
                modules: vec![None, Some(0)],
                gc: vec![
                    ObjectState::Struct { ty: TypeIdentity { instance: 0, index: 1 }, fields: vec![] },
                    ObjectState::Exception { tag: TagIdentity::Host(3), payload: vec![Value::I32(1)] },
                ],
            }),
        };
        let outcomes = [
            Outcome::Values(vec![Value::F32(0x7fc0_0000)]),
            Outcome::Trap(trap),
            Outcome::Link("a".into()),
            Outcome::Limit("b".into()),
            Outcome::Unsupported("c".into()),
            Outcome::Resources("d".into()),
            Outcome::Crash("e".into()),
            Outcome::Hang("f".into()),
            Outcome::Unclear("g".into()),
            Outcome::Usage("h".into()),
            Outcome::Exception { tag: TagIdentity::Host(3), payload: vec![Value::I64(8)] },
            Outcome::Exception { tag: TagIdentity::Wasm { instance: 1, tag: 2 }, payload: vec![] },
        ];
        Observation { actions: outcomes.into_iter().map(action).collect() }
    }

    #[test]
    fn bytes_bring_back_the_same_observation() {
        assert_eq!(Observation::from_bytes(&sample().to_bytes()), Ok(sample()));
    }

    #[test]
    fn hostile_bytes_are_refused_without_panic() {
        let good = sample().to_bytes();
        for cut in 0..good.len() {
            assert!(Observation::from_bytes(&good[..cut]).is_err(), "cut at {cut}");
        }
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 0xff;
            let _ = Observation::from_bytes(&bad);
        }
    }
}
