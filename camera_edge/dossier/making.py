"""Tells what made the findings, so that somebody who audits them can run it again."""

from __future__ import annotations

from collections.abc import Sequence

from camera_edge.dossier.findings import Figures, SourceFindings
from camera_edge.dossier.markup import Html, join, tag


def making(found: SourceFindings) -> Html:
    return join(tag("h3", "How it was made"), _figures(found), _modules(found), _rules(found))


def _figures(found: SourceFindings) -> Html:
    made_of, redaction = found.setting.made_of, found.setting.made_of.redaction
    rate = "every frame" if found.setting.rate_hz is None else f"{found.setting.rate_hz:g} frames a second"
    required = " and ".join(redaction.required) or "any analyzer"
    hidden = (
        f"{redaction.mode}, shown only where {required} answered; "
        f"margin {redaction.pad:g}, held for {redaction.hold_s:g} s, answers at most {redaction.period_s:g} s apart"
    )
    runtimes = ", ".join(f"{each.name} {each.version}" for each in made_of.fingerprint.runtimes)
    facts = [
        ("camera", found.camera),
        *(_run(found.figures) if found.figures is not None else [("figures", "none: it did not come to its end")]),
        ("analysed", rate),
        ("redaction", hidden),
        ("privacy masks", str(redaction.static_masks)),
        ("zones", ", ".join(found.setting.zones) or "none"),
        ("models", ", ".join(f"{each.name} {each.sha256}" for each in made_of.models) or "none"),
        ("decoder", made_of.fingerprint.decoder or "not opened"),
        ("machine", made_of.fingerprint.machine),
        ("libraries", runtimes),
    ]
    rows = [tag("div", tag("dt", name), tag("dd", tag("bdi", value))) for name, value in facts]
    return tag("dl", rows, class_="facts")


def _run(figures: Figures) -> list[tuple[str, str]]:
    per_frame = f", {1000 * figures.seconds / figures.analysed:.1f} ms a frame analysed" if figures.analysed else ""
    return [
        ("frames", f"{figures.frames}, {figures.analysed} analysed, {figures.dropped} dropped"),
        ("time", f"{figures.seconds:.1f} s, {figures.cpu_s:.1f} s of CPU{per_frame}"),
        ("traps", str(figures.traps)),
        ("bytes of clips", str(figures.egress_bytes)),
    ]


def _modules(found: SourceFindings) -> Html:
    rows = [
        [
            each.name + ("" if each.reported else " (for redaction alone)"),
            each.version,
            ", ".join(each.capabilities) or "nothing",
            ", ".join(each.params) or "as they come",
            each.state_sha256 or "nothing",
            _spent(found, each.name),
            each.sha256,
        ]
        for each in found.setting.modules
    ]
    return _table(("module", "version", "may", "parameters", "learned state", "ms a frame", "sha256"), rows)


def _spent(found: SourceFindings, module: str) -> str:
    progress = next((each for each in found.progress if each.name == module and each.calls), None)
    return "" if progress is None else f"{progress.spent_ns / 1e6 / progress.calls:.2f}"


def _rules(found: SourceFindings) -> Html | None:
    rows = [[each.name, each.asks] for each in found.setting.rules]
    return _table(("rule", "opens an event for"), rows) if rows else None


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    shape = "narrow" if len(heads) < 3 else None
    head = tag("tr", [tag("th", each, scope="col") for each in heads])
    body = [tag("tr", [tag("td", tag("bdi", cell)) for cell in row]) for row in rows]
    return tag("div", tag("table", tag("thead", head), tag("tbody", body), class_=shape), class_="wide", tabindex="0")
