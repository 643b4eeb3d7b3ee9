"""Recordings in the layout of CDnet: `input/`, `groundtruth/`, `temporalROI.txt`, `ROI.bmp` in one folder.

Invariant: a frame is joined to its labels by the number in both names, the first frame of a video being 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from camera_edge.capture import image_files
from camera_edge.errors import UsageError
from camera_edge.eval.layout import folders, last_number, nothing_found, shown, the_video
from camera_edge.eval.picturefile import Pixels, read_gray

INPUT, LABELS = "input", "groundtruth"
_TIMES, _REGIONS = "temporalROI.txt", ("ROI.bmp", "ROI.png", "ROI.jpg")


@dataclass(frozen=True, slots=True)
class LabelledRecording:
    """`images` None: `source` is a video. `numbers`: of each frame the number that its labels go by.

    labels: the files of those frames that count, by number. region: 0 where nothing counts.
    """

    name: str
    source: Path
    images: list[Path] | None
    numbers: list[int]
    labels: Mapping[int, Path]
    region: Pixels | None

    def labels_of(self, frame: int) -> Path | None:
        """The labels of a frame, counted from 0; None where it does not count."""
        number = self.numbers[frame] if frame < len(self.numbers) else frame + 1
        return self.labels.get(number)


def find_labelled(data: Path) -> list[LabelledRecording]:
    """Raises UsageError where there is none, or where one is not whole."""
    found = [_read(folder, data) for folder in folders(data) if (folder / LABELS).is_dir()]
    if not found:
        raise nothing_found(
            data, "recordings with labelled foreground", "input/ and groundtruth/ (gt000001.png ...), as CDnet has them"
        )
    return found


def _read(folder: Path, data: Path) -> LabelledRecording:
    images = image_files(folder / INPUT) if (folder / INPUT).is_dir() else None
    source = folder / INPUT if images else the_video(folder, (INPUT,))
    if source is None:
        raise UsageError(
            f"has {LABELS}/ and no frames beside it", where=str(folder), hint=f"put them into {INPUT}/, or one video"
        )
    numbers = [last_number(each.stem) for each in images or []]
    first, last = _span(folder / _TIMES)
    labels = {
        number: path
        for path in image_files(folder / LABELS)
        if (number := last_number(path.stem)) is not None and first <= number <= last
    }
    if not labels:
        raise UsageError(f"no file in {LABELS}/ is of a frame that counts", where=str(folder), hint=f"see its {_TIMES}")
    region = next((folder / name for name in _REGIONS if (folder / name).is_file()), None)
    return LabelledRecording(
        name=shown(folder, data),
        source=source,
        images=images or None,
        numbers=[at + 1 if number is None else number for at, number in enumerate(numbers)],
        labels=labels,
        # some are JPEGs, in which black is not quite 0
        region=None if region is None else np.where(read_gray(region) > 127, np.uint8(255), np.uint8(0)),
    )


def _span(path: Path) -> tuple[float, float]:
    """The first and the last number of the frames that count: all, where nobody says."""
    if not path.is_file():
        return 0, float("inf")
    try:
        first, last = (int(word) for word in path.read_text().split()[:2])
    except ValueError:
        raise UsageError("does not hold two numbers of frames", where=str(path), hint="write: 470 1700") from None
    return first, last
