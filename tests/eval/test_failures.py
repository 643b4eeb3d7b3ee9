from __future__ import annotations

from xml.etree import ElementTree

from camera_edge.eval.failures import of_tamper, telling_frames
from camera_edge.eval.foreground import Confusion
from camera_edge.eval.tamper import Sighting, TamperFigures, Trial, Untouched
from camera_edge.eval.tampering import Kind


def test_the_worst_frame_is_that_with_the_most_wrong_pixels_and_the_median_one_has_something_to_find() -> None:
    answers = {
        10: Confusion(hits=0, missed=3),
        11: Confusion(hits=900, false=50, missed=50),
        12: Confusion(hits=500, false=10),
        13: Confusion(quiet=1000),
        14: Confusion(false=100),
    }
    assert telling_frames(answers) == {"worst": 11, "median": 11}
    assert telling_frames({13: Confusion(quiet=1)}) == {"worst": 13}
    assert telling_frames({}) == {}


def test_the_table_of_tampering_says_what_was_missed_misnamed_and_false() -> None:
    trials = [Trial("door", kind, 0, 1.2, str(kind), 0, 4.0) for kind in Kind]
    trials[0] = Trial("door", Kind.COVERED, 0, None, "", 0, 4.0)
    trials[1] = Trial("door", Kind.MOVED, 0, 1.4, "covered", 0, 4.0)
    trials[2] = Trial("door", Kind.DEFOCUSED, 0, 1.4, "defocused", 2, 4.0)
    figures = TamperFigures(tuple(trials), (Untouched("door", 60.0, (Sighting(3.0, "moved"),), 0.5),))
    (picture,) = of_tamper(figures).values()
    words = [each.text for each in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    at = words.index("door") + 1
    assert words[at : at + len(Kind) + 1] == ["missed", "1.4 covered", "2 too early", *["1.2"] * 4, "1 false"]
