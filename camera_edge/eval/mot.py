"""Recordings in the layout of MOTChallenge: `gt.txt`, `seqinfo.ini` and the frames, as a video or in `img1/`.

Invariant: boxes are fractions of the picture, cut to it as an analyzer's are. Their pixels are those of the size that
`seqinfo.ini` names, which need not be that of the video: what was scaled since is found nevertheless.

Leal-Taixé, Milan, Reid, Roth and Schindler, "MOTChallenge 2015", arXiv:1504.01942; from 2016 on (arXiv:1603.00831) the
eighth column is a class, of which 1 is a pedestrian.
"""

from __future__ import annotations

import configparser
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from camera_edge.capture import image_files
from camera_edge.errors import UsageError
from camera_edge.eval.detection import Floats
from camera_edge.eval.layout import folders, nothing_found, shown, the_video
from camera_edge.eval.picturefile import size
from camera_edge.eval.tracking import Tracked

_GT, _INFO, _IMAGES = "gt.txt", "seqinfo.ini", "img1"
_PEDESTRIAN = 1
# frame, track, x, y, w, h, whether it counts; MOT16 and later: class, visibility
_COLUMNS_MIN, _COLUMNS_OF_2016 = 7, 9
_NONE: Floats = np.zeros((0, 4))


@dataclass(frozen=True, slots=True)
class BoxedRecording:
    """People in each frame, from the first one on. `images` None: `source` is a video. ignored: boxes that do not count
    either way, of what is no pedestrian or cannot be judged."""

    name: str
    source: Path
    images: list[Path] | None
    people: Sequence[Tracked]
    ignored: Sequence[Floats]


@dataclass(frozen=True, slots=True)
class _Row:
    frame: int
    track: int
    box: tuple[float, float, float, float]
    counts: bool


def find_boxed(data: Path) -> list[BoxedRecording]:
    """Raises UsageError where there is none, or where one is not whole."""
    found = []
    for folder in folders(data):
        for truth in sorted(each for each in folder.iterdir() if each.name == _GT or each.name.endswith(f"_{_GT}")):
            found.append(_read(truth, data))
    if not found:
        raise nothing_found(
            data, "boxes of people", "gt.txt, seqinfo.ini and a video, or img1/, as MOTChallenge has them"
        )
    return found


def _read(truth: Path, data: Path) -> BoxedRecording:
    prefix = truth.name.removesuffix(_GT)
    home = truth.parent.parent if truth.parent.name == "gt" else truth.parent
    info = _info(home / f"{prefix}{_INFO}")
    folder = home / (info.get("imdir") or _IMAGES)
    images = image_files(folder) if folder.is_dir() else None
    source = folder if images else the_video(home, (prefix.rstrip("_-"), info.get("name", ""), home.name))
    if source is None:
        raise UsageError(
            f"there is no one video for {truth.name}",
            where=str(home),
            hint=f"put it there, or frames into {folder.name}/",
        )
    width, height = _size(info, home) or size(source, images or None)
    rows = _rows(truth)
    last = max((row.frame for row in rows), default=0)
    frames = range(1, last + 1)
    by_frame: dict[int, list[_Row]] = {}
    for row in rows:
        by_frame.setdefault(row.frame, []).append(row)
    scale = np.array([width, height, width, height], np.float64)
    return BoxedRecording(
        name=shown(home, data) + (f"/{prefix.rstrip('_-')}" if prefix else ""),
        source=source,
        images=images or None,
        people=[_tracked([row for row in by_frame.get(number, []) if row.counts], scale) for number in frames],
        ignored=[_boxes([row for row in by_frame.get(number, []) if not row.counts], scale) for number in frames],
    )


def _tracked(rows: Sequence[_Row], scale: Floats) -> Tracked:
    return Tracked(np.array([row.track for row in rows], np.int64), _boxes(rows, scale))


def _boxes(rows: Sequence[_Row], scale: Floats) -> Floats:
    """In fractions of the picture, without what lies outside of it."""
    boxes = np.array([row.box for row in rows], np.float64).reshape(-1, 4) / scale
    corner = np.clip(boxes[:, :2], 0, 1)
    return np.hstack([corner, np.clip(boxes[:, :2] + boxes[:, 2:], 0, 1) - corner])


def _rows(path: Path) -> list[_Row]:
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for line, words in enumerate(csv.reader(file), start=1):
            if not words:
                continue
            try:
                numbers = [float(word) for word in words]
                if len(numbers) < _COLUMNS_MIN or not np.isfinite(numbers).all() or numbers[0] < 1:
                    raise ValueError
            except ValueError:
                raise UsageError(
                    "is no box of MOTChallenge", where=f"{path}:{line}", hint="frame,track,x,y,w,h,1,... in each line"
                ) from None
            counts = numbers[6] != 0 and (len(numbers) != _COLUMNS_OF_2016 or numbers[7] == _PEDESTRIAN)
            x, y, w, h = numbers[2:6]
            rows.append(_Row(int(numbers[0]), int(numbers[1]), (x, y, w, h), counts))
    if not any(row.counts for row in rows):
        raise UsageError("holds no box that counts", where=str(path), hint="its seventh column says which do: 1")
    return rows


def _info(path: Path) -> dict[str, str]:
    """The section `Sequence`; empty where there is no such file."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
        return dict(parser["Sequence"]) if parser.has_section("Sequence") else {}
    except configparser.Error as exc:
        raise UsageError(f"cannot be read: {exc.message}", where=str(path), hint="see MOTChallenge's own") from exc


def _size(info: dict[str, str], home: Path) -> tuple[int, int] | None:
    try:
        return int(info["imwidth"]), int(info["imheight"])
    except KeyError:
        return None
    except ValueError:
        raise UsageError(
            "imWidth and imHeight are no whole numbers", where=str(home), hint="see its seqinfo.ini"
        ) from None
