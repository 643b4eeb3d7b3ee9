from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from camera_edge.errors import UsageError
from camera_edge.eval.mot import find_boxed
from tests.eval.drawn import write_mot


def test_boxes_are_fractions_of_the_size_that_seqinfo_names_whatever_the_pictures_have(tmp_path: Path) -> None:
    write_mot(tmp_path / "same", [0, 3, None, 1])
    write_mot(tmp_path / "scaled", [0, 3, None, 1], scale=3)
    same, scaled = find_boxed(tmp_path)
    assert (same.name, scaled.name) == ("same", "scaled")
    for one, other in zip(same.people, scaled.people, strict=True):
        assert np.allclose(one.boxes, other.boxes)
    assert same.people[1].boxes.tolist() == [[0.5, 0.5, 0.5, 0.5]]
    assert same.people[2].boxes.shape == (0, 4)
    assert same.people[1].tracks.tolist() == [7]


def test_without_seqinfo_boxes_are_of_the_pictures_themselves(tmp_path: Path) -> None:
    write_mot(tmp_path, [3])
    (tmp_path / "seqinfo.ini").unlink()
    (recording,) = find_boxed(tmp_path)
    assert recording.people[0].boxes.tolist() == [[0.5, 0.5, 0.5, 0.5]]


def test_boxes_are_cut_to_the_picture_and_some_do_not_count(tmp_path: Path) -> None:
    write_mot(tmp_path, [0])
    rows = [
        "1,1,-32,0,64,64,1,-1,-1,-1",
        "1,2,0,0,32,32,0,-1,-1,-1",
        "",
        "1,3,0,0,32,32,1,1,0.9",
        "1,4,0,0,32,32,1,3,0.9",
    ]
    (tmp_path / "gt" / "gt.txt").write_text("\n".join(rows))
    (recording,) = find_boxed(tmp_path)
    assert recording.people[0].tracks.tolist() == [1, 3]
    assert recording.people[0].boxes[0].tolist() == [0, 0, 0.5, 1]
    assert len(recording.ignored[0]) == 2


def test_a_file_beside_a_video_may_have_the_name_of_its_sequence(tmp_path: Path) -> None:
    write_mot(tmp_path / "made", [0, 1])
    (tmp_path / "made" / "gt" / "gt.txt").rename(tmp_path / "S2L1_gt.txt")
    (tmp_path / "made" / "seqinfo.ini").rename(tmp_path / "S2L1_seqinfo.ini")
    (tmp_path / "made" / "img1").rename(tmp_path / "img1")
    (recording,) = find_boxed(tmp_path)
    assert recording.name.endswith("/S2L1")
    assert len(recording.people) == 2


@pytest.mark.parametrize(
    ("row", "words"), [("1,2,3", "no box"), ("a,1,1,1,1,1,1", "no box"), ("1,1,1,1,9,9,0", "counts")]
)
def test_what_is_no_truth_is_a_clear_error(tmp_path: Path, row: str, words: str) -> None:
    write_mot(tmp_path, [0])
    (tmp_path / "gt" / "gt.txt").write_text(row)
    with pytest.raises(UsageError, match=words):
        find_boxed(tmp_path)
