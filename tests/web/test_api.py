"""Events, files and states as scripts and the page read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from camera_edge.errors import OutputError
from camera_edge.web import EventRow, WebSettings, build_app, listening

if TYPE_CHECKING:
    from tests.web.conftest import Client, FakeHub

NewEvent = Callable[..., EventRow]


async def test_a_closed_event_is_listed_with_its_files(client: Client, new_event: NewEvent) -> None:
    new_event(1)
    answer = await (await client.get("/api/events")).json()
    assert answer == {
        "events": [
            {
                "id": "e001",
                "camera": "front",
                "rule": "person_at_gate",
                "kind": "person",
                "analyzer": "objects",
                "score": 0.87,
                "opened_utc": "2026-01-01T00:00:20.000Z",
                "closed_utc": "2026-01-01T00:00:26.500Z",
                "zones": ["gate"],
                "why": "person in gate for 1 s, score 0.87",
                "box": [0.25, 0.5, 0.125, 0.25],
                "clip": "/events/e001/clip.mp4",
                "snapshot": "/events/e001/snapshot.jpg",
                "metadata": "/events/e001/metadata.json",
            }
        ]
    }


async def test_an_open_event_has_no_files_yet(client: Client, new_event: NewEvent) -> None:
    new_event(1, is_open=True)
    (event,) = (await (await client.get("/api/events")).json())["events"]
    assert [event[key] for key in ("closed_utc", "clip", "snapshot", "metadata")] == [None] * 4


async def test_the_newest_events_come_first_and_no_more_than_asked_for(client: Client, new_event: NewEvent) -> None:
    for number in range(5):
        new_event(number, is_open=True)
    events = (await (await client.get("/api/events?limit=2")).json())["events"]
    assert [event["id"] for event in events] == ["e004", "e003"]


async def test_events_of_one_kind_are_given_where_that_is_asked_for(client: Client, new_event: NewEvent) -> None:
    for number, kind in enumerate(("tamper", "person", "person", "tamper", "person")):
        new_event(number, is_open=True, kind=kind)
    events = (await (await client.get("/api/events?limit=2&kind=tamper")).json())["events"]
    assert [event["id"] for event in events] == ["e003", "e000"]
    assert (await (await client.get("/api/events?kind=wolf")).json())["events"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=many", "camera=front", "kind="])
async def test_a_query_that_is_not_understood_is_refused(query: str, client: Client) -> None:
    response = await client.get(f"/api/events?{query}")
    assert response.status == 400
    assert query.partition("=")[0] in (await response.json())["error"]


async def test_events_that_cannot_be_read_are_an_error_and_not_an_empty_list(client: Client, hub: FakeHub) -> None:
    hub.store_fails = True
    response = await client.get("/api/events")
    assert response.status == 503
    assert await response.json() == {"error": "the database is damaged", "hint": "run camera-edge doctor"}


async def test_a_clip_is_served_whole_and_by_range(client: Client, hub: FakeHub, new_event: NewEvent) -> None:
    new_event(1)
    clip = (hub.folder / "e001.mp4").read_bytes()
    whole = await client.get("/events/e001/clip.mp4")
    assert (whole.status, whole.content_type, await whole.read()) == (200, "video/mp4", clip)
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = await client.get("/events/e001/clip.mp4", headers={"Range": "bytes=100-199"})
    assert part.status == 206
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(clip)}"
    assert await part.read() == clip[100:200]
    beyond = await client.get("/events/e001/clip.mp4", headers={"Range": f"bytes={len(clip)}-"})
    assert beyond.status == 416


async def test_snapshot_and_metadata_are_served_as_what_they_are(client: Client, new_event: NewEvent) -> None:
    new_event(1)
    snapshot = await client.get("/events/e001/snapshot.jpg")
    assert (snapshot.status, snapshot.content_type) == (200, "image/jpeg")
    assert (await snapshot.read()).startswith(b"\xff\xd8")
    metadata = await client.get("/events/e001/metadata.json")
    assert await metadata.json() == {"id": "e001"}


async def test_files_that_are_not_there_are_not_found(client: Client, hub: FakeHub, new_event: NewEvent) -> None:
    new_event(1)
    (hub.folder / "e001.mp4").unlink()
    assert (await client.get("/events/e001/clip.mp4")).status == 404
    assert (await client.get("/events/unknown/clip.mp4")).status == 404
    assert (await client.get("/events/e001/secrets.txt")).status == 404
    assert (await client.get("/events/..%2f..%2fetc/clip.mp4")).status == 404


async def test_status_tells_states_counters_and_confinement(client: Client, hub: FakeHub) -> None:
    hub.set_camera("yard", live=False, state="stalled", message="No frame for 12 s.")
    status = await (await client.get("/api/status")).json()
    assert status["version"] == "0.1.0"
    assert status["started_utc"] == "2026-01-01T00:00:00.000Z"
    front, yard = status["cameras"]
    assert front["counters"] == {"frames": 1234, "analysed": 246, "dropped": 0}
    assert front["confinement"][1] == "files: Landlock"
    assert (yard["live"], yard["state"], yard["message"]) == (False, "stalled", "No frame for 12 s.")


async def test_health_needs_no_token_and_tells_nothing_but_states(stranger: Client, hub: FakeHub) -> None:
    response = await stranger.get("/healthz")
    assert (response.status, await response.json()) == (200, {"status": "ok"})
    hub.set_camera("yard", live=False, state="stalled", message="192.0.2.10 does not answer")
    response = await stranger.get("/healthz")
    assert response.status == 503
    assert await response.json() == {"status": "failing", "cameras": {"yard": "stalled"}}


async def test_a_recording_that_is_over_is_no_failure(stranger: Client, hub: FakeHub) -> None:
    hub.set_camera("yard", live=False, state="ended", message="")
    response = await stranger.get("/healthz")
    assert response.status == 200


async def test_a_port_that_is_taken_is_refused_with_a_hint(hub: FakeHub) -> None:
    app = build_app(hub, WebSettings("token"))
    async with listening(app, "127.0.0.1", 0) as port:
        with pytest.raises(OutputError, match=f"127.0.0.1:{port}: cannot listen.*choose another port"):
            async with listening(build_app(hub, WebSettings("token")), "127.0.0.1", port):
                pass
