"""The native baseline of the suite `people`: the same ONNX file, called with ONNX Runtime, decoded with numpy.

Invariant: it shares no step with the pipeline but the model's file and contract: fitting, decoding and suppression are
its own, so that the pipeline is not compared with itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_edge.errors import ModelError
from camera_edge.eval.detection import Floats, Scored, overlaps
from camera_edge.inference import Model, Output, PictureInput

Pixels = NDArray[np.uint8]
Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Boxes (n, 4) in pixels of the model's input, by centre and size; scores (n, classes)."""

    boxes: Floats
    scores: Floats


@dataclass(frozen=True, slots=True)
class Fit:
    """Where the picture begins in the model's input (x, y), and what part of the picture a pixel of it is."""

    origin: Floats
    scale: Floats


class NativeDetector:
    """Finds things of one class. `spent_ns`: all of it; `model_ns`: what of that the model took."""

    def __init__(self, model: Model, wanted: str, *, least_score: float, nms_iou: float) -> None:
        """Raises ModelError where no decoder of it is known here, or it knows no such class."""
        output = model.contract.output
        if model.contract.input is None or output.decoder not in _DECODERS:
            raise ModelError(
                f"the baseline has no decoder {output.decoder!r}",
                where=model.name,
                hint=f"it has {', '.join(_DECODERS)}",
            )
        if wanted not in output.class_names:
            raise ModelError(f"knows no class {wanted!r}", where=model.name, hint="name another model: --model NAME")
        self._spec, self._output = model.contract.input, output
        self._class = output.class_names.index(wanted)
        self._least_score, self._nms_iou = least_score, nms_iou
        self._session = _session(model.read())
        self.spent_ns = self.model_ns = self.frames = 0

    def detect(self, bgr: Pixels) -> Scored:
        """Boxes as fractions of the picture (x, y, w, h), best first."""
        started_ns = time.thread_time_ns()
        tensor, fit = _input(bgr, self._spec)
        asked_ns = time.thread_time_ns()
        answer = self._session.run(None, {self._spec.name: tensor})[0]
        self.model_ns += time.thread_time_ns() - asked_ns
        found = _DECODERS[self._output.decoder](np.asarray(answer, np.float64), self._spec, self._output)
        best = found.scores.argmax(1)
        scores = found.scores[:, self._class]
        chosen = (best == self._class) & (scores >= self._least_score)
        boxes = _cut(found.boxes[chosen], fit)
        kept = _suppressed(boxes, scores[chosen], self._nms_iou)
        self.spent_ns += time.thread_time_ns() - started_ns
        self.frames += 1
        return Scored(boxes[kept], scores[chosen][kept])

    @property
    def ms_per_frame(self) -> float:
        return self.spent_ns / 1e6 / max(self.frames, 1)

    @property
    def model_ms(self) -> float:
        return self.model_ns / 1e6 / max(self.frames, 1)


def _session(onnx: bytes) -> Any:
    # or importing it would ask a name server and write into the home folder
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(onnx, options, ["CPUExecutionProvider"])


def _input(bgr: Pixels, spec: PictureInput) -> tuple[Singles, Fit]:
    """The model's input, and how pixels of it lie in the picture."""
    height, width = bgr.shape[:2]
    origin = np.zeros(2)
    if spec.fit == "stretch":
        canvas = np.asarray(cv2.resize(bgr, (spec.width, spec.height), interpolation=cv2.INTER_LINEAR), np.uint8)
        scale = np.array([width / spec.width, height / spec.height])
    else:
        ratio = min(spec.width / width, spec.height / height)
        inner = cv2.resize(bgr, (int(width * ratio), int(height * ratio)), interpolation=cv2.INTER_LINEAR)
        rows, columns = inner.shape[:2]
        top, left = (spec.height - rows) // 2, (spec.width - columns) // 2
        if spec.fit == "letterbox":
            top = left = 0
        canvas = np.full((spec.height, spec.width, 3), spec.pad, np.uint8)
        canvas[top : top + rows, left : left + columns] = inner
        origin, scale = np.array([left, top], np.float64), np.full(2, 1 / ratio)
    ordered = canvas[..., ::-1] if spec.channels == "rgb" else canvas
    mean, std = np.asarray(spec.mean, np.float32), np.asarray(spec.std, np.float32)
    numbers = (ordered.astype(np.float32) * np.float32(spec.scale) - mean) / std
    tensor = numbers[np.newaxis] if spec.layout == "nhwc" else numbers.transpose(2, 0, 1)[np.newaxis]
    return np.ascontiguousarray(tensor, np.float32), Fit(origin, scale / (width, height))


def _yolox(answer: Floats, spec: PictureInput, output: Output) -> Candidates:
    """Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430."""
    rows = answer.reshape(-1, answer.shape[-1])
    cells, strides = [], []
    for stride in output.strides:
        y, x = np.mgrid[: spec.height // stride, : spec.width // stride]
        cells.append(np.stack([x.ravel(), y.ravel()], 1))
        strides.append(np.full((cells[-1].shape[0], 1), float(stride)))
    cell, step = np.concatenate(cells), np.concatenate(strides)
    boxes = np.hstack([(rows[:, :2] + cell) * step, np.exp(rows[:, 2:4]) * step])
    return Candidates(boxes, rows[:, 4:5] * rows[:, 5:])


def _fastestdet(answer: Floats, spec: PictureInput, _: Output) -> Candidates:
    """github.com/dog-qiuqiu/FastestDet: one grid, sizes as parts of the picture."""
    planes = answer[0]
    rows, columns = planes.shape[1:]
    y, x = np.mgrid[:rows, :columns]
    centre = np.stack([(np.tanh(planes[1]) + x) / columns * spec.width, (np.tanh(planes[2]) + y) / rows * spec.height])
    sides = 1 / (1 + np.exp(-planes[3:5])) * np.array([spec.width, spec.height])[:, np.newaxis, np.newaxis]
    scores = planes[0] ** 0.6 * planes[5:] ** 0.4
    return Candidates(np.concatenate([centre, sides]).reshape(4, -1).T, scores.reshape(len(scores), -1).T)


def _yolov5(answer: Floats, _: PictureInput, __: Output) -> Candidates:
    """A row for each proposal: centre, size, object, classes."""
    rows = answer[0]
    return Candidates(rows[:, :4], rows[:, 4:5] * rows[:, 5:])


def _yolov8(answer: Floats, _: PictureInput, __: Output) -> Candidates:
    """A column for each proposal: centre, size, classes."""
    rows = answer[0].T
    return Candidates(rows[:, :4], rows[:, 4:])


def _yolov10(answer: Floats, _: PictureInput, output: Output) -> Candidates:
    """A row for each proposal: left, top, right, bottom, score, class."""
    rows = answer[0]
    classes = np.arange(len(output.class_names))
    sides = rows[:, 2:4] - rows[:, :2]
    return Candidates(np.hstack([rows[:, :2] + sides / 2, sides]), np.where(rows[:, 5:6] == classes, rows[:, 4:5], 0.0))


_DECODERS: dict[str, Callable[[Floats, PictureInput, Output], Candidates]] = {
    "yolox": _yolox,
    "fastestdet": _fastestdet,
    "yolov5": _yolov5,
    "yolov8": _yolov8,
    "yolov10": _yolov10,
}


def _cut(boxes: Floats, fit: Fit) -> Floats:
    """From centres and sizes to corners and sizes in the picture, without what lies outside of it."""
    corner, sides = (boxes[:, :2] - boxes[:, 2:] / 2 - fit.origin) * fit.scale, boxes[:, 2:] * fit.scale
    first, last = np.clip(corner, 0, 1), np.clip(corner + sides, 0, 1)
    return np.hstack([first, last - first])


def _suppressed(boxes: Floats, scores: Floats, nms_iou: float) -> list[int]:
    """Which boxes stay, best first: each takes away those that it overlaps by more than `nms_iou`."""
    waiting = [int(each) for each in np.argsort(-scores, kind="stable")]
    kept: list[int] = []
    while waiting:
        best = waiting.pop(0)
        kept.append(best)
        together = overlaps(boxes[best], boxes[waiting])[0]
        waiting = [each for each, overlap in zip(waiting, together, strict=True) if overlap <= nms_iou]
    return kept
