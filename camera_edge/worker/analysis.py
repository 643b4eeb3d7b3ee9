"""Runs a camera's analyzers over its frames: draws the views, wakes who sleeps, gathers what was seen.

Invariant: `prepare` belongs to the capture side, `analyze` to the analysis side; what passes between them is a `Tick`,
and every tick that was prepared is analyzed or released, so that no slot stays leased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camera_edge.capture import Frame
from camera_edge.frames import PrivacyMask, Ring, Slot
from camera_edge.inference import Session
from camera_edge.observation import Box, Mask, Observation, Score, Seen
from camera_edge.picture import Picture
from camera_edge.sandbox import Analyzer, Answer, Cache, Grants, Program, RingMap, Runtime, Services
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan
from camera_edge.worker.rings import Rings, Scenery

# how long an analyzer that was woken stays awake after its waker saw the last thing
AWAKE_US = 2_000_000


@dataclass(frozen=True, slots=True)
class Tick:
    """A frame that waits to be analysed. `picture` is there only where a model may ask for the full picture."""

    frame: int
    media_us: int
    utc_ns: int
    rings: Rings
    slots: Mapping[Ring, Slot]
    picture: Picture | None

    def release(self) -> None:
        self.rings.release(self.slots)


class _Camera:
    """The full picture of the frame that is being analysed, for `infer`; converted at most once a frame."""

    def __init__(self, sessions: Mapping[str, Session]) -> None:
        self._sessions = sessions
        self._picture: Picture | None = None
        self._bgr: NDArray[np.uint8] | None = None

    def show(self, picture: Picture | None) -> None:
        self._picture, self._bgr = picture, None

    def infer(self, model: str, region: Box) -> NDArray[np.float32]:
        if self._bgr is None:
            if self._picture is None:
                raise RuntimeError("infer was called outside of a frame")
            self._bgr = self._picture.to_bgr()
        return self._sessions[model].infer(self._bgr, region)


class Analysis:
    """All analyzers of one camera. Instances are made when the first frame shows the size, and made anew with it."""

    def __init__(self, plan: CameraPlan, runtime: Runtime, cache: Cache) -> None:
        self._plan = plan
        self._programs: dict[str, Program] = {each.name: runtime.load(each.module, cache) for each in plan.analyzers}
        models = {model.name: model for each in plan.analyzers for model in each.models}
        sessions = {name: Session(model) for name, model in models.items()}
        self._camera = _Camera(sessions)
        self._graphs = {name: session.graph for name, session in sessions.items()}
        self._keeps_picture = bool(sessions)
        self._privacy = PrivacyMask(plan.privacy_masks)
        self._specs = [each.module.manifest.view.spec for each in plan.analyzers]
        self._prepared: Rings | None = None
        self._mapped: Rings | None = None
        # replaced as a whole and never changed: other threads read counters
        self._benches: Mapping[str, Analyzer] = {}
        self._careers = {each.name: _Career() for each in plan.analyzers}
        self._awake_until_us: dict[str, int] = {}
        self.dropped = 0
        self.analysed = 0

    def prepare(self, frame: Frame) -> Tick | None:
        """Blackens the privacy masks, then draws the frame's views. None: no slot was free, the frame is counted."""
        picture = self._privacy.apply(frame.picture)
        if self._prepared is None or (self._prepared.width, self._prepared.height) != (picture.width, picture.height):
            zones = [polygon.points for polygon in self._plan.zones.values()]
            self._prepared = Rings(self._specs, picture.width, picture.height, Scenery(self._privacy, zones))
        slots = self._prepared.write(picture, sequence=frame.id, media_us=frame.media_us)
        if slots is None:
            self.dropped += 1
            return None
        kept = picture if self._keeps_picture else None
        return Tick(frame.id, frame.media_us, frame.utc_ns, self._prepared, slots, kept)

    def analyze(self, tick: Tick) -> Seen:
        """What all analyzers see in the frame. Raises QuarantineError never: who fails is missing in `answered`."""
        try:
            if tick.rings is not self._mapped:
                self._map(tick.rings)
            self._camera.show(tick.picture)
            seen = _Gathering(tick)
            for plan in self._plan.analyzers:
                self._ask(plan, tick, seen)
            self.analysed += 1
            return seen.result()
        finally:
            self._camera.show(None)
            tick.release()

    def analyzer(self, name: str) -> Analyzer | None:
        """The running analyzer, for its counters; None before the first frame."""
        return self._benches.get(name)

    @property
    def quarantined(self) -> dict[str, str]:
        """Analyzers that are in quarantine, with the reason."""
        return {name: each.quarantined for name, each in self._benches.items() if each.quarantined is not None}

    @property
    def traps(self) -> int:
        """Frames that an analyzer was asked about and gave no answer for."""
        past = sum(career.traps for career in self._careers.values())
        return past + sum(each.counters.traps for each in self._benches.values())

    @property
    def broken(self) -> dict[str, str]:
        """Analyzers that were in quarantine at any time or never gave an answer, with the reason; after `close()`."""
        reasons = {name: career.reason for name, career in self._careers.items()}
        return {name: reason for name, reason in reasons.items() if reason is not None}

    @property
    def refused(self) -> dict[str, int]:
        """How many outputs beyond its limits an analyzer gave, for those that did; after `close()`."""
        return {name: career.refused for name, career in self._careers.items() if career.refused}

    def close(self) -> None:
        self._close_benches()
        for rings in (self._mapped, self._prepared):
            if rings is not None:
                rings.close()
        self._mapped = self._prepared = None

    def _close_benches(self) -> None:
        benches, self._benches = self._benches, {}
        for name, each in benches.items():
            each.close()
            self._careers[name].add(each)

    def _ask(self, plan: AnalyzerPlan, tick: Tick, seen: _Gathering) -> None:
        bench = self._benches[plan.name]
        if plan.wake_on is not None and not self._is_awake(plan.name, plan.wake_on, tick.media_us, seen):
            bench.sleep()
            if plan.wake_on in seen.answered:
                # its waker looked and saw nothing, so there is nothing for it to look at
                seen.answered.add(plan.name)
            return
        slot = tick.slots[tick.rings.ring(plan.module.manifest.view.spec)]
        answer = bench.analyze(slot.offset, tick.frame, tick.media_us)
        if answer is not None:
            seen.add(plan, answer)
        elif bench.quarantined is not None:
            self._careers[plan.name].quarantine(bench.quarantined)

    def _is_awake(self, name: str, waker: str, now_us: int, seen: _Gathering) -> bool:
        if waker in seen.saw_something or waker not in seen.answered:
            self._awake_until_us[name] = now_us + AWAKE_US
        return now_us <= self._awake_until_us.get(name, -1)

    def _map(self, rings: Rings) -> None:
        """New instances over new rings; what the old ones knew is of another picture size."""
        self._close_benches()
        if self._mapped is not None:
            self._mapped.close()
        self._mapped = rings
        self._benches = {plan.name: self._bench(plan, rings) for plan in self._plan.analyzers}

    def _bench(self, plan: AnalyzerPlan, rings: Rings) -> Analyzer:
        ring = rings.ring(plan.module.manifest.view.spec)
        services = Services(
            infer=self._camera.infer if plan.models else None,
            graph=(lambda name: self._graphs[name]()) if plan.models else None,
        )
        return Analyzer(
            self._programs[plan.name],
            Grants(plan.capabilities, plan.params, plan.state),
            services,
            RingMap(ring.fd, ring.size_bytes),
        )


@dataclass(slots=True)
class _Career:
    """What became of one analyzer over all its instances that are gone."""

    calls: int = 0
    answers: int = 0
    traps: int = 0
    refused: int = 0
    last_fault: str | None = None
    quarantined: str | None = None

    def add(self, closed: Analyzer) -> None:
        counters = closed.counters
        self.calls += counters.calls
        self.answers += counters.answers
        self.traps += counters.traps
        self.refused += counters.refused
        self.last_fault = closed.last_fault or self.last_fault

    def quarantine(self, reason: str) -> None:
        """Only the first one is remembered: it says what went wrong."""
        self.quarantined = self.quarantined or reason

    @property
    def reason(self) -> str | None:
        """Why its silence must not be taken for "nothing seen"."""
        if self.quarantined:
            return f"was quarantined: {self.quarantined}"
        if self.calls and not self.answers:
            return f"never gave an answer, the last time: {self.last_fault}"
        return None


class _Gathering:
    """What was seen in one frame so far."""

    def __init__(self, tick: Tick) -> None:
        self._tick = tick
        self._observations: list[Observation] = []
        self._masks: list[Mask] = []
        self._scores: list[Score] = []
        self.answered: set[str] = set()
        self.saw_something: set[str] = set()

    def add(self, plan: AnalyzerPlan, answer: Answer) -> None:
        self._observations += answer.observations
        if answer.mask is not None:
            self._masks.append(answer.mask)
        self._scores += answer.scores
        if answer.complete:
            self.answered.add(plan.name)
        if answer.observations:
            self.saw_something.add(plan.name)

    def result(self) -> Seen:
        return Seen(
            frame=self._tick.frame,
            media_us=self._tick.media_us,
            observations=tuple(self._observations),
            masks=tuple(self._masks),
            scores=tuple(self._scores),
            answered=frozenset(self.answered),
        )
