"""Reads labelled pictures, and frames for the native baselines, straight with OpenCV.

Invariant: what cannot be read is an error that names the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_edge.errors import SourceError, UndecodableError

Pixels = NDArray[np.uint8]


def read_gray(path: Path) -> Pixels:
    """uint8 (height, width), values as they stand in the file. Raises UndecodableError."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise UndecodableError("this picture cannot be decoded", where=str(path), hint="unpack the data set again")
    return np.asarray(pixels, np.uint8)


def frames(source: Path, images: list[Path] | None = None) -> Iterator[Pixels]:
    """BGR frames in order: of `images`, or of the video `source`. Raises UndecodableError, SourceError."""
    if images is not None:
        for path in images:
            bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if bgr is None:
                raise UndecodableError("this picture cannot be decoded", where=str(path), hint="unpack the data again")
            yield np.asarray(bgr, np.uint8)
        return
    capture = cv2.VideoCapture(str(source), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        if not capture.isOpened():
            raise SourceError("cannot be opened", where=str(source), hint="give a video that plays")
        while True:
            done, bgr = capture.read()
            if not done:
                return
            yield np.asarray(bgr, np.uint8)
    finally:
        capture.release()


def size(source: Path, images: list[Path] | None = None) -> tuple[int, int]:
    """Width and height of the first frame. Raises UndecodableError, SourceError."""
    first = next(frames(source, images), None)
    if first is None:
        raise UndecodableError("no picture in it could be decoded", where=str(source), hint="give a video that plays")
    return int(first.shape[1]), int(first.shape[0])
