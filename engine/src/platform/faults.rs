//! Faulting memory accesses: asks the maker of generated code before the process's own handler.
//!
//! The handler is installed once and stays; a fault that is not of generated code goes to the handler that was
//! installed before, as if the engine were not there (sigaction(2)). The handler runs on the thread's alternate signal stack, because the
//! interrupted code may be on a stack of its own; a thread without one is given one.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, OnceLock};

/// Code that a fault has interrupted.
pub struct Interrupted<'a> {
    /// Address of the instruction.
    pub pc: usize,
    /// The address that could not be reached.
    pub address: usize,
    context: &'a libc::ucontext_t,
}

impl Interrupted<'_> {
    /// What a general-purpose register holds, by its number in instructions.
    pub fn register(&self, number: u8) -> usize {
        registers::register(self.context, number)
    }
}

/// Says where to go on instead; `None` if the fault is not of generated code. Runs in a signal handler.
pub type Redirect = fn(&Interrupted) -> Option<usize>;

/// Signals that a bad access raises.
const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

struct Installed {
    redirect: Redirect,
    before: [Before; SIGNALS.len()],
}

/// What handled a signal before.
struct Before {
    action: libc::sigaction,
    /// Whether it was to handle one signal only, and has.
    spent: AtomicBool,
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Installs the handler, and gives this thread an alternate stack if it has none.
pub fn prepare_thread(redirect: Redirect) {
    static HANDLING: Once = Once::new();
    HANDLING.call_once(|| install(redirect));
    thread_local!(static STACK: RefCell<Option<AlternateStack>> = const { RefCell::new(None) });
    STACK.with_borrow_mut(|stack| {
        if stack.is_none() {
            *stack = Some(AlternateStack::new());
        }
    });
}

fn install(redirect: Redirect) {
    let before = SIGNALS.map(|signal| Before { action: current(signal), spent: AtomicBool::new(false) });
    // Known before the first signal can arrive.
    INSTALLED.get_or_init(|| Installed { redirect, before });
    for signal in SIGNALS {
        // SAFETY: all zeros is a valid sigaction.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_sigaction = handle as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        // SAFETY: the structure is valid; the handler only does what a handler may.
        let done = unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) };
        assert_eq!(done, 0, "these signals can be handled");
    }
}

fn current(signal: c_int) -> libc::sigaction {
    // SAFETY: all zeros is a valid sigaction, and asking changes nothing.
    unsafe {
        let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        libc::sigaction(signal, std::ptr::null(), &mut action);
        action
    }
}

extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let installed = INSTALLED.get().expect("it is known before the handler is installed");
    // SAFETY: the kernel passes valid structures.
    let (interrupted, code, address) =
        unsafe { (&mut *context.cast::<libc::ucontext_t>(), (*info).si_code, (*info).si_addr() as usize) };
    // A code that is not positive means that the signal was sent: the interrupted instruction did nothing wrong.
    let sent = code <= 0;
    let pc = registers::pc(interrupted);
    let fault = Interrupted { pc, address, context: interrupted };
    let target = if sent { None } else { (installed.redirect)(&fault) };
    match target {
        Some(target) => registers::set_pc(interrupted, target),
        None => {
            let position = SIGNALS.iter().position(|one| *one == signal).expect("only these are handled");
            installed.before[position].handle(signal, sent, info, context);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod registers {
    //! Registers as the kernel saves them for a handler on x86-64.

    /// Where each general-purpose register is saved, by its number in instructions.
    const SAVED: [libc::c_int; 16] = [
        libc::REG_RAX,
        libc::REG_RCX,
        libc::REG_RDX,
        libc::REG_RBX,
        libc::REG_RSP,
        libc::REG_RBP,
        libc::REG_RSI,
        libc::REG_RDI,
        libc::REG_R8,
        libc::REG_R9,
        libc::REG_R10,
        libc::REG_R11,
        libc::REG_R12,
        libc::REG_R13,
        libc::REG_R14,
        libc::REG_R15,
    ];

    pub fn register(context: &libc::ucontext_t, number: u8) -> usize {
        context.uc_mcontext.gregs[SAVED[usize::from(number)] as usize] as usize
    }

    pub fn pc(context: &libc::ucontext_t) -> usize {
        context.uc_mcontext.gregs[libc::REG_RIP as usize] as usize
    }

    pub fn set_pc(context: &mut libc::ucontext_t, pc: usize) {
        context.uc_mcontext.gregs[libc::REG_RIP as usize] = pc as i64;
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod registers {
    //! Where no generated code runs, the handler is never installed.

    pub fn register(_: &libc::ucontext_t, _: u8) -> usize {
        unreachable!("no generated code runs on this architecture")
    }

    pub fn pc(_: &libc::ucontext_t) -> usize {
        unreachable!("no generated code runs on this architecture")
    }

    pub fn set_pc(_: &mut libc::ucontext_t, _: usize) {
        unreachable!("no generated code runs on this architecture")
    }
}

impl Before {
    /// Does what would have happened without the engine.
    fn handle(&self, signal: c_int, sent: bool, info: *mut libc::siginfo_t, context: *mut c_void) {
        let Before { action, spent } = self;
        let once = action.sa_flags & libc::SA_RESETHAND != 0;
        match action.sa_sigaction {
            // A fault cannot be ignored: the instruction would fault again for ever.
            libc::SIG_IGN if sent => {}
            libc::SIG_DFL | libc::SIG_IGN => die(signal, sent),
            _ if once && spent.swap(true, Ordering::Relaxed) => die(signal, sent),
            handler => {
                let blocked = self.block(signal);
                if action.sa_flags & libc::SA_SIGINFO != 0 {
                    // SAFETY: it was installed as a handler of this shape.
                    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                        unsafe { std::mem::transmute(handler) };
                    handler(signal, info, context);
                } else {
                    // SAFETY: it was installed as a handler of this shape.
                    let handler: extern "C" fn(c_int) = unsafe { std::mem::transmute(handler) };
                    handler(signal);
                }
                // SAFETY: the set is what was blocked before.
                unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &blocked, std::ptr::null_mut()) };
            }
        }
    }

    /// Blocks the signals that the handler wants to be blocked meanwhile; gives what was blocked before.
    fn block(&self, signal: c_int) -> libc::sigset_t {
        let mut mask = self.action.sa_mask;
        // SAFETY: both sets are valid, and changing this thread's mask is what a handler may do.
        unsafe {
            let mut old: libc::sigset_t = MaybeUninit::zeroed().assume_init();
            if self.action.sa_flags & libc::SA_NODEFER == 0 {
                libc::sigaddset(&mut mask, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &mask, &mut old);
            old
        }
    }
}

/// Lets the instruction fault again, this time with the default action, or takes the default action at once if
/// the signal was sent.
fn die(signal: c_int, sent: bool) {
    // SAFETY: all zeros is the default action; the signal is not blocked in our handler.
    unsafe {
        let action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        libc::sigaction(signal, &action, std::ptr::null_mut());
        if sent {
            libc::raise(signal);
        }
    }
}

/// What a thread's signal handlers run on, if it had to be provided.
struct AlternateStack {
    own: Option<Box<[u8]>>,
}

impl AlternateStack {
    const BYTES: usize = 64 << 10;

    fn new() -> AlternateStack {
        if AlternateStack::current().ss_flags & libc::SS_DISABLE == 0 {
            return AlternateStack { own: None };
        }
        let mut own = vec![0; AlternateStack::BYTES].into_boxed_slice();
        let stack = libc::stack_t { ss_sp: own.as_mut_ptr().cast(), ss_flags: 0, ss_size: own.len() };
        // SAFETY: the memory lives until the thread ends, when it is taken back below.
        let done = unsafe { libc::sigaltstack(&stack, std::ptr::null_mut()) };
        assert_eq!(done, 0, "a stack of this size is accepted");
        AlternateStack { own: Some(own) }
    }

    /// The one that this thread has now.
    fn current() -> libc::stack_t {
        // SAFETY: all zeros is a valid stack description, and asking changes nothing.
        unsafe {
            let mut stack: libc::stack_t = MaybeUninit::zeroed().assume_init();
            libc::sigaltstack(std::ptr::null(), &mut stack);
            stack
        }
    }
}

impl Drop for AlternateStack {
    fn drop(&mut self) {
        let Some(own) = &self.own else { return };
        // Another stack that was put in its place since then stays.
        if AlternateStack::current().ss_sp.cast_const() == own.as_ptr().cast() {
            let off = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
            // SAFETY: no handler runs on this thread now, so the stack is not in use.
            unsafe { libc::sigaltstack(&off, std::ptr::null_mut()) };
        }
    }
}
