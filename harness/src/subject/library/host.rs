//! Host functions that a library calls, and what they see of the instance that calls them.

use super::super::embedding::{Guest, HostFunction, Refused};
use super::api::{Trap, Val, Vector};
use super::context::{Context, Exported, Item};
use super::shape::{self, Shape};
use crate::case::Value;
use crate::guard::guarded;
use crate::hosts::Host;
use crate::observe::Outcome;
use crosscheck_engine::TrapKind;
use std::cell::OnceCell;
use std::ffi::c_void;
use std::rc::Rc;

/// What a host function stands on. It belongs to the library's function, which ends it with [`drop_env`].
pub struct Env {
    /// The store that the function was made in, which outlives it.
    pub context: *const Context<'static>,
    pub function: HostFunction,
    pub params: Vec<Shape>,
    pub results: Vec<Shape>,
    /// What the instance exports that imports the function, as soon as it is made.
    pub caller: Rc<OnceCell<Exported>>,
}

/// What the library calls: asks the host and gives its answer, or a trap.
///
/// # Safety
///
/// `env` is an [`Env`], and both vectors are as long as the function's type says.
pub unsafe extern "C" fn call_host(
    env: *mut c_void,
    args: *const Vector<Val>,
    results: *mut Vector<Val>,
) -> *mut Trap {
    // SAFETY: the library hands back the environment that the function was made with, whose store is alive.
    let (env, context) = unsafe {
        let env = &*env.cast::<Env>();
        (env, &*env.context)
    };
    // A panic must not reach the library.
    let answered = guarded(|| {
        // SAFETY: the library gives as many arguments as the function has parameters, of their kinds.
        let args = shape::out_of_guest(&env.params, unsafe { (*args).items() });
        env.function.call(&mut LibraryGuest { context, caller: &env.caller }, &args)
    });
    let outcome = match answered {
        Ok(Ok(values)) => {
            let values = shape::fitted(&env.results, &values);
            let vals = shape::into_guest(&values).expect("hosts answer with numbers and nulls");
            for (number, val) in vals.into_iter().enumerate() {
                // SAFETY: the library makes room for as many results as the function has.
                unsafe { (*results).data.add(number).write(val) };
            }
            return std::ptr::null_mut();
        }
        Ok(Err(Refused::Trap(message))) => Outcome::trap(TrapKind::Host, Some(message)),
        Ok(Err(Refused::CallBack(outcome))) => outcome,
        Err(message) => Outcome::Crash(format!("panic: {message}")),
    };
    context.pending.replace(Some(outcome));
    context.new_trap()
}

/// Ends an environment.
///
/// # Safety
///
/// `env` is an [`Env`] in a box that nothing uses any more.
pub unsafe extern "C" fn drop_env(env: *mut c_void) {
    // SAFETY: the library finalises the environment once, when it ends the function.
    drop(unsafe { Box::from_raw(env.cast::<Env>()) });
}

/// The instance that calls a host function.
struct LibraryGuest<'a> {
    context: &'a Context<'static>,
    caller: &'a OnceCell<Exported>,
}

impl LibraryGuest<'_> {
    fn export(&self, name: &str) -> Option<&Item> {
        let exported = self.caller.get()?;
        exported.iter().find(|(export, _)| export == name).map(|(_, item)| item)
    }

    /// The bytes of a memory that it exports, as they are now.
    fn bytes(&mut self, memory: &str) -> Option<&mut [u8]> {
        let item = self.export(memory)?.clone();
        // SAFETY: the guest waits for the host, so nothing else touches the memory while the host does.
        unsafe { self.context.memory(&item) }
    }
}

impl Guest for LibraryGuest<'_> {
    type Failure = Outcome;

    fn has(&mut self, export: &str) -> bool {
        self.export(export).is_some()
    }

    fn memory_bytes(&mut self, memory: &str) -> Option<u64> {
        self.bytes(memory).map(|bytes| bytes.len() as u64)
    }

    fn read(&mut self, memory: &str, address: u64, buffer: &mut [u8]) -> bool {
        let bytes = self.bytes(memory).and_then(|bytes| range(bytes, address, buffer.len()));
        bytes.map(|bytes| buffer.copy_from_slice(bytes)).is_some()
    }

    fn write(&mut self, memory: &str, address: u64, written: &[u8]) -> bool {
        let bytes = self.bytes(memory).and_then(|bytes| range(bytes, address, written.len()));
        bytes.map(|bytes| bytes.copy_from_slice(written)).is_some()
    }

    fn call(&mut self, func: &str, args: &[Value]) -> Result<Vec<Value>, Outcome> {
        let item = self.export(func).cloned();
        let item = item.ok_or_else(|| Outcome::Unsupported(format!("`{func}` cannot be called back yet")))?;
        self.context.call(&item, args)
    }

    fn host(&mut self) -> &mut Host {
        // SAFETY: no other reference to the host lives: those who get one use it before they call anything.
        unsafe { self.context.host() }
    }
}

/// So many bytes from an address on, if they are all inside.
fn range(bytes: &mut [u8], address: u64, length: usize) -> Option<&mut [u8]> {
    let start = usize::try_from(address).ok()?;
    bytes.get_mut(start..start.checked_add(length)?)
}
