//! What changed since the frame before.
//!
//! The view is divided into cells of 8 x 8 pixels. A cell has changed where its pixels differ from those of the
//! previous slot by more than `threshold` grey levels, on average. If at least `min_cells` cells have changed, one
//! observation `change` is reported: the box around them, and as its score the part of all cells that has changed.
//! Every cell that has changed is hidden by the mask. Of the first frame nothing is known, so it is hidden whole and
//! has no score.
//!
//! The examples of all SDKs give the same answers, to the last bit: pixels are added up as integers, and the
//! conversions to floating point are the same, in the same order.

use camera_edge::{analyzer, emit, mask, param_number, score, Analyzer, Observation, Outcome, Slot};

const CELL: u32 = 8;

struct Change {
    threshold: f64,
    min_cells: f64,
    /// one byte for each pixel of the view, 255: hidden
    hidden: Vec<u8>,
}

/// A part of the view, in pixels.
#[derive(Clone, Copy)]
struct Cell {
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
}

/// The cells that have changed in a frame, and the box around them.
struct Found {
    changed: u32,
    cells: u32,
    around: Cell,
}

impl Analyzer for Change {
    fn open() -> Outcome<Self> {
        Ok(Change {
            threshold: param_number("threshold", 12.0),
            min_cells: param_number("min_cells", 2.0),
            hidden: Vec::new(),
        })
    }

    fn analyze(&mut self, slot: &Slot) -> Outcome {
        self.hidden.resize((slot.width * slot.height) as usize, 0);
        let before = match slot.previous() {
            Some(before) => before,
            None => {
                self.hidden.fill(255);
                return Ok(mask(&self.hidden, slot.width, slot.height)?);
            }
        };
        let found = self.compare(slot, before);
        score(f64::from(found.changed) / f64::from(found.cells))?;
        mask(&self.hidden, slot.width, slot.height)?;
        if found.changed > 0 && f64::from(found.changed) >= self.min_cells {
            report(slot, &found)?;
        }
        Ok(())
    }
}

impl Change {
    fn compare(&mut self, now: &Slot, before: &Slot) -> Found {
        let around = Cell { left: now.width, top: now.height, right: 0, bottom: 0 };
        let mut found = Found { changed: 0, cells: 0, around };
        for top in (0..now.height).step_by(CELL as usize) {
            for left in (0..now.width).step_by(CELL as usize) {
                // the last column and the last row may be narrower
                let (right, bottom) = ((left + CELL).min(now.width), (top + CELL).min(now.height));
                let cell = Cell { left, top, right, bottom };
                let changed = self.has_changed(now, before, cell);
                self.fill_mask(now.width, cell, if changed { 255 } else { 0 });
                found.cells += 1;
                if changed {
                    found.changed += 1;
                    found.around.widen(cell);
                }
            }
        }
        found
    }

    fn has_changed(&self, now: &Slot, before: &Slot, cell: Cell) -> bool {
        let columns = cell.left as usize..cell.right as usize;
        let mut sum = 0;
        for y in cell.top..cell.bottom {
            let (a, b) = (&now.row(y)[columns.clone()], &before.row(y)[columns.clone()]);
            sum += a.iter().zip(b).map(|(a, b)| u32::from(a.max(b) - a.min(b))).sum::<u32>();
        }
        let pixels = (cell.right - cell.left) * (cell.bottom - cell.top);
        f64::from(sum) > self.threshold * f64::from(pixels)
    }

    fn fill_mask(&mut self, width: u32, cell: Cell, value: u8) {
        for y in cell.top..cell.bottom {
            let row = (y * width) as usize;
            self.hidden[row + cell.left as usize..row + cell.right as usize].fill(value);
        }
    }
}

impl Cell {
    fn widen(&mut self, other: Cell) {
        self.left = self.left.min(other.left);
        self.top = self.top.min(other.top);
        self.right = self.right.max(other.right);
        self.bottom = self.bottom.max(other.bottom);
    }
}

fn report(slot: &Slot, found: &Found) -> Outcome {
    let (width, height) = (slot.width as f32, slot.height as f32);
    let around = found.around;
    Ok(emit(&Observation {
        kind: "change",
        score: found.changed as f32 / found.cells as f32,
        track: None,
        x: around.left as f32 / width,
        y: around.top as f32 / height,
        w: (around.right - around.left) as f32 / width,
        h: (around.bottom - around.top) as f32 / height,
        attributes: &format!("{{\"cells\":{}}}", found.changed),
    })?)
}

analyzer!(Change);
