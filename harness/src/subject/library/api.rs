//! The C interface of WebAssembly engines (`wasm.h` of the `wasm-c-api` proposal), as far as it is used here.
//!
//! Declarations are by the interface's documentation: what owns what stands with each group. A library is loaded with its
//! symbols resolved at once, so that what is missing is said before anything runs.

use libloading::Library;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::path::Path;

/// Kinds of values, as the interface numbers them.
pub const I32: u8 = 0;
pub const I64: u8 = 1;
pub const F32: u8 = 2;
pub const F64: u8 = 3;
pub const FUNCREF: u8 = 129;

/// Kinds of what is imported and exported, as the interface numbers them.
pub const EXTERN_FUNC: u8 = 0;
pub const EXTERN_GLOBAL: u8 = 1;
pub const EXTERN_TABLE: u8 = 2;
pub const EXTERN_MEMORY: u8 = 3;

/// Objects that only the library looks into.
macro_rules! opaque {
    ($($name:ident)*) => {
        $(#[repr(C)] pub struct $name { _opaque: [u8; 0] })*
    };
}

opaque! {
    Config Engine Store Module Instance Func FuncType ValType Extern ExternType ImportType ExportType Global Table Memory
    Trap Frame Ref
}

/// A vector: a size and its items. WAMR's have three fields more, which other engines do not touch.
#[repr(C)]
pub struct Vector<T> {
    pub size: usize,
    pub data: *mut T,
    items: usize,
    item_bytes: usize,
    lock: *mut c_void,
}

impl<T> Vector<T> {
    /// A vector for the library to fill.
    pub fn empty() -> Vector<T> {
        Vector::over(&mut [])
    }

    /// A vector of items that stay here: the library may read them, and write to them where it is to give results.
    pub fn over(items: &mut [T]) -> Vector<T> {
        Vector {
            size: items.len(),
            data: items.as_mut_ptr(),
            items: items.len(),
            item_bytes: size_of::<T>(),
            lock: std::ptr::null_mut(),
        }
    }

    /// The items.
    ///
    /// # Safety
    ///
    /// The vector was filled, by the library or by [`Vector::over`], and its items still live.
    pub unsafe fn items(&self) -> &[T] {
        if self.size == 0 {
            return &[];
        }
        // SAFETY: the caller says that `data` points to `size` items.
        unsafe { std::slice::from_raw_parts(self.data, self.size) }
    }
}

/// A value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Val {
    pub kind: u8,
    pub of: Payload,
}

/// The bits of a value. Floats are written and read as integers, so that a NaN keeps its bits.
#[repr(C)]
#[derive(Clone, Copy)]
pub union Payload {
    pub bits32: u32,
    pub bits64: u64,
    pub reference: *mut Ref,
}

/// A host function: gives null, or the trap that it ends in, which its caller then owns.
pub type Callback = unsafe extern "C" fn(*mut c_void, *const Vector<Val>, *mut Vector<Val>) -> *mut Trap;

/// The functions of a library, a row each; the optional ones may be missing.
macro_rules! functions {
    (
        required { $($name:ident($($param:ty),*) $(-> $result:ty)?;)* }
        optional { $($maybe:ident($($p:ty),*) $(-> $r:ty)?;)* }
    ) => {
        /// The functions of a library.
        pub struct Api {
            $(pub $name: unsafe extern "C" fn($($param),*) $(-> $result)?,)*
            $(pub $maybe: Option<unsafe extern "C" fn($($p),*) $(-> $r)?>,)*
            /// Never unloaded: engines leave threads and signal handlers.
            library: ManuallyDrop<Library>,
        }

        impl Api {
            fn resolve(library: Library) -> Result<Api, &'static str> {
                // SAFETY: a function of that name has that type in every library with this interface, and it
                // stays as long as `library`, which nothing unloads.
                unsafe {
                    Ok(Api {
                        $($name: *library.get(stringify!($name)).map_err(|_| stringify!($name))?,)*
                        $($maybe: library.get(stringify!($maybe)).ok().map(|found| *found),)*
                        library: ManuallyDrop::new(library),
                    })
                }
            }
        }
    };
}

functions! {
    required {
        wasm_engine_new() -> *mut Engine;
        wasm_engine_delete(*mut Engine);
        wasm_store_new(*mut Engine) -> *mut Store;
        wasm_store_delete(*mut Store);
        // Compiles; null if the library refuses the module. It does not say why.
        wasm_module_new(*mut Store, *const Vector<u8>) -> *mut Module;
        wasm_module_delete(*mut Module);
        // Fill vectors that the caller then owns. Names and types are parts of their items.
        wasm_module_imports(*const Module, *mut Vector<*mut ImportType>);
        wasm_module_exports(*const Module, *mut Vector<*mut ExportType>);
        wasm_importtype_vec_delete(*mut Vector<*mut ImportType>);
        wasm_exporttype_vec_delete(*mut Vector<*mut ExportType>);
        wasm_importtype_module(*const ImportType) -> *const Vector<u8>;
        wasm_importtype_name(*const ImportType) -> *const Vector<u8>;
        wasm_importtype_type(*const ImportType) -> *const ExternType;
        wasm_exporttype_name(*const ExportType) -> *const Vector<u8>;
        wasm_externtype_kind(*const ExternType) -> u8;
        // Own what they are given.
        wasm_valtype_new(u8) -> *mut ValType;
        wasm_valtype_vec_new(*mut Vector<*mut ValType>, usize, *const *mut ValType);
        wasm_functype_new(*mut Vector<*mut ValType>, *mut Vector<*mut ValType>) -> *mut FuncType;
        wasm_functype_delete(*mut FuncType);
        // The environment is the function's, which ends it with the finalizer.
        wasm_func_new_with_env(
            *mut Store, *const FuncType, Callback, *mut c_void, Option<unsafe extern "C" fn(*mut c_void)>
        ) -> *mut Func;
        wasm_func_delete(*mut Func);
        wasm_func_as_extern(*mut Func) -> *mut Extern;
        // Null, or a trap that the caller then owns.
        wasm_func_call(*const Func, *const Vector<Val>, *mut Vector<Val>) -> *mut Trap;
        // Borrow; null if it is something else.
        wasm_extern_as_func(*mut Extern) -> *mut Func;
        wasm_extern_as_global(*mut Extern) -> *mut Global;
        wasm_extern_as_table(*mut Extern) -> *mut Table;
        wasm_extern_as_memory(*mut Extern) -> *mut Memory;
        wasm_global_get(*const Global, *mut Val);
        wasm_table_size(*const Table) -> u32;
        // A reference that the caller then owns, or null.
        wasm_table_get(*mut Table, u32) -> *mut Ref;
        wasm_ref_delete(*mut Ref);
        // Valid until the memory grows.
        wasm_memory_data(*mut Memory) -> *mut u8;
        wasm_memory_data_size(*const Memory) -> usize;
        // Null if that failed, with a trap if it has one to give.
        wasm_instance_new(*mut Store, *const Module, *const Vector<*mut Extern>, *mut *mut Trap) -> *mut Instance;
        wasm_instance_delete(*mut Instance);
        wasm_instance_exports(*mut Instance, *mut Vector<*mut Extern>);
        wasm_extern_vec_delete(*mut Vector<*mut Extern>);
        // The message ends in a zero byte.
        wasm_trap_new(*mut Store, *const Vector<u8>) -> *mut Trap;
        wasm_trap_message(*const Trap, *mut Vector<u8>);
        wasm_trap_delete(*mut Trap);
        wasm_byte_vec_delete(*mut Vector<u8>);
    }
    optional {
        wasm_config_new() -> *mut Config;
        // Takes the configuration over.
        wasm_engine_new_with_config(*mut Config) -> *mut Engine;
        wasm_trap_trace(*const Trap, *mut Vector<*mut Frame>);
        wasm_frame_vec_delete(*mut Vector<*mut Frame>);
        wasm_frame_func_index(*const Frame) -> u32;
        wasm_frame_module_offset(*const Frame) -> usize;
        wasm_module_serialize(*const Module, *mut Vector<u8>);
    }
}

impl Api {
    /// Loads a library. Fails, in one sentence, if there is none or it lacks a function.
    pub fn load(path: &Path) -> Result<Api, String> {
        let shown = path.display();
        if !path.is_file() {
            return Err(format!("there is no file `{shown}`"));
        }
        // SAFETY: initialisers of a library are whatever its author made them; the user names it to have it run.
        let library = unsafe { Library::new(path) };
        let library = library.map_err(|error| format!("`{shown}` cannot be loaded as a library: {error}"))?;
        Api::resolve(library).map_err(|symbol| {
            format!(
                "`{shown}` has no function `{symbol}`: expected a library with the WebAssembly C API (wasm.h)"
            )
        })
    }

    /// Whether the library exports something of that name.
    pub fn has(&self, symbol: &str) -> bool {
        // SAFETY: the address is not used.
        unsafe { self.library.get::<*const c_void>(symbol) }.is_ok()
    }

    /// The address of something that the library exports.
    ///
    /// # Safety
    ///
    /// What is exported by that name has type `T`.
    pub unsafe fn symbol<T: Copy>(&self, symbol: &str) -> Option<T> {
        // SAFETY: the caller says that the type is right.
        unsafe { self.library.get::<T>(symbol) }.ok().map(|found| *found)
    }
}
