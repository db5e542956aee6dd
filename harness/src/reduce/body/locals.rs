//! Leaves out locals that nothing uses, and makes one of two.

use super::super::proposal::{Look, Proposal, Site};
use crate::wasm::edit::Edit;
use wasm_encoder::Encode;
use wasmparser::{RefType, ValType};

/// Declared locals that nothing uses left out, all of them or one at a time, or made alike.
pub fn fewer(look: &Look<'_>) -> Vec<Proposal> {
    look.in_bodies(|site: &Site<'_>| {
        let body = site.body;
        let is_used = |local: &usize| body.local_names().any(|name| name.index as usize == *local);
        let unused: Vec<usize> = (body.params..body.locals.len()).filter(|local| !is_used(local)).collect();
        let mut edits = Vec::new();
        if unused.len() > 1 {
            edits.extend(without(site, &unused));
        }
        edits.extend(unused.iter().rev().filter_map(|local| without(site, &[*local])));
        edits.extend(alike(site, &unused));
        edits.into_iter().map(|edit| vec![edit]).collect()
    })
}

/// Locals that nothing uses, but that take room in the frame, with the types of their neighbours, so that one
/// declaration is for many.
fn alike(site: &Site<'_>, unused: &[usize]) -> Option<Edit> {
    let body = site.body;
    let mut types = body.locals.clone();
    for local in unused.iter().copied() {
        let next = (local..types.len()).find(|other| !unused.contains(other));
        if let Some(ty) =
            if local > body.params { Some(types[local - 1]) } else { next.map(|next| types[next]) }
        {
            types[local] = ty;
        }
    }
    let code = declared(types[body.params..].iter().copied())?;
    (types != body.locals).then(|| site.edit(body.start..body.code.start, code))
}

fn without(site: &Site<'_>, gone: &[usize]) -> Option<Edit> {
    let (wasm, body) = (site.wasm(), site.body);
    let kept = (body.params..body.locals.len()).filter(|local| !gone.contains(local));
    let mut code = declared(kept.map(|local| body.locals[local]))?;
    let mut copied = body.code.start;
    for name in body.local_names() {
        code.extend_from_slice(&wasm[copied..name.bytes.start]);
        let before = gone.iter().filter(|local| **local < name.index as usize).count();
        (name.index - before as u32).encode(&mut code);
        copied = name.bytes.end;
    }
    code.extend_from_slice(&wasm[copied..body.code.end]);
    Some(site.edit(body.start..body.code.end, code))
}

/// Declarations of locals, neighbours of a type together. `None` if one has a type that cannot be written.
pub fn declared(types: impl Iterator<Item = ValType>) -> Option<Vec<u8>> {
    let mut groups: Vec<(u32, ValType)> = Vec::new();
    for ty in types {
        match groups.last_mut() {
            Some((count, last)) if *last == ty => *count += 1,
            Some(_) | None => groups.push((1, ty)),
        }
    }
    let mut code = Vec::new();
    groups.len().encode(&mut code);
    for (count, ty) in groups {
        count.encode(&mut code);
        push_type(ty, &mut code)?;
    }
    Some(code)
}

/// One local used where another of its type was, for every two.
pub fn merged(look: &Look<'_>) -> Vec<Proposal> {
    look.in_bodies(|site: &Site<'_>| {
        let body = site.body;
        let mut edits = Vec::new();
        for local in (0..body.locals.len()).rev() {
            let uses: Vec<_> = body.local_names().filter(|name| name.index as usize == local).collect();
            if uses.is_empty() {
                continue;
            }
            let same = (0..local).filter(|other| body.locals[*other] == body.locals[local]);
            for other in same.take(3) {
                let mut code = Vec::new();
                (other as u32).encode(&mut code);
                edits.push(uses.iter().map(|name| site.edit(name.bytes.clone(), code.clone())).collect());
            }
        }
        edits
    })
}

/// Writes a type; nothing for those that name other types.
pub fn push_type(ty: ValType, code: &mut Vec<u8>) -> Option<()> {
    code.push(match ty {
        ValType::I32 => 0x7f,
        ValType::I64 => 0x7e,
        ValType::F32 => 0x7d,
        ValType::F64 => 0x7c,
        ValType::V128 => 0x7b,
        ValType::Ref(RefType::FUNCREF) => 0x70,
        ValType::Ref(RefType::EXTERNREF) => 0x6f,
        ValType::Ref(_) => return None,
    });
    Some(())
}
