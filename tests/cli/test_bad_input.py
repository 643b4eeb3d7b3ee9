"""Every shipped analyzer over recordings that nobody would choose: an answer that makes sense, or an error that helps.

An analyzer that is added is tried here too. Never a crash, never a number that is none.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.cli import main
from camera_edge.sandbox import ModuleFile, shipped, shipped_names
from tests import onnx_bytes

Colour = NDArray[np.uint8]
NAMES = shipped_names()
ANY_MODEL = "onnx:*"
# seconds in which even a heavy module has had time to learn, and a wrong answer to show
SECONDS = 4
RATE_HZ = 10
# a view that is of one colour from the start on may well be worth an alarm of those who watch over the camera
WATCHERS = {"tamper"}
CONTRACT = """
contract = 1
[input]
name = "picture"
width = 32
height = 32
channels = "bgr"
fit = "letterbox"
[output]
decoder = "yolox"
strides = [8, 16, 32]
classes = ["person", "car"]
"""
CELLS, VALUES = 16 + 4 + 1, 5 + 2
STATES = {
    "one byte": b"\0",
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "noise": random.Random(1).randbytes(65_536),
    "more than it may be": random.Random(2).randbytes(20 << 20),
}


def wall(width: int, height: int, seed: int = 5) -> Colour:
    """A textured scene, BGR uint8 (height, width, 3)."""
    small = np.random.default_rng(seed).integers(40, 200, (max(height // 16, 3), max(width // 16, 3), 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def plain(value: int, width: int = 96, height: int = 64) -> Iterator[Colour]:
    for _ in range(SECONDS * RATE_HZ):
        yield np.full((height, width, 3), value, np.uint8)


def noise(width: int, height: int, count: int = SECONDS * RATE_HZ) -> Iterator[Colour]:
    dice = np.random.default_rng(1)
    for _ in range(count):
        yield dice.integers(0, 256, (height, width, 3), np.uint8)


def flashes() -> Iterator[Colour]:
    for number in range(SECONDS * RATE_HZ):
        yield np.full((64, 96, 3), 255 * (number % 2), np.uint8)


def busy() -> Iterator[Colour]:
    """A dozen things cross from the very first frame on."""
    for number in range(SECONDS * RATE_HZ):
        picture = wall(160, 120)
        for thing in range(12):
            left, top = (thing * 37 + number * (3 + thing % 4)) % 160, 9 * thing
            picture[top : top + 9, left : left + 12] = (20 * thing, 255 - 20 * thing, 200)
        yield picture


def moved() -> Iterator[Colour]:
    """In the middle the camera is turned to something else."""
    for number in range(SECONDS * RATE_HZ):
        yield wall(160, 120, seed=5 if number < SECONDS * RATE_HZ // 2 else 6)


def swaying() -> Iterator[Colour]:
    """The camera hangs on a rope."""
    large = wall(240, 180)
    for number in range(SECONDS * RATE_HZ):
        left, top = 40 + round(30 * math.sin(number)), 30 + round(20 * math.cos(1.3 * number))
        yield large[top : top + 120, left : left + 160].copy()


def film(path: Path, pictures: Iterator[Colour], rate_hz: int = RATE_HZ) -> Path:
    with av.open(str(path), "w") as container:
        stream: av.VideoStream | None = None
        for number, picture in enumerate(pictures):
            if stream is None:
                made = container.add_stream("libx264", rate=rate_hz, options={"preset": "ultrafast", "crf": "12"})
                assert isinstance(made, av.VideoStream)
                stream = made
                stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, rate_hz)
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode(None))
    return path


def images(folder: Path, pictures: Iterator[Colour]) -> Path:
    """What video codecs have no size for."""
    folder.mkdir()
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def sizes() -> Iterator[Colour]:
    """The stream changes its size again and again."""
    for width, height in ((64, 48), (16, 16), (64, 48), (1, 1), (48, 64), (200, 3)):
        yield from noise(width, height, 4)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    at = tmp_path_factory.mktemp("clips")
    return {
        "black": film(at / "black.mp4", plain(0)),
        "grey": film(at / "grey.mp4", plain(128)),
        "white": film(at / "white.mp4", plain(255)),
        "tiny": film(at / "tiny.mp4", noise(16, 16)),
        "single": film(at / "single.mp4", noise(96, 64, 1)),
        "pair": film(at / "pair.mp4", noise(96, 64, 2)),
        "slow": film(at / "slow.mp4", busy(), rate_hz=1),
        "flashes": film(at / "flashes.mp4", flashes()),
        "busy": film(at / "busy.mp4", busy()),
        "moved": film(at / "moved.mp4", moved()),
        "swaying": film(at / "swaying.mp4", swaying()),
        "pixel": images(at / "pixel", noise(1, 1, 12)),
        "odd": images(at / "odd", noise(33, 21, 12)),
        "wide": images(at / "wide", noise(1500, 2, 12)),
        "high": images(at / "high", noise(2, 1500, 12)),
        "sizes": images(at / "sizes", sizes()),
    }


@dataclass(frozen=True, slots=True)
class Run:
    """What `analyze` gave: its exit code, its lines, what it said."""

    code: int
    lines: list[dict[str, Any]]
    said: str

    def of(self, kind: str, source: Path | None = None) -> list[dict[str, Any]]:
        return [each for each in self.lines if each["type"] == kind and source in (None, Path(each["source"]))]


@pytest.fixture
def analyze(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Run]:
    """Runs `camera-edge analyze --json` with the state folder of a home of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(*arguments: str | Path) -> Run:
        capsys.readouterr()
        code = main(["analyze", *map(str, arguments), "--json", "--observations", "--scores"])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Run(code, [json.loads(line, parse_constant=no_number) for line in said.out.splitlines()], said.err)

    return run


def no_number(text: str) -> float:
    raise AssertionError(f"{text} is no number")


def detector(path: Path, answer: NDArray[np.float32]) -> Path:
    """A model that sees the same in every picture."""
    ends = (
        [onnx_bytes.value("picture", onnx_bytes.FLOAT, (1, 3, 32, 32))],
        [onnx_bytes.value("out", onnx_bytes.FLOAT, answer.shape)],
    )
    only = onnx_bytes.node("Identity", ["answer"], ["out"])
    path.write_bytes(onnx_bytes.model(onnx_bytes.graph([only], *ends, [onnx_bytes.tensor("answer", answer)])))
    return path


def add_model(tmp_path: Path, answer: NDArray[np.float32]) -> int:
    """Adds it as `tiny` to the state folder of `tmp_path` as home."""
    contract = tmp_path / "contract.toml"
    contract.write_text(CONTRACT)
    file = detector(tmp_path / "tiny.onnx", answer)
    return main(["model", "add", str(file), "--contract", str(contract)])


def sightings(seed: int = 3) -> NDArray[np.float32]:
    """Of a head as YOLOX's: offsets, sizes, how sure, and of which class."""
    return np.random.default_rng(seed).normal(0.5, 0.5, (1, CELLS, VALUES)).astype(np.float32)


def has_state(module: ModuleFile) -> bool:
    return any(each.startswith("state:") for each in module.manifest.capabilities)


def needs_model(module: ModuleFile) -> bool:
    return ANY_MODEL in module.manifest.capabilities


@pytest.fixture
def spec(analyze: object, tmp_path: Path) -> Callable[[str], str]:
    """What `--analyzer` is given; for one that asks for a model a tiny one is added."""

    def make(name: str) -> str:
        if not needs_model(shipped(name)):
            return name
        assert add_model(tmp_path, sightings()) == 0
        return f"{name}:model=tiny"

    return make


def check_sane(run: Run, name: str, sources: list[Path]) -> None:
    """Every source has its summary and nothing but finite numbers that are in their range."""
    for source in sources:
        (summary,) = run.of("summary", source)
        assert summary["analysed"] > 0 and summary["traps"] == 0 and summary["dropped"] == 0, summary
    for line in run.of("observation") + run.of("event"):
        if line["analyzer"] == name:
            assert 0 <= line["score"] <= 1, line
            check_box(line["box"])
    assert all(math.isfinite(line["value"]) for line in run.of("score"))
    for event in run.of("event"):
        assert 0 <= event["opened_s"] <= event["closed_s"] and event["why"].isprintable(), event
    assert "gave no answer" not in run.said and "gave more than it may" not in run.said


def check_box(box: list[float] | None) -> None:
    if box is not None:
        x, y, w, h = box
        assert 0 <= x <= 1 and 0 <= y <= 1 and w >= 0 and h >= 0 and x + w <= 1.001 and y + h <= 1.001, box


@pytest.mark.parametrize("rate", ["native", "5"])
@pytest.mark.parametrize("name", NAMES)
def test_no_recording_is_too_odd(
    analyze: Callable[..., Run], spec: Callable[[str], str], clips: dict[str, Path], name: str, rate: str
) -> None:
    run = analyze(*clips.values(), "--analyzer", spec(name), "--rate", rate)
    assert run.code == 0, run.said
    check_sane(run, name, list(clips.values()))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WATCHERS and not needs_model(shipped(name))])
def test_where_nothing_is_to_be_seen_nothing_is_seen(
    analyze: Callable[..., Run], clips: dict[str, Path], name: str
) -> None:
    run = analyze(clips["black"], clips["grey"], clips["white"], clips["single"], "--analyzer", name)
    assert run.code == 0, run.said
    assert run.of("observation") == run.of("event") == []


@pytest.mark.parametrize("name", NAMES)
def test_all_together_and_with_a_report(
    analyze: Callable[..., Run], spec: Callable[[str], str], clips: dict[str, Path], name: str, tmp_path: Path
) -> None:
    chosen = [clips[each] for each in ("tiny", "single", "busy", "pixel", "sizes")]
    run = analyze(*chosen, "--analyzer", spec(name), "--out", tmp_path / "out", "--report", tmp_path / "found.html")
    assert run.code == 0, run.said
    check_sane(run, name, chosen)
    assert all((tmp_path / "out" / event["clip"]).is_file() for event in run.of("event") if event["clip"])
    assert (tmp_path / "found.html").read_bytes().endswith(b"</html>\n")


def numbers(name: str, value: str) -> str:
    """A spec with this value for all parameters that are numbers."""
    params = shipped(name).manifest.params or {}
    given = ",".join(f"{key}={value}" for key, default in params.items() if not isinstance(default, str))
    return f"{',' if needs_model(shipped(name)) else ':'}{given}" if given else ""


@pytest.mark.parametrize("value", ["0", "-1", "1e-30", "1e30", "-1e30"])
@pytest.mark.parametrize("name", NAMES)
def test_numbers_that_nobody_means_do_no_harm(
    analyze: Callable[..., Run], spec: Callable[[str], str], clips: dict[str, Path], name: str, value: str
) -> None:
    run = analyze(clips["busy"], "--analyzer", spec(name) + numbers(name, value), "--rate", "5")
    if run.code == 0:
        check_sane(run, name, [clips["busy"]])
    else:
        assert run.code in (64, 70), run.said
        assert run.said.count("error:") == run.said.count("next:") == 1, run.said


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
@pytest.mark.parametrize("name", [name for name in NAMES if numbers(name, "0")])
def test_a_number_that_is_none_is_refused(
    analyze: Callable[..., Run], spec: Callable[[str], str], clips: dict[str, Path], name: str, value: str
) -> None:
    run = analyze(clips["busy"], "--analyzer", spec(name) + numbers(name, value))
    assert (run.code, run.lines) == (64, [])
    assert "it takes a number that is not infinite" in run.said


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", [name for name in NAMES if has_state(shipped(name))])
def test_a_state_that_is_none_is_an_error_or_as_if_there_were_none(
    analyze: Callable[..., Run], clips: dict[str, Path], tmp_path: Path, name: str, state: str
) -> None:
    file = tmp_path / "state"
    file.write_bytes(STATES[state])
    run = analyze(clips["busy"], "--analyzer", f"{name}:state={file}")
    if run.code == 0:
        check_sane(run, name, [clips["busy"]])
    else:
        assert run.code in (64, 70), run.said
        assert run.said.count("error:") == run.said.count("next:") == 1, run.said


@pytest.fixture
def learned(cache: Path, tmp_path: Path, clips: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `learn normality` makes of the busy scene."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    state = tmp_path / "learned"
    assert main(["learn", "normality", "--out", str(state), str(clips["busy"])]) == 0
    return state


def test_what_was_learned_of_another_camera_is_an_error_that_says_so(
    analyze: Callable[..., Run], clips: dict[str, Path], learned: Path
) -> None:
    run = analyze(clips["tiny"], "--analyzer", f"normality:state={learned}")
    assert run.code == 70
    assert "view of another size" in run.said and "learn" in run.said
    assert run.of("score") == run.of("event") == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "other version"])
def test_what_was_learned_and_damaged_is_an_error_that_says_so(
    analyze: Callable[..., Run], clips: dict[str, Path], learned: Path, damage: str
) -> None:
    data = bytearray(learned.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2 if damage == "flipped" else 4] ^= 0x40
    learned.write_bytes(data)
    run = analyze(clips["busy"], "--analyzer", f"normality:state={learned}")
    assert (run.code, run.lines) == (70, [])
    assert "`camera-edge learn normality`" in run.said and run.said.count("next:") == 1


@pytest.mark.parametrize("clip", ["black", "tiny", "single", "slow", "flashes", "moved", "pixel", "sizes"])
def test_of_odd_recordings_something_is_learned_or_it_is_said_why_not(
    analyze: Callable[..., Run], clips: dict[str, Path], tmp_path: Path, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "learned"
    if main(["learn", "normality", "--out", str(state), str(clips[clip])]) != 0:
        assert "nothing could be learned" in capsys.readouterr().err and not state.exists()
        return
    run = analyze(clips[clip], "--analyzer", f"normality:state={state}", "--rate", "native")
    assert run.code in (0, 70), run.said
    assert all(math.isfinite(line["value"]) for line in run.of("score"))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30, -1e30, 0.0])
@pytest.mark.parametrize("name", [name for name in NAMES if needs_model(shipped(name))])
def test_a_model_that_answers_nonsense_makes_none(
    analyze: Callable[..., Run], clips: dict[str, Path], tmp_path: Path, name: str, value: float
) -> None:
    answer = sightings()
    answer[:, ::2] = value
    assert add_model(tmp_path, answer) == 0
    run = analyze(clips["busy"], "--analyzer", f"{name}:model=tiny", "--rate", "5")
    assert run.code in (0, 70), run.said
    for line in run.of("observation"):
        assert 0 <= line["score"] <= 1, line
        check_box(line["box"])


@pytest.mark.parametrize("shape", [(1, CELLS - 1, VALUES), (1, CELLS, VALUES + 1), (CELLS, VALUES), (1, 1, 1)])
def test_a_detector_of_other_shapes_than_its_contract_says_is_refused(
    analyze: Callable[..., Run], tmp_path: Path, capsys: pytest.CaptureFixture[str], shape: tuple[int, ...]
) -> None:
    assert add_model(tmp_path, np.zeros(shape, np.float32)) == 70
    said = capsys.readouterr().err
    assert "the contract" in said and said.count("next:") == 1
    assert f"{CELLS}x{VALUES}" in said and "x".join(map(str, shape)) in said
