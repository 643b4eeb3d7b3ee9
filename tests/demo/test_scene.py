"""The demo's own configuration, run over what its camera shows in the first half minute."""

from __future__ import annotations

from pathlib import Path

from camera_edge.demo import demo_config
from camera_edge.demo.scene import SOURCE
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import Supply, plan_camera
from camera_edge.worker.recordings import EventEnded, RecordingRun


def test_somebody_at_the_gate_and_the_bag_that_is_left_open_an_event_each(cache: Path, tmp_path: Path) -> None:
    camera = demo_config(tmp_path, 0).cameras["yard"].settings()
    plan = plan_camera("yard", camera, Supply.of(tmp_path))
    sandboxing = Sandboxing.of(cache / "camera-edge" / "modules", read_only=False)
    news = list(RecordingRun(f"{SOURCE}&pace=0&seconds=24", plan, sandboxing, None).run())
    events = {each.event.rule: each.event for each in news if isinstance(each, EventEnded)}
    assert set(events) == {"someone_at_the_gate", "bag_left"}
    gate, bag = events["someone_at_the_gate"], events["bag_left"]
    # the script: in the gate from second 8 on, the bag is put down in second 15
    assert 6.0 < gate.opened_us / 1e6 < 10.0 and gate.zones == ("gate",)
    assert 14.5 < bag.opened_us / 1e6 < 20.0 and bag.kind == "object_left"
    assert bag.box is not None and abs(bag.box.x + bag.box.w / 2 - 0.375) < 0.03
