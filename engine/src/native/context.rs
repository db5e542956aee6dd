//! What running code reads and writes through its context register.
//!
//! One context an activation. The first part has a fixed layout, whose offsets are constants of the code;
//! the fields most often used come first, where an offset takes one byte.

use super::arch::Arch;
use super::code::CodeUnit;
use super::helpers;
use super::host::Host;
use super::thunks::Pieces;
use crate::error::Error;
use crate::store::{FuncId, FuncLink, InstanceId, MemoryLink, StoreInner, TableLink};
use crate::trap::TrapKind;
use crate::types::TypeId;
use std::any::Any;

/// The most integer arguments that any machine passes in registers. One number for all, since the layout is the same
/// on every host.
const MOST_INT_ARGUMENTS: usize = 6;
/// The most floating-point arguments that any machine passes in registers.
const MOST_FLOAT_ARGUMENTS: usize = 8;
const _: () = assert!(
    Host::INT_ARGUMENT_REGISTERS <= MOST_INT_ARGUMENTS
        && Host::FLOAT_ARGUMENT_REGISTERS <= MOST_FLOAT_ARGUMENTS
);

/// Why an activation ended without a result.
pub(crate) enum Failure {
    /// A trap of the instruction that called a helper.
    Trap(TrapKind),
    /// An error that is already located.
    Error(Error),
    /// A host function, the compiler or another helper panicked.
    Panic(Box<dyn Any + Send>),
}

/// The context. Addresses in it are valid while the activation runs.
#[repr(C)]
pub(crate) struct VmContext {
    /// Lowest address a frame may reach.
    pub stack_limit: u64,
    /// What is left of the fuel while the guest is not in its code.
    pub fuel: u64,
    /// Memory 0 of the running instance.
    pub memory_base: *mut u8,
    pub memory_bytes: u64,
    pub globals: *const *mut u64,
    pub tables: *const *const TableLink,
    pub memories: *const *const MemoryLink,
    pub func_links: *const FuncLink,
    pub funcs: *const FuncId,
    pub types: *const TypeId,
    /// Where each function that the running instance's module defines begins.
    pub entries: *const *const (),
    /// Slots for arguments that have no register, and for all results where there are several.
    pub arguments: *mut u64,
    pub trap: *const u8,
    pub helper: *const u8,
    pub call_other: *const u8,
    pub tail_other: *const u8,
    pub compile: *const u8,
    pub check_subtype: *const u8,
    /// Number of the running instance.
    pub instance: u64,

    pub host_sp: u64,
    /// Where the guest left its code: the stack pointer right after the call instruction, and the frame.
    pub guest_sp: u64,
    pub guest_fp: u64,
    /// Address of the instruction that faulted; 0 if none did.
    pub fault_pc: u64,
    pub result_int: u64,
    pub result_float: u64,
    /// Instance that a call crosses from.
    pub crossed_from: u64,
    /// A function's link across a helper.
    pub link: u64,
    pub helpers: *const usize,
    pub resolve: usize,
    pub cross_back: usize,
    pub compile_now: usize,
    pub check_now: usize,
    pub ints: [u64; MOST_INT_ARGUMENTS],
    pub floats: [u64; MOST_FLOAT_ARGUMENTS],
    /// Whether the operands of a drawn fault's opcode were in the fault's corner.
    #[cfg(feature = "planted-faults")]
    pub in_corner: u64,

    // From here on for Rust only.
    pub store: *mut StoreInner,
    /// Where code of called functions returns to, to be told apart from code of functions.
    pub enter_return: u64,
    pub cross_return: u64,
    pub failure: Option<Failure>,
}

impl VmContext {
    /// A context for code that begins with an empty stack at the address `start`; its arguments have a buffer.
    #[inline(always)]
    pub fn new(
        store: &mut StoreInner,
        thunks: &Pieces<*const u8>,
        arguments: *mut u64,
        start: u64,
    ) -> VmContext {
        VmContext {
            stack_limit: start - 8 * u64::from(store.depth),
            fuel: store.fuel,
            memory_base: std::ptr::null_mut(),
            memory_bytes: 0,
            globals: std::ptr::null(),
            tables: std::ptr::null(),
            memories: std::ptr::null(),
            func_links: std::ptr::null(),
            funcs: std::ptr::null(),
            types: std::ptr::null(),
            entries: std::ptr::null(),
            arguments,
            trap: thunks.trap,
            helper: thunks.helper,
            call_other: thunks.call_other,
            tail_other: thunks.tail_other,
            compile: thunks.compile,
            check_subtype: thunks.check_subtype,
            instance: 0,
            host_sp: 0,
            guest_sp: start,
            guest_fp: 0,
            fault_pc: 0,
            result_int: 0,
            result_float: 0,
            crossed_from: 0,
            link: 0,
            helpers: helpers::TABLE.as_ptr().cast(),
            resolve: helpers::resolve as *const () as usize,
            cross_back: helpers::cross_back as *const () as usize,
            compile_now: helpers::compile_now as *const () as usize,
            check_now: helpers::check_subtype as *const () as usize,
            ints: Default::default(),
            floats: Default::default(),
            #[cfg(feature = "planted-faults")]
            in_corner: 0,
            store,
            enter_return: thunks.enter_return as u64,
            cross_return: thunks.cross_return as u64,
            failure: None,
        }
    }

    /// The store.
    #[inline(always)]
    pub fn store(&mut self) -> &mut StoreInner {
        // SAFETY: the activation has the store to itself while guest code runs, and every reference made
        // here ends before the next one begins.
        unsafe { &mut *self.store }
    }

    /// The running instance.
    pub fn instance_id(&self) -> InstanceId {
        InstanceId(self.instance as u32)
    }

    /// Makes an instance the running one.
    pub fn enter_instance(&mut self, id: InstanceId) {
        let entity = self.store().instance(id);
        let (memories, tables) = (entity.links.memories.as_ptr(), entity.links.tables.as_ptr());
        let globals = entity.links.globals.as_ptr();
        let (funcs, types) = (entity.func_numbers(), entity.module.types.as_ptr());
        let entries = entity.code.entries();
        self.instance = u64::from(id.0);
        (self.memories, self.tables, self.globals) = (memories, tables, globals);
        (self.funcs, self.types, self.entries) = (funcs, types, entries);
        self.refresh();
    }

    /// Takes over from the store all that may have changed outside.
    pub fn refresh(&mut self) {
        let id = self.instance_id();
        let store = self.store();
        let func_links = store.func_links.as_ptr();
        let memory = store.instance(id).memories.first().map(|memory| &store.memories[*memory as usize]);
        let (base, bytes) = match memory {
            Some(memory) => (memory.base(), memory.len()),
            None => (std::ptr::null_mut(), 0),
        };
        self.func_links = func_links;
        (self.memory_base, self.memory_bytes) = (base, bytes);
    }

    /// Where the guest goes on after the call by which it left its code; no access has faulted.
    pub fn return_address(&self) -> u64 {
        // SAFETY: guest code leaves through calls or tail calls of the pieces between it and Rust, which note where.
        unsafe { Host::return_address(self) }
    }

    /// File offset of the instruction at which the guest has left its code, and the trap it stands for if
    /// it stands for one.
    pub fn left_site(&self) -> (u32, Option<TrapKind>) {
        let at = |pc: u64| CodeUnit::at(pc as usize).expect("the guest was in its code");
        if self.fault_pc != 0 {
            let (unit, offset) = at(self.fault_pc);
            let wasm = unit.fault(offset).expect("the signal handler looked it up");
            return (wasm, Some(TrapKind::MemoryOutOfBounds));
        }
        let (unit, offset) = at(self.return_address());
        let site = unit.site(offset).expect("every call has its row");
        (site.wasm, site.trap())
    }
}
