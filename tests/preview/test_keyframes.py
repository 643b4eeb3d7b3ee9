"""The encoder is not asked for key frames more often than the interval allows."""

from __future__ import annotations

from camera_edge.preview.keyframes import KeyFrameRequests

S_NS = 1_000_000_000


def test_the_first_request_passes_and_the_next_waits_for_the_interval() -> None:
    requests = KeyFrameRequests(interval_s=0.5)
    asked_ns = [0, 1, S_NS // 2 - 1, S_NS // 2, S_NS // 2 + 1, S_NS]
    assert [requests.allow(now_ns=now_ns) for now_ns in asked_ns] == [True, False, False, True, False, True]
