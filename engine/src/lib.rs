//! Scaffold: filled in by the following commits.
#![allow(missing_docs)]
