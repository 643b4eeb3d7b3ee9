from __future__ import annotations

from typing import Any

import msgspec
import pytest

from camera_edge.errors import ModuleError
from camera_edge.packages import MemoryLayout, read_package
from camera_edge.packages.documents import (
    CONFIG_TYPE_OLD,
    KIND_KEY,
    KIND_SIGNATURES,
    TAG_KEY,
    TOML_KEY,
    WASM_TYPE_OLD,
    describe,
    digest_of,
    signature_tag,
)
from camera_edge.packages.layout import blob_path
from tests.packages.packed import Source, changed_image, flipped, signed, source, with_files


@pytest.fixture
def made() -> Source:
    return source()


@pytest.fixture
def layout(made: Source) -> MemoryLayout:
    return signed(made)


def test_a_package_is_read_whole(made: Source, layout: MemoryLayout) -> None:
    package = read_package(layout)
    assert (package.toml, package.wasm) == (made.toml, made.wasm)
    assert package.wasm_digest == digest_of(made.wasm)
    assert len(package.signatures()) == 1
    assert package.digest == digest_of(package.documents[blob_path(package.digest)])


def test_a_changed_byte_in_any_blob_is_found(layout: MemoryLayout) -> None:
    blobs = [path for path in layout.files if path.startswith("blobs/")]
    assert len(blobs) == 6
    for path in blobs:
        for at in (0, len(layout.files[path]) // 2, -1):
            data = layout.files[path]
            bad = with_files(layout, {path: flipped(data, at % len(data))})
            with pytest.raises(ModuleError, match=f"{path.rpartition('/')[2]} has other content than its digest"):
                read_package(bad)


def test_a_blob_that_is_missing_is_found(layout: MemoryLayout) -> None:
    for path in layout.files:
        with pytest.raises(ModuleError, match="is missing"):
            read_package(MemoryLayout({name: data for name, data in layout.files.items() if name != path}, "m"))


def set_to(*path: str | int, value: Any) -> Any:
    def change(image: dict[str, Any]) -> None:
        target: Any = image
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_to("surprise", value=1), "unknown field `surprise`"),
        (set_to("layers", 0, "surprise", value=1), "unknown field `surprise`"),
        (set_to("layers", value=[]), "damaged"),
        (set_to("schemaVersion", value=1), "damaged"),
        (set_to("mediaType", value="application/json"), "damaged"),
        (set_to("layers", 0, "size", value=-1), "damaged"),
        (set_to("layers", 0, "digest", value="sha256:../../x"), "damaged"),
        (set_to("layers", 0, "digest", value="sha512:" + "a" * 64), "damaged"),
        (set_to("layers", 0, "size", value=1 << 40), "longer than"),
        (set_to("layers", 0, "mediaType", value="application/vnd.wasmtime.cwasm"), "must have one layer"),
        (set_to("layers", 0, "mediaType", value=WASM_TYPE_OLD), "must have one layer"),
        (set_to("config", "mediaType", value="application/vnd.oci.image.config.v1+json"), "configuration is of type"),
        (set_to("annotations", value={}), f"no annotation {TOML_KEY}"),
        (lambda image: image["layers"].append(image["layers"][0]), "must have one layer"),
    ],
)
def test_a_manifest_that_is_no_analyzers_is_refused(layout: MemoryLayout, change: Any, message: str) -> None:
    with pytest.raises(ModuleError, match=message) as caught:
        read_package(changed_image(layout, change))
    assert caught.value.where == layout.where and caught.value.hint is not None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"os": "wasip2"}, "wasip2"),
        ({"architecture": "amd64"}, "amd64"),
        ({"layerDigests": []}, "names another layer"),
        ({"component": {}}, "unknown field `component`"),
    ],
)
def test_a_configuration_that_is_no_analyzers_is_refused(
    layout: MemoryLayout, config: dict[str, object], message: str
) -> None:
    package = read_package(layout)
    old = msgspec.json.decode(layout.files[blob_path(package.image.config.digest)])
    data = msgspec.json.encode({**old, **config})
    named = msgspec.to_builtins(describe(data, package.image.config.media_type))
    bad = with_files(changed_image(layout, set_to("config", value=named)), {blob_path(digest_of(data)): data})
    with pytest.raises(ModuleError, match=message):
        read_package(bad)


def test_the_types_of_wasm_to_oci_are_read(layout: MemoryLayout) -> None:
    data = b"{}"
    named = msgspec.to_builtins(describe(data, CONFIG_TYPE_OLD))

    def change(image: dict[str, Any]) -> None:
        image["config"] = named
        image["layers"][0]["mediaType"] = WASM_TYPE_OLD

    old = with_files(changed_image(layout, change), {blob_path(digest_of(data)): data})
    assert read_package(old).image.config.media_type == CONFIG_TYPE_OLD


def in_index(layout: MemoryLayout, change: Any) -> MemoryLayout:
    index = msgspec.json.decode(layout.files["index.json"])
    change(index["manifests"])
    return with_files(layout, {"index.json": msgspec.json.encode(index)})


def test_signatures_are_found_by_tag_or_by_kind(layout: MemoryLayout) -> None:
    digest = read_package(layout).digest
    for notes in ({TAG_KEY: signature_tag(digest)}, {KIND_KEY: KIND_SIGNATURES}):
        named = in_index(layout, lambda entries, given=notes: entries[1].update(annotations=given))
        assert len(read_package(named).signatures()) == 1


def test_signatures_under_the_tag_of_another_package_are_not_looked_at(layout: MemoryLayout) -> None:
    other = {TAG_KEY: signature_tag(f"sha256:{'a' * 64}"), KIND_KEY: KIND_SIGNATURES}
    assert read_package(in_index(layout, lambda entries: entries[1].update(annotations=other))).signatures() == ()


def test_a_layout_of_two_packages_or_none_is_refused(layout: MemoryLayout) -> None:
    two = in_index(layout, lambda entries: entries.append(entries[0]))
    with pytest.raises(ModuleError, match="it holds 2 packages"):
        read_package(two)
    with pytest.raises(ModuleError, match="it holds 0 packages"):
        read_package(in_index(layout, lambda entries: entries.clear()))


def test_an_index_of_images_is_refused(layout: MemoryLayout) -> None:
    nested = in_index(layout, lambda entries: entries[0].update(mediaType="application/vnd.oci.image.index.v1+json"))
    with pytest.raises(ModuleError, match=r"is of type 'application/vnd\.oci\.image\.index"):
        read_package(nested)


def test_what_else_cosign_keeps_beside_a_package_is_passed_over(layout: MemoryLayout) -> None:
    attestation = {"mediaType": "x", "digest": f"sha256:{'a' * 64}", "size": 1}
    for notes in ({KIND_KEY: "dev.cosignproject.cosign/atts"}, {TAG_KEY: f"sha256-{'b' * 64}.att"}):
        more = in_index(layout, lambda entries, given=notes: entries.append({**attestation, "annotations": given}))
        assert len(read_package(more).signatures()) == 1
