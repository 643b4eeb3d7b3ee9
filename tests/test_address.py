import pytest

from camera_edge.address import resolve_host, safe_address, split_host


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://user:pass@cam.local/1", "rtsp://***@cam.local/1"),
        ("rtsp://user:p@ss:/w@cam.local/1", "rtsp://***@cam.local/1"),
        ("http://cam/video?user=a&pwd=b&size=2", "http://cam/video?user=***&pwd=***&size=2"),
        ("/data/clip.mp4", "/data/clip.mp4"),
        ("synthetic:?seed=7", "synthetic:?seed=7"),
    ],
)
def test_what_may_be_shown(address: str, shown: str) -> None:
    assert safe_address(address) == shown


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("rtsp://u:p@192.0.2.1/s", ("192.0.2.1", 554)),
        ("rtsp://192.0.2.1:8554/s", ("192.0.2.1", 8554)),
        ("http://[2001:db8::1]/s", ("2001:db8::1", 80)),
        ("clip.mp4", None),
        ("/dev/video0", None),
        ("synthetic:", None),
    ],
)
def test_what_a_source_connects_to(address: str, host: tuple[str, int] | None) -> None:
    assert split_host(address) == host


def test_a_resolved_address_keeps_credentials_port_and_path() -> None:
    assert resolve_host("rtsp://u:p@cam:8554/s?x=1", "192.0.2.1") == "rtsp://u:p@192.0.2.1:8554/s?x=1"
    assert resolve_host("rtsp://cam/s", "2001:db8::1") == "rtsp://[2001:db8::1]/s"
    assert resolve_host("/data/clip.mp4", "192.0.2.1") == "/data/clip.mp4"
