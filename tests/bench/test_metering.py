from __future__ import annotations

from pathlib import Path

from camera_edge.bench.clip import make_clip
from camera_edge.bench.metering import measure_metering
from camera_edge.capture import Frame, SourceOptions, open_source
from camera_edge.sandbox import shipped_names


def test_each_shipped_analyzer_is_timed_with_its_budget_and_without(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    make_clip(path, 320, 180, 6)
    frames: list[Frame] = []
    with open_source(str(path), SourceOptions()) as source:
        while (grab := source.read()) is not None:
            frames += grab.frames
    ratios = measure_metering(frames)
    assert sorted(ratios) == sorted(shipped_names())
    # no claim about this machine: what cannot be is a module that takes no time, or a budget that costs tenfold
    assert all(0.1 < ratio < 10 for ratio in ratios.values())
