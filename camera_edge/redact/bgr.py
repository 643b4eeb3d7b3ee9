"""Converts painted planes to BGR.

Invariant: reads the planes it is given and nothing else.
"""

from __future__ import annotations

import cv2
import numpy as np

from camera_edge.picture import Plane

# ITU-R BT.601: R = Y' + 1.402 V', B = Y' + 1.772 U', G = Y' - 0.344136 U' - 0.714136 V'
_FULL = np.array([[1.0, 1.772, 0.0], [1.0, -0.344136, -0.714136], [1.0, 0.0, 1.402]])
_STRETCH = np.array([255 / 219, 255 / 224, 255 / 224])


def bgr_of(y: Plane, u: Plane, v: Plane, full_range: bool) -> Plane:
    """uint8 (height, width, 3) by BT.601, chroma repeated for its four luma pixels."""
    height, width = y.shape
    colour = [cv2.resize(plane, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)[:height, :width] for plane in (u, v)]
    matrix = _FULL if full_range else _FULL * _STRETCH
    zero = np.array([0.0 if full_range else 16.0, 128.0, 128.0])
    affine = np.hstack([matrix, -(matrix @ zero)[:, None]])
    return np.asarray(cv2.transform(cv2.merge([y, *colour]), affine), np.uint8)
