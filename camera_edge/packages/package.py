"""A package, read whole: the analyzer's module and manifest, and the signatures that came with it.

One layout holds one package: an image manifest with one layer, the module. `analyzer.toml` is an annotation of that
manifest, so that a signature of the manifest's digest covers what the analyzer asks for. Signatures are image manifests
of their own.

Invariant: every byte was compared with its digest, from the index down; whether to trust it is not said here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from camera_edge.errors import ModuleError
from camera_edge.packages.documents import (
    CONFIG_TYPE,
    CONFIG_TYPE_OLD,
    DOCUMENT_BYTES_MAX,
    KIND_SIGNATURES,
    MANIFEST_TYPE,
    PAYLOAD_TYPE,
    SIGNATURE_KEY,
    SMALL_BYTES_MAX,
    TOML_KEY,
    WASM_TYPE,
    WASM_TYPE_OLD,
    Descriptor,
    ImageManifest,
    Payload,
    WasmConfig,
    read_document,
    signature_tag,
)
from camera_edge.packages.layout import Layout, blob_path, read_blob, read_index
from camera_edge.sandbox.module import WASM_BYTES_MAX

_HINT = "make it with `camera-edge analyzer pack`"
_LAYERS = {CONFIG_TYPE: WASM_TYPE, CONFIG_TYPE_OLD: WASM_TYPE_OLD}


@dataclass(frozen=True, slots=True)
class Signature:
    """Bytes that were signed, and what is said to be a signature of them; nothing of it is checked yet."""

    layer: Descriptor = field(repr=False)
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignatureSet:
    """A manifest of signatures with all that it names. `blobs`: by their paths in the layout, the manifest too."""

    descriptor: Descriptor
    signatures: tuple[Signature, ...]
    blobs: dict[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Package:
    """`documents`: manifest and configuration by their paths in the layout; `toml` is the text of `analyzer.toml`."""

    descriptor: Descriptor
    image: ImageManifest
    toml: bytes
    wasm: bytes = field(repr=False)
    documents: dict[str, bytes] = field(repr=False)
    signature_sets: tuple[SignatureSet, ...]
    where: str

    @property
    def digest(self) -> str:
        """Of the manifest: what is signed, and what names the package."""
        return self.descriptor.digest

    @property
    def wasm_digest(self) -> str:
        return self.image.layers[0].digest

    def signatures(self) -> tuple[Signature, ...]:
        """Those that were made for this package, whoever made them; one for another package is left out."""
        found = (each for group in self.signature_sets for each in group.signatures)
        return tuple(each for each in found if _signed_digest(each.payload) == self.digest)


def read_package(layout: Layout) -> Package:
    """Raises ModuleError where the layout holds no package, or one that was changed."""
    index = read_index(layout)
    packages = [entry for entry in index.manifests if not _is_attachment(entry)]
    if len(packages) != 1:
        raise ModuleError(f"it holds {len(packages)} packages", where=layout.where, hint="one package a layout")
    descriptor = packages[0]
    manifest = _read_manifest(layout, descriptor, "the package's manifest")
    image = _parse(manifest, "the package's manifest", layout.where)
    _check_types(image, layout.where)
    config = read_blob(layout, image.config, SMALL_BYTES_MAX)
    _check_config(config, image, layout.where)
    documents = {blob_path(descriptor.digest): manifest, blob_path(image.config.digest): config}
    found = [entry for entry in index.manifests if _signs(entry, descriptor.digest)]
    return Package(
        descriptor=descriptor,
        image=image,
        toml=_toml(image, layout.where),
        wasm=read_blob(layout, image.layers[0], WASM_BYTES_MAX),
        documents=documents,
        signature_sets=tuple(_signature_set(layout, entry) for entry in found),
        where=layout.where,
    )


def with_blobs(package: Package, signature_sets: Iterable[SignatureSet]) -> dict[str, bytes]:
    """The documents of a package and of these signatures by their paths, without the module."""
    files = dict(package.documents)
    for each in signature_sets:
        files |= each.blobs
    return files


def _signed_digest(payload: bytes) -> str | None:
    """The digest that a payload of cosign's names; None where it is no such payload."""
    try:
        return msgspec.json.decode(payload, type=Payload).critical.image.docker_manifest_digest
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_attachment(entry: Descriptor) -> bool:
    """Signatures, attestations and the like stand beside the package, by kind or by tag."""
    beside = entry.kind.startswith("dev.cosignproject.cosign/") and not entry.kind.endswith(("/image", "/imageIndex"))
    return beside or (entry.tag.startswith("sha256-") and entry.tag.endswith((".sig", ".att", ".sbom")))


def _signs(entry: Descriptor, digest: str) -> bool:
    """`cosign save` writes a kind and no tag, a copy from a registry a tag and no kind; both are only a claim."""
    return entry.tag == signature_tag(digest) or (entry.kind == KIND_SIGNATURES and not entry.tag.endswith(".sig"))


def _read_manifest(layout: Layout, entry: Descriptor, what: str) -> bytes:
    if entry.media_type != MANIFEST_TYPE:
        raise ModuleError(f"{what} is of type {entry.media_type!r}", where=layout.where, hint=_HINT)
    return read_blob(layout, entry, DOCUMENT_BYTES_MAX)


def _parse(manifest: bytes, what: str, where: str) -> ImageManifest:
    return read_document(manifest, ImageManifest, what=what, where=where)


def _check_types(image: ImageManifest, where: str) -> None:
    wanted = _LAYERS.get(image.config.media_type)
    if wanted is None:
        raise ModuleError(f"its configuration is of type {image.config.media_type!r}", where=where, hint=_HINT)
    if len(image.layers) != 1 or image.layers[0].media_type != wanted:
        types = ", ".join(layer.media_type for layer in image.layers)
        raise ModuleError(f"it must have one layer, {wanted}, and has {types}", where=where, hint=_HINT)


def _check_config(config: bytes, image: ImageManifest, where: str) -> None:
    if image.config.media_type != CONFIG_TYPE:
        return
    read = read_document(config, WasmConfig, what="the package's configuration", where=where)
    if read.layer_digests != (image.layers[0].digest,):
        raise ModuleError("its configuration names another layer", where=where, hint=_HINT)


def _toml(image: ImageManifest, where: str) -> bytes:
    text = (image.annotations or {}).get(TOML_KEY)
    if text is None:
        raise ModuleError(f"its manifest has no annotation {TOML_KEY}", where=where, hint=_HINT)
    return text.encode()


def _signature_set(layout: Layout, entry: Descriptor) -> SignatureSet:
    what = "a manifest of signatures"
    manifest = _read_manifest(layout, entry, what)
    image = _parse(manifest, what, layout.where)
    blobs = {blob_path(entry.digest): manifest}
    signatures = []
    for part in (image.config, *image.layers):
        blobs[blob_path(part.digest)] = read_blob(layout, part, SMALL_BYTES_MAX)
    for layer in image.layers:
        if layer.media_type == PAYLOAD_TYPE:
            payload = blobs[blob_path(layer.digest)]
            signatures.append(Signature(layer, payload, _signature(layer, layout.where)))
    return SignatureSet(entry, tuple(signatures), blobs)


def _signature(layer: Descriptor, where: str) -> bytes:
    try:
        return base64.b64decode((layer.annotations or {}).get(SIGNATURE_KEY, ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ModuleError("a signature is no base64", where=where, hint="have the package signed again") from error
