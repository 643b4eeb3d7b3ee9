from __future__ import annotations

from pathlib import Path

from camera_edge.packages.measure import MODULE_BYTES, measure_install


def test_what_is_measured_was_installed(tmp_path: Path) -> None:
    figures = measure_install(tmp_path, rounds=3)
    assert abs(figures.module_bytes - MODULE_BYTES) < 20_000
    assert figures.both_ms == figures.verify_ms + figures.install_ms > 0
    assert len(list((tmp_path / "analyzers" / "modules" / "measured").glob("1.0.*"))) == 3
