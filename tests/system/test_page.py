"""What the page's addresses answer about real cameras, events and clips."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import av
import pytest

if TYPE_CHECKING:
    from tests.system.conftest import Appliance, NewAppliance

ADDRESSES = ("/", "/api/status", "/api/events", "/events/{event}/clip.mp4", "/events/{event}/snapshot.jpg")


def test_all_is_well_while_every_camera_runs(house: Appliance) -> None:
    house.until_running()
    answer = house.get("/healthz", token=None)
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


def test_a_camera_that_is_down_is_named(new_appliance: NewAppliance) -> None:
    cameras = {"yard": {"source": "synthetic:?size=160x90&fps=5"}, "gone": {"source": "http://127.0.0.1:9/live"}}
    appliance = new_appliance(cameras)
    appliance.start()
    appliance.until_running("yard")
    answer = appliance.get("/healthz", token=None)
    assert answer.status == 503
    assert set(answer.json()["cameras"]) == {"gone"}
    assert "127.0.0.1:9" in appliance.camera("gone")["message"]


def test_the_status_tells_what_each_camera_has_done(house: Appliance) -> None:
    house.until_clip("door")
    # figures come once a second
    counters = house.until_counters("door", lambda counters: counters["clips"] >= 1)
    assert counters["frames"] > counters["analysed"] > 0
    assert counters["events"] >= counters["clips"]
    assert counters["egress_bytes"] > 0
    assert (counters["dropped"], counters["restarts"], counters["traps"]) == (0, 0, 0)


def test_a_clip_of_a_listed_event_plays_and_is_what_its_metadata_says(house: Appliance) -> None:
    event = house.until_clip("door")
    assert (event["rule"], event["kind"], event["zones"]) == ("passing", "motion", ["middle"])
    metadata = house.get(event["metadata"]).json()
    clip = house.get(event["clip"])
    assert clip.headers["Content-Type"] == "video/mp4"
    assert hashlib.sha256(clip.body).hexdigest() == metadata["clip"]["sha256"]
    with av.open(io.BytesIO(clip.body), "r") as video:
        stream = video.streams.video[0]
        assert (stream.codec.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        pictures = len(list(video.decode(stream)))
    assert pictures == metadata["frames"]["count"]
    assert pictures > 10
    snapshot = house.get(event["snapshot"])
    assert snapshot.body.startswith(b"\xff\xd8") and snapshot.headers["Content-Type"] == "image/jpeg"


def test_a_part_of_a_clip_can_be_asked_for(house: Appliance) -> None:
    path = house.until_clip("door")["clip"]
    whole = house.get(path).body
    part = house.get(path, {"Range": "bytes=100-299"})
    assert (part.status, part.body) == (206, whole[100:300])
    assert part.headers["Content-Range"] == f"bytes 100-299/{len(whole)}"
    beyond = house.get(path, {"Range": f"bytes={len(whole)}-"})
    assert beyond.status == 416


@pytest.mark.parametrize("token", [None, "a-token-of-somebody-else"])
def test_nothing_is_told_without_the_token(house: Appliance, token: str | None) -> None:
    event = house.until_clip("door")
    for address in ADDRESSES:
        answer = house.get(address.format(event=event["id"]), token=token)
        assert answer.status == 401, address
        assert event["id"].encode() not in answer.body
    assert house.get(f"/events/{event['id']}/clip.mp4").status == 200


def test_events_are_the_newest_first_and_as_many_as_asked_for(house: Appliance) -> None:
    house.until_clip("door")
    events = house.events()
    assert [event["opened_utc"] for event in events] == sorted((event["opened_utc"] for event in events), reverse=True)
    assert house.get("/api/events?limit=1").json()["events"][0]["id"] in [event["id"] for event in house.events()[:2]]
    assert len(house.get("/api/events?limit=1").json()["events"]) == 1
    assert house.get("/api/events?limit=no").status == 400
