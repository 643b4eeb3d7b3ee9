from __future__ import annotations

from pathlib import Path

import pytest

from camera_edge.errors import UsageError
from camera_edge.eval.ped import find_site


def lay_out(
    home: Path, *clips: str, labels: str = "clip,frame,anomalous\n01,000.jpg,0\n01,001.jpg,1\n12,000.jpg,1\n"
) -> Path:
    (home / "gt").mkdir(parents=True)
    (home / "mp4").mkdir()
    (home / "gt" / "frame_labels.csv").write_text(labels)
    for each in clips:
        (home / "mp4" / each).write_bytes(b"")
    return home


def test_clips_go_with_the_labels_of_their_number(tmp_path: Path) -> None:
    lay_out(tmp_path / "ped", "testing_01.mp4", "testing_12.mp4", "training_01.mp4", "training_02.mp4")
    site = find_site(tmp_path, None)
    assert [(each.name, each.labels.tolist()) for each in site.clips] == [
        ("testing_01", [False, True]),
        ("testing_12", [True]),
    ]
    assert [each.name for each in site.training] == ["training_01.mp4", "training_02.mp4"]
    assert site.unmeasured == []


def test_what_is_usual_may_lie_elsewhere_and_labels_without_a_clip_are_told(tmp_path: Path) -> None:
    home = lay_out(tmp_path / "kept_back", "testing_12.mp4")
    with pytest.raises(UsageError, match="nothing to learn from") as caught:
        find_site(home, None)
    assert "--train" in (caught.value.hint or "")
    usual = lay_out(tmp_path / "usual", "testing_01.mp4", "training_05.mp4")
    site = find_site(home, usual)
    assert [each.name for each in site.training] == ["training_05.mp4"]
    assert site.unmeasured == ["01"]


def test_recordings_without_a_telling_name_are_learned_from_but_tests_never(tmp_path: Path) -> None:
    home = lay_out(tmp_path / "ped", "testing_01.mp4")
    usual = lay_out(tmp_path / "usual", "testing_03.mp4", "monday.mp4")
    assert [each.name for each in find_site(home, usual).training] == ["monday.mp4"]


def test_several_cameras_are_named(tmp_path: Path) -> None:
    for name in ("north", "south"):
        lay_out(tmp_path / name, "testing_01.mp4", "training_01.mp4")
    with pytest.raises(UsageError, match="several cameras") as caught:
        find_site(tmp_path, None)
    assert "north/gt, south/gt" in (caught.value.hint or "")


@pytest.mark.parametrize("labels", ["", "clip,anomalous\n01,x\n", "a,b\n1,2\n"])
def test_a_table_that_is_none_is_a_clear_error(tmp_path: Path, labels: str) -> None:
    lay_out(tmp_path, "testing_01.mp4", "training_01.mp4", labels=labels)
    with pytest.raises(UsageError):
        find_site(tmp_path, None)


def test_boxes_go_with_their_frame_and_a_table_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    home = lay_out(tmp_path / "ped", "testing_01.mp4", "training_01.mp4")
    table = home / "gt" / "mask_boxes.csv"
    table.write_text("clip,frame,x,y,w,h,area\n01,001.jpg,2,3,4,5,20\n01,001.jpg,9,9,1,1,1\n12,000.jpg,0,0,1,1,1\n")
    (clip,) = find_site(tmp_path, None).clips
    assert clip.boxes == {1: [(2, 3, 4, 5), (9, 9, 1, 1)]}
    table.write_text("clip,frame\n01,001.jpg\n")
    with pytest.raises(UsageError, match="no table of boxes"):
        find_site(tmp_path, None)
