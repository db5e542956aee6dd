//! From a module in a script to a decoded one, or the reason why there is none. Done once for all lanes.

use super::expect::is_component;
use crate::guard::guarded;
use crosscheck_engine::{DecodedModule, Engine, Error, Module};
use std::sync::Arc;
use wasmparser::{Validator, WasmFeatures};
use wast::QuoteWat;

/// What became of a module in a script.
pub(super) enum Built {
    Module(DecodedModule),
    /// Text or bytes are not a valid module.
    Refused(Refusal),
    /// Nothing here can say whether it is valid: the reason.
    Skipped(String),
    /// The decoder panicked.
    Panicked(String),
}

/// Why a module was refused.
pub(super) struct Refusal {
    pub message: String,
    pub needs: Option<Proposal>,
}

/// A proposal that the engine's decoder does not know, and that would make a refused module valid or
/// at least known.
pub(super) struct Proposal {
    name: String,
    /// Whether the refusal leaves open what a script says of the module: the suite has scripts for the
    /// proposal, and the module was refused for using it at all. (The opcodes of proposals without
    /// scripts are what scripts mean by an illegal opcode.)
    pub hides_the_rule: bool,
}

/// Encodes, decodes and validates a module.
pub(super) fn build(engine: &Engine, module: &mut QuoteWat<'_>) -> Built {
    if is_component(module) {
        return Built::Skipped("components are not run (component-model)".to_string());
    }
    match guarded(|| module.encode()) {
        Ok(Ok(bytes)) => decode(engine, bytes.into()),
        Ok(Err(error)) => Built::Refused(Refusal { message: error.message(), needs: None }),
        Err(panic) => Built::Panicked(panic),
    }
}

fn decode(engine: &Engine, bytes: Arc<[u8]>) -> Built {
    match guarded(|| Module::decode(engine, bytes.clone())) {
        Ok(Ok(module)) => Built::Module(module),
        Ok(Err(Error::Unsupported(reason))) => Built::Skipped(reason),
        Ok(Err(error)) => {
            Built::Refused(Refusal { message: error.to_string(), needs: missing_proposal(&bytes) })
        }
        Err(panic) => Built::Panicked(panic),
    }
}

/// Asks wasmparser's validator, which names the proposal that would allow what it refuses. Where only
/// a rule is relaxed by a proposal it does not say so, but accepts the module once it knows it.
fn missing_proposal(bytes: &[u8]) -> Option<Proposal> {
    let known = Module::FEATURES;
    let with_scripts = WasmFeatures::CUSTOM_DESCRIPTORS;
    let validate = |features| Validator::new_with_features(features).validate_all(bytes);
    let (missing, hides_the_rule) = match validate(known).err()?.missing_wasm_feature() {
        Some(missing) => (missing, missing == with_scripts),
        None => validate(known.union(with_scripts)).is_ok().then_some((with_scripts, false))?,
    };
    let (name, _) = missing.iter_names().next()?;
    Some(Proposal { name: name.to_lowercase().replace('_', "-"), hides_the_rule })
}

impl Proposal {
    /// Why what needs it is skipped.
    pub fn reason(&self) -> String {
        format!("no mode executes modules of {} yet", self.name)
    }
}
