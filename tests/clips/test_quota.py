from __future__ import annotations

import pytest

from camera_edge.clips import StoredClip, what_to_delete

CLIPS = [
    StoredClip("c", 30, closed_utc_ns=3),
    StoredClip("a", 10, closed_utc_ns=1),
    StoredClip("b", 20, closed_utc_ns=2),
]


@pytest.mark.parametrize(
    ("quota", "free", "headroom", "doomed"),
    [
        (60, 1000, 0, ""),
        (59, 1000, 0, "a"),
        (50, 1000, 0, "a"),
        (49, 1000, 0, "ab"),
        (0, 1000, 0, "abc"),
        (100, 50, 50, ""),
        (100, 49, 50, "a"),
        (100, 39, 50, "ab"),
        (100, 0, 500, "abc"),
        (55, 39, 50, "ab"),
    ],
)
def test_the_oldest_clips_go_until_quota_and_headroom_are_met(
    quota: int, free: int, headroom: int, doomed: str
) -> None:
    gone = what_to_delete(CLIPS, quota_bytes=quota, free_bytes=free, headroom_bytes=headroom)
    assert [clip.id for clip in gone] == list(doomed)


def test_no_clips_is_no_work() -> None:
    assert what_to_delete([], quota_bytes=0, free_bytes=0, headroom_bytes=10) == []
