from __future__ import annotations

import numpy as np

from camera_edge.bench.provision import THINGS, detector_answer, provide
from camera_edge.frames import Ring, View
from camera_edge.picture import Picture
from camera_edge.sandbox import Analyzer, Cache, RingMap, Runtime, shipped


def test_the_made_up_answer_is_quiet_nearly_everywhere_and_finds_each_thing_a_dozen_times() -> None:
    objectness = detector_answer()[:, 4]
    assert np.median(objectness) < 1e-5
    assert 120 <= (objectness >= 0.1).sum() <= 180


def test_objects_reports_each_thing_of_it_once(runtime: Runtime, cache: Cache, picture: Picture) -> None:
    module = shipped("objects")
    given = provide(module)
    with Ring(View.fit(module.manifest.view.spec, picture.width, picture.height)) as ring:
        slot = ring.write(picture, sequence=0, media_us=0)
        assert slot is not None
        space = RingMap(ring.fd, ring.size_bytes)
        with Analyzer(runtime.load(module, cache), given.grants, given.services, space) as analyzer:
            answer = analyzer.analyze(slot.offset, 0, 0)
    assert answer is not None, analyzer.last_fault
    assert len(answer.observations) == THINGS


def test_a_module_without_a_model_gets_its_defaults() -> None:
    given = provide(shipped("motion"))
    assert given.grants.params["threshold"] == 10
    assert "model" not in given.grants.params
