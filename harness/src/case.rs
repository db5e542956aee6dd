//! A case: everything that must be the same for two subjects to be comparable.
//!
//! Modules, how they are linked, how the host behaves, what is done in which order with which arguments,
//! and under which limits. A worker is sent a case as bytes, never a seed: the worker may be an older
//! build whose generator makes something else of the same seed. So the bytes are versioned, carry no
//! references to anything outside, and are read with suspicion: a hostile file gives an error that names
//! the offset, never a panic and never an allocation larger than the file justifies.
//!
//! How hosts answer is decided in `hosts`, what is shown in `observe`, where cases come from in `generate`.

pub mod bytes;
mod value;

pub use value::{FuncIdentity, HeapKind, RefValue, TagIdentity, Value};

use bytes::{DecodeError, Reader, Writer};
use crosscheck_engine::Shown;

/// One run's worth of work, complete in itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// The modules, in the order in which later ones may import from earlier ones.
    pub modules: Vec<CaseModule>,
    /// How everything that no module provides behaves.
    pub hosts: HostPlan,
    /// What is done, in order. A failed action does not end the case.
    pub actions: Vec<Action>,
    /// What the store and each action may use.
    pub limits: Limits,
}

/// A module of a case.
///
/// An import whose module string equals the name of an *earlier* module of the case is linked to that
/// module's export; every other import is provided by the host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseModule {
    /// What other modules import it by.
    pub name: String,
    /// The binary module.
    pub wasm: Vec<u8>,
}

/// How imports behave that no module provides.
///
/// What a host function returns, what a host global holds and when a host traps or throws derives from the seed, the
/// import's index and the number of calls so far, and from nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostPlan {
    /// What all host behaviour derives from.
    pub seed: u64,
    /// One in how many host calls traps; 0 is never.
    pub trap_one_in: u32,
    /// One in how many host calls throws an exception; 0 is never. No subject runs a case whose hosts throw yet.
    pub throw_one_in: u32,
    /// Built-in host functions that people name, which do what their names say instead.
    pub named: NamedHosts,
}

impl HostPlan {
    /// A plan without named host functions, whose hosts never throw.
    pub const fn new(seed: u64, trap_one_in: u32) -> HostPlan {
        HostPlan { seed, trap_one_in, throw_one_in: 0, named: NamedHosts::NONE }
    }

    /// The oldest version of the case format that has all of the plan, so that older readers read what they can run.
    fn version(&self) -> u16 {
        if self.throw_one_in != 0 {
            VERSION_WITH_THROWING_HOSTS
        } else if self.named != NamedHosts::NONE {
            VERSION_WITH_NAMED_HOSTS
        } else {
            VERSION
        }
    }
}

/// Which sets of built-in host functions a case provides by name: see `hosts::named`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NamedHosts(u8);

impl NamedHosts {
    /// None of them.
    pub const NONE: NamedHosts = NamedHosts(0);

    /// The same with the set of that number, from 0 to 7.
    pub const fn with(self, set: u8) -> NamedHosts {
        NamedHosts(self.0 | 1 << set)
    }

    /// Whether the set of that number is among them.
    pub const fn has(self, set: u8) -> bool {
        self.0 & 1 << set != 0
    }
}

/// One thing that is done to the modules of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Instantiates a module, which runs its active segments and its start function.
    Instantiate {
        /// Index in [`Case::modules`].
        module: u32,
    },
    /// Calls an exported function of the latest instance of a module.
    Invoke {
        /// Index in [`Case::modules`].
        module: u32,
        /// Name of the export.
        export: String,
        /// One value for each parameter.
        args: Vec<Value>,
    },
    /// Reads an exported global of the latest instance of a module.
    Read {
        /// Index in [`Case::modules`].
        module: u32,
        /// Name of the export.
        export: String,
    },
}

/// What a case may use. All limits are counted, so that every subject reaches them at the same point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Fuel that each action starts with; `None` runs without metering.
    pub fuel: Option<u64>,
    /// Depth budget in 8-byte slots, over all frames in progress.
    pub depth_slots: u32,
    /// How deep hosts may call back into modules.
    pub host_depth: u32,
    /// Bytes to which one memory may grow.
    pub memory_bytes: u64,
    /// Elements to which one table may grow.
    pub table_elements: u64,
    /// Bytes of abstract object size that may ever be allocated; `None` is no budget.
    pub gc_bytes: Option<u64>,
}

/// Why bytes are not a case.
pub type CaseError = DecodeError;

/// The first bytes of every serialised case.
const MAGIC: &[u8; 4] = b"xchk";
/// The layout that follows the magic. Raise it whenever a reader of the old layout would misread the new one.
const VERSION: u16 = 1;
/// The layout of a case with named host functions: a byte for their sets follows the rest of the host's plan.
const VERSION_WITH_NAMED_HOSTS: u16 = 2;
/// The layout of a case whose hosts throw: after the byte of version 2, which may be 0, how often.
const VERSION_WITH_THROWING_HOSTS: u16 = 3;

impl Case {
    /// The case as bytes: little-endian, versioned, the same on every platform.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wasm: usize = self.modules.iter().map(|module| module.wasm.len()).sum();
        let mut writer = Writer::with_capacity(wasm + 256);
        writer.raw(MAGIC);
        let version = self.hosts.version();
        writer.u16(version);
        writer.count(self.modules.len());
        for module in &self.modules {
            writer.string(&module.name);
            writer.blob(&module.wasm);
        }
        writer.u64(self.hosts.seed);
        writer.u32(self.hosts.trap_one_in);
        if version >= VERSION_WITH_NAMED_HOSTS {
            writer.u8(self.hosts.named.0);
        }
        if version >= VERSION_WITH_THROWING_HOSTS {
            writer.u32(self.hosts.throw_one_in);
        }
        writer.count(self.actions.len());
        for action in &self.actions {
            action.write(&mut writer);
        }
        self.limits.write(&mut writer);
        writer.finish()
    }

    /// Bytes of all modules.
    pub fn wasm_bytes(&self) -> usize {
        self.modules.iter().map(|module| module.wasm.len()).sum()
    }

    /// The case that [`Case::to_bytes`] wrote.
    ///
    /// Fails on another version, on anything cut short or left over, and on an action for a module that
    /// the case does not have. Whether the modules are valid is not looked at.
    pub fn from_bytes(bytes: &[u8]) -> Result<Case, CaseError> {
        let mut reader = Reader::new(bytes);
        if reader.raw(MAGIC.len())? != MAGIC {
            return Err(DecodeError::new(0, "a case, which starts with `xchk`"));
        }
        let version_at = reader.offset();
        let version = reader.u16()?;
        if !(VERSION..=VERSION_WITH_THROWING_HOSTS).contains(&version) {
            return Err(DecodeError::new(version_at, "version 1, 2 or 3 of the case format"));
        }
        let modules = reader.list(8, |reader| {
            Ok(CaseModule { name: reader.string()?.to_owned(), wasm: reader.blob()?.to_vec() })
        })?;
        let mut hosts = HostPlan::new(reader.u64()?, reader.u32()?);
        let added_at = reader.offset();
        if version >= VERSION_WITH_NAMED_HOSTS {
            hosts.named = NamedHosts(reader.u8()?);
        }
        if version >= VERSION_WITH_THROWING_HOSTS {
            hosts.throw_one_in = reader.u32()?;
        }
        if hosts.version() != version {
            return Err(DecodeError::new(
                added_at,
                "what the version was raised for: named or throwing hosts",
            ));
        }
        let module_count = modules.len();
        let actions = reader.list(5, |reader| Action::read(reader, module_count))?;
        let limits = Limits::read(&mut reader)?;
        reader.end()?;
        Ok(Case { modules, hosts, actions, limits })
    }
}

impl Action {
    /// The action as people read it, in one line.
    pub fn describe(&self) -> String {
        match self {
            Action::Instantiate { module } => format!("instantiate module {module}"),
            Action::Invoke { export, args, .. } => {
                let args: Vec<String> = args.iter().map(ToString::to_string).collect();
                format!("invoke \"{}\" {}", Shown(export), args.join(" ")).trim_end().to_string()
            }
            Action::Read { export, .. } => format!("read \"{}\"", Shown(export)),
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Action::Instantiate { module } => {
                writer.u8(0);
                writer.u32(*module);
            }
            Action::Invoke { module, export, args } => {
                writer.u8(1);
                writer.u32(*module);
                writer.string(export);
                writer.count(args.len());
                for arg in args {
                    arg.write(writer);
                }
            }
            Action::Read { module, export } => {
                writer.u8(2);
                writer.u32(*module);
                writer.string(export);
            }
        }
    }

    fn read(reader: &mut Reader<'_>, module_count: usize) -> Result<Action, DecodeError> {
        let kind_at = reader.offset();
        let kind = reader.u8()?;
        let module_at = reader.offset();
        let module = reader.u32()?;
        if module as usize >= module_count {
            return Err(DecodeError::new(module_at, "the index of a module of the case"));
        }
        match kind {
            0 => Ok(Action::Instantiate { module }),
            1 => Ok(Action::Invoke {
                module,
                export: reader.string()?.to_owned(),
                args: reader.list(5, Value::read)?,
            }),
            2 => Ok(Action::Read { module, export: reader.string()?.to_owned() }),
            _ => Err(DecodeError::new(kind_at, "an action: 0 instantiate, 1 invoke, 2 read")),
        }
    }
}

impl Limits {
    fn write(&self, writer: &mut Writer) {
        writer.option_u64(self.fuel);
        writer.u32(self.depth_slots);
        writer.u32(self.host_depth);
        writer.u64(self.memory_bytes);
        writer.u64(self.table_elements);
        writer.option_u64(self.gc_bytes);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Limits, DecodeError> {
        Ok(Limits {
            fuel: reader.option_u64()?,
            depth_slots: reader.u32()?,
            host_depth: reader.u32()?,
            memory_bytes: reader.u64()?,
            table_elements: reader.u64()?,
            gc_bytes: reader.option_u64()?,
        })
    }
}

/// Room for the programs of a person: no metering, a native-sized stack, 4 GiB memories.
impl Default for Limits {
    fn default() -> Limits {
        Limits {
            fuel: None,
            depth_slots: 1 << 16,
            host_depth: 64,
            memory_bytes: 1 << 32,
            table_elements: 10_000_000,
            gc_bytes: None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
