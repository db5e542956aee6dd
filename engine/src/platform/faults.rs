//! Faulting memory accesses: asks whoever generated the code before the process's own handler.
//!
//! The handler is installed once and stays; a fault that is not ours goes to whoever was there before, as
//! if we had never been (sigaction(2)). It runs on the thread's alternate signal stack, because the
//! interrupted code may be on a stack of its own; a thread without one is given one.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// The registers of interrupted code that matter here.
pub struct Interrupted {
    /// Address of the instruction.
    pub pc: usize,
    /// Frame pointer.
    pub fp: usize,
    /// The register that holds the context in generated code.
    pub context: usize,
    /// The address that could not be reached.
    pub address: usize,
}

/// Says where to go on instead; `None` if the fault is not ours. Runs in a signal handler.
pub type Redirect = fn(&Interrupted) -> Option<usize>;

/// Signals that a bad access raises.
const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

struct Installed {
    redirect: Redirect,
    before: [libc::sigaction; SIGNALS.len()],
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Installs the handler, and gives this thread an alternate stack if it has none.
pub fn prepare_thread(redirect: Redirect) {
    INSTALLED.get_or_init(|| install(redirect));
    thread_local!(static STACK: RefCell<Option<AlternateStack>> = const { RefCell::new(None) });
    STACK.with_borrow_mut(|stack| {
        if stack.is_none() {
            *stack = Some(AlternateStack::new());
        }
    });
}

fn install(redirect: Redirect) -> Installed {
    let before = SIGNALS.map(|signal| {
        // SAFETY: all zeros is a valid sigaction.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        let mut old = action;
        action.sa_sigaction = handle as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        // SAFETY: both structures are valid; the handler only does what a handler may.
        let done = unsafe { libc::sigaction(signal, &action, &mut old) };
        assert_eq!(done, 0, "these signals can be handled");
        old
    });
    Installed { redirect, before }
}

extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // A fault before the installation is complete is not ours, and meets the default action.
    let Some(installed) = INSTALLED.get() else {
        restore_default(signal);
        return;
    };
    // SAFETY: the kernel passes valid structures.
    let (registers, address) = unsafe {
        let context = &mut *context.cast::<libc::ucontext_t>();
        (&mut context.uc_mcontext.gregs, (*info).si_addr() as usize)
    };
    let interrupted = Interrupted {
        pc: registers[libc::REG_RIP as usize] as usize,
        fp: registers[libc::REG_RBP as usize] as usize,
        context: registers[libc::REG_R15 as usize] as usize,
        address,
    };
    match (installed.redirect)(&interrupted) {
        Some(target) => registers[libc::REG_RIP as usize] = target as i64,
        None => pass_on(installed, signal, info, context),
    }
}

/// Does what would have happened without us.
fn pass_on(installed: &Installed, signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let position = SIGNALS.iter().position(|ours| *ours == signal).expect("only ours are handled");
    let before = &installed.before[position];
    match before.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => restore_default(signal),
        handler if before.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: it was installed as a handler of this shape.
            let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: it was installed as a handler of this shape.
            let handler: extern "C" fn(c_int) = unsafe { std::mem::transmute(handler) };
            handler(signal);
        }
    }
}

/// Lets the instruction fault again, this time with the default action.
fn restore_default(signal: c_int) {
    // SAFETY: all zeros is the default action.
    unsafe {
        let action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        libc::sigaction(signal, &action, std::ptr::null_mut());
    }
}

/// What a thread's signal handlers run on, if we had to provide it.
struct AlternateStack {
    own: Option<Box<[u8]>>,
}

impl AlternateStack {
    const BYTES: usize = 64 << 10;

    fn new() -> AlternateStack {
        // SAFETY: all zeros is a valid stack description, and asking changes nothing.
        let old = unsafe {
            let mut old: libc::stack_t = MaybeUninit::zeroed().assume_init();
            libc::sigaltstack(std::ptr::null(), &mut old);
            old
        };
        if old.ss_flags & libc::SS_DISABLE == 0 {
            return AlternateStack { own: None };
        }
        let mut own = vec![0; AlternateStack::BYTES].into_boxed_slice();
        let stack = libc::stack_t { ss_sp: own.as_mut_ptr().cast(), ss_flags: 0, ss_size: own.len() };
        // SAFETY: the memory lives until the thread ends, when it is taken back below.
        let done = unsafe { libc::sigaltstack(&stack, std::ptr::null_mut()) };
        assert_eq!(done, 0, "a stack of this size is accepted");
        AlternateStack { own: Some(own) }
    }
}

impl Drop for AlternateStack {
    fn drop(&mut self) {
        if self.own.is_some() {
            let off = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
            // SAFETY: no handler runs on this thread now, so the stack is not in use.
            unsafe { libc::sigaltstack(&off, std::ptr::null_mut()) };
        }
    }
}
