"""Whatever numbers a guest gives to wasi-nn, it gets an errno, and nothing beyond its memory is touched."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from camera_edge.errors import ModelError
from camera_edge.sandbox import nn
from camera_edge.sandbox.nn import NnErrno
from tests.sandbox.nn_caller import (
    BUILDER,
    DATA,
    DIMS,
    FENCE,
    NAME,
    OUT,
    RESULT,
    SIZE_BYTES,
    TENSOR,
    Echo,
    Guest,
    Info,
    echo,
)

CALLS = 3000
WEIGHTS = {
    "load": 3,
    "load_by_name": 3,
    "init_execution_context": 4,
    "set_input": 8,
    "compute": 8,
    "get_output": 6,
    "unload": 2,
    "finalize_execution_context": 1,
}
PLACES = (NAME, TENSOR, DIMS, DATA, OUT, RESULT, BUILDER)
EDGES = (0, 1, 4, SIZE_BYTES - 20, SIZE_BYTES - 4, SIZE_BYTES - 1, SIZE_BYTES, 1 << 31, (1 << 32) - 4, (1 << 32) - 1)


class Wanderer:
    """A guest that mostly knows what it does, and often gets one number of it wrong."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        graphs = {name: echo(-1, 2, dtype=name) for name in ("f2", "f4", "f8", "u1", "i4", "i8")}
        broken = echo(-1, 2)
        broken.fails = True
        self.guest = Guest({**graphs, "broken": broken}, load=self._load)
        self.graphs: list[int] = []
        self.contexts: list[int] = []
        self.seen: Counter[str] = Counter()
        self.answers: Counter[NnErrno] = Counter()

    def step(self) -> None:
        self._write()
        (name,) = self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
        args = [self._argument(name, place) for place in range(self.guest.functions[name].parameters)]
        # NnErrno(…) refuses what is no errno, and whatever is raised fails the test
        answer = self.guest.call(name, *args)
        self.answers[answer] += 1
        if answer is NnErrno.SUCCESS:
            self.seen[name] += 1
            made = {"load": self.graphs, "load_by_name": self.graphs, "init_execution_context": self.contexts}
            if name in made:
                made[name].append(self.guest.u32(OUT))

    def _load(self, model: bytes) -> Echo:
        if len(model) % 3 == 0:
            raise ModelError("no")
        return Echo([Info("a", nn.DTYPES[len(model) % 6], (-1, 2))])

    def _argument(self, name: str, place: int) -> int:
        if self.rng.random() < 0.1:
            return self.rng.choice((*EDGES, self.rng.getrandbits(32)))
        right = {
            "load": (BUILDER, 1, self.rng.choice((1, 5)), 0, OUT),
            "load_by_name": (NAME, self.rng.choice((2, 2, 6)), OUT),
            "init_execution_context": (self._one_of(self.graphs), OUT),
            "set_input": (self._one_of(self.contexts), 0, TENSOR),
            "compute": (self._one_of(self.contexts),),
            "get_output": (self._one_of(self.contexts), 0, DATA, self.rng.choice((0, 64, 4096)), RESULT),
            "unload": (self._one_of(self.graphs),),
            "finalize_execution_context": (self._one_of(self.contexts),),
        }
        return right[name][place]

    def _one_of(self, handles: list[int]) -> int:
        """One of the last that were given, which may be gone."""
        return self.rng.choice(handles[-4:] or [0])

    def _write(self) -> None:
        """Structures at their places: right, with one number wrong, or noise."""
        rng, guest = self.rng, self.guest
        guest.put(NAME, rng.choice((b"f2", b"f4", b"f8", b"u1", b"i4", b"i8", b"broken", b"\xff\xfe", b"nobody")))
        kind = rng.randrange(6)
        rows = rng.choice((0, 1, 3, 1 << 31))
        guest.put(DIMS, rows.to_bytes(4, "little") + (2).to_bytes(4, "little") + rng.randbytes(64))
        tensor = [DIMS, 2, kind, DATA, (rows * 2 * nn.DTYPES[kind].itemsize) & 0xFFFFFFFF]
        builder = [DATA, rng.choice((0, 5, 6, 100))]
        for numbers in (tensor, builder):
            if rng.random() < 0.1:
                numbers[rng.randrange(len(numbers))] = rng.choice(EDGES)
        tensor[2] &= 0xFF
        guest.put_tensor(*tensor)
        guest.put(BUILDER, nn.BUILDER.pack(*builder))
        if rng.random() < 0.05:
            guest.put(rng.choice(PLACES[:-1]), rng.randbytes(32))


@pytest.mark.parametrize("seed", range(5))
def test_random_calls_get_an_errno_and_stay_inside_the_memory(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn, "HELD_BYTES_MAX", 4096)
    monkeypatch.setattr(nn, "MODELS_BYTES_MAX", 400)
    wanderer = Wanderer(seed)
    for _ in range(CALLS):
        wanderer.step()
    assert wanderer.guest.is_fenced
    # it went everywhere: every function succeeded, and every errno came but the two that need no memory or two threads
    assert all(wanderer.seen[name] for name in wanderer.guest.functions), wanderer.seen
    never = {NnErrno.MISSING_MEMORY, NnErrno.BUSY, NnErrno.UNSUPPORTED_OPERATION}
    assert set(NnErrno) - set(wanderer.answers) == never, wanderer.answers


@pytest.mark.parametrize("seed", range(3))
def test_pure_noise_gets_an_errno_and_stays_inside_the_memory(seed: int) -> None:
    rng = random.Random(seed)
    guest = Guest({"f4": echo(-1)}, load=lambda _: echo(1))
    guest.put(0, rng.randbytes(4096))
    for _ in range(CALLS):
        name = rng.choice(list(guest.functions))
        words = (rng.getrandbits(32), rng.getrandbits(12), rng.choice(EDGES))
        guest.call(name, *(rng.choice(words) for _ in range(guest.functions[name].parameters)))
    assert guest.is_fenced


def test_the_fence_notices_a_write_beyond_and_a_read_from_beyond() -> None:
    guest = Guest({})
    guest.put(0, FENCE[:8])
    assert not guest.is_fenced
    other = Guest({})
    other._fences[1][0] = 0
    assert not other.is_fenced
