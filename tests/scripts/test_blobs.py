"""`scripts/train-blobs`: what it draws, how it cuts windows, and that the shipped model tells what is drawn apart."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.inference.catalogue import Catalogue
from scripts.blobs.__main__ import main
from scripts.blobs.figures import DRAW
from scripts.blobs.kinds import FIGURE_NAMES, FIGURES, KIND_OF_FIGURE, KINDS
from scripts.blobs.measuring import Described, area_under_curve
from scripts.blobs.scene import draw
from scripts.blobs.solids import Assembly, Camera, box, limb, paint
from scripts.blobs.window import COLUMNS, FOOT_ROWS, PERSON_ROWS, ROWS, BoxPx, cut, place
from scripts.blobs.windows import Windows, draw_windows, joined

MODELS = Path(__file__).resolve().parents[2] / "models"

Plane = NDArray[np.uint8]


def person(height_px: int, left: int, top: int, shape: tuple[int, int] = (200, 300)) -> tuple[Plane, Plane, BoxPx]:
    """A bright rectangle on a grey frame, its mask and its box."""
    luma, mask = np.full(shape, 90, np.uint8), np.zeros(shape, np.uint8)
    rows, columns = slice(top, top + height_px), slice(left, left + height_px // 4)
    luma[rows, columns], mask[rows, columns] = 200, 1
    return luma, mask, BoxPx(left, top, left + height_px // 4, top + height_px)


@pytest.mark.parametrize("height_px", [16, 32, 64, 96])
def test_a_person_fills_the_same_rows_at_any_size(height_px: int) -> None:
    luma, mask, at = person(height_px, 100, 50)
    window = cut(luma, mask, place(at, height_px))
    top = ROWS - FOOT_ROWS - PERSON_ROWS
    inside = window[1, :, COLUMNS // 2 - 3 : COLUMNS // 2 + 3]
    assert (inside[top + 1 : ROWS - FOOT_ROWS - 1] == 1).all()
    assert (inside[: top - 1] == 0).all()
    assert (inside[ROWS - FOOT_ROWS + 1 :] == 0).all()
    assert window[1].sum() == pytest.approx(PERSON_ROWS * 8, rel=0.02)


def test_brightness_and_gain_do_not_reach_the_window() -> None:
    luma, mask, at = person(40, 100, 50)
    darker = np.asarray(luma // 2 + 7, np.uint8)
    assert cut(darker, mask, place(at, 40)) == pytest.approx(cut(luma, mask, place(at, 40)), abs=1e-3)


def test_noise_on_a_flat_window_stays_small() -> None:
    luma = np.full((100, 100), 128, np.uint8)
    luma[::2] += 1
    window = cut(luma, np.zeros_like(luma), place(BoxPx(40, 40, 50, 60), 32))
    assert np.abs(window[0]).max() < 0.2


def test_what_lies_outside_of_the_frame_is_zero() -> None:
    luma, mask, at = person(40, 0, 0)
    window = cut(luma, mask, place(at, 40))
    assert (window[:, :, :6] == 0).all()
    assert (window[:, :7] == 0).all()
    assert window[1].max() == 1
    far = cut(luma, mask, place(BoxPx(-500, -500, -490, -480), 40))
    assert (far == 0).all()


def test_many_source_pixels_are_averaged() -> None:
    luma = np.indices((400, 400)).sum(axis=0).astype(np.uint8) % 2 * 255
    window = cut(np.asarray(luma, np.uint8), np.zeros((400, 400), np.uint8), place(BoxPx(190, 100, 210, 300), 128))
    assert np.abs(window[0]).max() < 0.05


def test_a_camera_sees_an_upright_pole_upright_and_from_above_shortened() -> None:
    pole = Assembly.of([limb((0.0, 0.0, 0.0), (0.0, 0.0, 2.0), 0.05, 200.0)])
    heights = []
    for elevation in (0.0, 0.8, 1.3):
        left, top, right, bottom = pole.extent(Camera(50.0, elevation, 0.0, 1000.0))
        assert right - left < 3
        heights.append(bottom - top)
    assert heights == sorted(heights, reverse=True)
    assert heights[0] == pytest.approx(2.1 / 50 * 1000, rel=0.01)


def test_what_is_nearer_hides_what_is_behind() -> None:
    near, far = box((-1.0, -1.0, 0.0), (1.0, -0.9, 1.0), 200.0), box((-1.0, 2.0, 0.0), (1.0, 2.1, 1.0), 50.0)
    canvas = np.zeros((100, 100), np.uint8)
    paint(canvas, Assembly.of(near + far), (Camera(20.0, 0.1, 0.0, 400.0), (50, 70)), None)
    assert canvas[60, 50] > 150


@pytest.mark.parametrize("name", sorted(DRAW))
def test_figures_stand_on_the_ground_and_are_of_their_size(name: str) -> None:
    length, height = [], []
    for seed in range(10):
        solids = Assembly.of(DRAW[name](np.random.default_rng(seed)))
        low, high = solids.points - solids.radii[:, None], solids.points + solids.radii[:, None]
        assert np.isfinite(solids.points).all()
        assert low[:, 2].min() > -0.35
        length.append(float(high[:, 0].max() - low[:, 0].min()))
        height.append(float(high[:, 2].max()))
    kind = dict(FIGURES)[name]
    if kind in ("person", "rider", "cyclist"):
        assert 1.2 < np.median(height) < 2.3
    if name in ("cyclist", "motorcyclist"):
        assert np.median(length) > 1.4
    if name in ("car", "van"):
        assert np.median(length) > 3.3
    if name == "bird":
        assert np.median(length) < 0.8


@pytest.mark.parametrize("figure", range(len(FIGURES)), ids=FIGURE_NAMES)
def test_every_figure_gives_windows_in_range(figure: int) -> None:
    for seed in range(3):
        window = draw(np.random.default_rng([figure, seed]), figure).window
        assert window.shape == (2, ROWS, COLUMNS)
        assert window.dtype == np.float32
        assert np.abs(window[0]).max() <= 3
        assert 0 <= window[1].min() <= window[1].max() <= 1
        assert window[1].mean() > 0.005


def test_a_set_of_windows_is_the_same_on_one_process_and_on_two() -> None:
    one, two = (joined(list(draw_windows(70, 5, processes))) for processes in (1, 2))
    assert (one.windows == two.windows).all()
    assert (one.figures == two.figures).all()
    assert len(one.figures) == 70
    # and a longer set begins with the shorter one
    assert (joined(list(draw_windows(20, 5))).windows == one.windows[:20]).all()


def test_the_kinds_are_those_of_the_catalogue() -> None:
    (model,) = Catalogue(MODELS / "catalogue.toml").shipped_models()
    assert model.contract.output.class_names == KINDS
    assert set(KINDS) == {kind for _, kind in FIGURES}


def drawn(name: str, count: int = 60) -> Windows:
    figure = FIGURE_NAMES.index(name)
    samples = [draw(np.random.default_rng([77, figure, seed]), figure) for seed in range(count)]
    windows = np.stack([sample.window for sample in samples]).astype(np.float16)
    sizes = np.array([sample.person_px for sample in samples], np.float32)
    return Windows(windows, np.full(count, figure, np.int64), sizes)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("walker", {"person"}),
        ("crowd", {"group"}),
        ("cyclist", {"cyclist"}),
        ("car", {"vehicle"}),
        ("light", {"other"}),
    ],
)
def test_the_shipped_model_tells_drawn_figures_apart(name: str, kinds: set[str]) -> None:
    said = Described(MODELS / "blobs.onnx", drawn(name)).kinds.argmax(axis=1)
    assert np.mean([KINDS[number] in kinds for number in said]) > 0.55


def test_a_cyclist_looks_less_like_walkers_than_a_walker_does() -> None:
    known, usual, unusual = (
        Described(MODELS / "blobs.onnx", each).embeddings
        for each in (drawn("walker", 120), drawn("walker_with_load"), drawn("cyclist"))
    )
    nearest = [np.sort(2 - 2 * each @ known.T, axis=1)[:, :5].mean(axis=1) for each in (usual, unusual)]
    assert area_under_curve(*nearest) > 0.7


def test_embeddings_have_length_one_and_shares_add_up_on_any_window() -> None:
    rng = np.random.default_rng(1)
    odd = np.stack([np.zeros((2, ROWS, COLUMNS)), np.full((2, ROWS, COLUMNS), 3), rng.normal(0, 3, (2, ROWS, COLUMNS))])
    windows = Windows(odd.astype(np.float16), np.zeros(3, np.int64), np.ones(3, np.float32))
    described = Described(MODELS / "blobs.onnx", windows)
    assert np.linalg.norm(described.embeddings, axis=1) == pytest.approx(1, abs=1e-4)
    assert described.kinds.sum(axis=1) == pytest.approx(1, abs=1e-4)


def test_the_model_is_measured_and_named_by_its_hash(capsys: pytest.CaptureFixture[str]) -> None:
    model = MODELS / "blobs.onnx"
    assert main(["--measure", "--held-out", "256", "--processes", "1", "--out", str(model), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert len(figures["recall"]) == len(KINDS)
    assert figures["right"] > 1.5 / len(KINDS)
    cv2.setNumThreads(-1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--windows", "0"], "--windows 0"), (["--measure", "--out", "nowhere.onnx"], "no such model"), (["--x"], "--x")],
)
def test_a_wrong_call_says_so(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 64
    assert complaint in capsys.readouterr().err


def test_areas_count_ties_half() -> None:
    lower, higher = np.array([1, 2], np.float32), np.array([2, 3], np.float32)
    assert area_under_curve(lower, higher) == 0.875
    assert len(KIND_OF_FIGURE) == len(FIGURES)
