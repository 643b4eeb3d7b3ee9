"""The suite `events`: what a camera's default rules report of recordings, against an `events.json`.

Invariant: the analyzers run at a camera's default rate and with their default parameters. Judged are the kinds that
the annotation speaks of, and `tamper` everywhere: nobody tampers with these cameras.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

from camera_edge.eval.annotation import LEFT, REMOVED, AnnotatedRecording, find_annotated
from camera_edge.eval.incidents import Alarm, Verdict, judge_spans, judge_turns
from camera_edge.eval.replay import ParamValue, Replay, Setup, Site, Timing
from camera_edge.event import Event
from camera_edge.sandbox import shipped, shipped_names

RATE_HZ = 5.0
TAMPER, PERSON, OBJECTS = "tamper", "person", "objects"
TURNS = "objects left and removed"
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class EventsResult:
    """verdicts: by what was judged. alarms: the events of judged kinds, in order. unjudged: annotated kinds that no
    shipped analyzer reports."""

    recording: AnnotatedRecording
    frames: int
    verdicts: Mapping[str, Verdict]
    alarms: Sequence[Alarm]
    timing: Timing
    unjudged: Sequence[str] = ()

    @property
    def verdict(self) -> Verdict:
        return reduce(add, self.verdicts.values(), Verdict())


@dataclass(frozen=True, slots=True)
class EventsFigures:
    verdict: Verdict
    verdicts: Mapping[str, Verdict]
    recordings: Sequence[EventsResult]


def measure_events(recordings: Sequence[AnnotatedRecording], model: str, site: Site) -> EventsFigures:
    """`site` has the model, where persons or vehicles are to be found. Raises what a replay raises."""
    results = []
    for recording in recordings:
        setup = _setup(recording, model)
        site.say(f"{recording.name}: {', '.join(setup.analyzers)}")
        results.append(_measure(recording, setup, site))
    verdicts: dict[str, Verdict] = {}
    for each in results:
        if each.unjudged:
            site.say(f"{each.recording.name}: no shipped analyzer reports {', '.join(each.unjudged)}; not judged")
        for name, verdict in each.verdicts.items():
            verdicts[name] = verdicts.get(name, Verdict()) + verdict
    return EventsFigures(reduce(add, verdicts.values(), Verdict()), verdicts, results)


def find_recordings(data: Path) -> tuple[list[AnnotatedRecording], bool]:
    """The recordings, and whether a detector is needed. Raises UsageError where there is none."""
    recordings = find_annotated(data)
    return recordings, any(each.present for each in recordings)


def _setup(recording: AnnotatedRecording, model: str) -> Setup:
    analyzers: dict[str, dict[str, ParamValue]] = {}
    if recording.counted:
        analyzers["motion"] = {}
    if recording.present:
        analyzers[OBJECTS] = {"model": model}
    if TAMPER in shipped_names():
        analyzers[TAMPER] = {}
    return Setup(analyzers or {"motion": {}}, RATE_HZ)


def _measure(recording: AnnotatedRecording, setup: Setup, site: Site) -> EventsResult:
    replay = Replay(recording.source, setup, site)
    replay.run()
    alarms = [_alarm(event) for event in replay.events]
    reported = {kind for name in shipped_names() for kind in shipped(name).manifest.kinds}
    verdicts = {
        kind: judge_spans(
            [each for each in alarms if each.kind == kind],
            spans,
            tolerance_s=recording.tolerance_s,
            # how long a person stays is what dwelling is about
            whole=kind == PERSON,
        )
        for kind, spans in recording.present.items()
        if kind in reported
    }
    if recording.counted:
        turned = [each for each in alarms if each.kind in (LEFT, REMOVED)]
        verdicts[TURNS] = judge_turns(turned, recording.turns, tolerance_s=recording.turn_tolerance_s)
    if TAMPER in setup.analyzers:
        tampered = [each for each in alarms if each.kind in shipped(TAMPER).manifest.kinds]
        verdicts[TAMPER] = judge_spans(tampered, (), tolerance_s=0, whole=False)
    judged = {*verdicts, TAMPER, *((LEFT, REMOVED) if recording.counted else ())}
    told = sorted((each for each in alarms if each.kind in judged), key=lambda each: each.opened_s)
    unjudged = sorted(set(recording.present) - reported)
    return EventsResult(recording, replay.frames, verdicts, told, replay.timing, unjudged)


def _alarm(event: Event) -> Alarm:
    assert event.closed_us is not None, "an event that ended is closed"
    return Alarm(event.kind, event.opened_us / MICROSECONDS, event.closed_us / MICROSECONDS)
