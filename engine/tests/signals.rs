//! Faults of compiled code are its own; every other fault goes to whoever handled it before, as if the engine
//! were not there.
//!
//! Handlers belong to the process and must be installed in a certain order, so this is one test.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use crosscheck_engine::{Config, Engine, Error, Func, Instance, Mode, Module, Store, Trap, TrapKind};
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Foreign faults that the process's own handler has seen, and those in which its mask was not in force.
static SEEN: AtomicUsize = AtomicUsize::new(0);
static UNMASKED: AtomicUsize = AtomicUsize::new(0);
/// What the handler makes readable again.
const PAGE: usize = 4096;

/// Makes the page accessible whose access faulted, so that the instruction succeeds when it runs again.
extern "C" fn foreign(_: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    SEEN.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the kernel passes valid structures, and the page is one of `protected`.
    unsafe {
        let mut mask: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &mut mask);
        if libc::sigismember(&mask, libc::SIGSEGV) != 1 || libc::sigismember(&mask, libc::SIGUSR1) != 1 {
            UNMASKED.fetch_add(1, Ordering::SeqCst);
        }
        let page = (*info).si_addr().map_addr(|address| address & !(PAGE - 1));
        libc::mprotect(page, PAGE, libc::PROT_READ | libc::PROT_WRITE);
    }
}

fn install(handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void)) -> libc::sigaction {
    // SAFETY: the structures are plain data, and the handler has the shape that its flags say.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut before: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaddset(&mut action.sa_mask, libc::SIGUSR1);
        assert_eq!(libc::sigaction(libc::SIGSEGV, &action, &mut before), 0);
        before
    }
}

/// A page that faults when it is read.
fn protected() -> *mut u8 {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping at an address of the kernel's choice.
    let page = unsafe { libc::mmap(null_mut(), PAGE, libc::PROT_NONE, flags, -1, 0) };
    assert_ne!(page, libc::MAP_FAILED);
    page.cast()
}

/// A fault that is none of the engine's: the process's handler sees it, and the program goes on.
fn foreign_fault() {
    let before = SEEN.load(Ordering::SeqCst);
    // SAFETY: the handler makes the page accessible.
    assert_eq!(unsafe { protected().read_volatile() }, 0);
    assert!(SEEN.load(Ordering::SeqCst) > before, "the process's own handler was called");
}

/// A store whose guest reads beyond its memory, after a call of a host function that `host` plays.
fn guest(host: impl Fn() + Send + Sync + 'static) -> (Store<()>, Func) {
    // (module (import "h" "h" (func)) (memory 1)
    //   (func (export "f") (param i32) (result i32) (call 0) (i32.load (local.get 0))))
    let wasm =
        b"\0asm\x01\0\0\0\x01\x09\x02\x60\0\0\x60\x01\x7f\x01\x7f\x02\x07\x01\x01h\x01h\0\0\x03\x02\x01\x01\
        \x05\x03\x01\0\x01\x07\x05\x01\x01f\0\x01\x0a\x0b\x01\x09\0\x10\0\x20\0\x28\x02\0\x0b";
    let engine = Engine::new(&Config::new(Mode::Baseline));
    let module = Module::new(&engine, &wasm[..]).expect("the module is valid");
    let mut store = Store::new(&engine, ());
    let host = Func::wrap(&mut store, "h.h", move |_: crosscheck_engine::Caller<'_, ()>, ()| {
        host();
        Ok::<(), Error>(())
    });
    let instance = Instance::new(&mut store, &module, &[host.into()]).expect("it can be instantiated");
    let f = instance.func(&store, "f").expect("it is exported");
    (store, f)
}

fn guest_fault(store: &mut Store<()>, f: Func) {
    let f = f.typed::<i32, i32>(&*store).expect("its type");
    assert_eq!(f.call(&mut *store, 8).expect("within bounds"), 0);
    for address in [65_533, 65_536, 1 << 20, -1] {
        let Err(Error::Trap(trap)) = f.call(&mut *store, address) else {
            panic!("{address} is out of bounds")
        };
        let trap: &Trap = &trap;
        assert_eq!(trap.kind(), TrapKind::MemoryOutOfBounds);
    }
}

/// The alternate stack of this thread.
fn alternate_stack() -> libc::stack_t {
    // SAFETY: the structure is plain data, and asking changes nothing.
    unsafe {
        let mut stack: libc::stack_t = std::mem::zeroed();
        libc::sigaltstack(std::ptr::null(), &mut stack);
        stack
    }
}

extern "C" fn bare_thread(_: *mut c_void) -> *mut c_void {
    assert_ne!(alternate_stack().ss_flags & libc::SS_DISABLE, 0, "nobody has given this thread a stack");
    let (mut store, f) = guest(|| {});
    guest_fault(&mut store, f);
    foreign_fault();
    assert_eq!(alternate_stack().ss_flags & libc::SS_DISABLE, 0, "it has one now");
    null_mut()
}

extern "C" fn thread_with_a_stack(_: *mut c_void) -> *mut c_void {
    let mut own = vec![0u8; 32 << 10];
    let stack = libc::stack_t { ss_sp: own.as_mut_ptr().cast(), ss_flags: 0, ss_size: own.len() };
    // SAFETY: the memory lives until it is taken back below.
    assert_eq!(unsafe { libc::sigaltstack(&stack, null_mut()) }, 0);
    let (mut store, f) = guest(|| {});
    guest_fault(&mut store, f);
    foreign_fault();
    assert_eq!(alternate_stack().ss_sp, stack.ss_sp, "it is still the thread's own");
    let off = libc::stack_t { ss_sp: null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
    // SAFETY: no handler runs now.
    assert_eq!(unsafe { libc::sigaltstack(&off, null_mut()) }, 0);
    null_mut()
}

/// Runs a thread that neither Rust nor anyone else has prepared.
fn run_bare(start: extern "C" fn(*mut c_void) -> *mut c_void) {
    // SAFETY: the function has the right shape and takes nothing; the thread is joined.
    unsafe {
        let mut thread: libc::pthread_t = std::mem::zeroed();
        assert_eq!(libc::pthread_create(&mut thread, std::ptr::null(), start, null_mut()), 0);
        assert_eq!(libc::pthread_join(thread, null_mut()), 0);
    }
}

/// Installed over the engine's handler, as a host function might: passes on what is not its own.
static OVER: AtomicUsize = AtomicUsize::new(0);
static UNDER: AtomicUsize = AtomicUsize::new(0);

extern "C" fn over(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    OVER.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the address is that of the engine's handler, which has this shape.
    unsafe {
        let under: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
            std::mem::transmute(UNDER.load(Ordering::SeqCst));
        under(signal, info, context);
    }
}

#[test]
fn foreign_faults_reach_the_handler_before_and_guest_faults_are_traps() {
    install(foreign);
    foreign_fault();

    let (mut store, f) = guest(|| {});
    guest_fault(&mut store, f);
    foreign_fault();
    guest_fault(&mut store, f);

    // In a host function, while the guest waits on its own stack.
    let (mut store, f) = guest(foreign_fault);
    guest_fault(&mut store, f);

    // On several threads at once.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (mut store, f) = guest(foreign_fault);
                for _ in 0..200 {
                    guest_fault(&mut store, f);
                    foreign_fault();
                }
            });
        }
    });

    run_bare(bare_thread);
    run_bare(thread_with_a_stack);

    // A host function that puts a handler over the engine's.
    let (mut store, f) = guest(|| {
        if UNDER.load(Ordering::SeqCst) == 0 {
            let engines = install(over);
            UNDER.store(engines.sa_sigaction, Ordering::SeqCst);
        }
        foreign_fault();
    });
    guest_fault(&mut store, f);
    assert!(OVER.load(Ordering::SeqCst) >= 9, "it saw the guest's faults and its own");
    assert_eq!(UNMASKED.load(Ordering::SeqCst), 0, "the handler before ran with the mask it asked for");
}
