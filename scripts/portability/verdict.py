"""Holds what several runtimes made of one tape against what was recorded.

Invariant: pure. Transcripts are equal or not; there is no tolerance. Fuel is compared between the runtimes that meter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scripts.portability.tape import Reel, Replay
from scripts.portability.transcript import Summary

RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a runtime first departs from the recorded run, in one reel. `frame`: its place on the tape, if in one."""

    runtime: str
    reel: str
    where: str
    frame: int | None

    def __str__(self) -> str:
        return f"{self.runtime} differs in {self.reel}, first {self.where}"


def hash_of(reels: Mapping[str, Summary]) -> str:
    """One SHA-256 over a runtime's transcripts, in order of the reels' names."""
    lines = "".join(f"{name} {reels[name].sha256}\n" for name in sorted(reels))
    return hashlib.sha256(lines.encode("ascii")).hexdigest()


def recorded(reels: tuple[Reel, ...]) -> dict[str, Summary]:
    return {reel.name: reel.heard for reel in reels}


def differences(runtime: str, replay: Replay, reels: tuple[Reel, ...]) -> Iterator[Difference]:
    """One for each reel that is not as it was recorded."""
    for reel in reels:
        found = replay.reels.get(reel.name)
        if found is None:
            yield Difference(runtime, reel.name, "by not running it", None)
        elif found.sha256 != reel.heard.sha256:
            yield _first(runtime, reel, found)
        elif found.fuel is not None and found.fuel != reel.heard.fuel:
            used = f"{found.fuel} units of fuel, {reel.heard.fuel} when it was recorded"
            yield Difference(runtime, reel.name, f"in what it used: {used}", None)


def _first(runtime: str, reel: Reel, found: Summary) -> Difference:
    pairs = zip(found.parts, reel.heard.parts, strict=False)
    place = next((place for place, (ours, theirs) in enumerate(pairs) if ours != theirs), len(found.parts))
    if place == 0:
        return Difference(runtime, reel.name, "before the first frame", None)
    if place > len(reel.frames):
        return Difference(runtime, reel.name, "after the last frame", None)
    frame = reel.frames[place - 1]
    at_s = frame.media_us / 1_000_000
    where = (
        f"at frame {place} of {len(reel.frames)} on the tape (number {frame.sequence} of its source, at {at_s:.2f} s)"
    )
    return Difference(runtime, reel.name, where, place)
