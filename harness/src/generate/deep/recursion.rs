//! Functions that call each other round and round, as often as their first parameter says.

use super::{Choices, FIRST, Func, GLOBALS, HOST, SINK};
use crate::draw::Stream;
use crate::generate::linked::types::Ty;
use crate::generate::numbers::{Signature, constant, distance, encoded, mix, position};
use crate::generate::way::Way;
use wasm_encoder::{BlockType, Function};

/// How often functions are to call on: a few times, about as often as depth or fuel allow, and more.
pub(super) const DEPTHS: &[u32] = &[0, 1, 7, 15, 16, 63, 64, 65, 80, 81, 300, 1_500, 1 << 20];

/// One to three functions, each of which calls the next.
pub(super) fn functions(choices: &Choices, stream: &mut Stream) -> Vec<Func> {
    let count = stream.between(1, 3);
    let most = *stream.pick(&[2, 2, 9, 30]);
    let mut params = choices.numbers(0, most, stream);
    params.insert(0, Ty::I32);
    let results = choices.numbers(0, if choices.multi_value { 3 } else { 1 }, stream);
    let signature = Signature { params, results };
    // One that calls in the ordinary way is enough for depth to be used up.
    let percent = *stream.pick(&[0, 50, 100]);
    (0..count)
        .map(|number| {
            let next = FIRST + (number as u32 + 1) % count as u32;
            let tail = choices.tail && stream.percent(percent);
            let function = function(&signature, next, tail, choices, stream);
            Func { signature: signature.clone(), function }
        })
        .collect()
}

fn function(
    signature: &Signature,
    next: u32,
    tail: bool,
    choices: &Choices,
    stream: &mut Stream,
) -> Function {
    let Signature { params, results } = signature;
    let most = *stream.pick(&[0, 3, 20, 60]);
    let locals = choices.numbers(0, most, stream);
    let mut function = Function::new_with_locals_types(encoded(&locals));
    let mut op = function.instructions();
    // What the last one does.
    op.local_get(0).i32_eqz().if_(BlockType::Empty);
    match stream.below(5) {
        0 => {
            op.unreachable();
        }
        1 => {
            op.call(HOST);
        }
        _ => {}
    }
    for ty in results {
        constant(*ty, stream, &mut op);
    }
    op.return_().end();
    // Values that wait while the others run: in locals, and on the stack.
    for (local, ty) in (params.len() as u32..).zip(&locals) {
        if stream.percent(30) {
            op.global_get(GLOBALS + position(*ty)).local_set(local);
        }
    }
    let waiting = if tail { Vec::new() } else { choices.numbers(0, 4, stream) };
    for ty in &waiting {
        op.global_get(GLOBALS + position(*ty));
    }
    op.local_get(0).i32_const(1).i32_sub();
    for (local, ty) in (1u32..).zip(&params[1..]) {
        // Parameters of one type change places, so that moves meet.
        let same: Vec<u32> =
            (1u32..).zip(&params[1..]).filter(|(_, other)| *other == ty).map(|(other, _)| other).collect();
        let from = if stream.percent(50) { local } else { *stream.pick(&same) };
        op.local_get(from);
    }
    let way = match stream.below(4) {
        0 | 1 => Way::Direct,
        2 if choices.typed => Way::Reference,
        _ => Way::Table,
    };
    match way {
        Way::Direct => {}
        Way::Table => {
            op.i32_const(next as i32);
        }
        Way::Reference => {
            op.ref_func(next);
        }
    }
    way.call(next, tail, &mut op);
    if !tail {
        for ty in results.iter().rev().chain(waiting.iter().rev()) {
            mix(*ty, SINK, distance(stream), &mut op);
        }
        // What waited in locals and parameters.
        for (local, ty) in (0u32..).zip(params.iter().chain(&locals)) {
            if stream.percent(20) {
                op.local_get(local);
                mix(*ty, SINK, distance(stream), &mut op);
            }
        }
        for ty in results {
            op.global_get(GLOBALS + position(*ty));
        }
    }
    op.end();
    function
}
