"""Reads a tar file without unpacking it, as far as packages need: plain files with short names.

Python's own `tarfile` is not used: in many versions that are about a header can make it loop for ever (CVE-2025-8194),
and it takes links, devices and sparse files, which have no place here. Layout: POSIX.1-2017, pax, "ustar Interchange
Format".

Invariant: one pass, each header moves forward; whatever the bytes are, the answer is files by name, or a ModuleError.
"""

from __future__ import annotations

from camera_edge.errors import ModuleError

MEMBERS_MAX = 1024
_BLOCK = 512
_PAX_BYTES_MAX = 65536
_FILE, _FILE_OLD, _FOLDER, _PAX, _PAX_ALL = b"0", b"\0", b"5", b"x", b"g"
_REFUSED = {b"1": "a link", b"2": "a link", b"3": "a device", b"4": "a device", b"6": "a pipe"}
# these would change which bytes a file has, or where it stands
_PAX_REFUSED = ("path", "linkpath", "size", "GNU.sparse")
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh")


class _BadTarError(Exception):
    """What is wrong with the bytes; becomes a ModuleError at the door."""


def read_archive(data: bytes, *, where: str) -> dict[str, bytes]:
    """The files of a tar by their names. Raises ModuleError with the reason."""
    if data.startswith(_PACKED):
        raise ModuleError("the tar file is compressed", where=where, hint="unpack it to a plain .tar first")
    try:
        return _members(data)
    except _BadTarError as error:
        hint = "pack it again, or copy it again: it may be cut off"
        raise ModuleError(f"the tar file is refused: {error}", where=where, hint=hint) from error


def _members(data: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    at = 0
    for _ in range(MEMBERS_MAX):
        header = data[at : at + _BLOCK]
        if len(header) < _BLOCK:
            raise _BadTarError("it is cut off")
        if not header.strip(b"\0"):
            return files
        _check_sum(header)
        name, kind, size = _name(header), header[156:157], _number(header[124:136], "size")
        begin, at = at + _BLOCK, at + _BLOCK + -(-size // _BLOCK) * _BLOCK
        if begin + size > len(data):
            raise _BadTarError(f"it is cut off inside {name!r}")
        if kind in (_PAX, _PAX_ALL):
            _check_pax(data[begin : begin + size])
        elif kind in (_FILE, _FILE_OLD):
            path = _inside(name)
            if path in files:
                raise _BadTarError(f"{path!r} is there twice")
            files[path] = data[begin : begin + size]
        elif kind == _FOLDER:
            _inside(name)
        else:
            raise _BadTarError(f"{name!r} is {_REFUSED.get(kind, 'of an unknown kind')}")
    raise _BadTarError(f"it has more than {MEMBERS_MAX} members")


def _check_sum(header: bytes) -> None:
    expected = _number(header[148:156], "checksum")
    if sum(header) - sum(header[148:156]) + 8 * 0x20 != expected:
        raise _BadTarError("a header is damaged, or this is no tar file")


def _number(field: bytes, what: str) -> int:
    digits = field.strip(b"\0 ")
    if not digits or digits.strip(b"01234567"):
        raise _BadTarError(f"a {what} cannot be read, or this is no tar file")
    return int(digits, 8)


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    if header[257:263] == b"ustar\0" and (prefix := header[345:500].partition(b"\0")[0]):
        name = prefix + b"/" + name
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _BadTarError("a name is not UTF-8") from error


def _inside(name: str) -> str:
    """The path below the top of the archive."""
    parts = [part for part in name.removesuffix("/").split("/") if part != "."]
    if name.startswith("/") or "\\" in name or any(part in ("", "..") for part in parts):
        raise _BadTarError(f"the path {name!r} leads out of it")
    return "/".join(parts)


def _check_pax(records: bytes) -> None:
    """`LENGTH KEY=VALUE\\n`, one after the other; times and owners are of no interest."""
    if len(records) > _PAX_BYTES_MAX:
        raise _BadTarError("an extended header is too long")
    at = 0
    while at < len(records):
        length, space, _ = records[at : at + 8].partition(b" ")
        end = at + int(length) if space and length.isdigit() else 0
        record = records[at + len(length) + 1 : end]
        if not record.endswith(b"\n") or b"=" not in record or end > len(records):
            raise _BadTarError("an extended header cannot be read")
        if record.startswith(tuple(key.encode() for key in _PAX_REFUSED)):
            raise _BadTarError("an extended header gives another path or size")
        at = end
