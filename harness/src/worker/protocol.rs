//! What parent and worker say to one another: frames over two pipes, little-endian.
//!
//! A frame is a length in four bytes, a byte for its kind, and so many bytes less one. The worker speaks first and greets;
//! a greeting starts with a magic and a version in every version of the protocol, so that strangers part with one
//! clear sentence. After that the worker speaks only when it was asked something, and answers in order.

use crate::case::Case;
use crate::case::bytes::{DecodeError, Reader, Writer};
use crate::observe::{ActionObservation, Capture, Observation};
use crate::script::{LaneDeath, ScriptFile, ScriptReport, Unreadable};
use crate::subject::{Acceptance, Shown};
use std::fmt;

/// The version of everything on this page. Raise it whenever the other side would misread something.
pub const VERSION: u16 = 6;

const MAGIC: &[u8; 4] = b"xwrk";

/// No frame is larger; a length beyond is not a length.
pub const LARGEST_FRAME_BYTES: usize = 1 << 30;

/// For a subject or step that is none.
pub const NONE: u32 = u32::MAX;

/// For the address of a signal that is about none.
pub const NO_ADDRESS: u64 = u64::MAX;

/// What a worker is, as it says itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Greeting {
    /// The version of its protocol.
    pub protocol: u16,
    /// The version and commit it was built from.
    pub build: String,
    /// The architecture it runs on.
    pub arch: String,
    /// Processor features that change which code runs.
    pub cpu_features: Vec<String>,
    /// The modes and outside engines it offers.
    pub subjects: Vec<String>,
    /// The switches that make lanes of modes.
    pub switches: Vec<String>,
}

/// What a worker is asked.
#[derive(Clone, Debug)]
pub enum Request {
    /// To run a case.
    Case {
        /// The case.
        case: Case,
        /// The names of the subjects, the reference first.
        subjects: Vec<String>,
        /// How much of the state is wanted.
        capture: Capture,
        /// Whether every step is wanted as it happens.
        careful: bool,
    },
    /// To say what a lane makes of an instruction, which compiles the module.
    Explain {
        /// The name of the lane.
        lane: String,
        /// The module.
        wasm: Vec<u8>,
        /// The function's index in the module.
        function: u32,
        /// File offset of the instruction's opcode.
        offset: u32,
    },
    /// To run a script.
    Script {
        /// The script.
        file: ScriptFile,
        /// The names of the lanes.
        lanes: Vec<String>,
        /// Whether lanes' states are compared.
        compare_state: bool,
        /// Where lanes are known to die: they are not let there again.
        deaths: Vec<LaneDeath>,
        /// Whether every step is wanted as it happens.
        careful: bool,
    },
    /// To ask a subject whether bytes are a valid module.
    Module {
        /// The name of the subject.
        subject: String,
        /// What may be a module.
        wasm: Vec<u8>,
    },
}

/// What a worker says.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// The first word.
    Greeting(Greeting),
    /// What subjects showed on a case.
    Case(Shown),
    /// What a lane makes of an instruction, line by line.
    Lines(Vec<String>),
    /// What a script gave.
    Script(Result<ScriptReport, Unreadable>),
    /// What a subject says of bytes that may be a module.
    Module(Acceptance),
    /// The request cannot be done at all: why.
    Refused(String),
    /// A sign of life, and each time if care was asked for: what is under way.
    Begins(Place),
    /// What an action showed but for the state, if care was asked for.
    Ended(ActionObservation),
    /// The last word.
    Crash(Crash),
}

/// What is under way: the number of a subject and of an action, or of a lane and of a directive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The number of the subject or lane, or [`NONE`].
    pub subject: u32,
    /// The number of the action or directive, or [`NONE`].
    pub step: u32,
}

/// What the signal handler of a worker could still say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crash {
    /// What was under way.
    pub place: Place,
    /// The signal.
    pub signal: i32,
    /// The address that could not be accessed, or [`NO_ADDRESS`].
    pub address: u64,
    /// The instruction that did it; 0 if this platform does not say.
    pub pc: u64,
    /// Whether the address is where the native stack ends.
    pub near_stack: bool,
    /// Where in generated code that was, if the engine knows.
    pub code: Option<CodePlace>,
}

/// A place in generated code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodePlace {
    /// The function's index in its module.
    pub func: u32,
    /// Bytes from the start of its code.
    pub code_offset: u32,
    /// File offset of the opcode that the code was made of.
    pub wasm_offset: u32,
}

/// `f3+0x12 (wasm 0x158)`
impl fmt::Display for CodePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f{}+{:#x} (wasm {:#x})", self.func, self.code_offset, self.wasm_offset)
    }
}

/// Kinds of frames that the parent sends.
mod asked {
    pub const CASE: u8 = 1;
    pub const SCRIPT: u8 = 2;
    pub const EXPLAIN: u8 = 3;
    pub const MODULE: u8 = 4;
}

/// Kinds of frames that a worker sends.
mod said {
    pub const GREETING: u8 = 0;
    pub const CASE: u8 = 1;
    pub const SCRIPT: u8 = 2;
    pub const REFUSED: u8 = 3;
    pub const BEGINS: u8 = 4;
    pub const ENDED: u8 = 5;
    pub const CRASH: u8 = 6;
    pub const LINES: u8 = 7;
    pub const MODULE: u8 = 8;
}

/// A frame whose payload `fill` writes.
fn frame(kind: u8, capacity: usize, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::with_capacity(capacity + 5);
    writer.u32(0);
    writer.u8(kind);
    fill(&mut writer);
    let mut bytes = writer.finish();
    // A frame beyond what may be sent is the sender's to notice.
    let length = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// A frame that was received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Its kind.
    pub kind: u8,
    /// What it holds.
    pub payload: &'a [u8],
    /// How many bytes it took.
    pub bytes: usize,
}

/// The first frame in `bytes`. `None` if it is not there in full; an error if there never can be one.
pub fn split(bytes: &[u8]) -> Result<Option<Frame<'_>>, DecodeError> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    if length == 0 || length > LARGEST_FRAME_BYTES {
        return Err(DecodeError::new(0, "the length of a frame"));
    }
    if rest.len() < length {
        return Ok(None);
    }
    Ok(Some(Frame { kind: rest[0], payload: &rest[1..length], bytes: 4 + length }))
}

impl Request {
    /// A request to run a case, from borrowed parts.
    pub fn case_frame<'n>(
        case: &Case,
        subjects: impl ExactSizeIterator<Item = &'n str>,
        capture: Capture,
        careful: bool,
    ) -> Vec<u8> {
        let case = case.to_bytes();
        frame(asked::CASE, case.len() + 128, |writer| {
            writer.u8(u8::from(capture == Capture::Full) | u8::from(careful) << 1);
            writer.count(subjects.len());
            subjects.for_each(|name| writer.string(name));
            writer.raw(&case);
        })
    }

    /// A request to run a script, from borrowed parts.
    pub fn script_frame(
        file: &ScriptFile,
        lanes: &[String],
        compare_state: bool,
        deaths: &[LaneDeath],
        careful: bool,
    ) -> Vec<u8> {
        frame(asked::SCRIPT, file.text.len() + 256, |writer| {
            writer.u8(u8::from(compare_state) | u8::from(careful) << 1);
            writer.count(lanes.len());
            lanes.iter().for_each(|name| writer.string(name));
            writer.count(deaths.len());
            deaths.iter().for_each(|death| death.write(writer));
            writer.string(&file.group);
            writer.string(&file.name);
            writer.string(&file.text);
            // Lines are counted from 1.
            writer.u32(file.line.unwrap_or(0));
        })
    }

    /// A request to ask a subject whether bytes are a valid module, from borrowed parts.
    pub fn module_frame(subject: &str, wasm: &[u8]) -> Vec<u8> {
        frame(asked::MODULE, wasm.len() + 128, |writer| {
            writer.u8(0);
            writer.count(1);
            writer.string(subject);
            writer.blob(wasm);
        })
    }

    /// A request to say what a lane makes of an instruction, from borrowed parts.
    pub fn explain_frame(lane: &str, wasm: &[u8], function: u32, offset: u32) -> Vec<u8> {
        frame(asked::EXPLAIN, wasm.len() + 64, |writer| {
            writer.string(lane);
            writer.blob(wasm);
            writer.u32(function);
            writer.u32(offset);
        })
    }

    /// The request in a frame of that kind; fails on anything else.
    pub fn read(kind: u8, payload: &[u8]) -> Result<Request, DecodeError> {
        let mut reader = Reader::new(payload);
        if kind == asked::EXPLAIN {
            let (lane, wasm) = (reader.string()?.to_string(), reader.blob()?.to_vec());
            let (function, offset) = (reader.u32()?, reader.u32()?);
            reader.end()?;
            return Ok(Request::Explain { lane, wasm, function, offset });
        }
        let flags_at = reader.offset();
        let flags = reader.u8()?;
        if flags > 3 {
            return Err(DecodeError::new(flags_at, "flags of a request, 0 to 3"));
        }
        let (first, careful) = (flags & 1 != 0, flags & 2 != 0);
        let names = texts(&mut reader)?;
        match kind {
            asked::CASE => {
                let capture = if first { Capture::Full } else { Capture::Digest };
                let case = Case::from_bytes(&payload[reader.offset()..])?;
                Ok(Request::Case { case, subjects: names, capture, careful })
            }
            asked::SCRIPT => {
                let deaths = reader.list(9, LaneDeath::read)?;
                let group = reader.string()?.to_string();
                let (name, text) = (reader.string()?.to_string(), reader.string()?.to_string().into());
                let line = Some(reader.u32()?).filter(|line| *line > 0);
                reader.end()?;
                let file = ScriptFile { group, name, text, line };
                Ok(Request::Script { file, lanes: names, compare_state: first, deaths, careful })
            }
            asked::MODULE => {
                let one = || DecodeError::new(flags_at, "the name of one subject");
                let subject = names.into_iter().next().ok_or_else(one)?;
                let wasm = reader.blob()?.to_vec();
                reader.end()?;
                Ok(Request::Module { subject, wasm })
            }
            _ => Err(DecodeError::new(0, "a request: 1 case, 2 script, 3 explain, 4 module")),
        }
    }
}

fn texts(reader: &mut Reader<'_>) -> Result<Vec<String>, DecodeError> {
    reader.list(4, |reader| Ok(reader.string()?.to_string()))
}

impl Message {
    /// The message as a frame.
    pub fn frame(&self) -> Vec<u8> {
        match self {
            Message::Greeting(greeting) => frame(said::GREETING, 512, |writer| greeting.write(writer)),
            Message::Case(shown) => frame(said::CASE, 512, |writer| write_shown(shown, writer)),
            Message::Script(Ok(report)) => frame(said::SCRIPT, 1024, |writer| {
                writer.u8(1);
                report.write(writer);
            }),
            Message::Script(Err(unreadable)) => frame(said::SCRIPT, 256, |writer| {
                writer.u8(0);
                unreadable.write(writer);
            }),
            Message::Module(acceptance) => {
                frame(said::MODULE, 128, |writer| write_acceptance(acceptance, writer))
            }
            Message::Lines(lines) => frame(said::LINES, 256, |writer| {
                writer.count(lines.len());
                lines.iter().for_each(|line| writer.string(line));
            }),
            Message::Refused(why) => frame(said::REFUSED, why.len() + 4, |writer| writer.string(why)),
            Message::Begins(place) => frame(said::BEGINS, 8, |writer| place.write(writer)),
            Message::Ended(observed) => frame(said::ENDED, 128, |writer| observed.write(writer)),
            Message::Crash(crash) => crash.frame().to_vec(),
        }
    }

    /// The message in a frame of that kind; fails on anything else.
    pub fn read(kind: u8, payload: &[u8]) -> Result<Message, DecodeError> {
        let mut reader = Reader::new(payload);
        let message = match kind {
            said::GREETING => return Greeting::read(&mut reader).map(Message::Greeting),
            said::CASE => Message::Case(read_shown(&mut reader)?),
            said::SCRIPT => Message::Script(match reader.u8()? {
                0 => Err(Unreadable::read(&mut reader)?),
                _ => Ok(ScriptReport::read(&mut reader)?),
            }),
            said::REFUSED => Message::Refused(reader.string()?.to_string()),
            said::BEGINS => Message::Begins(Place::read(&mut reader)?),
            said::ENDED => Message::Ended(ActionObservation::read(&mut reader)?),
            said::CRASH => Message::Crash(Crash::read(&mut reader)?),
            said::MODULE => Message::Module(read_acceptance(&mut reader)?),
            said::LINES => Message::Lines(texts(&mut reader)?),
            _ => return Err(DecodeError::new(0, "a message, 0 to 8")),
        };
        reader.end()?;
        Ok(message)
    }
}

fn write_shown(shown: &Shown, writer: &mut Writer) {
    let Shown::Observed(observed) = shown else { return writer.u8(0) };
    writer.u8(1);
    writer.count(observed.len());
    for observation in observed {
        writer.blob(&observation.as_ref().map(Observation::to_bytes).unwrap_or_default());
    }
}

fn write_acceptance(acceptance: &Acceptance, writer: &mut Writer) {
    let mut tagged = |tag: u8, text: &str| {
        writer.u8(tag);
        writer.string(text);
    };
    match acceptance {
        Acceptance::Valid => tagged(0, ""),
        Acceptance::Refused(message) => tagged(1, message),
        Acceptance::Unknown(reason) => tagged(2, reason),
        Acceptance::Failed(outcome) => {
            tagged(3, "");
            ActionObservation::last(outcome.clone()).write(writer);
        }
    }
}

fn read_acceptance(reader: &mut Reader<'_>) -> Result<Acceptance, DecodeError> {
    let at = reader.offset();
    let (tag, text) = (reader.u8()?, reader.string()?.to_string());
    Ok(match tag {
        0 => Acceptance::Valid,
        1 => Acceptance::Refused(text),
        2 => Acceptance::Unknown(text),
        3 => Acceptance::Failed(ActionObservation::read(reader)?.outcome),
        _ => return Err(DecodeError::new(at, "what is said of a module, 0 to 3")),
    })
}

fn read_shown(reader: &mut Reader<'_>) -> Result<Shown, DecodeError> {
    if reader.u8()? == 0 {
        return Ok(Shown::Invalid);
    }
    let observed = reader.list(4, |reader| match reader.blob()? {
        [] => Ok(None),
        bytes => Observation::from_bytes(bytes).map(Some),
    })?;
    Ok(Shown::Observed(observed))
}

impl Greeting {
    fn write(&self, writer: &mut Writer) {
        writer.raw(MAGIC);
        writer.u16(self.protocol);
        writer.string(&self.build);
        writer.string(&self.arch);
        for list in [&self.cpu_features, &self.subjects, &self.switches] {
            writer.count(list.len());
            list.iter().for_each(|text| writer.string(text));
        }
    }

    /// Of another version only the version is read.
    fn read(reader: &mut Reader<'_>) -> Result<Greeting, DecodeError> {
        if reader.raw(MAGIC.len())? != MAGIC {
            return Err(DecodeError::new(0, "the greeting of a worker, which starts with `xwrk`"));
        }
        let protocol = reader.u16()?;
        if protocol != VERSION {
            return Ok(Greeting { protocol, ..Greeting::default() });
        }
        let (build, arch) = (reader.string()?.to_string(), reader.string()?.to_string());
        let (cpu_features, subjects, switches) = (texts(reader)?, texts(reader)?, texts(reader)?);
        reader.end()?;
        Ok(Greeting { protocol, build, arch, cpu_features, subjects, switches })
    }
}

impl Place {
    fn write(self, writer: &mut Writer) {
        writer.u32(self.subject);
        writer.u32(self.step);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Place, DecodeError> {
        Ok(Place { subject: reader.u32()?, step: reader.u32()? })
    }
}

/// Bytes of a frame with a [`Crash`].
pub const CRASH_FRAME_BYTES: usize = 5 + 8 + 4 + 8 + 8 + 1 + 1 + 12;

impl Crash {
    /// The frame, made without allocation: a signal handler writes it.
    pub fn frame(&self) -> [u8; CRASH_FRAME_BYTES] {
        let mut bytes = [0; CRASH_FRAME_BYTES];
        let code = self.code.unwrap_or(CodePlace { func: 0, code_offset: 0, wasm_offset: 0 });
        let mut at = 0;
        let mut put = |field: &[u8]| {
            bytes[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        };
        put(&(CRASH_FRAME_BYTES as u32 - 4).to_le_bytes());
        put(&[said::CRASH]);
        put(&self.place.subject.to_le_bytes());
        put(&self.place.step.to_le_bytes());
        put(&self.signal.to_le_bytes());
        put(&self.address.to_le_bytes());
        put(&self.pc.to_le_bytes());
        put(&[u8::from(self.near_stack), u8::from(self.code.is_some())]);
        put(&code.func.to_le_bytes());
        put(&code.code_offset.to_le_bytes());
        put(&code.wasm_offset.to_le_bytes());
        bytes
    }

    fn read(reader: &mut Reader<'_>) -> Result<Crash, DecodeError> {
        let place = Place::read(reader)?;
        let signal = reader.u32()? as i32;
        let (address, pc, near_stack) = (reader.u64()?, reader.u64()?, reader.u8()? != 0);
        let has_code = reader.u8()? != 0;
        let code = CodePlace { func: reader.u32()?, code_offset: reader.u32()?, wasm_offset: reader.u32()? };
        Ok(Crash { place, signal, address, pc, near_stack, code: has_code.then_some(code) })
    }
}
