"""Modules that no compiler would write: enormous, malformed, or both. Made byte by byte."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

HEAD = b"\0asm\1\0\0\0"
CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, EXPORT, START, ELEMENT, CODE, DATA = 0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11
I32, V128 = b"\x7f", b"\x7b"
# () -> (), () -> i32, i32 -> i32
TYPES = (b"\x60\0\0", b"\x60\0\1\x7f", b"\x60\1\x7f\1\x7f")
ONE, ZERO = b"\x41\1", b"\x41\0"


def leb(number: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def vector(items: Sequence[bytes]) -> bytes:
    return leb(len(items)) + b"".join(items)


def section(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + leb(len(body)) + body


def name(text: str) -> bytes:
    return leb(len(text.encode())) + text.encode()


def code(body: bytes, local: bytes = b"\0") -> bytes:
    return leb(len(local + body) + 1) + local + body + b"\x0b"


@dataclass(frozen=True, slots=True)
class Binary:
    """A whole analyzer. `before` goes before the section of functions, `behind` behind the code."""

    analyze: bytes = ZERO
    local: bytes = b"\0"
    memory: bytes = b"\0\2"
    table: bytes | None = None
    functions: tuple[bytes, ...] = ()
    before: bytes = b""
    behind: bytes = b""

    def __bytes__(self) -> bytes:
        exports = [name("memory") + b"\2\0", name("camera_edge_abi") + b"\0\0", name("analyze") + b"\0\1"]
        return b"".join(
            (
                HEAD,
                section(TYPE, vector(TYPES)),
                self.before,
                section(FUNCTION, vector([leb(1), leb(2), *[leb(0)] * len(self.functions)])),
                section(TABLE, vector([self.table])) if self.table is not None else b"",
                section(MEMORY, vector([self.memory])),
                section(EXPORT, vector(exports)),
                section(CODE, vector([code(ONE), code(self.analyze, self.local), *self.functions])),
                self.behind,
            )
        )


def mutants(good: bytes, seed: int, count: int) -> list[bytes]:
    """Truncated, with flipped bits, bytes cut out or made up, sections of noise; the same for the same seed."""
    noise = random.Random(seed)
    return [_mutant(good, noise, number) for number in range(count)]


def _mutant(good: bytes, noise: random.Random, number: int) -> bytes:
    at = noise.randrange(len(HEAD), len(good))
    kind = number % 6
    if kind == 0:
        return good[:at]
    if kind == 1:
        flipped = bytearray(good)
        for _ in range(noise.randint(1, 8)):
            flipped[noise.randrange(len(HEAD), len(good))] ^= 1 << noise.randrange(8)
        return bytes(flipped)
    if kind == 2:
        return good[:at] + good[at + noise.randint(1, 16) :]
    if kind == 3:
        return good[:at] + noise.randbytes(noise.randint(1, 16)) + good[at:]
    if kind == 4:
        return good + section(noise.randrange(14), noise.randbytes(noise.randint(0, 64)))
    return HEAD + b"".join(section(noise.randrange(14), noise.randbytes(noise.randint(0, 32))) for _ in range(6))
