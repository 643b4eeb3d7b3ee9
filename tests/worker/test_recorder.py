from pathlib import Path

import numpy as np

from camera_edge.capture import Frame
from camera_edge.clips import ClipFolder, Fingerprint, PreRoll, RedactionRecord
from camera_edge.frames import PrivacyMask
from camera_edge.picture import Picture
from camera_edge.redact import Mode, RedactionHistory, RedactionPolicy
from camera_edge.worker.provenance import Provenance
from camera_edge.worker.recorder import ClipTimes, Recorder
from camera_edge.worker.recording import Studio
from camera_edge.worker.redactor import Redactor


def recorder(folder: Path) -> Recorder:
    history = RedactionHistory(RedactionPolicy(frozenset({"motion"}), 200_000), 1_000_000)
    made_of = Provenance(
        "test",
        (),
        (),
        Fingerprint(decoder="none", machine="none"),
        RedactionRecord(mode="pixelate", required=("motion",), pad=0.2, hold_s=1.0, period_s=0.2),
    )
    redactor = Redactor(history, PrivacyMask([]), Mode.PIXELATE)
    studio = Studio(PreRoll(1_000_000, 1_000_000), {}, redactor, ClipFolder(folder), lambda: made_of)
    return Recorder(studio, {}, ClipTimes(0, 0, 1), lambda outcome: None)


def frame(number: int, media_us: int, utc_ns: int) -> Frame:
    plane = np.zeros((16, 16), np.uint8)
    half = np.zeros((8, 8), np.uint8)
    picture = Picture(plane, half, half, lambda: np.zeros((16, 16, 3), np.uint8))
    return Frame(number, media_us, utc_ns, picture, number, 0)


def test_the_time_of_day_of_an_event_does_not_move_with_the_camera_s_clock(tmp_path: Path) -> None:
    subject = recorder(tmp_path)
    subject.keep_frame(frame(0, 1_000_000, 5_000_000_000), analysed=True)
    told = subject.utc_ns(1_000_000)
    subject.keep_frame(frame(1, 2_000_000, 6_003_000_000), analysed=True)
    assert subject.utc_ns(1_000_000) == told == 5_000_000_000
    assert subject.utc_ns(2_000_000) == 6_003_000_000
