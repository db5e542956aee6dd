//! What rows a function must have, derived from its body alone.
//!
//! Code of one pass is in the order of the module's instructions: calls, accesses of memory and tail calls as
//! they come, then the pieces that run rarely, again as they come. So each row has one right place, and the
//! ledger knows it: a row that names another instruction, or another trap, or stands elsewhere, is found.

use super::super::context::VmContext;
use super::super::x64::decode::Pointer;
use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, FuncIndex, ModuleInner};
use crate::opcode::reader::Reader;
use crate::opcode::{Boundary, Const, Control, Memory, Numeric, NumericKind, Opcode, Reference, Table};
use crate::store::FuncLink;
use crate::trap::TrapKind;
use std::collections::VecDeque;
use std::mem::offset_of;

/// What a call, jump or access in a function's code is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// A direct call of a function, or a call through its entry where functions are compiled lazily.
    Call(DefinedFuncIndex),
    TailCall(DefinedFuncIndex),
    /// A call through the link of a function.
    CallLink,
    TailCallLink,
    /// A call that may leave the instance.
    CallOther,
    TailCallOther,
    Helper,
    Subtype,
    Trap(TrapKind),
}

fn not_compiled(opcode: Opcode) -> ! {
    unreachable!("modules that contain {opcode} are refused before they are compiled")
}

/// Something a function must have: an access of memory may be guarded or compared, and a division by a known
/// number may have no trap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Due {
    Is(Role),
    Access,
    Perhaps(TrapKind),
}

/// Of one function.
#[derive(Default)]
pub(super) struct Ledger {
    /// What comes in the order of instructions, each with its file offset.
    main: VecDeque<(u32, Due)>,
    /// What comes after all of that.
    rare: VecDeque<(u32, Due)>,
    /// Accesses that did not turn out to be guarded.
    compared: VecDeque<u32>,
    /// Lengths of jump tables.
    tables: VecDeque<u32>,
    /// Whether what runs rarely has begun.
    is_rare: bool,
    /// Where the instruction is whose code was last looked at, or looked for.
    at: u32,
}

impl Ledger {
    /// Opens it for a function.
    pub fn open(&mut self, module: &ModuleInner, settings: &Settings, func: DefinedFuncIndex) {
        self.main.clear();
        self.rare.clear();
        self.compared.clear();
        self.tables.clear();
        self.is_rare = false;
        let body = module.body(func);
        self.at = body.code.start;
        self.trap(body.code.start, TrapKind::CallStackExhausted);
        let code = &module.bytes[body.code.start as usize..body.code.end as usize];
        let mut reader = Reader::new(code, body.code.start);
        let mut segments = body.fuel.iter().filter(|_| settings.fuel).peekable();
        let mut constant = None;
        while !reader.is_done() {
            let (at, opcode) = reader.opcode();
            if segments.next_if(|segment| segment.offset == at).is_some() {
                self.trap(at, TrapKind::OutOfFuel);
            }
            let mut immediates = reader;
            self.opcode(module, at, opcode, &mut immediates, constant);
            constant = match opcode {
                Opcode::Const(Const::I32Const) => Some(i64::from(reader.i32())),
                Opcode::Const(Const::I64Const) => Some(reader.i64()),
                _ => {
                    reader.skip_immediates(opcode);
                    None
                }
            };
            if opcode.structure().boundary == Boundary::Last {
                reader.skip_unreachable();
            }
        }
    }

    fn trap(&mut self, at: u32, kind: TrapKind) {
        self.rare.push_back((at, Due::Is(Role::Trap(kind))));
    }

    fn main(&mut self, at: u32, role: Role) {
        self.main.push_back((at, Due::Is(role)));
    }

    fn rare(&mut self, at: u32, role: Role) {
        self.rare.push_back((at, Due::Is(role)));
    }

    /// Enters what is due of an opcode; `constant` is what the one before put on the stack, if it did.
    fn opcode(
        &mut self,
        module: &ModuleInner,
        at: u32,
        opcode: Opcode,
        immediates: &mut Reader,
        constant: Option<i64>,
    ) {
        match opcode {
            Opcode::Control(control) => self.control(module, at, control, immediates),
            Opcode::Load(_) | Opcode::Store(_) => {
                self.main.push_back((at, Due::Access));
                self.rare.push_back((at, Due::Access));
            }
            Opcode::Table(Table::TableGet | Table::TableSet) => self.trap(at, TrapKind::TableOutOfBounds),
            Opcode::Table(Table::TableSize) | Opcode::Memory(Memory::MemorySize) => {}
            Opcode::Table(
                Table::TableInit | Table::ElemDrop | Table::TableCopy | Table::TableGrow | Table::TableFill,
            )
            | Opcode::Memory(
                Memory::MemoryGrow
                | Memory::MemoryInit
                | Memory::DataDrop
                | Memory::MemoryCopy
                | Memory::MemoryFill,
            ) => self.main(at, Role::Helper),
            Opcode::Numeric(numeric) => self.numeric(at, numeric, constant),
            Opcode::Reference(reference) => match reference {
                Reference::RefAsNonNull => self.trap(at, TrapKind::NullReference),
                Reference::RefNull | Reference::RefIsNull | Reference::RefFunc => {}
                Reference::RefEq => not_compiled(opcode),
            },
            Opcode::Parametric(_) | Opcode::Variable(_) | Opcode::Const(_) | Opcode::Wide(_) => {}
            Opcode::Gc(_) | Opcode::Vector(_) | Opcode::VectorMemory(_) | Opcode::Atomic(_) => {
                not_compiled(opcode)
            }
        }
    }

    fn control(&mut self, module: &ModuleInner, at: u32, control: Control, immediates: &mut Reader) {
        match control {
            Control::Unreachable => self.trap(at, TrapKind::Unreachable),
            Control::Call => match module.defined(FuncIndex(immediates.u32())) {
                Some(func) => self.main(at, Role::Call(func)),
                None => self.main(at, Role::CallOther),
            },
            Control::ReturnCall => match module.defined(FuncIndex(immediates.u32())) {
                Some(func) => self.main(at, Role::TailCall(func)),
                None => self.main(at, Role::TailCallOther),
            },
            Control::CallIndirect | Control::ReturnCallIndirect => {
                self.trap(at, TrapKind::UndefinedElement);
                self.trap(at, TrapKind::UninitializedElement);
                self.rare(at, Role::Subtype);
                self.link(at, control == Control::CallIndirect);
            }
            Control::CallRef | Control::ReturnCallRef => {
                self.trap(at, TrapKind::NullFunctionReference);
                self.link(at, control == Control::CallRef);
            }
            Control::BrTable => {
                let targets = immediates.labels().len() as u32 - 1;
                if targets > 0 {
                    self.tables.push_back(targets);
                }
            }
            // Their code stays in the function and cannot trap.
            Control::Nop
            | Control::Block
            | Control::Loop
            | Control::If
            | Control::Else
            | Control::End
            | Control::Br
            | Control::BrIf
            | Control::BrOnNull
            | Control::BrOnNonNull
            | Control::Return => {}
            Control::Throw
            | Control::ThrowRef
            | Control::TryTable
            | Control::BrOnCast
            | Control::BrOnCastFail => not_compiled(control.into()),
        }
    }

    fn link(&mut self, at: u32, comes_back: bool) {
        let (main, rare) = match comes_back {
            true => (Role::CallLink, Role::CallOther),
            false => (Role::TailCallLink, Role::TailCallOther),
        };
        self.main(at, main);
        self.rare(at, rare);
    }

    fn numeric(&mut self, at: u32, numeric: Numeric, constant: Option<i64>) {
        let mut division = |kind, divisor| match constant {
            None => self.rare.push_back((at, Due::Perhaps(kind))),
            Some(constant) if constant == divisor => self.trap(at, kind),
            Some(_) => {}
        };
        match numeric.kind() {
            NumericKind::Division => {
                division(TrapKind::IntegerDivideByZero, 0);
                if matches!(numeric, Numeric::I32DivS | Numeric::I64DivS) {
                    division(TrapKind::IntegerOverflow, -1);
                }
            }
            NumericKind::Remainder => division(TrapKind::IntegerDivideByZero, 0),
            NumericKind::Truncation => {
                self.trap(at, TrapKind::InvalidConversionToInteger);
                self.trap(at, TrapKind::IntegerOverflow);
            }
            NumericKind::Test
            | NumericKind::Comparison
            | NumericKind::BitCount
            | NumericKind::Arithmetic
            | NumericKind::Bitwise
            | NumericKind::Shift
            | NumericKind::Sign
            | NumericKind::Rounding
            | NumericKind::SignExtension
            | NumericKind::Resize
            | NumericKind::Saturation
            | NumericKind::Conversion
            | NumericKind::Precision
            | NumericKind::Reinterpretation => {}
        }
    }

    /// The file offset of the instruction whose code was last looked at, or looked for.
    pub fn place(&self) -> u32 {
        self.at
    }

    /// Looks at the code of an instruction that stands elsewhere.
    pub fn look_at(&mut self, place: u32) {
        self.at = place;
    }

    /// Crosses off a call or jump that the code has; `wasm` is the file offset that its row gives it.
    pub fn has(&mut self, role: Role, wasm: Option<u32>) -> Result<(), String> {
        if !self.is_rare && matches!(role, Role::Trap(_)) {
            self.begin_rare()?;
        }
        let fits = |at: u32| wasm.is_none_or(|wasm| wasm == at);
        if !self.is_rare {
            while let Some((at, due)) = self.main.pop_front() {
                self.at = at;
                match due {
                    Due::Access => self.compared.push_back(at),
                    Due::Is(is) if is == role && fits(at) => return Ok(()),
                    Due::Is(_) | Due::Perhaps(_) => return Err(unexpected(role, wasm, at, due)),
                }
            }
            return Err(format!(
                "code and body differ (no instruction of the body accounts for {role:?} of {wasm:x?})"
            ));
        }
        while let Some((at, due)) = self.rare.pop_front() {
            self.at = at;
            match due {
                Due::Access if self.compared.front() == Some(&at) => {
                    self.compared.pop_front();
                    if role == Role::Trap(TrapKind::MemoryOutOfBounds) && fits(at) {
                        return Ok(());
                    }
                    return Err(unexpected(role, wasm, at, due));
                }
                Due::Access => {}
                Due::Is(is) if is == role && fits(at) => return Ok(()),
                Due::Is(_) => return Err(unexpected(role, wasm, at, due)),
                Due::Perhaps(kind) if role == Role::Trap(kind) && fits(at) => return Ok(()),
                Due::Perhaps(_) => {}
            }
        }
        Err(format!("code and body differ (no instruction of the body accounts for {role:?} of {wasm:x?})"))
    }

    /// Crosses off a guarded access.
    pub fn has_fault(&mut self, wasm: u32) -> Result<(), String> {
        while let Some((at, due)) = self.main.pop_front() {
            self.at = at;
            match due {
                Due::Access if at == wasm => return Ok(()),
                Due::Access => self.compared.push_back(at),
                Due::Is(_) | Due::Perhaps(_) => {
                    return Err(format!(
                        "code and body differ (an access of {wasm:#x} where {due:?} of {at:#x} is due)"
                    ));
                }
            }
        }
        Err(format!("code and body differ (no instruction of the body accounts for an access of {wasm:#x})"))
    }

    /// Crosses off a jump table of so many entries.
    pub fn has_table(&mut self, entries: u32) -> Result<(), String> {
        match self.tables.pop_front() {
            Some(due) if due == entries => Ok(()),
            due => Err(format!("a jump table has {entries} entries, not {due:?}")),
        }
    }

    fn begin_rare(&mut self) -> Result<(), String> {
        self.is_rare = true;
        while let Some((at, due)) = self.main.pop_front() {
            self.at = at;
            match due {
                Due::Access => self.compared.push_back(at),
                Due::Is(_) | Due::Perhaps(_) => {
                    return Err(format!("code and body differ ({due:?} of {at:#x} has no code)"));
                }
            }
        }
        Ok(())
    }

    /// Whether everything was crossed off.
    pub fn close(&mut self) -> Result<(), String> {
        let is_left = |(at, due): &&(u32, Due)| match due {
            Due::Is(_) => true,
            Due::Access => self.compared.contains(at),
            Due::Perhaps(_) => false,
        };
        if let Some((at, due)) = self.rare.iter().find(is_left) {
            self.at = *at;
            return Err(format!("code and body differ ({due:?} of {at:#x} has no code)"));
        }
        if !self.is_rare || !self.tables.is_empty() {
            return Err("code ends too early".to_string());
        }
        Ok(())
    }

    /// What a call through memory is; a row with a trap makes it one.
    pub fn call_through(&self, pointer: Pointer, trap: Option<TrapKind>, lazy: bool) -> Result<Role, String> {
        let role = match pointer {
            Pointer::Context(at) => match at as usize {
                TRAP => trap.map(Role::Trap),
                HELPER => Some(Role::Helper),
                CALL_OTHER => Some(Role::CallOther),
                CHECK_SUBTYPE => Some(Role::Subtype),
                _ => None,
            },
            Pointer::Scratch(at) => match self.next_in_main() {
                Some(Role::Call(func)) if lazy && at == 8 * func.0 as i32 => Some(Role::Call(func)),
                _ => (at == ENTRY).then_some(Role::CallLink),
            },
            Pointer::Elsewhere => None,
        };
        let role = role.ok_or_else(|| format!("a call through {pointer:?}"))?;
        if trap.is_some() && !matches!(role, Role::Trap(_)) {
            return Err(format!("{role:?} is no trap"));
        }
        Ok(role)
    }

    /// What a jump through memory is.
    pub fn jump_through(&self, pointer: Pointer, lazy: bool) -> Result<Role, String> {
        let role = match pointer {
            Pointer::Context(at) => (at as usize == TAIL_OTHER).then_some(Role::TailCallOther),
            Pointer::Scratch(at) => match self.next_in_main() {
                Some(Role::TailCall(func)) if lazy && at == 8 * func.0 as i32 => Some(Role::TailCall(func)),
                _ => (at == ENTRY).then_some(Role::TailCallLink),
            },
            Pointer::Elsewhere => None,
        };
        role.ok_or_else(|| format!("a jump through {pointer:?}"))
    }

    /// The next call that is due, accesses aside.
    fn next_in_main(&self) -> Option<Role> {
        self.main.iter().find_map(|(_, due)| match due {
            Due::Is(role) => Some(*role),
            Due::Access | Due::Perhaps(_) => None,
        })
    }
}

const TRAP: usize = offset_of!(VmContext, trap);
const HELPER: usize = offset_of!(VmContext, helper);
const CALL_OTHER: usize = offset_of!(VmContext, call_other);
const TAIL_OTHER: usize = offset_of!(VmContext, tail_other);
const CHECK_SUBTYPE: usize = offset_of!(VmContext, check_subtype);
/// Where a link has the address to call.
const ENTRY: i32 = offset_of!(FuncLink, entry) as i32;

fn unexpected(role: Role, wasm: Option<u32>, at: u32, due: Due) -> String {
    format!("code and body differ ({role:?} of {wasm:x?} where {due:?} of {at:#x} is due)")
}
