from __future__ import annotations

import pytest

from camera_edge.errors import UsageError
from camera_edge.packages import Reference

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "host", "repository", "named"),
    [
        ("oci://registry.example/acme/guest:1.0", "registry.example", "acme/guest", "1.0"),
        ("oci://127.0.0.1:5000/guest:latest", "127.0.0.1:5000", "guest", "latest"),
        ("oci://[::1]:5000/a-b/c__d.e:1", "[::1]:5000", "a-b/c__d.e", "1"),
        (f"oci://h/guest@{DIGEST}", "h", "guest", DIGEST),
        (f"oci://h/guest:1@{DIGEST}", "h", "guest", DIGEST),
    ],
)
def test_a_reference_is_read_and_written(text: str, host: str, repository: str, named: str) -> None:
    reference = Reference.read(text)
    assert (reference.host, reference.repository, reference.named) == (host, repository, named)
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    ["oci://h", "oci://h/", "oci://h/Guest:1", "oci://h/a//b:1", "oci://h/../b:1", "oci://user:pw@h/a:1"]
    + ["oci://h/a:1?x=y", "oci://h/a:1#x", "oci://h/a@sha256:abc", "https://h/a:1", "h/a:1", "oci://h/a:" + "t" * 129]
    + ["oci:///a:1", "oci://h:x/a:1", "oci://h/a:1\n", "oci://h/a b:1", "oci://h/" + "a" * 600 + ":1"],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no package"):
        Reference.read(text)


def test_a_version_must_be_named() -> None:
    with pytest.raises(UsageError, match="no version is named"):
        Reference.read("oci://registry.example/guest")


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9:1", True), ("[::1]:1", True), ("localhost:1", True), ("192.0.2.1", False)]
    + [("localhost.example", False), ("127.0.0.1.example", False), ("[2001:db8::1]", False)],
)
def test_only_this_machine_is_loopback(host: str, local: bool) -> None:
    assert Reference.read(f"oci://{host}/a:1").is_loopback is local
