from __future__ import annotations

import cv2
import numpy as np
import pytest

from camera_edge.capture import Frame, SourceOptions, SyntheticCamera, open_source
from camera_edge.capture.script import Script, light_at
from camera_edge.capture.synthetic import SyntheticScene
from camera_edge.clock import ManualClock
from camera_edge.errors import UsageError
from camera_edge.observation import Box


class PacedClock(ManualClock):
    """Waiting lets the clock advance; `late_s` is what the program takes between two pictures."""

    def __init__(self, late_s: float = 0.0) -> None:
        super().__init__(utc_ns=10**18)
        self.late_s = late_s
        self.waits = 0

    def wait(self, seconds: float) -> bool:
        self.waits += 1
        self.advance(seconds)
        return False


def frames_of(address: str, count: int, options: SourceOptions | None = None) -> list[Frame]:
    frames: list[Frame] = []
    with open_source(address, options) as source:
        while len(frames) < count and (grab := source.read()) is not None:
            frames += grab.frames
    return frames


def test_the_same_seed_gives_the_same_pictures_and_another_does_not() -> None:
    address = "synthetic:?pace=0&size=320x180&seed="
    one, same, other = (frames_of(address + seed, 5)[4].picture for seed in ("3", "3", "4"))
    np.testing.assert_array_equal(one.y, same.y)
    np.testing.assert_array_equal(one.v, same.v)
    assert not np.array_equal(one.y, other.y)


def test_it_is_a_recording_of_so_many_seconds_without_pace() -> None:
    frames = frames_of("synthetic:?pace=0&seconds=2&fps=10&size=128x72", 1000)
    assert [frame.id for frame in frames] == list(range(20))
    assert [frame.media_us for frame in frames] == [number * 100_000 for number in range(20)]
    assert (frames[0].picture.y.shape, frames[0].picture.u.shape) == ((72, 128), (36, 64))


def test_live_pictures_come_when_they_are_due() -> None:
    clock = PacedClock()
    options = SourceOptions(clock=clock, wait=clock.wait)
    frames = frames_of("synthetic:?fps=10&size=128x72", 11, options)
    assert clock.monotonic_ns() == 1_000_000_000
    assert [frame.utc_ns - 10**18 for frame in frames] == [frame.media_us * 1000 for frame in frames]


def test_live_pictures_that_nobody_took_for_a_second_are_skipped_and_counted() -> None:
    clock = PacedClock()
    with open_source("synthetic:?fps=10&size=128x72", SourceOptions(clock=clock, wait=clock.wait)) as source:
        assert source.live
        source.read()
        clock.advance(5)
        grab = source.read()
        assert grab is not None
        assert (grab.frames[0].id, source.counters.skipped) == (50, 49)


def test_a_stop_ends_the_wait() -> None:
    options = SourceOptions(clock=ManualClock(), wait=lambda seconds: True)
    assert len(frames_of("synthetic:?fps=10&size=128x72", 5, options)) == 1


@pytest.mark.parametrize("query", ["speed=3", "fps=0", "size=9x9", "size=large", "seed=-1", "pace=2", "fps=²"])
def test_unknown_and_wrong_parameters_are_refused(query: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(f"synthetic:?{query}")
    assert caught.value.hint


def feet(script: Script, t_s: float, who: str) -> list[tuple[float, float]]:
    return [(actor.x, actor.y) for name, actor in script.cast(t_s) if name.startswith(who)]


def test_the_intruder_crosses_the_gate_at_eight_seconds_and_again_and_nobody_else_does() -> None:
    script = Script(7)
    inside: dict[str, list[float]] = {}
    for tenth in range(0, 900):
        t_s = tenth / 10
        for name, actor in script.cast(t_s):
            if 0.55 <= actor.x <= 0.9 and 0.5 <= actor.y <= 1.0:
                inside.setdefault(name, []).append(t_s)
    assert set(inside) == {"intruder-0", "intruder-1", "intruder-2"}
    assert 7.9 <= inside["intruder-0"][0] <= 8.2
    assert len(inside["intruder-0"]) > 40


def test_the_bag_is_put_down_at_fifteen_seconds_and_stays_alone_for_twenty() -> None:
    script = Script(7)
    assert feet(script, 14.9, "bag") == []
    places = {feet(script, t_s, "bag")[0] for t_s in (15.0, 20.0, 34.9)}
    assert len(places) == 1
    assert feet(script, 35.1, "bag") == []
    assert feet(script, 22.0, "owner") == feet(script, 22.0, "finder") == []


def test_truth_covers_what_changes_in_the_picture() -> None:
    """Without people, noise and wind nothing differs; so what differs beyond them lies in a box or in a shadow."""
    scene = SyntheticScene(7, 640, 360)
    empty = Box(0, 0, 0, 0)
    before, now = scene.draw(0, 6.0)[:360], scene.draw(0, 9.0)[:360]
    assert abs(light_at(9.0) - light_at(6.0)) < 0.03
    changed = cv2.medianBlur(cv2.absdiff(before, now), 5) > 40
    boxes = [truth.box for t_s in (6.0, 9.0) for truth in scene.truth(t_s)]
    intruder = next((truth.box for truth in scene.truth(9.0) if truth.actor == "intruder-0"), empty)
    covered = np.zeros_like(changed)
    for box in boxes:
        top, left = int(box.y * 360) - 4, int(box.x * 640) - 4
        covered[max(0, top) : int((box.y + box.h) * 360) + 6, max(0, left) : int((box.x + box.w) * 640) + 6] = True
    ground = slice(180, 360)
    left, right = int((intruder.x - 0.1) * 640), int((intruder.x + intruder.w) * 640)
    covered[ground, left:right] = True  # his shadow
    assert changed[covered].sum() > 300
    assert changed[ground][~covered[ground]].sum() == 0
    inside = changed[int(intruder.y * 360) : int((intruder.y + intruder.h) * 360), int(intruder.x * 640) : right]
    assert inside.mean() > 0.2


def test_the_light_changes_slowly_and_suddenly() -> None:
    assert abs(light_at(10.0) - light_at(10.5)) < 0.01
    assert light_at(25.9) - light_at(26.5) > 0.2
    assert light_at(31.0) > 0.9


def test_the_camera_tells_its_truth_by_media_time() -> None:
    camera = open_source("synthetic:?pace=0&seed=5")
    assert isinstance(camera, SyntheticCamera)
    assert camera.truth(9_000_000) == Script(5).truth(9.0)
    assert any(truth.kind == "bag" for truth in camera.truth(20_000_000))
