"""Makes a JPEG of one picture.

Invariant: straight from the planes, without a detour over RGB; the same picture gives the same bytes.
"""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.reformatter import ColorRange

from camera_edge.encode.planes import Format, video_frame
from camera_edge.picture import Picture

# the encoder's own scale runs from 2 (best) to 31
_BEST, _WORST = 2, 31


def jpeg(picture: Picture, quality: int = 85, *, width_max_px: int | None = None) -> bytes:
    """A baseline JPEG in 4:2:0 and full range, of the picture's own size, odd ones too. `quality`: 1 to 100.

    A picture that is wider than `width_max_px` is scaled down to it, its shape kept.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"JPEG quality is {quality}, not 1 to 100")
    width, height = picture.width, picture.height
    if width_max_px is not None and width > width_max_px:
        width, height = width_max_px, max(1, round(height * width_max_px / width))
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, 1)
    context.color_range = ColorRange.JPEG
    context.thread_count = 1
    context.qmin = context.qmax = round(_WORST - (quality - 1) * (_WORST - _BEST) / 99)
    # standard Huffman tables save a pass over the picture; without the flag the version of the library is written down
    context.options = {"huffman": "default", "flags": "+bitexact"}
    frame = video_frame(picture, Format(width, height, full_range=True))
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))
