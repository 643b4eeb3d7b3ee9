from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from camera_edge.cli.packages import app
from camera_edge.errors import CameraEdgeError, ModuleError, OutputError, UsageError
from camera_edge.sandbox import shipped_names
from tests.packages.packed import source, tree
from tests.packages.registries import docker_registry


class Desk:
    """A person at a shell, in an empty folder with a state folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.said = ""

    def run(self, *arguments: object) -> str:
        """What a command wrote to stdout; `said` is what it wrote to stderr."""
        self._capsys.readouterr()
        get_command(app).main([str(each) for each in arguments], standalone_mode=False)
        out, self.said = self._capsys.readouterr()
        return out

    def json(self, *arguments: object) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def stated(self, *arguments: object) -> Any:
        """A command that looks at the state folder."""
        return self.json(*arguments, "--state", self.folder / "state")

    def author(self, version: str = "1.0.0", **settings: str) -> Path:
        """The folder of an analyzer that is built."""
        made = source(version=version, **settings)
        folder = self.folder / f"guest-{version}"
        folder.mkdir()
        (folder / "analyzer.toml").write_bytes(made.toml)
        (folder / "guest.wasm").write_bytes(made.wasm)
        return folder

    def signed(self, version: str = "1.0.0", by: str = "acme", **settings: str) -> Path:
        if not (self.folder / f"{by}.key").exists():
            self.run("keygen", by, "--out", self.folder)
        package = self.folder / f"{version}.tar"
        self.run("pack", self.author(version, **settings), "--out", package)
        self.run("sign", package, "--key", self.folder / f"{by}.key")
        return package

    def first(self, by: str) -> Path:
        """A package, and the key that signed it is trusted."""
        package = self.signed(by=by)
        self.trust(by)
        return package

    def trust(self, name: str = "acme") -> None:
        self.stated("trust", "add", self.folder / f"{name}.pub", "--name", name)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAMERA_EDGE_KEY_PASSPHRASE", raising=False)
    return Desk(tmp_path, capsys)


def test_from_a_built_analyzer_to_an_installed_one_every_step_names_the_next(desk: Desk) -> None:
    folder = desk.author(asks='"pixels", "onnx:*", "state:100"')
    desk.run("keygen", "acme")
    assert "analyzer trust add acme.pub --name acme" in desk.said
    desk.run("pack", folder)
    assert "analyzer sign guest-1.0.0.tar --key" in desk.said
    desk.run("sign", "guest-1.0.0.tar", "--key", "acme.key")
    assert "analyzer install guest-1.0.0.tar" in desk.said
    state = ("--state", "state")
    desk.run("trust", "add", "acme.pub", "--name", "acme", *state)
    assert "analyzer install" in desk.said
    desk.run("verify", "guest-1.0.0.tar", *state)
    assert "signed by acme" in desk.said and "analyzer install guest-1.0.0.tar" in desk.said
    assert desk.run("install", "guest-1.0.0.tar", *state) == ""
    assert "analyzers: {guest: {grant: [onnx:*, state:100]}}" in desk.said
    listed = desk.run("list", *state)
    assert "may run" in listed and "guest" in listed and "acme" in listed and "pixels, onnx:*, state:100" in listed
    desk.run("remove", "guest", *state)
    assert "removed guest 1.0.0" in desk.said


def test_every_command_has_json_on_stdout(desk: Desk) -> None:
    key = desk.json("keygen", "acme")
    packed = desk.json("pack", desk.author())
    assert packed["package"] == "guest-1.0.0.tar" and packed["digest"].startswith("sha256:")
    signed = desk.json("sign", packed["package"], "--key", key["private"])
    assert (signed["digest"], signed["fingerprint"]) == (packed["digest"], key["fingerprint"])
    assert desk.stated("trust", "add", key["public"], "--name", "us")["fingerprint"] == key["fingerprint"]
    verified = desk.stated("verify", packed["package"])
    assert (verified["signer"], verified["asks"], verified["digest"]) == ("us", ["pixels"], packed["digest"])
    installed = desk.stated("install", packed["package"])
    assert (installed["was_there"], installed["removed"]) == (False, [])
    assert desk.stated("install", packed["package"])["was_there"]
    (row,) = (row for row in desk.stated("list") if row["origin"] == "installed")
    assert (row["name"], row["version"], row["signer"], row["withheld"]) == ("guest", "1.0.0", "us", None)
    assert desk.stated("trust", "list") == {"keys": [{"name": "us", "fingerprint": key["fingerprint"]}], "revoked": []}
    assert desk.stated("revoke", packed["digest"]) == {
        "revoked": packed["digest"],
        "withheld": ["guest 1.0.0"],
        "may_run": {"guest": None},
        "damaged": [],
    }
    assert desk.stated("trust", "list")["revoked"] == [packed["digest"]]
    assert desk.stated("trust", "remove", "us") == {
        "removed": "us",
        "withheld": ["guest 1.0.0"],
        "may_run": {},
        "damaged": [],
    }
    assert desk.stated("remove", "guest", "--version", "1.0.0") == {"name": "guest", "removed": ["1.0.0"]}


def test_what_nobody_trusted_signed_is_refused_and_there_is_no_way_around(desk: Desk) -> None:
    package = desk.signed()
    unsigned = desk.folder / "unsigned.tar"
    desk.run("pack", desk.folder / "guest-1.0.0", "--out", unsigned)
    desk.signed("2.0.0", by="other")
    desk.trust("other")
    before = tree(desk.folder)
    with pytest.raises(ModuleError, match="it is not signed"):
        desk.stated("install", unsigned)
    with pytest.raises(ModuleError, match="no trusted key made its signature"):
        desk.stated("install", package)
    assert tree(desk.folder) == before


def test_verify_takes_keys_by_hand(desk: Desk) -> None:
    package = desk.signed()
    assert desk.json("verify", package, "--key", desk.folder / "acme.pub")["signer"] == "acme"
    desk.json("keygen", "other")
    with pytest.raises(ModuleError, match="no trusted key"):
        desk.json("verify", package, "--key", "other.pub")


def test_going_back_needs_to_be_asked_for(desk: Desk) -> None:
    desk.run("keygen", "acme")
    old, new = desk.signed("1.0.0"), desk.signed("1.1.0")
    desk.trust()
    desk.stated("install", new)
    with pytest.raises(ModuleError, match=r"older than 1\.1\.0"):
        desk.stated("install", old)
    assert desk.stated("install", old, "--allow-rollback")["removed"] == ["1.1.0"]
    assert "version 1.1.0 was removed" in desk.said


def test_a_damaged_version_is_listed_as_one_that_does_not_run(desk: Desk) -> None:
    package = desk.signed()
    desk.trust()
    desk.stated("install", package)
    (desk.folder / "state" / "analyzers" / "modules" / "guest" / "1.0.0" / "guest.wasm").write_bytes(b"x")
    (row,) = (row for row in desk.stated("list") if row["origin"] == "installed")
    assert "damaged" in row["withheld"] and "analyzer remove guest --version 1.0.0" in row["withheld"]
    assert "no: " in desk.run("list", "--state", "state")


def test_an_encrypted_key_is_opened_by_the_environment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_EDGE_KEY_PASSPHRASE", "open sesame")
    desk.run("keygen", "acme")
    assert "encrypted, keep it" in desk.said
    package = desk.signed()
    monkeypatch.setenv("CAMERA_EDGE_KEY_PASSPHRASE", "wrong")
    with pytest.raises(UsageError, match="passphrase is wrong"):
        desk.run("sign", package, "--key", "acme.key")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pack", "nothing"), "cannot be read"),
        (("pack", "empty"), "cannot be read"),
        (("pack", "unbuilt"), "the analyzer is not built"),
        (("sign", "none.tar", "--key", "none.key"), "cannot be read"),
        (("verify", "none.tar"), "cannot be read"),
        (("install", "none.tar"), "cannot be read"),
        (("install", "oci://host"), "names no package"),
        (("pull", "oci://host/guest", "--out", "a.tar"), "no version is named"),
        (("keygen", "../acme"), "cannot name a key"),
        (("trust", "add", "none.pub", "--name", "acme"), "cannot be read"),
        (("trust", "remove", "acme"), "no key is called"),
        (("remove", "guest"), "is not installed"),
        (("revoke", "abc"), "is no digest"),
    ],
)
def test_a_mistake_is_one_error_with_the_next_step(desk: Desk, arguments: tuple[str, ...], message: str) -> None:
    for folder in ("empty", "unbuilt"):
        (desk.folder / folder).mkdir()
    (desk.folder / "unbuilt" / "analyzer.toml").write_bytes(source().toml)
    state = () if arguments[0] in ("pack", "sign", "pull", "keygen") else ("--state", "state")
    with pytest.raises(CameraEdgeError, match=message) as caught:
        desk.run(*arguments, *state)
    assert caught.value.hint


def test_what_is_no_analyzer_is_not_packed(desk: Desk) -> None:
    folder = desk.author(body='(memory (export "memory") 1)')
    with pytest.raises(ModuleError, match="does not export"):
        desk.run("pack", folder)
    assert list(desk.folder.glob("*.tar")) == []


def test_an_empty_trust_folder_says_how_to_fill_it(desk: Desk) -> None:
    assert desk.stated("trust", "list") == {"keys": [], "revoked": []}
    assert desk.run("trust", "list", "--state", "state") == ""
    assert "analyzer trust add" in desk.said


def test_through_a_registry_and_a_file_to_another_site(desk: Desk, tmp_path: Path) -> None:
    package = desk.signed()
    desk.trust()
    with docker_registry(tmp_path) as host:
        pushed = desk.json("push", package, f"oci://{host}/acme/guest:1.0.0")
        pulled = desk.json("pull", f"oci://{host}/acme/guest:1.0.0", "--out", "carried.tar")
        assert pulled["digest"] == pushed["digest"] and pulled["signatures"] == 1
        assert "analyzer verify carried.tar" in desk.said
        assert desk.stated("install", f"oci://{host}/acme/guest@{pushed['digest']}")["was_there"] is False
    assert desk.stated("install", "carried.tar")["was_there"]


def test_the_tree_of_commands_is_built_without_heavy_libraries() -> None:
    heavy = "{'cryptography', 'aiohttp', 'numpy', 'wasmtime', 'msgspec'}"
    code = f"import sys, camera_edge.cli.packages; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_what_is_stopped_says_what_may_run_instead(desk: Desk) -> None:
    desk.run("keygen", "acme")
    desk.trust()
    for version in ("1.0.0", "1.1.0"):
        desk.stated("install", desk.signed(version))
    digests = {row["version"]: row["digest"] for row in desk.stated("list") if row["origin"] == "installed"}
    desk.run("revoke", digests["1.1.0"], "--state", "state")
    assert "guest 1.1.0 may not run any more" in desk.said and "guest 1.0.0 may run instead" in desk.said
    assert desk.stated("revoke", digests["1.0.0"])["may_run"] == {"guest": None}
    assert "nothing of guest may run any more" in desk.said and "1.1.0 may not" not in desk.said
    for path in (desk.folder / "state" / "analyzers" / "trust" / "revoked").iterdir():
        path.unlink()
    assert desk.stated("revoke", digests["1.0.0"])["may_run"] == {"guest": "1.1.0"}
    assert "guest 1.1.0 may run as before" in desk.said
    assert desk.stated("trust", "remove", "acme")["may_run"] == {"guest": None}
    assert "nothing of guest may run any more" in desk.said


@pytest.mark.parametrize("name", ["record.json", "guest.wasm"])
def test_one_damaged_version_stops_no_command(desk: Desk, name: str) -> None:
    desk.run("keygen", "acme")
    desk.trust()
    for version in ("1.0.0", "1.1.0"):
        desk.stated("install", desk.signed(version))
    path = desk.folder / "state" / "analyzers" / "modules" / "guest" / "1.0.0" / name
    path.write_bytes(b"x")
    rows = {row["version"]: row for row in desk.stated("list") if row["origin"] == "installed"}
    assert rows["1.1.0"]["withheld"] is None and "damaged" in rows["1.0.0"]["withheld"]
    assert rows["1.0.0"].keys() == rows["1.1.0"].keys()
    assert "no: " in desk.run("list", "--state", "state")
    answer = desk.stated("revoke", rows["1.1.0"]["digest"])
    assert (answer["withheld"], answer["may_run"]) == (["guest 1.1.0"], {"guest": None})
    assert len(answer["damaged"]) == 1 and answer["damaged"][0].startswith(f"{path}: damaged: ")
    assert desk.said.index("revoked sha256:") < desk.said.index("warning:")
    assert "analyzer remove guest --version 1.0.0" in desk.said
    (desk.folder / "state" / "analyzers" / "trust" / "keys" / "other.pub").write_bytes(b"x")
    assert any("no public key" in each for each in desk.stated("trust", "remove", "acme")["damaged"])
    assert "acme is not trusted any more" in desk.said
    assert desk.stated("trust", "remove", "other")["removed"] == "other"
    assert desk.stated("remove", "guest", "--version", "1.0.0")["removed"] == ["1.0.0"]


@pytest.mark.skipif("motion" not in shipped_names(), reason="the package was not built: no modules are shipped")
def test_who_takes_a_name_that_is_shipped_hears_at_once_that_it_cannot_be_installed(desk: Desk) -> None:
    made = source("motion", "9.0.0")
    folder = desk.folder / "motion"
    folder.mkdir()
    (folder / "analyzer.toml").write_bytes(made.toml)
    (folder / "motion.wasm").write_bytes(made.wasm)
    desk.run("keygen", "acme")
    desk.trust()
    for arguments in (("pack", folder), ("sign", "motion-9.0.0.tar", "--key", "acme.key")):
        assert desk.json(*arguments)["installable"] is False
        assert "it cannot be installed: an analyzer 'motion' is shipped" in desk.said
        assert "  " not in desk.said.splitlines()[-1]
    assert desk.stated("verify", "motion-9.0.0.tar")["installable"] is False
    assert "it cannot be installed" in desk.said and "install it:" not in desk.said
    with pytest.raises(ModuleError, match="an analyzer 'motion' is shipped"):
        desk.stated("install", "motion-9.0.0.tar")


def test_a_shipped_digest_is_not_revoked(desk: Desk) -> None:
    rows = [row for row in desk.stated("list") if row["origin"] == "shipped"]
    if not rows:
        pytest.skip("the package was not built: no modules are shipped")
    with pytest.raises(UsageError, match="shipped with camera-edge, which no revocation stops"):
        desk.stated("revoke", rows[0]["module_sha256"])


def test_pull_is_from_a_registry_alone(desk: Desk) -> None:
    desk.run("pack", desk.author(), "--out", "package")
    for given in ("package", str(desk.folder / "package"), "https://host/guest:1"):
        with pytest.raises(UsageError, match="names no package in a registry") as caught:
            desk.run("pull", given, "--out", "other.tar")
        assert caught.value.hint is not None and "oci://HOST" in caught.value.hint


def test_a_private_key_that_is_not_there_says_how_to_make_one(desk: Desk) -> None:
    desk.run("pack", desk.author())
    with pytest.raises(ModuleError, match="cannot be read") as caught:
        desk.run("sign", "guest-1.0.0.tar", "--key", "nosuch.key")
    assert caught.value.hint is not None and "private key" in caught.value.hint and "keygen" in caught.value.hint


@pytest.mark.parametrize("arguments", [("list",), ("trust", "list"), ("revoke", "a" * 64), ("remove", "guest")])
def test_a_state_folder_that_is_none_is_an_error(desk: Desk, arguments: tuple[str, ...]) -> None:
    (desk.folder / "file").touch()
    for state in ("/dev/null", "file"):
        with pytest.raises(UsageError, match="this is no folder") as caught:
            desk.run(*arguments, "--state", state)
        assert caught.value.where == state


def test_packing_never_writes_over_what_is_no_package(desk: Desk) -> None:
    folder = desk.author()
    (desk.folder / "notes.txt").write_text("my notes")
    for out in ("notes.txt", str(folder)):
        before = tree(desk.folder)
        with pytest.raises(OutputError, match="no package"):
            desk.run("pack", folder, "--out", out)
        assert tree(desk.folder) == before


def test_two_signers_are_named_and_the_one_of_the_installed_version_counts(desk: Desk) -> None:
    desk.stated("install", desk.first("zeta"))
    package = desk.signed("1.1.0", by="acme")
    desk.trust()
    desk.run("sign", package, "--key", "zeta.key")
    desk.run("verify", package, "--state", "state")
    assert "signed by acme and zeta" in desk.said
    installed = desk.stated("install", package)
    assert (installed["signer"], installed["signers"]) == ("zeta", ["acme", "zeta"])
    assert desk.stated("trust", "remove", "zeta")["may_run"] == {"guest": "1.1.0"}
    rows = {row["version"]: row for row in desk.stated("list") if row["origin"] == "installed"}
    assert (rows["1.1.0"]["signer"], rows["1.1.0"]["withheld"]) == ("acme", None)
