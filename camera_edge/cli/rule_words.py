"""Says what a rule asks for, in the words of its own fields: a field that is added is told without being named here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import MISSING, Field, fields, is_dataclass

from camera_edge.rules import Hours, Rule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNTOLD = frozenset({"holds_itself"})


def asks(rule: Rule) -> str:
    """What of it is not as it would be of itself."""
    return "; ".join(_told(rule, UNTOLD | {"name"})) or "anything"


def _told(value: object, untold: Set[str] = UNTOLD) -> Iterator[str]:
    assert is_dataclass(value), "rules and their parts are dataclasses"
    for each in fields(value):
        part = getattr(value, each.name)
        if each.name in untold or part is None or (part == _default(each) and each.init):
            continue
        if is_dataclass(part) and not isinstance(part, Hours):
            yield from _told(part)
        else:
            yield _words(each.name, part)


def _default(each: Field[object]) -> object:
    return None if each.default is MISSING else each.default


def _words(name: str, value: object) -> str:
    if isinstance(value, bool):
        return name if value else f"not {name}"
    if name.endswith("_us") and isinstance(value, int):
        return f"{name.removesuffix('_us')} {value / 1e6:g} s"
    if isinstance(value, Set):
        return f"{name} {', '.join(sorted(map(str, value)))}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{name} {', '.join(_hours(each) if isinstance(each, Hours) else str(each) for each in value)}"
    return f"{name} {value}"


def _hours(hours: Hours) -> str:
    days = " ".join(DAYS[day] for day in sorted(hours.days))
    return f"{days} {_clock(hours.from_minute)} to {_clock(hours.to_minute)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
