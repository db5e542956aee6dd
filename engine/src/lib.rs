//! A WebAssembly runtime whose execution modes must agree to the bit.
//!
//! The public face has the shape embedders know: an [`Engine`] made from a [`Config`], a [`Module`]
//! decoded and prepared for it, a [`Store`] of [`Instance`]s, a [`Linker`] for imports, and handles
//! [`Func`], [`Memory`], [`Table`], [`Global`]. A failing call gives an [`Error`], usually a [`Trap`]
//! with a [`Backtrace`].
//!
//! ```
//! use crosscheck_engine::{Config, Engine, Linker, Mode, Module, Store};
//!
//! // (module (func (export "double") (param i32) (result i32) (i32.add (local.get 0) (local.get 0))))
//! let wasm = b"\0asm\x01\0\0\0\x01\x06\x01\x60\x01\x7f\x01\x7f\x03\x02\x01\0\x07\x0a\x01\x06double\0\0\x0a\x09\x01\x07\0\x20\0\x20\0\x6a\x0b";
//! for mode in Mode::all() {
//!     let engine = Engine::new(&Config::new(mode));
//!     let module = Module::new(&engine, &wasm[..])?;
//!     let mut store = Store::new(&engine, ());
//!     let instance = Linker::new().instantiate(&mut store, &module)?;
//!     let double = instance.func(&store, "double").expect("exported").typed::<i32, i32>(&store)?;
//!     assert_eq!(double.call(&mut store, 21)?, 42);
//! }
//! # Ok::<(), crosscheck_engine::Error>(())
//! ```
//!
//! The crate reads no environment, prints nothing and touches no file of the user's.

// In the order to read them: the public face first, then the modes, then the floor they stand on.
mod config;
mod linker;
mod mode;

#[cfg(target_os = "linux")]
mod baseline;
mod fast_interp;
mod interp;
#[cfg(target_os = "linux")]
mod native;

mod backtrace;
mod engine;
mod entities;
mod error;
mod executor;
pub mod faults;
mod func;
mod handle;
mod instance;
mod limits;
mod memory;
mod module;
mod names;
pub mod numeric;
pub mod opcode;
mod platform;
mod slots;
mod store;
mod trace;
mod trap;
mod types;
mod val;

#[cfg(test)]
mod tests;

pub use backtrace::{Backtrace, Frame, FrameKind, INNERMOST, OUTERMOST};
pub use config::Config;
pub use engine::Engine;
pub use entities::{Global, Memory, Table, TagIdentity};
pub use error::{Error, Exception};
pub use executor::{Execution, ExplainedLine};
pub use func::{Caller, FuncIdentity, TypedFunc, WasmValue, WasmValues};
pub use handle::{AnyRef, ExnRef, ExternRef, Func, I31, ObjectRef, Tag, Val};
pub use instance::{DecodedModule, Extern, Instance, Module};
pub use limits::{FRAME_OVERHEAD_SLOTS, Limits};
pub use linker::Linker;
pub use memory::SharedMemory;
pub use mode::Mode;
pub use module::{ExternKind, ExternType, FuelSegment, FuncIndex, Import, OpcodeSet};
pub use names::{Shown, ShownMessage};
#[cfg(target_os = "linux")]
pub use native::code::{CodePlace, code_place};
pub use store::{AsContext, AsContextMut, Store};
pub use trace::Trace;
pub use trap::{Trap, TrapKind};
pub use types::{
    CompositeType, FieldType, FuncType, GlobalType, HeapType, Hierarchy, MemoryType, RefType, StorageType,
    SubType, TableType, TypeId, TypeRegistry, ValType,
};
