/**
 * What changed since the frame before.
 *
 * The view is divided into cells of 8 x 8 pixels. A cell has changed where its pixels differ from those of the previous
 * slot by more than `threshold` grey levels, on average. If at least `min_cells` cells have changed, one observation
 * `change` is reported: the box around them, and as its score the part of all cells that has changed. Every cell that
 * has changed is hidden by the mask. Of the first frame nothing is known, so it is hidden whole and has no score.
 *
 * The examples of all SDKs give the same answers, to the last bit: pixels are added up as integers, and the conversions
 * to floating point are the same, in the same order.
 */
import { Observation, Slot, emit, mask, paramNumber, score } from "camera_edge";
export { camera_edge_abi, camera_edge_ring } from "camera_edge";

const CELL: u32 = 8;

let threshold: f64 = 0;
let minCells: f64 = 0;
/** One byte for each pixel of the view, 255: hidden. */
let hidden = new Uint8Array(0);

/** A part of the view, in pixels. */
class Cell {
  constructor(public left: u32, public top: u32, public right: u32, public bottom: u32) {}
}

/** The cells that have changed in a frame, and the box around them. */
class Found {
  changed: u32 = 0;
  cells: u32 = 0;
  constructor(public around: Cell) {}
}

export function open(): i32 {
  threshold = paramNumber("threshold", 12);
  minCells = paramNumber("min_cells", 2);
  return 0;
}

export function analyze(slot: Slot): i32 {
  // the size of the view does not change as long as the module lives
  if (hidden.length == 0) hidden = new Uint8Array(slot.width * slot.height);
  const before = slot.previous;
  if (!before) {
    hidden.fill(255);
    return mask(hidden, slot.width, slot.height);
  }
  const found = compare(slot, before);
  score(<f64>found.changed / <f64>found.cells);
  mask(hidden, slot.width, slot.height);
  if (found.changed > 0 && <f64>found.changed >= minCells) report(slot, found);
  return 0;
}

function compare(now: Slot, before: Slot): Found {
  const around = new Cell(now.width, now.height, 0, 0);
  const found = new Found(around);
  for (let top: u32 = 0; top < now.height; top += CELL) {
    for (let left: u32 = 0; left < now.width; left += CELL) {
      // the last column and the last row may be narrower
      const cell = new Cell(left, top, min(left + CELL, now.width), min(top + CELL, now.height));
      const changed = hasChanged(now, before, cell);
      fillMask(now.width, cell, changed ? 255 : 0);
      found.cells++;
      if (!changed) continue;
      found.changed++;
      around.left = min(around.left, cell.left);
      around.top = min(around.top, cell.top);
      around.right = max(around.right, cell.right);
      around.bottom = max(around.bottom, cell.bottom);
    }
  }
  return found;
}

function hasChanged(now: Slot, before: Slot, cell: Cell): bool {
  let sum: u32 = 0;
  for (let y = cell.top; y < cell.bottom; y++) {
    const a = now.pixels + y * now.stride;
    const b = before.pixels + y * before.stride;
    for (let x = cell.left; x < cell.right; x++) {
      sum += <u32>abs<i32>(<i32>load<u8>(a + x) - <i32>load<u8>(b + x));
    }
  }
  const pixels = (cell.right - cell.left) * (cell.bottom - cell.top);
  return <f64>sum > threshold * <f64>pixels;
}

function fillMask(width: u32, cell: Cell, value: u8): void {
  for (let y = cell.top; y < cell.bottom; y++) {
    hidden.fill(value, y * width + cell.left, y * width + cell.right);
  }
}

function report(slot: Slot, found: Found): void {
  const width = <f32>slot.width;
  const height = <f32>slot.height;
  const around = found.around;
  const seen = new Observation();
  seen.kind = "change";
  seen.score = <f32>found.changed / <f32>found.cells;
  seen.x = <f32>around.left / width;
  seen.y = <f32>around.top / height;
  seen.w = <f32>(around.right - around.left) / width;
  seen.h = <f32>(around.bottom - around.top) / height;
  seen.attributes = `{"cells":${found.changed}}`;
  emit(seen);
}
