"""How much of people, and how much of an empty place, a redacted clip of a real recording shows."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from camera_edge.capture import SourceOptions, open_source
from camera_edge.clips import ClipMetadata
from camera_edge.config import CameraConfig
from camera_edge.inference import Registry
from camera_edge.redact import ALL
from camera_edge.sandbox import Shelf
from camera_edge.worker.assembly import Sandboxing, assemble_camera
from camera_edge.worker.plan import CameraPlan, Supply, plan_camera
from camera_edge.worker.recordings import EventEnded, RecordingRun

DATA = Path(__file__).parents[3] / "shared" / "data"
VTEST = DATA / "video" / "opencv_vtest"
YOLOX = DATA / "models" / "yolox_nano" / "yolox_nano.onnx"
INPUT_PX = 416
# the annotation is of the full-size recording
SCALE = 0.625
FRAMES = 200
OBJECTS = {"grant": ["onnx:yolox_nano"], "params": {"model": "yolox_nano", "min_score": 0.3}}

pytestmark = pytest.mark.skipif(not VTEST.is_dir() or not YOLOX.is_file(), reason="the evaluation data is not here")

Picture = NDArray[np.uint8]


class Yolox:
    """YOLOX-nano as its authors run it: letterboxed to 416 pixels with 114, strides 8, 16 and 32."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(YOLOX), options, providers=["CPUExecutionProvider"])
        cells = [np.indices((INPUT_PX // stride,) * 2)[::-1].reshape(2, -1).T for stride in (8, 16, 32)]
        self._grid = np.concatenate(cells)
        self._strides = np.concatenate([np.full((len(c), 1), s) for c, s in zip(cells, (8, 16, 32), strict=True)])

    def persons(self, picture: Picture, min_score: float = 0.3) -> int:
        height, width = picture.shape[:2]
        scale = min(INPUT_PX / height, INPUT_PX / width)
        resized = cv2.resize(picture, (int(width * scale), int(height * scale)))
        fitted = np.full((INPUT_PX, INPUT_PX, 3), 114, np.uint8)
        fitted[: resized.shape[0], : resized.shape[1]] = resized
        (outputs,) = self._session.run(None, {"images": fitted.transpose(2, 0, 1)[None].astype(np.float32)})
        scores = outputs[0, :, 4] * outputs[0, :, 5]
        likely = scores >= min_score
        centres = (outputs[0, likely, :2] + self._grid[likely]) * self._strides[likely]
        sizes = np.exp(outputs[0, likely, 2:4]) * self._strides[likely]
        boxes = np.concatenate([centres - sizes / 2, sizes], axis=1)
        return len(cv2.dnn.NMSBoxes(boxes.tolist(), scores[likely].tolist(), min_score, 0.45))


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first twenty seconds: the same packets."""
    path = tmp_path_factory.mktemp("vtest") / "vtest.mp4"
    with av.open(str(VTEST / "vtest.mp4")) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in itertools.islice(source.demux(video=0), FRAMES):
            packet.stream = stream
            target.mux(packet)
    return path


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    registry = Registry(tmp_path_factory.mktemp("models"))
    registry.add(YOLOX, "yolox_nano")
    return registry


@pytest.fixture
def planned(registry: Registry) -> Callable[..., CameraPlan]:
    def make(**analyzers: object) -> CameraPlan:
        # one event, so one clip, from the beginning to the end
        config = {"source": "vtest", "analyzers": analyzers, "rules": {"moves": {"kinds": ["motion"]}}}
        return plan_camera(
            "vtest", CameraConfig.model_validate(config).settings(), Supply(registry, Shelf(Path("none")))
        )

    return make


def pictures(path: Path) -> list[Picture]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24").astype(np.uint8) for frame in container.decode(video=0)]


@dataclass(frozen=True, slots=True)
class Original:
    """A recording, and how many persons are found in every second frame of it."""

    path: Path
    detector: Yolox
    persons: dict[int, int]


@pytest.fixture(scope="module")
def original(beginning: Path) -> Original:
    detector = Yolox()
    persons = {number: detector.persons(picture) for number, picture in list(enumerate(pictures(beginning)))[::2]}
    return Original(beginning, detector, persons)


@pytest.mark.parametrize(
    "analyzers", [{"motion": {}}, {"motion": {}, "objects": OBJECTS}], ids=["motion", "motion and objects"]
)
def test_a_detector_finds_hardly_anybody_in_a_redacted_clip(
    analyzers: dict[str, object],
    planned: Callable[..., CameraPlan],
    sandboxing: Sandboxing,
    original: Original,
    tmp_path: Path,
) -> None:
    news = RecordingRun(str(original.path), planned(**analyzers), sandboxing, tmp_path).run()
    (outcome,) = [each.outcome for each in news if isinstance(each, EventEnded)]
    assert outcome is not None and outcome.clip is not None
    (span,) = ClipMetadata.from_file(tmp_path / outcome.clip.metadata).frames.ranges
    shown = pictures(tmp_path / outcome.clip.clip)
    frames = [number for number in original.persons if span.first <= number <= span.last]
    assert len(frames) >= 90
    before = sum(original.persons[number] for number in frames)
    after = sum(original.detector.persons(shown[number - span.first]) for number in frames)
    assert before > 500
    assert after <= 0.05 * before


def empty_parts() -> dict[int, NDArray[np.bool_]]:
    """Where nobody is, by the annotation, in each frame."""
    parts: dict[int, NDArray[np.bool_]] = {}
    for line in (VTEST / "PETS09-S2L1_gt.txt").read_text().splitlines():
        frame, _, x, y, w, h = (float(field) for field in line.split(",")[:6])
        part = parts.setdefault(int(frame) - 1, np.ones((360, 480), bool))
        left, top = max(int(x * SCALE), 0), max(int(y * SCALE), 0)
        part[top : int((y + h) * SCALE) + 1, left : int((x + w) * SCALE) + 1] = False
    return parts


def test_most_of_an_empty_place_is_shown_once_the_scene_is_learned(
    planned: Callable[..., CameraPlan], sandboxing: Sandboxing
) -> None:
    """Of the whole recording, what is not hidden where nobody is, in every tenth frame from second 15."""
    untouched = []
    empty = empty_parts()
    with open_source(str(VTEST / "vtest.mp4"), SourceOptions()) as source:
        camera = assemble_camera(planned(motion={}), sandboxing, None)
        while (grab := source.read()) is not None:
            for tick in camera.pipeline.take(grab):
                camera.pipeline.digest(tick)
                if tick.frame >= 150 and tick.frame % 10 == 0:
                    hidden = camera.redactor.history.hidden(tick.frame, tick.media_us)
                    assert hidden is not ALL
                    cells = np.kron(hidden.cells, np.ones((hidden.cell_px, hidden.cell_px), bool))
                    untouched.append(1 - cells[:360, :480][empty[tick.frame]].mean())
        camera.close()
    assert len(untouched) == 65
    assert np.mean(untouched) >= 0.6
