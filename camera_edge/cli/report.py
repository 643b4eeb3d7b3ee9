"""Tells what an analysis found: JSON Lines or words for people, and mask files."""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from camera_edge.cli.moments import Moment, Moments
from camera_edge.cli.talk import put_json, show, talk
from camera_edge.encode import png
from camera_edge.errors import OutputError
from camera_edge.observation import Mask, Observation, Score
from camera_edge.worker.pipeline import Step
from camera_edge.worker.plan import CameraPlan
from camera_edge.worker.recordings import EventEnded, RecordingNews, Summary

CLIPS = "clips"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    json: bool
    observations: bool
    scores: bool
    masks: Path | None
    out: Path | None


class Report:
    """One run of `analyze` over so many `sources`, one after the other.

    Folders are made at the start, so that one that cannot be written is found before hours of work. Masks lie in the
    folder that was asked for; those of several sources, and of further analyzers, in folders of their own below it.
    """

    def __init__(self, wanted: Wanted, sources: int) -> None:
        self._wanted = wanted
        self._sources = sources
        self._source = ""
        self._camera = ""
        self._moments = Moments()
        self._first_masks_of: str | None = None
        self._reported: frozenset[str] = frozenset()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("frames analysed"),
            TimeElapsedColumn(),
            console=talk,
            transient=True,
            # on one and the same screen the lines themselves show the progress
            disable=not (sys.stderr.isatty() and talk.is_interactive) or (wanted.json and sys.stdout.isatty()),
            # else what is written to stdout would come out on stderr
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("", total=None)
        self.clips = wanted.out / CLIPS if wanted.out is not None else None

    def __enter__(self) -> Report:
        for folder in (self.clips, self._wanted.masks):
            if folder is not None:
                make_folder(folder)
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, plan: CameraPlan) -> None:
        self._source = plan.source
        self._camera = plan.camera
        self._moments = Moments()
        self._first_masks_of = None
        self._reported = frozenset(each.name for each in plan.analyzers if each.reported)
        self._progress.reset(self._task, description=escape(Path(plan.source).name), total=None)

    def tell(self, news: RecordingNews) -> None:
        match news:
            case Step():
                self._tell_step(news)
            case EventEnded():
                self._tell_event(news)
            case Summary():
                self._tell_summary(news)

    def _tell_step(self, step: Step) -> None:
        self._progress.advance(self._task)
        seen = step.seen
        now = Moment(seen.frame, seen.media_us)
        self._moments.add(now)
        if self._wanted.observations:
            for each in seen.observations:
                if each.analyzer in self._reported:
                    self._put(_observation(each, now))
        if self._wanted.scores:
            for score in seen.scores:
                at = self._moments.before(score.lag)
                if score.analyzer in self._reported and at is not None:
                    self._put(_score(score, at))
        if self._wanted.masks is not None:
            for mask in seen.masks:
                if mask.analyzer in self._reported:
                    _write(self._mask_folder(self._wanted.masks, mask) / f"{seen.frame:06d}.png", png(mask.foreground))

    def _mask_folder(self, masks: Path, mask: Mask) -> Path:
        self._first_masks_of = self._first_masks_of or mask.analyzer
        folder = masks if self._sources == 1 else masks / self._camera
        return folder if mask.analyzer == self._first_masks_of else folder / mask.analyzer

    def _tell_event(self, ended: EventEnded) -> None:
        event = ended.event
        clip = ended.outcome.clip if ended.outcome is not None else None
        line = {
            "type": "event",
            "id": event.id,
            "camera": event.camera,
            "kind": event.kind,
            "analyzer": event.analyzer,
            "rule": event.rule,
            "score": round(event.score, 6),
            "opened_s": event.opened_us / 1e6,
            "closed_s": event.closed_us / 1e6 if event.closed_us is not None else None,
            "zones": list(event.zones),
            "tracks": list(event.tracks),
            "why": event.why,
            "box": list(event.box.sides) if event.box is not None else None,
            "clip": f"{CLIPS}/{clip.clip}" if clip is not None else None,
            "snapshot": f"{CLIPS}/{clip.snapshot}" if clip is not None and clip.snapshot is not None else None,
        }
        if self._wanted.json:
            self._put(line)
        else:
            times = f"{line['opened_s']:8.2f} s – {line['closed_s'] or 0.0:8.2f} s"
            where = f"  {escape(str(line['clip']))}" if clip is not None else ""
            self._say(f"{times}  [bold]{event.kind}[/]  {event.score:.2f}  {event.id}  {escape(event.why)}{where}")

    def _tell_summary(self, summary: Summary) -> None:
        for warning in summary.warnings:
            talk.print(f"[yellow]warning:[/] {escape(self._source)}: {escape(warning)}")
        line = {
            "type": "summary",
            "frames": summary.frames,
            "analysed": summary.analysed,
            "seconds": round(summary.seconds, 6),
            "cpu_s": round(summary.cpu_s, 6),
            "events": summary.events,
            "traps": summary.traps,
            "dropped": summary.dropped,
            "egress_bytes": summary.egress_bytes,
        }
        if self._wanted.json:
            self._put(line)
        else:
            talk.print(
                f"{escape(self._source)}: {summary.frames} frames, {summary.analysed} analysed, "
                f"{summary.events} events in {summary.seconds:.1f} s"
            )

    def _put(self, line: dict[str, Any]) -> None:
        put_json({"type": line.pop("type"), "source": self._source, **line})

    def _say(self, text: str) -> None:
        """A line for people on stdout, beside a bar that may be on the same screen."""
        self._progress.stop()
        show.print(text, soft_wrap=True)
        self._progress.start()


def _observation(seen: Observation, at: Moment) -> dict[str, Any]:
    box = seen.box
    return {
        "type": "observation",
        "frame": at.frame,
        "t_s": at.media_us / 1e6,
        "analyzer": seen.analyzer,
        "kind": seen.kind,
        "score": seen.score,
        "box": [box.x, box.y, box.w, box.h],
        "track": seen.track,
        "attributes": seen.attributes,
    }


def _score(score: Score, at: Moment) -> dict[str, Any]:
    """What was said at the frame itself is a `score`; what was said of it later another type, with how much later."""
    line = {
        "type": "score_revision" if score.lag else "score",
        "frame": at.frame,
        "t_s": at.media_us / 1e6,
        "analyzer": score.analyzer,
        "value": score.value,
    }
    return line | {"lag": score.lag} if score.lag else line


def make_folder(folder: Path) -> None:
    """Makes it where it is not there, and tries to write into it. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        raise OutputError(
            f"cannot be written: {exc.strerror}", where=str(folder), hint="give a folder that you may write to"
        ) from exc


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as exc:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise OutputError(
            f"cannot be written: {exc.strerror}", where=str(path), hint="free some space, or give another folder"
        ) from exc
