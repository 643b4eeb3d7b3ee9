"""The suites on real recordings: short parts of them, so that the whole takes seconds. The figures are run by hand."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

import pytest

from camera_edge.eval.change import measure_change
from camera_edge.eval.detectors import with_detector
from camera_edge.eval.people import measure_people
from camera_edge.eval.picturefile import frames
from camera_edge.eval.replay import Site
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import Supply
from tests.eval.drawn import write_images

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "video"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no evaluation data: shared/data/video")


@pytest.fixture
def site(cache: Path, tmp_path: Path) -> Site:
    return Site(Sandboxing.of(cache, read_only=False), Supply.of(tmp_path / "state"), lambda _: None)


def test_motion_beats_mog2_on_a_part_of_a_road(site: Site, tmp_path: Path) -> None:
    road = DATA / "cdnet_highway"
    for name in ("input", "groundtruth"):
        (tmp_path / "road" / name).mkdir(parents=True)
        for file in (road / name).iterdir():
            if 440 <= int(re.sub(r"\D", "", file.stem)) <= 530:
                (tmp_path / "road" / name / file.name).symlink_to(file.resolve())
    (tmp_path / "road" / "temporalROI.txt").write_text("500 530\n")
    (tmp_path / "road" / "ROI.bmp").symlink_to((road / "ROI.bmp").resolve())
    figures = measure_change(tmp_path, site)
    assert figures.score.f > 0.8
    assert figures.score.f > figures.baselines["mog2"].f
    assert figures.recordings[0].labelled == 31


def test_the_model_sees_through_the_sandbox_what_it_sees_natively(site: Site, tmp_path: Path) -> None:
    whole, part = DATA / "mot15" / "TUD-Campus", tmp_path / "part"
    write_images(part / "img1", list(islice(frames(whole / "TUD-Campus.mp4"), 20)))
    rows = (whole / "gt.txt").read_text().splitlines()
    (part / "gt.txt").write_text("\n".join(row for row in rows if int(row.split(",")[0]) <= 20))
    with with_detector("fastestdet", DATA, site.supply) as supply:
        figures = measure_people(part, "fastestdet", Site(site.sandboxing, supply, site.say))
    assert figures.score.curve.ap == pytest.approx(figures.score.native.ap, abs=0.005)
    assert figures.score.native.ap > 0.7
    assert figures.score.tracks.mota > 0.4
