"""The one way from a decoded picture to a picture that may be encoded.

Invariant: privacy masks and what analyzers saw are applied to every picture that leaves here; there is no second way.
"""

from __future__ import annotations

from dataclasses import dataclass

from camera_edge.frames import PrivacyMask
from camera_edge.picture import Picture
from camera_edge.redact import ALL, Mode, RedactionHistory, paint


@dataclass(frozen=True, slots=True)
class Redacted:
    """`is_hidden`: nothing of the picture is shown, since it is not known what would have to be hidden."""

    picture: Picture
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Redactor:
    """One camera's; used by clips and preview alike, from any thread."""

    history: RedactionHistory
    privacy: PrivacyMask
    mode: Mode

    def redact(self, frame: int, media_us: int, picture: Picture) -> Redacted:
        hidden = self.history.hidden(frame, media_us)
        # before, so that no average tells of a masked place; and after, so that it is black beside a mosaic too
        shown = self.privacy.apply(paint(self.privacy.apply(picture), hidden, self.mode))
        return Redacted(shown, hidden is ALL)
