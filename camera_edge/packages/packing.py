"""Makes packages: an analyzer becomes an OCI image layout, a signature another manifest in it.

Invariant: the same module and manifest give the same bytes, whoever packs them and when.
"""

from __future__ import annotations

import base64
import io
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from camera_edge.durable import sync_folder, write_durably
from camera_edge.errors import CameraEdgeError, OutputError, UsageError
from camera_edge.packages.documents import (
    CONFIG_TYPE,
    IMAGE_CONFIG_TYPE,
    INDEX_TYPE,
    KIND_IMAGE,
    KIND_KEY,
    KIND_SIGNATURES,
    MANIFEST_TYPE,
    PAYLOAD_TYPE,
    SIGNATURE_KEY,
    SIGNATURE_OF,
    TAG_KEY,
    TITLE_KEY,
    TOML_KEY,
    VERSION_KEY,
    WASM_TYPE,
    Annotations,
    Critical,
    Descriptor,
    Identity,
    ImageManifest,
    Index,
    LayoutMark,
    Payload,
    SignedImage,
    WasmConfig,
    describe,
    digest_of,
    signature_tag,
)
from camera_edge.packages.keys import PrivateKey
from camera_edge.packages.layout import INDEX_NAME, MARK_NAME, MemoryLayout, blob_path, open_layout
from camera_edge.packages.package import Package, Signature, SignatureSet, read_package, with_blobs
from camera_edge.sandbox.manifest import Manifest

EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"


def pack(manifest: Manifest, toml: bytes, wasm: bytes, *, created_s: int = 0) -> MemoryLayout:
    """A package without signatures. `created_s`: seconds since 1970, a fixed number so that it can be made again."""
    layer = describe(wasm, WASM_TYPE)
    created = datetime.fromtimestamp(created_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = msgspec.json.encode(
        WasmConfig(created=created, architecture="wasm", os="wasip1", layer_digests=(layer.digest,))
    )
    image = ImageManifest(
        schema_version=2,
        media_type=MANIFEST_TYPE,
        config=describe(config, CONFIG_TYPE),
        layers=(layer,),
        annotations={TITLE_KEY: manifest.name, VERSION_KEY: manifest.version, TOML_KEY: toml.decode("utf-8")},
    )
    data = msgspec.json.encode(image)
    entry = describe(data, MANIFEST_TYPE, {KIND_KEY: KIND_IMAGE, TAG_KEY: manifest.version})
    blobs = {blob_path(digest_of(each)): each for each in (data, config, wasm)}
    return layout_of(blobs, [entry], f"{manifest.name} {manifest.version}")


def layout_of(blobs: Mapping[str, bytes], entries: list[Descriptor], where: str) -> MemoryLayout:
    """A layout of these blobs, with these manifests in its index."""
    index = Index(schema_version=2, media_type=INDEX_TYPE, manifests=tuple(entries))
    mark = LayoutMark(image_layout_version="1.0.0")
    files = {MARK_NAME: msgspec.json.encode(mark), INDEX_NAME: msgspec.json.encode(index)}
    return MemoryLayout({**files, **dict(sorted(blobs.items()))}, where)


def sign(package: Package, key: PrivateKey, *, reference: str) -> MemoryLayout:
    """The package with one more signature. `reference`: where it is to be found, for people; it is not compared.

    A key that has signed it before does not sign again.
    """
    sets = list(package.signature_sets)
    if not any(key.public.verifies(each.signature, each.payload) for each in package.signatures()):
        sets.append(_signature_set(package.digest, key, reference))
    if len(sets) > 1:
        sets = [_joined(package.digest, sets)]
    return package_layout(package, sets)


def package_layout(package: Package, sets: list[SignatureSet]) -> MemoryLayout:
    """A layout of this package with these signatures alone."""
    blobs = with_blobs(package, sets) | {blob_path(package.wasm_digest): package.wasm}
    return layout_of(blobs, [package.descriptor, *(each.descriptor for each in sets)], package.where)


def _signature_set(digest: str, key: PrivateKey, reference: str) -> SignatureSet:
    critical = Critical(Identity(reference), SignedImage(digest), SIGNATURE_OF)
    payload = msgspec.json.encode(Payload(critical))
    signature = key.sign(payload)
    layer = describe(payload, PAYLOAD_TYPE, {SIGNATURE_KEY: base64.b64encode(signature).decode()})
    return _set_of(digest, [Signature(layer, payload, signature)])


def _joined(digest: str, sets: list[SignatureSet]) -> SignatureSet:
    """One manifest for all signatures, as cosign keeps them."""
    return _set_of(digest, [each for group in sets for each in group.signatures])


def _set_of(digest: str, signatures: list[Signature]) -> SignatureSet:
    layers = tuple(each.layer for each in signatures)
    # what go-containerregistry, and so cosign, expects of an image
    config = msgspec.json.encode(
        {
            "architecture": "",
            "os": "",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        }
    )
    image = ImageManifest(
        schema_version=2, media_type=MANIFEST_TYPE, config=describe(config, IMAGE_CONFIG_TYPE), layers=layers
    )
    data = msgspec.json.encode(image)
    annotations: Annotations = {KIND_KEY: KIND_SIGNATURES, TAG_KEY: signature_tag(digest)}
    blobs = {blob_path(digest_of(each)): each for each in (data, config, *(each.payload for each in signatures))}
    return SignatureSet(describe(data, MANIFEST_TYPE, annotations), tuple(signatures), blobs)


def created_s(environment: Mapping[str, str]) -> int:
    """SOURCE_DATE_EPOCH, else 0. Raises UsageError where it is no number of seconds."""
    text = environment.get(EPOCH_VARIABLE, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise UsageError(f"{EPOCH_VARIABLE} is {text!r}", hint="seconds since 1970, or do not set it")
    return int(text)


def write_layout(layout: MemoryLayout, out: Path) -> None:
    """As a tar file where `out` is a file or ends in `.tar`, else as a folder. Raises OutputError.

    What is there already is written over only where it is a package. A new folder appears whole or not at all; in one
    that is there the index comes last: where the writing was cut short it has none, or the old one.
    """
    try:
        _check_place(out)
        if out.is_file() or (out.suffix == ".tar" and not out.is_dir()):
            write_durably(out, archive(layout.files))
        elif out.is_dir():
            _write_into(out, layout)
        else:
            _write_folder(out, layout)
    except OSError as error:
        hint = "check space and permissions, or give another --out"
        raise OutputError(f"cannot be written: {error.strerror}", where=str(out), hint=hint) from error


def _check_place(out: Path) -> None:
    """Raises OutputError where something is there that is no package."""
    if not (out.exists() or out.is_symlink()) or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        read_package(open_layout(out))
    except CameraEdgeError as error:
        raise OutputError(
            f"something is there that is no package, and stays as it is: {error.message}",
            where=str(out),
            hint="give another --out, or delete what is there",
        ) from error


def _write_folder(out: Path, layout: MemoryLayout) -> None:
    """Written aside, then renamed."""
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=out.parent, prefix=".packing-"))
    try:
        aside.chmod(0o755)
        _write_into(aside, layout)
        aside.rename(out)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    sync_folder(out.parent)


def _write_into(folder: Path, layout: MemoryLayout) -> None:
    for path, data in sorted(layout.files.items(), key=lambda file: file[0] == INDEX_NAME):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_durably(folder / path, data)
    sync_folder(folder)


def archive(files: Mapping[str, bytes]) -> bytes:
    """A tar file whose bytes depend on these files alone."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(files):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(files[path]), 0o644
            tar.addfile(member, io.BytesIO(files[path]))
    return stream.getvalue()
