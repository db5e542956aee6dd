//! The last words of a worker: which signal, what was under way, and where in which code.
//!
//! A handler on a stack of its own writes one frame to standard output, restores the default action and lets the
//! signal happen, so that the parent sees both. It allocates nothing and takes no lock. An engine that handles signals
//! itself installs its handler later and passes on what isn't its own: this is what it passes to.

use super::protocol::{CodePlace, Crash, NO_ADDRESS, NONE, Place};
use crate::guard::FATAL_SIGNALS;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Says which generated code an instruction belongs to. Called in a signal handler: no lock, no allocation.
pub type Locate = fn(pc: usize) -> Option<CodePlace>;

static LOCATE: OnceLock<Locate> = OnceLock::new();
static SUBJECT: AtomicU32 = AtomicU32::new(NONE);
static STEP: AtomicU32 = AtomicU32::new(NONE);

/// Room for the handler, and for a locator that searches a table.
const STACK_BYTES: usize = 64 << 10;
/// How far from the stack pointer an access is taken for an overflow of the native stack.
const NEAR_STACK_BYTES: u64 = 64 << 10;

/// From now on last words say where in generated code a worker crashed. The first caller is heard.
pub fn set_locator(locate: Locate) {
    let _ = LOCATE.set(locate);
}

/// Notes what is under way.
pub fn note(place: Place) {
    SUBJECT.store(place.subject, Ordering::Relaxed);
    STEP.store(place.step, Ordering::Relaxed);
}

/// What is under way.
pub fn noted() -> Place {
    Place { subject: SUBJECT.load(Ordering::Relaxed), step: STEP.load(Ordering::Relaxed) }
}

/// Installs the handler for the whole process, and its stack for this thread.
pub fn listen() {
    // SAFETY: the memory is leaked on purpose, so it outlives every signal; both structures are plain data that is
    // filled in before use; the handler keeps to what may be done in a signal handler.
    unsafe {
        let stack = Box::leak(vec![0u8; STACK_BYTES].into_boxed_slice());
        let stack = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: STACK_BYTES };
        libc::sigaltstack(&stack, std::ptr::null_mut());
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigfillset(&mut action.sa_mask);
        for (signal, _) in FATAL_SIGNALS {
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

extern "C" fn handler(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes valid structures to a handler with SA_SIGINFO; everything called is on the list of
    // async-signal-safe functions; the frame is on this handler's own stack.
    unsafe {
        // What is not positive was sent by a process: by ourselves, if it was an abort.
        let sent = (*info).si_code <= 0;
        if !sent || (*info).si_pid() == libc::getpid() {
            let (pc, sp) = registers(context);
            let address = if sent { NO_ADDRESS } else { (*info).si_addr() as u64 };
            let memory = matches!(signal, libc::SIGSEGV | libc::SIGBUS);
            let crash = Crash {
                place: noted(),
                signal,
                address,
                pc,
                near_stack: memory && !sent && sp != 0 && address.abs_diff(sp) < NEAR_STACK_BYTES,
                code: LOCATE.get().and_then(|locate| locate(pc as usize)),
            };
            let frame = crash.frame();
            libc::write(libc::STDOUT_FILENO, frame.as_ptr().cast(), frame.len());
        }
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// The instruction and the stack pointer that a signal interrupted; zeros if this platform is not known here.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
unsafe fn registers(context: *mut libc::c_void) -> (u64, u64) {
    // SAFETY: the caller passes on what the kernel gave a handler with SA_SIGINFO.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    (machine.gregs[libc::REG_RIP as usize] as u64, machine.gregs[libc::REG_RSP as usize] as u64)
}

/// The instruction and the stack pointer that a signal interrupted; zeros if this platform is not known here.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
unsafe fn registers(context: *mut libc::c_void) -> (u64, u64) {
    // SAFETY: the caller passes on what the kernel gave a handler with SA_SIGINFO.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    (machine.pc, machine.sp)
}

/// The instruction and the stack pointer that a signal interrupted; zeros if this platform is not known here.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
unsafe fn registers(_: *mut libc::c_void) -> (u64, u64) {
    (0, 0)
}
