"""Decides when one event opens, changes and closes.

Invariant: an event opens at its first match and closes at its last one, whenever the machine came to know it.

    idle ──match──> waiting ──matches went on for hold_us──> proposed ──open()──> open
      ^                │                                        │                  │
      └── quiet_us ────┘        veto() ──> idle <───────────────┘                  │
      └<─────────────────────────── quiet_us without a match, or veto() ───────────┘
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from camera_edge.event import Change, Closed, Event, Opened, Updated
from camera_edge.observation import NO_TRACK, Box
from camera_edge.rules.reason import seen_for

SCORE_STEP = 0.05
"""By how much the best score must grow before it is news."""

MAX_TRACKS = 256
"""Tracks that one event names; later ones belong to it all the same."""


NO_FRAME = -1


@dataclass(frozen=True, slots=True)
class Match:
    """One observation that a rule asks for, and the zones it stood in. `why` empty: that it was seen is the reason.

    since_us: an event that this one begins began then (None: now). frame: where it was seen (None: in this one).
    """

    score: float
    track: int
    zones: tuple[str, ...]
    box: Box | None = None
    why: str = ""
    since_us: int | None = None
    frame: int | None = None


class EventMachine:
    """The state of one (rule, analyzer, kind).

    `blank` carries the names that every event of this machine has. An event that is to open is proposed first; `open()`
    gives it its id. A gap in the matches that is shorter than `quiet_us` counts as going on; one of `quiet_us` or more
    ends what went before, even if the very same call brings a new match, so the answer does not depend on how many
    empty frames lay between.
    """

    def __init__(self, hold_us: int, quiet_us: int, blank: Event) -> None:
        self._hold_us = hold_us
        self._quiet_us = quiet_us
        self._blank = blank
        self._seen: Event | None = None
        self._announced: Event | None = None
        self._last_match_us = 0
        self._pinned_score: float | None = None
        self._rests_until_us = 0
        self._rests = False

    @property
    def idle(self) -> bool:
        return self._seen is None and not self._rests

    @property
    def proposed(self) -> Event:
        """The event that waits for `open` or `veto`."""
        assert self._seen is not None and self._announced is None, "nothing is proposed"
        return self._seen

    @property
    def open_event(self) -> Event | None:
        """The open event in its newest state, which may be ahead of what was told; None where none is open."""
        return None if self._announced is None else self._seen

    @property
    def best_frame(self) -> int:
        """The frame with the best score of what waits, is proposed or open; `NO_FRAME` where there is nothing."""
        return NO_FRAME if self._seen is None else self._seen.best_frame

    def feed(self, matches: Sequence[Match], *, frame: int, now_us: int) -> list[Change]:
        """Take what matched in one analysed frame (often nothing); `now_us` never runs backwards.

        An `Opened` among the changes is a proposal, its event without an id: answer it by `open` or `veto`.
        """
        changes: list[Change] = []
        if self._seen is not None and now_us - self._last_match_us >= self._quiet_us:
            changes += self.close()
        if matches and now_us >= self._rests_until_us:
            changes += self._match(matches, frame, now_us)
        self._rests = now_us < self._rests_until_us
        return changes

    def open(self, event_id: str) -> Opened:
        """What was proposed is open from now on."""
        assert self._seen is not None and self._announced is None, "only what was proposed opens"
        self._seen = self._announced = replace(self._seen, id=event_id)
        return Opened(self._announced)

    def veto(self, now_us: int) -> list[Change]:
        """What was proposed is forgotten, what is open closes. What goes on matching begins anew.

        After an open event it does so when the quiet time is over: who vetoes every other frame makes no storm.
        """
        if self._announced is not None:
            self._rests_until_us, self._rests = now_us + self._quiet_us, True
        return self.close()

    def relabel(self, kind: str, score: float | None) -> None:
        """Another kind for the event that is proposed or open, and a score that it then keeps (None: its own)."""
        assert self._seen is not None, "only an event has a kind"
        self._pinned_score = self._pinned_score if score is None else score
        self._seen = self._pinned(replace(self._seen, kind=kind))
        if self._announced is not None:
            self._announced = self._seen

    def close(self) -> list[Change]:
        """The source has ended: what is open closes at its last match, what waits is forgotten."""
        seen, announced = self._seen, self._announced
        self._seen = self._announced = self._pinned_score = None
        if seen is None or announced is None:
            return []
        return [Closed(replace(seen, closed_us=self._last_match_us))]

    def _pinned(self, event: Event) -> Event:
        return event if self._pinned_score is None else replace(event, score=self._pinned_score)

    def _match(self, matches: Sequence[Match], frame: int, now_us: int) -> list[Change]:
        began_us = min((match.since_us for match in matches if match.since_us is not None), default=now_us)
        before = self._seen if self._seen is not None else replace(self._blank, opened_us=began_us)
        self._last_match_us = now_us
        self._seen = event = self._pinned(_joined(before, matches, frame))
        if self._announced is None:
            if now_us - event.opened_us < self._hold_us:
                return []
            self._seen = event = replace(event, why=_reason(event, matches, now_us))
            return [Opened(event)]
        if not _is_news(self._announced, event):
            return []
        self._announced = event
        return [Updated(event)]


def _joined(event: Event, matches: Sequence[Match], frame: int) -> Event:
    best = max(matches, key=lambda match: match.score)
    zones = dict.fromkeys((*event.zones, *(zone for match in matches for zone in match.zones)))
    tracks = dict.fromkeys((*event.tracks, *(match.track for match in matches if match.track != NO_TRACK)))
    better = best.score > event.score or event.best_frame == NO_FRAME
    return replace(
        event,
        score=best.score if better else event.score,
        best_frame=event.best_frame if not better else frame if best.frame is None else best.frame,
        zones=tuple(zones),
        tracks=tuple(tracks)[:MAX_TRACKS],
        box=best.box if better else event.box,
    )


def _reason(event: Event, matches: Sequence[Match], now_us: int) -> str:
    """What the best of the matches says of itself, or that it was seen."""
    return max(matches, key=lambda match: match.score).why or seen_for(event, now_us)


def _is_news(announced: Event, event: Event) -> bool:
    grew = event.score - announced.score >= SCORE_STEP
    return grew or event.zones != announced.zones or event.tracks != announced.tracks
