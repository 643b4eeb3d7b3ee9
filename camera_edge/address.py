"""Addresses of cameras: what of them may be shown, and which host and port they mean.

Invariant: whatever may end in a log, a message, metadata or a process list went through `safe_address`.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
# up to the last @ of all: a password that was not percent-encoded may hold a slash, and hiding more does no harm
_USERINFO = re.compile(r"^([a-z][a-z0-9+.-]*://).*@", re.IGNORECASE)
_SECRET_QUERY = re.compile(r"([?&][^=&#]*(?:pass|pwd|token|key|secret|auth|user|login)[^=&#]*=)[^&#]*", re.IGNORECASE)


def safe_address(address: str) -> str:
    """The address without user name, password and secret-looking query values."""
    return _SECRET_QUERY.sub(r"\1***", _USERINFO.sub(r"\1***@", address))


def split_host(address: str) -> tuple[str, int] | None:
    """Host and TCP port that an address connects to; None for files, folders, devices and synthetic sources."""
    parts = _network_parts(address)
    if parts is None or not parts.hostname:
        return None
    return parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme]


def resolve_host(address: str, literal_ip: str) -> str:
    """The same address with its host replaced by a literal IP, so that a worker need not ask a name server."""
    parts = _network_parts(address)
    if parts is None:
        return address
    userinfo, _, _ = parts.netloc.rpartition("@")
    host = f"[{literal_ip}]" if ":" in literal_ip else literal_ip
    netloc = (f"{userinfo}@" if userinfo else "") + host + (f":{parts.port}" if parts.port else "")
    return urlunsplit(parts._replace(netloc=netloc))


def _network_parts(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises where it is not a number
    except ValueError:
        return None
    return parts if parts.scheme in _DEFAULT_PORTS else None
