"""All offenders."""

from __future__ import annotations

from tests.sandbox.hostile import frames, outputs, pointers, spins, starts, turncoats
from tests.sandbox.hostile.cases import Case

CORPUS: tuple[Case, ...] = (
    *spins.CASES,
    *pointers.CASES,
    *frames.CASES,
    *outputs.CASES,
    *starts.CASES,
    *turncoats.CASES,
)
