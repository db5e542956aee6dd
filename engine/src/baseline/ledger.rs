//! What rows a function must have, derived from its body alone.
//!
//! Code of one pass is in the order of the module's instructions: calls, accesses of memory and tail calls as
//! they come, then the pieces that run rarely, again as they come. So each row has one right place, and the
//! ledger knows it: a row that names another instruction, or another trap, or stands elsewhere, is found.

use crate::limits::Settings;
use crate::module::{DefinedFuncIndex, FuncIndex, ModuleInner};
use crate::native::verify::ledger::{Ledger, Role};
use crate::opcode::reader::Reader;
use crate::opcode::{Boundary, Const, Control, Memory, Numeric, NumericKind, Opcode, Reference, Table};
use crate::trap::TrapKind;
use std::collections::VecDeque;

/// Something a function must have: an access of memory may be guarded or compared, and a division by a known
/// number may have no trap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Due {
    Is(Role),
    Access,
    Perhaps(TrapKind),
}

/// The account of one function.
#[derive(Default)]
pub(super) struct SinglePass {
    /// What comes in the order of instructions, each with its file offset.
    main: VecDeque<(u32, Due)>,
    /// What comes after.
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

impl Ledger for SinglePass {
    fn open(&mut self, module: &ModuleInner, settings: &Settings, func: DefinedFuncIndex) {
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

    fn place(&self) -> Option<u32> {
        Some(self.at)
    }

    fn look_at(&mut self, place: u32) {
        self.at = place;
    }

    fn expects(&self, role: Role) -> bool {
        let next = self.main.iter().find_map(|(_, due)| match due {
            Due::Is(role) => Some(*role),
            Due::Access | Due::Perhaps(_) => None,
        });
        next == Some(role)
    }

    fn has(&mut self, role: Role, wasm: Option<u32>) -> Result<(), String> {
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
            return Err(format!("code and body differ ({role:?} of {wasm:x?} is of no instruction)"));
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
        Err(format!("code and body differ ({role:?} of {wasm:x?} is of no instruction)"))
    }

    fn has_fault(&mut self, wasm: u32) -> Result<(), String> {
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
        Err(format!("code and body differ (an access of {wasm:#x} is of no instruction)"))
    }

    fn has_table(&mut self, entries: u32) -> Result<(), String> {
        match self.tables.pop_front() {
            Some(due) if due == entries => Ok(()),
            due => Err(format!("a jump table has {entries} entries, not {due:?}")),
        }
    }

    fn close(&mut self) -> Result<(), String> {
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
}

impl SinglePass {
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
            Opcode::Table(table) => match table {
                Table::TableGet | Table::TableSet => self.trap(at, TrapKind::TableOutOfBounds),
                Table::TableSize => {}
                Table::TableInit
                | Table::ElemDrop
                | Table::TableCopy
                | Table::TableGrow
                | Table::TableFill => self.main(at, Role::Helper),
            },
            Opcode::Memory(memory) => match memory {
                Memory::MemorySize => {}
                Memory::MemoryGrow
                | Memory::MemoryInit
                | Memory::DataDrop
                | Memory::MemoryCopy
                | Memory::MemoryFill => self.main(at, Role::Helper),
            },
            Opcode::Numeric(numeric) => self.numeric(at, numeric, constant),
            Opcode::Reference(reference) => match reference {
                Reference::RefAsNonNull => self.trap(at, TrapKind::NullReference),
                Reference::RefNull | Reference::RefIsNull | Reference::RefFunc => {}
                Reference::RefEq => refused(),
            },
            Opcode::Parametric(_) | Opcode::Variable(_) | Opcode::Const(_) | Opcode::Wide(_) => {}
            Opcode::Gc(_) | Opcode::Vector(_) | Opcode::VectorMemory(_) | Opcode::Atomic(_) => refused(),
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
            Control::Nop
            | Control::Block
            | Control::Loop
            | Control::If
            | Control::Else
            | Control::End
            | Control::Br
            | Control::BrIf
            | Control::Return
            | Control::BrOnNull
            | Control::BrOnNonNull => {}
            Control::TryTable
            | Control::Throw
            | Control::ThrowRef
            | Control::BrOnCast
            | Control::BrOnCastFail => refused(),
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
}

fn unexpected(role: Role, wasm: Option<u32>, at: u32, due: Due) -> String {
    format!("code and body differ ({role:?} of {wasm:x?} where {due:?} of {at:#x} is due)")
}

fn refused() -> ! {
    unreachable!("modules with opcodes that the mode does not execute are refused")
}
