"""Says in one short sentence why an event opened.

Invariant: one line, at most `WHY_MAX` characters, printable, whatever a module said.
"""

from __future__ import annotations

from collections.abc import Mapping

from camera_edge.event import Event
from camera_edge.observation import AttributeValue

WHY_MAX = 160
WHY = "why"
"""The attribute by which an observation says it itself."""


def told(attributes: Mapping[str, AttributeValue]) -> str:
    """What the observation says of itself, "" where it says nothing."""
    text = attributes.get(WHY)
    return sentence(text) if isinstance(text, str) else ""


def seen_for(event: Event, now_us: int) -> str:
    """Of an event that opens at `now_us` because something was seen: what, where, and for how long it went on."""
    where = f" in {', '.join(event.zones)}" if event.zones else ""
    lasted = "" if now_us == event.opened_us else f" for {seconds(now_us - event.opened_us)}"
    return sentence(f"{event.kind}{where}{lasted}, score {event.score:.2f}")


def seconds(duration_us: int) -> str:
    """As people say it: `0.4 s`, `12 s`."""
    return f"{round(duration_us / 1e6, 1):g} s"


def sentence(text: str) -> str:
    """One printable line that is not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= WHY_MAX else line[: WHY_MAX - 1] + "…"
