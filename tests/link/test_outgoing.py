from __future__ import annotations

import pytest

from camera_edge.errors import LinkError
from camera_edge.link import ClipReady, Fault, Heartbeat, PreviewPacket, Progress
from camera_edge.link.outgoing import MAX_PREVIEW_PACKETS, Outgoing


def packet(pts_us: int, *, key: bool = False) -> PreviewPacket:
    return PreviewPacket(data=b"x", key=key, pts_us=pts_us, width=16, height=16)


def beat(frames: int) -> Heartbeat:
    return Heartbeat(state="running", progress=Progress(frames=frames))


def test_durable_messages_keep_their_order_and_go_first() -> None:
    outgoing = Outgoing()
    outgoing.put(packet(0, key=True))
    outgoing.put(beat(1))
    outgoing.put(Fault(message="a"))
    outgoing.put(ClipReady(event_id="e", json_name="e.json"))
    assert [outgoing.take() for _ in range(4)] == [
        Fault(message="a"),
        ClipReady(event_id="e", json_name="e.json"),
        beat(1),
        packet(0, key=True),
    ]


def test_a_newer_heartbeat_replaces_the_one_that_waits() -> None:
    outgoing = Outgoing()
    outgoing.put(beat(1))
    outgoing.put(beat(2))
    outgoing.put(Fault(message="end"))
    assert outgoing.take() == Fault(message="end")
    assert outgoing.take() == beat(2)


def test_a_key_frame_replaces_the_unsent_group_and_the_loss_is_counted() -> None:
    outgoing = Outgoing()
    for pts_us, key in ((0, True), (1, False), (2, False), (3, True), (4, False)):
        outgoing.put(packet(pts_us, key=key))
    assert outgoing.take() == packet(3, key=True)
    assert outgoing.take() == packet(4)
    assert outgoing.preview_dropped == 3


def test_an_endless_group_is_dropped_until_the_next_key_frame() -> None:
    outgoing = Outgoing()
    outgoing.put(packet(0, key=True))
    for pts_us in range(1, MAX_PREVIEW_PACKETS + 50):
        outgoing.put(packet(pts_us))
    outgoing.put(packet(999, key=True))
    assert outgoing.take() == packet(999, key=True)
    assert outgoing.preview_dropped == MAX_PREVIEW_PACKETS + 50


def test_a_group_broken_in_the_middle_of_sending_waits_for_a_key_frame() -> None:
    outgoing = Outgoing()
    outgoing.put(packet(0, key=True))
    assert outgoing.take() == packet(0, key=True)
    for pts_us in range(1, MAX_PREVIEW_PACKETS + 2):
        outgoing.put(packet(pts_us))
    outgoing.put(Fault(message="end"))
    outgoing.close()
    assert outgoing.take() == Fault(message="end")
    assert outgoing.take() is None


def test_a_full_durable_queue_is_an_error_not_a_loss() -> None:
    outgoing = Outgoing(max_durable=2, patience_s=0)
    outgoing.put(Fault(message="a"))
    outgoing.put(Fault(message="b"))
    with pytest.raises(LinkError, match="read nothing"):
        outgoing.put(Fault(message="c"))
    assert [outgoing.take(), outgoing.take()] == [Fault(message="a"), Fault(message="b")]


def test_after_close_nothing_is_taken_in_and_the_durable_rest_goes_out() -> None:
    outgoing = Outgoing()
    outgoing.put(beat(1))
    outgoing.put(Fault(message="a"))
    outgoing.close()
    with pytest.raises(LinkError, match="closed"):
        outgoing.put(Fault(message="b"))
    assert outgoing.take() == Fault(message="a")
    assert outgoing.take() is None
