"""What an offer may hold, and what is taken out of it."""

from __future__ import annotations

import pytest

from camera_edge.preview import OfferError
from camera_edge.preview.offer import answerable

FINGERPRINT = ":".join(["AB"] * 32)
SESSION = f"""v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:actpass
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
"""
H264 = "a=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\n"


def section(kind: str = "video", codec: str = H264, direction: str = "recvonly", mid: str = "0") -> str:
    profile = f"m={kind} 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 0.0.0.0\n"
    return f"{profile}a=mid:{mid}\na=rtcp-mux\na={direction}\n{codec}"


VIDEO = SESSION + section()
OPUS = "a=rtpmap:96 opus/48000/2\n"


def test_candidates_are_taken_out_and_the_rest_is_kept() -> None:
    candidates = (
        "a=candidate:1 1 udp 2113937151 0f1e2d3c-aaaa-bbbb-cccc-1234567890ab.local 40000 typ host\n"
        "a=candidate:2 1 udp 2113937150 203.0.113.9 40001 typ host\n"
        "a=end-of-candidates\n"
    )
    kept = answerable(VIDEO + candidates)
    assert kept.splitlines() == VIDEO.splitlines()


def test_audio_beside_the_video_is_tolerated() -> None:
    audio_first = SESSION + section("audio", OPUS, mid="0") + section(mid="1")
    assert "m=audio" in answerable(audio_first)


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        ("", "asks for nothing"),
        ("hello", "asks for nothing"),
        ("v=0\nm=video\n", "not a session description"),
        ("v=0\nm=video 9 UDP/TLS/RTP/SAVPF 999\n", "not a session description"),
        (VIDEO + "a=fmtp:97 x=1\n", "not a session description"),
        (SESSION, "asks for nothing"),
        (SESSION + section("audio", OPUS), "asks for audio"),
        (VIDEO + section(mid="1"), "asks for video, video"),
        (VIDEO + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:1\n", "asks for application, video"),
        (SESSION + section(codec="a=rtpmap:96 VP8/90000\n"), "no H.264"),
        (SESSION + section(direction="sendonly"), "sendonly"),
        (SESSION + section(direction="inactive"), "inactive"),
        (VIDEO.replace("a=rtcp-mux\n", ""), "multiplex"),
        (VIDEO.replace("a=ice-pwd:abcdefghijklmnopqrstuvwx\n", ""), "ICE credentials"),
        (VIDEO.replace(f"a=fingerprint:sha-256 {FINGERPRINT}\n", ""), "fingerprint"),
        (VIDEO.replace("a=setup:actpass\n", ""), "fingerprint or setup"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(offer: str, reason: str) -> None:
    with pytest.raises(OfferError, match=reason):
        answerable(offer)
