"""The way of a frame through one camera, to be read from top to bottom.

`take` is the capture side, `digest` the analysis side: a recording is pulled through both by one thread, a live camera
has a thread for each. Invariant: both see frames in order, and what `digest` settles is never taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from camera_edge.capture import Frame, Grab
from camera_edge.event import Change, Updated
from camera_edge.observation import Seen
from camera_edge.redact import Grid, RedactionHistory
from camera_edge.rules import RuleEngine, Scene
from camera_edge.worker.analysis import Analysis, Tick
from camera_edge.worker.plan import CameraPlan
from camera_edge.worker.recorder import Recorder
from camera_edge.worker.rulers import Rulers
from camera_edge.worker.sampler import Sampler


@dataclass(frozen=True, slots=True)
class Step:
    """What one analysed frame brought."""

    seen: Seen
    changes: Sequence[Change]


class Pipeline:
    """One camera's frames in, steps out. `recorder` None: nothing is kept and no clip is made."""

    def __init__(
        self,
        plan: CameraPlan,
        analysis: Analysis,
        history: RedactionHistory,
        recorder: Recorder | None,
        first_number: int = 0,
    ) -> None:
        self._analysis = analysis
        self._history = history
        self._recorder = recorder
        self._rules = RuleEngine(plan.camera, plan.rules, plan.zones, first_number=first_number)
        self._rulers = Rulers(plan, analysis.crew, self._rules.zones_under)
        self._reported = frozenset(each.name for each in plan.analyzers if each.reported)
        self._sampler = Sampler(plan.rate_hz)
        self._last: Frame | None = None
        self._last_is_due = False
        self._newest_us = 0
        self.frames = 0

    @property
    def best_frames(self) -> frozenset[int]:
        """The best frames of what goes on."""
        return self._rules.best_frames

    def take(self, grab: Grab) -> Iterator[Tick]:
        """Keeps the packet, and puts the frames that are due before the analyzers."""
        if self._recorder is not None and grab.packet is not None and grab.stream is not None:
            self._recorder.keep_packet(grab.packet, grab.stream)
        for frame in grab.frames:
            self.frames += 1
            self._last, self._last_is_due = frame, self._sampler.due(frame.media_us)
            if self._recorder is not None:
                self._recorder.keep_frame(frame, analysed=self._last_is_due)
            if self._last_is_due and (tick := self._analysis.prepare(frame)) is not None:
                yield tick

    def take_last(self) -> Iterator[Tick]:
        """The recording is over: its last frame is analysed too, or the pictures before it would have to be hidden."""
        if self._last is not None and not self._last_is_due:
            tick = self._analysis.prepare(self._last)
            if tick is not None:
                yield tick
        self._last = None

    def digest(self, tick: Tick) -> Step:
        """Analyses one frame, and draws the conclusions."""
        return self.conclude(tick, self._analysis.analyze(tick))

    def conclude(self, tick: Tick, seen: Seen) -> Step:
        """Settles what is hidden around the frame, feeds the rules, and lets rule modules have their say."""
        self._history.add(seen, Grid.for_size(tick.rings.width, tick.rings.height))
        reported = [each for each in seen.observations if each.analyzer in self._reported]
        scene = Scene(tick.utc_ns, tick.rings.height / tick.rings.width)
        standing = self._rules.propose(reported, frame=seen.frame, now_us=seen.media_us, scene=scene)
        verdict = self._rulers.decide(tick, reported, standing)
        changes = self._rules.settle(verdict, frame=seen.frame, now_us=seen.media_us)
        self._newest_us = seen.media_us
        if self._recorder is not None:
            self._recorder.settle(seen.frame, seen.media_us, [*map(Updated, self._rules.going_on), *changes])
        return Step(seen, changes)

    def finish(self) -> Sequence[Change]:
        """The source has ended, or a stop was asked for: what is open closes, and its clip is finished."""
        changes = self._rules.close_all(self._newest_us)
        if self._recorder is not None:
            self._recorder.finish(changes)
        return changes
