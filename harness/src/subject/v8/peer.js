// The other end of the pipe: makes modules and calls them as it is told, knows nothing of cases.
//
// Frames are a length, a kind and a payload, all numbers little-endian; `wire.rs` says the same in Rust. Numbers
// never become JavaScript's, for a NaN would lose its bits: modules that the parent writes (`bridge.rs`) carry them
// between the guest and `scratch`, a slot of 16 bytes a value. References are passed as they are.

'use strict';
const fs = require('fs');
const v8 = require('v8');

const PAGE_BYTES = 4096;
const SLOT_BYTES = 16;
// A single page: cases may forbid more, and V8 asks that of every memory that is imported while they run.
const scratch = new WebAssembly.Memory({ initial: 1, maximum: 1 });
const slots = Buffer.from(scratch.buffer);
const zeros = Buffer.alloc(PAGE_BYTES);
/** By the parent's numbers: what an instance exports, and how to get at it. */
let instances = [];
let limits = '';
let cases = 0;

// Reading: what was read and not yet taken stands in `input` between `taken` and `filled`.
let input = Buffer.allocUnsafe(1 << 16);
let taken = 0;
let filled = 0;

function take(count) {
  if (filled - taken < count) {
    const target = count > input.length ? Buffer.allocUnsafe(2 * count) : input;
    input.copy(target, 0, taken, filled);
    [input, filled, taken] = [target, filled - taken, 0];
    while (filled < count) {
      const read = fs.readSync(0, input, filled, input.length - filled, null);
      // The parent is gone, or has no more to ask.
      if (read === 0) process.exit(0);
      filled += read;
    }
  }
  taken += count;
  return input.subarray(taken - count, taken);
}

class Frame {
  constructor() {
    this.bytes = take(take(4).readUInt32LE(0));
    this.at = 1;
    this.kind = String.fromCharCode(this.bytes[0]);
  }
  u8() { return this.bytes[this.at++]; }
  u32() { this.at += 4; return this.bytes.readUInt32LE(this.at - 4); }
  u64() { this.at += 8; return Number(this.bytes.readBigUInt64LE(this.at - 8)); }
  blob() { const length = this.u32(); this.at += length; return this.bytes.subarray(this.at - length, this.at); }
  text() { return this.blob().toString('utf8'); }
  list(element) { return Array.from({ length: this.u32() }, element); }
  ref() {
    switch (this.u8()) {
      case 0: return null;
      case 1: return this.u32();
      default: throw new Error('a reference that cannot be sent');
    }
  }
}

// Writing: one frame at a time.
let output = Buffer.allocUnsafe(1 << 16);
let used = 0;

function room(count) {
  if (used + count > output.length) {
    const larger = Buffer.allocUnsafe(2 * (used + count));
    output.copy(larger, 0, 0, used);
    output = larger;
  }
}
function begin(kind) { used = 4; u8(kind.charCodeAt(0)); }
function u8(value) { room(1); output[used++] = value; }
function u32(value) { room(4); used = output.writeUInt32LE(value, used); }
function u64(value) { room(8); used = output.writeBigUInt64LE(BigInt(value), used); }
function raw(bytes) { room(bytes.length); bytes.copy(output, used); used += bytes.length; }
function blob(bytes) { u32(bytes.length); raw(bytes); }
function text(string) { blob(Buffer.from(string, 'utf8')); }
function ref(value) {
  if (value === null || value === undefined) u8(0);
  else if (typeof value === 'number') { u8(1); u32(value); }
  else u8(typeof value === 'function' ? 2 : 3);
}
function refs(values) { u32(values.length); values.forEach(ref); }
function send() {
  output.writeUInt32LE(used - 4, 0);
  for (let at = 0; at < used;) at += fs.writeSync(1, output, at, used - at);
}

/** Imports in order, whatever they are asked for by: two may have one name. */
function inOrder(items) {
  let next = 0;
  const names = new Proxy({}, { get: () => items[next++] });
  return new Proxy({}, { get: () => names });
}

/** Fails with a `RangeError` if there is not enough stack to talk to the parent: better now than in mid-sentence. */
function probe(depth) { return depth === 0 ? 0 : 1 + probe(depth - 1); }

/** A host function: its arguments are in `scratch`, and so are its results if this returns 0. */
function host(number, params) {
  return (...args) => {
    probe(150);
    begin('H'); u32(number); blob(slots.subarray(0, params * SLOT_BYTES)); refs(args); send();
    const answer = serve();
    const granted = answer.u8() === 1;
    if (granted) answer.blob().copy(slots);
    return granted ? 0 : 1;
  };
}

function setLimits(frame) {
  instances = [];
  const pages = frame.u32();
  const elements = frame.u32();
  const wanted = `${pages} ${elements}`;
  if (wanted !== limits) {
    limits = wanted;
    v8.setFlagsFromString(`--wasm-max-mem-pages=${pages}`);
    v8.setFlagsFromString(`--wasm-max-table-size=${elements}`);
  }
  // Memories reserve address space that only a collection gives back.
  if (++cases % 64 === 0) globalThis.gc();
}

function instantiate(frame) {
  const number = frame.u32();
  const wasm = frame.blob();
  const provider = frame.blob();
  const wrappers = frame.blob();
  const first = frame.u32();
  const hosts = frame.list(() => frame.u32()).map((params, index) => host(first + index, params));
  const sources = frame.list(() => {
    const kind = frame.u8();
    const index = frame.u32();
    return { kind, index, name: kind === 2 ? frame.text() : '' };
  });
  const view = frame.blob();
  const viewed = frame.list(() => ({ kind: frame.u8(), name: frame.text() }));
  const record = {
    globals: frame.u32(),
    shown: frame.list(() => ({ kind: frame.u8(), name: frame.text() })),
    memory: frame.u8() === 1 ? frame.text() : undefined,
    exports: undefined,
    calls: undefined,
  };
  const startKind = frame.u8();
  const start = startKind === 0 ? '' : frame.text();

  let stage = 'compile';
  try {
    const module = new WebAssembly.Module(wasm);
    stage = 'bridge';
    const make = (bytes, imports) =>
      bytes.length === 0 ? {} : new WebAssembly.Instance(new WebAssembly.Module(bytes), inOrder(imports)).exports;
    const provided = make(provider, []);
    const wrapped = make(wrappers, [scratch, ...hosts]);
    const imports = sources.map(({ kind, index, name }) => {
      if (kind === 0) return provided[index];
      return kind === 1 ? wrapped[index] : instances[index].exports[name];
    });
    stage = 'instantiate';
    record.exports = new WebAssembly.Instance(module, inOrder(imports)).exports;
    stage = 'bridge';
    const seen = viewed.map(({ kind, name }) => (kind === 1 ? wrapped[name] : record.exports[name]));
    record.calls = make(view, [scratch, ...seen]);
    instances[number] = record;
    stage = 'start';
    if (startKind !== 0) (startKind === 1 ? wrapped : record.exports)[start]();
    begin('O');
  } catch (error) {
    failed(stage, error);
  }
  send();
}

function call(frame) {
  const calls = instances[frame.u32()].calls;
  const name = `c${frame.u32()}`;
  const results = frame.u32();
  frame.blob().copy(slots);
  const args = frame.list(() => frame.ref());
  try {
    const answer = calls[name](...args);
    begin('V');
    blob(slots.subarray(0, results * SLOT_BYTES));
    refs(Array.isArray(answer) ? answer : answer === undefined ? [] : [answer]);
  } catch (error) {
    failed('call', error);
  }
  send();
}

function failed(stage, error) {
  const known = error instanceof Error;
  begin('F'); text(stage); text(known ? error.name : typeof error); text(known ? error.message : String(error));
}

function show(frame) {
  const { exports, calls, globals, shown } = instances[frame.u32()];
  try {
    if (globals > 0) calls.g();
    begin('S');
    blob(slots.subarray(0, globals * SLOT_BYTES));
    for (const { kind, name } of shown) {
      const item = exports[name];
      if (kind === 0) ref(item.value);
      else if (kind === 1) showTable(item);
      else showMemory(item);
    }
  } catch (error) {
    failed('show', error);
  }
  send();
}

function showTable(table) {
  const length = Number(table.length);
  const wide = typeof table.length === 'bigint';
  u64(length);
  const found = [];
  for (let index = 0; index < length; index++) {
    const element = table.get(wide ? BigInt(index) : index);
    if (element !== null && element !== undefined) found.push([index, element]);
  }
  u32(found.length);
  for (const [index, element] of found) { u64(index); ref(element); }
}

function showMemory(memory) {
  const bytes = Buffer.from(memory.buffer);
  u64(bytes.length);
  const pages = [];
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    if (bytes.compare(zeros, 0, PAGE_BYTES, at, at + PAGE_BYTES) !== 0) pages.push(at);
  }
  u32(pages.length);
  for (const at of pages) { u64(at); raw(bytes.subarray(at, at + PAGE_BYTES)); }
}

/** The memory of an instance that hosts read and write; empty if it shows none. */
function memoryOf(number) {
  const { exports, memory } = instances[number];
  return memory === undefined ? undefined : Buffer.from(exports[memory].buffer);
}

function memorySize(frame) {
  const memory = memoryOf(frame.u32());
  begin('Z'); u8(memory === undefined ? 0 : 1); u64(memory === undefined ? 0 : memory.length); send();
}

function readMemory(frame) {
  const memory = memoryOf(frame.u32());
  const address = frame.u64();
  const count = frame.u32();
  const inside = memory !== undefined && address + count <= memory.length;
  begin('R'); u8(inside ? 1 : 0); blob(inside ? memory.subarray(address, address + count) : zeros.subarray(0, 0));
  send();
}

function writeMemory(frame) {
  const memory = memoryOf(frame.u32());
  const address = frame.u64();
  const bytes = frame.blob();
  const inside = memory !== undefined && address + bytes.length <= memory.length;
  if (inside) bytes.copy(memory, address);
  begin('W'); u8(inside ? 1 : 0); send();
}

/** Does what it is told; inside a host function, until there is its answer. */
function serve() {
  for (;;) {
    const frame = new Frame();
    switch (frame.kind) {
      case 'A': return frame;
      case 'L': setLimits(frame); break;
      case 'I': instantiate(frame); break;
      case 'C': call(frame); break;
      case 'S': show(frame); break;
      case 'Z': memorySize(frame); break;
      case 'R': readMemory(frame); break;
      case 'W': writeMemory(frame); break;
      case 'B': begin('B'); u8(WebAssembly.validate(frame.blob()) ? 1 : 0); send(); break;
      default: throw new Error(`frames of kind ${frame.kind} are not known`);
    }
  }
}

// Flags that this release does not know are its own affair: what it executes is asked for.
for (const flag of process.argv.slice(1)) v8.setFlagsFromString(flag);
begin('G'); text(process.versions.node); text(process.versions.v8); send();
serve();
