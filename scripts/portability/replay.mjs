// Replays a tape in V8: `node replay.mjs TAPE`. Prints one line of JSON, a `Replay` (tape.py).
//
// A second host, written to wasm_analyzers/ABI.md and to the formats in tape.py and transcript.py, with nothing of
// wasmtime in it. V8 has no fuel and maps no ring: frames are copied into the guest, and nobody meters.
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";

const OK = 0, BAD_POINTER = -1, BAD_VALUE = -2, NOT_FOUND = -3, NOT_GRANTED = -4;
const NN_INVALID_ARGUMENT = 1, NN_NOT_FOUND = 8;
const TOO_MANY = -5, TOO_LARGE = -6, NOT_NOW = -7, FAILED = -8;
const SPOILING = new Set([BAD_POINTER, BAD_VALUE, TOO_LARGE]);
const OUTPUTS = new Set(["emit", "score", "score_at", "mask"]);
const DID_NOT_RETURN = -(2 ** 31);
const PAGE_BYTES = 65536, RECORD_BYTES = 40, PART_DIGITS = 16;
const NAME_MAX = 256, KIND_MAX = 64, ATTRIBUTES_MAX = 4096, METRIC_NAME_MAX = 64, LOG_MAX = 1024;
const SCORES_MAX = 64, LAG_MAX = 1024, METRICS_MAX = 64, LOG_LINES_A_SECOND = 64, ROUNDING = 1e-6;
const VIEW_SIZE = 24;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Refused extends Error {
  constructor(status) {
    super(`status ${status}`);
    this.status = status;
  }
}

// what a guest said and heard, in the bytes that transcript.py describes
class Transcript {
  constructor() {
    this.whole = createHash("sha256");
    this.part = createHash("sha256");
    this.parts = [];
    this.calls = {};
  }

  add(name, fields, answer) {
    const entry = Buffer.concat([Buffer.from([name.length]), Buffer.from(name, "ascii"), ...fields, answer]);
    this.whole.update(entry);
    this.part.update(entry);
    this.calls[name] = (this.calls[name] ?? 0) + 1;
  }

  cut() {
    this.parts.push(this.part.digest("hex").slice(0, PART_DIGITS));
    this.part = createHash("sha256");
  }

  summary() {
    return { sha256: this.whole.digest("hex"), parts: this.parts, calls: this.calls, fuel: null };
  }
}

const packed = (bytes, write) => {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
};
const u32 = (value) => packed(4, (b) => b.writeUInt32LE(value >>> 0));
const i32 = (value) => packed(4, (b) => b.writeInt32LE(value));
const f32 = (value) => packed(4, (b) => (Number.isNaN(value) ? b.writeUInt32LE(0x7fc00000) : b.writeFloatLE(value)));
const f64 = (value) =>
  packed(8, (b) => (Number.isNaN(value) ? b.writeBigUInt64LE(0x7ff8000000000000n) : b.writeDoubleLE(value)));

// a part of the tape, read from its start, piece by piece
class Part {
  constructor(path, bytes) {
    this.path = path;
    this.file = openSync(path);
    if (fstatSync(this.file).size !== bytes) throw new Error(`${path} has not the ${bytes} bytes it should`);
  }

  read(bytes) {
    const data = Buffer.alloc(bytes);
    if (readSync(this.file, data, 0, bytes, null) !== bytes) throw new Error(`${this.path} was cut off`);
    return data;
  }

  close() {
    closeSync(this.file);
  }
}

// the guest of one reel and all it can call
class Host {
  constructor(reel, answers, calls, transcript) {
    Object.assign(this, { reel, answers, calls, transcript });
    this.params = new Map(reel.params.map((param) => [param.name, param]));
    this.state = Buffer.alloc(0);
    this.memory = null;
    this.draft = null;
    this.mediaUs = 0;
    this.logSecond = -1;
    this.logLines = 0;
    this.metrics = 0;
    this.answer = 0;
  }

  function(name) {
    const call = this.calls[name];
    if (call === undefined || this[name] === undefined) throw new Error(`imports camera_edge.${name}, which is not taped`);
    const write = call.answer === "f64" ? f64 : i32;
    return (...args) => {
      const fields = this.fields(call.fields, args);
      const result = this.guarded(name, args);
      this.transcript.add(name, fields, write(result));
      return result;
    };
  }

  guarded(name, args) {
    let result;
    try {
      result = this[name](...args);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      result = error.status;
    }
    if (OUTPUTS.has(name) && this.draft !== null && SPOILING.has(result)) this.draft.spoiled = true;
    return result;
  }

  // null where the bytes lie outside of the guest's memory
  peek(pointer, length) {
    const [start, count] = [pointer >>> 0, length >>> 0];
    if (this.memory === null || start + count > this.memory.buffer.byteLength) return null;
    return Buffer.from(new Uint8Array(this.memory.buffer, start, count));
  }

  read(pointer, length, longest = Infinity) {
    if (length >>> 0 > longest) throw new Refused(TOO_LARGE);
    const data = this.peek(pointer, length);
    if (data === null) throw new Refused(BAD_POINTER);
    return data;
  }

  write(pointer, data) {
    if ((pointer >>> 0) + data.length > this.memory.buffer.byteLength) throw new Refused(BAD_POINTER);
    new Uint8Array(this.memory.buffer).set(data, pointer >>> 0);
  }

  text(data) {
    try {
      return utf8.decode(data);
    } catch {
      throw new Refused(BAD_VALUE);
    }
  }

  now() {
    if (this.draft === null) throw new Refused(NOT_NOW);
    return this.draft;
  }

  fields(kinds, args) {
    const rest = [...args];
    const written = kinds.map((kind) => {
      const value = rest.shift();
      if (kind === "text") return this.textField(value, rest.shift());
      if (kind === "record") return this.recordField(value);
      if (kind === "room") return Buffer.alloc(0);
      return { u32, f32, f64 }[kind](value);
    });
    return written;
  }

  textField(pointer, length) {
    const data = this.peek(pointer, length);
    return data === null ? u32(0xffffffff) : Buffer.concat([u32(data.length), data]);
  }

  recordField(pointer) {
    const data = this.peek(pointer, RECORD_BYTES);
    if (data === null) return u32(0xffffffff);
    const record = unpacked(data);
    const numbers = [f32(record.score), u32(record.track), ...[record.x, record.y, record.w, record.h].map(f32)];
    const kind = this.textField(record.kindPointer, record.kindBytes);
    return Buffer.concat([kind, ...numbers, this.textField(record.attributesPointer, record.attributesBytes)]);
  }

  param_number(pointer, length, fallback) {
    try {
      return this.params.get(this.text(this.read(pointer, length, NAME_MAX)))?.number ?? fallback;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return fallback;
    }
  }

  param_text(pointer, length, buffer, capacity) {
    const param = this.params.get(this.text(this.read(pointer, length, NAME_MAX)));
    if (param === undefined) return NOT_FOUND;
    const text = Buffer.from(param.text, "utf-8");
    this.write(buffer, text.subarray(0, capacity >>> 0));
    return text.length;
  }

  emit(pointer) {
    const draft = this.now();
    if (draft.observations >= this.reel.observations) return TOO_MANY;
    const record = unpacked(this.read(pointer, RECORD_BYTES));
    const kind = this.read(record.kindPointer, record.kindBytes, KIND_MAX);
    const attributes = this.read(record.attributesPointer, record.attributesBytes, ATTRIBUTES_MAX);
    if (!this.reel.kinds.includes(this.text(kind))) return BAD_VALUE;
    if (!(record.score >= 0 && record.score <= 1) || record.track < -1) return BAD_VALUE;
    if (!inside(record.x, record.y, record.w, record.h) || !this.flat(attributes)) return BAD_VALUE;
    draft.observations += 1;
    return OK;
  }

  flat(data) {
    if (data.length === 0) return true;
    let value;
    try {
      value = JSON.parse(this.text(data));
    } catch {
      return false;
    }
    if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
    return Object.values(value).every(
      (one) => typeof one === "string" || typeof one === "boolean" || Number.isFinite(one),
    );
  }

  score(value) {
    return this.score_at(0, value);
  }

  score_at(lag, value) {
    const draft = this.now();
    if (draft.scores >= SCORES_MAX) return TOO_MANY;
    if (!Number.isFinite(value) || lag < 0 || lag > LAG_MAX) return BAD_VALUE;
    draft.scores += 1;
    return OK;
  }

  mask(pointer, length, width, height) {
    const draft = this.now();
    const fits = width > 0 && width <= draft.width && height > 0 && height <= draft.height;
    if (!fits || length >>> 0 !== width * height) return BAD_VALUE;
    this.read(pointer, length);
    return OK;
  }

  infer(pointer, length, x, y, w, h, out, capacity) {
    this.now();
    const model = this.text(this.read(pointer, length, NAME_MAX));
    if (!this.reel.models.includes(model)) return NOT_GRANTED;
    if (!inside(x, y, w, h)) return BAD_VALUE;
    if ((out >>> 0) + 4 * (capacity >>> 0) > this.memory.buffer.byteLength) return BAD_POINTER;
    if (this.answer >= this.reel.answers.length) return FAILED;
    const count = this.reel.answers[this.answer++];
    const numbers = this.answers.read(4 * count);
    if (count > capacity >>> 0) return TOO_LARGE;
    this.write(out, numbers);
    return count;
  }

  // a tape is made of one module, which follows none
  regions() {
    this.now();
    return NOT_FOUND;
  }

  state_get(offset, buffer, capacity) {
    const part = this.state.subarray(offset >>> 0, (offset >>> 0) + (capacity >>> 0));
    this.write(buffer, part);
    return part.length;
  }

  state_put(offset, pointer, length) {
    const [start, count] = [offset >>> 0, length >>> 0];
    if (start + count > this.reel.state_bytes) return TOO_LARGE;
    const data = this.read(pointer, length);
    const grown = Buffer.alloc(Math.max(this.state.length, start + count));
    this.state.copy(grown);
    data.copy(grown, start);
    this.state = grown;
    return OK;
  }

  log(level, pointer, length) {
    if (level < 0 || level > 3) return BAD_VALUE;
    if (this.peek(pointer, length) === null) return BAD_POINTER;
    const second = Math.floor(this.mediaUs / 1_000_000);
    if (second !== this.logSecond) [this.logSecond, this.logLines] = [second, 0];
    if (this.logLines >= LOG_LINES_A_SECOND) return TOO_MANY;
    this.logLines += 1;
    // the tape's own transcript has every word; this is for who reads the console
    if (level >= 2) process.stderr.write(`${this.reel.name}: ${this.peek(pointer, Math.min(length >>> 0, LOG_MAX))}\n`);
    return OK;
  }

  metric(pointer, length, value) {
    const name = this.read(pointer, length, METRIC_NAME_MAX).toString("latin1");
    if (!/^[A-Za-z0-9_.]+$/.test(name) || !Number.isFinite(value)) return BAD_VALUE;
    if (this.metrics >= METRICS_MAX) return TOO_MANY;
    this.metrics += 1;
    return OK;
  }
}

function unpacked(data) {
  return {
    kindPointer: data.readUInt32LE(0),
    kindBytes: data.readUInt32LE(4),
    score: data.readFloatLE(8),
    track: data.readInt32LE(12),
    x: data.readFloatLE(16),
    y: data.readFloatLE(20),
    w: data.readFloatLE(24),
    h: data.readFloatLE(28),
    attributesPointer: data.readUInt32LE(32),
    attributesBytes: data.readUInt32LE(36),
  };
}

// a comparison with NaN is false
function inside(x, y, w, h) {
  return x >= 0 && y >= 0 && w >= 0 && h >= 0 && x + w <= 1 + ROUNDING && y + h <= 1 + ROUNDING;
}

function imported({ module, name }, host) {
  if (module === "camera_edge") return host.function(name);
  if (module !== "wasi_ephemeral_nn") throw new Error(`imports ${module}.${name}, which is not taped`);
  // no model is run through wasi-nn while a tape is made
  return () => (name === "load_by_name" ? NN_NOT_FOUND : NN_INVALID_ARGUMENT);
}

// a module brought to life as ABI.md says, with its ring's address
function start(module, host, ringBytes) {
  const imports = {};
  for (const wanted of WebAssembly.Module.imports(module)) {
    imports[wanted.module] ??= {};
    imports[wanted.module][wanted.name] = imported(wanted, host);
  }
  const guest = new WebAssembly.Instance(module, imports).exports;
  host.memory = guest.memory;
  guest._initialize?.();
  if (guest.camera_edge_abi() !== 1) throw new Error("it speaks another ABI");
  let ring;
  if (guest.camera_edge_ring === undefined) ring = guest.memory.grow(ringBytes / PAGE_BYTES) * PAGE_BYTES;
  else ring = guest.camera_edge_ring(ringBytes) >>> 0;
  if (ring % PAGE_BYTES || ring + ringBytes > guest.memory.buffer.byteLength) throw new Error("it gave no room for the ring");
  const opened = guest.open?.() ?? 0;
  if (opened < 0) throw new Error(`open returned ${opened}`);
  return { guest, ring };
}

// whether the guest gave an answer
function look(guest, host, address, transcript) {
  let result = DID_NOT_RETURN;
  try {
    result = guest.analyze(address);
  } catch (error) {
    // a trap, or a stack that overflowed
    if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) throw error;
  }
  transcript.add("analyze", [], i32(result));
  return result >= 0 && !host.draft.spoiled;
}

function replay(folder, reel, calls) {
  const path = (name) => join(folder, reel.name, name);
  const answers = new Part(path("answers.bin"), reel.answers.reduce((sum, count) => sum + 4 * count, 0));
  const slots = new Part(path("slots.bin"), reel.slot_bytes * reel.frames.length);
  const ring = new Part(path("ring.bin"), reel.ring_bytes);
  try {
    const transcript = new Transcript();
    const host = new Host(reel, answers, calls, transcript);
    const { guest, ring: address } = start(new WebAssembly.Module(readFileSync(path("module.wasm"))), host, reel.ring_bytes);
    transcript.cut();
    if (showAll({ guest, host, address, transcript }, reel, ring.read(reel.ring_bytes), slots)) guest.close?.();
    transcript.cut();
    return transcript.summary();
  } finally {
    for (const part of [answers, slots, ring]) part.close();
  }
}

// whether each frame got an answer; the first without one is the last that is shown
function showAll({ guest, host, address, transcript }, reel, ring, slots) {
  for (const frame of reel.frames) {
    slots.read(reel.slot_bytes).copy(ring, frame.slot_offset);
    new Uint8Array(guest.memory.buffer).set(ring, address);
    host.mediaUs = frame.media_us;
    const size = frame.slot_offset + VIEW_SIZE;
    const [width, height] = [ring.readUInt32LE(size), ring.readUInt32LE(size + 4)];
    host.draft = { width, height, observations: 0, scores: 0, spoiled: false };
    const answered = look(guest, host, address + frame.slot_offset, transcript);
    host.draft = null;
    host.metrics = 0;
    transcript.cut();
    if (!answered) return false;
  }
  return true;
}

function main(folder) {
  const tape = JSON.parse(readFileSync(join(folder, "tape.json"), "utf-8"));
  if (tape.tape !== 1) throw new Error("this tape is of another version");
  const reels = Object.fromEntries(tape.reels.map((reel) => [reel.name, replay(folder, reel, tape.calls)]));
  const runtime = `V8 ${process.versions.v8} (Node ${process.versions.node}) on ${process.arch}`;
  process.stdout.write(`${JSON.stringify({ runtime, reels })}\n`);
}

try {
  main(process.argv[2]);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
