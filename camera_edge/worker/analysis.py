"""Runs a camera's analyzers over its frames: draws the views, wakes who sleeps, gathers what was seen.

Invariant: `prepare` belongs to the capture side, `analyze` to the analysis side; what passes between them is a `Tick`,
and every tick that was prepared is analyzed or released, so that no slot stays leased. A new version of a module takes
its seat between two ticks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

from camera_edge.capture import Frame
from camera_edge.frames import PrivacyMask, Ring, Slot
from camera_edge.inference import Session
from camera_edge.observation import Mask, Observation, Score, Seen
from camera_edge.picture import Picture
from camera_edge.sandbox import Answer, Cache, Runtime, Services
from camera_edge.worker.crew import Crew, CrewPolicy, Seat
from camera_edge.worker.fullpicture import FullPicture
from camera_edge.worker.lineup import Lineup, Member
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan
from camera_edge.worker.regions import Regions
from camera_edge.worker.rings import Rings, Scenery

# how long an analyzer that was woken stays awake after its waker saw the last thing
AWAKE_US = 2_000_000


@dataclass(frozen=True, slots=True)
class Tick:
    """A frame that waits to be analysed. `picture` is there only where a model may ask for the full picture."""

    frame: int
    media_us: int
    utc_ns: int
    lineup: Lineup
    rings: Rings
    slots: Mapping[Ring, Slot]
    picture: Picture | None

    def release(self) -> None:
        self.rings.release(self.slots)


class Analysis:
    """All modules of one camera. Instances are made when the first frame shows the size, and made anew with it."""

    def __init__(self, plan: CameraPlan, runtime: Runtime, cache: Cache, policy: CrewPolicy | None = None) -> None:
        self._runtime = runtime
        self._cache = cache
        self._lineup = Lineup.load(plan, runtime, cache)
        self._privacy = PrivacyMask(plan.privacy_masks)
        zones = [polygon.points for polygon in plan.zones.values()]
        self._scenery = Scenery(self._privacy, zones)
        self._full_picture = FullPicture()
        self._regions = Regions()
        self._prepared: tuple[Lineup, Rings] | None = None
        # of ticks that were prepared and are not analysed yet, and the ones that have seats now
        self._waiting: list[Rings] = []
        self._seated: tuple[Lineup, Rings] | None = None
        self.crew = Crew(self._services, policy or CrewPolicy())
        # put in by who renews, taken out by the analysis; few, for each is a new version
        self.rehearsed: deque[Seat] = deque()
        self._awake_until_us: dict[str, int] = {}
        self.dropped = 0
        self.analysed = 0

    @property
    def plan(self) -> CameraPlan:
        """What the next frame is analysed by."""
        return self._lineup.plan

    def renew(self, plan: CameraPlan) -> None:
        """Have the next frame analysed by the modules of `plan`, which differs in nothing else; from one other thread.

        New versions are started in that thread, where their views are there, so that no frame waits for them.
        Raises ModuleError and ModelError; all stays as it was then.
        """
        lineup = Lineup.load(plan, self._runtime, self._cache, self._lineup)
        seated = self._seated
        if seated is not None:
            self.rehearsed.extend(self.crew.rehearse(lineup, seated[1]))
        self._lineup = lineup

    def prepare(self, frame: Frame) -> Tick | None:
        """Blackens the privacy masks, then draws the frame's views. None: no slot was free, the frame is counted."""
        picture = self._privacy.apply(frame.picture)
        lineup, rings = self._rings_for(picture)
        slots = rings.write(picture, sequence=frame.id, media_us=frame.media_us)
        if slots is None:
            self.dropped += 1
            return None
        kept = picture if lineup.sessions else None
        return Tick(frame.id, frame.media_us, frame.utc_ns, lineup, rings, slots, kept)

    def analyze(self, tick: Tick) -> Seen:
        """What all analyzers see in the frame. Raises QuarantineError never: who fails is missing in `answered`."""
        try:
            if self._seated is None or self._seated != (tick.lineup, tick.rings):
                self._seat(tick.lineup, tick.rings)
            self._full_picture.show(tick.picture)
            self._regions.clear()
            seen = _Gathering(tick)
            for member in tick.lineup.analyzers:
                self._ask(member, tick, seen)
            self.analysed += 1
            return seen.result()
        finally:
            self._full_picture.show(None)
            tick.release()

    @property
    def refused(self) -> dict[str, int]:
        """How many outputs beyond its limits a module gave, for those that did."""
        return {each.name: each.refused for each in self.crew.counts if each.refused}

    def close(self) -> None:
        for seat in self.rehearsed:
            seat.tenant.close()
        self.crew.close()
        for rings in self._waiting:
            rings.close()
        self._waiting = []
        self._seated = self._prepared = None

    def _rings_for(self, picture: Picture) -> tuple[Lineup, Rings]:
        lineup = self._lineup
        known, rings = self._prepared or (None, None)
        if rings is None or (rings.width, rings.height) != (picture.width, picture.height):
            rings = Rings(lineup.views, picture.width, picture.height, self._scenery)
        elif known is not lineup:
            rings = rings.changed(lineup.views)
        else:
            return lineup, rings
        self._waiting = [*self._waiting, rings]
        self._prepared = lineup, rings
        return lineup, rings

    def _seat(self, lineup: Lineup, rings: Rings) -> None:
        """Modules over the frames of this tick; frames of ticks before it are needed no more."""
        ready = [self.rehearsed.popleft() for _ in range(len(self.rehearsed))]
        self.crew.seat(lineup, rings, ready)
        self._seated = lineup, rings
        waiting = self._waiting
        past, present = waiting[: waiting.index(rings)], waiting[waiting.index(rings) :]
        for each in past:
            each.close_but(present)
        # capture may have added others meanwhile
        self._waiting = [each for each in self._waiting if each not in past]

    def _ask(self, member: Member, tick: Tick, seen: _Gathering) -> None:
        seat = self.crew.seat_of(member.name)
        plan, analyzer = seat.version.plan, seat.analyzer
        if plan.wake_on is not None and not self._is_awake(plan.name, plan.wake_on, tick.media_us, seen):
            analyzer.sleep()
            if plan.wake_on in seen.answered:
                # its waker looked and saw nothing, so there is nothing for it to look at
                seen.answered.add(plan.name)
                self._regions.note(plan.name, ())
            return
        assert seat.ring is not None, "an analyzer has frames"
        slot = tick.slots[seat.ring]
        answer = analyzer.analyze(slot.offset, tick.frame, tick.media_us)
        if answer is not None:
            seen.add(plan, answer)
            if answer.complete:
                self._regions.note(plan.name, [each.box for each in answer.observations])
            self.crew.pass_on(plan.name, answer.logs, answer.metrics)
        elif analyzer.quarantined is not None:
            self.crew.note_quarantine(plan.name, analyzer.quarantined)

    def _services(self, plan: AnalyzerPlan, sessions: Mapping[str, Session]) -> Services:
        """What a module is given beside its frames."""
        services = self._full_picture.services(plan, sessions)
        return services if plan.follows is None else replace(services, regions=self._regions.of(plan.follows))

    def _is_awake(self, name: str, waker: str, now_us: int, seen: _Gathering) -> bool:
        if waker in seen.saw_something or waker not in seen.answered:
            self._awake_until_us[name] = now_us + AWAKE_US
        return now_us <= self._awake_until_us.get(name, -1)


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
