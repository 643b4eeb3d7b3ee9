"""Findings to make pages of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from camera_edge.clips import Fingerprint, ModelRecord, ModuleRecord, RedactionRecord, RuntimeRecord
from camera_edge.dossier import (
    Dossier,
    EventFound,
    Figures,
    ModuleFacts,
    RuleFacts,
    Setting,
    SourceFindings,
    Span,
    Trace,
    Tracer,
)
from camera_edge.encode import jpeg
from camera_edge.event import Event
from camera_edge.observation import Box
from camera_edge.picture import Picture
from camera_edge.worker.provenance import Provenance
from camera_edge.worker.snapshots import Snapshot

MODULE_SHA256, MODEL_SHA256 = "ab" * 32, "cd" * 32
SECOND_US = 1_000_000
BLANK = Event("", "yard", "any", "person", "objects", 0.5, 0, 0)


def still(frame: int, *, is_hidden: bool = False) -> Snapshot:
    luma, chroma = np.full((48, 64), 90, np.uint8), np.full((24, 32), 128, np.uint8)
    return Snapshot(frame, frame * 40_000, jpeg(Picture(luma, chroma, chroma, luma.copy)), is_hidden)


def event(number: int, **fields: Any) -> EventFound:
    """One of a second, ten seconds after the one before."""
    opened_us = number * 10 * SECOND_US
    made = replace(
        BLANK,
        id=f"{number:016x}",
        best_frame=number,
        opened_us=opened_us,
        closed_us=opened_us + SECOND_US,
        zones=("gate",),
        tracks=(7,),
        why="person in gate for 0.4 s",
        box=Box(0.25, 0.5, 0.125, 0.25),
    )
    return EventFound(replace(made, **fields), still(number))


def setting(text: str) -> Setting:
    """All names in it are `text`."""
    made_of = Provenance(
        source=text,
        modules=(ModuleRecord(name=text, version=text, sha256=MODULE_SHA256),),
        models=(ModelRecord(name=text, sha256=MODEL_SHA256),),
        fingerprint=Fingerprint(decoder=text, machine=text, runtimes=(RuntimeRecord(name=text, version="1"),)),
        redaction=RedactionRecord(
            mode="pixelate", required=(text,), pad=0.25, hold_s=1.5, period_s=0.2, static_masks=2
        ),
    )
    module = ModuleFacts(text, "1.2.3", MODULE_SHA256, ("pixels", text), (f"a={text}",), True)
    return Setting(5.0, (module,), (RuleFacts(text, text),), (text,), made_of)


def trace(scores: int = 100, analyzer: str = "objects") -> Trace:
    tracer = Tracer()
    for number in range(scores):
        tracer.add(number * SECOND_US, number / 100)
    return tracer.trace(analyzer, revised=False)


def source(*events: EventFound, text: str = "yard", **fields: Any) -> SourceFindings:
    spans = tuple(
        Span(each.event.kind, each.event.analyzer, each.event.opened_us, each.event.closed_us or 0, each.event.id)
        for each in events
    )
    made = SourceFindings(
        source=text,
        camera=text,
        setting=setting(text),
        figures=Figures(1000, 500, 12.5, 11.0, 3, 2, 4321),
        length_us=100 * SECOND_US,
        spans=spans,
        events=events,
        traces=(trace(analyzer=text),),
    )
    return replace(made, **fields)


def dossier(*sources: SourceFindings, broke_off: str = "") -> Dossier:
    return Dossier("2026-01-02T03:04:05.678Z", "9.8.7", sources, broke_off)
