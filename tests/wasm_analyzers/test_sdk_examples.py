"""The worked example of each SDK, built and run: all give the answers that the comment in them promises."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.errors import ModuleError
from camera_edge.observation import Box, Observation, Score
from camera_edge.sandbox import Answer
from camera_edge.toolchain import Language
from tests.guests import SDK, compiled, watching

Gray = NDArray[np.uint8]
WIDTH, HEIGHT = 150, 107  # neither is a multiple of the cells' eight pixels
CELL = 8

Watch = Callable[..., list["Said"]]


@dataclass(frozen=True, slots=True)
class Said:
    """What of an answer has to be the same in all languages; the mask as bytes."""

    observations: tuple[Observation, ...]
    scores: tuple[Score, ...]
    mask: bytes
    mask_shape: tuple[int, ...]


def said(answer: Answer) -> Said:
    assert answer.mask is not None and answer.refused == 0 and answer.logs == ()
    return Said(answer.observations, answer.scores, answer.mask.pixels.tobytes(), answer.mask.pixels.shape)


@pytest.fixture(scope="module", params=list(Language), ids=lambda language: language.value)
def language(request: pytest.FixtureRequest) -> Language:
    assert isinstance(request.param, Language)
    return request.param


@pytest.fixture(scope="module")
def example(language: Language, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(SDK / language.value / "example", tmp_path_factory.mktemp(language.value))


@pytest.fixture(scope="module")
def c_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(SDK / "c" / "example", tmp_path_factory.mktemp("c"))


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    cache = tmp_path_factory.mktemp("cache") / "compiled"

    def run(wasm: Path, frames: list[Gray], **params: float) -> list[Said]:
        height, width = frames[0].shape
        with watching(wasm, (width, height), cache, **params) as watcher:
            return [said(watcher.look(frame).answer) for frame in frames]

    return run


def drawn() -> list[Gray]:
    """A thing that walks over a noisy wall, pauses, blinks in one cell, and touches the right and lower edge."""
    generator = np.random.default_rng(11)
    wall = generator.integers(60, 180, (HEIGHT, WIDTH)).astype(np.int32)
    frames = []
    for number in range(24):
        frame = wall + generator.integers(-4, 5, wall.shape)
        left = min(number, 14) * 11
        frame[30 + number * 2 : 60 + number * 2, left : left + 20] = 230
        if number in (17, 19):
            frame[8:16, 8:16] += 40
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
    return [*frames, frames[-1], np.full((HEIGHT, WIDTH), 255, np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)]


def expected(before: Gray, now: Gray, threshold: float, min_cells: float) -> Said:
    """The rule as the example's comment tells it, in numpy."""
    height, width = now.shape
    difference = np.abs(now.astype(np.int64) - before)
    mask = np.zeros(now.shape, np.uint8)
    changed: list[tuple[int, int]] = []
    tops, lefts = range(0, height, CELL), range(0, width, CELL)
    for top in tops:
        for left in lefts:
            cell = difference[top : top + CELL, left : left + CELL]
            if int(cell.sum()) > threshold * cell.size:
                changed.append((left, top))
                mask[top : top + CELL, left : left + CELL] = 255
    cells = len(tops) * len(lefts)
    scores = (Score("change", len(changed) / cells),)
    observations: tuple[Observation, ...] = ()
    if changed and len(changed) >= min_cells:
        observations = (_around(changed, cells, (width, height)),)
    return Said(observations, scores, mask.tobytes(), mask.shape)


def _around(changed: list[tuple[int, int]], cells: int, size: tuple[int, int]) -> Observation:
    width, height = size
    left, top = min(x for x, _ in changed), min(y for _, y in changed)
    right = min(max(x for x, _ in changed) + CELL, width)
    bottom = min(max(y for _, y in changed) + CELL, height)
    sides = (left, width), (top, height), (right - left, width), (bottom - top, height)
    x, y, w, h = (float(np.float32(part) / np.float32(whole)) for part, whole in sides)
    score = float(np.float32(len(changed)) / np.float32(cells))
    # what rounding adds beyond the edge is cut off by the host
    return Observation("change", "change", score, Box(x, y, min(w, 1 - x), min(h, 1 - y)), -1, {"cells": len(changed)})


def test_an_example_says_what_its_comment_promises(example: Path, watch: Watch) -> None:
    frames = drawn()
    answers = watch(example, frames)
    first, *others = answers
    assert first == Said((), (), b"\xff" * (WIDTH * HEIGHT), (HEIGHT, WIDTH))
    assert others == [expected(a, b, 12, 2) for a, b in zip(frames, frames[1:], strict=False)]
    # the clip has both sides of each question
    assert {bool(answer.observations) for answer in others} == {True, False}
    assert any(0 < answer.scores[0].value * 14 * 19 < 1.5 for answer in others), "a cell that is not enough alone"
    assert max(answer.scores[0].value for answer in others) == 1


def test_the_parameters_move_what_is_reported(example: Path, watch: Watch) -> None:
    frames = drawn()
    pairs = list(zip(frames, frames[1:], strict=False))
    for threshold, min_cells in ((2.625, 1.0), (60.0, 5.0)):
        answers = watch(example, frames, threshold=threshold, min_cells=min_cells)
        assert answers[1:] == [expected(a, b, threshold, min_cells) for a, b in pairs]


@pytest.mark.parametrize("size", [(8, 8), (5, 3), (159, 200)], ids=str)
def test_a_view_of_any_size_is_divided_into_cells(example: Path, watch: Watch, size: tuple[int, int]) -> None:
    generator = np.random.default_rng(3)
    frames = [generator.integers(0, 255, size[::-1]).astype(np.uint8) for _ in range(3)]
    answers = watch(example, frames, min_cells=0)
    assert answers[1:] == [expected(a, b, 12, 0) for a, b in zip(frames, frames[1:], strict=False)]


def test_a_frame_in_which_nothing_changed_reports_nothing_even_where_no_cell_is_asked_for(
    example: Path, watch: Watch
) -> None:
    still = np.full((40, 40), 90, np.uint8)
    first, second = watch(example, [still, still], min_cells=0)
    assert first.scores == () and second.scores == (Score("change", 0.0),)
    assert second.observations == () and not any(second.mask)


def test_the_examples_give_identical_answers_on_a_recording(
    example: Path, c_example: Path, watch: Watch, recordings: Path
) -> None:
    capture = cv2.VideoCapture(str(next((recordings / "opencv_vtest").glob("*.mp4"))))
    frames: list[Gray] = []
    while len(frames) < 60 and capture.grab():
        there, bgr = capture.retrieve()
        assert there
        gray = cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (160, 120), interpolation=cv2.INTER_LINEAR_EXACT)
        frames.append(np.asarray(gray, np.uint8))
    assert len(frames) == 60
    answers = watch(example, frames, threshold=8)
    assert answers == watch(c_example, frames, threshold=8)
    assert sum(len(answer.observations) for answer in answers) > 20


def test_the_package_carries_every_sdk_with_its_example(shipped_folder: Path) -> None:
    packed = shipped_folder / "source" / "sdk"
    theirs = {str(path.relative_to(packed)): path.read_bytes() for path in packed.rglob("*") if path.is_file()}
    ours = {str(path.relative_to(SDK)): path.read_bytes() for path in SDK.rglob("*") if path.is_file()}
    assert theirs == {name: data for name, data in ours.items() if "node_modules" not in Path(name).parts}
    assert {f"{language.value}/example/analyzer.toml" for language in Language} <= theirs.keys()


# a line of the example's `open`, what stands there instead, and the words that the operator then reads
WRONG = {
    "zig-bounds": (
        "threshold = ce.",
        'hidden[@intFromFloat(ce.paramNumber("min_cells", 2))] = 1;\n    threshold = ce.',
        "index out of bounds",
    ),
    "zig-error": ("threshold = ce.", "if (hidden.len == 0) return error.NoLight;\n    threshold = ce.", "NoLight"),
    "rust-bounds": ("Vec::new()", 'vec![Vec::new()[param_number("min_cells", 2.0) as usize]]', "index out of bounds"),
    "rust-error": ("Vec::new()", '"many".parse::<u8>().map(|_| Vec::new())?', "invalid digit"),
    "assemblyscript-bounds": (
        "threshold = p",
        'hidden[<i32>paramNumber("min_cells", 2)] = 1;\n  threshold = p',
        "Index out of range",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_goes_wrong_in_a_guest_is_said_in_words(case: str, tmp_path: Path) -> None:
    old, new, words = WRONG[case]
    folder = shutil.copytree(SDK / case.partition("-")[0] / "example", tmp_path / "module")
    (source,) = folder.glob("change.*")
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    wasm = compiled(folder, tmp_path / "built")
    with pytest.raises(ModuleError, match=f"does not start: .*{words}"), watching(wasm, (64, 64), tmp_path / "cache"):
        pass
