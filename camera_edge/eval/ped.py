"""Clips whose frames are labelled usual or unusual, as `ucsd_ped2` is laid out here.

    gt/frame_labels.csv      clip,frame,anomalous: 01,000.jpg,0
    gt/mask_boxes.csv        clip,frame,x,y,w,h: where it is, in pixels, where that is known
    mp4/training_01.mp4      what is usual
    mp4/testing_01.mp4       clip 01

Invariant: a clip is joined to its labels by the number at the end of its name, frames by their order. Nothing is
learned from a clip that is measured.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from camera_edge.errors import UsageError
from camera_edge.eval.layout import VIDEO_SUFFIXES, folders, last_number, nothing_found, shown
from camera_edge.eval.scores import Labels

LABELS, BOXES = "frame_labels.csv", "mask_boxes.csv"
_TRAINING, _TESTING = "train", "test"

PixelBox = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """`labels`: bool (frames,), true where the frame is unusual. boxes: by frame, x, y, w, h in pixels."""

    name: str
    source: Path
    labels: Labels
    boxes: Mapping[int, Sequence[PixelBox]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelledSite:
    """One camera's clips. `unmeasured`: clips that have labels and are not there."""

    clips: Sequence[LabelledClip]
    training: Sequence[Path]
    unmeasured: Sequence[str]


def find_site(data: Path, train: Path | None) -> LabelledSite:
    """The one camera's clips below `data`; what is usual from there, or from `train`.

    Raises UsageError where there is none or more than one, or nothing to learn from.
    """
    tables = [folder / LABELS for folder in folders(data) if (folder / LABELS).is_file()]
    if not tables:
        raise nothing_found(data, "clips with labelled frames", f"gt/{LABELS} and mp4/testing_01.mp4 ...")
    if len(tables) > 1:
        names = ", ".join(shown(each.parent, data) for each in tables)
        raise UsageError("holds several cameras", where=str(data), hint=f"give --data one of them: {names}")
    home = tables[0].parent.parent if tables[0].parent.name == "gt" else tables[0].parent
    labels, boxes = _labels(tables[0]), _boxes(tables[0].with_name(BOXES))
    sources = {number: path for path in _clips(home, _TESTING) if (number := last_number(path.stem)) is not None}
    clips = [
        LabelledClip(sources[number].stem, sources[number], labels[number], boxes.get(number, {}))
        for number in sorted(labels)
        if number in sources
    ]
    if not clips:
        raise UsageError(
            "none of the labelled clips is there", where=str(home), hint="put testing_01.mp4 ... into mp4/"
        )
    training = _training(home if train is None else train, home)
    if not training:
        raise UsageError(
            "there is nothing to learn from",
            where=str(home if train is None else train),
            hint="give --train a folder with recordings of what is usual, such as training_01.mp4",
        )
    unmeasured = [f"{number:02d}" for number in sorted(labels) if number not in sources]
    return LabelledSite(clips, training, unmeasured)


def _training(folder: Path, home: Path) -> list[Path]:
    """Clips called training; where none is, and the folder is none of the measured ones, all in it but tests."""
    named = _clips(folder, _TRAINING)
    if named or folder.resolve() == home.resolve():
        return named
    return [each for each in _clips(folder, "") if not each.name.lower().startswith(_TESTING)]


def _clips(home: Path, prefix: str) -> list[Path]:
    return [
        path
        for folder in folders(home)
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in VIDEO_SUFFIXES and path.name.lower().startswith(prefix)
    ]


def _labels(path: Path) -> dict[int, Labels]:
    """By the number of the clip."""
    rows: dict[int, list[bool]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                rows.setdefault(int(row["clip"]), []).append(bool(int(row["anomalous"])))
    except (KeyError, TypeError, ValueError) as exc:
        raise UsageError(
            "is no table of labels", where=str(path), hint="clip,frame,anomalous in its first line, then 01,000.jpg,0"
        ) from exc
    return {clip: np.array(flags, np.bool_) for clip, flags in rows.items()}


def _boxes(path: Path) -> dict[int, dict[int, list[PixelBox]]]:
    """By the number of the clip and the frame; none where there is no such file."""
    found: dict[int, dict[int, list[PixelBox]]] = {}
    if not path.is_file():
        return found
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                x, y, w, h = (float(row[side]) for side in "xywh")
                frame = int(row["frame"].partition(".")[0])
                found.setdefault(int(row["clip"]), {}).setdefault(frame, []).append((x, y, w, h))
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise UsageError(
            "is no table of boxes",
            where=str(path),
            hint="clip,frame,x,y,w,h in its first line, then 01,060.jpg,0,95,23,33",
        ) from exc
    return found
