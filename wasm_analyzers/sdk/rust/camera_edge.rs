//! Analyzer ABI v1 for guests in Rust: the contract is wasm_analyzers/ABI.md, this file only spells it.
//!
//! A pixel analyzer is a type that implements [`Analyzer`] and is named to [`analyzer!`]:
//!
//! ```ignore
//! use camera_edge::{analyzer, Analyzer, Outcome, Slot};
//!
//! struct Mine;
//!
//! impl Analyzer for Mine {
//!     fn open() -> Outcome<Self> {
//!         Ok(Mine)
//!     }
//!     fn analyze(&mut self, slot: &Slot) -> Outcome {
//!         Ok(())
//!     }
//! }
//!
//! analyzer!(Mine);
//! ```
//!
//! An error that leaves `open` refuses the start; one that leaves `analyze` says that there is no answer for this
//! frame. Either is logged. A panic is logged too, and the module traps. A rule module implements [`Rule`] and says
//! [`rule!`].
//!
//! The standard library is there, with its allocator. The space for the frames is allocated from it like any other, and
//! never freed, so it is never handed out.

mod attributes;
mod rule;

use std::alloc::{alloc, Layout};
use std::fmt;

pub use attributes::attributes_say;
pub use rule::{raise, relabel, veto, Batch, Event, Seen, Text, CHANGED, CLOSES, GOES_ON, OPENS};

pub const ABI: i32 = 1;

/// What a guest's functions return. `?` takes the errors of this file and those of the standard library.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A pixel analyzer.
pub trait Analyzer: Sized {
    /// Read parameters and state here.
    fn open() -> Outcome<Self>;
    /// Called once for each analysed frame, in order.
    fn analyze(&mut self, slot: &Slot) -> Outcome;
    /// The last call; it does not come after a fault.
    fn close(&mut self) {}
}

/// A rule module.
pub trait Rule: Sized {
    fn open() -> Outcome<Self>;
    /// Called once for each analysed frame, in order.
    fn observe(&mut self, batch: &Batch) -> Outcome;
    fn close(&mut self) {}
}

/// What the host imports are called with: pointers and lengths, as the ABI has them.
mod host {
    use super::Record;

    #[link(wasm_import_module = "camera_edge")]
    extern "C" {
        pub fn param_number(name: *const u8, name_len: usize, fallback: f64) -> f64;
        pub fn param_text(name: *const u8, name_len: usize, text: *mut u8, capacity: usize) -> i32;
        pub fn emit(observation: *const Record) -> i32;
        pub fn score(value: f64) -> i32;
        pub fn score_at(lag: i32, value: f64) -> i32;
        pub fn mask(pixels: *const u8, len: usize, width: u32, height: u32) -> i32;
        pub fn regions(boxes: *mut [f32; 4], capacity: usize) -> i32;
        pub fn infer(
            model: *const u8,
            model_len: usize,
            x: f32,
            y: f32,
            w: f32,
            h: f32,
            out: *mut f32,
            capacity: usize,
        ) -> i32;
        pub fn state_get(offset: u32, bytes: *mut u8, capacity: usize) -> i32;
        pub fn state_put(offset: u32, bytes: *const u8, len: usize) -> i32;
        pub fn log(level: i32, text: *const u8, len: usize) -> i32;
        pub fn metric(name: *const u8, name_len: usize, value: f64) -> i32;
    }
}

/// A negative number that a host function returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    BadPointer,
    BadValue,
    NotFound,
    NotGranted,
    TooMany,
    TooLarge,
    NotNow,
    Failed,
    Internal,
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "the host answered {:?}", self)
    }
}

impl std::error::Error for Error {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug = 0,
    Info = 1,
    Warning = 2,
    Error = 3,
}

pub const GRAY8: u32 = 1;
pub const RGB24: u32 = 2;
pub const I420: u32 = 3;

/// What the host writes at the start of a slot; the pixels come after it. Guests get it by reference and make none.
#[repr(C)]
pub struct Slot {
    pub abi: u32,
    pub format: u32,
    pub sequence: u64,
    pub media_us: i64,
    pub width: u32,
    pub height: u32,
    pub stride: u32,
    previous: i32,
    zones: i32,
    pixel_offset: u32,
    pub frame_width: u32,
    pub frame_height: u32,
    reserved: [u32; 2],
}

impl Slot {
    /// All pixels: of i420 the first plane and behind it the two of colour.
    pub fn pixels(&self) -> &[u8] {
        let luma = (self.stride * self.height) as usize;
        let len = if self.format == I420 { luma / 2 * 3 } else { luma };
        unsafe { std::slice::from_raw_parts(self.at(self.pixel_offset as i32) as *const u8, len) }
    }

    /// One row: of i420, of the first plane.
    pub fn row(&self, y: u32) -> &[u8] {
        let stride = self.stride as usize;
        &self.pixels()[y as usize * stride..][..stride]
    }

    /// The slot that was written before this one. It is not always the frame that this guest saw before.
    pub fn previous(&self) -> Option<&Slot> {
        match self.previous {
            0 => None,
            offset => Some(unsafe { &*(self.at(offset) as *const Slot) }),
        }
    }

    /// The map of zones: one byte for each pixel of the view, rows of `width`.
    pub fn zones(&self) -> Option<&[u8]> {
        let len = (self.width * self.height) as usize;
        match self.zones {
            0 => None,
            offset => Some(unsafe { std::slice::from_raw_parts(self.at(offset) as *const u8, len) }),
        }
    }

    /// An address so many bytes from this header. The host says where; it may lie before it.
    fn at(&self, offset: i32) -> usize {
        (self as *const Slot as usize).wrapping_add(offset as usize)
    }
}

/// One observation. The box is in 0..1 from the top left corner of the frame; the guest clips it.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    pub kind: &'a str,
    pub score: f32,
    pub track: Option<i32>,
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
    /// a flat JSON object, or nothing
    pub attributes: &'a str,
}

/// An observation as it lies in memory for the host.
#[repr(C)]
struct Record {
    kind: *const u8,
    kind_len: usize,
    score: f32,
    track: i32,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
    attributes: *const u8,
    attributes_len: usize,
}

impl Record {
    fn of(seen: &Observation) -> Record {
        Record {
            kind: seen.kind.as_ptr(),
            kind_len: seen.kind.len(),
            score: seen.score,
            track: seen.track.unwrap_or(-1),
            x: seen.x,
            y: seen.y,
            w: seen.w,
            h: seen.h,
            attributes: seen.attributes.as_ptr(),
            attributes_len: seen.attributes.len(),
        }
    }
}

/// The parameter, or `fallback` where it is not set or is no number.
pub fn param_number(name: &str, fallback: f64) -> f64 {
    unsafe { host::param_number(name.as_ptr(), name.len(), fallback) }
}

/// The parameter as text; `Error::NotFound` where it is not set.
pub fn param_text(name: &str) -> Result<String, Error> {
    let ask = |room: &mut [u8]| unsafe { host::param_text(name.as_ptr(), name.len(), room.as_mut_ptr(), room.len()) };
    let mut bytes = vec![0; counted(ask(&mut []))?];
    counted(ask(&mut bytes))?;
    String::from_utf8(bytes).map_err(|_| Error::Internal)
}

pub fn emit(seen: &Observation) -> Result<(), Error> {
    done(unsafe { host::emit(&Record::of(seen)) })
}

/// One finite number for this frame.
pub fn score(value: f64) -> Result<(), Error> {
    done(unsafe { host::score(value) })
}

/// One for the frame `lag` calls of `analyze` earlier.
pub fn score_at(lag: u16, value: f64) -> Result<(), Error> {
    done(unsafe { host::score_at(lag.into(), value) })
}

/// What is hidden, one byte a pixel in rows of `width`: 0 is background. It is stretched over the whole picture.
pub fn mask(pixels: &[u8], width: u32, height: u32) -> Result<(), Error> {
    done(unsafe { host::mask(pixels.as_ptr(), pixels.len(), width, height) })
}

/// Run a granted model on a region of the full frame (x, y, w, h in 0..1). Its outputs, in the model's order, are put
/// into `room`; the answer is how many there are.
pub fn infer(model: &str, region: [f32; 4], room: &mut [f32]) -> Result<usize, Error> {
    let [x, y, w, h] = region;
    counted(unsafe { host::infer(model.as_ptr(), model.len(), x, y, w, h, room.as_mut_ptr(), room.len()) })
}

/// Where the analyzer that this one follows saw something in this frame (x, y, w, h in 0..1), as much as fits into
/// `room`; the answer is how many boxes there are.
pub fn regions(room: &mut [[f32; 4]]) -> Result<usize, Error> {
    counted(unsafe { host::regions(room.as_mut_ptr(), room.len()) })
}

/// What was stored from `offset` on, as much as fits into `room`. How much that is: 0 at the end.
pub fn state_get(offset: u32, room: &mut [u8]) -> Result<usize, Error> {
    counted(unsafe { host::state_get(offset, room.as_mut_ptr(), room.len()) })
}

pub fn state_put(offset: u32, bytes: &[u8]) -> Result<(), Error> {
    done(unsafe { host::state_put(offset, bytes.as_ptr(), bytes.len()) })
}

/// A line for the operator. What is too much for the host is lost.
pub fn log(level: Level, text: &str) {
    unsafe { host::log(level as i32, text.as_ptr(), text.len()) };
}

/// A finite number for the operator's graphs.
pub fn metric(name: &str, value: f64) -> Result<(), Error> {
    done(unsafe { host::metric(name.as_ptr(), name.len(), value) })
}

// the layouts of the ABI: a wrong size does not compile
const _: [(); 64] = [(); std::mem::size_of::<Slot>()];
const _: [(); 40] = [(); std::mem::size_of::<Record>()];

/// Exports what the host calls, for a type that implements [`Analyzer`].
#[macro_export]
macro_rules! analyzer {
    ($guest:ty) => {
        $crate::guest!($guest, $crate::Analyzer);

        #[export_name = "analyze"]
        pub extern "C" fn camera_edge_analyze(slot: &'static $crate::Slot) -> i32 {
            with_guest(|guest| $crate::Analyzer::analyze(guest, slot))
        }
    };
}

/// Exports what the host calls, for a type that implements [`Rule`].
#[macro_export]
macro_rules! rule {
    ($guest:ty) => {
        $crate::guest!($guest, $crate::Rule);

        #[export_name = "observe"]
        pub extern "C" fn camera_edge_observe(batch: &'static $crate::Batch, _len: u32) -> i32 {
            with_guest(|guest| $crate::Rule::observe(guest, batch))
        }
    };
}

/// What both kinds of module export.
#[doc(hidden)]
#[macro_export]
macro_rules! guest {
    ($guest:ty, $kind:path) => {
        std::thread_local! {
            static GUEST: std::cell::RefCell<Option<$guest>> = std::cell::RefCell::new(None);
        }

        fn with_guest(call: impl FnOnce(&mut $guest) -> $crate::Outcome) -> i32 {
            GUEST.with(|guest| $crate::outcome(guest.borrow_mut().as_mut().map_or(Err("not open".into()), call)))
        }

        #[export_name = "camera_edge_abi"]
        pub extern "C" fn camera_edge_abi() -> i32 {
            $crate::ABI
        }

        #[export_name = "camera_edge_ring"]
        pub extern "C" fn camera_edge_ring(bytes: u32) -> i32 {
            $crate::ring(bytes)
        }

        #[export_name = "open"]
        pub extern "C" fn camera_edge_open() -> i32 {
            $crate::log_panics();
            $crate::outcome(<$guest as $kind>::open().map(|made| GUEST.with(|guest| *guest.borrow_mut() = Some(made))))
        }

        #[export_name = "close"]
        pub extern "C" fn camera_edge_close() {
            with_guest(|guest| Ok(<$guest as $kind>::close(guest)));
        }
    };
}

/// Space for the frames, from the allocator of the guest. Negative: no memory.
#[doc(hidden)]
pub fn ring(bytes: u32) -> i32 {
    match Layout::from_size_align(bytes as usize, 65536) {
        Ok(layout) if bytes > 0 => match unsafe { alloc(layout) } as i32 {
            0 => -1,
            address => address,
        },
        _ => -1,
    }
}

#[doc(hidden)]
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| log(Level::Error, &panic.to_string())));
}

#[doc(hidden)]
pub fn outcome(result: Outcome) -> i32 {
    match result {
        Ok(()) => 0,
        Err(error) => {
            log(Level::Error, &error.to_string());
            -1
        }
    }
}

fn done(status: i32) -> Result<(), Error> {
    counted(status).map(|_| ())
}

fn counted(result: i32) -> Result<usize, Error> {
    match result {
        -1 => Err(Error::BadPointer),
        -2 => Err(Error::BadValue),
        -3 => Err(Error::NotFound),
        -4 => Err(Error::NotGranted),
        -5 => Err(Error::TooMany),
        -6 => Err(Error::TooLarge),
        -7 => Err(Error::NotNow),
        -8 => Err(Error::Failed),
        number if number < 0 => Err(Error::Internal),
        number => Ok(number as usize),
    }
}
