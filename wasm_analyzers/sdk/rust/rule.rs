//! Rule modules: they get what other modules saw, and the events made of it, and no pixels.
//!
//! Their manifest asks for the capability `observations`.

use crate::{done, Error, Observation, Record};

mod host {
    use crate::Record;

    #[link(wasm_import_module = "camera_edge")]
    extern "C" {
        pub fn raise(observation: *const Record) -> i32;
        pub fn veto(event: u32) -> i32;
        pub fn relabel(event: u32, kind: *const u8, kind_len: usize, score: f32) -> i32;
    }
}

/// What the modules of a camera said about one frame, for a rule module.
#[repr(C)]
pub struct Batch {
    pub abi: u32,
    observations: u32,
    pub sequence: u64,
    pub media_us: i64,
    pub utc_us: i64,
    /// local time, minutes since Monday 00:00; -1: not known
    pub week_minute: i32,
    observations_offset: u32,
    events: u32,
    events_offset: u32,
    /// how many observations and events found no room
    pub left_out: u32,
    reserved: [u32; 3],
}

impl Batch {
    pub fn observations(&self) -> &[Seen] {
        self.list(self.observations_offset, self.observations)
    }

    pub fn events(&self) -> &[Event] {
        self.list(self.events_offset, self.events)
    }

    /// The host lays both lists out behind the header.
    fn list<T>(&self, offset: u32, count: u32) -> &[T] {
        let first = self as *const Batch as usize + offset as usize;
        unsafe { std::slice::from_raw_parts(first as *const T, count as usize) }
    }
}

/// UTF-8 that the host put beside the batch.
#[repr(C)]
pub struct Text {
    bytes: *const u8,
    len: u32,
}

impl Text {
    pub fn as_str(&self) -> &str {
        if self.len == 0 {
            return "";
        }
        let bytes = unsafe { std::slice::from_raw_parts(self.bytes, self.len as usize) };
        std::str::from_utf8(bytes).unwrap_or("")
    }
}

/// One observation of another module.
#[repr(C)]
pub struct Seen {
    pub analyzer: Text,
    pub kind: Text,
    pub score: f32,
    /// -1: it has none
    pub track: i32,
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
    /// bit n: it lies in the camera's n-th zone, in the order of the parameter `camera.zones`
    pub zones: u32,
    pub attributes: Text,
    reserved: [u32; 3],
}

pub const GOES_ON: u32 = 0;
pub const OPENS: u32 = 1;
pub const CHANGED: u32 = 2;
pub const CLOSES: u32 = 3;

/// One event of this camera. `id` is empty while it opens; `closed_us` is -1 while it is open.
#[repr(C)]
pub struct Event {
    pub phase: u32,
    pub id: Text,
    pub rule: Text,
    pub kind: Text,
    pub analyzer: Text,
    pub score: f32,
    pub opened_us: i64,
    pub closed_us: i64,
    pub zones: u32,
    reserved: [u32; 5],
}

/// Opens an event of one of the manifest's kinds, or keeps it open.
pub fn raise(seen: &Observation) -> Result<(), Error> {
    done(unsafe { host::raise(&Record::of(seen)) })
}

/// The event with this index in the batch does not open, or closes.
pub fn veto(event: u32) -> Result<(), Error> {
    done(unsafe { host::veto(event) })
}

/// Another of the manifest's kinds for this event; `None` keeps the score that it has.
pub fn relabel(event: u32, kind: &str, score: Option<f32>) -> Result<(), Error> {
    done(unsafe { host::relabel(event, kind.as_ptr(), kind.len(), score.unwrap_or(-1.0)) })
}

const _: [(); 64] = [(); std::mem::size_of::<Batch>()];
const _: [(); 64] = [(); std::mem::size_of::<Seen>()];
const _: [(); 80] = [(); std::mem::size_of::<Event>()];
