"""Says a media time as people write it."""

from __future__ import annotations

SECOND_US = 1_000_000
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def clock(media_us: float, *, decimals: int = 1) -> str:
    """`0:04.2`, `12:30.0`, `3:05:00`: minutes and seconds, hours before them where there are any."""
    unit = 10**decimals
    whole, part = divmod(round(abs(media_us) / SECOND_US * unit), unit)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{front}:{seconds:02}" + (f".{part:0{decimals}}" if decimals else "")


def duration(microseconds: float) -> str:
    seconds = microseconds / SECOND_US
    return f"{seconds:.1f} s" if seconds < 120 else clock(microseconds, decimals=0)


def round_times(length_us: int, most: int = 6) -> list[int]:
    """Times from 0 to the end for the marks of an axis, at most about so many."""
    rough_s = length_us / SECOND_US / most
    step_s = next((step for step in _STEPS_S if step >= rough_s), _STEPS_S[-1] * max(1, round(rough_s / _STEPS_S[-1])))
    step_us = round(step_s * SECOND_US)
    return list(range(0, length_us + 1, step_us))
