"""Collects what an analysis tells, and writes it as one page at the end: `analyze --report`.

Invariant: the file that was there before stays until the whole page is on the disk. The page is written too where the
run ends before its end, and says so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import TracebackType

from camera_edge.cli.moments import Moment, Moments
from camera_edge.cli.report import CLIPS
from camera_edge.cli.rule_words import asks
from camera_edge.cli.talk import talk
from camera_edge.clock import SystemClock, iso_utc
from camera_edge.dossier import (
    Dossier,
    EventFound,
    Figures,
    ModuleFacts,
    RuleFacts,
    Setting,
    Shortlist,
    SourceFindings,
    Span,
    Tracer,
    page,
)
from camera_edge.durable import write_durably
from camera_edge.errors import CameraEdgeError, OutputError, UsageError
from camera_edge.installed import installed_version
from camera_edge.sandbox.manifest import is_host_param
from camera_edge.worker.pipeline import Step
from camera_edge.worker.plan import AnalyzerPlan, CameraPlan
from camera_edge.worker.provenance import provenance
from camera_edge.worker.recordings import EventEnded, RecordingNews, Summary

SUFFIXES = (".html", ".htm")


class DossierFile:
    """The page of one run of `analyze` over one source after the other.

    That it can be written is tried at the start, before hours of work. Raises UsageError and OutputError then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shortlist = Shortlist()
        self._sources: list[_Collector] = []

    def __enter__(self) -> DossierFile:
        if self._path.suffix.lower() not in SUFFIXES:
            raise UsageError(
                f"--report {self._path} is no page by its name", hint="name it as in `--report found.html`"
            )
        if self._path.exists() and not self._path.is_file():
            raise OutputError("is no file", where=str(self._path), hint="give the name of a file")
        # a link stays one, and what it leads to is written
        self._path = self._path.resolve()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._path.parent):
                pass
        except OSError as exc:
            raise self._unwritten(exc, "name a file in a folder that you may write to") from exc
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        made_utc = iso_utc(SystemClock().utc_ns())
        sources = tuple(each.findings() for each in self._sources)
        dossier = Dossier(made_utc, installed_version("camera-edge"), sources, _broke_off(error))
        try:
            write_durably(self._path, page(dossier))
        except OSError as exc:
            raise self._unwritten(exc, "free some space, or name another file") from exc
        talk.print(f"report: {self._path}", markup=False)

    def begin(self, plan: CameraPlan) -> None:
        self._sources.append(_Collector(len(self._sources), plan, self._shortlist))

    def tell(self, news: RecordingNews) -> None:
        self._sources[-1].tell(news)

    def end(self, faults: Sequence[CameraEdgeError]) -> None:
        """The source is over, and this was wrong with it."""
        self._sources[-1].faults += [_said(fault) for fault in faults]

    def _unwritten(self, exc: OSError, hint: str) -> OutputError:
        return OutputError(f"the report cannot be written: {exc.strerror}", where=str(self._path), hint=hint)


class _Collector:
    """What was found in one source so far. Of events all times are kept, and of some of them the rest."""

    def __init__(self, number: int, plan: CameraPlan, shortlist: Shortlist) -> None:
        self._number = number
        self._plan = plan
        self._reported = frozenset(each.name for each in plan.analyzers if each.reported)
        self._setting = _setting(plan)
        self._shortlist = shortlist
        self._moments = Moments()
        self._length_us = 0
        self._spans: list[Span] = []
        self._tracers: dict[tuple[str, bool], Tracer] = {}
        self._summary: Summary | None = None
        self.faults: list[str] = []

    def tell(self, news: RecordingNews) -> None:
        match news:
            case Step():
                self._tell_step(news)
            case EventEnded():
                self._tell_event(news)
            case Summary():
                self._summary = news
                self._setting = replace(self._setting, made_of=news.made_of)

    def findings(self) -> SourceFindings:
        summary = self._summary
        return SourceFindings(
            source=self._plan.source,
            camera=self._plan.camera,
            setting=self._setting,
            figures=None if summary is None else _figures(summary),
            length_us=self._length_us,
            spans=tuple(self._spans),
            events=self._shortlist.events(self._number),
            left_out=self._shortlist.left_out(self._number),
            traces=tuple(tracer.trace(name, revised=late) for (name, late), tracer in self._tracers.items()),
            faults=tuple(self.faults),
            warnings=() if summary is None else summary.warnings,
            progress=() if summary is None else summary.modules,
        )

    def _tell_step(self, step: Step) -> None:
        seen = step.seen
        self._moments.add(Moment(seen.frame, seen.media_us))
        self._length_us = seen.media_us
        for score in seen.scores:
            at = self._moments.before(score.lag)
            if score.analyzer in self._reported and at is not None:
                tracer = self._tracers.setdefault((score.analyzer, score.lag > 0), Tracer())
                tracer.add(at.media_us, score.value)

    def _tell_event(self, ended: EventEnded) -> None:
        event = ended.event
        closed_us = event.closed_us if event.closed_us is not None else event.opened_us
        self._spans.append(Span(event.kind, event.analyzer, event.opened_us, closed_us, event.id))
        clip = ended.outcome.clip if ended.outcome is not None else None
        name = f"{CLIPS}/{clip.clip}" if clip is not None else None
        self._shortlist.add(self._number, EventFound(event, ended.snapshot, name))


def _broke_off(error: BaseException | None) -> str:
    if error is None:
        return ""
    if isinstance(error, CameraEdgeError):
        return _said(error)
    if isinstance(error, KeyboardInterrupt):
        return "it was stopped"
    return f"a fault in the program, {type(error).__name__}"


def _said(fault: CameraEdgeError) -> str:
    return f"{fault.where}: {fault.message}" if fault.where else fault.message


def _figures(summary: Summary) -> Figures:
    return Figures(
        frames=summary.frames,
        analysed=summary.analysed,
        seconds=summary.seconds,
        cpu_s=summary.cpu_s,
        traps=summary.traps,
        dropped=summary.dropped,
        egress_bytes=summary.egress_bytes,
    )


def _setting(plan: CameraPlan) -> Setting:
    return Setting(
        rate_hz=plan.rate_hz,
        modules=tuple(_module(each) for each in plan.analyzers),
        rules=tuple(RuleFacts(rule.name, asks(rule)) for rule in plan.rules),
        zones=tuple(plan.zones),
        # what opened the source says what decodes it
        made_of=provenance(plan, plan.analyzers, decoder=""),
    )


def _module(plan: AnalyzerPlan) -> ModuleFacts:
    return ModuleFacts(
        name=plan.name,
        version=plan.module.manifest.version,
        sha256=plan.module.sha256,
        capabilities=tuple(sorted(plan.capabilities)),
        params=tuple(f"{key}={value}" for key, value in sorted(plan.params.items()) if not is_host_param(key)),
        reported=plan.reported,
        state_sha256=sha256(plan.state).hexdigest() if plan.state else "",
    )
