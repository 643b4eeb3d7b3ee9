from __future__ import annotations

import resource

import pytest

from camera_edge.bench.provision import provide
from camera_edge.bench.waking import measure_waking
from camera_edge.frames import Ring, View
from camera_edge.picture import Picture
from camera_edge.sandbox import Analyzer, Cache, RingMap, Runtime, shipped, shipped_names


def test_each_shipped_analyzer_is_woken_so_many_times(runtime: Runtime, cache: Cache, picture: Picture) -> None:
    spent = measure_waking(runtime, cache, picture, wakes=3)
    assert sorted(spent) == sorted(shipped_names())
    for wakes_ms in spent.values():
        assert len(wakes_ms) == 3
        assert all(0 < spent_ms < 60_000 for spent_ms in wakes_ms)


# what a verdict needs: the frame, a copy of it, the mask; and 1.2 MB of a detector's outputs
@pytest.mark.parametrize(("name", "most_pages"), [("motion", 120), ("objects", 400)])
def test_a_woken_module_touches_no_more_memory_than_its_first_verdict_needs(
    runtime: Runtime, cache: Cache, picture: Picture, name: str, most_pages: int
) -> None:
    """A page costs a microsecond when it is first touched, those of all samples of `motion` half a millisecond."""
    module = shipped(name)
    given = provide(module)
    faults = []
    with Ring(View.fit(module.manifest.view.spec, picture.width, picture.height)) as ring:
        slot = ring.write(picture, sequence=0, media_us=0)
        assert slot is not None
        space = RingMap(ring.fd, ring.size_bytes)
        with Analyzer(runtime.load(module, cache), given.grants, given.services, space) as analyzer:
            for number in range(5):
                analyzer.sleep()
                before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
                assert analyzer.analyze(slot.offset, number, 0) is not None, analyzer.last_fault
                faults.append(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before)
    assert 0 < min(faults) <= most_pages
