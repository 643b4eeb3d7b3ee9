from __future__ import annotations

import pytest

from camera_edge.capture.address import Kind, parse_address
from camera_edge.errors import UsageError


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("clip.mp4", Kind.PATH, "clip.mp4"),
        ("/var/clips/a:b.mp4", Kind.PATH, "/var/clips/a:b.mp4"),
        ("file:///clips/a.mp4", Kind.PATH, "/clips/a.mp4"),
        ("rtsp://192.0.2.1/stream1", Kind.RTSP, "rtsp://192.0.2.1/stream1"),
        ("rtsp://[2001:db8::1]:8554/s", Kind.RTSP, "rtsp://[2001:db8::1]:8554/s"),
        ("https://camera.example/live.mjpg", Kind.HTTP, "https://camera.example/live.mjpg"),
        ("/dev/video2", Kind.DEVICE, "/dev/video2"),
        ("v4l2:/dev/video0?size=640x480", Kind.DEVICE, "/dev/video0"),
        ("synthetic:?seed=3", Kind.SYNTHETIC, "synthetic:?seed=3"),
    ],
)
def test_the_scheme_decides_the_kind(text: str, kind: Kind, name: str) -> None:
    address = parse_address(text)
    assert (address.kind, address.name) == (kind, name)


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin:s3cret@192.0.2.1:554/stream",
        "rtsp://admin:p%40s3cret@192.0.2.1/stream",
        "rtsp://admin:a@b:s3cret@192.0.2.1/stream",
        "http://192.0.2.1/video?user=admin&password=s3cret",
        "rtsp://192.0.2.1/user=admin_password=s3cret_channel=1",
        "rtsp://s3cret@192.0.2.1/stream",
    ],
)
def test_a_name_holds_no_credentials(text: str) -> None:
    address = parse_address(text)
    assert "s3cret" not in address.name + repr(address)
    assert "admin" not in address.name + repr(address)
    assert "192.0.2.1" in address.name
    assert address.location == text


@pytest.mark.parametrize("text", ["rtsp://admin:s3cret@:99999x/", "rtsp://admin:s3cret@[::1/a", "rtsp://u:s3cret@/x"])
def test_a_malformed_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "s3cret" not in str(caught.value) + repr(caught.value.__cause__)
    assert caught.value.hint
    assert caught.value.exit_code == 64


@pytest.mark.parametrize("text", ["", "  ", "ftp://192.0.2.1/x", "gopher://h/x"])
def test_an_unknown_scheme_is_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(UsageError, match="rtsp://"):
        parse_address(text)
