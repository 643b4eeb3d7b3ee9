"""The page as text: what is told, what is escaped, what is bounded."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from camera_edge.dossier import Dossier, SourceFindings, page
from tests.dossier.made import MODEL_SHA256, MODULE_SHA256, dossier, event, source, still, trace

EVIL = "</style></title><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload=\u202e\ud800\0"
VOID = {"meta", "img"}


class Reader(HTMLParser):
    """What a browser would make of a page; fails where elements do not end as they began."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(data.decode("utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"

    def of(self, name: str) -> list[str]:
        return [value for _, key, value in self.attributes if key == name]


def read(*sources: SourceFindings, broke_off: str = "") -> Reader:
    return Reader(page(dossier(*sources, broke_off=broke_off)))


def test_an_event_is_told_with_what_when_where_and_why() -> None:
    text = read(source(event(3))).text
    for words in ("person", "0:30.0 – 0:31.0", "0.5", "gate", "7", "any", "objects", "person in gate for 0.4 s"):
        assert words in text


def test_what_made_it_is_told() -> None:
    text = read(source(text="made-of")).text
    for words in (MODULE_SHA256, MODEL_SHA256, "1.2.3", "a=made-of", "9.8.7", "2026-01-02T03:04:05.678Z"):
        assert words in text
    assert "1000, 500 analysed, 2 dropped" in text
    assert "pixelate, shown only where made-of answered; margin 0.25, held for 1.5 s" in text


def test_the_best_frame_is_in_the_page_and_its_box_is_drawn_over_it() -> None:
    reader = read(source(event(3)))
    (address,) = [value for value in reader.of("src")]
    shown = still(3)
    assert base64.b64decode(address.removeprefix("data:image/jpeg;base64,")) == shown.data
    assert reader.of("class").count("outline") == 1
    assert "frame 3 at 0:00.12" in reader.text


def test_a_picture_that_is_wholly_hidden_says_so_and_has_no_box() -> None:
    found = replace(event(3), snapshot=still(3, is_hidden=True))
    reader = read(source(found))
    assert "all of it hidden" in reader.text
    assert "outline" not in reader.of("class")


def test_an_event_without_a_picture_says_so() -> None:
    reader = read(source(replace(event(3), snapshot=None)))
    assert "no picture" in reader.text and reader.elements["img"] == 0


def test_faults_warnings_and_a_run_that_broke_off_are_told() -> None:
    failed = source(text="gone", figures=None, length_us=0, traces=(), faults=("gone: no such file",))
    dropped = source(event(0), text="dropped", faults=("dropped: the camera hung up",), warnings=("3 times no answer",))
    reader = read(failed, dropped, broke_off="it was stopped")
    for words in ("gone: no such file", "failed", "1 event, with faults", "3 times no answer", "it was stopped"):
        assert words in reader.text


def test_what_is_left_out_is_counted() -> None:
    found = replace(source(event(0)), left_out=Counter({"motion": 1234}))
    found = replace(found, spans=found.spans * 1235)
    assert "1234 of 1235 events are left out here" in read(found).text


def test_nothing_found_is_a_page_too() -> None:
    assert "no event in 100.0 s" in read(source()).text
    assert "0 events in 0 sources" in read().text
    assert read(source(traces=(), length_us=0)).elements["section"] == 1


def test_scores_are_drawn_with_a_band_for_the_events_of_their_analyzer() -> None:
    both = (trace(), replace(trace(), revised=True), trace(analyzer="tamper"))
    reader = read(source(event(0), event(5), event(7, kind="motion", analyzer="motion"), traces=both))
    assert "objects, 200 scores" in reader.text and "tamper, 100 scores" in reader.text
    assert "at the time" in reader.text and "afterwards" in reader.text
    bands = [value for tag, key, value in reader.attributes if (tag, key) == ("rect", "fill-opacity")]
    # two events and a place in the legend
    assert len(bands) == 3


def of_text(text: str) -> Dossier:
    """All texts in it are this one."""
    told = replace(event(1, kind=text, rule=text, analyzer=text, zones=(text,), why=text), clip=text)
    found = source(told, text=text, faults=(text,), warnings=(text,), traces=(trace(analyzer=text),))
    found = replace(found, left_out=Counter({text: 1}))
    return Dossier(text, text, (found, found), text)


def test_no_text_becomes_markup() -> None:
    evil, kind = (Reader(page(of_text(text))) for text in (EVIL, "kind"))
    assert evil.elements == kind.elements
    assert [name for _, name, _ in evil.attributes] == [name for _, name, _ in kind.attributes]
    assert evil.text.count("<script>alert(1)</script>") >= 30


def test_the_page_asks_for_nothing_and_its_policy_allows_nothing_else() -> None:
    data = page(of_text(EVIL)).decode()
    reader = Reader(data.encode())
    (policy,) = [value for value in reader.of("content") if "default-src" in value]
    style = data[data.index("<style>") + len("<style>") : data.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style and "@import" not in style
    assert all(value.startswith("data:image/jpeg;base64,") for value in reader.of("src"))
    assert all(value.startswith("#") for value in reader.of("href"))
    assert reader.of("style") == []


def test_links_lead_to_what_is_in_the_page_and_names_are_given_once() -> None:
    found = [source(event(0), event(5), text=name) for name in ("a", "b")]
    reader = read(*found)
    names = reader.of("id")
    assert len(names) == len(set(names))
    assert len(reader.of("href")) == 6
    assert {value.removeprefix("#") for value in reader.of("href")} <= set(names)


def test_the_same_findings_give_the_same_page() -> None:
    assert page(dossier(source(event(0)))) == page(dossier(source(event(0))))


@pytest.mark.parametrize("events", [1, 500])
def test_a_page_without_its_pictures_is_small(events: int) -> None:
    found = source(*(replace(event(number), snapshot=None) for number in range(events)), traces=(trace(100_000),))
    assert len(page(dossier(found))) < 80_000 + 1_500 * events


def test_sizes_in_the_drawings_are_numbers() -> None:
    data = page(dossier(source(event(0, score=float(1)), traces=(trace(1),), length_us=0))).decode()
    assert not re.search(r'="-?(nan|inf)', data, re.IGNORECASE)
