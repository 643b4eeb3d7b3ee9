from __future__ import annotations

from pathlib import Path

import pytest

from camera_edge.errors import ModuleError, UsageError
from camera_edge.packages import TrustStore, read_digest
from camera_edge.sandbox import shipped, shipped_names
from camera_edge.sandbox.shelf import Shelf
from tests.packages.packed import WHEN, key, tree


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "state" / "analyzers")


@pytest.fixture
def store(shelf: Shelf) -> TrustStore:
    return TrustStore(shelf)


def add(store: TrustStore, name: str, of: str | None = None) -> None:
    store.add(key(of or name).public.pem, name, where=f"{name}.pub")


def test_keys_come_back_with_their_names_and_go_again(store: TrustStore, shelf: Shelf) -> None:
    add(store, "acme")
    add(store, "other")
    assert [each.name for each in store.read().keys] == ["acme", "other"]
    assert shelf.trust.fingerprints() == {key(name).public.fingerprint for name in ("acme", "other")}
    store.remove("acme")
    assert [each.name for each in store.read().keys] == ["other"]


def test_the_same_key_again_is_no_error(store: TrustStore, shelf: Shelf) -> None:
    add(store, "acme")
    before = tree(shelf.trust.folder)
    add(store, "acme")
    assert tree(shelf.trust.folder) == before


def test_one_name_is_one_key_and_one_key_has_one_name(store: TrustStore, shelf: Shelf) -> None:
    add(store, "acme")
    before = tree(shelf.folder)
    with pytest.raises(UsageError, match="is there already") as caught:
        add(store, "acme", of="other")
    assert caught.value.hint == "give another --name"
    with pytest.raises(UsageError, match="is there already") as caught:
        add(store, "again", of="acme")
    assert caught.value.hint == "it is the same key"
    assert tree(shelf.folder) == before


@pytest.mark.parametrize("name", ["", "../acme", "a/b", ".acme", "a" * 65, "ümlaut", "a b"])
def test_a_name_that_would_leave_the_folder_is_refused(store: TrustStore, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a key"):
        add(store, name, of="acme")


def test_a_key_that_is_not_there_cannot_be_removed(store: TrustStore) -> None:
    add(store, "acme")
    for name in ("other", "../keys/acme"):
        with pytest.raises(ModuleError, match="no key is called") as caught:
            store.remove(name)
        assert caught.value.hint == "there are: acme"


def test_a_file_that_is_no_key_stops_all_and_is_named(store: TrustStore, shelf: Shelf) -> None:
    add(store, "acme")
    (shelf.trust.keys / "other.pub").write_bytes(b"text")
    with pytest.raises(ModuleError, match="no public key") as caught:
        store.read()
    assert caught.value.where == str(shelf.trust.keys / "other.pub")


def test_a_revoked_digest_stays(store: TrustStore, shelf: Shelf) -> None:
    digest = "ab" * 32
    assert store.revoke(f"sha256:{digest}", now_utc=WHEN) == digest
    store.revoke(digest, now_utc=WHEN)
    trust = store.read()
    assert trust.revoked == {digest}
    assert trust.revokes("sha256:" + "cd" * 32, f"sha256:{digest}") == f"sha256:{digest}"
    assert trust.revokes("cd" * 32) is None
    assert WHEN.encode() in (shelf.trust.revoked_digests / digest).read_bytes()


@pytest.mark.parametrize("text", ["", "sha256:", "ab" * 31, "AB" * 32, "sha512:" + "ab" * 32, "../" + "a" * 61])
def test_what_is_no_digest_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="is no digest"):
        read_digest(text)


def test_who_watches_the_shelf_hears_of_each_change(store: TrustStore, shelf: Shelf) -> None:
    seen = [shelf.generation]
    add(store, "acme")
    seen.append(shelf.generation)
    store.revoke("ab" * 32, now_utc=WHEN)
    seen.append(shelf.generation)
    store.remove("acme")
    seen.append(shelf.generation)
    assert len(set(seen)) == 4


@pytest.mark.skipif("motion" not in shipped_names(), reason="the package was not built: no modules are shipped")
def test_what_is_shipped_cannot_be_revoked_and_the_error_says_what_to_do(store: TrustStore, shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="the analyzer 'motion' that is shipped") as caught:
        store.revoke(f"sha256:{shipped('motion').sha256}", now_utc=WHEN)
    assert caught.value.hint is not None and "take 'motion' out of `analyzers:`" in caught.value.hint
    assert not shelf.folder.exists()
