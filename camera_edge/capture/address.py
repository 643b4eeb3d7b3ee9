"""Reads source addresses and takes the credentials out of them.

Invariant: `Address.name` holds no user, no password and no query; only `Address.location` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from camera_edge.errors import UsageError

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")
_SECRET_IN_PATH = re.compile(r"[^/]*(?:user|pass|pwd|token|auth|key)[^/]*=[^/]*", re.IGNORECASE)
_NETWORK = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_SCHEMES = "a file, a folder of images, rtsp://, rtsps://, http://, https://, v4l2:/dev/video0 or synthetic:"


class Kind(Enum):
    PATH = auto()
    RTSP = auto()
    HTTP = auto()
    DEVICE = auto()
    SYNTHETIC = auto()


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address. `location` is what the library opens and may hold credentials: never print it."""

    kind: Kind
    name: str
    location: str = field(repr=False)
    parameters: dict[str, str] = field(default_factory=dict, repr=False)


def parse_address(text: str) -> Address:
    """Raises `UsageError` for an empty address, an unknown scheme or a malformed URL; never repeats the address."""
    if not text.strip():
        raise UsageError("the source address is empty", hint=f"give {_SCHEMES}")
    scheme = _SCHEME.match(text)
    word = scheme.group(1).lower() if scheme else ""
    if word in _NETWORK:
        return _network(text, word)
    if word == "synthetic":
        return Address(Kind.SYNTHETIC, text, text, _parameters(text))
    if word == "v4l2":
        path = text.partition(":")[2].partition("?")[0]
        return Address(Kind.DEVICE, path, path, _parameters(text))
    if re.fullmatch(r"/dev/video\d+", text):
        return Address(Kind.DEVICE, text, text)
    if word == "file":
        return _path(text.partition(":")[2].removeprefix("//"))
    if "://" in text and not Path(text).exists():
        raise UsageError(f"sources of the kind {word}:// are not supported", hint=f"give {_SCHEMES}")
    return _path(text)


def _path(text: str) -> Address:
    return Address(Kind.PATH, text, str(Path(text).expanduser()))


def _parameters(text: str) -> dict[str, str]:
    return dict(parse_qsl(text.partition("?")[2]))


def _network(text: str, scheme: str) -> Address:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        # not chained: the parser's own words may repeat a part of a password
        raise UsageError(
            f"the {scheme}:// address is malformed", hint="percent-encode / ? # @ : in user and password"
        ) from None
    if not host:
        raise UsageError(f"the {scheme}:// address names no host", hint=f"write {scheme}://host:port/path")
    shown = f"[{host}]" if ":" in host else host
    if port is not None and port != _NETWORK[scheme]:
        shown = f"{shown}:{port}"
    path = _SECRET_IN_PATH.sub("***", parts.path)
    kind = Kind.RTSP if scheme.startswith("rtsp") else Kind.HTTP
    return Address(kind, f"{scheme}://{shown}{path}", text)
