"""The suites by name: what each measures, and how its figures become a document and charts.

Invariant: a document holds the keys that the README names for its suite, at its top; numbers in it are finite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from camera_edge.eval.replay import Site
from camera_edge.plot import Chart, svg


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be measured. `train`: where recordings to learn from lie, if not beside the others."""

    data: Path
    train: Path | None
    model: str
    site: Site


@dataclass(frozen=True, slots=True)
class Outcome:
    """document: for `--json`. pictures: curves and failures, SVG by the name of the file, made only when asked for, for
    some frames are looked at again."""

    document: Mapping[str, Any]
    pictures: Callable[[], Mapping[str, str]]


def _drawn(charts: Mapping[str, Chart]) -> dict[str, str]:
    return {name: svg(chart) for name, chart in charts.items()}


def _change(order: Order) -> Outcome:
    from camera_edge.eval import charts, documents, failures
    from camera_edge.eval.change import measure_change

    figures = measure_change(order.data, order.site)
    return Outcome(
        documents.of_change(figures),
        lambda: _drawn(charts.of_change(figures)) | failures.of_change(figures, order.site),
    )


def _people(order: Order) -> Outcome:
    from camera_edge.eval import charts, documents, failures
    from camera_edge.eval.detectors import with_detector
    from camera_edge.eval.people import measure_people

    with with_detector(order.model, order.data, order.site.supply) as supply:
        figures = measure_people(order.data, order.model, replace(order.site, supply=supply))
    return Outcome(
        documents.of_people(figures), lambda: _drawn(charts.of_people(figures)) | failures.of_people(figures)
    )


def _events(order: Order) -> Outcome:
    from camera_edge.eval import charts, documents
    from camera_edge.eval.detectors import with_detector
    from camera_edge.eval.events import find_recordings, measure_events

    recordings, detector = find_recordings(order.data)
    with ExitStack() as stack:
        supply = order.site.supply
        if detector:
            supply = stack.enter_context(with_detector(order.model, order.data, supply))
        figures = measure_events(recordings, order.model, replace(order.site, supply=supply))
    return Outcome(documents.of_events(figures), lambda: _drawn(charts.of_events(figures)))


def _tamper(order: Order) -> Outcome:
    from camera_edge.eval import charts, documents, failures
    from camera_edge.eval.tamper import document_of, find_clips, measure_tamper

    figures = measure_tamper(find_clips(order.data), order.site)
    return Outcome(
        documents.rounded(document_of(figures)), lambda: _drawn(charts.of_tamper(figures)) | failures.of_tamper(figures)
    )


def _normality(order: Order) -> Outcome:
    from camera_edge.eval import charts, documents, failures
    from camera_edge.eval.normality import learn, measure_normality
    from camera_edge.eval.ped import find_site

    figures = measure_normality(find_site(order.data, order.train), learn, order.site)
    return Outcome(
        documents.of_normality(figures),
        lambda: _drawn(charts.of_normality(figures)) | failures.of_normality(figures, order.site),
    )


SUITES: Mapping[str, Callable[[Order], Outcome]] = {
    "change": _change,
    "people": _people,
    "normality": _normality,
    "events": _events,
    "tamper": _tamper,
}
