import numpy as np

from camera_edge.frames import PrivacyMask
from camera_edge.observation import Box, Observation, Seen
from camera_edge.picture import Picture
from camera_edge.redact import Grid, Mode, RedactionHistory, RedactionPolicy
from camera_edge.worker.redactor import Redactor

WIDTH, HEIGHT = 640, 360
CORNER = ((0.0, 0.0), (0.2, 0.0), (0.2, 0.3), (0.0, 0.3))


def picture(seed: int, corner: int | None = None) -> Picture:
    """Noise, with the masked corner of one value where that is given."""
    random = np.random.default_rng(seed)
    y = random.integers(16, 235, (HEIGHT, WIDTH), np.uint8)
    u = random.integers(16, 240, (HEIGHT // 2, WIDTH // 2), np.uint8)
    v = u[::-1].copy()
    if corner is not None:
        y[:108, :128] = u[:54, :64] = v[:54, :64] = corner
    return Picture(y, u, v, lambda: np.zeros((HEIGHT, WIDTH, 3), np.uint8))


def redactor(*observations: Observation, answered: frozenset[str] = frozenset({"motion"})) -> Redactor:
    history = RedactionHistory(RedactionPolicy(frozenset({"motion"}), period_us=200_000), keep_us=10_000_000)
    history.add(Seen(0, 0, observations, answered=answered), Grid.for_size(WIDTH, HEIGHT))
    return Redactor(history, PrivacyMask([CORNER]), Mode.PIXELATE)


def test_a_privacy_mask_stays_black_under_and_beside_what_is_hidden() -> None:
    everywhere = Observation("motion", "motion", 1.0, Box(0.0, 0.0, 1.0, 1.0))
    shown = redactor(everywhere).redact(0, 0, picture(1)).picture
    assert set(np.unique(shown.y[:108, :128])) == {16}
    assert set(np.unique(shown.u[:54, :64])) == set(np.unique(shown.v[:54, :64])) == {128}


def test_no_pixel_of_a_masked_place_changes_anything_that_is_shown() -> None:
    beside = Observation("motion", "motion", 1.0, Box(0.1, 0.2, 0.3, 0.3))
    one = redactor(beside).redact(0, 0, picture(1, corner=20)).picture
    other = redactor(beside).redact(0, 0, picture(1, corner=230)).picture
    assert all(np.array_equal(a, b) for a, b in ((one.y, other.y), (one.u, other.u), (one.v, other.v)))


def test_without_an_answer_nothing_is_shown() -> None:
    silent = redactor(answered=frozenset())
    one, other = silent.redact(0, 0, picture(1)), silent.redact(0, 0, picture(2))
    assert one.is_hidden
    assert np.array_equal(one.picture.y, other.picture.y)
    assert np.array_equal(one.picture.u, other.picture.u)


def test_a_frame_without_results_around_it_is_hidden() -> None:
    assert redactor().redact(1, 40_000, picture(1)).is_hidden
