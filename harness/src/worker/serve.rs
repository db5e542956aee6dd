//! A worker's life: greets, then does what it is asked until the parent closes the pipe.
//!
//! One thread does the work, on a stack of a size that doesn't depend on the machine. Every answer is written as
//! soon as it is there: it costs a system call, and when the worker dies nothing that was done is lost.

use super::crash;
use super::protocol::{self, Greeting, Message, NONE, Place, Request};
use crate::disassembly::{made_of, not_shown};
use crate::guard::guarded;
use crate::machine::cpu_features;
use crate::observe::ActionObservation;
use crate::script::{Lane as ScriptLane, Options as ScriptOptions, ScriptWatch, run_script_watched};
use crate::subject::{self, Lane, Subject, Watch, observe_all};
use crosscheck_engine::Mode;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The native stack of the thread that works.
const STACK_BYTES: usize = 16 << 20;
/// Between signs of life, if a request takes long.
const SIGN_OF_LIFE: Duration = Duration::from_millis(250);

/// Finds a subject by its name; fails with a line that says what there is.
pub type Find = dyn Fn(&str) -> Result<Arc<dyn Subject>, String> + Sync;

/// Serves on standard input and output, with the subjects of this build.
pub fn serve() -> ExitCode {
    serve_as(&subject::named)
}

/// Serves on standard input and output, with these subjects: 0 once the parent has closed the pipe, 4 if it can no
/// longer be reached or cannot be understood.
pub fn serve_as(find: &Find) -> ExitCode {
    settle_down();
    let ended = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("worker".into()).stack_size(STACK_BYTES);
        let work = thread.spawn_scoped(scope, || {
            crash::listen();
            #[cfg(target_os = "linux")]
            crash::set_locator(locate);
            Worker::new(find).and_then(|mut worker| worker.work())
        });
        work.map(|work| work.join())
    });
    subject::put_away();
    match ended {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        // A panic outside of all guards: its message is on standard error.
        Ok(Err(_)) => ExitCode::from(101),
        // The parent is gone and cannot be told.
        Ok(Ok(Err(_))) | Err(_) => ExitCode::from(4),
    }
}

/// Asks the engine which generated code is there.
#[cfg(target_os = "linux")]
fn locate(pc: usize) -> Option<protocol::CodePlace> {
    crosscheck_engine::code_place(pc).map(|place| protocol::CodePlace {
        func: place.func.0,
        code_offset: place.code_offset,
        wasm_offset: place.wasm_offset,
    })
}

/// What keeps a worker from outliving its parent, or from filling the disk with its remains.
fn settle_down() {
    // SAFETY: the calls take numbers and one structure that is filled in.
    unsafe {
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
    }
}

struct Worker<'a> {
    input: io::StdinLock<'static>,
    output: Output,
    find: &'a Find,
    /// Subjects that were asked for before.
    subjects: HashMap<String, Arc<dyn Subject>>,
}

impl<'a> Worker<'a> {
    fn new(find: &'a Find) -> io::Result<Worker<'a>> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let output = Output { file, spoken: Instant::now() };
        Ok(Worker { input: io::stdin().lock(), output, find, subjects: HashMap::new() })
    }

    fn work(&mut self) -> io::Result<()> {
        self.output.say(&Message::Greeting(greeting()))?;
        while let Some((kind, payload)) = self.next()? {
            crash::note(Place { subject: NONE, step: NONE });
            let answer = match Request::read(kind, &payload) {
                Ok(request) => self.answer(request)?,
                Err(error) => Message::Refused(format!("the request cannot be read: {error}")),
            };
            self.output.say(&answer)?;
        }
        Ok(())
    }

    /// The next request; none once the parent has closed the pipe.
    fn next(&mut self) -> io::Result<Option<(u8, Vec<u8>)>> {
        let mut head = [0; 5];
        match self.input.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length == 0 || length > protocol::LARGEST_FRAME_BYTES {
            return Err(ErrorKind::InvalidData.into());
        }
        // Read as it comes: a length is a claim, and buys no memory.
        let mut payload = Vec::new();
        let wanted = length as u64 - 1;
        if (&mut self.input).take(wanted).read_to_end(&mut payload)? as u64 != wanted {
            return Ok(None);
        }
        Ok(Some((head[4], payload)))
    }

    fn answer(&mut self, request: Request) -> io::Result<Message> {
        match request {
            Request::Case { case, subjects, capture, careful } => {
                let mut found = Vec::with_capacity(subjects.len());
                for name in &subjects {
                    match self.subject(name) {
                        Ok(subject) => found.push(subject),
                        Err(error) => return Ok(Message::Refused(error)),
                    }
                }
                let found: Vec<&dyn Subject> = found.iter().map(|subject| &**subject).collect();
                let mut steps = Steps::new(&mut self.output, careful);
                let shown = observe_all(&case, &found, capture, &mut steps);
                steps.end()?;
                Ok(Message::Case(shown))
            }
            Request::Explain { lane, wasm, function, offset } => {
                let lane = match lane.parse() {
                    Ok(lane) => lane,
                    Err(error) => return Ok(Message::Refused(error)),
                };
                let lines = guarded(|| made_of(lane, &wasm, function, offset));
                Ok(Message::Lines(lines.unwrap_or_else(not_shown)))
            }
            Request::Script { file, lanes, compare_state, deaths, careful } => {
                let lanes: Result<Vec<Lane>, String> = lanes.iter().map(|name| name.parse()).collect();
                let lanes: Vec<ScriptLane> = match lanes {
                    Ok(lanes) => lanes.into_iter().map(ScriptLane::from).collect(),
                    Err(error) => return Ok(Message::Refused(error)),
                };
                let options = ScriptOptions { compare_state };
                let mut steps = Steps::new(&mut self.output, careful);
                let report = run_script_watched(&file, &lanes, &options, &deaths, &mut steps);
                steps.end()?;
                Ok(Message::Script(report))
            }
            Request::Module { subject, wasm } => Ok(match self.subject(&subject) {
                Ok(subject) => Message::Module(subject.accepts(&wasm)),
                Err(error) => Message::Refused(error),
            }),
        }
    }

    fn subject(&mut self, name: &str) -> Result<Arc<dyn Subject>, String> {
        if let Some(subject) = self.subjects.get(name) {
            return Ok(subject.clone());
        }
        let subject = (self.find)(name)?;
        self.subjects.insert(name.to_string(), subject.clone());
        Ok(subject)
    }
}

fn greeting() -> Greeting {
    let modes = Mode::all().map(|mode| mode.name().to_string());
    let outside = subject::outside().filter(|outside| outside.is_built_in());
    Greeting {
        protocol: protocol::VERSION,
        build: format!("{} {}", env!("CARGO_PKG_VERSION"), env!("CROSSCHECK_COMMIT")),
        arch: std::env::consts::ARCH.to_string(),
        cpu_features: cpu_features().into_iter().map(str::to_string).collect(),
        subjects: modes.chain(outside.map(|outside| outside.name.to_string())).collect(),
        switches: Lane::switches().map(str::to_string).collect(),
    }
}

/// Standard output, past the buffer that looks for ends of lines.
struct Output {
    file: File,
    /// When the worker last said something.
    spoken: Instant,
}

impl Output {
    fn say(&mut self, message: &Message) -> io::Result<()> {
        let mut frame = message.frame();
        if frame.len() > protocol::LARGEST_FRAME_BYTES {
            frame = Message::Refused(format!("an answer of {} bytes is too large", frame.len())).frame();
        }
        self.file.write_all(&frame)?;
        self.spoken = Instant::now();
        Ok(())
    }
}

/// Notes every step for the handler of signals, and tells the parent of it if care was asked for, else now and then.
struct Steps<'a> {
    output: &'a mut Output,
    careful: bool,
    subject: u32,
    broken: Option<io::Error>,
}

impl<'a> Steps<'a> {
    fn new(output: &'a mut Output, careful: bool) -> Steps<'a> {
        // Idle time is not silence.
        output.spoken = Instant::now();
        Steps { output, careful, subject: NONE, broken: None }
    }

    fn step(&mut self, place: Place) {
        crash::note(place);
        if self.careful || self.output.spoken.elapsed() > SIGN_OF_LIFE {
            self.say(&Message::Begins(place));
        }
    }

    fn say(&mut self, message: &Message) {
        if self.broken.is_none() {
            self.broken = self.output.say(message).err();
        }
    }

    fn end(self) -> io::Result<()> {
        crash::note(Place { subject: NONE, step: NONE });
        self.broken.map_or(Ok(()), Err)
    }
}

impl Watch for Steps<'_> {
    fn turn(&mut self, subject: usize) {
        self.subject = subject as u32;
        crash::note(Place { subject: self.subject, step: NONE });
    }

    fn begins(&mut self, action: usize) {
        self.step(Place { subject: self.subject, step: action as u32 });
    }

    fn ended(&mut self, observed: &ActionObservation) {
        if self.careful {
            // The state may be large, and a subject that dies next is not asked for it.
            let ActionObservation { outcome, fuel_left, host_calls, state_digest, state: _ } = observed;
            let (outcome, host_calls) = (outcome.clone(), host_calls.clone());
            let observed = ActionObservation {
                outcome,
                fuel_left: *fuel_left,
                host_calls,
                state_digest: *state_digest,
                state: None,
            };
            self.say(&Message::Ended(observed));
        }
    }
}

impl ScriptWatch for Steps<'_> {
    fn begins(&mut self, lane: Option<usize>, directive: u32) {
        self.step(Place { subject: lane.map_or(NONE, |lane| lane as u32), step: directive });
    }
}
