"""Makes one self-contained HTML page of what an analysis found.

Invariant: nothing in it asks for anything outside of it, and nothing in it runs: a browser that keeps to the page's own
content security policy could not do either. The same dossier gives the same page.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from importlib.resources import files

from camera_edge.dossier.courses import courses
from camera_edge.dossier.findings import Dossier, EventFound, SourceFindings
from camera_edge.dossier.making import making
from camera_edge.dossier.markup import Html, join, tag
from camera_edge.dossier.moment import clock, duration
from camera_edge.dossier.timeline import timeline
from camera_edge.event import Event
from camera_edge.worker.snapshots import Snapshot


def page(dossier: Dossier) -> bytes:
    """UTF-8, beginning with the doctype."""
    style = files("camera_edge.dossier").joinpath("page.css").read_text("utf-8")
    body = tag("body", _head(dossier), tag("main", _broke_off(dossier), _sources(dossier)), _foot(dossier))
    whole = tag("html", _meta(style), body, lang="en")
    return b"<!doctype html>\n" + whole.encode("utf-8") + b"\n"


def _meta(style: str) -> Html:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", "camera-edge: what was found"),
        tag("style", Html(style)),
    )


def _head(dossier: Dossier) -> Html:
    events = sum(len(each.spans) for each in dossier.sources)
    words = f"{_counted(events, 'event')} in {_counted(len(dossier.sources), 'source')}"
    return tag(
        "header",
        tag("h1", "What was found"),
        tag("p", f"{words} · camera-edge {dossier.version} · made {dossier.made_utc}", class_="note"),
    )


def _broke_off(dossier: Dossier) -> Html | None:
    if not dossier.broke_off:
        return None
    words = f"This run ended before its end: {dossier.broke_off}. What went on then is not told here."
    return tag("p", words, class_="alarm")


def _sources(dossier: Dossier) -> Html:
    contents = None
    if len(dossier.sources) > 1:
        entries = [tag("li", _entry(number, each)) for number, each in enumerate(dossier.sources)]
        contents = tag("nav", tag("ul", entries), aria_label="Sources")
    return join(contents, [_source(number, each) for number, each in enumerate(dossier.sources)])


def _entry(number: int, found: SourceFindings) -> Html:
    words = "failed" if found.figures is None else _counted(len(found.spans), "event")
    if found.faults and found.figures is not None:
        words += ", with faults"
    state = "alarmed" if found.faults else "note"
    return join(tag("a", _name(found), href=f"#s{number}"), " ", tag("span", words, class_=state))


def _source(number: int, found: SourceFindings) -> Html:
    prefix = f"e{number}-"
    anchors = {each.event.id: f"{prefix}{each.event.id}" for each in found.events}
    parts: list[Html | None] = [
        tag("h2", _name(found)),
        tag("p", _summary(found), class_="note"),
        *(tag("p", fault, class_="alarm") for fault in found.faults),
        *(tag("p", warning, class_="warning") for warning in found.warnings),
    ]
    if found.spans:
        parts.append(tag("h3", "When"))
        parts.append(timeline(found.spans, found.length_us, anchors))
    parts += [courses(found), _events(found, prefix), making(found)]
    return tag("section", parts, id=f"s{number}")


def _name(found: SourceFindings) -> Html:
    return tag("bdi", found.source)


def _summary(found: SourceFindings) -> str:
    if found.figures is None:
        return "There are no figures: it did not come to its end."
    kinds = Counter(span.kind for span in found.spans)
    events = ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common()) or "no event"
    frames = f"{found.figures.analysed} of {found.figures.frames} frames analysed"
    return f"{events} in {duration(found.length_us)}; {frames}"


def _events(found: SourceFindings, prefix: str) -> Html | None:
    if not found.spans:
        return None
    left_out = sum(found.left_out.values())
    note = None
    if left_out:
        kinds = ", ".join(f"{count} × {kind}" for kind, count in found.left_out.most_common())
        note = tag(
            "p",
            f"{left_out} of {len(found.spans)} events are left out here, those with the lowest scores of the most "
            f"frequent kinds: {kinds}. The timeline shows them all.",
            class_="warning",
        )
    cards = [_card(each, prefix) for each in found.events]
    return join(tag("h3", "Events"), note, tag("div", cards, class_="events"))


def _card(found: EventFound, prefix: str) -> Html:
    event = found.event
    closed_us = event.closed_us if event.closed_us is not None else event.opened_us
    when = f"{clock(event.opened_us)} – {clock(closed_us)}"
    facts = [
        _fact("score", f"{event.score:.3g}"),
        _fact("zones", ", ".join(event.zones)),
        _fact("tracks", _tracks(event.tracks)),
        _fact("rule", event.rule),
        _fact("analyzer", event.analyzer),
        _fact("clip", found.clip or ""),
        _fact("event", event.id),
    ]
    return tag(
        "article",
        _shot(found.snapshot, event),
        tag("h4", tag("span", event.kind, class_="kind"), " ", tag("span", when, class_="when")),
        tag("p", event.why or "No reason was given.", class_="why"),
        tag("dl", facts),
        id=f"{prefix}{event.id}",
        class_="event",
    )


def _shot(snapshot: Snapshot | None, event: Event) -> Html:
    if snapshot is None:
        return tag("figure", tag("div", "no picture", class_="blank"))
    data = base64.b64encode(snapshot.data).decode("ascii")
    image = tag("img", src=Html(f"data:image/jpeg;base64,{data}"), alt=f"Frame {snapshot.frame}, redacted")
    outline, box = None, event.box
    if box is not None and snapshot.frame == event.best_frame and not snapshot.is_hidden:
        edge = tag("rect", x=box.x, y=box.y, width=box.w, height=box.h, class_="outline")
        outline = tag("svg", edge, viewBox="0 0 1 1", preserveAspectRatio="none", aria_hidden="true")
    words = f"frame {snapshot.frame} at {clock(snapshot.media_us, decimals=2)}"
    if snapshot.is_hidden:
        words += ", all of it hidden: no complete answer said what it shows"
    return tag("figure", tag("div", image, outline, class_="shot"), tag("figcaption", words))


def _fact(name: str, value: str) -> Html | None:
    return tag("div", tag("dt", name), tag("dd", tag("bdi", value))) if value else None


def _tracks(tracks: tuple[int, ...], most: int = 12) -> str:
    shown = ", ".join(map(str, tracks[:most]))
    return shown if len(tracks) <= most else f"{shown} and {len(tracks) - most} more"


def _foot(dossier: Dossier) -> Html:
    words = (
        "Pictures are redacted by the same way as clips and preview: what moved, and what an analyzer saw, is hidden. "
        "This page loads nothing and runs nothing."
    )
    return tag("footer", tag("p", words))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
