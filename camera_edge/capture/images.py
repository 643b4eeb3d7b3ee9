"""A folder of images (or one image) as a recording, in the order of their names.

Invariant: an image's id is its place in that order, whether it can be decoded or not.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from camera_edge.capture.opencv import silence
from camera_edge.capture.pictures import PictureSource
from camera_edge.capture.planes import picture_of_bgr
from camera_edge.capture.recorded import check_file
from camera_edge.capture.source import Frame, Grab, SourceOptions
from camera_edge.capture.timing import interval_us
from camera_edge.errors import SourceError, UndecodableError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"})


def image_files(folder: Path) -> list[Path]:
    """The images of a folder in the order in which they are frames. Raises OSError."""
    return sorted((file for file in folder.iterdir() if _is_image(file)), key=_natural)


class ImageFolder(PictureSource):
    """Images at `options.fps`. A picture of another size starts an epoch."""

    live = False

    def __init__(self, path: Path, name: str, options: SourceOptions) -> None:
        super().__init__()
        self.name = name
        self._path = path
        self._options = options
        self._files: list[Path] = []
        self._next = 0
        self._epoch = 0
        self._size: tuple[int, int] | None = None
        self._opened_utc_ns = 0

    def open(self) -> None:
        silence()
        if not self._path.is_dir():
            check_file(self._path, self.name)
        try:
            self._files = [self._path] if self._path.is_file() else image_files(self._path)
        except OSError as exc:
            raise SourceError("cannot be listed", where=self.name, hint="check the permissions") from exc
        if not self._files:
            raise UndecodableError("the folder holds no images", where=self.name, hint="put .jpg or .png files into it")
        self._opened_utc_ns = self._options.clock.utc_ns()

    def read(self) -> Grab | None:
        while self._next < len(self._files):
            number = self._next
            self._next += 1
            self._tally.grabbed += 1
            bgr = _read(self._files[number])
            if bgr is not None:
                return Grab(None, (self._frame(number, bgr),))
            self._tally.corrupt += 1
        if self._tally.decoded == 0:
            raise UndecodableError("none of its images can be decoded", where=self.name, hint="check the files")
        return None

    def close(self) -> None:
        self._files = []

    def _frame(self, number: int, bgr: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Frame:
        picture = picture_of_bgr(bgr)
        size = (picture.width, picture.height)
        self._epoch += self._size is not None and self._size != size
        self._size = size
        self._tally.decoded += 1
        media_us = number * interval_us(self._options.fps)
        return Frame(number, media_us, self._opened_utc_ns + media_us * 1000, picture, None, self._epoch)


def _read(file: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None:
    """BGR, or None where it is no picture. OpenCV's own reading ends the process where a name is not UTF-8."""
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError:
        return None
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if bgr is None else bgr.astype(np.uint8, copy=False)


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()


def _natural(file: Path) -> list[tuple[bool, int, str]]:
    """img_2 comes before img_10."""
    parts = re.split(r"(\d+)", file.name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
