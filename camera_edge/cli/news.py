"""Prints what a hub tells: events as they open and close, with the paths of their clips."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from camera_edge.cli.talk import show, talk
from camera_edge.clock import iso_utc
from camera_edge.event import Event
from camera_edge.hub import CameraNews, ClipNews, EventNews, Listening, News


class Teller:
    """Events go to stdout, everything else to stderr. Paths are shown in full, to be opened by a click or a copy."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self.events = 0
        self.clips = 0

    def tell(self, news: News) -> None:
        match news:
            case Listening():
                talk.print(f"page and live preview: [bold]{escape(news.address)}[/]")
            case EventNews():
                self._event(news)
            case ClipNews():
                self.clips += news.clip is not None
                where = self._state / news.clip if news.clip is not None else "no clip"
                self._line("clip", "cyan", news.event, escape(str(where)))
            case CameraNews():
                message = f": {escape(news.message)}" if news.message else ""
                talk.print(f"camera {news.camera} is {news.state}{message}")

    def _event(self, news: EventNews) -> None:
        if news.phase == "opened":
            self.events += 1
            self._line("opened", "green", news.event, f"{iso_utc(news.opened_utc_ns)}  {escape(news.event.why)}")
        elif news.phase == "closed" and news.event.closed_us is not None:
            seconds = (news.event.closed_us - news.event.opened_us) / 1e6
            self._line("closed", "yellow", news.event, f"after {seconds:.1f} s, best score {news.event.score:.2f}")

    def _line(self, word: str, colour: str, event: Event, text: str) -> None:
        zones = f" in {', '.join(event.zones)}" if event.zones else ""
        show.print(
            f"[{colour}]{word:>7}[/]  {event.camera}  [bold]{event.kind}[/]{zones}  {event.id}  {text}", soft_wrap=True
        )
