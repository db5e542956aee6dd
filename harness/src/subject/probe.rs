//! What an outside engine can do, found out by asking it: releases and builds of one engine differ, and few of them say.

pub mod features;
