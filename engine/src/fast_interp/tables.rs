//! Which handlers an opcode has: made once for the process, then looked up.

use super::dispatch::handler;
use super::handlers::access::{LoadForms, LoadFormsOf, StoreForms, StoreFormsOf};
use super::handlers::control::Select;
use super::handlers::numeric::{Forms, FormsOf, UnaryForms};
use super::handlers::{ACCUMULATOR, IMMEDIATE, SLOT};
use crate::numeric;
use crate::opcode::{Load, Numeric, Opcode, Store};
use std::sync::OnceLock;

/// Handlers by opcode.
pub(super) struct Tables {
    numeric: Vec<Forms>,
    loads: Vec<LoadForms>,
    stores: Vec<StoreForms>,
    /// By place of the condition, the left operand, the right operand.
    pub select: [[[u64; 2]; 2]; 2],
}

impl Tables {
    /// The process's tables.
    pub fn get() -> &'static Tables {
        static TABLES: OnceLock<Tables> = OnceLock::new();
        TABLES.get_or_init(|| {
            Tables::new(
                |opcode| numeric::visit(opcode, FormsOf),
                |opcode| numeric::visit_load(opcode, LoadFormsOf),
                |opcode| numeric::visit_store(opcode, StoreFormsOf),
            )
        })
    }

    /// Tables of handlers for wrong meanings: for the opcode of a drawn fault, and for no other.
    #[cfg(feature = "planted-faults")]
    fn wrong() -> &'static Tables {
        use crate::numeric::planted::Mutated;
        static TABLES: OnceLock<Tables> = OnceLock::new();
        TABLES.get_or_init(|| {
            Tables::new(
                |opcode| numeric::visit(opcode, Mutated(FormsOf)),
                |opcode| numeric::visit_load(opcode, Mutated(LoadFormsOf)),
                |opcode| numeric::visit_store(opcode, Mutated(StoreFormsOf)),
            )
        })
    }

    /// The tables to ask about an opcode.
    #[inline]
    fn about(&self, opcode: impl Into<Opcode>) -> &Tables {
        #[cfg(feature = "planted-faults")]
        {
            let drawn = crate::faults::drawn_in(crate::faults::Room::FastInterp);
            if drawn.is_some_and(|drawn| drawn.opcode == opcode.into()) {
                return Tables::wrong();
            }
        }
        #[cfg(not(feature = "planted-faults"))]
        let _ = opcode;
        self
    }

    fn new(
        forms: impl Fn(Numeric) -> Forms,
        load_forms: impl Fn(Load) -> LoadForms,
        store_forms: impl Fn(Store) -> StoreForms,
    ) -> Tables {
        Tables {
            numeric: Numeric::ALL.iter().map(|opcode| forms(*opcode)).collect(),
            loads: Load::ALL.iter().map(|opcode| load_forms(*opcode)).collect(),
            stores: Store::ALL.iter().map(|opcode| store_forms(*opcode)).collect(),
            select: [
                [
                    [handler::<Select<SLOT, SLOT, SLOT>>(), handler::<Select<SLOT, SLOT, IMMEDIATE>>()],
                    [
                        handler::<Select<SLOT, IMMEDIATE, SLOT>>(),
                        handler::<Select<SLOT, IMMEDIATE, IMMEDIATE>>(),
                    ],
                ],
                [
                    [
                        handler::<Select<ACCUMULATOR, SLOT, SLOT>>(),
                        handler::<Select<ACCUMULATOR, SLOT, IMMEDIATE>>(),
                    ],
                    [
                        handler::<Select<ACCUMULATOR, IMMEDIATE, SLOT>>(),
                        handler::<Select<ACCUMULATOR, IMMEDIATE, IMMEDIATE>>(),
                    ],
                ],
            ],
        }
    }

    /// Handlers of a numeric opcode.
    #[inline]
    pub fn numeric(&self, opcode: Numeric) -> &Forms {
        &self.about(opcode).numeric[opcode as usize]
    }

    /// Handlers of a load.
    #[inline]
    pub fn load(&self, opcode: Load) -> &LoadForms {
        &self.about(opcode).loads[opcode as usize]
    }

    /// Handlers of a store.
    #[inline]
    pub fn store(&self, opcode: Store) -> &StoreForms {
        &self.about(opcode).stores[opcode as usize]
    }

    /// Handlers of the test whether an `i32` is zero.
    #[inline]
    pub fn i32_is_zero(&self) -> &UnaryForms {
        self.unary(Numeric::I32Eqz)
    }

    /// Handlers of the test whether an `i64`, or a reference as it lies in a slot, is zero.
    #[inline]
    pub fn slot_is_zero(&self) -> &UnaryForms {
        self.unary(Numeric::I64Eqz)
    }

    fn unary(&self, opcode: Numeric) -> &UnaryForms {
        match self.numeric(opcode) {
            Forms::Unary(forms) => forms,
            Forms::Binary(_) => unreachable!("tests for zero have one operand"),
        }
    }
}
