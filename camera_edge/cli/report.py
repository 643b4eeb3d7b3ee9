"""Tells what an analysis found: JSON Lines or words for people, and mask files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from camera_edge.cli.talk import put_json, show, talk
from camera_edge.encode import png
from camera_edge.errors import OutputError
from camera_edge.observation import Observation, Score
from camera_edge.worker.assembly import Sandboxing
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
    """One run of `analyze`; sources one after the other."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._source = ""
        self._reported: frozenset[str] = frozenset()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("frames analysed"),
            TimeElapsedColumn(),
            console=talk,
            transient=True,
            disable=not talk.is_terminal,
        )
        self._task = self._progress.add_task("", total=None)
        self.sandboxing = Sandboxing.of(cache_folder(), read_only=False)

    def __enter__(self) -> Report:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def clips_folder(self, out: Path | None) -> Path | None:
        """Where clips go; made now, so that a folder that cannot be written is found before hours of work."""
        if out is None:
            return None
        folder = out / CLIPS
        _make_folder(folder)
        return folder

    def begin(self, plan: CameraPlan) -> None:
        self._source = plan.source
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
        if self._wanted.observations:
            for each in seen.observations:
                if each.analyzer in self._reported:
                    self._put(_observation(each, seen.frame, seen.media_us))
        if self._wanted.scores:
            for score in seen.scores:
                if score.analyzer in self._reported:
                    self._put(_score(score, seen.frame, seen.media_us))
        if self._wanted.masks is not None:
            masks = [mask for mask in seen.masks if mask.analyzer in self._reported]
            for mask in masks:
                folder = self._wanted.masks if len(self._reported) == 1 else self._wanted.masks / mask.analyzer
                _write(folder / f"{seen.frame:06d}.png", png(mask.pixels))

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
            "clip": f"{CLIPS}/{clip.clip}" if clip is not None else None,
            "snapshot": f"{CLIPS}/{clip.snapshot}" if clip is not None and clip.snapshot is not None else None,
        }
        if self._wanted.json:
            self._put(line)
        else:
            times = f"{line['opened_s']:8.2f} s – {line['closed_s'] or 0.0:8.2f} s"
            where = f"  {escape(str(line['clip']))}" if clip is not None else ""
            show.print(f"{times}  [bold]{event.kind}[/]  {event.score:.2f}  {event.id}{where}", soft_wrap=True)

    def _tell_summary(self, summary: Summary) -> None:
        if summary.warning:
            talk.print(f"[yellow]warning:[/] {escape(self._source)}: {escape(summary.warning)}; what decoded was used")
        if summary.traps and not summary.quarantined:
            talk.print(f"[yellow]warning:[/] {summary.traps} frames got no answer from an analyzer")
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


def cache_folder() -> Path:
    """Where `analyze` and `bench` keep compiled modules."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "camera-edge" / "modules"


def _observation(seen: Observation, frame: int, media_us: int) -> dict[str, Any]:
    box = seen.box
    return {
        "type": "observation",
        "frame": frame,
        "t_s": media_us / 1e6,
        "analyzer": seen.analyzer,
        "kind": seen.kind,
        "score": seen.score,
        "box": [box.x, box.y, box.w, box.h],
        "track": seen.track,
        "attributes": seen.attributes,
    }


def _score(score: Score, frame: int, media_us: int) -> dict[str, Any]:
    line = {"type": "score", "frame": frame, "t_s": media_us / 1e6, "analyzer": score.analyzer, "value": score.value}
    return line | ({"lag": score.lag} if score.lag else {})


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as exc:
        raise OutputError(
            f"cannot be written: {exc.strerror}", where=str(folder), hint="give a folder that you may write to"
        ) from exc


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as exc:
        raise OutputError(
            f"cannot be written: {exc.strerror}", where=str(path), hint="free some space, or give another folder"
        ) from exc
