"""Names of packages in a registry: `oci://HOST[:PORT]/REPOSITORY[:TAG][@sha256:…]`.

Grammar: OCI distribution specification 1.1, "Pulling manifests".

Invariant: nothing but a host, a path of plain names, a tag and a digest gets through; no credentials, no other scheme.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from camera_edge.errors import UsageError

SCHEME = "oci://"
_REFERENCE = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(?P<port>[0-9]{1,5}))?"
    r"/(?P<repository>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_CHARACTERS_MAX = 512


@dataclass(frozen=True, slots=True)
class Reference:
    """`host` has the port where there is one; either `tag` or `digest` is set, or both: then the digest counts."""

    host: str
    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def read(cls, text: str) -> Reference:
        """Raises UsageError."""
        found = _REFERENCE.fullmatch(text[len(SCHEME) :]) if len(text) <= _CHARACTERS_MAX else None
        if not text.startswith(SCHEME) or found is None:
            hint = "write oci://HOST[:PORT]/REPOSITORY:TAG, or @sha256:… in place of the tag"
            raise UsageError(f"{text[:_CHARACTERS_MAX]!r} names no package in a registry", hint=hint)
        if found["tag"] is None and found["digest"] is None:
            raise UsageError("no version is named", where=text, hint="add :TAG or @sha256:…")
        host = found["host"] + (f":{found['port']}" if found["port"] else "")
        return cls(host, found["repository"], found["tag"], found["digest"])

    @property
    def named(self) -> str:
        """What to ask the registry for."""
        return self.digest or self.tag or ""

    @property
    def is_loopback(self) -> bool:
        return is_loopback(re.sub(r":[0-9]+$", "", self.host).strip("[]"))

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{SCHEME}{self.host}/{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def is_loopback(host: str) -> bool:
    """Whether this names the machine itself; only then plain HTTP goes without being asked for."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
