"""What the benchmark found; times in the unit of their name, None where a part could not be measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from camera_edge.bench.crowd import Crowd
from camera_edge.packages.measure import InstallFigures


@dataclass(frozen=True, slots=True)
class Percentiles:
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: list[float]) -> Percentiles:
        p50, p95, p99 = np.percentile(values, [50, 95, 99])
        return cls(float(p50), float(p95), float(p99))


@dataclass(frozen=True, slots=True)
class Stages:
    """CPU milliseconds per source frame, so that they add up to about `pipeline_ms`.

    capture: grabbing and decoding. keep: pre-roll and views. analyze: the sandboxes. rules: history, rules, recorder.
    """

    capture: float
    keep: float
    analyze: float
    rules: float


@dataclass(frozen=True, slots=True)
class Figures:
    """`read_ms` and `pipeline_ms` are CPU per source frame; `sandbox_ms` and `native_ms` per analysed frame.

    wake_ms: a shipped analyzer from asleep to its first verdict. metering: how many times as long it takes with its
    budget of fuel.
    """

    frames: int
    read_ms: float
    pipeline_ms: float
    ratio: float
    stages: Stages
    instantiate_us: float
    map_us: float
    call_us: float
    sandbox_ms: float
    native_ms: float | None
    frame_to_event_ms: Percentiles
    pss_mb: float | None
    wake_ms: dict[str, Percentiles]
    metering: dict[str, float]
    crowd: Crowd
    install: InstallFigures
