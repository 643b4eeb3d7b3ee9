"""Makes the recording that is measured where none is named: the synthetic yard in H.264."""

from __future__ import annotations

from pathlib import Path

from camera_edge.capture import SourceOptions, open_source
from camera_edge.encode import ClipEncoder, ClipOptions


def make_clip(path: Path, width: int, height: int, frames: int) -> None:
    """Writes `frames` pictures at 25 a second. Raises OutputError."""
    address = f"synthetic:?seed=11&size={width}x{height}&fps=25&pace=0"
    with (
        open_source(address, SourceOptions()) as source,
        ClipEncoder(path, width, height, ClipOptions(nominal_fps=25.0, threads=2)) as encoder,
    ):
        written = 0
        while written < frames and (grab := source.read()) is not None:
            for frame in grab.frames:
                encoder.write(frame.picture, frame.media_us)
                written += 1
