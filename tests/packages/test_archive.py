from __future__ import annotations

import gzip
import io
import random
import subprocess
import tarfile
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError
from camera_edge.packages.archive import MEMBERS_MAX, read_archive
from camera_edge.packages.packing import archive

FILES = {"oci-layout": b"{}", "index.json": b"x" * 513, "blobs/sha256/" + "a" * 64: b"", "blobs/sha256/b": bytes(1024)}


def tar_of(*members: tarfile.TarInfo, data: bytes = b"", form: int = tarfile.USTAR_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for member in members:
            member.size = len(data) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", pax: dict[str, str] | None = None) -> bytes:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    if pax is not None:
        made.pax_headers = pax
    return tar_of(made, form=tarfile.USTAR_FORMAT if pax is None else tarfile.PAX_FORMAT)


def sealed(header: bytearray) -> bytes:
    """With its checksum right again, and the end of an archive behind it."""
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header) + bytes(1024)


def test_what_was_packed_is_read_back() -> None:
    assert read_archive(archive(FILES), where="a.tar") == FILES


def test_what_is_packed_depends_on_the_files_alone() -> None:
    assert archive(FILES) == archive(dict(reversed(FILES.items())))


@pytest.mark.parametrize("form", ["gnu", "pax", "ustar", "posix"])
def test_archives_of_the_tar_program_are_read(tmp_path: Path, form: str) -> None:
    for name, data in FILES.items():
        (tmp_path / "layout" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "layout" / name).write_bytes(data)
    command = ["tar", f"--format={form}", "-C", str(tmp_path / "layout"), "-cf", str(tmp_path / "a.tar"), "."]
    subprocess.run(command, check=True, timeout=30)
    assert read_archive((tmp_path / "a.tar").read_bytes(), where="a.tar") == FILES


@pytest.mark.parametrize("name", ["../index.json", "/etc/passwd", "blobs/../../x", "a//b", "..", "a\\..\\b", "./../x"])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_a_path_that_leads_out_is_refused(name: str, kind: bytes) -> None:
    with pytest.raises(ModuleError, match="leads out of it") as caught:
        read_archive(member(name, kind), where="a.tar")
    assert caught.value.where == "a.tar"


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (b"S", "of an unknown kind"),
        (b"L", "of an unknown kind"),
        (b"7", "of an unknown kind"),
    ],
)
def test_what_is_no_plain_file_is_refused(kind: bytes, what: str) -> None:
    header = bytearray(member("index.json", link="/etc/passwd")[:512])
    header[156:157] = kind
    with pytest.raises(ModuleError, match=f"'index.json' is {what}"):
        read_archive(sealed(header), where="a.tar")


@pytest.mark.parametrize("pax", [{"path": "../x"}, {"size": "0"}, {"linkpath": "x"}, {"GNU.sparse.major": "1"}])
def test_an_extended_header_that_changes_path_or_size_is_refused(pax: dict[str, str]) -> None:
    with pytest.raises(ModuleError, match="another path or size"):
        read_archive(member("index.json", pax=pax), where="a.tar")


def test_an_extended_header_with_times_is_passed_over() -> None:
    assert read_archive(member("a", pax={"mtime": "1.5", "comment": "path=../x"}), where="a.tar") == {"a": b""}


@pytest.mark.parametrize("body", [b"nonsense", b"0 a=b\n", b"-1 a=b\n", b"3 a", b"99999999999 a=b\n"])
def test_a_broken_extended_header_is_refused(body: bytes) -> None:
    header = bytearray(member("x")[:512])
    header[156:157] = b"x"
    header[124:136] = f"{len(body):011o}\0".encode()
    data = sealed(header)[:512] + body.ljust(512, b"\0") + bytes(1024)
    with pytest.raises(ModuleError, match="cannot be read"):
        read_archive(data, where="a.tar")


def test_two_files_of_one_name_are_refused() -> None:
    two = tar_of(tarfile.TarInfo("index.json"), tarfile.TarInfo("./index.json"))
    with pytest.raises(ModuleError, match="'index.json' is there twice"):
        read_archive(two, where="a.tar")


def test_every_cut_of_an_archive_is_refused_or_has_all_files() -> None:
    whole = archive({"a": b"x" * 700, "b": b"y"})
    end = whole.rindex(b"y") + 512
    for length in range(0, end, 7):
        with pytest.raises(ModuleError, match="cut off|cannot be read"):
            read_archive(whole[:length], where="a.tar")
    assert len(read_archive(whole, where="a.tar")) == 2


@pytest.mark.parametrize("size", [b"77777777777\0", b"\x80" + bytes(10) + b"\x01", b"-0000000001\0", b"           \0"])
def test_a_size_that_lies_or_cannot_be_read_is_refused(size: bytes) -> None:
    header = bytearray(member("index.json")[:512])
    header[124:136] = size
    with pytest.raises(ModuleError, match="cut off inside|a size cannot be read"):
        read_archive(sealed(header), where="a.tar")


def test_a_wrong_checksum_and_a_name_that_is_no_text_are_refused() -> None:
    header = bytearray(member("index.json")[:512])
    header[0] ^= 1
    with pytest.raises(ModuleError, match="a header is damaged"):
        read_archive(bytes(header) + bytes(1024), where="a.tar")
    header[0:2] = b"\xff\xfe"
    with pytest.raises(ModuleError, match="not UTF-8"):
        read_archive(sealed(header), where="a.tar")


def test_the_number_of_members_is_bounded() -> None:
    many = archive({f"file{number}": b"" for number in range(MEMBERS_MAX + 1)})
    with pytest.raises(ModuleError, match="more than 1024 members"):
        read_archive(many, where="a.tar")


def test_a_compressed_archive_says_what_to_do() -> None:
    with pytest.raises(ModuleError, match="compressed") as caught:
        read_archive(gzip.compress(archive(FILES)), where="a.tar")
    assert caught.value.hint == "unpack it to a plain .tar first"


def test_any_bytes_give_files_or_a_module_error() -> None:
    chance = random.Random(20261125)
    whole = archive(FILES)
    refused = 0
    for _ in range(1500):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(2048)] = chance.randrange(256)
        if chance.random() < 0.5:
            header = data[:512]
            data[:512] = sealed(header)[:512]
        try:
            read_archive(bytes(data), where="a.tar")
        except ModuleError:
            refused += 1
    assert 100 < refused < 1500
