from __future__ import annotations

from camera_edge.capture.annexb import is_annexb, parameter_sets

SPS, PPS = b"\x67\x64\x00\x0c\xac", b"\x68\xee\x3c"
SEI, IDR, SLICE = b"\x06\x05\x01\xff", b"\x65\x88\x84", b"\x41\x9a\x24"
LONG, SHORT = b"\x00\x00\x00\x01", b"\x00\x00\x01"


def test_h264_parameter_sets_are_found_before_the_slice_whatever_the_start_codes() -> None:
    found = parameter_sets("h264", LONG + b"\x09\xf0" + SHORT + SPS + LONG + PPS + SHORT + SEI + SHORT + IDR)
    assert found is not None
    assert found.sequence == LONG + SPS
    assert found.all == LONG + SPS + LONG + PPS


def test_what_follows_the_first_slice_is_not_looked_at() -> None:
    assert parameter_sets("h264", SHORT + IDR + SHORT + SPS) is None


def test_a_packet_without_a_sequence_set_has_none() -> None:
    assert parameter_sets("h264", LONG + PPS + LONG + SLICE) is None
    assert parameter_sets("h264", b"") is None
    assert parameter_sets("h264", b"\x00\x00\x01") is None


def test_hevc_parameter_sets_include_the_video_one() -> None:
    vps, sps, pps, idr = b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc0", b"\x26\x01\xaf"
    found = parameter_sets("hevc", LONG + vps + LONG + sps + LONG + pps + SHORT + idr)
    assert found is not None
    assert found.sequence == LONG + sps
    assert found.all == LONG + vps + LONG + sps + LONG + pps


def test_other_codecs_have_no_parameter_sets() -> None:
    assert parameter_sets("mjpeg", SHORT + SPS) is None


def test_annexb_is_told_from_avcc() -> None:
    assert is_annexb(LONG + SPS)
    assert is_annexb(SHORT + SPS)
    assert not is_annexb(b"\x01\x64\x00\x0c")
    assert not is_annexb(None)
