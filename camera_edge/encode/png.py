"""Makes a PNG of a mask: lossless, grey."""

from __future__ import annotations

import cv2

from camera_edge.picture import Plane


def png(pixels: Plane) -> bytes:
    """A grey PNG of uint8 (height, width)."""
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError(f"cannot make a PNG of {pixels.shape} {pixels.dtype}")
    return data.tobytes()
