from __future__ import annotations

import pytest

from camera_edge.dossier.markup import TEXT_MAX, Html, join, tag


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<b>&\"'", tag("i", "x")) == "<p>&lt;b&gt;&amp;&quot;&#x27;<i>x</i></p>"


def test_an_attribute_cannot_end_its_element() -> None:
    assert tag("a", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"></a>'
    assert tag("a", href=Html('"><script>')) == '<a href="&quot;&gt;&lt;script&gt;"></a>'


def test_names_of_attributes_and_elements_without_an_end() -> None:
    assert tag("meta", http_equiv="x", class_=None, viewBox="0 0 1 1") == '<meta http-equiv="x" viewBox="0 0 1 1">'


def test_what_is_done_to_markup_makes_it_text_again() -> None:
    assert join(Html("<i>") + "<b>") == "&lt;i&gt;&lt;b&gt;"
    assert join(f"{Html('<i>')}") == "&lt;i&gt;"


@pytest.mark.parametrize("character", ["\0", "\x1b", "\r", "\u202e", "\u2066", "\ud800"])
def test_characters_that_cannot_be_seen_are_shown_as_such(character: str) -> None:
    made = tag("p", f"a{character}b")
    assert made == "<p>a\ufffdb</p>"
    assert made.encode("utf-8")


def test_long_text_is_cut_and_long_markup_is_not() -> None:
    assert len(tag("p", "x" * 10 * TEXT_MAX)) == TEXT_MAX + len("<p></p>")
    assert len(tag("img", src=Html("x" * 10 * TEXT_MAX))) > 10 * TEXT_MAX


def test_children_that_are_not_there_leave_nothing() -> None:
    assert join(None, ["a", None, "b"], None) == "ab"
