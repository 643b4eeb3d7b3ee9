from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from camera_edge.errors import DamagedError, ModuleError
from camera_edge.packages import (
    MemoryLayout,
    Trust,
    TrustStore,
    audit,
    install,
    open_layout,
    read_package,
    trusting,
    verify,
    write_layout,
)
from camera_edge.packages.documents import SIGNATURE_KEY, TITLE_KEY, TOML_KEY, VERSION_KEY, digest_of
from camera_edge.packages.layout import blob_path
from camera_edge.packages.packing import package_layout
from camera_edge.sandbox import shipped_names
from camera_edge.sandbox.record import Placed
from camera_edge.sandbox.shelf import Shelf
from tests.packages.packed import (
    GUEST,
    SCORE,
    WHEN,
    Source,
    changed_image,
    flipped,
    key,
    signed,
    source,
    tree,
    trusting_shelf,
    with_files,
)

AGAIN = "camera-edge analyzer remove guest --version {}, then install it again"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return trusting_shelf(tmp_path)


def put(shelf: Shelf, layout: MemoryLayout, *, rollback: bool = False) -> Placed:
    verified = verify(layout, TrustStore(shelf).read())
    return install(verified, shelf, installed_utc=WHEN, allow_rollback=rollback)


def replaced(layout: MemoryLayout, change: Callable[[dict[str, Any]], None]) -> MemoryLayout:
    """The package with other signatures: the manifest of signatures is changed, and its digest in the index."""
    (group,) = read_package(layout).signature_sets
    image = msgspec.json.decode(group.blobs[blob_path(group.descriptor.digest)])
    change(image)
    data = msgspec.json.encode(image)
    index = msgspec.json.decode(layout.files["index.json"])
    index["manifests"][1] |= {"digest": digest_of(data), "size": len(data)}
    return with_files(layout, {blob_path(digest_of(data)): data, "index.json": msgspec.json.encode(index)})


def with_payload(layout: MemoryLayout, payload: bytes, signature: bytes) -> MemoryLayout:
    def change(image: dict[str, Any]) -> None:
        image["layers"][0] |= {"digest": digest_of(payload), "size": len(payload)}
        image["layers"][0]["annotations"] = {SIGNATURE_KEY: base64.b64encode(signature).decode()}

    return with_files(replaced(layout, change), {blob_path(digest_of(payload)): payload})


def test_a_signed_package_is_verified_and_installed(shelf: Shelf) -> None:
    made = source(asks='"pixels", "state:100"')
    placed = put(shelf, signed(made))
    (module,) = shelf.candidates("guest")
    assert (module.wasm, module.signer, module.manifest.capabilities) == (made.wasm, "acme", ("pixels", "state:100"))
    assert placed.record.package_sha256 == read_package(made.packed()).digest.removeprefix("sha256:")


@pytest.mark.parametrize("name", ["a.tar", "folder"])
def test_it_is_installed_from_a_file_or_a_folder(shelf: Shelf, tmp_path: Path, name: str) -> None:
    write_layout(signed(source()), tmp_path / name)
    verified = verify(open_layout(tmp_path / name), TrustStore(shelf).read())
    assert verified.signer.name == "acme"
    install(verified, shelf, installed_utc=WHEN)
    assert [finding.fault for finding in audit(shelf, TrustStore(shelf).read())] == [None]


def test_any_one_of_its_signers_is_enough(shelf: Shelf) -> None:
    put(shelf, signed(signed(source(), "mallory"), "acme"))
    assert [module.signer for module in shelf.candidates("guest")] == ["acme"]


def unsigned() -> MemoryLayout:
    return source().packed()


def by_a_stranger() -> MemoryLayout:
    return signed(source(), "mallory")


def manifest_changed_after() -> MemoryLayout:
    layout = signed(source())
    return changed_image(layout, lambda image: image["annotations"].update(surprise="x"))


def wider_manifest_with_the_old_signature() -> MemoryLayout:
    """The attack that counts: more capabilities, the tag of the signatures moved along."""
    wider = source(asks='"pixels", "onnx:*"').packed()
    theirs = signed(source())
    index = msgspec.json.decode(signed(wider, "mallory").files["index.json"])
    index["manifests"][1] |= {
        name: msgspec.json.decode(theirs.files["index.json"])["manifests"][1][name] for name in ("digest", "size")
    }
    return with_files(with_files(wider, theirs.files), {"index.json": msgspec.json.encode(index)})


def signature_of_another_text() -> MemoryLayout:
    layout = signed(source())
    payload = read_package(layout).signatures()[0].payload
    return with_payload(layout, payload, key("acme").sign(b"another text"))


def signed_text_of_another_kind() -> MemoryLayout:
    layout = signed(source())
    payload = read_package(layout).signatures()[0].payload.replace(b"cosign container image signature", b"attestation")
    return with_payload(layout, payload, key("acme").sign(payload))


def signed_text_with_a_surprise() -> MemoryLayout:
    layout = signed(source())
    payload = read_package(layout).signatures()[0].payload.replace(b'{"critical":{', b'{"critical":{"surprise":1,')
    return with_payload(layout, payload, key("acme").sign(payload))


def signature_cut_off() -> MemoryLayout:
    layout = signed(source())
    (one,) = read_package(layout).signatures()
    return with_payload(layout, one.payload, one.signature[:-2])


def signature_that_is_no_base64() -> MemoryLayout:
    return replaced(signed(source()), lambda image: image["layers"][0]["annotations"].update({SIGNATURE_KEY: "?"}))


def digest_with_a_line_feed() -> MemoryLayout:
    layout = source().packed()
    return changed_image(layout, lambda image: image["layers"][0].update(digest="sha256:" + "a" * 64 + "\n"))


def blob_changed() -> MemoryLayout:
    made = source()
    layout = signed(made)
    path = blob_path(digest_of(made.wasm))
    return with_files(layout, {path: flipped(layout.files[path], 40)})


def titled(name: str, value: str) -> MemoryLayout:
    return signed(changed_image(source().packed(), lambda image: image["annotations"].update({name: value})))


def toml_replaced(toml: bytes) -> MemoryLayout:
    return signed(
        changed_image(source().packed(), lambda image: image["annotations"].update({TOML_KEY: toml.decode()}))
    )


def of_wasm(wasm: bytes) -> MemoryLayout:
    return signed(Source(source().toml, wasm))


BAD: dict[str, tuple[Callable[[], MemoryLayout], str]] = {
    "unsigned": (unsigned, "it is not signed"),
    "signed by a stranger": (by_a_stranger, "no trusted key made its signature"),
    "manifest changed after it was signed": (manifest_changed_after, "it is not signed"),
    "more capabilities under an old signature": (wider_manifest_with_the_old_signature, "is for something else"),
    "signature of another text": (signature_of_another_text, "no trusted key made its signature"),
    "signed text of another kind": (signed_text_of_another_kind, "is for something else"),
    "signed text with an unknown key": (signed_text_with_a_surprise, "is for something else"),
    "signature cut off": (signature_cut_off, "no trusted key made its signature"),
    "signature that is no base64": (signature_that_is_no_base64, "no base64"),
    "digest with a line feed": (digest_with_a_line_feed, "the package's manifest is damaged"),
    "module changed": (blob_changed, "other content than its digest says"),
    "title of another": (lambda: titled(TITLE_KEY, "motion"), "is 'motion', analyzer.toml says 'guest'"),
    "version of another": (lambda: titled(VERSION_KEY, "9"), "is '9', analyzer.toml says '1.0.0'"),
    "unknown key in analyzer.toml": (
        lambda: toml_replaced(source().toml + b"surprise = 1"),
        "unknown field `surprise`",
    ),
    "analyzer.toml that is no TOML": (lambda: toml_replaced(b"= 1"), "bad manifest"),
    "unknown capability": (lambda: toml_replaced(source().toml.replace(b'"pixels"', b'"files"')), "unknown capability"),
    "another ABI": (lambda: toml_replaced(source().toml.replace(b"abi = 1", b"abi = 2")), "made for ABI 2"),
    "version without an order": (lambda: toml_replaced(source().toml.replace(b"1.0.0", b"new")), "cannot be ordered"),
    "import that it does not ask for": (
        lambda: signed(source(body=SCORE.replace("score", "state_get").replace("f64", "i32 i32 i32") + GUEST)),
        "does not ask for state:<bytes>",
    ),
    "import of files": (
        lambda: signed(source(body='(import "env" "fopen" (func (param i32) (result i32)))' + GUEST)),
        "there is nothing of that name",
    ),
    "no analyzer": (lambda: signed(source(body='(memory (export "memory") 1)')), "does not export camera_edge_abi"),
    "compiled code": (lambda: of_wasm(b"\x7fELF" + bytes(100)), "compiled code"),
    "a component": (lambda: of_wasm(b"\0asm\x0d\0\1\0"), "a component"),
    "module cut off": (lambda: of_wasm(source().wasm[:-20]), "malformed|not valid"),
    "module that the engine refuses": (
        lambda: signed(source(body=GUEST.replace('"memory") 1', '"memory") 1 2 shared'))),
        "threads",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_package_is_refused_with_the_reason_and_nothing_is_installed(
    shelf: Shelf, tmp_path: Path, name: str
) -> None:
    put(shelf, signed(source("standing")))
    layout, message = BAD[name][0](), BAD[name][1]
    before = tree(tmp_path)
    with pytest.raises(ModuleError, match=message) as caught:
        put(shelf, layout)
    assert caught.value.hint
    assert tree(tmp_path) == before
    assert shelf.names() == ["standing"]


@pytest.mark.skipif("motion" not in shipped_names(), reason="the package was not built: no modules are shipped")
def test_the_name_of_a_shipped_analyzer_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    before = tree(tmp_path)
    with pytest.raises(ModuleError, match="an analyzer 'motion' is shipped") as caught:
        put(shelf, signed(source("motion", "9.0.0")))
    assert caught.value.hint is not None and "a name of its own" in caught.value.hint
    assert tree(tmp_path) == before


def test_every_changed_byte_of_a_tar_file_is_refused_or_changes_nothing(shelf: Shelf, tmp_path: Path) -> None:
    layout = signed(source())
    path = tmp_path / "a.tar"
    write_layout(layout, path)
    whole, trust = path.read_bytes(), TrustStore(shelf).read()
    good, accepted = verify(layout, trust), 0
    for at in range(0, len(whole), 97):
        path.write_bytes(flipped(whole, at))
        try:
            found = verify(open_layout(path), trust)
        except ModuleError:
            continue
        accepted += 1
        assert (found.package.digest, found.package.wasm) == (good.package.digest, good.package.wasm)
    # padding of the archive, and notes in the index that nobody looks at
    assert accepted < len(range(0, len(whole), 97))


def test_every_cut_of_a_tar_file_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    write_layout(signed(source()), path)
    whole, trust = path.read_bytes(), TrustStore(shelf).read()
    end = len(whole.rstrip(b"\0"))
    before = tree(shelf.folder)
    for length in range(0, end, 301):
        path.write_bytes(whole[:length])
        with pytest.raises(ModuleError, match="cut off|cannot be read"):
            verify(open_layout(path), trust)
    assert tree(shelf.folder) == before


def test_where_no_key_is_trusted_nothing_is_verified() -> None:
    with pytest.raises(ModuleError, match="no key is trusted here") as caught:
        verify(signed(source()), Trust(()))
    assert caught.value.hint == "camera-edge analyzer trust add KEY.pub --name NAME"


def test_a_key_that_is_given_is_trusted_and_no_other() -> None:
    assert verify(signed(source()), trusting([key("acme").public])).signer.name == "acme"
    with pytest.raises(ModuleError, match="no trusted key"):
        verify(signed(source()), trusting([key("other").public]))


@pytest.mark.parametrize("what", ["package", "module"])
def test_a_revoked_package_is_refused(shelf: Shelf, tmp_path: Path, what: str) -> None:
    package = read_package(signed(source()))
    digest = package.digest if what == "package" else package.wasm_digest
    TrustStore(shelf).revoke(digest, now_utc=WHEN)
    before = tree(tmp_path)
    with pytest.raises(ModuleError, match=f"{digest} was revoked"):
        put(shelf, signed(source()))
    assert tree(tmp_path) == before


def test_the_same_name_by_another_signer_is_refused(tmp_path: Path) -> None:
    shelf = trusting_shelf(tmp_path, "acme", "other")
    put(shelf, signed(source()))
    before = tree(tmp_path)
    with pytest.raises(ModuleError, match="is installed, signed by 'acme'; this one is signed by 'other'") as caught:
        put(shelf, signed(source(version="2.0.0"), "other"))
    assert caught.value.hint is not None and "analyzer remove guest" in caught.value.hint
    assert tree(tmp_path) == before


def test_an_older_version_is_refused_until_it_is_asked_for(shelf: Shelf, tmp_path: Path) -> None:
    put(shelf, signed(source(version="1.1.0")))
    before = tree(tmp_path)
    with pytest.raises(ModuleError, match=r"1\.0\.9 is older than 1\.1\.0") as caught:
        put(shelf, signed(source(version="1.0.9")))
    assert caught.value.hint is not None and "--allow-rollback" in caught.value.hint
    assert tree(tmp_path) == before
    assert put(shelf, signed(source(version="1.0.9")), rollback=True).removed == ("1.1.0",)


def test_the_same_version_with_other_content_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    put(shelf, signed(source()))
    before = tree(tmp_path)
    with pytest.raises(ModuleError, match="with other content"):
        put(shelf, signed(source(more="[params]\nmore = 1\n")))
    assert tree(tmp_path) == before


def test_audit_finds_nothing_wrong_with_what_was_installed(shelf: Shelf) -> None:
    put(shelf, signed(source()))
    put(shelf, signed(signed(source(version="1.1.0")), "mallory"))
    put(shelf, signed(source("other")))
    trust = TrustStore(shelf).read()
    findings = audit(shelf, trust, ["guest"])
    assert [(finding.version, finding.fault) for finding in findings] == [("1.1.0", None), ("1.0.0", None)]
    assert [finding.name for finding in audit(shelf, trust)] == ["guest", "guest", "other"]


def test_audit_names_what_lost_its_key_or_was_revoked(shelf: Shelf) -> None:
    put(shelf, signed(source()))
    record = put(shelf, signed(source(version="1.1.0"))).record
    store = TrustStore(shelf)
    store.revoke(record.package_sha256, now_utc=WHEN)
    faults = [finding.fault for finding in audit(shelf, store.read())]
    assert [fault and fault.message for fault in faults] == ["its digest was revoked", None]
    store.remove("acme")
    faults = [finding.fault for finding in audit(shelf, store.read())]
    assert all(fault is not None and "not trusted any more" in fault.message for fault in faults[1:])
    assert shelf.candidates("guest") == ()


def test_audit_finds_each_file_that_was_changed(shelf: Shelf) -> None:
    put(shelf, signed(source()))
    folder = shelf.version_folder("guest", "1.0.0")
    for name in ("guest.wasm", "analyzer.toml", "package.tar", "record.json"):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(flipped(data, data.index(b"e")))
        (finding,) = audit(shelf, TrustStore(shelf).read())
        assert isinstance(finding.fault, DamagedError), name
        assert (finding.name, finding.version) == ("guest", "1.0.0")
        assert (finding.fault.where, finding.fault.hint) == (str(folder / name), AGAIN.format("1.0.0"))
        (folder / name).write_bytes(data)
    (finding,) = audit(shelf, TrustStore(shelf).read())
    assert finding.fault is None


def test_audit_finds_documents_of_another_package_or_none(shelf: Shelf) -> None:
    put(shelf, signed(source()))
    put(shelf, signed(source(version="1.1.0")))
    old, new = (shelf.version_folder("guest", version) / "package.tar" for version in ("1.0.0", "1.1.0"))
    new.write_bytes(old.read_bytes())
    faults = [finding.fault for finding in audit(shelf, TrustStore(shelf).read())]
    assert faults[1] is None and faults[0] is not None and faults[0].message == "damaged: it is not what was installed"
    new.unlink()
    (finding, _) = audit(shelf, TrustStore(shelf).read())
    assert finding.fault is not None and finding.fault.message == "damaged: No such file or directory"


def forge(shelf: Shelf, version: str, **changed: bytes) -> None:
    """Replace files of an installed version, and their digests in its record, as nothing but intent does."""
    folder = shelf.version_folder("guest", version)
    record = (folder / "record.json").read_bytes()
    for name, data in changed.items():
        path = folder / {"wasm": "guest.wasm", "documents": "package.tar"}[name]
        old, new = (digest_of(each).removeprefix("sha256:").encode() for each in (path.read_bytes(), data))
        record = record.replace(old, new)
        path.write_bytes(data)
    (folder / "record.json").write_bytes(record)


def test_audit_says_what_to_do_about_documents_that_verify_no_more(shelf: Shelf) -> None:
    put(shelf, signed(source()))
    put(shelf, signed(source(version="1.1.0")))
    folder = shelf.version_folder("guest", "1.1.0")
    other = (shelf.version_folder("guest", "1.0.0") / "package.tar").read_bytes()
    for documents, fault in ((other, "the record and the package differ"), (b"no tar", "the tar file is refused")):
        forge(shelf, "1.1.0", documents=documents)
        (finding, _) = audit(shelf, TrustStore(shelf).read())
        assert isinstance(finding.fault, DamagedError) and fault in finding.fault.message
        assert (finding.fault.where, finding.fault.hint) == (str(folder / "package.tar"), AGAIN.format("1.1.0"))


def test_audit_finds_a_module_that_was_replaced_together_with_its_record(shelf: Shelf) -> None:
    put(shelf, signed(source()))
    forge(shelf, "1.0.0", wasm=source(body=SCORE.replace("$score", "$other") + GUEST + '(data (i32.const 0) "x")').wasm)
    assert len(shelf.candidates("guest")) == 1
    (finding,) = audit(shelf, TrustStore(shelf).read())
    assert isinstance(finding.fault, DamagedError) and finding.fault.hint == AGAIN.format("1.0.0")


def test_a_package_with_two_signatures_hands_a_name_over_to_another_key(tmp_path: Path) -> None:
    shelf = trusting_shelf(tmp_path, "zeta")
    put(shelf, signed(source(), "zeta"))
    TrustStore(shelf).add(key("acme").public.pem, "acme", where="acme")
    # the signature of the new key may stand before that of the old one
    both = signed(signed(source(version="1.1.0"), "acme"), "zeta")
    assert [each.name for each in verify(both, TrustStore(shelf).read()).signers] == ["acme", "zeta"]
    record = put(shelf, both).record
    assert (record.signer.name, [each.name for each in record.also_signed]) == ("zeta", ["acme"])
    # a second signature says nothing on its own: anyone can add one
    with pytest.raises(ModuleError, match="signed by 'zeta'; this one is signed by 'acme'"):
        put(shelf, signed(source(version="1.2.0"), "acme"))
    TrustStore(shelf).remove("zeta")
    assert [(each.manifest.version, shelf.vouching(record)[0].name) for each in shelf.candidates("guest")] == [
        ("1.1.0", "acme")
    ]
    assert [finding.fault is None for finding in audit(shelf, TrustStore(shelf).read())] == [True, False]
    assert put(shelf, signed(source(version="1.2.0"), "acme")).record.signer.name == "acme"


def test_signatures_in_two_manifests_are_all_kept(tmp_path: Path) -> None:
    shelf = trusting_shelf(tmp_path, "acme", "other")
    made = source()
    one, two = (read_package(signed(made, name)).signature_sets[0] for name in ("acme", "other"))
    verified = verify(package_layout(read_package(made.packed()), [one, two]), TrustStore(shelf).read())
    assert ([each.name for each in verified.signers], len(verified.signed_by)) == (["acme", "other"], 2)
    install(verified, shelf, installed_utc=WHEN)
    TrustStore(shelf).remove("acme")
    assert [finding.fault for finding in audit(shelf, TrustStore(shelf).read())] == [None]
    assert len(shelf.candidates("guest")) == 1
