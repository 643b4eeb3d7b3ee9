"""Builds HTML and SVG out of text that nobody vouches for.

Invariant: what is not `Html` is escaped, so a name that holds markup is shown as it is spelt and never becomes any.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable
from typing import TypeGuard

TEXT_MAX = 2_000
"""Characters of one piece of text that are shown; nothing that people write here is longer."""

_VOID = frozenset({"meta", "img", "link"})
# they turn round what stands beside them, so that a name reads as another one
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Html(str):
    """Markup. Anything done to it but by `tag` and `join` makes it plain text again, and so escaped."""

    __slots__ = ()


Child = str | Iterable[str | None] | None


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """An element. Of an attribute's name `_` at the end is left out and any other becomes `-`; None: no attribute."""
    opened = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_plain(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{opened}>")
    return Html(f"<{name}{opened}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    return Html("".join(_child(child) for child in children if child is not None))


def _child(child: str | Iterable[str | None]) -> str:
    if _is_markup(child):
        return child
    if isinstance(child, str):
        return _plain(child)
    return "".join(_child(each) for each in child if each is not None)


def _is_markup(child: object) -> TypeGuard[Html]:
    return isinstance(child, Html)


def _plain(text: str) -> str:
    if isinstance(text, Html):
        return html.escape(str(text))
    shown = text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"
    return html.escape("".join(map(_visible, shown)))


def _visible(character: str) -> str:
    if character == "\n" or (character not in _TURNING and unicodedata.category(character) not in ("Cc", "Cs")):
        return character
    return "\ufffd"


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
