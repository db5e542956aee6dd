//! From a module in a script to a decoded one, or the reason why there is none. Done once for all lanes.
//!
//! A refusal says something about a module only if the decoder knows everything that the module uses. So each is looked
//! into: wasmparser's validator knows more proposals than any mode executes, and a module that it refuses otherwise, or
//! not at all, with all of them on was refused for what is not executed. The same goes for limits that are not the
//! specification's.

use super::expect::is_component;
use super::read::{not_executed, unknown_proposal};
use crate::guard::guarded;
use crosscheck_engine::{DecodedModule, Engine, Error, Module};
use std::sync::Arc;
use wasmparser::{BinaryReaderError, Parser, Payload, Validator, WasmFeatures};
use wast::lexer::{Lexer, TokenKind};
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, QuoteWatTest, Wat};

/// What became of a module in a script.
pub(super) enum Built {
    Module(DecodedModule),
    /// Text or bytes are not a valid module: why.
    Refused(String),
    /// Nothing here can say whether it is valid: the reason.
    Skipped(String),
    /// The decoder panicked.
    Panicked(String),
}

/// What became of a module that must be refused.
pub(super) enum Refusal {
    /// It was refused for what it is.
    Refused,
    Accepted,
    /// Whether it must be refused cannot be said here: the reason.
    Skipped(String),
    /// The decoder panicked.
    Panicked(String),
}

/// By what a script wants modules to be judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Edition {
    /// By a standard or a proposal that the decoder knows: the group of the suite says so. What a later proposal allows
    /// is as illegal there as anything else.
    Known,
    /// Nothing is known of the script, which may use any proposal.
    Open,
}

impl Edition {
    /// The edition of the scripts of a group.
    pub fn of(group: &str) -> Edition {
        // That proposal's scripts are part of the suite; what they use is not executed.
        const NOT_EXECUTED: &str = "custom-descriptors";
        let is_suite = group.parse::<crosscheck_spec_tests::Group>().is_ok();
        match is_suite && group != crosscheck_spec_tests::OWN && group != NOT_EXECUTED {
            true => Edition::Known,
            false => Edition::Open,
        }
    }
}

/// Encodes, decodes and validates a module that is to run.
pub(super) fn build(engine: &Engine, module: &mut QuoteWat<'_>) -> Built {
    match encode(module) {
        Ok(bytes) => decode(engine, bytes.into()),
        Err(built) => built,
    }
}

/// Encodes a module; what became of it if it has no binary form.
pub(super) fn encode(module: &mut QuoteWat<'_>) -> Result<Vec<u8>, Built> {
    if is_component(module) {
        return Err(Built::Skipped("components are not run (component-model)".to_string()));
    }
    match guarded(|| module.encode()) {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(match quoted(module).as_deref().and_then(unknown_proposal) {
            Some(proposal) => Built::Skipped(not_executed(proposal)),
            None => Built::Refused(error.message()),
        }),
        Err(panic) => Err(Built::Panicked(panic)),
    }
}

/// Decodes a module that is to run.
pub(super) fn decode(engine: &Engine, bytes: Arc<[u8]>) -> Built {
    match guarded(|| Module::decode(engine, bytes.clone())) {
        Ok(Ok(module)) => Built::Module(module),
        Ok(Err(Error::Unsupported(reason))) => Built::Skipped(reason),
        // It is to run, so whatever would make it valid is what is missing.
        Ok(Err(error)) => match doubt(&bytes, Edition::Open) {
            Some(reason) => Built::Skipped(reason),
            None => Built::Refused(error.to_string()),
        },
        Err(panic) => Built::Panicked(panic),
    }
}

/// Whether a module is refused, by the edition that its script is of.
pub(super) fn refusal(engine: &Engine, module: &mut QuoteWat<'_>, edition: Edition) -> Refusal {
    let bytes: Arc<[u8]> = match encode(module) {
        Ok(bytes) => bytes.into(),
        Err(Built::Skipped(reason)) => return Refusal::Skipped(reason),
        Err(Built::Panicked(panic)) => return Refusal::Panicked(panic),
        Err(Built::Refused(_) | Built::Module(_)) => return Refusal::Refused,
    };
    match guarded(|| Module::decode(engine, bytes.clone())) {
        Ok(Ok(_)) => Refusal::Accepted,
        Ok(Err(Error::Unsupported(reason))) => Refusal::Skipped(reason),
        Ok(Err(_)) => doubt(&bytes, edition).map_or(Refusal::Refused, Refusal::Skipped),
        Err(panic) => Refusal::Panicked(panic),
    }
}

/// Whether a module is refused because of its custom sections. Few of them are looked at, so an acceptance says
/// nothing if there are any, and a refusal only if the module is valid without its annotations.
pub(super) fn custom_refusal(engine: &Engine, module: &mut QuoteWat<'_>, edition: Edition) -> Refusal {
    let text = quoted(module);
    match refusal(engine, module, edition) {
        Refusal::Refused => match text.as_deref().and_then(without_annotations) {
            Some(rest) if text_is_valid(engine, &rest) => Refusal::Refused,
            Some(_) | None => Refusal::Skipped(
                "the module is refused, and not for an annotation alone (custom sections)".to_string(),
            ),
        },
        Refusal::Accepted if encode(module).is_ok_and(|bytes| has_custom_sections(&bytes)) => {
            Refusal::Skipped("what these annotations say is not checked (custom sections)".to_string())
        }
        other => other,
    }
}

/// The text of a quoted module.
fn quoted(module: &mut QuoteWat<'_>) -> Option<String> {
    let QuoteWat::QuoteModule(..) = module else { return None };
    match module.to_test() {
        Ok(QuoteWatTest::Text(text)) => String::from_utf8(text).ok(),
        Ok(QuoteWatTest::Binary(_)) | Err(_) => None,
    }
}

/// A text with its annotations taken out; none if it has none.
fn without_annotations(text: &str) -> Option<String> {
    let lexer = Lexer::new(text);
    let (mut rest, mut depth, mut opened, mut found) = (String::new(), 0_u32, None, false);
    for token in lexer.iter(0).map_while(Result::ok) {
        match token.kind {
            TokenKind::LParen if depth > 0 => depth += 1,
            TokenKind::LParen => {
                rest.extend(opened.replace(token.src(text)));
                continue;
            }
            TokenKind::Annotation if depth == 0 && opened.take().is_some() => (depth, found) = (1, true),
            TokenKind::RParen if depth > 0 => {
                depth -= 1;
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            rest.extend(opened.take());
            rest.push_str(token.src(text));
        }
    }
    rest.extend(opened);
    found.then_some(rest)
}

fn text_is_valid(engine: &Engine, text: &str) -> bool {
    if text.trim().is_empty() {
        return true;
    }
    let encoded = guarded(|| {
        let buffer = ParseBuffer::new(text).ok()?;
        parser::parse::<Wat<'_>>(&buffer).ok()?.encode().ok()
    });
    encoded.ok().flatten().is_some_and(|bytes| matches!(decode(engine, bytes.into()), Built::Module(_)))
}

fn has_custom_sections(bytes: &[u8]) -> bool {
    let mut payloads = Parser::new(0).parse_all(bytes).map_while(Result::ok);
    payloads.any(|payload| matches!(payload, Payload::CustomSection(_)))
}

/// Why the refusal of a module says nothing about it; none if it does.
fn doubt(bytes: &[u8], edition: Edition) -> Option<String> {
    let known = Module::FEATURES;
    let error = validate(bytes, known).err()?;
    if is_limit(&error) {
        return Some(format!("limit: {}", error.message()));
    }
    let missing = error.missing_wasm_feature();
    if edition == Edition::Known {
        return None;
    }
    if let Some(missing) = missing {
        return Some(not_executed(&name_of(missing)));
    }
    // Where a proposal relaxes a rule, the validator does not say so, but says something else once it knows it.
    if is_refused_alike(bytes, WasmFeatures::all(), &error) {
        return None;
    }
    let mut others = WasmFeatures::all().difference(known).iter();
    let relaxes = others.find(|feature| !is_refused_alike(bytes, known.union(*feature), &error));
    Some(not_executed(&relaxes.map_or("a later proposal".to_string(), name_of)))
}

fn validate(bytes: &[u8], features: WasmFeatures) -> Result<(), BinaryReaderError> {
    Validator::new_with_features(features).validate_all(bytes).map(drop)
}

/// Whether a module is refused for the same reason by who knows these features.
fn is_refused_alike(bytes: &[u8], features: WasmFeatures, error: &BinaryReaderError) -> bool {
    validate(bytes, features)
        .is_err_and(|other| (other.offset(), other.message()) == (error.offset(), error.message()))
}

/// Whether a module is refused for a size that the specification allows: wasmparser's words for its own limits
/// (specification, appendix "Implementation Limitations").
fn is_limit(error: &BinaryReaderError) -> bool {
    let message = error.message();
    message.contains("exceeds limit of") || message.starts_with("implementation limit")
}

fn name_of(feature: WasmFeatures) -> String {
    let name = feature.iter_names().next().map_or("unknown", |(name, _)| name);
    name.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_taken_out_of_a_text_and_nothing_else() {
        let without = |text| without_annotations(text);
        assert_eq!(without("(module (func))"), None);
        assert_eq!(without("(module (@a (b \")\") c) (func))").as_deref(), Some("(module  (func))"));
        assert_eq!(without("((@a) (").as_deref(), Some("( ("));
    }
}
