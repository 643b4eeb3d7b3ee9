"""The suite `tamper`: what the analyzer reports of real recordings that were tampered with, and of the same untouched.

Invariant: each tampered recording is a video file that the real pipeline reads. Nobody tampers before the onset, so an
event that opens earlier is false, and so is every event of an untouched recording.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2

from camera_edge.capture import SourceOptions
from camera_edge.errors import OutputError, UsageError
from camera_edge.eval.picturefile import Pixels, frames
from camera_edge.eval.replay import Replay, Setup, Site
from camera_edge.eval.tampering import Kind, synthesise

TAMPER = "tamper"
RATE_HZ = 5.0
LIMIT_S = 3.0  # what comes later is missed
BEFORE_S, AFTER_S = 8.0, 4.0
HOUR_S = 3600.0
MICROSECONDS = 1_000_000
_IMAGES_HZ = SourceOptions().fps  # of a folder of images, as the pipeline plays it
_VIDEOS = frozenset({".mp4", ".avi", ".mkv", ".mov"})


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording: `images` are its frames where it is a folder of them."""

    name: str
    source: Path
    fps: float
    images: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """An event, and what it was said to be."""

    opened_s: float
    what: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One tampered recording. delay_s: from the onset to the event, None: missed. early: events before the onset."""

    clip: str
    kind: Kind
    seed: int
    delay_s: float | None
    what: str
    early: int
    before_s: float


@dataclass(frozen=True, slots=True)
class Untouched:
    """A recording as it is: every event is false."""

    clip: str
    seconds: float
    false: tuple[Sighting, ...]
    ms_per_frame: float


@dataclass(frozen=True, slots=True)
class KindFigures:
    """named: how many of those that were found were called by their kind."""

    found: int
    missed: int
    named: int
    delays_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TamperFigures:
    trials: tuple[Trial, ...]
    untouched: tuple[Untouched, ...]

    @property
    def found(self) -> int:
        return sum(each.delay_s is not None for each in self.trials)

    @property
    def missed(self) -> int:
        return len(self.trials) - self.found

    @property
    def hours(self) -> float:
        """Of pictures that nobody tampered with."""
        whole_s = sum(each.seconds for each in self.untouched) + sum(each.before_s for each in self.trials)
        return whole_s / HOUR_S

    @property
    def false(self) -> int:
        return sum(len(each.false) for each in self.untouched) + sum(each.early for each in self.trials)

    @property
    def false_per_hour(self) -> float | None:
        return self.false / self.hours if self.hours else None

    @property
    def delay_s(self) -> float | None:
        """The mean; None where nothing was found."""
        delays = [each.delay_s for each in self.trials if each.delay_s is not None]
        return fmean(delays) if delays else None

    @property
    def ms_per_frame(self) -> float | None:
        return fmean(each.ms_per_frame for each in self.untouched) if self.untouched else None

    def of_kind(self, kind: Kind) -> KindFigures:
        mine = [each for each in self.trials if each.kind is kind]
        hits = [each for each in mine if each.delay_s is not None]
        return KindFigures(
            found=len(hits),
            missed=len(mine) - len(hits),
            named=sum(each.what == kind for each in hits),
            delays_s=tuple(each.delay_s for each in hits if each.delay_s is not None),
        )


def find_clips(data: Path) -> list[Clip]:
    """Videos below `data`, or itself, and folders `input` of images; not those to learn from. Raises UsageError."""
    paths = [data] if data.is_file() else sorted(data.rglob("*"))
    clips = []
    for path in paths:
        if path.suffix.lower() in _VIDEOS and not path.stem.startswith("train"):
            clips.append(Clip(path.stem, path, _rate_of(path)))
        elif path.is_dir() and path.name == "input" and (images := tuple(sorted(path.glob("*.jpg")))):
            clips.append(Clip(path.parent.name, path, _IMAGES_HZ, images))
    if not clips:
        raise UsageError(f"no recording lies in {data}", hint="give a folder of videos, or of CDnet recordings")
    return clips


def measure_tamper(
    clips: Sequence[Clip], site: Site, seeds: Sequence[int] = (0,), rate_hz: float | None = RATE_HZ
) -> TamperFigures:
    """Every kind once for each seed on every clip. `rate_hz` None: every frame. Raises what a replay does."""
    setup = Setup({TAMPER: {}}, rate_hz)
    trials: list[Trial] = []
    untouched: list[Untouched] = []
    with tempfile.TemporaryDirectory(prefix="camera-edge-tamper-") as folder:
        for clip in clips:
            site.say(f"{clip.name}: untouched")
            untouched.append(_watch(clip, setup, site))
            for kind in Kind:
                site.say(f"{clip.name}: {kind}")
                trials += [_try(clip, kind, seed, Path(folder), (setup, site)) for seed in seeds]
    return TamperFigures(tuple(trials), tuple(untouched))


def judge(sightings: Sequence[Sighting], onset_s: float) -> tuple[float | None, str, int]:
    """Delay and name of the first event from the onset on, None and "" where it comes too late; events before."""
    early = sum(each.opened_s < onset_s for each in sightings)
    late = min((each for each in sightings if each.opened_s >= onset_s), key=lambda each: each.opened_s, default=None)
    if late is None or late.opened_s - onset_s > LIMIT_S:
        return None, "", early
    return late.opened_s - onset_s, late.what, early


def document_of(figures: TamperFigures) -> dict[str, Any]:
    """For `--json`: the promised keys at the top, then kinds, recordings and what was false."""
    return {
        "suite": TAMPER,
        "found": figures.found,
        "missed": figures.missed,
        "false_per_hour": figures.false_per_hour,
        "delay_s": figures.delay_s,
        "hours_untouched": figures.hours,
        "ms_per_frame": figures.ms_per_frame,
        "kinds": {str(kind): _kind_document(figures.of_kind(kind)) for kind in Kind},
        "recordings": [
            {
                "name": each.clip,
                "seconds": each.seconds,
                "false": [{"opened_s": sighting.opened_s, "what": sighting.what} for sighting in each.false],
                "ms_per_frame": each.ms_per_frame,
                "trials": [_trial_document(trial) for trial in figures.trials if trial.clip == each.clip],
            }
            for each in figures.untouched
        ],
    }


def _kind_document(figures: KindFigures) -> Mapping[str, Any]:
    return {
        "found": figures.found,
        "missed": figures.missed,
        "named": figures.named,
        "delay_s": fmean(figures.delays_s) if figures.delays_s else None,
        "delay_max_s": max(figures.delays_s, default=None),
    }


def _trial_document(trial: Trial) -> Mapping[str, Any]:
    return {
        "kind": str(trial.kind),
        "seed": trial.seed,
        "delay_s": trial.delay_s,
        "what": trial.what,
        "early": trial.early,
    }


def _watch(clip: Clip, setup: Setup, site: Site) -> Untouched:
    replay = Replay(clip.source, setup, site)
    sightings = _sightings(replay)
    return Untouched(clip.name, replay.frames / clip.fps, tuple(sightings), replay.timing.analyzers_ms[TAMPER])


def _try(clip: Clip, kind: Kind, seed: int, folder: Path, how: tuple[Setup, Site]) -> Trial:
    path = folder / "tampered.mp4"
    before = round(BEFORE_S * clip.fps)
    shown = _to_and_fro(clip, before + round(AFTER_S * clip.fps))
    _write(path, [*shown[:before], *synthesise(kind, shown[before:], clip.fps, seed)], clip.fps)
    delay_s, what, early = judge(_sightings(Replay(path, *how)), before / clip.fps)
    return Trial(clip.name, kind, seed, delay_s, what, early, before / clip.fps)


def _sightings(replay: Replay) -> list[Sighting]:
    said: dict[int, str] = {}
    for step in replay.steps():
        for each in step.seen.observations:
            if each.kind == TAMPER:
                said[step.seen.media_us] = str(each.attributes["what"])
    opened = [each.opened_us for each in replay.events if each.kind == TAMPER]
    return [Sighting(at / MICROSECONDS, said.get(at, "")) for at in opened]


def _to_and_fro(clip: Clip, count: int) -> list[Pixels]:
    """So many frames; a clip that is too short runs back from its end, and forth again."""
    read = list(islice(_frames(clip), count))
    there_and_back = [*read, *read[-2:0:-1]]
    return [there_and_back[number % len(there_and_back)] for number in range(count)]


def _frames(clip: Clip) -> Iterator[Pixels]:
    return frames(clip.source, list(clip.images) or None)


def _write(path: Path, pictures: Sequence[Pixels], fps: float) -> None:
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
    try:
        if not writer.isOpened():
            raise OutputError("no video can be written", where=str(path), hint="install OpenCV with FFmpeg")
        for picture in pictures:
            writer.write(picture)
    finally:
        writer.release()


def _rate_of(path: Path) -> float:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        return float(capture.get(cv2.CAP_PROP_FPS)) or _IMAGES_HZ
    finally:
        capture.release()
