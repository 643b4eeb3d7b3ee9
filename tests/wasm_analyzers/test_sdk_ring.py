"""Where the frames lie in a guest: in space that its language's allocator never hands out to anyone else."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_edge.toolchain import Language
from tests.guests import Watcher, compiled, watching

Gray = NDArray[np.uint8]
HUNGRY = Path(__file__).parent / "hungry"
WIDTH, HEIGHT = 320, 240
FRAMES = 12


@dataclass(frozen=True, slots=True)
class Meal:
    """What a hungry guest says about one frame, and what the host knows of it."""

    pixel_sum: float
    true_sum: float
    damaged: float
    ring: range
    blocks: tuple[range, ...]

    @property
    def inside_ring(self) -> list[range]:
        """The blocks that share a byte with the frames."""
        return [block for block in self.blocks if block.start < self.ring.stop and self.ring.start < block.stop]


def eat(watcher: Watcher, gray: Gray) -> Meal:
    look = watcher.look(gray)
    first, second = look.answer.scores
    state = watcher.analyzer.state
    slot, count = struct.unpack_from("<II", state)
    pairs = struct.iter_unpack("<II", state[8 : 8 + 8 * count])
    blocks = tuple(range(address, address + length) for address, length in pairs)
    start = slot - look.slot_offset
    assert start % 65536 == 0, "the ring is aligned to the pages of WebAssembly"
    return Meal(first.value, float(gray.sum()), second.value, range(start, start + watcher.ring.size_bytes), blocks)


Meals = Callable[[Path], list[Meal]]


@pytest.fixture
def meals(tmp_path: Path) -> Meals:
    def run(wasm: Path) -> list[Meal]:
        generator = np.random.default_rng(8)
        with watching(wasm, (WIDTH, HEIGHT), tmp_path / "compiled") as watcher:
            return [eat(watcher, generator.integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8)) for _ in range(FRAMES)]

    return run


def assert_ring_is_its_own(meals: list[Meal]) -> None:
    for meal in meals:
        assert meal.inside_ring == []
        assert meal.damaged == 0
        assert meal.pixel_sum == meal.true_sum
    held = meals[-1].blocks
    below = [block for block in held if block.stop <= meals[-1].ring.start]
    assert len(held) > 150 and sum(map(len, held)) > 3 << 19, "it was hungry enough to find the ring"
    assert below and len(below) < len(held), "it was given blocks on both sides of the ring"


@pytest.mark.parametrize("language", list(Language), ids=lambda language: language.value)
def test_the_allocator_never_hands_out_the_frames(language: Language, meals: Meals, tmp_path: Path) -> None:
    assert_ring_is_its_own(meals(compiled(HUNGRY / language.value, tmp_path / "module")))


def changed_copy(language: Language, target: Path, changes: dict[str, str]) -> Path:
    """The hungry guest with some of its words replaced."""
    folder = shutil.copytree(HUNGRY / language.value, target)
    source = folder / f"hungry{language.suffix}"
    text = source.read_text()
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    source.write_text(text)
    return folder


def test_assemblyscripts_allocator_takes_the_frames_where_the_host_grew_the_memory(
    meals: Meals, tmp_path: Path
) -> None:
    """Why its SDK exports `camera_edge_ring`: without it, the frames lie over what was allocated after them."""
    changes = {", camera_edge_ring }": " }", "  eat(BEFORE);\n": ""}
    without = changed_copy(Language.ASSEMBLYSCRIPT, tmp_path / "without", changes)
    with pytest.raises(AssertionError, match="frame 0: analyze trapped"):
        meals(compiled(without, tmp_path / "module"))


# the last pages that there are, which the allocator has handed out
CARELESS = """
__attribute__((export_name("camera_edge_ring"))) int camera_edge_ring(int bytes) {
    return (int)__builtin_wasm_memory_size(0) * 65536 - bytes;
}
"""


def test_a_ring_that_comes_from_elsewhere_is_noticed(meals: Meals, tmp_path: Path) -> None:
    careless = changed_copy(Language.C, tmp_path / "careless", {})
    (careless / "careless.c").write_text(CARELESS)
    seen = meals(compiled(careless, tmp_path / "module"))
    assert all(meal.inside_ring and meal.damaged for meal in seen)
    with pytest.raises(AssertionError):
        assert_ring_is_its_own(seen)


def test_frames_that_the_guest_writes_to_are_noticed(meals: Meals, tmp_path: Path) -> None:
    """The sum of the pixels can be wrong: here the first row is gone before it is added up."""
    changes = {"uint64_t sum = 0;": "uint64_t sum = 0; __builtin_memset((void *)(slot + 1), 0, slot->width);"}
    seen = meals(compiled(changed_copy(Language.C, tmp_path / "painter", changes), tmp_path / "module"))
    assert all(meal.pixel_sum < meal.true_sum for meal in seen)
