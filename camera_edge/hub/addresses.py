"""Replaces a camera's host name by an address, so that no worker ever asks a name server.

Invariant: a name is looked up by the hub alone, and a source without a name causes no query at all.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from camera_edge.address import resolve_host, safe_address, split_host
from camera_edge.errors import SourceError


async def with_literal_host(source: str) -> str:
    """The source with its host as a literal IP address; credentials, port and path stay.

    Raises SourceError where the name is not known.
    """
    endpoint = split_host(source)
    if endpoint is None:
        return source
    host, port = endpoint
    if _is_literal(host):
        return source
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise SourceError(
            f"the name {host} is not found",
            where=safe_address(source),
            hint="check the spelling and this machine's name server, or use the camera's IP address",
        ) from exc
    return resolve_host(source, str(found[0][4][0]))


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
