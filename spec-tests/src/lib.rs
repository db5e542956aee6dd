//! Access to the official suite.
