//! What is known about places in code besides their row: inlined calls, exception handlers, references in frames.
//!
//! Most places have none of these, and code of one pass has none at all, so they stand in tables of their own, which
//! are searched by place. A search neither locks nor allocates, so that a signal handler may ask.

use crate::module::DefinedFuncIndex;

/// A place in code at which others look at its frame. The return address of one call may be the offset of an access
/// that faults, so an offset alone does not name a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Point {
    /// Offset in the unit.
    pub code: u32,
    pub kind: PointKind,
}

/// How code comes to be looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum PointKind {
    /// It has called, and the offset is the return address.
    Return,
    /// The instruction at the offset has faulted.
    Fault,
}

impl Point {
    pub fn of_return(code: u32) -> Point {
        Point { code, kind: PointKind::Return }
    }

    pub fn of_fault(code: u32) -> Point {
        Point { code, kind: PointKind::Fault }
    }
}

/// Rows by place: any number for each, in an order that means something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SideTable<T> {
    /// Ascending by place.
    pub rows: Vec<(Point, T)>,
}

impl<T> Default for SideTable<T> {
    fn default() -> SideTable<T> {
        SideTable { rows: Vec::new() }
    }
}

impl<T> SideTable<T> {
    /// The rows of a place, in their order.
    pub fn at(&self, point: Point) -> &[(Point, T)] {
        let from = &self.rows[self.rows.partition_point(|(at, _)| *at < point)..];
        &from[..from.partition_point(|(at, _)| *at == point)]
    }
}

/// A function whose body was put in place of a call of it. The rows of a place are those of the functions that the
/// place is in, innermost first; the function that was compiled is around them all and has no row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Inlined {
    pub func: DefinedFuncIndex,
    /// File offset of the call that it replaces, which is an instruction of the next function outwards.
    pub call: u32,
}

/// Where an exception goes that leaves a call. The rows of a place are tried in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Handler {
    /// Index of the tag that it catches; all exceptions if there is none.
    pub tag: Option<u32>,
    /// Offset in the unit at which code goes on.
    pub code: u32,
}

/// A reference that is still needed and lies in the frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Root {
    /// Slot of the frame, from its lowest address.
    pub slot: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(Point, char)]) -> SideTable<char> {
        SideTable { rows: rows.to_vec() }
    }

    fn found(table: &SideTable<char>, point: Point) -> String {
        table.at(point).iter().map(|(_, row)| *row).collect()
    }

    #[test]
    fn a_place_has_all_its_rows_in_their_order() {
        let (one, other) = (Point::of_return(8), Point::of_return(16));
        let table = table(&[(one, 'b'), (one, 'a'), (other, 'c')]);
        assert_eq!(found(&table, one), "ba");
        assert_eq!(found(&table, other), "c");
    }

    #[test]
    fn a_place_without_rows_has_none() {
        let table = table(&[(Point::of_return(8), 'a'), (Point::of_return(16), 'b')]);
        for code in [0, 7, 9, 17, u32::MAX] {
            assert_eq!(found(&table, Point::of_return(code)), "");
        }
        assert_eq!(found(&SideTable::default(), Point::of_fault(8)), "");
    }

    #[test]
    fn a_return_address_and_a_fault_at_one_offset_are_different_places() {
        let table = table(&[(Point::of_return(8), 'r'), (Point::of_fault(8), 'f')]);
        assert_eq!(found(&table, Point::of_return(8)), "r");
        assert_eq!(found(&table, Point::of_fault(8)), "f");
    }
}
